"""The command line, as typed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from minires import backend, cli
from minires.backend import machine

ROOT = Path(__file__).parents[1]


def typed(*words):
    """Run a command in this process; the exit status."""
    try:
        cli.main(list(words))
    except SystemExit as stop:
        return stop.code
    finally:
        backend.use("numpy")
    return 0


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


QUICK = ("train", "--epochs", "2", "--batch-size", "128")


def test_train_prints_a_line_an_epoch_and_ends_with_the_test_accuracy(elsewhere, capsys):
    assert typed(*QUICK) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"resnet20, 269,434 parameters, on 1,257 images of handwritten digits; backend numpy", lines[0])
    epoch = r"epoch  {}   train: loss \d\.\d{{3}}, accuracy \d+\.\d\d %   validation: loss \d+\.\d{{3}}, accuracy \d+\.\d\d %"
    assert re.fullmatch(epoch.format(1), lines[1]) and re.fullmatch(epoch.format(2), lines[2])
    assert re.fullmatch(r"trained in \d+ s, [\d,]+ images/s; curves in runs/digits/curves.png", lines[3].replace("\\", "/"))
    assert re.fullmatch(r"test accuracy \d+\.\d\d %", lines[4]) and len(lines) == 5
    assert (elsewhere / "runs" / "digits" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_seed_prints_the_same_and_another_does_not(capsys):
    def results(seed):
        typed(*QUICK, "--seed", seed, "--name", f"seed{seed}")
        return [line for line in capsys.readouterr().out.splitlines() if not line.startswith("trained")]

    first, again, other = results("3"), results("3"), results("4")
    assert first == again and first != other


def test_train_runs_on_another_backend_and_with_another_model(capsys):
    assert typed(*QUICK[:1], "--epochs", "1", "--backend", "strict", "--model", "resnet20", "--lr", "0.01") == 0
    assert "backend strict" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "resnet19"], "minires train: unknown model 'resnet19': there are .*did you mean 'resnet1"),
        (["--backend", "nunpy"], "minires train: unknown backend 'nunpy': .*did you mean 'numpy'"),
        (["--epochs", "0"], "minires train: --epochs is 0, wanted at least 1"),
        (["--batch-size", "0"], "minires train: batch_size is 0, wanted an int of at least 1"),
        (["--lr", "-1"], "minires train: lr is -1.0, wanted more than 0"),
        (["--lr", "1e30", "--epochs", "2"], "minires train: the loss is (nan|inf) at step"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_the_user_can_mend_is_one_line_and_status_2(capsys, words, message):
    assert typed("train", *words) == 2
    error = capsys.readouterr().err
    assert re.match(message, error) and error.count("\n") == 1


def test_a_folder_that_cannot_be_made_is_named_before_the_training(elsewhere, capsys):
    (elsewhere / "runs").write_text("a file in the way")
    assert typed("train") == 2
    streams = capsys.readouterr()
    assert "runs" in streams.err and "epoch" not in streams.out


def test_no_command_and_unknown_ones_show_the_usage(capsys):
    assert typed() == 2 and "usage: minires" in capsys.readouterr().err
    assert typed("trian") == 2 and "invalid choice: 'trian'" in capsys.readouterr().err
    assert typed("--version") == 0 and capsys.readouterr().out.startswith("minires 0.")


def test_info_names_backend_processor_and_kernel(capsys):
    assert typed("info") == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["backend"].startswith("numpy") and "cores" in lines["processor"]
    blas = machine.blas()
    assert blas is None or str(blas["kernel"]) in lines["BLAS"]
    assert lines["GPU"]


def test_info_warns_of_a_pinned_kernel(capsys, monkeypatch):
    monkeypatch.setattr(machine, "blas", lambda: {"name": "openblas", "version": "0.3", "kernel": "Haswell", "threads": 2})
    monkeypatch.setattr(machine, "features", lambda: {"AVX2", "AVX512_SKX"})
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    typed("info")
    assert "warning     the kernel does not use this processor's AVX512_SKX" in (told := capsys.readouterr().out)
    assert "OPENBLAS_CORETYPE=Haswell pins it: unset it" in told
    monkeypatch.setattr(machine, "features", lambda: {"AVX2"})
    typed("info")
    assert "warning" not in capsys.readouterr().out


@pytest.mark.parametrize("command", ["train", "info"])
def test_a_wrong_minires_backend_is_a_line_and_no_traceback(elsewhere, command):
    environment = {"PYTHONPATH": str(ROOT), "MINIRES_BACKEND": "cuda"}
    result = subprocess.run([sys.executable, "-m", "minires", command], capture_output=True, text=True, env=environment)
    assert "MINIRES_BACKEND=cuda: unknown backend 'cuda'" in result.stdout + result.stderr
    assert "Traceback" not in result.stderr and result.returncode == (2 if command == "train" else 0)


def test_python_m_minires_is_the_command(elsewhere):
    result = subprocess.run([sys.executable, "-m", "minires", "info"], capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)})
    assert result.returncode == 0 and result.stdout.startswith("minires")
