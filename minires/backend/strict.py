"""NumPy's arithmetic with CuPy's rules: code that would fail on a GPU fails here, on any machine.

An Array hides its numbers. It rejects implicit conversion to a NumPy array, NumPy's functions, and NumPy arrays and
scalars as operands, and its reductions return 0-d arrays. Use to_device and to_host to convert.
This module is the namespace that `xp` stands for: strict.exp is numpy.exp for Arrays.
"""

import operator
from types import SimpleNamespace
from typing import Any

import numpy

__all__ = ["Array", "to_device", "to_host"]


class Array:
    """An array "on the device"."""

    __slots__ = ("_hidden",)
    __hash__ = None  # type: ignore[assignment]  # not hashable, like NumPy's arrays

    def __init__(self, hidden):
        self._hidden = hidden

    # The methods that NumPy tries on a foreign array.

    def __array__(self, *args, **kwargs):
        raise TypeError("implicit conversion of a device array to NumPy: use to_host(array)")

    def __array_ufunc__(self, function, method, *args, **kwargs):
        raise TypeError(f"numpy.{function.__name__} on a device array: use xp.{function.__name__}")

    def __array_function__(self, function, types, args, kwargs):
        raise TypeError(f"numpy.{function.__name__} on a device array: use xp.{function.__name__}")

    # An ndarray's attributes, and methods whose results stay on the device.

    def __getattr__(self, name):
        # __array_interface__ and the like would expose the hidden numbers.
        if name.startswith("_"):
            raise AttributeError(f"a device array has no {name}")
        value = getattr(self._hidden, name)
        return _Function(value) if callable(value) else _leave(value)

    def __getitem__(self, index):
        return _leave(self._hidden[_enter_index(index)])

    def __setitem__(self, index, value):
        self._hidden[_enter_index(index)] = _enter(value)

    def __len__(self):
        return len(self._hidden)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __bool__(self):
        return bool(self._hidden)

    def __int__(self):
        return int(self._hidden)

    def __float__(self):
        return float(self._hidden)

    def __index__(self):
        return operator.index(self._hidden)

    def __neg__(self):
        return _leave(-self._hidden)

    def __abs__(self):
        return _leave(abs(self._hidden))

    def __invert__(self):
        return _leave(~self._hidden)

    def __repr__(self):
        return f"strict.{self._hidden!r}"


def _give_operators(cls):
    """Define the operators (a + b, b + a, a += b, ...) on the hidden arrays, after a check of the other operand."""

    def forward(function):
        def operate(self, other):
            if (
                getattr(other, "__array_ufunc__", self) is None
            ):  # a Tensor handles the operation itself
                return NotImplemented
            return _leave(function(self._hidden, _enter_operand(other)))

        return operate

    def reflected(function):
        return lambda self, other: _leave(function(_enter_operand(other), self._hidden))

    def in_place(function):
        def change(self, other):
            self._hidden = function(self._hidden, _enter_operand(other))
            return self

        return change

    for name in (
        "add",
        "sub",
        "mul",
        "truediv",
        "floordiv",
        "mod",
        "pow",
        "matmul",
        "and",
        "or",
        "xor",
    ):
        function = getattr(operator, f"__{name}__")
        setattr(cls, f"__{name}__", forward(function))
        setattr(cls, f"__r{name}__", reflected(function))
        setattr(cls, f"__i{name}__", in_place(getattr(operator, f"__i{name}__")))
    for name in ("lt", "le", "eq", "ne", "gt", "ge"):
        setattr(cls, f"__{name}__", forward(getattr(operator, f"__{name}__")))


class _Function:
    """A function or method of NumPy that takes and returns Arrays."""

    def __init__(self, function):
        self._function = function

    def __call__(self, *args, **kwargs):
        enter = _enter_operand if isinstance(self._function, numpy.ufunc) else _enter
        args = [enter(arg) for arg in args]
        made = self._function(*args, **{key: _enter(value) for key, value in kwargs.items()})
        out = kwargs.get("out")
        return out if isinstance(out, Array) else _leave(made)

    def __getattr__(self, name):  # add.at, maximum.reduce
        return _Function(getattr(self._function, name))


