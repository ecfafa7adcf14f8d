"""The commands in README.md, docs and CONTRIBUTING.md exist, with their options; those in blocks run or say why they don't."""

import contextlib
import io
import os
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from minires.cli import _parser
from tests import commands, documents
from tests.documents import ROOT, Command, Mark

PAGES = [*documents.documents(), ROOT / "CONTRIBUTING.md"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in ("minires", "tests", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != Path(__file__)
)


def problem(text):
    """Return what is wrong with a command (it names something that does not exist), or None."""
    words = shlex.split(text)
    while words and (found := re.match(r"([A-Z_]+)=", words[0])):
        if found[1] not in SOURCES:
            return f"nothing reads the variable {found[1]}"
        words.pop(0)
    program, *words = words or [""]
    return CHECKS.get(program.removeprefix(".venv/bin/"), lambda _: "no rule for it")(words)


def of_minires(words):
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            _parser().parse_args(words)
        except SystemExit as stop:
            why = said.getvalue().splitlines()[-1] if stop.code else ""
            # A sentence may name a command without its arguments, and an extra may be missing here.
            known = ("are required", "expected one argument", "pip install shtab")
            return None if not why or any(words in why for words in known) else why


def of_make(words):
    targets = [word for word in words if "=" not in word]
    variables = [word.partition("=")[0] for word in words if "=" in word]
    for target in targets:
        if not re.search(rf"^{re.escape(target)}:", MAKEFILE, re.MULTILINE):
            return f"the Makefile has no target {target}"
    return next((f"it has no {name}" for name in variables if f"$({name}" not in MAKEFILE and f"$(if $({name}" not in MAKEFILE), None)  # fmt: skip


def of_python(words):
    if words[:1] != ["-m"]:
        file = ROOT / words[0]
        return _options(words[1:], file) if file.is_file() else f"there is no {words[0]}"
    if words[1] == "pytest":
        return of_pytest(words[2:])
    if words[1] == "pip":
        return of_pip(words[2:])
    file = ROOT.joinpath(*words[1].split("."))
    file = file / "__main__.py" if file.is_dir() else file.with_suffix(".py")
    return _options(words[2:], file) if file.is_file() else f"there is no module {words[1]}"


def _options(words, file):
    """The options appear in the source of the file, or of what parses the command lines of benchmarks."""
    source = file.read_text(encoding="utf-8")
    source += (ROOT / "benchmarks" / "command.py").read_text(encoding="utf-8") * (
        "command" in source
    )
    source += (ROOT / "minires" / "cli" / "options.py").read_text(encoding="utf-8") * (
        "options" in source
    )
    for word in words:
        name = word.removeprefix("--")
        if word != name and word not in source and name.replace("-", "_") not in source:
            return f"{file.name} has no option {word}"
    return None


def of_pytest(words):
    paths = [word for word in words if word.startswith(("tests", "exercises"))]
    return next((f"there is no {path}" for path in paths if not (ROOT / path).exists()), None)


def of_pip(words):
    known = PROJECT["dependencies"] + sum(PROJECT["optional-dependencies"].values(), ["torch"])
    known += (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    for word in words[1:]:
        name = re.match(r"[\w-]*", word)[0].replace("cuda13x", "cuda12x")
        extra = re.search(r"\[(\w+)\]", word)
        if word.startswith(".") and extra and extra[1] not in PROJECT["optional-dependencies"]:
            return f"the project has no extra {extra[1]}"
        if word.startswith(("-", ".")) or "requirements" in word or name.startswith("nvidia"):
            continue
        if name not in {re.match(r"[\w-]*", each)[0] for each in known}:
            return f"{name} is not among the requirements"
    return None


def of_mpiexec(words):
    """The launcher's options end where the program begins."""
    start = next((i for i, word in enumerate(words) if word in CHECKS), len(words))
    return problem(shlex.join(words[start:]))


CHECKS = {
    "mpiexec": of_mpiexec,
    "minires": of_minires,
    "make": of_make,
    "python": of_python,
    "pytest": of_pytest,
    "pip": of_pip,
    "git": lambda words: None,
    "cd": lambda words: None,
}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_each_command_of_a_page_exists_with_its_options(page):
    found = [command for command in documents.commands(page) if command.language == "sh"]
    wrong = {}
    for command in found:
        if command.is_a("not run") and "Windows" in command.mark.reason:
            continue
        text = command.text + (f" {command.mark.value}" if command.is_a("run with") else "")
        wrong[command.place] = problem(text)
    wrong |= {text: problem(text) for text in documents.named(page)}
    assert not {place: why for place, why in wrong.items() if why}


@pytest.mark.parametrize("page", documents.documents(), ids=lambda path: path.name)
def test_a_command_that_needs_a_gpu_or_a_download_is_not_run_and_says_why(page):
    """Every command that the script runs has to work on any machine."""
    for command in documents.commands(page):
        needs = re.search(r"cupy|tv_in1k|minires.data.jpeg|data cifar10\b", command.text)
        if needs and command.language != "python":
            assert command.mark and command.mark.kind in ("not run", "run with"), command.place


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_block_says_its_language_where_it_holds_commands(page):
    for language, body in documents.FENCE.findall(page.read_text(encoding="utf-8")):
        if language not in ("sh", "console"):
            assert not re.search(r"^(\$ )?(minires|make|pip|pytest|python -m) ", body, re.MULTILINE)


def test_the_script_is_a_target_and_continuous_integration_runs_it():
    assert "$(BIN)/python -m tests.commands" in MAKEFILE
    assert "make readme" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("minires train --epochz 3", "unrecognized arguments: --epochz"),
        ("minires trian", "invalid choice: 'trian'"),
        ("make trian", "no target trian"),
        ("python -m benchmarks.gpus", "no module benchmarks.gpus"),
        ("python -m benchmarks.gpu --smoky", "no option --smoky"),
        ("python examples/xnor.py", "no examples/xnor.py"),
        ("MINIRES_GPU=1 minires train", "nothing reads the variable MINIRES_GPU"),
        ("pytest tests/test_nothing.py", "no tests/test_nothing.py"),
        ("pip install -e '.[tset]'", "no extra tset"),
        ("mpiexec -n 2 minires train --shardz 2", "unrecognized arguments: --shardz"),
        ("minirez train", "no rule for it"),
    ],
)
def test_a_command_that_does_not_exist_is_found(text, said):
    assert said in problem(text)


