"""Any text in any terminal: names that its encoding lacks are escaped, and no command ends by them. And files are UTF-8."""

import ast
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from PIL import Image

from minires import backend, cli, streams
from minires.show.picture import Picture

ROOT = Path(__file__).parents[1]
NAME = "größe 日本 ✓"


class Terminal(io.TextIOWrapper):
    """A stream of an encoding, and what was written to it."""

    def __init__(self, encoding, errors="strict", tty=False):
        super().__init__(io.BytesIO(), encoding=encoding, errors=errors, newline="\n")
        self._tty = tty

    def isatty(self):
        return self._tty

    def text(self):
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


STREAMS = {
    "ascii": lambda: Terminal("ascii"),
    "cp1252": lambda: Terminal("cp1252"),
    "a terminal of cp1252": lambda: Terminal("cp1252", tty=True),
    "utf-8": lambda: Terminal("utf-8"),
    "StringIO": io.StringIO,
    "none, as under pythonw": lambda: None,
}


def typed(*words):
    """Run a command in this process; the exit status."""
    with pytest.raises(SystemExit) as stop:
        cli.main(list(words))
    backend.use("numpy")
    return stop.value.code


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with two classes of images, and a run on it, both under names that cp1252 lacks."""
    folder = tmp_path_factory.mktemp("here")
    draw = numpy.random.default_rng(0)
    for name in ("日本", "✓"):
        (folder / NAME / name).mkdir(parents=True)
        for i in range(10):
            image = Image.fromarray(draw.integers(0, 256, (8, 8, 3), numpy.uint8))
            image.save(folder / NAME / name / f"{i}.png")
            image.save(folder / f"{NAME}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(
            sys, "stdout", Terminal("cp1252", tty=True)
        )  # a bar is drawn where both are terminals
        patch.setattr(sys, "stderr", Terminal("cp1252", tty=True))
        assert typed(*TRAIN, "--name", NAME) == 0
        assert "epoch  1" in sys.stdout.text() and "größe \\u65e5\\u672c" in sys.stdout.text()
        assert "8/16" in sys.stderr.text() or "16.0/16.0" in sys.stderr.text()
    return folder


TRAIN = (
    "train",
    "--validation",
    "0",
    "--data",
    f"folder:{NAME}",
    "--model",
    "resnet8",
    "--epochs",
    "1",
    "--batch-size",
    "8",
)
COMMANDS = {
    "train": (*TRAIN, "--name", "again"),
    "train a finished run": ("train", "--resume", NAME),
    "evaluate": ("evaluate", NAME),
    "predict": ("predict", f"{NAME}.png", "--run", NAME),
    "export": ("export", NAME, "--to", f"{NAME}.onnx"),
    "plot": ("plot", NAME, "--picture", f"{NAME}.png"),
}
REFUSED = {
    "summary": ("summary", NAME),
    "data": ("data", f"folder:{NAME} not there"),
    "predict": ("predict", "無.png", "--run", NAME),
    "exercises": ("exercises", "check", NAME),
    "usage": ("train", f"--{NAME}"),
}


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("stream", ["cp1252", "none, as under pythonw"])
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_no_command_ends_by_a_name_that_the_terminal_lacks(trained, monkeypatch, words, stream):
    if words[0] == "export":
        pytest.importorskip("onnx")
    monkeypatch.chdir(trained)
    monkeypatch.setattr(sys, "stdout", STREAMS[stream]())
    monkeypatch.setattr(sys, "stderr", STREAMS[stream]())
    if "again" in words:
        words = (*words[:-1], f"again, {stream}")
    assert typed(*words) == 0
    if stream == "cp1252":
        assert "\\u65e5\\u672c" in sys.stdout.text() and sys.stderr.text() == ""


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_an_error_is_told_on_any_stream(trained, monkeypatch, words, stream):
    monkeypatch.chdir(trained)
    monkeypatch.setattr(sys, "stdout", STREAMS[stream]())
    monkeypatch.setattr(sys, "stderr", STREAMS[stream]())
    assert typed(*words) == 2


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", r"gr\xf6\xdfe \u65e5\u672c \u2713"),
        ("cp1252", r"größe \u65e5\u672c \u2713"),
        ("utf-8", NAME),
    ],
)
def test_what_an_encoding_lacks_is_escaped_and_the_rest_stays(monkeypatch, encoding, shown):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, Terminal(encoding))
    streams.take_any_text()
    print(NAME, "\udcff")
    print(NAME, "\udcff", file=sys.stderr)
    # With line buffering nothing waits for a flush.
    written = [stream.buffer.getvalue().decode(encoding) for stream in (sys.stdout, sys.stderr)]
    assert written == [f"{shown} \\udcff\n"] * 2


@pytest.mark.skipif(os.name != "posix", reason="descriptors are closed by a shell")
def test_closed_streams_and_pipes_are_streams_too():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    command = f'"{sys.executable}" -m minires summary {NAME.split()[1]}'
    done = subprocess.run(f"{command} >&- 2>&-", shell=True, env=environment)
    assert done.returncode == 2
    piped = subprocess.run(
        f"{command} 2>&1 | cat", shell=True, env=environment, capture_output=True
    )
    assert b"unknown model '\\u65e5\\u672c'" in piped.stdout


def test_a_picture_draws_a_name_that_is_not_utf_8():
    picture = Picture()
    text = picture.text(0, 0, "c\udcff 1")
    assert picture.png().startswith(b"\x89PNG")
    assert text.get_text() == r"c\udcff 1"


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text there")
def test_a_run_on_names_that_are_not_utf_8_has_its_card(trained, monkeypatch, capsys):
    monkeypatch.chdir(trained)
    name = os.fsdecode(b"by\xfftes")
    assert typed(*TRAIN, "--name", name) == 0
    assert r"by\udcfftes" in (trained / "runs" / name / "card.md").read_text(encoding="utf-8")


def test_a_byte_order_mark_in_a_settings_file_is_read(trained, monkeypatch):
    """Windows' Notepad writes one."""
    monkeypatch.chdir(trained)
    path = trained / "runs" / NAME / "config.json"
    text = path.read_bytes()
    path.write_bytes(b"\xef\xbb\xbf" + text)
    assert typed("plot", NAME) == 0
    path.write_bytes(text)


