"""The facts about a GPU, and the message for each way in which CuPy fails: the cause and what to type. The CuPys here are fakes."""

import subprocess
import sys

import numpy
import pytest

from minires import backend
from minires.backend import BackendError, card
from minires.cli import inspect


class CUDARuntimeError(RuntimeError):
    """As CuPy calls it."""


class OutOfMemoryError(MemoryError):
    """As CuPy calls it."""


def fake_cupy(
    monkeypatch,
    *,
    installed=(),
    cards=1,
    driver=12080,
    capability=(7, 5),
    fails=None,
    product=54.0,
    version="14.2.0",
    current=0,
):
    """A CuPy with this number of GPUs, and what pip has installed. fails: (where, error), where is "count" or "compute".

    Returns a list of the devices whose free memory is asked for.
    """
    where, error = fails or (None, None)
    asked = []

    class Runtime:
        @staticmethod
        def getDeviceCount():
            if where == "count":
                raise error
            return cards

        @staticmethod
        def getDeviceProperties(number):
            if where == "count":
                raise error
            return {
                "name": b"NVIDIA Fake",
                "major": capability[0],
                "minor": capability[1],
                "totalGlobalMem": 16 << 30,
            }

        @staticmethod
        def memGetInfo():
            asked.append(current)
            return 15 << 30, 16 << 30

        driverGetVersion = staticmethod(lambda: driver)
        runtimeGetVersion = staticmethod(lambda: 12090)
        getDevice = staticmethod(lambda: current)

    class Array:
        def __matmul__(self, other):
            if where == "compute":
                raise error
            return self

        def reshape(self, *shape):
            return self

        def __add__(self, other):
            return self

        def sum(self):
            return product

    module = type(sys)("cupy")
    module.__version__, module.float32 = version, numpy.float32
    module.cuda = type(sys)("cupy.cuda")
    module.cuda.runtime = Runtime  # without Device: to enter one would open a context there
    module.arange = lambda *args, **kwargs: Array()
    monkeypatch.setitem(sys.modules, "cupy", module)
    monkeypatch.setattr(card, "_installed", lambda: list(installed))
    return asked


@pytest.fixture
def said(monkeypatch):
    """Return the function said(**options of a fake CuPy): the message that rejects it. "auto" then chooses NumPy."""

    def sentence(**options):
        fake_cupy(monkeypatch, **options)
        with pytest.raises(BackendError) as refusal:
            backend.use("cupy")
        assert backend.name() == "numpy"
        with backend.using("auto"):
            assert backend.name() == "numpy"
        assert "\n" not in str(refusal.value)
        return str(refusal.value)

    return sentence


def test_cupy_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(card, "_installed", list)
    with pytest.raises(
        BackendError,
        match=r"cannot be imported .*with: pip install 'cupy-cuda12x\[ctk\]' \(an NVIDIA GPU",
    ):
        backend.use("cupy")


@pytest.mark.parametrize(
    "options",
    [
        {"cards": 0},
        {
            "fails": (
                "count",
                CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected"),
            )
        },
    ],
)
def test_a_driver_but_no_card(said, options):
    sentence = said(**options)
    assert (
        "no NVIDIA GPU: use backend.use('numpy')" in sentence and "CUDA_VISIBLE_DEVICES" in sentence
    )


TOO_OLD = CUDARuntimeError(
    "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version"
)


def test_no_driver(said):
    sentence = said(fails=("count", TOO_OLD), driver=0)
    assert (
        f"no working NVIDIA driver (CUDARuntimeError: {TOO_OLD}). Without an NVIDIA GPU, stay with NumPy: "
        in sentence
    )
    assert sentence.index("backend.use('numpy')") < sentence.index("install or update its driver")


def test_a_driver_too_old_for_this_cupy(said):
    sentence = said(fails=("count", TOO_OLD), driver=12080, installed=["cupy-cuda13x"])
    assert (
        "needs a newer CUDA than the 12.8 of this machine's NVIDIA driver. Update the driver, or install"
        in sentence
    )
    assert sentence.endswith(
        "with: pip uninstall -y cupy-cuda13x, then pip install 'cupy-cuda12x[ctk]'"
    )
    sentence = said(fails=("count", TOO_OLD), driver=11080, installed=["cupy-cuda12x"])
    assert sentence.endswith("than the 11.8 of this machine's NVIDIA driver. Update the driver")


