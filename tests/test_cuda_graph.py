"""A training step as one launch: on an imitation of a GPU that records (tests/recorder.py), step by step and from the graph.

A graph that keeps a learning rate, a batch or anything else of the step that was recorded gives other numbers than the same
steps one by one.
"""

import ast
import copy
import gc
import inspect
import sys
import textwrap
import warnings
import weakref
from functools import partial

import numpy as np
import pytest

from minires import (
    Tensor,
    backend,
    checkpoint,
    cli,
    data,
    functional,
    models,
    nn,
    ops,
    optim,
    runs,
    train,
)
from minires.backend import to_device
from minires.fast.cuda import graph
from minires.train import Meter, train_epoch
from tests import recorder, shim
from tests.halves import needs_bfloat16
from tests.recorder import NOW

pytestmark = pytest.mark.skipif(
    shim.COMPILER is None, reason="there is no g++ to run kernels on the processor"
)


@pytest.fixture(autouse=True)
def on_the_recorder():
    NOW.calls.clear()
    with backend.using(recorder.library()):
        yield
    assert NOW.notes is None and NOW.pool is None and NOW.stream is None


def net():
    nn.manual_seed(0)
    return models.ResNet(models.BasicBlock, (1, 1), (4, 8), num_classes=4)


class Small(nn.Module):
    """Two linear layers, and batch norm between them."""

    def __init__(self):
        nn.manual_seed(0)
        self.first, self.bn1, self.last = nn.Linear(12, 6), nn.BatchNorm(6), nn.Linear(6, 4)

    def forward(self, x):
        x = functional.reshape(x, (len(x), -1))
        return self.last(functional.relu(self.bn1(self.first(x))))


SHAPE = 2, 2, 3


