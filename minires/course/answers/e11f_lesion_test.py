"""Exercise 11f: lesion studies that should be told apart, a check that does it, and checks that do not."""

from minires import functional as F
from minires.backend import to_device, xp
from minires.models.resnet import BasicBlock, ResNet
from minires.nn import Module
from minires.tensor import Tensor, no_grad


def check(candidate):
    """Raise AssertionError unless a candidate is a right lesion study.

    candidate  candidate(model, x, labels) returns a list of ints: the correct predictions without the branch of each block
    """
    model, (x, labels) = _net(), _images()
    before, expected = model.state_dict(), _expected(model, x, labels)
    assert list(candidate(model.train(), x, labels)) == expected, "the counts"
    for name, array in model.state_dict().items():
        assert xp.array_equal(array, before[name]), name


def _images(n=120):
    """Return images that differ much, and labels."""
    values = xp.arange(float(n * 24)) * 7.3 % 11 - 5 + 3 * (xp.arange(float(n * 24)) // 24 % 7 - 3)
    return to_device(values.reshape(n, 3, 4, 2).astype("float32")), to_device(xp.arange(n) * 5 % 4)


def _filled(model):
    """Return the model with weights, biases and statistics of all kinds in its batch norms."""
    state = model.state_dict()
    for i, (name, array) in enumerate(state.items()):
        if array.ndim == 1 and not name.startswith("fc"):
            array[...] = (xp.arange(len(array)) * 3 + 2 * i) % 5 / 2 - 1
            if name.endswith(("var", "weight")):
                array[...] = 0.5 + abs(array)
    model.load_state_dict(state)
    model.eval().fc.bias.data[...] -= model(Tensor(_images()[0])).data.mean(axis=0)
    return model


def _net(depths=(2, 1), widths=(3, 5), *, seed=3, shortcut="B"):
    rng = xp.random.default_rng(seed)
    return _filled(ResNet(BasicBlock, depths, widths, in_channels=2, num_classes=4, rng=rng, shortcut=shortcut))  # fmt: skip


def _blocks(model):
    return [module for _, module in model.modules() if isinstance(module, BasicBlock)]


def _expected(model, x, labels):
    """Return the right counts, block by block: a way of its own."""
    modes, counts = [(module, module.training) for _, module in model.modules()], []
    model.eval()
    blocks = _blocks(model)
    for out in blocks:
        maps = model.stem(Tensor(x))
        for block in blocks:
            maps = F.relu(block.shortcut(maps)) if block is out else block(maps)
        counts.append(_hits(model.fc(model.avgpool(maps)), labels))
    for module, mode in modes:
        module.training = mode
    return counts


def _hits(logits, labels):
    return int((logits.data.argmax(axis=1) == labels).sum())


# The candidates.


def _evaluated(model, count):
    """Return count(), in evaluation mode and without a graph; each module is put back into its mode."""
    modes = [(module, module.training) for _, module in model.modules()]
    model.eval()
    with no_grad():
        found = count()
    for module, mode in modes:
        module.training = mode
    return found


def _by_forward(model, x, labels, forward=None, *, together=False, evaluating=True):
    """Count with forward(block, x) instead of each block's own."""
    forward = forward or (lambda block, x: F.relu(block.shortcut(x)))

    def count():
        counts = []
        for block in _blocks(model):
            block.forward = lambda x, block=block: forward(block, x)
            counts.append(_hits(model(Tensor(x)), labels))
            if not together:
                del block.forward
        for block in _blocks(model) if together else ():
            del block.forward
        return counts

    return _evaluated(model, count) if evaluating else count()


def _silenced(model, x, labels, parameters, *, last_back=True):
    """Count with these parameters of each block set to 0 in turn."""

    def count():
        counts = []
        for block in _blocks(model):
            kept = [(parameter.data, parameter.data.copy()) for parameter in parameters(block)]
            for array, _ in kept:
                array[...] = 0
            counts.append(_hits(model(Tensor(x)), labels))
            if last_back or block is not _blocks(model)[-1]:
                for array, before in kept:
                    array[...] = before
        return counts

    return _evaluated(model, count)


def _both(block):
    return block.bn2.weight, block.bn2.bias


def _right(model, x, labels):
    return _by_forward(model, x, labels)


def _right_too(model, x, labels):
    return _silenced(model, x, labels, _both)


class _Shortcut(Module):
    def __init__(self, block):
        self.block = block

    def forward(self, x):
        return F.relu(self.block.shortcut(x))


def _right_as_well(model, x, labels):
    """Replace each block by a different module."""

    def count():
        counts = []
        for stage in (getattr(model, f"layer{i + 1}") for i in range(model.stages)):
            for name, block in stage.children():
                setattr(stage, name, _Shortcut(block))
                counts.append(_hits(model(Tensor(x)), labels))
                setattr(stage, name, block)
        return counts

    return _evaluated(model, count)


def _right_by_hand(model, x, labels):
    """Run the blocks one by one, and those before the lesion only once."""

    def count():
        blocks, counts = _blocks(model), []
        maps = model.stem(Tensor(x))
        for i, block in enumerate(blocks):
            rest = F.relu(block.shortcut(maps))
            for later in blocks[i + 1 :]:
                rest = later(rest)
            counts.append(_hits(model.fc(model.avgpool(rest)), labels))
            maps = block(maps)
        return counts

    return _evaluated(model, count)


def _together(model, x, labels):
    return _by_forward(model, x, labels, together=True)


def _last_stays_out(model, x, labels):
    return _silenced(model, x, labels, _both, last_back=False)


def _as_it_comes(model, x, labels):
    return _by_forward(model, x, labels, evaluating=False)


def _branch_only(block, x):
    return F.relu(block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x))))))