MISSING = [  # as CuPy 13.6 and 14.2 say it
    RuntimeError(
        "CuPy failed to load libnvrtc.so.12: OSError: libnvrtc.so.12: cannot open shared object file: No such file"
    ),
    RuntimeError(
        'Failure finding "libnvrtc.so.13 or libnvrtc.so.12": No such file: libnvrtc.so.13 or libnvrtc.so.12\n'
    ),
    ImportError("libcublas.so.12: cannot open shared object file: No such file or directory"),
    ImportError(
        'Failure finding "libcublasLt.so.13 or libcublasLt.so.12": No such file: libcublasLt.so.13\n'
    ),
    RuntimeError(
        "Failed to find CUDA headers. Please install CUDA toolkit headers or specify CUDA_PATH"
    ),
    Exception(
        'carray.cuh(57): catastrophic error: cannot open source file "cuda_fp16.h"\n  #include <cuda_fp16.h>\n  ^\n'
    ),
]


@pytest.mark.parametrize("error", MISSING, ids=lambda error: str(error)[:30])
def test_parts_of_cuda_are_missing(said, error):
    sentence = said(fails=("compute", error), installed=["cupy-cuda12x"])
    assert (
        f"({type(error).__name__}: {str(error).splitlines()[0]}); parts of CUDA (NVRTC, cuBLAS, headers) are mis"
        in sentence
    )
    assert sentence.endswith("with: pip install -U 'cupy-cuda12x[ctk]'")


@pytest.mark.parametrize(
    ("installed", "driver", "capability", "cure"),
    [
        # 12x runs with a driver for 13.
        ("cupy-cuda12x", 13000, (9, 0), "pip install -U 'cupy-cuda12x[ctk]'"),
        ("cupy-cuda13x", 13000, (9, 0), "pip install -U 'cupy-cuda13x[ctk]'"),
        (
            "cupy-cuda13x",
            13000,
            (7, 0),
            "pip uninstall -y cupy-cuda13x, then pip install 'cupy-cuda12x[ctk]'",
        ),
        (
            "cupy-cuda11x",
            13000,
            (9, 0),
            "pip uninstall -y cupy-cuda11x, then pip install 'cupy-cuda13x[ctk]'",
        ),
        ("cupy", 12080, (9, 0), "pip uninstall -y cupy, then pip install 'cupy-cuda12x[ctk]'"),
    ],
)
def test_the_wheel_suits_driver_and_card(said, installed, driver, capability, cure):
    sentence = said(
        fails=("compute", MISSING[0]), installed=[installed], driver=driver, capability=capability
    )
    assert sentence.endswith(f"with: {cure}")


def test_a_full_card_is_no_missing_part(said):
    sentence = said(
        fails=("compute", OutOfMemoryError("Out of memory allocating 512 bytes")),
        installed=["cupy-cuda12x"],
    )
    assert (
        "OutOfMemoryError" in sentence
        and "nvidia-smi" in sentence
        and "parts of CUDA" not in sentence
    )
    assert sentence.endswith(
        "reinstall CuPy with: pip uninstall -y cupy-cuda12x, then pip install 'cupy-cuda12x[ctk]'"
    )


def test_wrong_results(said):
    sentence = said(product=53.0, installed=["cupy-cuda12x"])
    assert (
        "wrong results" in sentence
        and "pip uninstall -y cupy-cuda12x, then pip install 'cupy-cuda12x[ctk]'" in sentence
    )


TWO = ["cupy-cuda12x", "cupy-cuda13x"]


