"""Each test that asks for it runs on every backend that works here; the header says which, and why not the others."""

import os

import hypothesis
import pytest

from minires import backend, ops
from minires.backend import card
from tests import compilers

if os.environ.get("MINIRES_REQUIRE_TORCH"):
    import torch  # noqa: F401  (a parity test may be skipped where PyTorch is not installed, but not where it should be)

hypothesis.settings.register_profile(
    "suite", deadline=None, max_examples=25, derandomize=True, database=None
)
hypothesis.settings.register_profile(
    "quick", deadline=None, max_examples=8, derandomize=True, database=None
)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=500)
hypothesis.settings.load_profile(os.environ.get("MINIRES_TEST_PROFILE", "suite"))


def _backends():
    """(names, a line about them). MINIRES_TEST_BACKENDS="numpy" narrows them."""
    names = os.environ.get("MINIRES_TEST_BACKENDS", "numpy strict cupy").split()
    if "shim" in names:  # CUDA kernels run on the processor; see tests/shim.py
        from tests import shim

        if shim.COMPILER is None:
            return [name for name in names if name != "shim"], "not shim: there is no g++"
        backend.LOADERS["shim"] = shim.library
    if "cupy" not in names:
        return names, f"backends: {' '.join(names)}"
    try:
        card.load()
    except card.Unusable as why:
        names.remove("cupy")
        return names, f"backends: {' '.join(names)}; not cupy: {why}"
    return names, f"backends: {' '.join(names)}"


BACKENDS, LINE = _backends()


def pytest_report_header():
    return [LINE, f"CUDA kernels: compiled by {compilers.name()}"]


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
