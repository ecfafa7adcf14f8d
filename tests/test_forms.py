"""The choice of the form that runs: a stand-in, a faster form that does not decline, or the plain one.

tests/test_forms_equal.py checks that all forms are equal, tests/test_forms_in_training.py which of them run in training.
"""

import inspect
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import minires
from minires import Tensor, backend, functional, models, ops, optim
from minires.backend import settings, to_device, to_host, xp
from minires.ops.forms import (
    FUNCTIONS,
    faster,
    has_forms,
    in_use,
    op,
    plain,
    standing_in,
    without,
)

HERE = Path(__file__)


@pytest.fixture
def shape_of():
    """A new function with forms, and a log of the forms that ran."""
    log = []

    @has_forms
    def test_shape_of(x, *, sign=1):
        log.append("plain")
        return sign * len(x)

    yield test_shape_of, log
    del FUNCTIONS[test_shape_of.forms.name]


def form(log, name, answer=None, **options):
    """Return a function that logs that it ran, and returns this."""

    def run(x, *, sign=1):
        log.append(name)
        return sign * len(x) if answer is None else answer

    run.__name__ = name
    return run


# The order.


def test_a_form_that_was_registered_last_is_tried_first_and_one_that_declines_leaves_it_to_the_next(
    shape_of,
):
    function, log = shape_of
    for name, answer in (("first", None), ("second", NotImplemented), ("third", NotImplemented)):
        faster(function)(form(log, name, answer))
    assert function([1, 2], sign=-1) == -2
    assert log == ["third", "second", "first"]


def test_where_all_decline_the_plain_form_runs(shape_of):
    function, log = shape_of
    faster(function)(form(log, "declines", NotImplemented))
    assert function([1, 2]) == 2 and log == ["declines", "plain"]


def test_a_stand_in_comes_before_them_all_and_ends_with_its_block(shape_of):
    function, log = shape_of
    faster(function)(form(log, "faster"))
    with standing_in({function.forms.name: form(log, "mine", 7)}):
        assert function([1]) == 7
        with standing_in({function.forms.name: form(log, "mine too", 8)}):
            assert function([1]) == 8
        with plain():
            assert function([1]) == 7
        assert function.default([1]) == 1 and function.plain([1]) == 1
    assert function([1]) == 1
    assert log == ["mine", "mine too", "mine", "faster", "plain", "faster"]


def test_a_stand_in_may_be_named_as_an_option_and_call_what_it_stands_for():
    def relu(x):
        y, backward = ops.relu.default(x)
        return y + 1, backward

    with standing_in(relu=relu):
        assert to_host(ops.relu(to_device([-1.0, 2.0]))[0]).tolist() == [1, 3]
        assert functional.relu(Tensor([-1.0, 2.0])).numpy().tolist() == [1, 3]
    assert functional.relu(Tensor([-1.0, 2.0])).numpy().tolist() == [0, 2]


def test_a_stand_in_need_not_know_what_a_graph_tells_an_op():
    """The stand-in takes only operands and options, like the plain form."""
    seen = []

    def conv2d(x, weight, bias=None, *, stride=1, padding=0):
        seen.append((x.shape, stride))
        return ops.conv2d.plain(x, weight, bias, stride=stride, padding=padding)

    x, weight = (
        Tensor(xp.ones(shape), requires_grad=True) for shape in ((1, 4, 4, 2), (3, 3, 2, 2))
    )
    with standing_in(conv2d=conv2d):
        functional.conv2d(x, weight, stride=2).sum().backward()
    assert seen == [((1, 4, 4, 2), 2)] and x.grad.shape == (1, 4, 4, 2)


def test_a_form_is_for_its_libraries(shape_of):
    function, log = shape_of
    faster(function, on=("numpy", "cupy"))(form(log, "numpy's or cupy's"))
    faster(function, on="strict")(form(log, "strict's"))
    for library in ("numpy", "strict"):
        with backend.using(library):
            function([1])
    with backend.using(settings().library._replace(name="another", family="cupy")):
        function([1])
    with backend.using(settings().library._replace(name="another")):
        function([1])
    assert log == ["numpy's or cupy's", "strict's", "numpy's or cupy's", "plain"]


def test_a_form_runs_when_its_own_rule_says_so_whatever_plain_says(shape_of):
    function, log = shape_of
    faster(function, when=lambda now: now.tf32)(form(log, "with TF32"))
    for context in (plain(), backend.using_tf32(), backend.using(plain=True, tf32=True)):
        with context:
            function([1])
    assert log == ["plain", "with TF32", "with TF32"]


def test_a_form_gives_way_to_a_stand_in_for_what_it_covers(shape_of):
    function, log = shape_of
    faster(function, covers=("relu", "add"))(form(log, "covers"))
    for name in ("add", "exp"):
        with standing_in({name: getattr(ops, name).default}):
            function([1])
    assert log == ["plain", "covers"]


def test_a_learner_s_col2im_is_run_by_conv2d_and_a_learner_s_add_by_a_block():
    seen = []

    def noted(name):
        def run(*operands, **options):
            seen.append(name)
            return getattr(ops, name).default(*operands, **options)

        return {name: run}

    x = Tensor(xp.ones((2, 8, 8, 16)), requires_grad=True)
    block = models.BasicBlock(16, 16)
    for name in ("col2im", "add"):
        with standing_in(noted(name)):
            block(x).sum().backward()
    assert seen == ["col2im"] * 2 + ["add"]


# Settings.


def test_plain_and_without_leave_forms_out_for_a_block(shape_of):
    function, log = shape_of
    for name in ("one", "two"):
        faster(function)(form(log, name))
    with plain():
        function([1])
    with without("two"):
        function([1])
        with without("one"):
            function([1])
        function([1])
    with without("test_forms"):  # the file in which they are
        function([1])
    function([1])
    assert log == ["plain", "one", "plain", "one", "plain", "two"]


