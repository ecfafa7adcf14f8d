"""Exercise 10e: a stage of residual blocks with bugs, and what else goes wrong with it."""

from minires import functional as F


def residual_stage(x, blocks, *, stride=1):
    """Run a stage of residual blocks, and return the feature map after each: relu(F + s).

    x  a Tensor (N, H, W, C)    blocks  one dict of layers per block: {"conv1": ..., "bn1": ..., "conv2": ..., "bn2": ...}
    stride  that of the first block's conv1    result  a list of Tensors (N, OH, OW, D)
    """
    maps = []
    for i, layers in enumerate(blocks):
        y = F.relu(layers["bn1"](layers["conv1"](x)))
        y = layers["bn2"](layers["conv2"](y))
        shortcut = x if i else F.pad_shortcut(x, channels=y.shape[-1], stride=stride)
        x = F.relu(y + shortcut)
        maps.append(x)
    return maps


def hunted(x, blocks, *, stride=1):
    """both bugs are still there: in all blocks but the first, one layer reads the wrong tensor, and the sum has the wrong shortcut"""
    first, *others = blocks

    # The first block changes the shape, and so does its shortcut: option A.
    y = first["conv1"](x)
    y = F.relu(first["bn1"](y))
    y = first["bn2"](first["conv2"](y))
    shortcut = F.pad_shortcut(x, channels=y.shape[-1], stride=stride)
    x = F.relu(y + shortcut)
    maps = [x]

    # In the others, the shape stays.
    for layers in others:
        y = layers["conv1"](x)
        y = F.relu(layers["bn1"](y))
        y = layers["bn2"](layers["conv2"](x))
        x = F.relu(y + shortcut)
        maps.append(x)

    return maps


def _stage(x, blocks, stride, *, residual=None, joined=None):
    """Return the maps, with residual(layers, x) and joined(F, x, first shortcut) in all blocks but the first, if they are given."""
    first, *others = blocks
    y = _residual(first, x)
    padded = F.pad_shortcut(x, channels=y.shape[-1], stride=stride)
    maps = [F.relu(y + padded)]
    for layers in others:
        y = (residual or _residual)(layers, maps[-1])
        maps.append((joined or _joined)(y, maps[-1], padded))
    return maps


def _residual(layers, x):
    """Return F."""
    return layers["bn2"](layers["conv2"](F.relu(layers["bn1"](layers["conv1"](x)))))


def _joined(y, x, padded):
    """Return the block's result."""
    return F.relu(y + x)


def _of_x(layers, x):
    """Return F whose second convolution reads x."""
    layers["bn1"](layers["conv1"](x))
    return layers["bn2"](layers["conv2"](x))


def second_still_reads_x(x, blocks, *, stride=1):
    """the shortcut is right, but one layer still reads the wrong tensor: some weights get no gradient"""
    return _stage(x, blocks, stride, residual=_of_x)


def shortcut_still_old(x, blocks, *, stride=1):
    """each layer reads what it should, but all blocks still add the same shortcut: that of the first block"""
    return _stage(x, blocks, stride, joined=lambda y, x, padded: F.relu(y + padded))


def first_convolution_dropped(x, blocks, *, stride=1):
    """the first convolution and its batch norm are no longer called in all blocks but the first: they should be put to use"""
    return _stage(x, blocks, stride, residual=lambda layers, x: layers["bn2"](layers["conv2"](x)))


def shortcut_of_the_first_result(x, blocks, *, stride=1):
    """the shortcut adds the result of the first convolution: it should add what the block got"""
    first, *others = blocks
    maps = _stage(x, [first], stride)
    for layers in others:
        y = F.relu(layers["bn1"](layers["conv1"](maps[-1])))
        maps.append(F.relu(layers["bn2"](layers["conv2"](y)) + y))
    return maps


def both_shortcuts(x, blocks, *, stride=1):
    """the blocks add their own input and the first block's shortcut too: each has one shortcut"""
    return _stage(x, blocks, stride, joined=lambda y, x, padded: F.relu(y + x + padded))


def no_shortcut(x, blocks, *, stride=1):
    """all blocks but the first have lost their shortcut"""
    return _stage(x, blocks, stride, joined=lambda y, x, padded: F.relu(y))


def relu_before_the_sum(x, blocks, *, stride=1):
    """in all blocks but the first, the last ReLU comes before the sum now: its place after the sum was right"""
    return _stage(x, blocks, stride, joined=lambda y, x, padded: F.relu(y) + x)


def inner_relu_lost(x, blocks, *, stride=1):
    """in all blocks but the first, the ReLU between the convolutions is gone: that one was right"""
    return _stage(
        x,
        blocks,
        stride,
        residual=lambda layers, x: layers["bn2"](
            layers["conv2"](layers["bn1"](layers["conv1"](x)))
        ),
    )