def batches(count, n=4, seed=0, shape=SHAPE):
    """Yield batches, each in arrays that are overwritten once the step is done."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        x, labels = rng.standard_normal((n, *shape)).astype("f4"), rng.integers(0, 4, n)
        x, labels = to_device(x), to_device(labels)
        yield x, labels
        x[...], labels[...] = np.nan, 0


class Losses(Meter):
    """Keeps the losses, on the device until they are asked for."""

    def __init__(self):
        super().__init__()
        self.kept = []

    def update(self, loss, logits, labels):
        self.kept.append(loss.data)
        super().update(loss, logits, labels)


def state_of(model, optimizer):
    state = {f"model.{name}": array for name, array in model.state_dict().items()}
    return state | optimizer.state_dict()


def trained(make, model, epochs, on, between=None):
    """Return (losses, scores, state, optimizer) after epochs, each a function that makes batches. between(model, optimizer, epoch)"""
    with backend.using(cuda_graph=on):
        model = model()
        optimizer, losses, scores = make(model), [], []
        for i, epoch in enumerate(epochs):
            if between:
                between(model, optimizer, i)
            meter = Losses()
            scores.append(train_epoch(model, epoch(), optimizer, label_smoothing=0.1, meter=meter))
            losses += map(float, meter.kept)
        return losses, scores, state_of(model, optimizer), optimizer


def assert_the_same(make, model, epochs, between=None):
    """Steps from a graph give the same bits as step by step. Returns the optimizer of the former."""
    losses, scores, state, _ = trained(make, model, epochs, False, between)
    assert not NOW.calls
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = trained(make, model, epochs, True, between)
    assert found[0] == losses and np.isfinite(losses).all() and len(set(losses)) == len(losses)
    assert found[1] == scores
    assert found[2].keys() == state.keys()
    for name, value in state.items():
        np.testing.assert_array_equal(found[2][name], value, err_msg=name)
    return found[3]


def count(call):
    return sum(entry[0] == call for entry in NOW.calls)


def in_groups(kind, model, **options):
    """Two groups, one of biases with a rate of its own."""
    biases = [p for p in model.parameters() if p.data.ndim == 1]
    weights = [p for p in model.parameters() if p.data.ndim > 1]
    return kind(
        [{"params": weights}, {"params": biases, "lr": 0.3, "weight_decay": 0.0}], **options
    )


RATE = partial(optim.cosine, 0.1, steps=12, warmup=3)
OPTIMIZERS = {
    "SGD": lambda model: optim.SGD(model.parameters(), lr=0.1),
    "Nesterov": lambda model: optim.SGD(
        model.parameters(), lr=RATE(), momentum=0.9, nesterov=True, weight_decay=5e-4
    ),
    "groups": lambda model: in_groups(optim.SGD, model, lr=RATE(), momentum=0.9),
    "Adam": lambda model: optim.Adam(model.parameters(), lr=RATE(), weight_decay=1e-3),
    "AdamW": lambda model: in_groups(optim.AdamW, model, lr=RATE()),
}
nesterov = OPTIMIZERS["Nesterov"]
each_optimizer = pytest.mark.parametrize(
    ("name", "half"),
    [
        ("Nesterov", None),
        ("AdamW", None),
        pytest.param("groups", "bfloat16", marks=needs_bfloat16),
        *(pytest.param(name, None, marks=pytest.mark.slow) for name in ("SGD", "groups", "Adam")),
    ],
)


@each_optimizer
def test_ten_steps_of_a_graph_are_ten_steps(name, half):
    with backend.autocast(half):
        assert_the_same(OPTIMIZERS[name], net, [partial(batches, 10)])
    assert (count("begin"), count("end"), count("launch")) == (1, 1, 7)


def test_a_last_batch_of_another_size_runs_by_itself_and_the_graph_stays():
    def epoch(seed):
        yield from batches(4, seed=seed)
        yield from batches(1, n=3, seed=seed + 100)

    assert_the_same(nesterov, Small, [partial(epoch, seed) for seed in range(3)])
    assert count("begin") == 1 and count("launch") == 12 - graph.WARM_UP


def test_batches_that_all_have_another_size_are_recorded_anew():
    epochs = [partial(batches, 1, n=2), partial(batches, 9)]
    assert_the_same(nesterov, Small, epochs)
    assert count("begin") == 1 and count("launch") == 9 - 2 * graph.WARM_UP


# What a graph depends on.


def set_data(model, optimizer):
    parameter = model.parameters()[0]
    parameter.data = parameter.data * 0.5


def freeze_one(model, optimizer):
    model.parameters()[0].requires_grad = False


def freeze_norm(model, optimizer):
    model.bn1.freeze()


def set_options(model, optimizer):
    optimizer.groups[0].update(momentum=0.5, weight_decay=0.1)


def not_nesterov(model, optimizer):
    optimizer.groups[0]["nesterov"] = False


def set_momentum_of_norm(model, optimizer):
    model.bn1.momentum = 0.5


def new_statistics(model, optimizer):
    model.bn1.running_mean = model.bn1.running_mean * 0.5


def load_optimizer(model, optimizer):
    optimizer.load_state_dict(optimizer.state_dict())


def set_state(model, optimizer):
    for kept in optimizer.state.values():
        kept["velocity"] = kept["velocity"] * 0.5


def another_layer(model, optimizer):
    model.first = nn.Linear(12, 6, rng=np.random.default_rng(1))
    optimizer.groups[0]["params"][:2] = model.first.weight, model.first.bias


def load_model(model, optimizer):
    model.load_state_dict({name: array * 0.5 for name, array in model.state_dict().items()})


def clear_gradients(model, optimizer):
    optimizer.zero_grad()


def own_gradients(model, optimizer):
    for parameter in model.parameters():
        parameter.grad = parameter.data * 7


def another_rate(model, optimizer):
    optimizer.schedule = None
    optimizer.lr = 0.02


CHANGES = [set_data, freeze_one, freeze_norm, set_options, not_nesterov, set_momentum_of_norm, new_statistics, load_optimizer,
           set_state, another_layer]  # fmt: skip
KEPT = [load_model, clear_gradients, own_gradients, another_rate]


@pytest.mark.parametrize("change", [*CHANGES, *KEPT])
def test_what_is_changed_between_two_epochs_is_seen(change):
    epochs = [partial(batches, 6, seed=seed) for seed in range(2)]
    assert_the_same(
        nesterov, Small, epochs, lambda model, optimizer, i: i and change(model, optimizer)
    )
    assert count("begin") == (2 if change in CHANGES else 1)
    assert count("launch") == (6 if change in CHANGES else 9)


def test_an_array_of_a_frozen_part_that_is_replaced_between_two_epochs_is_seen():
    def change(model, optimizer, i):
        if i:
            model.first.weight.data = model.first.weight.data * 2

    def make(model):
        model.first.freeze()
        return optim.SGD([*model.bn1.parameters(), *model.last.parameters()], lr=0.1, momentum=0.9)

    assert_the_same(make, Small, [partial(batches, 6, seed=seed) for seed in range(2)], change)


def test_two_optimizers_take_turns_with_the_parts_of_a_model():
    """The second packs the weights of its part, which the graph of the first reads."""

    def run(on):
        with backend.using(cuda_graph=on):
            model = Small()
            parts = [model.last], [model.first, model.bn1]
            pair = [
                optim.SGD([p for module in part for p in module.parameters()], lr=0.1, momentum=0.9)
                for part in parts
            ]
            for i in range(4):
                for k, part in enumerate(parts):
                    for module in part:
                        module.freeze(k != i % 2)
                train_epoch(model, batches(6, seed=i), pair[i % 2])
            return state_of(model, pair[0])

    wanted, found = run(False), run(True)
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
    assert (
        count("launch") == 9 + 9 - 3
    )  # the second part's weights stay where they are from its first epoch on


def test_a_copy_of_a_model_and_its_optimizer_records_its_own():
    def run(on):
        with backend.using(cuda_graph=on):
            model = Small()
            optimizer = nesterov(model)
            train_epoch(model, batches(6), optimizer)
            model, optimizer = copy.deepcopy((model, optimizer))
            train_epoch(model, batches(6, seed=1), optimizer)
            return state_of(model, optimizer)

    wanted, found = run(False), run(True)
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
    assert count("begin") == 2


@pytest.mark.parametrize(
    "change", [set_data, set_options, load_optimizer, load_model, another_rate]
)
def test_what_is_changed_between_two_steps_is_seen(change):
    now = []

    def keep(model, optimizer, i):
        now[:] = model, optimizer

    def epoch():
        for i, batch in enumerate(batches(12)):
            if i == 6:
                change(*now)
            yield batch

    assert_the_same(nesterov, Small, [epoch], keep)
    assert count("begin") == (2 if change in CHANGES else 1)


def test_another_precision_or_smoothing_is_recorded_anew():
    def run(on):
        with backend.using(cuda_graph=on):
            model = Small()
            optimizer = nesterov(model)
            for tf32, smoothing in ((False, 0.0), (True, 0.0), (True, 0.2)):
                with backend.using_tf32(tf32):
                    train_epoch(model, batches(5), optimizer, label_smoothing=smoothing)
            return state_of(model, optimizer)

    wanted, found = run(False), run(True)
    assert count("begin") == 3
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_a_graph_is_kept_for_the_next_epoch_and_let_go_with_the_optimizer():
    *_, optimizer = trained(nesterov, Small, [partial(batches, 5)] * 3, True)
    assert count("begin") == 1
    held = weakref.ref(vars(optimizer)["_captured_step"])
    assert vars(copy.deepcopy(optimizer))["_captured_step"].graph is None
    gc.collect()
    gc.disable()
    try:
        del optimizer
        assert held() is None
    finally:
        gc.enable()


# What cannot be recorded.


class Reads(nn.Module):
    """A layer that reads a number."""

    def forward(self, x):
        float(x.data.sum())
        return x


class Uploads(nn.Module):
    """A layer that brings an array from the host."""

    def forward(self, x):
        return x * to_device(np.ones(8, "f4"))


class Joins(nn.Module):
    """A layer that joins many arrays, for which CuPy uploads their addresses."""

    def forward(self, x):
        parts = [x[:, i % 8 : i % 8 + 1] for i in range(16)]
        return functional.concatenate(parts, axis=1)[:, :8]


class Multiplies(nn.Module):
    """A layer with a product by the library's own function."""

    def forward(self, x):
        backend.xp.matmul(x.data, x.data.T)
        return x


