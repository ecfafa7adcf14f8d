"""SyncBatchNorm: each process has a part of the images, and all of them end as one process with the whole batch does."""

import copy

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from minires import functional as F
from minires import models, nn, ops, optim, shards
from minires.backend import to_device, to_host
from minires.gradcheck import check_backward
from minires.nn import BatchNorm, Linear, Module, Sequential, SyncBatchNorm
from minires.nn.sync import sync_batch_norm
from minires.ops import standing_in
from minires.parallel import Alone
from minires.tensor import Tensor
from tests import ranks
from tests.strategies import SEEDS

pytestmark = pytest.mark.usefixtures("each_backend")
BOUND = {"f4": 5e-6, "f8": 1e-13}  # of the largest number


def close(found, expected, dtype):
    """Check that arrays are equal up to rounding, in proportion to the largest number."""
    bound = BOUND[dtype] * max(abs(expected).max(), 1)
    assert found.shape == expected.shape and abs(found - expected).max() <= bound


def images(seed, n, side, dtype, mean=0.0):
    """Random images (n, side, side, 3) and what the loss weighs their outputs with, on the host."""
    rng = numpy.random.default_rng(seed)
    shape = (n, side, side, 3)
    return [a.astype(dtype) for a in (rng.normal(mean, 2, shape), rng.normal(size=shape))]


def prepared(norm, dtype):
    """Give a batch norm numbers of this dtype that are not its first ones."""
    rng = numpy.random.default_rng(1)
    for parameter in (norm.weight, norm.bias):
        parameter.data = to_device(rng.uniform(0.5, 2, 3).astype(dtype))
    norm.running_mean = to_device(rng.normal(size=3).astype(dtype))
    norm.running_var = to_device(rng.uniform(0.5, 2, 3).astype(dtype))
    return norm


def passed(norm, x, g):
    """What a pass through a batch norm and back comes to, on the host: y, the gradients of x, gamma and beta, and the statistics."""
    x = Tensor(to_device(x), requires_grad=True)
    y = norm(x)
    (y * to_device(g)).sum().backward()
    arrays = y.data, x.grad, norm.weight.grad, norm.bias.grad, norm.running_mean, norm.running_var
    return [to_host(array) for array in arrays]


def apart(x, g, edges, dtype, make=SyncBatchNorm):
    """passed() in a process for each part of the images: what belongs to images joined, gradients of parameters added up."""
    parts = [slice(a, b) for a, b in zip([0, *edges], edges)]

    def work(group):
        own = parts[group.rank]
        return passed(prepared(make(3, group), dtype), x[own], g[own])

    y, g_x, gamma, beta, *statistics = zip(*ranks.run(len(parts), work))
    for each in statistics:
        assert all(array.tobytes() == each[0].tobytes() for array in each)
    joined = [numpy.concatenate(each) for each in (y, g_x)]
    return [*joined, sum(gamma), sum(beta), *(each[0] for each in statistics)]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@given(seed=SEEDS, edges=st.sampled_from([(6,), (3, 6), (1, 6), (2, 3, 5, 8), (1, 2, 3, 4)]), side=st.sampled_from([1, 3]))  # fmt: skip
def test_values_gradients_and_statistics_are_those_of_the_whole_batch(dtype, seed, edges, side):
    """Also with one image of one pixel for each process, of which batch norm alone could not take a variance."""
    x, g = images(seed, edges[-1], side, dtype)
    expected = passed(prepared(BatchNorm(3), dtype), x, g)
    for found, whole in zip(apart(x, g, edges, dtype), expected):
        close(found, whole, dtype)


def test_numbers_far_from_zero_lose_no_digits_of_the_variance():
    x, g = images(0, 8, 4, "f4", mean=1000.0)
    found = apart(x, g, (2, 4, 6, 8), "f4")
    exact = x.astype("f8").var((0, 1, 2), ddof=1)
    old = to_host(prepared(BatchNorm(3), "f8").running_var)
    assert_allclose(found[5], 0.9 * old + 0.1 * exact, rtol=2e-5)


def mistaken(*arrays, add_up, **options):
    """The classic mistake: the gradients of gamma and beta are those of all processes, and the training loop adds them up again."""
    y, backward = sync_batch_norm.default(*arrays, add_up=add_up, **options)

    def wrong(g):
        g_x, g_gamma, g_beta = backward(g)
        return g_x, add_up(g_gamma), add_up(g_beta)

    return y, wrong


def test_the_classic_mistake_would_be_found():
    x, g = images(0, 6, 3, "f8")
    expected = passed(prepared(BatchNorm(3), "f8"), x, g)
    with standing_in(sync_batch_norm=mistaken):
        y, g_x, gamma, beta, *_ = apart(x, g, (3, 6), "f8")
    close(y, expected[0], "f8")
    close(g_x, expected[1], "f8")
    for found, whole in ((gamma, expected[2]), (beta, expected[3])):
        assert_allclose(found, 2 * whole, rtol=1e-12)
        with pytest.raises(AssertionError):
            close(found, whole, "f8")


def test_its_backward_is_that_of_the_op_alone_with_fixed_statistics_added_up():
    """With one process, a derivative by small steps: the statistics then follow x."""

    def op(x, gamma, beta):
        mean, var = ops.channel_stats(x)
        count = x.size // x.shape[-1]
        return sync_batch_norm(x, gamma, beta, mean=mean, var=var, count=count, add_up=lambda a: a)

    rng = numpy.random.default_rng(0)
    check_backward(op, rng.normal(size=(3, 2, 2, 4)), rng.normal(size=4), rng.normal(size=4))


