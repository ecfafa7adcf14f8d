"""Each call into CuPy fits CuPy's own function, and each is known here: with CuPy installed, without a GPU.

A stand-in for CuPy checks what it is called with (tests/signatures.py). NumPy, the shim and its stand-in for cuBLAS answer, so that a
whole training step runs through minires/fast/cuda/device.py as it does on a GPU.
"""

import ast
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest

import minires
from minires import Tensor, backend, functional, models, optim
from minires.backend import card, library
from minires.fast.cuda import device
from tests import shim, signatures
from tests.halves import TYPES

cupy = pytest.importorskip("cupy")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that NCCL is not installed
    import cupy.cuda.nccl
needs_compiler = pytest.mark.skipif(
    shim.COMPILER is None, reason="there is no g++ to run kernels on the processor"
)
# Used through xp in fast/cuda/graph.py and facts.py, which tests/test_cuda_graph.py runs on an imitation (tests/recorder.py).
# Here, each is looked up in CuPy, and each call is bound to its signature: number and names of the arguments.
ELSEWHERE = ("cupy.cuda.Device", "cupy.cuda.Stream", "cupy.cuda.MemoryPool", "cupy.cuda.get_current_stream",
             "cupy.cuda.using_allocator", "cupy.get_default_memory_pool().free_all_blocks",
             "cupy.cuda.nccl", "cupy.cuda.runtime.deviceGetPCIBusId")  # fmt: skip  # by parallel.py: tests/test_nccl.py
RETURNED = {"cupy.cuda.get_current_stream": cupy.cuda.Stream.null, "cupy.get_default_memory_pool": cupy.cuda.MemoryPool,
            "cupy.cuda.Stream().end_capture": cupy.cuda.Graph}  # fmt: skip


class OnTheCard(np.ndarray):
    """A NumPy array with the pointer that CuPy's arrays have."""

    @property
    def data(self):
        return SimpleNamespace(ptr=self.ctypes.data)


def on_the_card(value, dtype=None):
    """An array as the stand-in makes them."""
    return np.array(value, dtype).view(OnTheCard)


class Answers(SimpleNamespace):
    """What answers for CuPy: the attributes given, and NumPy for the rest."""

    def __getattr__(self, name):
        answer = getattr(np, name)
        if isinstance(answer, type) or not callable(answer):
            return answer

        def run(*arguments, **options):
            made = answer(*arguments, **options)
            return made.view(OnTheCard) if isinstance(made, np.ndarray) else made

        return run


def kernel_named(source, name):
    """The function of a RawModule: the shim runs it."""

    def run(blocks, block, arguments):
        for argument in arguments:  # CuPy passes an int as 64 bits, and a float as a double
            assert isinstance(argument, (OnTheCard, np.generic)), (name, type(argument))
        assert len(block) == 1 and all(type(count) is int for count in (*blocks, *block))
        shim.launch_here(source, name, blocks, *block, arguments)

    return signatures.Held(cupy.RawKernel, call=run)


def module_of(code, options, name_expressions):
    assert all(type(option) is str for option in options)
    return signatures.Held(cupy.RawModule, get_function=lambda name: kernel_named(code, name))


def answers():
    """What answers: a machine with one GPU of 8 GiB."""
    memory = {"free_bytes": 1 << 20, "used_bytes": 1 << 20, "total_bytes": 2 << 20, "get_limit": 0}
    pool = {name: lambda number=number: number for name, number in memory.items()}
    properties = {"name": b"NVIDIA Card", "major": 9, "minor": 0, "totalGlobalMem": 8 << 30}
    runtime = SimpleNamespace(getDeviceCount=lambda: 1, getDevice=lambda: 0, memGetInfo=lambda: (7 << 30, 8 << 30),
                              driverGetVersion=lambda: 13000, runtimeGetVersion=lambda: 12090,
                              getDeviceProperties=lambda number: properties)  # fmt: skip
    cublas = SimpleNamespace(gemmEx=lambda handle, *rest: shim.gemm_ex(*rest),
                             gemmStridedBatchedEx=lambda handle, *rest: shim.gemm_strided_batched_ex(*rest))  # fmt: skip
    cuda = SimpleNamespace(runtime=runtime, cublas=cublas, get_cublas_handle=lambda: 1 << 40,
                           Device=lambda number=None: signatures.Held(cupy.cuda.Device))  # fmt: skip
    return Answers(__version__=cupy.__version__, cuda=cuda, ndarray=OnTheCard, asarray=on_the_card, asnumpy=np.array,
                   get_default_memory_pool=lambda: signatures.Held(cupy.cuda.MemoryPool, **pool), RawModule=module_of)  # fmt: skip


def forget():
    """Forget what the module keeps of CuPy for the process."""
    for value in vars(device).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


@contextmanager
def stand_in():
    """Context manager: CuPy's stand-in in CuPy's place; yields the set of what is used of it."""
    used = set()
    with mock.patch.dict(sys.modules, cupy=signatures.StandIn(cupy, "cupy", answers(), used)):
        forget()
        try:
            yield used
        finally:
            forget()