class Counts(nn.Module):
    """A layer whose factor is another one at each step."""

    def __init__(self):
        self.factors = iter(np.linspace(1, 2, 1000))

    def forward(self, x):
        return x * float(next(self.factors))


def with_layer(layer):
    nn.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 8), layer(), nn.Linear(8, 4))


@pytest.mark.parametrize(
    ("layer", "why"),
    [(Reads, "D2H"), (Uploads, "H2D"), (Joins, "H2D"), (Multiplies, "cuBLAS")],
)
def test_a_step_that_cannot_be_recorded_runs_as_usual_and_a_warning_says_why(layer, why):
    make, model, epochs = nesterov, partial(with_layer, layer), [partial(batches, 8)] * 2
    wanted = trained(make, model, epochs, False)
    with pytest.warns(
        match=f"^cuda_graph: the step cannot be recorded .*{why}.*step by step$"
    ) as told:
        found = trained(make, model, epochs, True)
    assert len(told) == 1 and (count("begin"), count("end"), count("launch")) == (1, 1, 0)
    assert found[:2] == wanted[:2]
    for name, value in wanted[2].items():
        np.testing.assert_array_equal(found[2][name], value, err_msg=name)


def test_a_step_that_changes_all_the_time_is_not_recorded_again_and_again():
    now = []

    def keep(model, optimizer, i):
        now[:] = [optimizer]

    def epoch():
        for i, batch in enumerate(batches(30)):
            now[0].groups[0]["weight_decay"] = 1e-3 * i
            yield batch

    wanted = trained(nesterov, Small, [epoch], False, keep)
    with pytest.warns(match="changes from step to step") as told:
        found = trained(nesterov, Small, [epoch], True, keep)
    assert len(told) == 1 and count("begin") == graph.IN_VAIN and found[:2] == wanted[:2]


