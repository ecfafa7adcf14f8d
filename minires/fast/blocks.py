"""The blocks of residual networks with batch norm, the residual add and ReLU in one pass over memory.

These forms replace the forward of each block and of the stem, which run the ops one by one. In evaluation without a graph,
batch norm is folded into the convolution before it: with scale = gamma / sqrt(var + eps), bn(conv(x)) is the convolution
with weight * scale and the bias beta + (bias - mean) * scale.

Each form declines if an op that it leaves out has a stand-in, if a layer is not the library's own, or if its forward was
replaced: then somebody wants to see it run.
"""

from minires import functional as F
from minires.backend import result_dtype, settings, xp
from minires.fast.onepass import add_relu, norm_add_relu
from minires.fast.parts import sum_over_chunks
from minires.models.preactivation import PreActivationBasicBlock, PreActivationBottleneck, carried
from minires.models.resnet import BasicBlock, Bottleneck, NoShortcut, ResNet
from minires.models.resnet8 import Stage
from minires.nn import BatchNorm, Conv2d, Sequential
from minires.nn.layers import as_tensor, update_running
from minires.ops.forms import faster, has_forms
from minires.ops.norm import channel_stats
from minires.tensor import apply

COVERS = ("batch_norm", "batch_norm_frozen", "channel_stats", "relu", "add", "unbroadcast", "Module.__call__")  # fmt: skip


def _are_plain(*layers):
    """Return True if these are the library's own layers, with their own forward."""
    return all(
        type(layer) in (BatchNorm, Conv2d) and "forward" not in vars(layer) for layer in layers
    )


@faster(BasicBlock.forward, covers=COVERS)
def basic_block(block, x):
    """BasicBlock.forward."""
    if not _are_plain(block.conv1, block.bn1, block.conv2, block.bn2):
        return NotImplemented
    y = conv_norm_relu(block.conv1, block.bn1, x)
    return conv_norm_relu(block.conv2, block.bn2, y, add=_added(block, x))


@faster(Bottleneck.forward, covers=COVERS)
def bottleneck(block, x):
    """Bottleneck.forward."""
    if not _are_plain(block.conv1, block.bn1, block.conv2, block.bn2, block.conv3, block.bn3):
        return NotImplemented
    y = conv_norm_relu(block.conv1, block.bn1, x)
    y = conv_norm_relu(block.conv2, block.bn2, y)
    return conv_norm_relu(block.conv3, block.bn3, y, add=_added(block, x))


@faster(PreActivationBasicBlock.forward, covers=COVERS)
def preactivation_basic_block(block, x):
    """PreActivationBasicBlock.forward."""
    if not _are_plain(block.bn1, block.conv1, block.bn2, block.conv2):
        return NotImplemented
    active = norm_relu(block.bn1, x)
    y = block.conv2(conv_norm_relu(block.conv1, block.bn2, active))
    return y + carried(block.shortcut, x, active)


@faster(PreActivationBottleneck.forward, covers=COVERS)
def preactivation_bottleneck(block, x):
    """PreActivationBottleneck.forward."""
    if not _are_plain(block.bn1, block.conv1, block.bn2, block.conv2, block.bn3, block.conv3):
        return NotImplemented
    active = norm_relu(block.bn1, x)
    y = conv_norm_relu(block.conv1, block.bn2, active)
    y = block.conv3(conv_norm_relu(block.conv2, block.bn3, y))
    return y + carried(block.shortcut, x, active)


@faster(Stage.forward, covers=COVERS)
def stage(block, x):
    """The Stage.forward of ResNet-8, whose first batch norm comes after a pooling and is not folded."""
    if not _are_plain(block.conv1, block.bn1, block.conv2, block.bn2):
        return NotImplemented
    y = norm_relu(block.bn1, block.pool(block.conv1(x)))
    return conv_norm_relu(block.conv2, block.bn2, y, add=y)


@faster(ResNet.stem, covers=COVERS)
def stem(model, x):
    """ResNet.stem."""
    if model.bn1 is None or not _are_plain(model.conv1, model.bn1):
        return NotImplemented
    return model.maxpool(conv_norm_relu(model.conv1, model.bn1, x))


@faster(ResNet.last_norm, covers=COVERS)
def last_norm(model, x):
    """ResNet.last_norm."""
    return (
        norm_relu(model.bn, x) if model.bn is not None and _are_plain(model.bn) else NotImplemented
    )


@faster(Sequential.forward, covers=COVERS)
def projection(modules, x):
    """A shortcut of a convolution and a batch norm."""
    layers = [module for _, module in modules.children()]
    if [type(layer) for layer in layers] != [Conv2d, BatchNorm] or not _are_plain(*layers):
        return NotImplemented
    return conv_norm_relu(*layers, x, relu=False)


def _added(block, x):
    """Return the tensor that the block adds to its branch, or None."""
    return None if isinstance(block.shortcut, NoShortcut) else block.shortcut(x)


@has_forms
def conv_norm_relu(conv, norm, x, add=None, relu=True):
    """relu(norm(conv(x)) + add), for tensors."""
    return norm_relu(norm, conv(x), add, relu)


@faster(conv_norm_relu)
def folded(conv, norm, x, add=None, relu=True):
    """conv_norm_relu in evaluation without a graph: one convolution, then add and ReLU."""
    if norm.training or settings().grad:
        return NotImplemented
    scale = norm.weight.data / xp.sqrt(norm.running_var + norm.eps)
    bias = 0 if conv.bias is None else conv.bias.data
    weight = _scaled(conv.weight.data, scale)
    shift = norm.bias.data + (bias - norm.running_mean) * scale
    y = F.conv2d(x, weight, shift, stride=conv.stride, padding=conv.padding)
    if add is None and not relu:
        return y
    return apply(add_relu, y, *() if add is None else (add,), relu=relu)


def _scaled(weight, scale):
    """weight * scale, on all cores: a network has more weights than a cache holds."""
    scaled = xp.empty(weight.shape, dtype=result_dtype(weight, scale))
    rows, out = (array.reshape(-1, len(scale)) for array in (weight, scaled))

    def work(chunk):
        xp.multiply(rows[chunk], scale, out=out[chunk])

    sum_over_chunks(work, len(rows), 2 * out.nbytes // len(rows))
    return scaled


def norm_relu(norm, x, add=None, relu=True):
    """relu(norm(x) + add), for tensors."""
    x = as_tensor(x)
    if add is not None and getattr(add, "shape", None) != x.shape:  # it broadcasts
        y = norm_relu(norm, x, relu=False) + add
        return F.relu(y) if relu else y
    vectors = norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var
    stats = moving_stats(x.data, *vectors, norm.momentum) if norm.training else vectors[2:]
    how = {"eps": norm.eps, "stats": stats, "training": norm.training, "relu": relu}
    return apply(norm_add_relu, x, norm.weight, norm.bias, *() if add is None else (add,), **how)


@has_forms
def moving_stats(x, gamma, beta, running_mean, running_var, momentum):
    """Return channel_stats(x), and move the running statistics towards them, unless batch norm will refuse x, gamma or beta."""
    mean, var = channel_stats(x)
    m = x.size // x.shape[-1]
    if m > 1 and gamma.shape == beta.shape == mean.shape:
        update_running(running_mean, running_var, mean, var, momentum, m)
    return mean, var
