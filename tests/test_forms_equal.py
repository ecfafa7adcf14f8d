"""Every faster form equals the plain one: in values, gradients, errors, shapes and dtypes, and in leaving its inputs unchanged.

A registered form without inputs in tests/cases fails here.
"""

from contextlib import nullcontext
from functools import partial
from unittest import mock

import numpy
import pytest

from minires import backend, ops
from minires.backend import settings
from minires.fast import update
from minires.fast.parts import PROCESS
from minires.ops.forms import FUNCTIONS
from tests.cases import CASES, OPS, REFUSED
from tests.chunks import in_chunks_of
from tests.conftest import BACKENDS
from tests.halves import TYPES, each_half

# Of the largest number in an array; Winograd loses a digit.
TOLERANCE = {"float64": 1e-11, "float32": 2e-5}
ROUNDING = {"float16": 2.0**-10, "bfloat16": 2.0**-7}


def registered():
    """Yield (name, form) of every faster form of the library, without those that tests register."""
    for name, forms in FUNCTIONS.items():
        for form in forms.faster:
            if form.run.__module__.startswith("minires.") and form.when is None:
                yield name, form


FORMS = list(registered())
each_form_on_its_backends = pytest.mark.parametrize(
    ("library", "name", "form"),
    [
        pytest.param(library, name, form, id=f"{library}-{name}-{form.run.__name__}")
        for library in BACKENDS
        for name, form in FORMS
        if not form.on or {library, "cupy" if library == "shim" else ""} & {*form.on}
    ],
)


def close(found, expected, tolerance, what, dtypes=lambda i, dtype: {dtype.name}):
    """Check for equal shapes, the right dtype (or one of several), and equal numbers except for rounding: relative to the largest
    number of an array, or to a tenth of the largest of all, as terms that cancel to 0 in one array may be that large.
    """
    largest = [
        0 if b is None or b.dtype.kind != "f" else numpy.abs(b[numpy.isfinite(b)]).max(initial=0)
        for b in expected
    ]
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        if not isinstance(b, numpy.ndarray):
            assert a is b is None, what
            continue
        assert a.shape == b.shape and a.dtype.name in dtypes(i, b.dtype), (
            f"{what}: {i} is {a.dtype} {a.shape}, wanted {b.dtype} {b.shape}"
        )
        size = max(largest[i], max(largest) / 10) if b.dtype.kind == "f" else 0
        numpy.testing.assert_allclose(
            a.astype(b.dtype), b, rtol=0, atol=tolerance * size, err_msg=f"{what}: {i}"
        )


def run_plain(name, case, dtype):
    """Return the result of the plain form, which itself calls plain forms only."""
    with ops.plain():
        return case.run(FUNCTIONS[name].plain, dtype)


@pytest.fixture(autouse=True)
def forms_take_small_arrays():
    """Run as with OpenBLAS's kernels for AVX-512, whatever this machine has, and update small parameters in chunks, too."""
    with (
        mock.patch.object(PROCESS, "multiplies_small_in_place", lambda: True),
        mock.patch.object(update, "SMALL", 0),
    ):
        yield


def test_every_faster_form_and_every_op_has_inputs():
    """Without inputs, the tests below would skip a form."""
    of_the_library = {
        name for name, forms in FUNCTIONS.items() if forms.plain.__module__.startswith("minires.")
    }
    assert {name for name, _ in FORMS} <= set(CASES)
    assert {name for name in of_the_library if FUNCTIONS[name].is_op} == set(OPS)
    assert {name for name, _ in FORMS if FUNCTIONS[name].is_op} == set(REFUSED)


@each_form_on_its_backends
def test_a_form_equals_the_plain_one(library, name, form):
    """Each case also runs in chunks of a few numbers. The form takes at least one case per dtype instead of declining it."""
    with backend.using(library):
        taken, dtypes = set(), set()
        for case in CASES[name]():
            for dtype in case.dtypes:
                dtypes.add(dtype)
                expected, what = run_plain(name, case, dtype), f"{case.label}, {dtype}"
                found = case.run(form.run, dtype)
                if found is NotImplemented:
                    continue
                taken.add(dtype)
                close(found, expected, TOLERANCE.get(dtype, 0), what)
                # Kernels take a batch whole.
                if name != "sum_over_chunks" and "cupy" not in form.on:
                    with in_chunks_of(700):
                        close(
                            case.run(form.run, dtype),
                            expected,
                            TOLERANCE.get(dtype, 0),
                            f"{what}, in chunks",
                        )
        assert taken == dtypes, f"{form.run.__name__} took no case of {dtypes - taken}"


