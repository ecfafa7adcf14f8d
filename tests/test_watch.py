"""The statistics that watch records, against plain NumPy; watching a network does not change it."""

import functools
import gc
import itertools
import math
import pickle
import threading
import weakref
from contextlib import nullcontext

import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minires import Tensor, data, models, nn, no_grad, ops, optim, show, train, watch
from minires import functional as F
from minires.backend import carried, settings, to_device, to_host
from minires.watch import Row

pytestmark = pytest.mark.usefixtures("each_backend")

FLOAT32 = 2e-5  # rtol of numbers that were computed in float32 in a different order


@pytest.fixture(autouse=True)
def seeded(each_backend):
    nn.manual_seed(0)


def random(*shape, seed=1):
    return numpy.random.default_rng(seed).normal(size=shape).astype(numpy.float32)


def statistics(array):
    array = array.astype(numpy.float64)
    return array.mean(), array.std(), (array == 0).mean()


def names(watched):
    return [row.layer for row in watched.rows]


def mlp():
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))


def test_statistics_of_a_perceptron_are_those_of_its_formulas():
    model, x, labels = mlp(), random(4, 5), numpy.array([0, 2, 1, 2])
    with watch.layers(model) as watched:
        F.cross_entropy(model(Tensor(to_device(x))), to_device(labels)).backward()

    w1, b1, w2, b2 = (
        to_host(parameter.data).astype(numpy.float64) for parameter in model.parameters()
    )
    before = x @ w1 + b1
    hidden = numpy.maximum(before, 0)
    logits = hidden @ w2 + b2
    share = numpy.exp(logits) / numpy.exp(logits).sum(axis=1, keepdims=True)
    g_logits = (share - numpy.eye(3)[labels]) / 4
    g_hidden = g_logits @ w2.T
    expected = [
        (0, "0.linear", 0, *statistics(before), *statistics(g_hidden * (before > 0))),
        (0, "1.relu", 1, *statistics(hidden), *statistics(g_hidden)),
        (0, "2.linear", 2, *statistics(logits), *statistics(g_logits)),
    ]
    assert [row[:3] for row in watched.rows] == [row[:3] for row in expected]
    for row, wanted in zip(watched.rows, expected):
        assert_allclose(row[3:], wanted[3:], rtol=FLOAT32, atol=1e-7)
    assert 0 < watched.rows[1].activation_zeros == watched.rows[0].gradient_zeros < 1


@pytest.mark.parametrize("plain", [False, True])
def test_statistics_of_a_residual_block_are_those_of_its_arrays_taken_one_by_one(plain):
    """The oracle cuts the network at each layer and puts a leaf there, whose gradient is the layer's.

    A fused block gives way while it is watched: each of its ops is a layer.
    """
    block = models.BasicBlock(3, 4, stride=2)
    x = random(2, 6, 5, 3)
    weight = random(2, 3, 3, 4, seed=2)
    with ops.plain() if plain else nullcontext(), watch.layers(block) as watched:
        (block(Tensor(to_device(x))) * Tensor(to_device(weight))).sum().backward()

    norms = (block.bn1, block.bn2, block.downsample[1])

    def norm(module, x):
        return F.batch_norm(x, module.weight, module.bias, eps=module.eps)

    def convolved(module, x):
        return F.conv2d(x, module.weight, stride=module.stride, padding=module.padding)

    shortcut = {
        "downsample.0.conv2d": lambda v: convolved(block.downsample[0], v["x"]),
        "downsample.1.batch_norm": lambda v: norm(norms[2], v["downsample.0.conv2d"]),
    }
    steps = {  # name -> from the values before to its own
        "conv1": lambda v: convolved(block.conv1, v["x"]),
        "bn1": lambda v: norm(norms[0], v["conv1"]),
        "relu": lambda v: F.relu(v["bn1"]),
        "conv2": lambda v: convolved(block.conv2, v["relu"]),
        "bn2": lambda v: norm(norms[1], v["conv2"]),
        **shortcut,
        "relu(2)": lambda v: F.relu(v["bn2"] + v["downsample.1.batch_norm"]),
    }
    assert names(watched) == list(steps)
    for row in watched.rows:
        values = {"x": Tensor(to_device(x))}
        for name, step in steps.items():
            values[name] = step(values)
            if name == row.layer:
                leaf = values[name] = Tensor(values[name].data, requires_grad=True)
        (values[list(steps)[-1]] * Tensor(to_device(weight))).sum().backward()
        assert_allclose(
            row[3:6], statistics(to_host(leaf.data)), rtol=FLOAT32, atol=1e-6, err_msg=row.layer
        )
        assert_allclose(
            row[6:9], statistics(to_host(leaf.grad)), rtol=FLOAT32, atol=1e-6, err_msg=row.layer
        )


