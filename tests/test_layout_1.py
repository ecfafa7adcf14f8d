"""Runs that an earlier minires began are resumed: tests/layout_1 holds some, stopped in mid-epoch.

With MINIRES_OLD, a folder with that minires (commit 17bb0f9), new ones are made, and must end with
the same numbers, but for the rounding of sums, which that minires added up in float32. Without it
the ends are compared to within another machine's rounding.
"""

import os
import shutil
from pathlib import Path

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minires import backend, checkpoint, cli, models
from minires.cli import settings, state
from minires.cli.loop import Loop
from minires.cli.options import Options
from minires.nn import init
from minires.runs import Run
from tests import layout_1

OLD = os.environ.get("MINIRES_OLD")
ROOT = Path(__file__).parents[1]


def tiny(**options):
    return models.ResNet(models.BasicBlock, (1,), (4,), **options)


def scaler(facts):
    return {f"scaler.{name}": value for name, value in (facts["scaler"] or {}).items()}


@pytest.fixture(params=layout_1.RUNS)
def run(request, tmp_path, monkeypatch):
    """A copy of a stopped run."""
    monkeypatch.setitem(models.MODELS, "tiny", tiny)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(layout_1.FOLDER / request.param, Path("runs", request.param))
    return Run(Path("runs", request.param))


def test_all_that_a_checkpoint_of_layout_1_holds_is_restored(run):
    weights, _, arrays, facts = run.newest()
    options = Options.from_config(run.config)
    loop = Loop(options, settings.datasets(options))
    loop.restore(run, complain=pytest.fail)
    for name, value in loop.model.state_dict().items():
        assert_array_equal(value, weights[name], err_msg=name)
    found, numbers = state.pack({"optimizer": loop.optimizer.state_dict()})
    assert found.keys() == {f"optimizer/{name}" for name in arrays}
    for name, value in arrays.items():
        assert_array_equal(found[f"optimizer/{name}"], value, err_msg=name)
    assert loop.step == loop.optimizer.steps == facts["step"] == layout_1.STOP
    assert loop.log.rows == facts["log"] and loop.log.seconds == facts["seconds"]
    assert loop.epoch == facts["epoch"] == 1
    assert list(loop.meter.score()) == facts["score"][:3] and loop.meter.last == facts["score"][3]
    assert init.generator().bit_generator.state == facts["generator"]
    for name, value in {**facts["optimizer"], **scaler(facts)}.items():
        assert numbers["optimizer"][name] == value


def test_a_run_of_layout_1_is_resumed_to_its_end(run):
    with pytest.raises(SystemExit) as done:
        cli.main(["train", "--resume", run.folder.name])
    backend.use("numpy")
    assert done.value.code == 0
    whole = layout_1.FOLDER / run.folder.name / "whole"
    ours, _ = checkpoint.load_weights(run.folder / "weights.safetensors")
    theirs, _ = checkpoint.load_weights(whole / "weights.safetensors")
    half = run.config["precision"] == "float16"
    for name, value in theirs.items():
        assert_allclose(ours[name], value, rtol=0, atol=0.05 if half else 1e-3, err_msg=name)
    rows = [
        line.split(",") for line in (whole / "log.csv").read_text(encoding="utf-8").splitlines()[1:]
    ]
    assert [row["step"] for row in run.log()] == [int(row[1]) for row in rows]
    losses = [float(row[3]) for row in rows]
    assert [row["train_loss"] for row in run.log()] == pytest.approx(losses, rel=0.02)
    assert run.newest()[3]["layout"] == 2


def test_a_run_of_layout_1_is_extended(run):
    """Stopped in its second epoch of 20 steps, it gets a third: the rates of steps 40 and 60 are those of three epochs."""
    with pytest.raises(SystemExit) as done:
        cli.main(["train", "--resume", run.folder.name, "--epochs", "3"])
    backend.use("numpy")
    assert done.value.code == 0
    options = Options.from_config({**run.config, "epochs": 3})
    steps = {row["epoch"]: row["step"] for row in Run(run.folder).log()}
    assert sorted(steps) == [1, 2, 3]
    rate = settings.schedule(options, steps[3])
    rates = [row["lr"] for row in Run(run.folder).log()]
    assert rates[1:] == pytest.approx([rate(steps[2] - 1), rate(steps[3] - 1)])
    made = {"epoch": 1, "step": layout_1.STOP, "from": 2, "to": 3, "schedule": "stretched"}
    assert Run(run.folder).extensions == [made] and Run(run.folder).newest()[3]["layout"] == 2


def test_a_layout_of_a_later_version_is_refused(run):
    weights, facts, arrays, numbers = run.newest()
    run.save(layout_1.STOP, (weights, facts), (arrays, {**numbers, "layout": 3}))
    options = Options.from_config(run.config)
    loop = Loop(options, settings.datasets(options))
    with pytest.raises(
        checkpoint.CheckpointError, match="has layout 3; minires .* reads layouts 1"
    ):
        loop.restore(run, complain=pytest.fail)


def test_a_state_comes_back_as_it_was_split():
    arrays = {"0.velocity": numpy.ones(3), "t": 4}
    whole = {"a": {"optimizer": arrays, "scale": 2.0}, "b": {"rows": [{"x": None}]}, "c": {}}
    again = state.unpack(*state.pack(whole))
    assert again["a"]["optimizer"].pop("0.velocity") is arrays.pop("0.velocity")
    assert again == whole


@pytest.mark.skipif(not OLD, reason="MINIRES_OLD names no folder with an earlier minires")
@pytest.mark.parametrize("name", layout_1.RUNS)
def test_a_run_of_layout_1_ends_as_if_it_had_not_been_stopped(name, tmp_path):
    layout_1.make(OLD, tmp_path, name)
    assert layout_1.ran(ROOT, tmp_path, "train", "--resume", name) == 0
    ours, theirs = (Run(tmp_path / "runs" / folder) for folder in (name, f"{name}-whole"))
    half = ours.config["precision"] == "float16"
    weights = [
        checkpoint.load_weights(each.folder / "weights.safetensors")[0] for each in (ours, theirs)
    ]
    for key, value in weights[1].items():
        assert_allclose(weights[0][key], value, rtol=0, atol=5e-3 if half else 1e-5, err_msg=key)
    losses = [[row["train_loss"] for row in each.log()] for each in (ours, theirs)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3 if half else 1e-5)
