"""The committed tables of measurements: what they show, the rule that decides, and what a bad file says."""

import copy
import json
import math
from importlib import import_module

import pytest

from minires import course
from minires.course.measured import parse

FILE = {
    "title": "Two nets",
    "setting": "Trained for an epoch.",
    "command": "python -m benchmarks.beliefs depth",
    "seeds": [0, 1, 2, 3, 4],
    "columns": {"loss": 2, "accuracy": 0, "ratio": ".1e"},
    "rows": {
        "a": {"loss": [0.1, 0.2, 0.3, 0.4, 0.5], "accuracy": [90, 91, 92, 93, 94], "ratio": None},
        "b": {"loss": [0.2, 0.4, 0.5, 0.7, 0.8], "accuracy": [90, 91, None, 93, "nan"], "ratio": [1e-9, 1e-9, 2e-9, 1e-9, 1e-9]},
        "c": {"loss": ["nan"] * 5, "accuracy": [50, None, None, None, None], "ratio": [-1e-4] * 5},
        "d": None,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("a", "b", "verdict", "text"),
    [
        # Differences of 1, 2, 1, 2, 1: mean 1.4, standard deviation sqrt(0.3) = 0.548; 1.4 is 2.6 of them.
        ([2, 4, 3, 5, 2], [1, 2, 2, 3, 1], "higher", "higher in 5 of 5 seeds, by 1.40 ± 0.55: decided"),
        ([1, 2, 2, 3, 1], [2, 4, 3, 5, 2], "lower", "lower in 5 of 5 seeds, by 1.40 ± 0.55: decided"),
        # 1, 1, 1, 1, 6: mean 2, standard deviation sqrt(5) = 2.236: one sign, but less than twice.
        ([1, 1, 1, 1, 6], [0] * 5, "undecided", "higher in 5 of 5 seeds, by 2.0 ± 2.2: undecided"),
        # One seed the other way.
        ([10, 10, 10, 10, 9.99], [0, 0, 0, 0, 10], "undecided", "higher in 4 of 5 seeds, by 8.0 ± 4.5: undecided"),
        # Equal steps have no deviation at all.
        ([2] * 5, [1] * 5, "higher", "higher in 5 of 5 seeds, by 1.0 ± 0.0: decided"),
        ([1] * 5, [1] * 5, "undecided", "equal in 5 of 5 seeds: undecided"),
        # A tie in one seed, four of five higher.
        ([2, 2, 2, 2, 1], [1] * 5, "undecided", "higher in 4 of 5 seeds, by 0.80 ± 0.45: undecided"),
        # Too few seeds, however large the effect.
        ([5, 5, 5, 5], [1, 1, 1, 1], "undecided", "higher in 4 of 4 seeds, by 4.0 ± 0.0: undecided"),
        ([5], [1], "undecided", "higher in 1 of 1 seed, by 4.0: undecided"),
        # A missing pair leaves four; a sixth seed makes up for it.
        ([5, 5, 5, 5, None], [1] * 5, "undecided", "higher in 4 of 4 seeds, by 4.0 ± 0.0: undecided"),
        ([5, 5, 5, 5, 5, None], [1] * 6, "higher", "higher in 5 of 5 seeds, by 4.0 ± 0.0: decided"),
        # A run that diverged decides nothing.
        ([5, 5, 5, 5, 5, math.nan], [1] * 6, "undecided", "higher in 5 of 6 seeds, by 4.0 ± 0.0, diverged in 1: undecided"),
        ([math.nan] * 5, [1] * 5, "undecided", "no seed has both numbers (5 diverged): undecided"),
        ([3e4, 3e4, 3e4, 3e4, 3.1e4], [0] * 5, "higher", "higher in 5 of 5 seeds, by 30,200 ± 447: decided"),
        ([3e-4, 3e-4, 3e-4, 3e-4, 3.1e-4], [0] * 5, "higher", "higher in 5 of 5 seeds, by 0.0003020 ± 0.0000045: decided"),
    ],
)  # fmt: skip
def test_a_comparison_by_hand(a, b, verdict, text):
    found = course.compare(a, b)
    assert found.verdict == verdict and str(found) == repr(found) == text


def test_the_mean_has_to_be_two_standard_deviations_of_the_differences():
    """1 + t and 1 - t in turn around 1, five times: the standard deviation is t."""
    for t, verdict in ((0.49, "higher"), (0.51, "undecided")):
        differences = [1 + t, 1 - t, 1 + t, 1 - t, 1]
        assert course.compare(differences, [0] * 5).std == pytest.approx(t)
        assert course.compare(differences, [0] * 5).verdict == verdict
        assert course.compare([0] * 5, differences).verdict == verdict.replace("higher", "lower")


def test_it_is_the_differences_that_are_judged_not_the_two_rows():
    """The rows overlap, and each seed has the same difference."""
    table = parse(FILE)
    assert table.compare("a", "b", "loss").verdict == "lower"
    assert table.compare("b", "a", "loss").mean == pytest.approx(0.22)
    assert table.compare("a", "c", "loss").verdict == "undecided"
    assert table.compare("a", "d", "loss").verdict == "undecided"


@pytest.mark.parametrize(("a", "b"), [([1, 2], [1]), ([], [])])
def test_values_that_are_not_paired_are_refused(a, b):
    with pytest.raises(ValueError, match="compare: expected one value of each per seed, got"):
        course.compare(a, b)


def test_a_table_as_markdown():
    table = parse(FILE)
    assert table.lines() == [
        "| | loss | accuracy | ratio |",
        "| --- | --- | --- | --- |",
        "| a | 0.30 ± 0.16 | 92 ± 2 |  |",
        "| b | 0.52 ± 0.24 | 91 ± 2 (4 seeds, diverged in 1 of 4) | 1.2e-09 ± 4.5e-10 |",
        "| c | diverged | 50 (1 seed) | -1.0e-04 ± 0.0e+00 |",
    ]
    assert str(table) == table._repr_markdown_() == table.markdown()
    lines = str(table).splitlines()
    assert lines[0] == "**Two nets**" and lines[2:-2] == table.lines()
    assert lines[-1] == (
        "Trained for an epoch. (5 seeds, mean ± standard deviation.) To repeat it: `python -m benchmarks.beliefs depth`"
    )
    one = copy.deepcopy(FILE) | {"seeds": [0], "columns": {"n": 0}, "rows": {"a": {"n": [-0.2]}}}
    assert parse(one).lines()[-1] == "| a | 0 |" and "epoch. To repeat it: `python" in str(parse(one))  # fmt: skip


def test_values_are_a_list_over_the_seeds_of_its_own():
    table = parse(FILE)
    values = table.values("a", "loss")
    assert values == [0.1, 0.2, 0.3, 0.4, 0.5]
    values.clear()
    assert len(table.values("a", "loss")) == 5
    assert table.values("a", "ratio") == table.values("d", "loss") == [None] * 5
    assert all(math.isnan(value) for value in table.values("c", "loss"))
    assert table.values("b", "accuracy")[:4] == [90, 91, None, 93]
    with pytest.raises(ValueError, match="unknown column 'los': .*; did you mean 'loss'"):
        table.values("a", "los")
    with pytest.raises(ValueError, match="unknown row 'e': choose from a, b, c, d"):
        table.values("e", "loss")


def test_a_part_of_a_table_has_its_rows_in_the_given_order():
    table = parse(FILE)
    part = table.part(rows=["b", "a", "d"], columns=["accuracy", "loss"])
    assert part.lines() == [
        "| | accuracy | loss |",
        "| --- | --- | --- |",
        "| b | 91 ± 2 (4 seeds, diverged in 1 of 4) | 0.52 ± 0.24 |",
        "| a | 92 ± 2 | 0.30 ± 0.16 |",
    ]
    assert part.footer() == table.footer() and table.part() == table != part
    assert list(table.part(columns=["loss"]).rows) == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="unknown row 'e'"):
        table.part(rows=["e"])
    with pytest.raises(ValueError, match="unknown column 'los'"):
        table.part(columns=["los"])


