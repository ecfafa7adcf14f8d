"""Solutions of 11f: checks that tell wrong lesion studies from right ones, and checks that do not."""

import copy

from minires import functional as F
from minires.backend import to_device, xp
from minires.models.resnet import BasicBlock, ResNet
from minires.tensor import Tensor
from tests.course.kinds import right, wrong

WRONG_ONES, RIGHT_ONES = "test_the_wrong_ones_are_rejected", "test_the_right_ones_are_accepted"


def images(n=150, seed=0):
    rng = xp.random.default_rng(seed)
    x = rng.standard_normal((n, 4, 4, 2)) + 3 * rng.standard_normal((n, 1, 1, 2))
    return to_device(x.astype("float32")), to_device(rng.integers(0, 4, n))


def net(depths=(2, 2), widths=(3, 4), seed=1, new=False, **options):
    """A net in training mode."""
    rng = xp.random.default_rng(seed)
    model = ResNet(BasicBlock, depths, widths, in_channels=2, num_classes=4, rng=rng, **options)
    for _, module in model.modules():
        if hasattr(module, "running_var") and not new:
            c = len(module.running_var)
            module.weight.data[...] = rng.uniform(0.5, 2, c)
            module.bias.data[...] = rng.standard_normal(c)
            module.running_mean[...] = rng.standard_normal(c)
            module.running_var[...] = rng.uniform(0.5, 2, c)
    x = Tensor(images()[0])
    model.eval().fc.bias.data[...] -= model(x).data.mean(axis=0)
    return model.train()


def blocks_of(model):
    return [module for _, module in model.modules() if isinstance(module, BasicBlock)]


def counts(model, x, labels):
    """The right ones, on copies of the model."""
    found = []
    for i in range(len(blocks_of(model))):
        other = copy.deepcopy(model).eval()
        block = blocks_of(other)[i]
        block.bn2.weight.data[...] = block.bn2.bias.data[...] = 0
        found.append(int((other(Tensor(x)).data.argmax(axis=1) == labels).sum()))
    return found


def state_of(model):
    return {name: array.tolist() for name, array in model.state_dict().items()}


def compared(candidate, model, x, labels, *, numbers=True, state=True):
    before, expected = state_of(model), counts(model, x, labels)
    found = candidate(model, x, labels)
    assert not numbers or list(found) == expected
    assert not state or state_of(model) == before


@right
def with_copies(candidate):
    compared(candidate, net(), *images())


@right
def three_nets(candidate):
    for seed, shortcut in ((1, "A"), (2, "B"), (3, "A")):
        compared(candidate, net(seed=seed, shortcut=shortcut), *images(seed=seed))


@right
def twice_in_a_row(candidate):
    """A study that leaves something behind finds another net the second time."""
    model, (x, labels) = net((3,), (4,), seed=5), images()
    expected = counts(model, x, labels)
    first, again = candidate(model, x, labels), candidate(model, x, labels)
    assert list(first) == list(again) == expected


@right
def by_predictions(candidate):
    """Labels that are all right without the branch: each count should then be the number of images."""
    model, (x, _) = net(), images(80)
    before = state_of(model)
    for i in range(4):
        other = copy.deepcopy(model).eval()
        block = blocks_of(other)[i]
        block.forward = lambda x, block=block: F.relu(block.shortcut(x))
        guesses = other(Tensor(x)).data.argmax(axis=1)
        assert candidate(model, x, guesses)[i] == 80
        assert state_of(model) == before


@wrong(WRONG_ONES, mistake="never_rejects")
def types_looked_at(candidate):
    model, (x, labels) = net(), images()
    found = candidate(model, x, labels)
    assert len(found) == 4 and all(isinstance(count, int) for count in found)


@wrong(WRONG_ONES, mistake="new_net")
def on_a_new_net(candidate):
    compared(candidate, net(new=True), *images())


@wrong(WRONG_ONES, mistake="evaluation_mode_only")
def in_eval(candidate):
    compared(candidate, net().eval(), *images())


@wrong(WRONG_ONES, mistake="one_block")
def a_net_of_one_block(candidate):
    compared(candidate, net((1,), (4,)), *images())


@wrong(WRONG_ONES, mistake="counts_only")
def state_not_looked_at(candidate):
    compared(candidate, net(), *images(), state=False)


@wrong(WRONG_ONES, mistake="state_only")
def numbers_not_looked_at(candidate):
    compared(candidate, net(), *images(), numbers=False)


@wrong(RIGHT_ONES, mistake="never_content")
def the_whole_net_expected_too(candidate):
    model, (x, labels) = net(), images()
    assert len(candidate(model, x, labels)) == 5


@wrong(WRONG_ONES)
def a_bool(candidate):
    model, (x, labels) = net(), images()
    return candidate(model, x, labels) == counts(model, x, labels)


@wrong(WRONG_ONES)
def at_least_as_bad(candidate):
    model, (x, labels) = net(), images()
    expected = counts(model, x, labels)
    assert all(abs(a - b) < 40 for a, b in zip(candidate(model, x, labels), expected))


@wrong(WRONG_ONES)
def the_first_only(candidate):
    model, (x, labels) = net(), images()
    before, expected = state_of(model), counts(model, x, labels)
    assert candidate(model, x, labels)[0] == expected[0]
    assert state_of(model) == before


@wrong(WRONG_ONES)
def state_before_the_call(candidate):
    model, (x, labels) = net(), images()
    expected = counts(model, x, labels)
    found = candidate(model, x, labels)
    before = state_of(model)
    assert list(found) == expected and state_of(model) == before


@wrong(WRONG_ONES)
def weights_of_convolutions(candidate):
    model, (x, labels) = net(), images()
    expected, before = counts(model, x, labels), [block.conv2.weight.data.tolist() for block in blocks_of(model)]  # fmt: skip
    assert list(candidate(model, x, labels)) == expected
    assert before == [block.conv2.weight.data.tolist() for block in blocks_of(model)]


@wrong(RIGHT_ONES)
def worse_than_the_whole(candidate):
    """As if each lesion had to make it worse: with random labels some make it better."""
    model, (x, labels) = net(), images()
    whole = int((copy.deepcopy(model).eval()(Tensor(x)).data.argmax(axis=1) == labels).sum())
    with_copies(candidate)
    assert max(candidate(model, x, labels)) < whole


@wrong(RIGHT_ONES)
def gamma_is_enough(candidate):
    model, (x, labels) = net(), images()
    expected = []
    for i in range(4):
        other = copy.deepcopy(model).eval()
        blocks_of(other)[i].bn2.weight.data[...] = 0
        expected.append(int((other(Tensor(x)).data.argmax(axis=1) == labels).sum()))
    assert list(candidate(model, x, labels)) == expected
