"""Each test that asks for it runs on every backend that works here; the header says which, and why not the others."""

import importlib.util
import os
import signal
from functools import partial

import hypothesis
import pytest

from minires import backend, ops
from minires.backend import card
from tests import compilers, tiers

# A test may be skipped where a package is not installed, but not where it should be.
for name in os.environ.get("MINIRES_REQUIRE", "").split():
    importlib.import_module(name)

PROFILE = os.environ.get("MINIRES_TEST_PROFILE", "suite")
for name, examples in tiers.EXAMPLES.items():
    repeatable = {} if name == "thorough" else {"derandomize": True, "database": None}
    hypothesis.settings.register_profile(name, deadline=None, max_examples=examples, **repeatable)
hypothesis.settings.load_profile(PROFILE)


def _backends():
    """(names, a line about them). MINIRES_TEST_BACKENDS="numpy" narrows them."""
    names = os.environ.get("MINIRES_TEST_BACKENDS", "numpy strict cupy").split()
    if "shim" in names:  # CUDA kernels run on the processor; see tests/shim.py
        from tests import shim

        if shim.COMPILER is None:
            return [name for name in names if name != "shim"], "not shim: there is no g++"
        backend.LOADERS["shim"] = partial(shim.library, hidden=True)
    if "cupy" not in names:
        return names, f"backends: {' '.join(names)}"
    try:
        card.load()
    except card.Unusable as why:
        names.remove("cupy")
        return names, f"backends: {' '.join(names)}; not cupy: {why}"
    return names, f"backends: {' '.join(names)}"


BACKENDS, LINE = _backends()

# A terminal or continuous integration may have set these, and the programs that tests start would follow them.
for name in ("FORCE_COLOR", "NO_COLOR", "PY_COLORS", "COLUMNS", "LINES", "PYTEST_ADDOPTS"):
    os.environ.pop(name, None)

# A shell that starts the suite in the background lets it ignore SIGINT, and tests interrupt themselves and their programs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# nohup does the same with SIGHUP.
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_report_header():
    return [LINE, f"CUDA kernels: compiled by {compilers.name()}"]


# What minires needs besides NumPy, by the names under which it is imported.
NEEDED = ("PIL", "filelock", "matplotlib", "safetensors", "threadpoolctl", "tqdm")


def skipped(report, error, path):
    """Turn a failure into a skip if its error is that one of these packages is not installed: NumPy alone is enough for the ops."""
    name = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0]
    if name in NEEDED and importlib.util.find_spec(name) is None:
        report.outcome = "skipped"
        report.longrepr = str(path), 0, f"Skipped: {name} is not installed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    error = report.call.excinfo and report.call.excinfo.value.__cause__
    return skipped(report, error, collector.path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    return skipped(report, call.excinfo and call.excinfo.value, item.path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Put each test into its tier before -m chooses among them."""
    for item in items:
        if tier := tiers.of(item.path.name, item.originalname):
            item.add_marker(tier)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Let a property draw as many examples as its profile and its backend ask for."""
    library = getattr(item, "callspec", None) and item.callspec.params.get("each_backend")
    with tiers.fewer_examples(item.obj, PROFILE, library):
        return (yield)


@pytest.fixture(scope="session")
def fonts():
    """Build matplotlib's font cache, so that no program that a test starts says on stderr that it does."""
    import matplotlib.font_manager  # noqa: F401  (where HOME is not writable, it sets MPLCONFIGDIR)


@pytest.fixture(params=BACKENDS, scope="module")
def each_backend(request):
    """Run on every backend: pytestmark = pytest.mark.usefixtures("each_backend")."""
    with backend.using(request.param):
        yield request.param


@pytest.fixture(params=["default", "plain"], scope="module")
def each_form(request):
    """Run with the faster forms in place, then with the plain ones alone."""
    with ops.plain() if request.param == "plain" else ops.without():
        yield request.param