def changed(path, value):
    """Return FILE with one place changed."""
    made = copy.deepcopy(FILE)
    place = made
    for key in path[:-1]:
        place = place[key]
    if value is None and path[-1] in ("title", "rows"):
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return made


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("title",), None, "x: expected the keys title, setting, command, seeds, columns, rows"),
        (("more",), 1, "expected the keys title"),
        (("setting",), "", "setting to be a text"),
        (("seeds",), [0, 1, 1, 2, 3], "seeds to be different ints"),
        (("seeds",), [], "seeds to be different ints"),
        (("seeds",), [0, 1, 2, 3, 4.0], "seeds to be different ints"),
        (("seeds",), [0, 1, 2], "a list of 3 values, one per seed, in row 'a', column 'loss'"),
        (("columns", "loss"), -1, "decimals, or a format such as '.1e', for column 'loss', got -1"),
        (("columns", "loss"), True, "for column 'loss', got True"),
        (("columns",), {}, "columns to be"),
        (("rows",), {}, "rows to be"),
        (("rows", "a"), {"loss": [1] * 5}, "row 'a' to be null, or to have the columns loss, accuracy, ratio"),
        (("rows", "a", "loss"), [1] * 4, "a list of 5 values, one per seed, in row 'a', column 'loss'"),
        (("rows", "a", "loss"), 3, "a list of 5 values"),
        (("rows", "a", "loss", 2), "NaN", "row 'a', column 'loss', got 'NaN'"),
        (("rows", "a", "loss", 2), True, "column 'loss', got True"),
        (("rows", "a", "loss", 2), [1], r"column 'loss', got \[1\]"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_table_is_refused(path, value, message):
    parse(FILE)
    with pytest.raises(ValueError, match=message):
        parse(changed(path, value), "x")


def test_a_table_is_read_by_its_name_and_the_nearest_is_suggested(monkeypatch, tmp_path):
    module = import_module(
        "minires.course.measured"
    )  # the package; course.measured is the function
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    (tmp_path / "depth.json").write_text(json.dumps(FILE), encoding="utf-8")
    (tmp_path / "blocks.json").write_text("{}", encoding="utf-8")
    assert course.measured("depth").values("a", "loss") == [0.1, 0.2, 0.3, 0.4, 0.5]
    with pytest.raises(ValueError, match="blocks: expected the keys"):
        course.measured("blocks")
    with pytest.raises(ValueError, match="unknown measured table 'depht': choose from blocks, depth; did you mean 'depth'?"):  # fmt: skip
        course.measured("depht")