def test_in_evaluation_it_is_batch_norm_and_exchanges_nothing():
    x, g = images(0, 4, 2, "f4")
    norm = prepared(SyncBatchNorm(3, None), "f4").eval()
    for a, b in zip(passed(norm, x, g), passed(prepared(BatchNorm(3), "f4").eval(), x, g)):
        assert a.tobytes() == b.tobytes()


def test_one_value_in_all_processes_together_is_refused():
    norm = SyncBatchNorm(3, Alone())
    with pytest.raises(ValueError, match="expected two or more values per channel, got 1"):
        norm(Tensor(to_device(numpy.ones((1, 1, 1, 3), "f4"))))


class Nested(Module):
    """Batch norms in a list, a dict, a tuple and by themselves; one is shared, and one is of another class."""

    def __init__(self):
        class Own(BatchNorm):
            pass

        self.shared = BatchNorm(3, momentum=0.3, eps=1e-3)
        self.listed, self.named = [BatchNorm(3), [self.shared]], {"a": BatchNorm(3)}
        self.pair, self.own = (BatchNorm(3), 5), Own(3)

    def forward(self, x):
        for norm in (self.shared, self.listed[0], self.named["a"], self.pair[0], self.shared):
            x = norm(x)
        return x


def test_convert_replaces_each_batch_norm_wherever_it_is():
    model = Nested()
    model.listed[0].eval()
    before, own = dict(model.named_parameters()), type(model.own)
    names, modes = [*model.state_dict()], [module.training for _, module in model.modules()]
    arrays = {name: id(buffer) for name, buffer in model.named_buffers()}
    SyncBatchNorm.convert(model, Alone())
    found = [model.shared, model.listed[0], model.named["a"], model.pair[0]]
    assert {type(norm) for norm in found} == {SyncBatchNorm} and model.pair[1] == 5
    assert model.listed[1][0] is model.shared and type(model.own) is own
    assert (model.shared.momentum, model.shared.eps) == (0.3, 1e-3)
    assert dict(model.named_parameters()) == before and [*model.state_dict()] == names
    assert {name: id(buffer) for name, buffer in model.named_buffers()} == arrays
    assert [module.training for _, module in model.modules()] == modes


def test_a_network_of_converted_norms_has_the_gradients_of_one_process():
    x, g = images(0, 7, 2, "f8")
    edges, model = (2, 7), Nested().astype("f8")
    expected = gradients(copy.deepcopy(model), x, g)

    def work(group):
        own, here = slice(*((0, 2), (2, 7))[group.rank]), copy.deepcopy(model)
        SyncBatchNorm.convert(here, group)
        return gradients(here, x[own], g[own])

    found = ranks.run(len(edges), work)
    for name, whole in expected[0].items():
        close(sum(part[0][name] for part in found), whole, "f8")
    for name, whole in expected[1].items():
        assert all(part[1][name].tobytes() == found[0][1][name].tobytes() for part in found)
        close(found[0][1][name], whole, "f8")


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_gradients_of_a_resnet_are_those_of_the_whole_batch(dtype):
    rng = numpy.random.default_rng(0)
    x, labels = rng.normal(size=(12, 8, 8, 3)).astype(dtype), rng.integers(0, 10, 12)
    model = models.resnet20(rng=rng).astype(dtype)

    def work(group):
        here = copy.deepcopy(model)
        SyncBatchNorm.convert(here, group)
        own = slice(*(12 * rank // group.size for rank in (group.rank, group.rank + 1)))
        loss = F.cross_entropy(here(Tensor(to_device(x[own]))), to_device(labels[own]))
        (loss / group.size).backward()
        return [to_host(parameter.grad) for parameter in here.parameters()]

    alone = copy.deepcopy(model)
    F.cross_entropy(alone(Tensor(to_device(x))), to_device(labels)).backward()
    for parameter, *found in zip(alone.parameters(), *ranks.run(4, work)):
        close(sum(found), to_host(parameter.grad), dtype)


def gradients(model, x, g):
    """The gradients of the parameters, and the running statistics."""
    (model(Tensor(to_device(x))) * to_device(g)).sum().backward()
    reached = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return [
        {name: to_host(array) for name, array in found.items()}
        for found in (reached, dict(model.named_buffers()))
    ]


def test_steps_of_training_are_those_of_one_process_with_the_whole_batch():
    """Nine steps in float64 of two processes, with unequal parts, through shards.train_epoch."""
    rng = numpy.random.default_rng(0)
    x, labels = rng.normal(size=(9, 2, 2, 3)), rng.integers(0, 4, 9)
    first = Sequential(BatchNorm(3), nn.ReLU(), nn.Flatten(), Linear(12, 4, rng=rng)).astype("f8")

    def work(group):
        model = copy.deepcopy(first)
        if group.size > 1:
            SyncBatchNorm.convert(model, group)
        a, b = (9 * rank // group.size for rank in (group.rank, group.rank + 1))
        shard = shards.Shard(to_device(x[a:b]), to_device(labels[a:b]), (b - a) / 9)
        optimizer = optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
        score = shards.train_epoch(model, [[shard]] * 9, optimizer, group)
        return score, {name: to_host(array) for name, array in model.state_dict().items()}

    ((score, expected),) = ranks.run(1, work)
    for other, state in ranks.run(2, work):
        assert other.correct == score.correct and other.losses == pytest.approx(score.losses, rel=1e-12)  # fmt: skip
        for name, whole in expected.items():
            assert_allclose(state[name], whole, rtol=1e-10, atol=1e-12)