# What the tests below run, and the last of them once more: all that minires does with CuPy.


def ask_for_the_card():
    assert library.load("cupy").name == "cupy"
    (facts,) = card.facts()
    assert (facts.name, facts.memory, facts.capability) == ("NVIDIA Card", 8 << 30, (9, 0))
    with mock.patch.object(card, "_installed", lambda: ["cupy-cuda11x"]):
        assert "cupy-cuda13x" in card._cure(sys.modules["cupy"])


def ask_for_memory():
    assert device.memory() == ((7 << 30) + (2 << 20), (7 << 30) + (1 << 20))
    assert device.budget() == 512 << 20 and device.may_keep(1)


def multiply():
    """Matrices and stacks of them, in all types, as they lie and transposed, with and without `out`."""
    rng = np.random.default_rng(0)
    for dtype in (np.dtype("f4"), np.dtype("f8"), *TYPES.values()):
        for stack in ((), (3,)):
            a, b = (
                on_the_card(rng.standard_normal((*stack, *size)), dtype)
                for size in ((5, 4), (4, 6))
            )
            turned = b.swapaxes(-1, -2).copy().swapaxes(-1, -2)
            wanted = np.matmul(a.astype("f8"), b.astype("f8"))
            for right in (b, turned):
                for out in (None, on_the_card(wanted, dtype) * 0, on_the_card(wanted, "f4") * 0):
                    with backend.using(tf32=out is None):
                        found = device.cublas_product(a, right, out)
                    rtol = {2: 1e-2, 4: 1e-5, 8: 1e-6}[
                        found.itemsize if found.dtype != "f4" else max(2, dtype.itemsize)
                    ]
                    np.testing.assert_allclose(
                        found.astype("f8"), wanted, rtol=rtol, atol=10 * rtol
                    )


def train(half=None):
    """A training step of a small net, on "cupy" itself: its kernels, its products, its functions."""
    with backend.using("cupy"), backend.autocast(half):
        assert backend.on_a_gpu()
        model = models.ResNet(models.BasicBlock, (1, 1), (8, 16), stem="imagenet", num_classes=3)
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        x = np.random.default_rng(0).random((4, 24, 24, 3), dtype="f4")
        loss = functional.cross_entropy(
            model(Tensor(backend.to_device(x))), backend.to_device([0, 1, 2, 0])
        )
        loss.backward()
        optimizer.step()
        assert np.isfinite(backend.to_host(loss.data))


@pytest.mark.parametrize("work", [ask_for_the_card, ask_for_memory, multiply])
def test_each_call_fits_cupys_own_function(work):
    with stand_in():
        work()


@needs_compiler
@pytest.mark.parametrize("half", [None, *TYPES])
def test_each_call_of_a_training_step_fits_cupys_own_function(half):
    with stand_in():
        train(half)


def stacked():
    """A call of sgemmStridedBatched: alpha and beta are addresses."""
    options = {"alpha": 1 << 40, "A": 1 << 40, "lda": 3, "strideA": 12, "B": 1 << 40, "ldb": 4, "strideB": 20, "beta": 1 << 40,
               "C": 1 << 40, "ldc": 3, "strideC": 15, "batchCount": 2}  # fmt: skip
    return (1 << 40, 0, 0, 3, 5, 4), options


@pytest.mark.parametrize(("changed", "message"), [
    ({"alpha": 1.0}, "size_t alpha: expected a whole number, got 1.0"), ({"alpha": 1}, "size_t alpha: expected an address, got 1"),
    ({"beta": np.float32(0)}, r"beta: expected a whole number, got np.float32\(0.0\)"), ({"lda": 1 << 31}, "lda: 2147483648 does not fit"),
    ({"lda": None}, "lda: expected a whole number, got None"), ({"depth": 1}, "unexpected keyword argument 'depth'")])  # fmt: skip
def test_a_call_that_does_not_fit_is_found(changed, message):
    functions = signatures.compiled_functions("cupy_backends.cuda.libs.cublas")
    wanted = signatures.signature(functions.sgemmStridedBatched)
    first, options = stacked()
    signatures.check("f", wanted, first, options, addresses=True)
    with pytest.raises(TypeError, match=message):
        signatures.check("f", wanted, first, options | changed, addresses=True)
    with pytest.raises(TypeError, match="missing a required argument: 'batchCount'"):
        signatures.check("f", wanted, range(17), {})


def test_what_cupy_does_not_have_is_found():
    with stand_in():
        runtime = sys.modules["cupy"].cuda.runtime
        with pytest.raises(AttributeError, match="CuPy has no cupy.cuda.runtime.memoryInfo"):
            runtime.memoryInfo()
        with pytest.raises(TypeError, match="too many positional arguments"):
            runtime.memGetInfo(0)
        with pytest.raises(NotImplementedError, match="memcpy is used for the first time"):
            runtime.memcpy()


# That each call is known here.


