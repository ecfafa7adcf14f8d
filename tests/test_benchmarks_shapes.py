"""python -m benchmarks.shapes, small: each row differs from the base, it goes on where it was, and its committed table."""

import json

import pytest

from benchmarks import shapes
from minires import course, data


@pytest.fixture
def out(tmp_path):
    return tmp_path / "shapes.json"


def test_it_writes_a_table_and_goes_on_where_it_was(out, monkeypatch, capsys):
    shapes.main(["--quick", "--out", str(out), "--seeds", "1"])
    written = json.loads(out.read_text(encoding="utf-8"))
    assert list(written["rows"]) == list(shapes.ROWS) and written["seeds"] == [0]
    assert "+ flips: " in capsys.readouterr().out.splitlines()[-3]
    trained = []

    def train(*inputs, **changes):
        trained.append((inputs[2], changes))
        return dict.fromkeys(shapes.COLUMNS, 50.0)

    monkeypatch.setattr(shapes, "trained", train)
    written["rows"]["+ flips"]["test loss"] = [None]
    out.write_text(json.dumps(written), encoding="utf-8")
    shapes.main(["--quick", "--out", str(out), "--seeds", "2", "--resume"])
    assert trained[0] == (0, {"epochs": 1, "flip": True})
    assert [seed for seed, _ in trained[1:]] == [1] * len(shapes.ROWS)
    again = json.loads(out.read_text(encoding="utf-8"))["rows"]["base"]["test accuracy, %"]
    assert again == [written["rows"]["base"]["test accuracy, %"][0], 50]


def test_a_run_can_be_repeated_and_each_row_changes_something():
    train, test = data.shapes(192, 0), data.shapes(20, 1)  # six steps: one average
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


def test_the_committed_table_is_complete():
    table = course.measured("shapes")
    assert list(table.rows) == list(shapes.ROWS) and table.seeds == [0, 1, 2, 3, 4]
    assert table.setting == shapes.SETTING
    for row in table.rows:
        for column in shapes.COLUMNS:
            assert all(value >= 0 for value in table.values(row, column))