class Averages(nn.Module):
    """A layer that replaces its array at each step, which its result does not depend on."""

    def __init__(self):
        self.mean = backend.xp.zeros(8, dtype="f4")

    def forward(self, x):
        self.mean = self.mean * 0.5 + x.data.sum(axis=0)
        return x


def scaled():
    """A model with a factor that is a tensor and no Parameter."""
    model = with_layer(nn.ReLU)
    model.scale = Tensor(backend.xp.ones(4, dtype="f4"), requires_grad=True)
    model.forward = lambda x: nn.Sequential.forward(model, x) * model.scale
    return model


def with_scale(model):
    return optim.SGD([*model.parameters(), model.scale], lr=0.1, momentum=0.9)


@pytest.mark.parametrize(
    ("make", "model", "why"),
    [
        (nesterov, partial(with_layer, Averages), "the model's attributes have changed"),
        (with_scale, scaled, "joins gradients"),
        (nesterov, scaled, "scale requires a gradient"),
    ],
)
def test_what_a_graph_would_not_repeat_runs_as_usual(make, model, why):
    wanted = trained(make, model, [partial(batches, 8)], False)
    with pytest.warns(match=f"^cuda_graph: .*{why}.*step by step$"):
        found = trained(make, model, [partial(batches, 8)], True)
    assert count("launch") == 0 and found[:2] == wanted[:2]
    for name, value in wanted[2].items():
        np.testing.assert_array_equal(found[2][name], value, err_msg=name)


def test_a_number_of_the_host_that_changes_from_step_to_step_is_noticed():
    with pytest.warns(match="gives other numbers than the same step as usual"):
        losses, _, _, optimizer = trained(
            nesterov, partial(with_layer, Counts), [partial(batches, 8)], True
        )
    assert count("launch") == 1 and np.isfinite(losses).all()
    assert optimizer.steps == 8


def test_an_error_of_the_step_itself_is_raised_and_an_interrupt_too():
    class Fails(nn.Module):
        def __init__(self):
            self.runs = iter(range(100))

        def forward(self, x):
            if next(self.runs) == 4:
                raise self.error
            return x

    for error in (KeyboardInterrupt, ValueError):
        Fails.error = error("in the capture")
        model = with_layer(Fails)
        optimizer = nesterov(model)
        with backend.using(cuda_graph=True), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if error is KeyboardInterrupt:
                with pytest.raises(KeyboardInterrupt):
                    train_epoch(model, batches(8), optimizer)
                assert optimizer.steps == 4
            else:
                train_epoch(model, batches(8), optimizer)
                assert optimizer.steps == 8
        assert NOW.notes is None and NOW.calls[-1] == ("wait", "null", "own")


def dropout():
    nn.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.1), nn.Linear(12, 4))


class Half(optim.SGD):
    """An optimizer of one's own."""


OBSTACLES = {
    "loss scaling": (Small, lambda model: optim.GradScaler(nesterov(model))),
    "averaging": (Small, lambda model: optim.Lookahead(nesterov(model), model, steps=8)),
    "Half is none of": (Small, lambda model: Half(model.parameters(), lr=0.1)),
    r"dropout \(1\)": (dropout, nesterov),
    "last.bias requires a gradient": (
        Small,
        lambda model: optim.SGD(model.parameters()[:-1], lr=0.1),
    ),
}


@pytest.mark.parametrize("why", OBSTACLES)
def test_what_is_known_not_to_work_is_not_tried(why):
    model, make = OBSTACLES[why]
    wanted = trained(make, model, [partial(batches, 6)], False)
    with pytest.warns(match=f"^cuda_graph: {why}.*; training continues step by step$"):
        found = trained(make, model, [partial(batches, 6)], True)
    assert found[0] == wanted[0] and not NOW.calls


