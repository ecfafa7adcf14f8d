"""Each example runs, does what it says, and uses public names alone."""

import ast
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy
import pytest

from minires.checkpoint import load_weights

ROOT = Path(__file__).parents[1]
EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples").iterdir()) if path.is_file()}
OTHERS = {"argparse", "numpy", "time"}  # besides minires


@pytest.fixture
def run(tmp_path):
    """Run an example as the reader does, in an empty folder, and return what it prints."""

    def run(name, *words):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "MINIRES_BACKEND": "numpy"}
        command = [sys.executable, str(EXAMPLES[name]), *map(str, words)]
        result = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
        assert result.returncode == 0 and not result.stderr, result.stderr
        return result.stdout

    return run


def percentages(what, out):
    return [float(found) for found in re.findall(rf"{what}:? ([\d.]+) %", out)]


def test_there_are_five_examples_of_one_short_file_each():
    assert list(EXAMPLES) == ["cifar10", "digits", "own_block", "own_op", "xor"]
    lengths = {
        name: path.read_text(encoding="utf-8").count("\n") for name, path in EXAMPLES.items()
    }
    assert lengths["xor"] <= 25 and lengths["digits"] <= 45 and max(lengths.values()) <= 60


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_uses_public_names_alone(name):
    tree = ast.parse(EXAMPLES[name].read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert all(alias.name in OTHERS for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module.split(".")[0] == "minires"
            module = import_module(node.module)
            for alias in node.names:
                assert not f"{node.module}.{alias.name}.".startswith("minires.cli.")
                assert alias.name in getattr(module, "__all__", dir(module))
                assert not alias.name.startswith("_")
        elif isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_")


def test_xor_is_learned(run):
    out = run("xor")
    assert out.endswith("0 xor 0 = 0\n0 xor 1 = 1\n1 xor 0 = 1\n1 xor 1 = 0\n")
    losses = [float(found) for found in re.findall(r"loss ([\d.]+)", out)]
    assert losses[-1] < 0.01


def test_five_epochs_read_95_percent_of_the_test_digits(run):
    out = run("digits", "--epochs", 5)
    assert len(percentages("validation", out)) == 5
    assert percentages("test accuracy", out)[0] > 95


def test_the_op_passes_the_gradient_check_and_the_wrong_one_does_not(run):
    out = run("own_op")
    assert "swish passes the gradient check\nhalf_a_product_rule: the gradient of x is wrong" in out
    x = numpy.random.default_rng(0).standard_normal((2, 3))
    s = 1 / (1 + numpy.exp(-x))
    by_hand = 2 * x * s * (s + x * s * (1 - s))  # the gradient of the sum of the squares
    numbers = re.findall(r"-?\d+\.\d+", out.partition("with respect to x:")[2])
    numpy.testing.assert_allclose(numpy.array(numbers, float).reshape(2, 3), by_hand, rtol=1e-6)
    assert f"loss {((x * s) ** 2).sum():.4f}" in out


def test_a_network_of_new_blocks_learns(run):
    out = run("own_block", "--epochs", 3)
    assert out.count("SqueezeExciteBlock") == 3
    training = [float(found) for found in re.findall(r"training: .* accuracy ([\d.]+) %", out)]
    assert len(training) == 3 and training[2] > 60 > training[0]


def test_cifar10_reads_any_folder_and_writes_weights_that_load(run, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    rng = numpy.random.default_rng(0)
    for name in [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]:
        labels = numpy.arange(20) % 10
        # a brightness per class.
        planes = 25 * labels[:, None] + rng.integers(0, 25, (20, 3 * 32 * 32))
        numpy.column_stack([labels, planes]).astype(numpy.uint8).tofile(folder / name)
    out = run("cifar10", folder, "--epochs", 2, "--batch", 50, "--out", "w.safetensors")
    assert "step 4 of 4: loss " in out
    assert re.search(r"test accuracy: [\d.]+ % \(\d+ of 20 images\)", out)
    state, facts = load_weights(tmp_path / "w.safetensors")
    assert facts["model"] == "resnet20" and len(facts["classes"]) == 10
    assert state["fc.weight"].shape == (64, 10)
