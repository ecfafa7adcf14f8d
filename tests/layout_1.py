"""python -m tests.layout_1 CHECKOUT: write tests/layout_1, runs whose checkpoints have layout 1.

CHECKOUT is a folder with a minires that writes this layout (commit 17bb0f9). It makes each run
twice: once to its end, of which the weights and the log are kept; and once until a stop in the
middle of the second epoch, of which everything is kept that resuming needs. tests/test_layout_1.py
resumes these.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).with_suffix("")
STEPS, STOP = 40, 27  # in two epochs; of which this is the last one before the stop
WORDS = ["train", "--model", "tiny", "--epochs", "2", "--seed", "5", "--save-every", "1000"]
RUNS = {
    "sgd": ["--lr-times", "layer1=0.1", "fc=3", "--watch", "7"],
    "adamw": ["--optimizer", "adamw", "--schedule", "step", "--lr", "0.003", "--bias-lr", "2"],
    "averaged": ["--average", "5", "--freeze", "conv1,bn1", "--label-smoothing", "0.1"],
    "float16": ["--precision", "float16", "--no-nesterov"],
    "both": ["--precision", "float16", "--average", "3", "--drop-last"],
}

# A command of minires with a model of 430 parameters, which is asked to stop in a step.
PROGRAM = """
import os, signal, sys
from minires import cli, models, nn, train
models.MODELS["tiny"] = lambda **options: models.ResNet(models.BasicBlock, (1,), (4,), **options)
at, steps, cross_entropy = int(sys.argv[1]), 0, train.cross_entropy
def counted(logits, labels, **options):
    global steps
    steps += "label_smoothing" in options
    if "label_smoothing" in options and steps == at:
        os.kill(os.getpid(), signal.SIGTERM)
    return cross_entropy(logits, labels, **options)
train.cross_entropy = counted
cli.main(sys.argv[2:])
"""


def ran(library, folder, *words, stop=0):
    """The exit status of a command of the minires in `library`, in a folder. stop  in this step"""
    environment = {**os.environ, "PYTHONPATH": str(library), "MINIRES_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, str(stop), *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode in (0, 143), done.stderr
    return done.returncode


def make(library, folder, name):
    """Make runs/NAME-whole and runs/NAME in a folder, with the minires in `library`."""
    assert ran(library, folder, *WORDS, *RUNS[name], "--name", f"{name}-whole") == 0
    assert ran(library, folder, *WORDS, *RUNS[name], "--name", name, stop=STOP) == 143


def main(library):
    """Write tests/layout_1."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    work = FOLDER / "work"
    work.mkdir(parents=True)
    for name in RUNS:
        make(Path(library).resolve(), work, name)
        stopped, whole = work / "runs" / name, work / "runs" / f"{name}-whole"
        shutil.rmtree(sorted(stopped.glob("checkpoints/step-*"))[0])
        shutil.move(stopped, FOLDER / name)
        for file in (".lock", "layers.png"):
            (FOLDER / name / file).unlink(missing_ok=True)
        (FOLDER / name / "whole").mkdir()
        for file in ("weights.safetensors", "log.csv"):
            shutil.move(whole / file, FOLDER / name / "whole" / file)
    shutil.rmtree(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