def test_functions_that_stand_in_run():
    calls = []

    def relu(x):
        calls.append(x)
        return ops.relu.default(x)

    with ops.standing_in(relu=relu), pytest.warns(match="functions run in place of relu;"):
        trained(nesterov, Small, [partial(batches, 6)], True)
    assert len(calls) == 6 and not NOW.calls


def test_weights_without_a_kernel_are_not_recorded_with_a_fixed_rate():
    """float16 weights are updated by the plain form."""

    def model():
        nn.manual_seed(0)
        layers = nn.Sequential(nn.Flatten(), nn.Linear(12, 4))
        return layers.astype("float16")

    with pytest.raises(TypeError, match="sgd_kernel: there is none for weights of float16"):
        trained(nesterov, model, [partial(batches, 6)], True)


def test_a_handle_that_cannot_be_made_is_said(monkeypatch):
    def fails(stream):
        raise OSError("libcublas.so: cannot open")

    wanted = trained(nesterov, Small, [partial(batches, 6)] * 2, False)
    with (
        ops.without("products_noted"),
        pytest.warns(match="cannot be recorded .*libcublas.so") as told,
    ):
        monkeypatch.setattr(graph, "Cublas", lambda *arguments: fails(None))
        found = trained(nesterov, Small, [partial(batches, 6)] * 2, True)
    assert found[:2] == wanted[:2] and len(told) == 1


def test_plain_forms_are_left_alone():
    with ops.plain():
        trained(nesterov, Small, [partial(batches, 5)], True)
    assert not NOW.calls


@pytest.mark.parametrize("name", ["numpy", "strict"])
def test_elsewhere_the_switch_changes_nothing(name):
    with backend.using(name, cuda_graph=True):
        assert "train_epoch" not in ops.forms.in_use()
    with backend.using(cuda_graph=True):
        assert ops.forms.in_use()["train_epoch"] == ["train_epoch_captured"]


# How it is done.


def test_the_step_is_that_of_train_epoch():
    """Line by line, but for where the model and the optimizer come from."""

    def lines(function):
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        loops = [node for node in ast.walk(tree) if isinstance(node, ast.For)]
        body = (loops[0] if loops else tree.body[0]).body
        return [ast.unparse(node).replace("self.", "") for node in body]

    assert lines(graph.CapturedStep._step)[:-1] == lines(train.train_epoch.plain)[:-1]


def test_the_stream_waits_for_what_came_before_and_is_waited_for():
    trained(nesterov, Small, [partial(batches, 6)], True)
    assert NOW.calls[:2] == [("record", "null"), ("wait", "own", "null")]
    assert NOW.calls[-2:] == [("record", "own"), ("wait", "null", "own")]
    assert [name for name, *_ in NOW.calls[2:-2]] == [
        "free_all_blocks", "free_all_blocks", "begin", "end", "launch", "launch", "launch",
    ]  # fmt: skip


def test_an_epoch_that_fails_leaves_the_stream():
    def epoch():
        yield from batches(5)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        trained(nesterov, Small, [epoch], True)
    assert NOW.stream is None and NOW.calls[-1] == ("wait", "null", "own")


def test_the_graphs_own_pool_counts_as_memory_in_use(monkeypatch):
    asked = []

    def memory_here():
        return 8 << 30, 6 << 30

    def noted(self):
        asked.append((self.pool.used_bytes(), read(self)))
        return asked[-1][1]

    read = graph.CapturedStep._memory
    monkeypatch.setattr(graph.CapturedStep, "_memory", noted)
    monkeypatch.setattr(recorder, "memory_here", memory_here)
    trained(nesterov, net, [partial(batches, 5)], True)
    assert asked and any(used for used, _ in asked)
    assert all(found == (8 << 30, (8 << 30) - used) for used, found in asked)


def numbers(value):
    """All numbers in a note, without addresses."""
    if isinstance(value, partial):
        yield getattr(value.func, "__name__", "")
        for part in (*value.args, *value.keywords.values()):
            yield from numbers(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, (bool, int, float, str, np.generic)):
        if not isinstance(value, int) or abs(value) < 1 << 32:
            yield value


def recorded_after(steps, make, monkeypatch):
    monkeypatch.setattr(graph, "WARM_UP", steps)
    *_, optimizer = trained(make, net, [partial(batches, steps + 1)], True)
    return [list(numbers(note)) for note in vars(optimizer)["_captured_step"].graph.notes]