OTHERS = {"Image", "os", "tarfile", "zipfile", "gzip", "opener"}  # whose open() reads no text


@pytest.mark.parametrize(
    "path", sorted((ROOT / "minires").rglob("*.py")), ids=lambda path: path.name
)
def test_every_text_file_is_read_and_written_as_utf_8(path):
    """Without an encoding, Windows would take its own."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call):
            options = {option.arg: ast.unparse(option.value) for option in call.keywords}
            assert not _reads_text(call, options) or "encoding" in options, (path, call.lineno)


def test_a_read_without_an_encoding_is_found():
    for text, found in {
        "open(path)": True,
        "open(path, 'w', newline='')": True,
        "path.open('r')": True,
        "path.read_text()": True,
        "subprocess.run(command, text=True)": True,
        "open(path, 'rb')": False,
        "path.open('rb')": False,
        "Image.open(path)": False,
        "path.read_bytes()": False,
        "subprocess.run(command)": False,
    }.items():
        call = ast.parse(text, mode="eval").body
        options = {option.arg: ast.unparse(option.value) for option in call.keywords}
        assert _reads_text(call, options) == found, text


def _reads_text(call, options):
    owner, _, name = ast.unparse(call.func).rpartition(".")
    modes = [ast.unparse(value) for value in call.args] + [options.get("mode", "")]
    if name == "open" and owner not in OTHERS and not owner.startswith("urllib"):
        return not any(mode in ("'rb'", "'wb'", "'ab'", "mode") for mode in modes)
    piped = name in ("run", "Popen", "check_output") and {"text", "universal_newlines"} & set(
        options
    )
    return name in ("read_text", "write_text") or bool(piped)
