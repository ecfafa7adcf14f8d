"""python -m benchmarks.shapes, small: each row differs from the base, it goes on where it was, and its committed table."""

import json

import pytest

from benchmarks import shapes
from minires import course, data


@pytest.fixture
def out(tmp_path):
    return tmp_path / "shapes.json"


def test_it_writes_a_table_and_goes_on_where_it_was(out, monkeypatch, capsys):
    shapes.main(["--quick", "--out", str(out), "--seeds", "1", "--jobs", "1"])
    written = json.loads(out.read_text(encoding="utf-8"))
    assert list(written["rows"]) == list(shapes.ROWS) and written["seeds"] == [0]
    said = capsys.readouterr().out.splitlines()[-2 * len(shapes.PAIRS) :]
    assert said[0].startswith("+ flips and shifts next to base, test accuracy, %: ")
    assert said[-1].startswith("constant rate, averaged weights next to base, test loss: ")
    trained = []

    def train(*inputs, **changes):
        trained.append((inputs[2], changes))
        return dict.fromkeys(shapes.COLUMNS, 50.0)

    monkeypatch.setattr(shapes, "trained", train)
    written["rows"][shapes.SHIFTED]["test loss"] = [None]
    out.write_text(json.dumps(written), encoding="utf-8")
    shapes.main(["--quick", "--out", str(out), "--seeds", "2", "--jobs", "1", "--resume"])
    ((_, changes),) = [each for each in trained if each[0] == 0]
    assert changes == {"epochs": 1, "flip": True, "crop": 3}
    assert [seed for seed, _ in trained if seed] == [1] * len(shapes.ROWS)
    again = json.loads(out.read_text(encoding="utf-8"))["rows"]["base"]["test accuracy, %"]
    assert again == [written["rows"]["base"]["test accuracy, %"][0], 50]


def test_two_runs_at_a_time_give_the_same_table(out, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # main sets it: this takes it back
    alone = tmp_path / "alone.json"
    shapes.main(["--quick", "--out", str(out), "--seeds", "1", "--jobs", "2"])
    shapes.main(["--quick", "--out", str(alone), "--seeds", "1", "--jobs", "1"])
    one, two = (json.loads(each.read_text(encoding="utf-8")) for each in (alone, out))
    assert list(one["rows"]) == list(two["rows"]) == list(shapes.ROWS)
    for row, cells in one["rows"].items():
        assert two["rows"][row]["test loss"] == pytest.approx(cells["test loss"], rel=0.01)


def test_a_run_can_be_repeated_and_each_row_changes_something():
    train, test = data.shapes(192, 0), data.shapes(20, 1)  # twelve steps: three averages
    base = shapes.trained(train, test, 0, epochs=1)
    assert base == shapes.trained(train, test, 0, epochs=1)
    assert base != shapes.trained(train, test, 1, epochs=1)
    assert list(base) == list(shapes.COLUMNS)
    others = [
        shapes.trained(train, test, 0, epochs=1, **changes)
        for changes in list(shapes.ROWS.values())[1:]
    ]
    assert len({found["test loss"] for found in (base, *others)}) == len(shapes.ROWS)


def test_quick_figures_never_replace_the_committed_ones(capsys):
    with pytest.raises(SystemExit):
        shapes.main(["--quick"])
    assert "--quick needs --out FILE" in capsys.readouterr().err


def test_the_committed_table():
    table = course.measured("shapes")
    assert list(table.rows) == list(shapes.ROWS) and table.seeds == [0, 1, 2, 3, 4]
    assert table.setting == shapes.SETTING
    for row in table.rows:
        for column in shapes.COLUMNS:
            values = table.values(row, column)
            assert None not in values and all(value >= 0 for value in values)


def test_the_network_knows_its_images_and_each_trick_shows_with_others():
    table = course.measured("shapes")
    assert min(table.values(shapes.BASE, "training accuracy, %")) > 98
    assert all(70 <= value <= 90 for value in table.values(shapes.BASE, "test accuracy, %"))
    for row, other, verdict in (
        (shapes.SHIFTED, shapes.BASE, "higher"),
        (shapes.SMOOTHED, shapes.BASE, "lower"),
        (shapes.AVERAGED, shapes.STEADY, "higher"),
        (shapes.AVERAGED, shapes.BASE, "undecided"),
    ):
        assert table.compare(row, other, "test accuracy, %").verdict == verdict
