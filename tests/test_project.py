"""The files around the library keep their promises: requirements, README, sizes."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from minires import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REQUIREMENTS = [
    line
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def test_requirements_are_those_of_the_project_and_cupy():
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = PROJECT["project"]["dependencies"] + extras["test"] + extras["lab"]
    assert [line for line in REQUIREMENTS if not line.startswith("cupy")] == wanted


def test_cupy_is_asked_for_where_there_are_wheels_only():
    markers = pytest.importorskip("packaging.markers")
    lines = [line.split(";", 1) for line in REQUIREMENTS if line.startswith("cupy")]
    assert all(requirement == "cupy-cuda12x>=14.2" for requirement, _ in lines)

    def wanted(**environment):
        return sum(markers.Marker(marker).evaluate(environment) for _, marker in lines)

    for platform, machine, python, count in [
        ("linux", "x86_64", "3.11", 1), ("linux", "aarch64", "3.14", 1), ("win32", "AMD64", "3.12", 1),
        ("linux", "x86_64", "3.15", 0), ("linux", "i686", "3.12", 0), ("win32", "ARM64", "3.12", 0), ("darwin", "arm64", "3.12", 0),
    ]:  # fmt: skip
        assert (
            wanted(sys_platform=platform, platform_machine=machine, python_version=python) == count
        )


def test_the_version_is_in_one_place_and_the_changelog_has_it():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "minires.__version__"}
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_what_is_installed_is_complete():
    """Each folder with Python in it is a package that setuptools finds, and each other file is named as data."""
    sources = {path.parent for path in (ROOT / "minires").rglob("*.py")}
    assert all((folder / "__init__.py").is_file() for folder in sources)
    assert PROJECT["tool"]["setuptools"]["packages"]["find"] == {
        "include": ["minires*"],
        "namespaces": False,
    }
    data = set()
    for package, patterns in PROJECT["tool"]["setuptools"]["package-data"].items():
        for pattern in patterns:
            found = set(ROOT.joinpath(*package.split(".")).glob(pattern))
            assert found, f"{package}: no file is {pattern}"
            data |= found
    files = {
        path
        for path in tracked()
        if path.is_relative_to(ROOT / "minires") and path.suffix != ".py" and path.exists()
    }
    assert files <= data, sorted(map(str, files - data))


def tracked():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.split("\0") if name]


def test_no_large_file_is_in_the_repository():
    nets = ROOT / "minires" / "course" / "nets"  # the weights of a ResNet-20
    assert not [
        path
        for path in tracked()
        if path.exists()
        and path.stat().st_size > (1_200_000 if path.is_relative_to(nets) else 2**20)
    ]
    assert not [
        path for path in tracked() if path.suffix == ".ipynb" and path.stat().st_size > 300_000
    ]


DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def anchors(document):
    """The anchors of a document's headings: lower case, no punctuation, hyphens between words."""
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_and_heading_that_a_document_links_to_exists(document):
    text = document.read_text(encoding="utf-8")
    for file, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", text):
        if "://" not in file:
            there = document.parent / file if file else document
            assert there.exists(), file
            assert not anchor or anchor in anchors(there), f"{file}#{anchor}"


def test_lint_and_types_are_pinned_for_make_check_and_run_before_a_commit_too():
    pins = PROJECT["project"]["optional-dependencies"]["check"]
    assert {pin.partition("==")[0] for pin in pins if re.fullmatch(r"\w+==[\d.]+", pin)} == {
        "ruff",
        "mypy",
    }
    recipe = re.findall(
        r"^\t\$\(BIN\)/((?:ruff|mypy).*)",
        (ROOT / "Makefile").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    hooks = re.findall(
        r"entry: (.*)", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    )
    assert (
        [hook.removesuffix(" --force-exclude") for hook in hooks]
        == [line.removesuffix(" .") for line in recipe]
        != []
    )


def test_the_tiers_have_one_name_and_one_time_wherever_they_are_told():
    readme, contributing, makefile = (
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("README.md", "CONTRIBUTING.md", "Makefile")
    )
    rows = re.findall(
        r"^\| (\w+) \| `(make [^`]+)` \|.*\| (\d+) min \|$", contributing, flags=re.MULTILINE
    )
    assert [(tier, command) for tier, command, _ in rows] == [
        ("quick", "make test"), ("suite", "make test ALL=1"), ("proof", "make proof"),
    ]  # fmt: skip
    for tier, command, minutes in rows:
        assert f"`{command}`" in readme and f"{tier} ({minutes} min)" in readme
        assert re.search(
            rf"# (.*\. )?{command} runs the {tier}\b[^.]* \({minutes} minutes\)", makefile
        )


def test_make_lab_and_the_readme_open_a_chapter_that_exists():
    for name in ("Makefile", "README.md"):
        (opened,) = re.findall(
            r"LabApp.default_url=/lab/tree/(\S+)", (ROOT / name).read_text(encoding="utf-8")
        )
        assert (ROOT / opened).is_file()


def test_the_readme_shows_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make train" in text and "make test" in text and "make lab" in text
    targets = re.findall(
        r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert {"train", "test", "lab", "check", "mutants"} <= set(targets)


def test_the_readmes_python_runs(tmp_path):
    """Each block of Python in the README, one after the other, in a folder of its own."""
    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert blocks
    program = "\n".join(blocks)
    pytest.importorskip("threadpoolctl")  # for a whole network on several cores
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr


ALONE = """
import os, re, sys
from importlib import metadata

import pytest

def needed(names):
    for name in names:
        found = list(metadata.distributions(name=name))
        if found and name not in allowed:
            allowed.add(name)
            needed(re.match(r"[\\w.-]+", line)[0] for line in found[0].requires or [] if "extra ==" not in line)

allowed = {"minires"}
needed(["numpy", "pytest", "hypothesis", "cupy-cuda12x", "cupy-cuda13x"])
if any(name.startswith("cupy") for name in allowed):
    allowed.add("ml_dtypes")  # CuPy looks for it in sys.modules, and would find the None of below
allowed = {re.sub("[-_.]+", "-", name).lower() for name in allowed}
for module, names in metadata.packages_distributions().items():
    if not allowed & {re.sub("[-_.]+", "-", name).lower() for name in names}:
        sys.modules.setdefault(module, None)  # an import of it is a ModuleNotFoundError
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
sys.exit(pytest.main(["tests", "--collect-only", "-q", "-p", "no:cacheprovider"]))
"""


@pytest.mark.slow
def test_the_suite_is_collected_with_numpy_pytest_and_hypothesis_alone():
    """And with CuPy, where it is installed. What needs another package is skipped, and says so; what does not is there."""
    environment = {**os.environ}
    environment.pop("MINIRES_REQUIRE", None)  # with it, the absence of a package is a failure
    result = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr
    for why in ("could not import 'torch'", "matplotlib is not installed", "PIL is not installed"):
        assert why in result.stdout
    for name in ("test_mixed.py", "test_kernels.py", "test_gemm.py", "test_forms_equal.py"):
        assert f"tests/{name}::" in result.stdout


def test_importing_minires_is_quick():
    """Above NumPy's own import: no matplotlib, no CuPy, no data."""
    program = "import sys, minires; sys.exit(any(name in sys.modules for name in ('matplotlib', 'cupy', 'tqdm', 'torch')))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", program], env=environment).returncode == 0