@pytest.mark.parametrize("options", [{"fails": ("compute", MISSING[0])}, {"product": 53.0}])
@pytest.mark.parametrize(("driver", "one"), [(13000, "13x"), (12080, "12x")])
def test_two_cupys_that_fail_are_both_named_and_uninstalled(said, options, driver, one):
    sentence = said(installed=TWO, driver=driver, **options)
    assert (
        "cupy-cuda12x and cupy-cuda13x are installed together" in sentence
        and "parts of CUDA" not in sentence
    )
    assert (
        "with: pip uninstall -y cupy-cuda12x cupy-cuda13x, then pip install 'cupy-cuda1" in sentence
    )
    assert "fails" not in options or sentence.endswith(f"'cupy-cuda{one}[ctk]'")


def test_two_cupys_that_compute_are_taken_with_a_warning_of_one_line(monkeypatch):
    fake_cupy(monkeypatch, installed=TWO)
    with pytest.warns(
        UserWarning,
        match=r"^CuPy 14.2.0 computes; cupy-cuda12x and .* other's files\. .*: pip uninstall -y .*'$",
    ):
        assert card.load().__version__ == "14.2.0"


@pytest.mark.parametrize("version", ["13.6.0", "14.0.1", "14.1.1", "14.2.0", "14.10.0", "15.0.0a1"])
def test_a_cupy_that_keeps_no_kernels_computes_with_a_warning(monkeypatch, recwarn, version):
    fake_cupy(monkeypatch, installed=["cupy-cuda12x"], version=version)
    assert card.load().__version__ == version
    old = version in ("13.6.0", "14.0.1", "14.1.1")
    assert [str(warning.message) for warning in recwarn] == old * [
        f"CuPy {version} may keep no compiled kernels on disk, so that each process compiles them again. "
        "CuPy 14.2 keeps them: pip install -U 'cupy-cuda12x[ctk]'"
    ]


def pretend(folder, *names, code=None):
    """Make a folder in which pip has installed these wheels, with a package cupy that contains this code."""
    for name in names:
        info = folder / f"{name.replace('-', '_')}-14.2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 14.2.0\n")
    if code is not None:
        (folder / "cupy").mkdir()
        (folder / "cupy" / "__init__.py").write_text(code)


BANNER = "'\\n' + '-' * 80 + '\\n\\n  CuPy may not function correctly because multiple CuPy packages are installed\\n'"
BROKEN = f"""
import warnings
warnings.warn({BANNER})
try:
    raise ImportError("libnvrtc.so.11.2: cannot open shared object file")
except ImportError as error:
    raise ImportError("====\\nFailed to import CuPy.\\n\\nOriginal error: ...\\n====") from error
"""
CANNOT = "CuPy cannot be imported"
INSTALL = "Install it with: pip uninstall -y {}, then pip install 'cupy-cuda12x[ctk]'"


@pytest.mark.parametrize(
    ("names", "code", "cause"),
    [
        (
            ["cupy-cuda11x"],
            BROKEN,
            f"{CANNOT} (ImportError: libnvrtc.so.11.2: cannot open shared object file). ",
        ),
        (
            TWO,
            BROKEN,
            "shared object file); cupy-cuda12x and cupy-cuda13x are installed together",
        ),
        # Of two, one was uninstalled.
        (["cupy-cuda13x"], None, f"{CANNOT} (ModuleNotFoundError: No module named 'cupy'). "),
        (
            ["cupy-cuda12x"],
            "",
            f"{CANNOT} (AttributeError: module 'cupy' has no attribute '__version__'). ",
        ),
    ],
)
def test_a_cupy_that_cannot_be_imported(tmp_path, monkeypatch, recwarn, names, code, cause):
    pretend(tmp_path, *names, code=code)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(card.Unusable) as refusal:
        card.load()
    sys.modules.pop("cupy", None)
    sentence = str(refusal.value)
    assert (
        cause in sentence and INSTALL.format(" ".join(names)) in sentence and "\n" not in sentence
    )
    assert not recwarn.list


def answers(monkeypatch, text):
    """Replace nvidia-smi by one that prints this text, or, without a text, by none."""

    def run(command, **options):
        assert command[0] == "nvidia-smi"
        if text is None:
            raise FileNotFoundError(command[0])
        return subprocess.CompletedProcess(command, 0, text, "")

    monkeypatch.setattr(card.subprocess, "run", run)


