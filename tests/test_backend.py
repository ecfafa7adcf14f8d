"""The switch between array libraries, and the leaks that strict finds."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from minires import Tensor, backend, ops
from minires import functional as F
from minires.backend import BackendError, is_array, machine, to_device, to_host, xp

HOST = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)


@pytest.fixture
def device():
    """An array on the strict backend."""
    with backend.using("strict"):
        yield to_device(HOST)


def leak_numpy_function(x):
    return numpy.exp(x)


def leak_numpy_reduction(x):
    return numpy.mean(x)


def leak_numpy_concatenate(x):
    return numpy.concatenate([x, x])


def leak_host_label(x):
    return F.cross_entropy(Tensor(x), numpy.array([0, 1]))


def leak_host_label_as_index(x):
    return x[xp.arange(2), numpy.array([0, 1])]


def leak_host_mask(x):
    return x * (HOST > 2)


def leak_host_mask_as_index(x):
    return x[HOST > 2]


def leak_host_mask_in_dropout(x):
    return ops.dropout(x, HOST > 2, p=0.5)


def leak_asarray(x):
    return numpy.asarray(x)


def leak_array_method(x):
    return numpy.array(x, dtype=float)


def leak_out_on_the_host(x):
    return xp.exp(x, out=numpy.empty((2, 3), numpy.float32))


def leak_out_on_the_device(x):
    return numpy.exp(HOST, out=x)


def leak_numpy_scalar_array(x):
    return x * numpy.array(2.0)


def leak_numpy_scalar_array_on_the_left(x):
    return numpy.array(2.0) * x


def leak_numpy_scalar(x):
    return x * numpy.float64(2)


def leak_numpy_scalar_in_a_function(x):
    return xp.maximum(x, numpy.float32(0))


def leak_add_at(x):
    numpy.add.at(x, [0, 0], 1)


def leak_add_at_values(x):
    xp.add.at(x, [0, 0], HOST)


def leak_assignment(x):
    x[0] = HOST[0]


def leak_in_place(x):
    x += HOST


def leak_host_operand(x):
    return Tensor(x) + HOST


def leak_list_operand(x):
    return xp.add(x, [1.0, 2.0, 3.0])


def leak_host_argument(x):
    return xp.concatenate([x, HOST])


LEAKS = [function for name, function in sorted(globals().items()) if name.startswith("leak_")]


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_strict_raises_at_a_planted_leak(device, leak):
    with pytest.raises((TypeError, BackendError)):
        leak(device)


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_planted_leak_is_silent_on_numpy(leak):
    """The leak itself works, so it is strict that raises."""
    with backend.using("numpy"):
        leak(HOST.copy())


@pytest.mark.parametrize(
    "make",
    [lambda: xp.asarray(HOST), lambda: xp.asarray(HOST, order="C"), lambda: xp.array(HOST), lambda: xp.array(HOST, copy=True, ndmin=2),
     lambda: xp.array([HOST[0], HOST[1]]), lambda: xp.asanyarray(HOST), lambda: xp.ascontiguousarray(HOST),
     lambda: xp.asfortranarray(HOST), lambda: xp.where(xp.asarray(HOST != 77), xp.array(HOST), 0)],
)  # fmt: skip
def test_strict_takes_host_arrays_where_cupy_makes_arrays(device, make):
    made = make()
    assert is_array(made) and numpy.array_equal(to_host(made), HOST)
    made[...] = 77
    assert not (HOST == 77).any()


def test_strict_takes_numpys_integers_as_indices(device):
    assert to_host(device[numpy.int64(1), ...]).tolist() == HOST[1].tolist()
    assert to_host(xp.array(HOST, numpy.float32)).dtype == numpy.float32


def test_a_leak_says_what_to_type(device):
    with pytest.raises(TypeError, match=r"numpy\.exp on a device array: use xp\.exp"):
        leak_numpy_function(device)
    with pytest.raises(
        TypeError, match=r"a NumPy array \(float64, shape \(\)\) among device arrays: to_device"
    ):
        leak_numpy_scalar_array(device)
    with pytest.raises(TypeError, match=r"a NumPy scalar .* float\(x\)"):
        leak_numpy_scalar(device)
    with pytest.raises(TypeError, match="to_host"):
        leak_asarray(device)


def test_strict_reductions_give_arrays_without_axes(device):
    assert backend.is_array(device.sum()) and device.sum().shape == ()
    assert backend.is_array(xp.max(device)) and float(xp.max(device)) == 5
    assert backend.is_array(device[1, 2])


def test_strict_does_numpys_arithmetic(device):
    other = to_device(HOST + 1)
    for given, expected in [
        (device + other, HOST + HOST + 1),
        (2 - device, 2 - HOST),
        (-device, -HOST),
        (abs(-device), HOST),
        (device @ other.T, HOST @ (HOST + 1).T),
        (device**2, HOST**2),
        (2**device, 2**HOST),
        (~(device > 2), ~(HOST > 2)),
        ((device > 2) | (device == 0), (HOST > 2) | (HOST == 0)),
        (xp.where(device > 2, device, 0), numpy.where(HOST > 2, HOST, 0)),
        (xp.stack([device, other]), numpy.stack([HOST, HOST + 1])),
        (device[:, ::2], HOST[:, ::2]),
        (device[device > 2], HOST[HOST > 2]),
        (device.reshape(3, 2).sum(axis=0), HOST.reshape(3, 2).sum(axis=0)),
    ]:
        numpy.testing.assert_array_equal(to_host(given), expected)
    device[0] = 7
    device *= 2
    numpy.testing.assert_array_equal(to_host(device), [[14, 14, 14], [6, 8, 10]])
    assert [float(row.sum()) for row in device] == [42, 24] and len(device) == 2
    assert (
        bool(device[0, 0]) and int(device[0, 0]) == 14 and [0, 1, 2][to_device(numpy.array(2))] == 2
    )


def test_strict_shares_no_memory_with_the_host(device):
    device += 1
    copy = to_host(device)
    copy += 1
    assert HOST[0, 0] == 0 and float(device[0, 0]) == 1


def test_use_and_using_switch_and_come_back():
    before = backend.name()
    with backend.using("strict"):
        assert backend.name() == "strict" and xp.ones is not numpy.ones
        with backend.using("numpy"):
            assert backend.name() == "numpy" and xp.ones is numpy.ones
        assert backend.name() == "strict"
    assert backend.name() == before
    with pytest.raises(RuntimeError), backend.using("strict"):
        raise RuntimeError
    assert backend.name() == before
    backend.use("strict")
    assert backend.name() == "strict"
    backend.use("numpy")


def test_an_unknown_backend_is_refused_with_the_nearest_name():
    with pytest.raises(
        BackendError,
        match="unknown backend 'cuppy': choose from numpy, strict, cupy, auto; did you mean 'cupy'",
    ):
        backend.use("cuppy")
    assert backend.name() == "numpy"


def test_the_environment_sets_the_start():
    print_name = [sys.executable, "-c", "from minires import backend; print(backend.name())"]

    def start(value):
        environment = {
            "MINIRES_BACKEND": value,
            "PYTHONPATH": str(Path(backend.__file__).parents[2]),
        }
        return subprocess.run(print_name, env=environment, capture_output=True, text=True)

    assert start("strict").stdout == "strict\n"
    assert start("numpy").stdout == start("").stdout == "numpy\n"
    assert start("auto").stdout in ("numpy\n", "cupy\n")
    wrong = start("nmupy")
    assert (
        wrong.returncode != 0
        and "BackendError: MINIRES_BACKEND=nmupy: unknown backend" in wrong.stderr
    )
    assert "did you mean 'numpy'" in wrong.stderr


def test_minires_imports_no_cupy_unasked():
    program = "import sys, minires, minires.cli; sys.exit('cupy' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", program], cwd=Path(backend.__file__).parents[2]
        ).returncode
        == 0
    )


def test_a_result_in_out_is_out_itself_as_on_cupy(device):
    out = to_device(HOST * 0)
    with backend.using("strict"):
        assert backend.xp.add(device, device, out=out) is out
    numpy.testing.assert_array_equal(to_host(out), HOST + HOST)


def test_to_device_and_to_host_are_the_border(device):
    assert backend.is_array(device) and not backend.is_array(HOST)
    assert to_device(device) is device
    numpy.testing.assert_array_equal(to_host(to_device([1, 2])), [1, 2])
    assert (
        to_device(2.5).dtype == numpy.float64 and to_device(numpy.float32(1)).dtype == numpy.float32
    )
    assert to_host(HOST) is HOST
    with backend.using("numpy"):
        assert to_device(HOST) is HOST
        with pytest.raises(
            BackendError,
            match="to_device: expected a NumPy array, got a minires.backend.strict.Array",
        ):
            to_device(device)
        with pytest.raises(
            BackendError,
            match="to_host: expected an array of numpy, got a minires.backend.strict.Array",
        ):
            to_host(device)
        with pytest.raises(
            BackendError,
            match=r"Tensor: expected an array of numpy, got a minires.backend.strict.Array",
        ):
            Tensor(device)
    with pytest.raises(
        BackendError,
        match=r"Tensor: expected an array of strict, got a numpy.ndarray: to_device",
    ):
        Tensor(HOST)


def test_a_tensor_of_another_backend_is_refused_by_every_op(device):
    tensor = Tensor(device)
    with (
        backend.using("numpy"),
        pytest.raises(
            BackendError,
            match="relu: expected an array of numpy, got a minires.backend.strict.Array",
        ),
    ):
        F.relu(tensor)


def test_cupy_has_every_function_that_the_library_uses():
    """CuPy has every name that is used through xp, if it is installed, with or without a GPU. (The names are read from the source.)"""
    cupy = pytest.importorskip("cupy")
    used = {
        node.attr
        for path in Path(backend.__file__).parents[1].rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "xp"
    }
    assert "matmul" in used
    assert not [name for name in sorted(used) if not hasattr(cupy, name)]


def test_the_machine_describes_itself():
    assert machine.processor() and machine.cores() >= 1
    blas = machine.blas()
    assert blas is None or (blas["threads"] >= 1 and blas["name"])


@pytest.mark.parametrize(
    ("kernel", "features", "unused"),
    [
        ("Haswell", {"SSE3", "AVX2", "AVX512_SKX"}, "AVX512_SKX"),
        ("SkylakeX", {"SSE3", "AVX2", "AVX512_SKX"}, None),
        ("Haswell", {"SSE3", "AVX", "AVX2"}, None),
        ("Zen", {"SSE3", "AVX", "AVX2"}, None),
        ("Prescott", {"SSE3", "SSE42", "AVX", "AVX2"}, "AVX2"),
        ("haswell", {"AVX2", "AVX512_SKX"}, "AVX512_SKX"),
        ("armv8", {"NEON"}, None),
        (None, {"AVX2"}, None),
        ("Haswell", set(), None),
    ],
)
def test_a_kernel_pinned_below_the_processor_is_seen(kernel, features, unused):
    assert machine.pinned_below(kernel, features) == unused
