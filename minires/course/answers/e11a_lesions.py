"""Exercise 11a: a net without the branch of one block at a time, and what goes wrong with it."""

from minires import functional as F
from minires.models.resnet import BasicBlock
from minires.tensor import Tensor, no_grad


def lesions(model, x, labels):
    """Return the number of correct predictions without the branch of each block: a list of ints, one per block.

    model  a ResNet whose blocks are BasicBlocks    x  (N, H, W, C), an array    labels  (N,), an array of ints
    """
    modes = [(module, module.training) for _, module in model.modules()]
    model.eval()
    counts = []
    for _, block in model.modules():
        if isinstance(block, BasicBlock):
            block.forward = lambda x, block=block: F.relu(block.shortcut(x))
            with no_grad():
                logits = model(Tensor(x)).data
            counts.append(int((logits.argmax(axis=1) == labels).sum()))
            del block.forward
    for module, mode in modes:
        module.training = mode
    return counts


def _branch(block, x):
    return block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x)))))


def _hits(model, x, labels):
    with no_grad():
        return int((model(Tensor(x)).data.argmax(axis=1) == labels).sum())


def _blocks(model):
    return [module for _, module in model.modules() if isinstance(module, BasicBlock)]


def _counts(model, x, labels, forward=None, *, evaluating=True, restored=True, together=False):
    """Return the counts, with forward(block, x) instead of a block's own."""
    forward = forward or (lambda block, x: F.relu(block.shortcut(x)))
    modes, counts = [(module, module.training) for _, module in model.modules()], []
    if evaluating:
        model.eval()
    for block in _blocks(model):
        block.forward = lambda x, block=block: forward(block, x)
        counts.append(_hits(model, x, labels))
        if not together:
            del block.forward
    if together:
        for block in _blocks(model):
            del block.forward
    if restored:
        for module, mode in modes:
            module.training = mode
    return counts


def _silenced(model, x, labels, parameters):
    """Return the counts, with these parameters of each block set to 0 in turn."""
    modes, counts = [(module, module.training) for _, module in model.modules()], []
    model.eval()
    for block in _blocks(model):
        kept = [(parameter, parameter.data.copy()) for parameter in parameters(block)]
        for parameter, _ in kept:
            parameter.data[...] = 0
        counts.append(_hits(model, x, labels))
        for parameter, data in kept:
            parameter.data[...] = data
    for module, mode in modes:
        module.training = mode
    return counts


def branches_stay_out(model, x, labels):
    """a branch isn't put back before the next one is taken out: the last count is that of a net without any branch"""
    return _counts(model, x, labels, together=True)


def in_training_mode(model, x, labels):
    """eval() is missing: in a model that was in training, batch norm uses the statistics of x and updates its own"""
    return _counts(model, x, labels, evaluating=False)


def shortcut_taken_out(model, x, labels):
    """the shortcut is taken out, and the branch stays: the block returns relu(F)"""
    return _counts(model, x, labels, lambda block, x: F.relu(_branch(block, x)))


def last_relu_left_out(model, x, labels):
    """the ReLU after the sum goes with the branch: a projection can be negative"""
    return _counts(model, x, labels, lambda block, x: block.shortcut(x))


def gamma_only(model, x, labels):
    """gamma of bn2 is 0, but beta isn't: the branch is then the same beta at each pixel, not 0"""
    return _silenced(model, x, labels, lambda block: [block.bn2.weight])


def convolution_only(model, x, labels):
    """the weights of conv2 are 0: bn2 then turns 0 into (0 - mean) / sqrt(var + eps) * gamma + beta"""
    return _silenced(model, x, labels, lambda block: [block.conv2.weight])


def left_in_eval(model, x, labels):
    """the model is left in evaluation mode"""
    return _counts(model, x, labels, restored=False)


def correct_ones_lost(model, x, labels):
    """the counts are those of the wrong predictions: what comes out should be the number of correct ones"""
    return [len(labels) - count for count in _counts(model, x, labels)]


def as_fractions(model, x, labels):
    """the counts are divided by the number of images"""
    return [count / len(labels) for count in _counts(model, x, labels)]