def _enter(value):
    """Return an argument as NumPy sees it. A NumPy array or scalar is rejected, as it would be a hidden copy to the device."""
    if isinstance(value, Array):
        return value._hidden
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        kind = "scalar" if isinstance(value, numpy.generic) else "array"
        cure = (
            "float(x) makes it a plain number" if kind == "scalar" else "to_device(array) moves it"
        )
        raise TypeError(
            f"a NumPy {kind} ({value.dtype}, shape {value.shape}) among device arrays: {cure}"
        )
    if isinstance(value, (list, tuple)):
        return type(value)(_enter(item) for item in value)
    return value


def _enter_operand(value):
    if isinstance(value, list):
        raise TypeError("a list among device arrays: to_device(list) moves it")
    return _enter(value)


def _enter_index(index):
    """Return an index as NumPy sees it. NumPy's integers are plain numbers here, and copied nowhere."""
    if isinstance(index, tuple):
        return tuple(map(_enter_index, index))
    return index if isinstance(index, numpy.integer) else _enter(index)


def _leave(value):
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return Array(numpy.asarray(value))
    if isinstance(value, (list, tuple)) and any(
        isinstance(item, (numpy.ndarray, numpy.generic)) for item in value
    ):
        return type(value)(_leave(item) for item in value)
    return value


def array(
    value: Any, dtype: Any = None, copy: bool = True, order: Any = "K", **options: Any
) -> Array:
    """Return a new Array. A NumPy array or scalar is moved, as by CuPy's function of this name.

    options  subok, ndmin; and blocking, which CuPy alone knows
    """
    options.pop("blocking", None)
    make = numpy.array if copy else numpy.asarray
    if not copy:
        options = {}
    return Array(make(_inside(value), dtype=dtype, order=order, **options))


def asarray(value: Any, dtype: Any = None, order: Any = None, *, blocking: bool = False) -> Array:
    """Return an Array; a NumPy array or scalar is copied, as CuPy's asarray moves it explicitly."""
    return Array(numpy.asarray(_inside(value), dtype=dtype, order=order))


asanyarray = asarray


def ascontiguousarray(value: Any, dtype: Any = None) -> Array:
    """Return an Array in C order; a NumPy array is copied."""
    return Array(numpy.ascontiguousarray(_inside(value), dtype=dtype))


def asfortranarray(value: Any, dtype: Any = None) -> Array:
    """Return an Array in Fortran order; a NumPy array is copied."""
    return Array(numpy.asfortranarray(_inside(value), dtype=dtype))


def _inside(value):
    """Return what a function that makes arrays takes, as NumPy sees it; a NumPy array as a copy."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_inside, value))
    if isinstance(value, Array):
        return value._hidden
    return value.copy() if isinstance(value, numpy.ndarray) else value


def to_device(array: numpy.ndarray) -> Array:
    """Return an Array with a copy of a NumPy array."""
    return Array(numpy.array(array))


def to_host(array: Array) -> numpy.ndarray:
    """Return a NumPy array with a copy of an Array."""
    return array._hidden.copy()


def __getattr__(name):
    value = getattr(numpy, name)
    if name.startswith("_") or isinstance(value, type) or not callable(value):
        return value  # float32, newaxis, pi
    return _Function(value)


def __dir__():
    return dir(numpy)


ndarray = Array
_strides = numpy.lib.stride_tricks
lib = SimpleNamespace(
    stride_tricks=SimpleNamespace(
        as_strided=_Function(_strides.as_strided),
        sliding_window_view=_Function(_strides.sliding_window_view),
    )
)
_give_operators(Array)