@each_optimizer
def test_no_number_that_is_recorded_differs_between_two_steps(name, half, monkeypatch):
    """What differed would be kept by the graph: of kernels, of products and of NumPy's functions."""
    with backend.autocast(half):
        fifth, sixth = (recorded_after(steps, OPTIMIZERS[name], monkeypatch) for steps in (4, 5))
    assert len(fifth) > 50 and fifth == sixth


@pytest.mark.parametrize("name", ["Nesterov", "Adam"])
def test_of_a_step_as_usual_the_numbers_of_the_update_alone_differ(name, monkeypatch):
    """So the test above sees a learning rate that is passed by value."""
    launches, launch = [], shim.launch_here

    def noted(source, function, blocks, block, arguments):
        launches.append((function, [a for a in arguments if isinstance(a, np.generic)]))
        launch(source, function, blocks, block, arguments)

    monkeypatch.setattr(shim, "launch_here", noted)
    monkeypatch.setattr(recorder, "launch_noted", noted)
    model = net()
    optimizer, of_steps = OPTIMIZERS[name](model), []
    with ops.standing_in(launch=noted):
        for batch in batches(6):
            launches.clear()
            train_epoch(model, [batch], optimizer)
            of_steps.append([*launches])
    differing = [a[0].partition("<")[0] for a, b in zip(*of_steps[4:]) if a != b]
    assert differing == [{"Nesterov": "sgd", "Adam": "adam"}[name]]


def test_a_replayed_step_asks_little_of_the_host():
    """Calls of Python functions, NumPy's stand-ins for CuPy left out. `-s` prints them."""
    found = {}
    for on in (False, True):
        calls = []

        def note(frame, event, argument):
            if event == "call" and "/minires/" in frame.f_code.co_filename:
                calls.append(frame.f_code.co_name)

        def epoch():
            for i, batch in enumerate(batches(8)):
                if i == 7:
                    calls.clear()
                    sys.setprofile(note)
                yield batch
                sys.setprofile(None)

        trained(nesterov, net, [epoch], on)
        found[on] = len(calls)
    print(f"Python calls of a step: {found[False]}, of a replayed one {found[True]}")
    assert found[True] < found[False] / 4


def test_the_results_of_a_step_outlive_the_next_launch():
    kept = []

    class Keeps(Meter):
        def update(self, loss, logits, labels):
            kept.append(
                (
                    loss.data,
                    np.array(recorder.bare(loss.data)),
                    logits.data,
                    np.array(recorder.bare(logits.data)),
                )
            )
            super().update(loss, logits, labels)

    model = Small()
    with backend.using(cuda_graph=True):
        train_epoch(model, batches(9), nesterov(model), meter=Keeps())
    for loss, seen, logits, seen_logits in kept:
        np.testing.assert_array_equal(recorder.bare(loss), seen)
        np.testing.assert_array_equal(recorder.bare(logits), seen_logits)


def tiny(name, *, num_classes, in_channels, **options):
    return models.ResNet(
        models.BasicBlock, (1, 1), (4, 8), num_classes=num_classes, in_channels=in_channels
    )


def test_minires_train_uses_it(tmp_path, monkeypatch):
    """With the meter, the evaluations and the checkpoints of the command: the same weights and the same log."""
    parts = [
        part.part(slice(size), mean=part.mean, std=part.std)
        for part, size in zip(data.digits(), (27, 4, 4))
    ]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data, "digits", lambda: parts)
    monkeypatch.setattr(models, "build", tiny)
    for name in ("plain", "graph"):
        words = ["--epochs", "2", "--batch-size", "4", "--name", name]
        with pytest.raises(SystemExit) as done:
            cli.main(["train", *words, *["--cuda-graph"] * (name == "graph")])
        assert done.value.code == 0
        assert count("begin") == (name == "graph")
    assert count("launch") == 12 - graph.WARM_UP
    (a, _), (b, _) = (
        checkpoint.load_weights(f"runs/{name}/weights.safetensors") for name in ("plain", "graph")
    )
    assert a.keys() == b.keys()
    for name, value in a.items():
        np.testing.assert_array_equal(b[name], value, err_msg=name)
    logs = [runs.Run(f"runs/{name}").log() for name in ("plain", "graph")]
    for row in (*logs[0], *logs[1]):
        del row["seconds"]
    assert len(logs[0]) == 2 and logs[0] == logs[1]