PAGE = """
<!-- not run (a server): make lab -->
<!-- run with --epochs 1
(hours otherwise): minires train -->
```sh
make lab   # a comment
minires train --recipe \\
    resnet18-fast
minires info
```

```console
$ make test
...
7,796 passed in 3.08 s
```

```python
x = 1
```

<!-- not run (a fragment) -->
```python
...
```

```python
y = x
```
"""


def test_a_page_is_read():
    lab, train, info, test, program, fragment = documents.commands(ROOT / "README.md", PAGE)
    assert lab.text == "make lab" and lab.mark == Mark("not run", None, "a server", "make lab")
    assert train.text == "minires train --recipe     resnet18-fast" and train.line == 8
    assert train.mark == Mark("run with", "--epochs 1", "hours otherwise", "minires train")
    assert info.text == "minires info" and info.mark is None and info.place == "README.md:9"
    assert test.output == ["...", "7,796 passed in 3.08 s"]
    assert program.text == "x = 1\n\ny = x\n" and fragment.is_a("not run")


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("not run: a server", "expected KIND VALUE"),
        ("run with --epochs 1", "expected KIND VALUE"),
        ("not run (a server): make lob", "a comment is about 'make lob', and no command begins so"),
    ],
)
def test_a_mark_that_says_nothing_is_an_error(mark, message):
    with pytest.raises(ValueError, match=message):
        documents.commands(ROOT / "README.md", f"<!-- {mark} -->\n```sh\nmake lab\n```\n")


@pytest.mark.parametrize(
    ("shown", "printed", "absent"),
    [
        (["epoch  1   loss 2.220"], "epoch 1 loss 0.1\n", None),
        (["a", "...", "b 98.87 %"], "x\na\ny\nb 7 %\r\n", None),
        (["trained in 27 s, 1,378 images/s; ..."], "\rtrained in 3.1 s, 2 images/s; curves\n", None),
        (["a", "b"], "b\na\n", "b"),
        (["loss 2.220"], "losses 2.220\n", "loss 2.220"),
        (["... passed, ..."], "1 failed, 3 passed, 2 skipped\n", None),
        (["... passed, ..."], "no tests ran\n", "... passed, ..."),
    ],
)  # fmt: skip
def test_an_output_is_as_shown_but_for_numbers(shown, printed, absent):
    said = commands.missing(shown, printed)
    assert said == (absent and f"it did not print {absent!r}")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder in place of a clone, whose environment is there."""
    (tmp_path / "minires" / ".venv").mkdir(parents=True)
    (tmp_path / "minires" / ".venv" / "test").touch()
    monkeypatch.setattr(commands, "SECONDS", 1)
    return tmp_path / "minires"


posix = pytest.mark.skipif(os.name != "posix", reason="make readme needs a POSIX shell")


@posix
@pytest.mark.parametrize(
    ("text", "mark", "said"),
    [
        ("echo 3 passed", None, None),
        ("false", None, "it exited with 1, expected 0"),
        ("exit 5", Mark("exits with", "5", "why"), None),
        ("test", Mark("run with", "1 = 1", "why"), None),
        ("echo http://here; sleep 60", Mark("stopped at", "http://here", "why"), None),
        ("echo http://there", Mark("stopped at", "http://here", "why"), "it never printed 'http://here'"),
        ("sleep 60", None, "it ran for more than 1 s"),
    ],
)  # fmt: skip
def test_a_command_runs_in_the_clone(text, mark, said, here):
    wrong, _ = commands.run(Command(ROOT / "README.md", 1, text, mark=mark), here)
    assert wrong == said


@posix
def test_what_is_left_out_is_listed(here, capsys):
    found = [
        Command(ROOT / "README.md", 1, "echo one"),
        Command(ROOT / "README.md", 2, "echo two"),
        Command(ROOT / "README.md", 3, "echo three", mark=Mark("not run", None, "a reason")),
        Command(ROOT / "README.md", 4, "false"),
    ]
    failed, marked = commands._run_all(found, here, ["echo two"])
    assert failed == [found[3]]
    assert [(command.line, how) for command, how in marked] == [
        (2, "not run: left out by --without"),
        (3, "not run: a reason"),
    ]
    out = capsys.readouterr().out
    assert "ok" in out and "README.md:1  echo one" in out and "FAILED" in out


def test_the_environment_is_the_readers_and_not_the_scripts(here, monkeypatch):
    others = {
        "MINIRES_BACKEND",
        "PYTHONPATH",
        "MAKEFLAGS",
        "MAKELEVEL",
        "VIRTUAL_ENV",
        "ARGS",
        "ALL",
    }
    for name in others:
        monkeypatch.setenv(name, "1")
    found = commands.environment(here)
    assert found["PATH"].startswith(str(here / ".venv" / "bin"))
    assert found["MINIRES_CACHE"].startswith(str(here.parent))
    assert not others & set(found)
    assert Path(found["JUPYTER_CONFIG_DIR"], "jupyter_server_config.json").is_file()
