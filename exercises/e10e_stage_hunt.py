"""Exercise 10e, chapter 10, 20 minutes: a bug hunt in a stage that runs. Check: pytest exercises/test_e10e_stage_hunt.py"""

from minires import functional as F


def residual_stage(x, blocks, *, stride=1):
    """Run a stage of residual blocks, and return the feature map after each: relu(F + s).

    x  a Tensor (N, H, W, C)    blocks  one dict of layers per block: {"conv1": ..., "bn1": ..., "conv2": ..., "bn2": ...}
    stride  that of the first block's conv1    result  a list of Tensors (N, OH, OW, D)

    The first block changes the shape, the others keep it; s is the shortcut of the block's own input. The function below
    runs, its shapes are right, and with one block per stage all is well. With three, the loss still falls, but two things
    are odd. After backward(), some weights have no gradient: it is None. And if a block's residual F is 0 (its bn2 has
    gamma = beta = 0), the block should return its input, which has been through a ReLU already; it returns something
    else. Find both bugs, and fix them. Chapter 10.
    """
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