def _shortcut_out(model, x, labels):
    return _by_forward(model, x, labels, _branch_only)


def _gamma_only(model, x, labels):
    return _silenced(model, x, labels, lambda block: [block.bn2.weight])


RIGHT = {"a right one that changes forward()": _right, "a right one that changes gamma and beta": _right_too,
         "a right one that changes the blocks of a stage": _right_as_well,
         "a right one that changes nothing and runs the blocks itself": _right_by_hand}  # fmt: skip
WRONG = {"the one that puts no branch back before the next one goes": _together, "the one whose last branch never comes back": _last_stays_out,
         "the one that runs the model in the mode in which it comes": _as_it_comes,
         "the one that takes the shortcut out": _shortcut_out, "the one that changes gamma only": _gamma_only}  # fmt: skip


# Checks that do not tell them apart.


def never_rejects(candidate):
    """the check accepts every study, right or wrong"""
    candidate(_net(), *_images())


def new_net(candidate):
    """the check accepts the study that changes gamma only: in a new net beta is 0, and in some nets it changes no count"""
    model = ResNet(BasicBlock, (2, 1), (3, 5), in_channels=2, num_classes=4, rng=xp.random.default_rng(3))  # fmt: skip
    x, labels = _images()
    model.fc.bias.data[...] -= model.eval()(Tensor(x)).data.mean(axis=0)
    before, expected = model.state_dict(), _expected(model, x, labels)
    assert list(candidate(model.train(), x, labels)) == expected
    assert all(xp.array_equal(array, before[name]) for name, array in model.state_dict().items())


def evaluation_mode_only(candidate):
    """the check accepts the study that runs in the mode in which the model comes: the model that it gets is in evaluation mode"""
    model, (x, labels) = _net(), _images()
    before = model.state_dict()
    assert list(candidate(model, x, labels)) == _expected_of(before, x, labels)
    assert all(xp.array_equal(array, before[name]) for name, array in model.state_dict().items())


def _expected_of(state, x, labels):
    model = _net()
    model.load_state_dict(state)
    return _expected(model, x, labels)


def one_block(candidate):
    """the check accepts the study that puts no branch back before the next one goes: with one block there is no next one"""
    model, (x, labels) = _net((1,), (3,)), _images()
    before, expected = model.state_dict(), _expected(model, x, labels)
    assert list(candidate(model.train(), x, labels)) == expected
    assert all(xp.array_equal(array, before[name]) for name, array in model.state_dict().items())


def counts_only(candidate):
    """the check accepts the study whose last branch never comes back: look at the state afterwards, too"""
    model, (x, labels) = _net(), _images()
    expected = _expected(model, x, labels)
    assert list(candidate(model.train(), x, labels)) == expected


def state_only(candidate):
    """the check rejects only the studies that change the model: look at what they count, too"""
    model, (x, labels) = _net(), _images()
    before = model.state_dict()
    candidate(model.train(), x, labels)
    assert all(xp.array_equal(array, before[name]) for name, array in model.state_dict().items())


def never_content(candidate):
    """the check rejects every study, including the right ones"""
    raise AssertionError