def test_the_numbers_are_right_where_their_squares_are_none_in_float32():
    model = nn.ReLU()
    x = Tensor(to_device(numpy.array([3e30, 1e30, -1e30, 0], numpy.float32)), requires_grad=True)
    with watch.layers(model) as watched:
        y = model(x)
        y.backward(to_device(numpy.array([1e-30, 3e-30, 0, 0], numpy.float32)))
    (row,) = watched.rows
    assert_allclose(row[3:6], (1e30, math.sqrt(1.5) * 1e30, 0.5), rtol=1e-6)
    assert_allclose(row[6:9], (1e-30, math.sqrt(1.5) * 1e-30, 0.5), rtol=1e-6)


def run(model, batches):
    """Return the losses of a few training steps, and all parameters and buffers after them."""
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for x, labels in batches:
        loss = F.cross_entropy(model(Tensor(to_device(x))), to_device(labels))
        optimizer.zero_grad()
        loss.backward()
        losses.append(to_host(loss.data).tobytes())
        losses += [to_host(parameter.grad).tobytes() for parameter in model.parameters()]
        optimizer.step()
    return losses, {name: array.tobytes() for name, array in model.state_dict().items()}


@pytest.mark.parametrize(
    "stem, block", [("cifar", models.BasicBlock), ("imagenet", models.PreActivationBottleneck)]
)
def test_training_is_bit_for_bit_the_same_when_it_is_watched(stem, block):
    batches = [(random(4, 16, 16, 3, seed=i), numpy.array([0, 3, 1, i])) for i in range(3)]

    def make():
        nn.manual_seed(5)
        return models.ResNet(block, (1, 1), (4, 8), stem=stem, num_classes=4)

    plain = run(make(), batches)
    model = make()
    with watch.layers(model, every=2) as watched:
        seen = run(model, batches)
    assert plain == seen
    assert sorted({row.step for row in watched.rows}) == [0, 2]


@pytest.mark.parametrize("plain", [False, True])
def test_layers_of_resnet20_come_in_the_order_of_the_pass(plain):
    model = models.resnet20(in_channels=1)
    with ops.plain() if plain else nullcontext(), watch.layers(model) as watched:
        F.cross_entropy(
            model(Tensor(to_device(random(2, 8, 8, 1)))), to_device(numpy.array([1, 2]))
        ).backward()
    found = names(watched)
    convolutions = ["", *(f"layer{i}.{j}." for i in (1, 2, 3) for j in (0, 1, 2))]
    expected = []
    for path in convolutions:
        for i in (1, 2) if path else (1,):
            expected += [f"{path}conv{i}", f"{path}bn{i}", f"{path}relu" + "(2)" * (i == 2)]
    assert found == [*expected, "avgpool", "fc"]
    assert len(found) == len(set(found)) == 19 * 3 + 2
    assert [row.depth for row in watched.rows] == list(range(len(found)))
    assert all(math.isfinite(number) for row in watched.rows for number in row[3:])


def test_every_watched_op_is_noted_under_the_name_of_its_module():
    class Net(nn.Module):
        def __init__(self):
            self.conv, self.norm, self.active = nn.Conv2d(1, 2, 3), nn.BatchNorm(2), nn.ReLU()
            self.largest = nn.MaxPool2d(2)
            self.average = nn.AvgPool2d(2)
            self.all = nn.GlobalAvgPool()
            self.last = nn.Linear(2, 2)
            self.weight = nn.Parameter(to_device(random(2, 2)))

        def forward(self, x):
            x = self.last(
                self.all(self.average(self.largest(self.active(self.norm(self.conv(x))))))
            )
            return F.tanh(F.sigmoid(F.relu(x @ self.weight)))

    model = Net()
    x = Tensor(to_device(random(2, 10, 10, 1)))
    for training, plain in itertools.product((True, False), (False, True)):
        with (
            ops.plain() if plain else nullcontext(),
            watch.layers(model.train(training)) as watched,
        ):
            model(x)
        assert names(watched) == [
            "conv",
            "norm",
            "active",
            "largest",
            "average",
            "all",
            "last",
            "matmul",
            "relu",
            "sigmoid",
            "tanh",
        ]