def chains(path, calls=None):
    """The chains of names of a file that begin at CuPy, such as "cupy.cuda.runtime.memGetInfo", and what is used of results, as in
    "cupy.get_default_memory_pool().free_bytes". Names that are assigned a chain are followed.

    calls  a list, to which (chain, number of arguments, names of the others) of each call is added
    """
    tree, known, found = ast.parse(path.read_text(encoding="utf-8")), {"xp": "cupy"}, set()

    def chain(node):
        match node:
            case ast.Name():
                return known.get(node.id)
            case ast.Attribute(value=ast.Name(id="self")):
                return known.get(f"self.{node.attr}")
            case ast.Attribute():
                start = chain(node.value)
                return start and f"{start}.{node.attr}"
            case (
                ast.Call(func=ast.Attribute(attr="load", value=ast.Name(id="card")))
                | ast.Call(func=ast.Name(id="load"))
            ):
                return (
                    "cupy"
                    if path.name == "card.py" or isinstance(node.func, ast.Attribute)
                    else None
                )
            case ast.Call():
                start = chain(node.func)
                return start and f"{start}()"

    def name(target, value):
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for pair in zip(target.elts, value.elts):
                name(*pair)
        elif isinstance(target, ast.Name) and value is not None and chain(value):
            known[target.id] = chain(value)
        elif (
            isinstance(target, ast.Attribute)
            and isinstance(target.value, ast.Name)
            and value is not None
            and chain(value)
        ):
            known[f"{target.value.id}.{target.attr}"] = chain(value)

    for node in ast.walk(tree):  # outermost first: names before what is done with them
        match node:
            case ast.Import(names=names):
                known.update({(a.asname or a.name).partition(".")[0]: a.name if a.asname else a.name.partition(".")[0]
                              for a in names if a.name.startswith("cupy")})  # fmt: skip
            case ast.ImportFrom(module=str() as module, names=names) if module.startswith("cupy"):
                known.update({a.asname or a.name: f"{module}.{a.name}" for a in names})
                found.update(f"{module}.{a.name}" for a in names)
            case ast.arg(arg="cupy"):
                known["cupy"] = "cupy"
    for _ in range(3):  # a name may be given to what another name stands for
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        name(target, value)
                case ast.With(items=items):
                    for item in items:
                        if item.optional_vars is not None:
                            name(item.optional_vars, item.context_expr)
    found |= {chain(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if calls is not None and isinstance(node, ast.Call) and chain(node.func):
            calls.append(
                (chain(node.func), len(node.args), [keyword.arg for keyword in node.keywords])
            )
    written = path.read_text(encoding="utf-8")
    return {
        name
        for name in found - {None}
        if "." in name
        and (
            "import cupy" in written
            or path.name in ("card.py", "library.py")
            or not hasattr(np, name.split(".")[1].rstrip("()"))
        )
    }


def test_chains_of_names_are_read_from_the_source(tmp_path):
    (tmp_path / "a.py").write_text(
        "import cupy\nfrom cupyx.scipy import fft as f\n"
        "runtime, x = cupy.cuda.runtime, 1\nruntime.memGetInfo()\n"
        "def g():\n    pool = cupy.get_default_memory_pool()\n    return pool.free_bytes()\nf.dct(x.y)\n"
    )
    assert chains(tmp_path / "a.py") == {
        "cupyx.scipy.fft", "cupyx.scipy.fft.dct", "cupy.cuda", "cupy.cuda.runtime", "cupy.cuda.runtime.memGetInfo",
        "cupy.get_default_memory_pool", "cupy.get_default_memory_pool().free_bytes"}  # fmt: skip


@needs_compiler
def test_no_use_of_cupy_is_left_out():
    """A new one needs a call in this file, and an answer in answers()."""
    written, calls = {}, []
    for path in sorted(Path(minires.__file__).parent.rglob("*.py")):
        for name in chains(path, calls):
            written.setdefault(name, path.name)
    assert "cupy.cuda.cublas.gemmEx" in written and "cupy.RawModule().get_function" in written
    with stand_in() as used:
        for work in (ask_for_the_card, ask_for_memory, multiply, train):
            work()
    ends = tuple(path for path in used if path.endswith("."))
    known = {name for name in written if name in used or name.startswith(ends)}
    elsewhere = {name for name in written if name.startswith(ELSEWHERE)}
    assert not {name: file for name, file in written.items() if name not in known | elsewhere}
    for name in elsewhere:
        assert own(name) is not None
    for name, count, options in calls:
        if name in elsewhere:
            signatures.signature(own(name)).bind(*range(count), **dict.fromkeys(options))
    assert {name for name, _, _ in calls} & elsewhere >= {
        "cupy.cuda.Stream",
        "cupy.cuda.MemoryPool",
    }


def own(path):
    """What CuPy has at the end of a chain; of an object that is returned, what its class has.

    Raises  AttributeError: CuPy has nothing of this name.
    """
    found, so_far = cupy, "cupy"
    for name in path.split(".")[1:]:
        found, so_far = (
            getattr(found, name.removesuffix("()")),
            f"{so_far}.{name.removesuffix('()')}",
        )
        if name.endswith("()"):
            found, so_far = found if isinstance(found, type) else RETURNED[so_far], f"{so_far}()"
    return found