@pytest.mark.filterwarnings("ignore:CuPy 13.6.0 may keep no")
@pytest.mark.parametrize(
    ("capability", "version", "ml_dtypes", "had"),
    [
        ((6, 1), "14.2.0", True, (False, False, False)),
        ((7, 5), "14.2.0", True, (False, True, False)),
        ((9, 0), "14.2.0", True, (True, True, True)),
        ((9, 0), "14.2.0", False, (True, True, False)),
        ((9, 0), "13.6.0", True, (True, True, False)),
    ],
)
def test_facts_of_a_card(monkeypatch, capability, version, ml_dtypes, had):
    fake_cupy(monkeypatch, driver=13000, capability=capability, version=version)
    monkeypatch.setattr(card, "find_spec", lambda name: object() if ml_dtypes else None)
    answers(monkeypatch, "580.95.05\n580.95.05\n")
    facts = card.facts()
    assert len(facts) == 1
    assert facts[0] == (
        "NVIDIA Fake",
        16 << 30,
        15 << 30,
        capability,
        "580.95.05",
        "13.0",
        "12.9",
        version,
        *had,
    )
    assert (facts[0].tf32, facts[0].float16, facts[0].bfloat16) == had


def test_the_free_memory_is_asked_of_the_current_gpu_alone(monkeypatch, capsys):
    """Asking another one opens a context there, which takes memory that its users may need."""
    asked = fake_cupy(monkeypatch, cards=3, current=1)
    first, second, third = card.facts()
    assert asked == [1]
    assert first == third == second._replace(free=None) and second.free == 15 << 30
    inspect.info(None)
    memory = [line for line in capsys.readouterr().out.splitlines() if line.startswith("memory")]
    assert memory == [
        "memory      16.0 GiB",
        "memory      16.0 GiB, 15.0 GiB of it free",
        "memory      16.0 GiB",
    ]


@pytest.mark.parametrize(
    ("capability", "driver", "lines"),
    [
        ((7, 5), None, {"driver": "of unknown version, for CUDA up to 13.0", "TF32": "no: it needs capability 8.0",
                        "bfloat16": "no: it needs capability 8.0, CuPy 14 and ml_dtypes"}),
        ((9, 0), "580.95", {"driver": "580.95, for CUDA up to 13.0", "TF32": "yes: minires train --precision tf32, or MINIRES_TF32=1",
                            "bfloat16": "yes: minires train --precision bfloat16"}),
    ],
)  # fmt: skip
def test_info_shows_the_facts(monkeypatch, capsys, capability, driver, lines):
    fake_cupy(monkeypatch, driver=13000, capability=capability)
    monkeypatch.setattr(card, "find_spec", lambda name: object())
    monkeypatch.setattr(card, "_driver", lambda: driver)
    inspect.info(None)
    told = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    lines |= {"GPU": "NVIDIA Fake", "memory": "16.0 GiB, 15.0 GiB of it free", "CuPy": "14.2.0",
              "CUDA": "12.9, CuPy's own runtime", "capability": ".".join(map(str, capability)),
              "float16": "yes: minires train --precision float16"}  # fmt: skip
    assert {name: told[name] for name in lines} == lines


@pytest.mark.parametrize("version", ["13.6.0", "14.2.0"])
def test_info_warns_of_a_cupy_that_keeps_no_kernels(monkeypatch, capsys, recwarn, version):
    fake_cupy(monkeypatch, version=version)
    inspect.info(None)
    told = capsys.readouterr()
    said = [line for line in told.out.splitlines() if line.startswith("warning     CuPy")]
    assert len(said) == (version == "13.6.0") and not told.err and not recwarn.list


def test_info_says_why_there_is_none(monkeypatch, capsys):
    fake_cupy(monkeypatch, cards=0)
    inspect.info(None)
    assert "\nGPU         none: CuPy 14.2.0 finds no NVIDIA GPU" in capsys.readouterr().out


def test_the_drivers_version_where_nvidia_smi_is_not_there(monkeypatch):
    answers(monkeypatch, None)
    assert card._driver() is None
    answers(monkeypatch, "")
    assert card._driver() is None