def test_a_module_that_is_used_twice_is_two_layers():
    class Twice(nn.Module):
        def __init__(self):
            self.inner, self.active = nn.Linear(3, 3), nn.ReLU()
            self.again = self.inner

        def forward(self, x):
            return self.again(self.active(self.active(self.inner(x))))

    model, x = Twice(), random(2, 3)
    with watch.layers(model) as watched:
        y = model(Tensor(to_device(x)))
        y.sum().backward()
    assert names(watched) == ["inner", "active", "active(2)", "inner(2)"]
    assert_allclose(watched.rows[3][3:6], statistics(to_host(y.data)), rtol=FLOAT32)
    assert watched.rows[3][6:9] == (1, 0, 0)  # the gradient of a sum
    assert watched.rows[0].activation_mean != watched.rows[3].activation_mean


def test_a_model_within_a_model_is_no_pass_of_its_own():
    inner = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    model = nn.Sequential(inner, nn.Linear(3, 3), inner)
    with watch.layers(model) as watched:
        model(Tensor(to_device(random(2, 3))))
        inner(Tensor(to_device(random(2, 3))))  # running a part is not a pass of the model
        F.relu(Tensor(to_device(random(2, 3))))  # nor is an op outside
        mlp()(Tensor(to_device(random(2, 5))))  # nor another model
    assert names(watched) == ["0.0.linear", "0.1.relu", "1.linear", "0.0.linear(2)", "0.1.relu(2)"]
    with watch.layers(inner) as watched:
        model(Tensor(to_device(random(2, 3))))
    assert [(row.step, row.layer) for row in watched.rows] == [
        (0, "0.linear"),
        (0, "1.relu"),
        (1, "0.linear"),
        (1, "1.relu"),
    ]


