"""Exercise 12e: what goes wrong with a stage of blocks."""

from minires.nn import Sequential


def stride_in_each_block(block, depth, in_channels, width, *, stride, **options):
    """every block has the stride: only the first one should halve the image"""
    first = block(in_channels, width, stride=stride, **options)
    expanded = width * block.expansion
    rest = [block(expanded, width, stride=stride, **options) for _ in range(depth - 1)]
    return Sequential(first, *rest)


def stride_dropped(block, depth, in_channels, width, *, stride, **options):
    """no block has the stride: the first one should"""
    first = block(in_channels, width, **options)
    rest = [block(width * block.expansion, width, **options) for _ in range(depth - 1)]
    return Sequential(first, *rest)


def stride_at_the_end(block, depth, in_channels, width, *, stride, **options):
    """the last block has the stride instead of the first: all the others then work on the larger image"""
    channels = [in_channels] + [width * block.expansion] * (depth - 1)
    strides = [1] * (depth - 1) + [stride]
    made = (block(c, width, stride=step, **options) for c, step in zip(channels, strides))
    return Sequential(*made)


def expansion_forgotten(block, depth, in_channels, width, *, stride, **options):
    """the later blocks get `width` channels: `expansion` times as many come out of the block before"""
    first = block(in_channels, width, stride=stride, **options)
    return Sequential(first, *(block(width, width, **options) for _ in range(depth - 1)))


def same_channels_for_all(block, depth, in_channels, width, *, stride, **options):
    """every block gets in_channels: those after the first get what came out of the one before"""
    first = block(in_channels, width, stride=stride, **options)
    return Sequential(first, *(block(in_channels, width, **options) for _ in range(depth - 1)))


def expanded_width(block, depth, in_channels, width, *, stride, **options):
    """the blocks get the expanded width as theirs: they expand it themselves, and then once too often"""
    expanded = width * block.expansion
    first = block(in_channels, expanded, stride=stride, **options)
    rest = [block(expanded * block.expansion, expanded, **options) for _ in range(depth - 1)]
    return Sequential(first, *rest)


def options_for_the_first(block, depth, in_channels, width, *, stride, **options):
    """only the first block gets the options: the others need them too, the generator for one"""
    first = block(in_channels, width, stride=stride, **options)
    return Sequential(first, *(block(width * block.expansion, width) for _ in range(depth - 1)))


def options_dropped(block, depth, in_channels, width, *, stride, **options):
    """the options are left out: every block needs them"""
    first = block(in_channels, width, stride=stride)
    return Sequential(first, *(block(width * block.expansion, width) for _ in range(depth - 1)))


def one_block_repeated(block, depth, in_channels, width, *, stride, **options):
    """one block is repeated: its weights are then those of several layers"""
    first = block(in_channels, width, stride=stride, **options)
    if depth == 1:
        return Sequential(first)
    return Sequential(first, *[block(width * block.expansion, width, **options)] * (depth - 1))


def one_too_many(block, depth, in_channels, width, *, stride, **options):
    """there is a block too many: the first one counts"""
    first = block(in_channels, width, stride=stride, **options)
    return Sequential(
        first, *(block(width * block.expansion, width, **options) for _ in range(depth))
    )


def a_list(block, depth, in_channels, width, *, stride, **options):
    """the blocks are returned as a list: a Sequential is a module, which can be called"""
    first = block(in_channels, width, stride=stride, **options)
    return [first, *(block(width * block.expansion, width, **options) for _ in range(depth - 1))]
