"""The learner's functions in the engine: they do the work, every call is counted, and only within the block."""

import inspect

import numpy
import pytest

from minires import Tensor, backend, course, data, functional, models, nn, ops, optim, runs, train
from minires.course import engine, manifest
from minires.course.answers import e01a_channels_last, e02d_matmul
from minires.data import cifar
from minires.nn import init
from tests.course.solutions import e01a_channels_last as solutions_01a
from tests.course.solutions import e05c_im2col
from tests.course.solutions.e02d_matmul import einsum as by_einsum


class Net(nn.Module):
    def __init__(self):
        self.conv = nn.Conv2d(2, 3, 3, padding=1)
        self.norm = nn.BatchNorm(3)
        self.fc = nn.Linear(3, 4)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.norm(self.conv(x))), 2)
        return self.fc(functional.global_avg_pool(x * 2))


REST = """def im2col(x, *, kernel, stride=1, padding=0):
    columns, options = by_places(x, kernel, stride, padding)
    return rows(columns), back(x, *options)  # which calls col2im
"""


def step():
    """(loss, gradients) of a step of training."""
    init.manual_seed(3)
    model, rng = Net(), numpy.random.default_rng(0)
    x, labels = rng.standard_normal((5, 6, 8, 2)).astype("float32"), numpy.arange(5) % 4
    loss = functional.cross_entropy(model(Tensor(x)), labels)
    loss.backward()
    return loss.item(), [parameter.grad for parameter in model.parameters()]


def test_a_step_on_the_learners_functions_gives_the_same(classroom):
    loss, gradients = step()
    for id in ("02a", "02b", "03a", "05c", "05d", "06b", "07a", "07b", "07c"):
        classroom.answer(id)
    with engine.mine(classroom.home) as report:
        own_loss, own_gradients = step()
    assert own_loss == pytest.approx(loss, rel=1e-5)
    for own, theirs in zip(own_gradients, gradients):
        assert numpy.allclose(own, theirs, rtol=1e-3, atol=1e-5)
    assert report.calls["07a"] == report.calls["07b"] == report.calls["07c"] == 1
    assert (
        report.calls["05c"] == 2
        and report.calls["05d"] == 1
        and report.calls["06b"] == report.calls["03a"] == 1
    )
    lines = str(report).splitlines()
    assert (
        "walk_back: yours, 1 call" in lines
        and "im2col: yours, 2 calls" in lines
        and "max_pool2d: yours, 1 call" in lines
    )