def test_a_model_that_calls_itself_runs_once():
    class Again(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(3, 3)

        def forward(self, x, times=2):
            x = self.linear(x)
            return self(x, times - 1) if times else x

    model = Again()
    with watch.layers(model) as watched:
        model(Tensor(to_device(random(2, 3))))
    assert [(row.step, row.layer) for row in watched.rows] == [
        (0, "linear"),
        (0, "linear(2)"),
        (0, "linear(3)"),
    ]


def test_without_a_graph_there_are_no_gradients():
    model = models.ResNet(models.BasicBlock, (1,), (4,), num_classes=3).eval()
    with watch.layers(model) as watched, no_grad():
        y = model(Tensor(to_device(random(2, 5, 5, 3))))
    assert (
        names(watched)[:4] == ["conv1", "bn1", "relu", "layer1.0.conv1"]
        and names(watched)[-1] == "fc"
    )
    assert all(row[6:9] == (None, None, None) for row in watched.rows)
    assert_allclose(watched.rows[-1][3:6], statistics(to_host(y.data)), rtol=FLOAT32)


def test_the_way_back_may_begin_after_the_block():
    model = mlp()
    with watch.layers(model) as watched:
        loss = model(Tensor(to_device(random(2, 5)))).sum()
    assert watched.rows[2].gradient_mean is None
    loss.backward()
    assert watched.rows[2][6:9] == (1, 0, 0)


def untouched():
    return nn.Module.__call__, {name: getattr(ops, name) for name in dir(ops)}, settings().stand_ins


def test_ops_and_modules_are_as_before_afterwards():
    before, model = untouched(), mlp()
    attributes = {name: dict(vars(module)) for name, module in model.modules()}
    with watch.layers(model):
        model(Tensor(to_device(random(2, 5))))
        assert "relu" in settings().stand_ins
    assert untouched() == before
    assert {name: dict(vars(module)) for name, module in model.modules()} == attributes


def test_an_error_in_the_block_leaves_everything_as_before():
    before, model = untouched(), mlp()
    watched = watch.Watch(model)
    with pytest.raises(ValueError, match="linear: expected an x with 5 features"), watched.at(3):
        model(Tensor(to_device(random(2, 6))))
    assert untouched() == before and watched.rows == []
    with watched.at(3):
        with pytest.raises(ValueError, match="linear: expected an x with 5 features"):
            model[0](Tensor(to_device(random(2, 6))))
        model(Tensor(to_device(random(2, 5))))
    assert untouched() == before and names(watched) == ["0.linear", "1.relu", "2.linear"]


def test_a_pass_that_broke_off_does_not_count_as_running():
    class Fragile(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(3, 3)

        def forward(self, x):
            if len(x) == 1:
                F.relu(x)
                raise RuntimeError("broken")
            return self.inner(x)

    model = Fragile()
    with watch.layers(model) as watched:
        with pytest.raises(RuntimeError, match="broken"):
            model(Tensor(to_device(random(1, 3))))
        F.relu(Tensor(to_device(random(1, 3))))
        model(Tensor(to_device(random(2, 3))))
    assert [(row.step, row.layer) for row in watched.rows] == [(0, "relu"), (1, "inner")]


def test_two_may_watch_at_once():
    before, model = untouched(), mlp()
    with watch.layers(model) as outer, watch.layers(model, first=5) as inner:
        model(Tensor(to_device(random(2, 5)))).sum().backward()
    assert untouched() == before
    assert [row[1:] for row in outer.rows] == [row[1:] for row in inner.rows] and {
        row.step for row in inner.rows
    } == {5}


def test_threads_that_watch_one_model_record_their_own_passes_alone():
    model, x, rows = mlp(), Tensor(to_device(random(2, 5))), {}
    attributes = {name: dict(vars(module)) for name, module in model.modules()}
    first_is_in, second_is_in, first_is_out = (threading.Event() for _ in range(3))

    def first():
        with watch.layers(model) as watched:
            first_is_in.set()
            second_is_in.wait(60)
            model(x)
        first_is_out.set()
        rows["first"] = names(watched)

    def second():
        first_is_in.wait(60)
        with watch.layers(model) as watched:
            second_is_in.set()
            first_is_out.wait(60)
            model(x)
            model(x)
        rows["second"] = names(watched)

    threads = [threading.Thread(target=carried(run)) for run in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows == {
        "first": ["0.linear", "1.relu", "2.linear"],
        "second": ["0.linear", "1.relu", "2.linear"] * 2,
    }
    assert {name: dict(vars(module)) for name, module in model.modules()} == attributes


def test_a_pass_in_another_thread_is_not_recorded():
    model, x = mlp(), Tensor(to_device(random(2, 5)))
    elsewhere = carried(lambda: model(x))
    with watch.layers(model) as watched:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        model(x)
        pickle.dumps(model)
    assert [(row.step, row.layer) for row in watched.rows] == [
        (0, "0.linear"), (0, "1.relu"), (0, "2.linear")
    ]  # fmt: skip


def test_a_stand_in_that_was_there_before_is_watched_and_stays():
    def doubled(x):
        return x * 2, lambda g: (g * 2,)

    x = Tensor(to_device(numpy.array([1, 3], numpy.float32)), requires_grad=True)
    model = nn.ReLU()
    with ops.standing_in(relu=doubled):
        with watch.layers(model) as watched:
            model(x).sum().backward()
        assert settings().stand_ins == {"relu": doubled}
    assert_array_equal(to_host(x.grad), [2, 2])
    assert watched.rows[0][3:] == (4, 2, 0, 1, 0, 0)


def test_a_watched_op_shows_its_own_source_and_what_its_backward_saves():
    model, x = nn.ReLU(), Tensor(to_device(random(2, 3)), requires_grad=True)
    with watch.layers(model):
        y = model(x)
        assert show.source(ops.relu).startswith("@op\ndef relu(x):")
    assert y.node.op == "relu"
    assert show.saved(y) == [("positive", (2, 3), "bool", 6)]


def test_no_activation_is_kept(each_backend):
    if each_backend != "numpy":
        pytest.skip("other arrays cannot be referred to weakly")

    class Net(nn.Module):
        def forward(self, x):
            y = F.relu(x)
            references.append(weakref.ref(y.data))
            return y.sum()

    references, model = [], Net()
    gc.disable()
    try:
        with watch.layers(model) as watched:
            model(Tensor(random(4, 4), requires_grad=True)).backward()
            assert references[0]() is None
        assert len(watched.rows) == 1
    finally:
        gc.enable()


def test_steps_that_are_asked_for_are_noted_and_no_others():
    model = mlp()
    model[0].weight.data[...], model[0].bias.data[...] = 1, 0
    watched = watch.Watch(model)
    for step in range(6):
        x = Tensor(to_device(numpy.full((2, 5), step, numpy.float32)))
        if step in (1, 4):
            with watched.at(step):
                model(x)
                model(x * 100)  # a second pass is not the step's
        else:
            model(x)
    assert [(row.step, row.depth) for row in watched.rows] == [
        (1, 0),
        (1, 1),
        (1, 2),
        (4, 0),
        (4, 1),
        (4, 2),
    ]
    assert [row.activation_mean for row in watched.rows if row.depth == 0] == [5, 20]


def test_each_pass_is_a_step_and_every_which_is_noted_counts_from_zero():
    model = mlp()
    with watch.layers(model, first=8, every=5) as watched:
        for value in range(8, 17):
            model[0].bias.data[...] = value
            model(Tensor(to_device(numpy.zeros((2, 5), numpy.float32))))
    assert [(row.step, row.activation_mean) for row in watched.rows if row.depth == 0] == [
        (10, 10),
        (15, 15),
    ]
    for every in (0, -1, 1.5, "2"):
        with pytest.raises(ValueError, match="every: expected a whole number of at least 1, got"):
            watch.layers(model, every=every)


def test_an_epoch_of_the_loop_can_be_watched():
    part = data.digits()[1]
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    watched = watch.Watch(model)
    with watched.each(first=100, every=2):
        train.train_epoch(model, data.batches(part, 50, seed=0), optimizer)
    assert [(row.step, row.layer) for row in watched.rows] == [(100, "1.linear"), (102, "1.linear")]
    assert all(row.gradient_std > 0 for row in watched.rows)


ROWS = [
    Row(0, "conv1", 0, 0.1, 1 / 3, 0.0, -1e-300, math.inf, 1.0),
    Row(0, 'odd, "name"', 1, 0.1, 2.0, 0.5, None, None, None),
    Row(5, "conv1", 0, 1e30, 2.0, 0.5, math.nan, 0.0, 0.0),
]


def test_rows_come_back_from_a_file_digit_for_digit(tmp_path):
    watch.write(tmp_path / "layers.csv", ROWS)
    assert repr(watch.read(tmp_path / "layers.csv")) == repr(ROWS)
    lines = (tmp_path / "layers.csv").read_text(encoding="utf-8").splitlines()
    assert (
        lines[0]
        == "step,layer,depth,activation_mean,activation_std,activation_zeros,gradient_mean,gradient_std,gradient_zeros"
    )
    assert lines[1] == "0,conv1,0,0.1,0.3333333333333333,0.0,-1e-300,inf,1.0"
    assert lines[2] == '0,"odd, ""name""",1,0.1,2.0,0.5,,,'


def test_a_run_that_goes_on_forgets_the_rows_from_its_step_on_and_keeps_those_before(tmp_path):
    watch.write(tmp_path / "layers.csv", ROWS)
    assert watch.read(tmp_path / "layers.csv", before=5) == ROWS[:2]
    assert watch.read(tmp_path / "layers.csv", before=0) == []
    model = nn.ReLU()
    watched = watch.Watch(model, rows=watch.read(tmp_path / "layers.csv", before=5))
    with watched.each(first=5):
        model(Tensor(to_device(random(2, 3))))
    assert [(row.step, row.layer) for row in watched.rows] == [
        (0, "conv1"),
        (0, 'odd, "name"'),
        (5, "relu"),
    ]


def test_a_step_that_is_watched_again_has_the_newer_rows():
    model = nn.ReLU()
    watched = watch.Watch(
        model, rows=[Row(1, "older", 0, *[0.0] * 6), Row(2, "older", 0, *[0.0] * 6)]
    )
    for value in (3, 4):
        with watched.at(2):
            model(Tensor(to_device(numpy.full((2,), value, numpy.float32))))
    assert [(row.step, row.layer, row.activation_mean) for row in watched.rows] == [
        (1, "older", 0),
        (2, "relu", 4),
    ]


@pytest.mark.parametrize("text, message", [
    ("", "expected rows of layers, with the first line step,layer,depth"),
    ("epoch,loss\n1,2\n", "expected rows of layers"),
    (",".join(Row._fields) + "\n0,a,0,1,1,1,1,1,1\n0,a,0,1,1,x,1,1,1\n", "is damaged in line 3 .*'x'"),
    (",".join(Row._fields) + "\n0,a,0,1,1\n", "is damaged in line 2 .*expected 9 values"),
])  # fmt: skip
def test_a_file_of_something_else_is_refused(tmp_path, text, message):
    (tmp_path / "layers.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        watch.read(tmp_path / "layers.csv")


def watched_rows(model, x, labels, steps=1):
    with watch.layers(model) as watched:
        for _ in range(steps):
            F.cross_entropy(model(Tensor(to_device(x))), to_device(labels)).backward()
    return watched.rows


@functools.cache
def images():
    return random(4, 16, 16, 3), numpy.array([1, 5, 9, 0])


def test_nothing_stands_out_in_healthy_nets():
    for model in (
        models.resnet20(),
        models.build("resnet56", shortcut="B"),
        models.resnet20(preactivation=True),
    ):
        assert watch.findings(watched_rows(model, *images())) == []
    assert watch.findings([]) == []


def test_a_plain_net_of_56_layers_explodes_on_the_way_back_and_a_residual_one_does_not():
    """Mean field theory of batch norm: the gradient grows 1.2-fold per layer. Source  Yang et al. 2019."""
    growth = {}
    for shortcut in ("A", "none"):
        rows = watched_rows(models.build("resnet56", shortcut=shortcut), *images())
        deviations = {row.layer: row.gradient_std for row in rows}
        growth[shortcut] = deviations["layer1.0.conv1"] / deviations["layer3.8.conv2"]
        found = watch.findings(rows)
        assert len(found) == (shortcut == "none")
    assert growth["none"] > 1000 > 50 > growth["A"]
    assert found[0].startswith("the gradient's standard deviation goes from ") and found[
        0
    ].endswith("in conv1 at step 0: it explodes")


def test_a_deep_net_of_sigmoids_vanishes_on_the_way_back():
    class Sigmoid(nn.Module):
        def forward(self, x):
            return F.sigmoid(x)

    model = nn.Sequential(
        *(part for _ in range(12) for part in (nn.Linear(8, 8), Sigmoid())), nn.Linear(8, 3)
    )
    rows = watched_rows(model, random(4, 8), numpy.array([0, 1, 2, 0]))
    (found,) = watch.findings(rows)
    assert (
        f"from {rows[-1].gradient_std:.2g} in 24.linear to {rows[0].gradient_std:.2g} in 0.linear at step 0: it vanishes"
        in found
    )


def test_a_dead_relu_is_found_with_the_layers_that_no_gradient_reaches():
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 7), nn.ReLU(), nn.Linear(7, 3))
    model[2].bias.data[...] = -1000
    rows = watched_rows(model, random(4, 5), numpy.array([0, 1, 2, 0]), steps=3)
    assert [row.activation_zeros for row in rows[-5:] if row.layer == "3.relu"] == [1]
    assert [row.gradient_zeros for row in rows[-5:]] == [1, 1, 1, 0, 0]
    assert watch.findings(rows) == [
        "3.relu: 100 % of its outputs are zero at step 2: dead units",
        "no gradient reaches 0.linear at step 2: it is zero there",
    ]


@pytest.mark.parametrize("plain", [False, True])
def test_a_dead_relu_within_a_residual_net_is_found(plain):
    """The branch is dead, and so is its second convolution; the shortcut still works."""
    model = models.ResNet(models.BasicBlock, (1,), (4,), num_classes=10)
    model.layer1[0].bn1.bias.data[...] = -1000
    with ops.plain() if plain else nullcontext():
        rows = watched_rows(model, *images())
    assert [row.layer for row in rows if row.gradient_zeros == 1] == [
        "layer1.0.conv1",
        "layer1.0.bn1",
    ]
    # Bn2 is zero before the shortcut is added.
    dead, more = ("layer1.0.relu", "layer1.0.conv2, layer1.0.bn2")
    assert watch.findings(rows) == [
        f"{dead}: 100 % of its outputs are zero at step 0: dead units, also in {more}"
    ]


def row(layer, depth, std=1.0, zeros=0.0, gradient=1.0, step=0):
    return Row(
        step,
        layer,
        depth,
        0.0,
        std,
        zeros,
        None if gradient is None else 0.0,
        gradient,
        None if gradient is None else 0.0,
    )


def test_activations_that_explode_or_vanish_are_found():
    assert watch.findings([row("a", 0, 1.0), row("b", 1, 50.0), row("c", 2, 4e3)]) == [
        "the activation's standard deviation goes from 1 in a to 4e+03 in c at step 0: it explodes"
    ]
    assert watch.findings([row("a", 0, 2.0), row("b", 1, 1e-5)]) == [
        "the activation's standard deviation goes from 2 in a to 1e-05 in b at step 0: it vanishes"
    ]
    assert watch.findings([row("a", 0, 2.0), row("b", 1, 1e-3)]) == []


def test_gradients_that_explode_are_found():
    assert watch.findings([row("a", 0, gradient=4e3), row("b", 1), row("c", 2, gradient=2.0)]) == [
        "the gradient's standard deviation goes from 1 in b to 4e+03 in a at step 0: it explodes"
    ]
    assert watch.findings([row("a", 0, gradient=1e3), row("b", 1), row("c", 2, gradient=2.0)]) == []


def test_the_layers_that_are_dead_with_the_first_are_named_up_to_three():
    dead = [row(name, i, zeros=1.0 if name != "b" else 0.3) for i, name in enumerate("abcdef")]
    for count, others in (
        (2, ""),
        (3, ", also in c"),
        (5, ", also in c, d, e"),
        (6, ", also in c, d, e, ..."),
    ):
        assert watch.findings(dead[:count]) == [
            f"a: 100 % of its outputs are zero at step 0: dead units{others}"
        ]


def test_only_the_last_step_is_judged_and_gradients_only_where_there_are_some():
    assert watch.findings([row("a", 0, zeros=1.0), row("a", 0, zeros=0.5, step=1)]) == []
    assert watch.findings(
        [row("a", 0, gradient=None), row("b", 1, gradient=1e-9), row("c", 2, gradient=1.0)]
    ) == ["the gradient's standard deviation goes from 1 in c to 1e-09 in b at step 0: it vanishes"]
    assert watch.findings([row("a", 0, gradient=None)]) == []


def test_the_place_where_numbers_cease_to_be_finite_is_found():
    rows = [row("a", 0), row("b", 1)]
    rows += [
        row("a", 0, step=1),
        row("b", 1, std=math.nan, step=1),
        row("c", 2, std=math.nan, gradient=math.nan, step=1),
    ]
    rows += [row("a", 0, std=math.inf, step=2)]
    assert watch.findings(rows) == [
        "b: its outputs are not finite at step 1; those of the layers before it are"
    ]
    rows = [row("a", 0, gradient=math.nan), row("b", 1, gradient=math.inf), row("c", 2)]
    assert watch.findings(rows) == [
        "b: the gradient that reaches it is not finite at step 0; those of the layers after it are"
    ]


@pytest.mark.filterwarnings("ignore:(overflow|invalid):RuntimeWarning")
def test_a_net_whose_weights_are_too_large_for_float32_is_found():
    model = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 5), nn.Linear(5, 3))
    for part in (model[0], model[2]):
        part.weight.data[...] = 1e30
    rows = watched_rows(model, abs(random(4, 5)), numpy.array([0, 1, 2, 0]))
    assert watch.findings(rows) == [
        "2.linear: its outputs are not finite at step 0; those of the layers before it are"
    ]


def test_rows_are_drawn():
    assert (
        show.layers(watched_rows(mlp(), random(4, 5), numpy.array([0, 1, 2, 0]), steps=2))
        .png()
        .startswith(b"\x89PNG")
    )
