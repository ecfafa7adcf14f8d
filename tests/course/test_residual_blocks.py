"""The references of chapter 10 agree with the blocks, stages and networks of the library."""

import numpy
import pytest

from minires import functional as F
from minires import models, ops
from minires.course import engine
from minires.course.answers import e10b_projection, e10c_block_by_hand, e10e_stage_hunt
from minires.course.variants import VARIANTS
from minires.models.resnet import BasicBlock, make_stage
from minires.tensor import Tensor

rng = numpy.random.default_rng(0)


@pytest.mark.parametrize(("channels", "stride"), [(3, 1), (3, 2), (5, 1), (8, 2)])
def test_the_block_by_hand_is_a_basic_block(channels, stride):
    block = BasicBlock(3, channels, stride=stride, shortcut="A", rng=rng).astype("float64")
    for parameter in block.parameters():
        parameter.data[...] = rng.standard_normal(parameter.shape)
    array = rng.standard_normal((2, 5, 7, 3))
    x = Tensor(array, requires_grad=True)
    y = block(x)
    operands = [parameter.data for parameter in block.parameters()]
    by_hand, backward = e10c_block_by_hand.residual_block(array, *operands, stride=stride)
    numpy.testing.assert_allclose(by_hand, y.data, rtol=1e-10, atol=1e-10)
    g = rng.standard_normal(by_hand.shape)
    y.backward(g)
    for one, parameter in zip(backward(g), [x, *block.parameters()], strict=True):
        numpy.testing.assert_allclose(one, parameter.grad, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("stride", [1, 2])
def test_the_stage_of_the_bug_hunt_is_a_stage_of_basic_blocks(stride):
    stage = make_stage(BasicBlock, 3, 3, 5, stride=stride, shortcut="A", rng=rng).astype("float64")
    names = ("conv1", "bn1", "conv2", "bn2")
    blocks = [{name: getattr(block, name) for name in names} for block in stage]
    x = Tensor(rng.standard_normal((2, 5, 7, 3)))
    maps = e10e_stage_hunt.residual_stage(x, blocks, stride=stride)
    expected = []
    for block in stage:
        expected.append(block(expected[-1] if expected else x))
    for one, other in zip(maps, expected, strict=True):
        numpy.testing.assert_allclose(one.data, other.data, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("options", [{"shortcut": "B"}, {"shortcut": "B", "preactivation": True}])
def test_a_net_with_the_projection_in_its_shortcuts_is_the_same_net(options):
    seen = []

    def projection(x, weight, *, stride=1):
        seen.append(x.shape)
        return e10b_projection.projection(x, weight, stride=stride)

    def result(mine):
        stand_ins = {"projection": engine._first(mine, "projection")}
        with ops.plain(), ops.standing_in(stand_ins):
            net = models.resnet20(rng=numpy.random.default_rng(1), **options).astype("float64")
            y = net(Tensor(numpy.random.default_rng(2).standard_normal((2, 8, 8, 3))))
        F.cross_entropy(y, numpy.array([1, 2])).backward()
        return y.data, {name: one.grad for name, one in net.named_parameters()}

    logits, gradients = result([])
    ours, found = result([e10b_projection.in_engine(projection)])
    assert len(seen) == 2 and list(found) == list(gradients)
    numpy.testing.assert_allclose(ours, logits, rtol=1e-10, atol=1e-10)
    for name, one in found.items():
        numpy.testing.assert_allclose(one, gradients[name], rtol=1e-8, atol=1e-10, err_msg=name)


@pytest.mark.parametrize(("shortcut", "calls"), [("A", 0), ("B", 2)])
def test_the_report_counts_projections_and_not_other_shortcuts(classroom, shortcut, calls):
    classroom.answer("10b")
    with engine.mine(classroom.home) as report:
        net = models.resnet20(shortcut=shortcut)
        net(Tensor(numpy.zeros((2, 8, 8, 3), numpy.float32)))
    assert report.calls["10b"] == calls


@pytest.mark.parametrize(("shortcut", "calls"), [("A", 0), ("B", 2)])
def test_so_it_does_before_the_exercise_is_solved(classroom, shortcut, calls):
    with engine.mine(classroom.home) as report:
        models.resnet20(shortcut=shortcut)
    assert report.calls["10b"] == calls


def test_the_check_of_10f_accepts_only_the_original_among_the_variants():
    from minires.course.answers.e10f_check_block import check_block

    accepted = []
    for name in set(VARIANTS) - {"gamma 0"}:
        try:
            check_block(VARIANTS[name])
        except (AssertionError, TypeError, AttributeError):
            continue
        accepted.append(name)
    assert accepted == ["original"]