@each_form_on_its_backends
def test_a_form_of_an_op_refuses_what_the_plain_one_refuses(library, name, form):
    """The form raises the same exception with the same message, or declines, so that the plain form raises."""
    with backend.using(library):
        for case in REFUSED.get(name, list)():
            with pytest.raises((ValueError, TypeError)) as plain:
                run_plain(name, case, "float32")
            try:
                made = case.run(form.run, "float32")
            except ModuleNotFoundError:
                raise
            except Exception as error:
                assert (type(error), str(error)) == (type(plain.value), str(plain.value)), (
                    case.label
                )
            else:
                assert made is NotImplemented, f"{case.label} is not refused: {plain.value}"


@each_form_on_its_backends
def test_a_form_that_may_leave_gradients_out_gives_the_others_as_before(library, name, form):
    if not form.prunes:
        return
    with backend.using(library):
        for case in CASES[name]():
            whole = case.run(form.run, "float64")
            pruned = case.run(partial(form.run, needs_input_grad=(False, True, True)), "float64")
            assert (whole is NotImplemented) == (pruned is NotImplemented)
            if whole is not NotImplemented:
                y, g_x, *others = pruned
                assert g_x is None or (g_x == whole[1]).all()
                for a, b in zip([y, *others], [whole[0], *whole[2:]], strict=True):
                    assert a is b is None or a.tobytes() == b.tobytes(), case.label


@each_form_on_its_backends
def test_a_form_gives_way_to_who_stands_in_for_what_it_covers(library, name, form):
    with backend.using(library):
        assert form.runs(settings())
        for covered in form.covers:
            with ops.standing_in({covered: FUNCTIONS[covered].default}):
                assert not form.runs(settings()), covered
        for own in form.names:
            with ops.without(own):
                assert not form.runs(settings())
        with ops.plain():
            assert not form.runs(settings())


def called(function, case):
    """Return the names of the library's functions that a case calls, without those of minires.fast."""
    names = set()

    def noting(name):
        def run(*operands, **options):
            names.add(name)
            return FUNCTIONS[name].default(*operands, **options)

        return run

    outside = {
        name: noting(name)
        for name, forms in FUNCTIONS.items()
        if not forms.plain.__module__.startswith("minires.fast.")
    }
    with ops.standing_in(outside):
        made = case.run(function, "float32")
    return NotImplemented if made is NotImplemented else names


@each_form_on_its_backends
def test_a_form_covers_what_the_plain_one_calls_and_it_does_not(library, name, form):
    """Otherwise this form would run, and a stand-in for the op would never be called."""
    if FUNCTIONS[name].plain.__module__.startswith("minires.fast."):
        return  # what such a function stands for covers it
    with backend.using(library):
        for case in CASES[name]():
            if "float32" not in case.dtypes:
                continue
            by_form = called(form.run, case)
            if by_form is not NotImplemented:
                assert called(FUNCTIONS[name].plain, case) - by_form <= {*form.covers}, case.label


# Half types.


def rounded_to(half, name, *, kept):
    """Return the function that converts operands to a half type, and, without `kept`, back to float32. Vectors of a batch norm stay float32."""

    def convert(array):
        if array.ndim == 1 and "norm" in name:
            return array.astype("float32")
        rounded = array.astype(TYPES[half], order="K")
        return rounded if kept else rounded.astype("float32", order="K")

    return convert


@each_half
@pytest.mark.parametrize("name", sorted(OPS))
@pytest.mark.parametrize("library", BACKENDS)
def test_an_op_on_half_types_is_that_on_float32_rounded(library, name, half):
    """This holds for every form. Gradients of half arrays have the half type, or float32, in which they are summed."""
    result = {
        "float32"
        if name in ("channel_stats", "cross_entropy", "global_avg_pool", "scale_gradient")
        else half
    }
    with backend.using(library):
        for case in OPS[name]():
            if case.halves and "float32" in case.dtypes:
                found = case.run(FUNCTIONS[name].default, rounded_to(half, name, kept=True))
                expected = run_plain(name, case, rounded_to(half, name, kept=False))
                close(
                    found,
                    expected,
                    3 * ROUNDING[half],
                    case.label,
                    lambda i, _: {half, "float32"} if i else result,
                )


@pytest.mark.parametrize("plain", [False, True], ids=["default", "plain"])
@each_half
@pytest.mark.parametrize("name", ["conv2d", "linear"])
@pytest.mark.parametrize("library", BACKENDS)
def test_autocast_rounds_the_operands_of_an_op(library, name, half, plain):
    """And nothing else: it is the op on rounded operands, rounded once; sums are float32. So it is among plain forms."""
    with backend.using(library):
        for case in OPS[name]():
            if case.halves and "float32" in case.dtypes:
                with backend.autocast(half), ops.plain() if plain else nullcontext():
                    found = case.run(FUNCTIONS[name].default, "float32")
                expected = run_plain(name, case, rounded_to(half, name, kept=False))
                close(
                    found,
                    expected,
                    3 * ROUNDING[half],
                    case.label,
                    lambda i, _: {half, "float32"} if i else {half},
                )
