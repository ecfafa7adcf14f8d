"""The tiers: the table names tests that exist, and a property draws as many examples as its tier says."""

import ast
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tiers
from tests.conftest import PROFILE

FOLDER = Path(__file__).parent


@pytest.mark.parametrize(
    ("file", "tests"),
    [(file, tests) for files in tiers.MARKED.values() for file, tests in files.items()],
    ids=str,
)
def test_the_table_names_tests_that_exist(file, tests):
    (path,) = FOLDER.rglob(file)
    there = {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert tests <= there


@pytest.mark.parametrize(
    ("profile", "library", "own", "expected"),
    [
        ("quick", "numpy", 8, 8), ("quick", None, 60, 8), ("quick", "strict", 8, 3), ("suite", "numpy", 25, 25),
        ("suite", "numpy", 60, 60), ("suite", "strict", 25, 3), ("suite", "strict", 2, 2), ("proof", "strict", 25, 25), ("proof", "numpy", 60, 60),
        ("thorough", "strict", 500, 500),
    ],
)  # fmt: skip
def test_strict_and_the_quick_tier_draw_fewer_examples(profile, library, own, expected):
    assert tiers.examples(profile, library, own) == expected


DRAWN = Counter()


@settings(max_examples=40)
@given(st.integers())
def a_property(_):
    DRAWN["examples"] += 1


@pytest.mark.parametrize("library", ["numpy", "strict"])
def test_a_property_really_draws_that_many_and_its_own_afterwards(library):
    DRAWN.clear()
    with tiers.fewer_examples(a_property, "suite", library):
        a_property()
    assert DRAWN["examples"] == {"numpy": 40, "strict": 3}[library]
    a_property()
    assert DRAWN["examples"] == {"numpy": 80, "strict": 43}[library]


LIVE = Counter()


@given(st.integers())
def test_a_property_counts_its_examples(each_backend, _):
    LIVE[each_backend] += 1


def test_and_under_pytest_it_was_the_number_of_the_profile():
    if not LIVE:
        pytest.skip("the property before did not run")
    for library, drawn in LIVE.items():
        assert drawn == tiers.examples(PROFILE, library, tiers.EXAMPLES[PROFILE])
