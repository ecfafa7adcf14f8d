"""The manifest holds together, and the learner's files are what the sources give."""

import ast

import pytest

from minires.course import commands, folder, manifest, stubs
from tests.course.trials import EXERCISES, TESTS

each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.module)


@each
def test_the_committed_file_is_what_the_source_gives(exercise):
    assert (TESTS / exercise.file).read_text(encoding="utf-8") == stubs.cut(exercise), (
        "python -m minires.course.stubs --force overwrites it"
    )


@each
def test_the_file_is_short_and_says_what_to_do(exercise):
    text = stubs.cut(exercise)
    tree = ast.parse(text)
    first = text.splitlines()[0]
    assert f"Exercise {exercise.id}" in first and exercise.test in first and first.count('"""') == 2
    assert max(map(len, text.splitlines())) <= 128
    assert ast.get_docstring(tree.body[-1]) and f"Chapter {exercise.chapter:02d}" in text
    assert (
        f"exercise {exercise.id}: write {exercise.function}" in text
        or exercise.kind == "bug hunt"
        or exercise.holes
    )
    assert folder.untouched(exercise, TESTS)


@each
def test_claims_are_plain_functions_with_a_first_line(exercise):
    tree = ast.parse((TESTS / exercise.test).read_text(encoding="utf-8"))
    claims = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert ast.get_docstring(tree) and claims
    assert not [claim.name for claim in claims if claim.args.args or claim.decorator_list], (
        "the runner calls them without pytest"
    )


@each
def test_what_is_named_exists(exercise):
    whole = exercise.library and isinstance(manifest.resolve(exercise.library), type)
    for dotted in filter(
        None, ("" if whole else exercise.library, exercise.target, *exercise.poisoned)
    ):
        assert manifest.form_name(dotted), f"{dotted} has no forms: nothing can stand in for it"
    assert exercise.forbidden() or not (exercise.library or exercise.poisoned)
    for function in exercise.all_mistakes().values():
        assert function.__doc__, function.__name__


def test_every_file_belongs_to_an_exercise():
    files = {path.name for path in TESTS.glob("*.py")} - {"conftest.py"}
    assert files == {name for exercise in EXERCISES for name in (exercise.file, exercise.test)}


def test_an_exercise_is_found_by_id_name_and_file():
    for word in ("05c", "im2col", "e05c_im2col.py", "exercises/test_e05c_im2col.py"):
        assert manifest.exercise(word).id == "05c"
    with pytest.raises(ValueError, match="did you mean 'im2col'"):
        manifest.exercise("im2cool")


def test_what_the_library_refuses_is_no_business_of_an_exercise():
    text = '"""x @ weight.\n\n    x  (..., I)\n\n    Saves  x.\n    Raises  ValueError: sizes that differ.\n    """'
    exercise = manifest.Exercise(
        "99z", "linear", "a product", 9, 5, ("", "", ""), task="Chapter 09."
    )
    cut = stubs.with_holes(exercise, f"def linear(x, weight):\n    {text}\n    return x @ weight\n")
    assert "Raises" not in cut and "x  (..., I)\n\n    Saves  x.\n\n    Chapter 09." in cut


def test_types_are_no_business_of_an_exercise():
    def typed(
        x: list[float], name: str = "a", *rest: int, eps: float = 1e-5, **more: int
    ) -> tuple[list, int]:
        def backward(g: "Array") -> None:  # noqa: F821
            return None

        return x, backward

    head, _, *body = stubs.plain(typed).splitlines(keepends=True)
    assert head == 'def typed(x, name="a", *rest, eps=1e-5, **more):\n'
    assert "".join(
        body
    ) == "        return None\n\n    return x, backward\n" and "def backward(g):\n" in stubs.plain(
        typed
    )


def test_a_class_keeps_its_other_methods():
    class Counter:
        """Counts.

        Raises  ValueError: never.
        """

        def __init__(self):
            """Begin at 0."""
            self.count = 0

        def step(self, by=1):
            """Count further.

            Raises  ValueError: never.
                    TypeError: neither.
            """
            self.count += by

    exercise = manifest.Exercise(
        "99z",
        "Counter",
        "counting",
        9,
        5,
        ("", "", ""),
        function="Counter",
        task="Chapter 09.",
        holes=("step",),
    )
    text = stubs.with_holes(exercise, stubs.plain(Counter))
    assert "self.count = 0" in text and "self.count += by" not in text and "Raises" not in text
    assert (
        'raise NotImplementedError("exercise 99z: write Counter.step")' in text
        and "Chapter 09." in text
    )
    space = {}
    exec(text, space)
    with pytest.raises(NotImplementedError):
        space["Counter"]().step()


@pytest.mark.parametrize(
    "entry",
    [
        'hints = ["a"]',
        'hints = ["a", "b", "c"]\nneeds = ["99b"]',
        'hints = ["a", "b", "c"]\nspeed = 3',
    ],
)
def test_an_entry_that_does_not_hold_together_is_refused(entry, tmp_path, monkeypatch):
    head = '[[exercise]]\nid = "99a"\nname = "f"\ntitle = "t"\nchapter = 9\nminutes = 1\n'
    (tmp_path / "99.toml").write_text(head + entry)
    monkeypatch.setattr(manifest, "FOLDER", tmp_path)
    manifest.exercises.cache_clear()
    try:
        with pytest.raises(manifest.ManifestError, match="99a"):
            manifest.exercises()
    finally:
        manifest.exercises.cache_clear()


def test_a_solution_comes_with_the_helpers_that_it_calls(classroom, capsys):
    helped = set()
    for exercise in EXERCISES:
        if exercise.library:
            continue
        commands.solution(classroom.home, exercise, give_up=True)
        tree = ast.parse(capsys.readouterr().out)
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        kinds = (ast.FunctionDef, ast.ClassDef)
        defined = {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
        helpers = {name for name in names if name.startswith("_") and name.strip("_")}
        assert exercise.function in defined and helpers <= defined, exercise.id
        helped |= {exercise.id} if helpers else set()
    assert "11f" in helped