def trained(make):
    """The weights after two steps of an optimizer: the second has the velocity and moments of the first, and a different learning rate."""
    init.manual_seed(5)
    model, rng = Net(), numpy.random.default_rng(6)
    optimizer = make(model.parameters())
    for _ in range(2):
        loss = functional.cross_entropy(
            model(Tensor(rng.standard_normal((5, 6, 8, 2)).astype("float32"))), numpy.arange(5) % 4
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        optimizer.lr *= 0.5
    return [backend.to_host(parameter.data) for parameter in model.parameters()]


def test_the_learners_steps_losses_layers_and_first_weights_give_the_same(classroom):
    ways = [
        lambda parameters: optim.SGD(parameters, lr=0.1, weight_decay=0.1),
        lambda parameters: optim.SGD(
            parameters, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1
        ),
        lambda parameters: optim.Adam(parameters, lr=0.1, weight_decay=0.1, eps=1e-3),
        lambda parameters: optim.AdamW(parameters, lr=0.1, weight_decay=0.1, eps=1e-3),
    ]
    theirs = [trained(make) for make in ways]
    for id in ("04b", "04c", "04d", "04e", "04f"):
        classroom.answer(id)
    with engine.mine(classroom.home) as report:
        own = [trained(make) for make in ways]
    for mine, library in zip(own, theirs):
        # The bias below a batch norm moves by rounding alone, which Adam magnifies.
        for weight, other in zip(mine, library):
            assert numpy.allclose(weight, other, rtol=1e-3, atol=1e-4)
    told = {"cross_entropy": 8, "linear": 8, "sgd": 24, "adam": 24, "kaiming": 4}
    assert {f"{name}: yours, {count} calls" for name, count in told.items()} <= set(report.lines())
    rows = report.rows()
    assert {(name, count, True) for name, count in told.items()} <= set(rows)
    assert {name for name, _, mine in rows if mine} == set(told) and "walk_back" in dict(
        (name, mine) for name, _, mine in rows
    )


def test_their_convolution_and_pooling_stand_in_for_the_librarys_faster_ones(classroom):
    loss, gradients = step()
    for id in ("05a", "05e", "06a", "06d"):
        classroom.answer(id)
    with engine.mine(classroom.home) as report:
        own_loss, own_gradients = step()
    assert own_loss == pytest.approx(loss, rel=1e-5)
    assert all(
        numpy.allclose(own, theirs, rtol=1e-3, atol=1e-5)
        for own, theirs in zip(own_gradients, gradients)
    )
    assert [report.calls[id] for id in ("05e", "06a", "06d")] == [1, 1, 1] and report.calls[
        "05a"
    ] > 1
    assert "conv2d: yours, 1 call" in str(report).splitlines()


def test_what_is_not_solved_is_the_librarys_and_says_so(classroom):
    classroom.answer("05c")
    classroom.answer("06b", "plain_pad")
    classroom.answer("02h")
    with engine.mine(classroom.home) as report:
        step()
    text = str(report)
    assert (
        "im2col: yours, 2 calls" in text and "max_pool2d: minires (yours is wrong), 1 call" in text
    )
    assert (
        "walk_back: minires (not solved yet), 1 call" in text and "not needed here: divide" in text
    )


def test_a_function_of_the_learners_that_calls_another_gets_the_learners(classroom):
    text = (
        "from minires import ops\nfrom minires.ops.conv import col2im\n"
        + inspect.getsource(e05c_im2col).split("@right")[0]
    )
    text = text.replace("MUTATED = ", "_ = ").replace(
        "from tests.course.kinds import right, wrong\n", ""
    )
    classroom.write("05c", text + REST)
    classroom.answer("05d")
    with engine.mine(classroom.home) as report:
        columns, backward = ops.im2col(numpy.ones((1, 4, 4, 1)), kernel=2)
        backward(columns)
    assert report.calls["05c"] == report.calls["05d"] == 1


def test_names_that_were_imported_before_run_the_learners_function_within_the_block_and_no_longer_after_it(
    classroom,
):
    from minires.ops import im2col

    classroom.answer("05c")
    x, before = numpy.ones((1, 4, 4, 1)), backend.settings()
    with pytest.raises(ZeroDivisionError), engine.mine(classroom.home) as report:
        im2col(x, kernel=2)
        assert report.calls["05c"] == 1 and backend.settings().plain
        raise ZeroDivisionError
    im2col(x, kernel=2)
    assert report.calls["05c"] == 1 and backend.settings() == before


def images(n):
    rng = numpy.random.default_rng(2)
    return data.Dataset(
        rng.integers(0, 256, (n, 8, 8, 3)).astype("uint8"), rng.integers(0, 4, n), list("abcd")
    )


def run_of_a_resnet():
    """(what the last epoch and a test give, the weights and statistics) of a ResNet-20 after two epochs of two steps."""
    part, rng = images(10), numpy.random.default_rng(4)
    model = models.resnet20(num_classes=4, rng=rng).astype("float64")
    optimizer = optim.SGD(model.parameters(), lr=optim.cosine(0.1, steps=4), momentum=0.9)
    for epoch in range(2):
        batches = data.batches(part, 6, seed=0, epoch=epoch, crop=1, flip=True, cutout=2)
        score = train.train_epoch(model, batches, optimizer, label_smoothing=0.1)
    return score, train.evaluate(model, data.batches(part, 4)), model.state_dict()


def test_a_residual_network_trains_on_the_learners_functions_as_on_the_librarys(classroom):
    theirs = run_of_a_resnet()
    ids = (
        "02b",
        "03a",
        "04f",
        "05c",
        "05d",
        "07a",
        "07b",
        "07c",
        "07d",
        "08a",
        "08b",
        "08c",
        "08d",
        "08e",
    )
    for id in ids:
        classroom.answer(id)
    with engine.mine(classroom.home) as report:
        own = run_of_a_resnet()
    for score, other in zip(own[:2], theirs[:2]):
        assert score[1:] == other[1:] and score.losses == pytest.approx(other.losses)
    for name, array in own[2].items():
        assert numpy.allclose(array, theirs[2][name], rtol=1e-5, atol=1e-7), name
    lines = str(report).splitlines()
    for name in map(lambda id: manifest.exercises()[id].name, ids):
        assert any(line.startswith(f"{name}: yours, ") for line in lines), name
    assert "walk_back: yours, 4 calls" in lines and "train_epoch: yours, 2 calls" in lines


def test_the_command_trains_on_them_and_reports(classroom):
    for id in ("05c", "05d", "03a", "02b"):
        classroom.answer(id)
    status, output = classroom.run(
        "train", "--mine", "--epochs", "1", "--model", "resnet20", "--batch-size", "512"
    )
    assert status == 0, output
    told = output.split("whose code ran:\n")[1]
    assert (
        "im2col: yours" in told and "col2im: yours" in told and "walk_back: yours, 3 calls" in told
    )


def test_a_run_that_is_resumed_keeps_to_the_functions_with_which_it_began_and_counts_on(classroom):
    for id in ("05c", "03a"):
        classroom.answer(id)
    words = ("--model", "resnet20", "--batch-size", "512", "--name", "a")
    status, first = classroom.run("train", "--mine", "--epochs", "1", *words)
    assert status == 0
    run = runs.Run(classroom.folder / "runs" / "a")
    before, files = run.result()["calls"], sorted(run.exercises.glob("e*.py"))
    assert (
        before["03a"] == [3, True] and before["05d"][1] is False
    )  # the library's: it isn't solved
    assert [path.name[:4] for path in files] == ["e03a", "e05c"]
    classroom.write("03a", "def walk_back(*_):\n    raise ValueError('changed since')\n")
    assert "functions that have run are minires's, not yours: 02b unbroadcast, " in " ".join(
        first.split()
    )
    status, output = classroom.run("train", "--resume", "a", "--epochs", "2")
    assert status == 0, output
    assert runs.Run(run.folder).result()["calls"]["03a"] == [6, True]
    assert "walk_back: yours, 6 calls" in output


PRODUCTS = [
    ((2, 3), (3, 5)),
    ((2, 3), (3,)),
    ((3,), (3, 5)),
    ((3,), (3,)),
    ((4, 2, 3), (3,)),
    ((3,), (4, 3, 2)),
]


@pytest.mark.parametrize("shapes", PRODUCTS)
def test_a_product_of_matrices_takes_vectors_in_the_engine(shapes):
    fitted = e02d_matmul.in_engine(by_einsum)
    a, b = (
        numpy.random.default_rng(size).standard_normal(shape) for size, shape in enumerate(shapes)
    )
    (y, backward), (expected, expected_backward) = fitted(a, b), ops.matmul(a, b)
    assert y.shape == expected.shape and numpy.allclose(y, expected)
    g = numpy.asarray(numpy.random.default_rng(9).standard_normal(y.shape))
    for own, theirs in zip(backward(g), expected_backward(g)):
        assert own.shape == theirs.shape and numpy.allclose(own, theirs)


def test_rows_of_cifar_go_through_the_device_and_back():
    rows = numpy.random.default_rng(0).integers(0, 256, (2, 3072), numpy.uint8)
    with backend.using("strict"):
        pixels = e01a_channels_last.in_engine(solutions_01a.stacked)(rows)
    assert isinstance(pixels, numpy.ndarray) and numpy.array_equal(
        pixels, cifar.channels_last(rows)
    )


def test_where_the_learners_block_stands_in_nets_are_built_as_before(classroom):
    classroom.answer("08a")
    with engine.mine(classroom.home) as report:
        plain, before = models.resnet20(), models.resnet20(preactivation=True)
    assert (
        type(plain.layer1[0]).__module__ == "tests.course.solutions.e08a_residual_block"
        and report.calls["08a"] == 9
    )
    assert isinstance(before.layer1[0], models.PreActivationBasicBlock)
    assert [*plain.state_dict()] == [*models.resnet20().state_dict()]


def test_every_target_is_a_part_of_the_library():
    parts = [exercise for exercise in manifest.exercises().values() if exercise.target]
    names = [manifest.form_name(exercise.target) for exercise in parts]
    assert None not in names
    for name in names:  # Of several that replace one function, all but one say in which case, and that one is for all.
        shared = [one.answers() for one, each in zip(parts, names) if each == name]
        assert sum(not hasattr(answers, "in_engine") for answers in shared) <= 1
    assert course.mine  # in a notebook


def test_two_exercises_may_replace_one_function_each_in_its_own_case():
    """The first that doesn't decline runs; if all decline, the library's does."""
    declines = [lambda kind, preactivation=False: NotImplemented]
    mine = [lambda kind, preactivation=False: "mine" if kind == "bottleneck" else NotImplemented]
    chosen = engine._first(declines + mine, "block_class")
    assert chosen("bottleneck") == "mine" and chosen("basic") is models.BasicBlock
    assert chosen("basic", True) is models.PreActivationBasicBlock