def test_they_may_be_decorators_and_hold_in_a_thread_that_is_told_of_them():
    @without("winograd")
    def names():
        return "winograd" in in_use()["conv2d"]

    assert names() is False and "winograd" in in_use()["conv2d"]
    found = []
    with plain():
        threads = [
            threading.Thread(target=target)
            for target in (
                lambda: found.append(settings().plain),
                backend.carried(lambda: found.append(settings().plain)),
            )
        ]
        for thread in threads:
            thread.start()
            thread.join()
    assert found == [False, True]


def test_in_use_tells_the_forms_in_the_order_in_which_they_are_tried():
    with backend.using("numpy"):
        assert in_use()["conv2d"] == ["winograd", "pointwise", "columns_in_chunks"]
        assert in_use()["sum_over_chunks"] == ["chunks_on_all_cores"] and "gather" not in in_use()
        with without("winograd"):
            assert in_use()["conv2d"] == ["pointwise", "columns_in_chunks"]
        with backend.autocast("float16"):
            assert in_use()["conv2d"][0] == "autocast"
            with plain():
                assert in_use() == {"conv2d": ["autocast"], "linear": ["autocast"]}
        with plain():
            assert in_use() == {}
        with standing_in(im2col=ops.im2col.default):
            assert "conv2d" not in in_use()
    with backend.using("strict"):
        assert in_use()["sum_over_chunks"] == ["chunks_in_order"]


def test_the_environment_may_ask_for_plain_forms():
    program = "from minires import ops; print(ops.in_use() == {})"
    environment = {"PYTHONPATH": str(Path(minires.__file__).parents[1]), "PATH": os.environ["PATH"]}
    for value, expected in (("1", "True\n"), ("0", "False\n"), ("", "False\n"), (None, "False\n")):
        told = {} if value is None else {"MINIRES_PLAIN": value}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment | told, capture_output=True, text=True
        )
        assert done.stdout == expected, done.stderr


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: without("winorgad"),
            r"^unknown faster form 'winorgad': choose from .*; did you mean 'winograd'",
        ),
        (lambda: without("winograd", "conv2d"), "^unknown faster form 'conv2d': choose from "),
        (
            lambda: standing_in(con2d=abs),
            r"^unknown function with forms 'con2d': choose from .*; did you mean 'conv2d'",
        ),
        (
            lambda: standing_in({"BasicBlock": abs}),
            "^unknown function with forms 'BasicBlock': choose from ",
        ),
        (
            lambda: faster("con2d"),
            r"^unknown function with forms 'con2d': choose from .*; did you mean 'conv2d'",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Forms of one's own.


def test_a_form_takes_effect_at_once_and_on_tensors(monkeypatch):
    """Also if the function has run before."""
    x = Tensor([1.0, -1.0], requires_grad=True)
    assert functional.relu(x).numpy().tolist() == [1, 0]
    # It is taken back afterwards.
    monkeypatch.setattr(ops.relu.forms, "faster", ops.relu.forms.faster)

    @faster(ops.relu)
    def leaky(x):
        return xp.where(x > 0, x, x / 2), lambda g: (xp.where(x > 0, g, g / 2),)

    y = functional.relu(x)
    y.sum().backward()
    assert (
        y.numpy().tolist() == [1, -0.5]
        and to_host(x.grad).tolist() == [1, 0.5]
        and y.node.op == "relu"
    )
    with plain():
        assert functional.relu(x).numpy().tolist() == [1, 0]
    with without("leaky"):
        assert functional.relu(x).numpy().tolist() == [1, 0]


def test_a_form_that_asks_what_is_needed_is_told_by_the_graph(shape_of, monkeypatch):
    told = []
    monkeypatch.setattr(ops.multiply.forms, "faster", ops.multiply.forms.faster)

    @faster("multiply")
    def product(a, b, needs_input_grad=None):
        told.append(needs_input_grad)
        return a * b, lambda g: (
            g * b if needs_input_grad[0] else None,
            g * a if needs_input_grad[1] else None,
        )

    x = Tensor([2.0], requires_grad=True)
    (x * Tensor([3.0])).backward()
    assert told == [(True, False)] and to_host(x.grad).tolist() == [3]
    ops.multiply(*(to_device([1.0]),) * 2)
    assert told[1] is None


def test_an_op_of_one_s_own_may_have_forms_even_under_a_name_that_is_taken():
    known = set(FUNCTIONS)
    try:

        @op
        def relu(x):
            return x, lambda g: (g,)

        (name,) = set(FUNCTIONS) - known
        assert name.endswith("relu") and name != "relu" and FUNCTIONS["relu"] is ops.relu.forms
        with standing_in({name: lambda x: (x + 1, None)}):
            assert relu(1)[0] == 2 and to_host(ops.relu(to_device([1.0]))[0]).tolist() == [1]
    finally:
        for name in set(FUNCTIONS) - known:
            del FUNCTIONS[name]


def test_the_source_and_the_signature_are_those_of_the_plain_form():
    for function in (
        ops.conv2d,
        ops.conv2d.default,
        models.BasicBlock.forward,
        optim.optimizers.sgd,
    ):
        plain_form = function.plain if hasattr(function, "plain") else ops.conv2d.plain
        assert inspect.unwrap(function) is plain_form and inspect.signature(
            function
        ) == inspect.signature(plain_form)
        assert (
            inspect.getsource(function) == inspect.getsource(plain_form)
            and function.__doc__ == plain_form.__doc__
        )
