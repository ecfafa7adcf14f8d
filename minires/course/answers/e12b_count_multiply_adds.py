"""Exercise 12b: the multiply-adds of a residual network, and what goes wrong when they are counted."""


def count_multiply_adds(
    kind, depths, widths, size, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    """Return the number of multiply-adds that a residual network takes for one image.

    kind  "basic" (3x3, 3x3) or "bottleneck" (1x1, 3x3, 1x1 to four times the width)
    depths, widths  the number of blocks of each stage, and the channels of their 3x3 convolutions
    size  (H, W) of the image, in_channels  its channels    stem  "cifar" or "imagenet"    shortcut  "A", "B" or "none"

    Source  He et al. 2015, "Deep Residual Learning", table 1, sections 3.3 and 4.2.
    """

    def halved(map):
        return (map[0] + 1) // 2, (map[1] + 1) // 2

    def conv(kernel, c, f, map):
        return kernel * kernel * c * f * map[0] * map[1]

    map, channels = size, widths[0]
    if stem == "imagenet":
        map = halved(map)
        total = conv(7, in_channels, channels, map)
        map = halved(map)
    else:
        total = conv(3, in_channels, channels, map)
    for stage, (depth, width) in enumerate(zip(depths, widths)):
        for i in range(depth):
            halves = stage > 0 and i == 0
            after = halved(map) if halves else map
            if kind == "basic":
                out = width
                total += conv(3, channels, width, after) + conv(3, width, width, after)
            else:
                out = 4 * width
                total += conv(1, channels, width, map)
                total += conv(3, width, width, after) + conv(1, width, out, after)
            if shortcut == "B" and (halves or channels != out):
                total += conv(1, channels, out, after)
            map, channels = after, out
    return total + channels * num_classes


class _Count:
    """A right count whose parts can be wrong."""

    expansion = 4

    def __call__(
        self,
        kind,
        depths,
        widths,
        size,
        *,
        in_channels=3,
        num_classes=10,
        stem="cifar",
        shortcut="B",
    ):
        map, channels = tuple(size), widths[0]
        kernel = 7 if stem == "imagenet" else 3
        after, rest = self.stem(stem, map)
        total = self.conv(kernel, in_channels, channels, map, after)
        map = rest
        for stage, (depth, width) in enumerate(zip(depths, widths)):
            for i in range(depth):
                halves = self.halves(stage, i)
                after = self.halved(map) if halves else map
                out = width if kind == "basic" else self.expansion * width
                total += self.branch(kind, channels, width, out, map, after)
                if shortcut == "B" and (halves or channels != out):
                    total += self.projection(channels, out, map, after)
                map, channels = after, out
        return total + self.last(channels, num_classes, map)

    def halved(self, map):
        return (map[0] + 1) // 2, (map[1] + 1) // 2

    def halves(self, stage, i):
        return stage > 0 and i == 0

    def stem(self, stem, map):
        """The size after the convolution, and after the pool."""
        if stem == "cifar":
            return map, map
        after = self.halved(map)
        return after, self.halved(after)

    def conv(self, kernel, c, f, before, after):
        return kernel * kernel * c * f * after[0] * after[1]

    def branch(self, kind, channels, width, out, map, after):
        if kind == "basic":
            return self.conv(3, channels, width, map, after) + self.conv(
                3, width, out, after, after
            )
        first = self.conv(1, channels, width, map, map)
        return (
            first + self.conv(3, width, width, map, after) + self.conv(1, width, out, after, after)
        )

    def projection(self, channels, out, map, after):
        return self.conv(1, channels, out, map, after)

    def last(self, channels, num_classes, map):
        return channels * num_classes


def _counted(kind, depths, widths, size, options, **parts):
    """Return the count of a _Count with these methods."""
    return type("_Part", (_Count,), parts)()(kind, depths, widths, size, **options)


def map_that_comes_in(kind, depths, widths, size, **options):
    """a convolution is counted on the map that comes in: it computes the map that goes out, which stride 2 makes smaller"""

    def conv(self, kernel, c, f, before, after):
        return kernel * kernel * c * f * before[0] * before[1]

    return _counted(kind, depths, widths, size, options, conv=conv)


def stride_on_the_first(kind, depths, widths, size, **options):
    """a bottleneck's first 1x1 has the stride, as in the paper's own table: here the 3x3 has it, so the 1x1 works on the larger map"""

    def branch(self, kind, channels, width, out, map, after):
        return _Count.branch(self, kind, channels, width, out, after, after)

    return _counted(kind, depths, widths, size, options, branch=branch)


def stride_on_the_last(kind, depths, widths, size, **options):
    """the map is halved after a block's convolutions: one of them has the stride, and those after it work on the smaller map"""

    def branch(self, kind, channels, width, out, map, after):
        return _Count.branch(self, kind, channels, width, out, map, map)

    return _counted(kind, depths, widths, size, options, branch=branch)


def pool_forgotten(kind, depths, widths, size, **options):
    """the max pool of the stem is left out: it halves the map once more"""

    def stem(self, stem, map):
        return (map if stem == "cifar" else self.halved(map),) * 2

    return _counted(kind, depths, widths, size, options, stem=stem)


def stem_after_the_pool(kind, depths, widths, size, **options):
    """the convolution of the stem is counted after the max pool: it comes before it, on a map four times as large"""

    def stem(self, stem, map):
        return (map if stem == "cifar" else self.halved(self.halved(map)),) * 2

    return _counted(kind, depths, widths, size, options, stem=stem)


def projections_forgotten(kind, depths, widths, size, **options):
    """projections are not counted: a 1x1 convolution has work to do too"""
    return _counted(kind, depths, widths, size, options, projection=lambda *_: 0)


def projection_before_the_stride(kind, depths, widths, size, **options):
    """a projection is counted on the map that comes in: it has stride 2, and computes every second pixel only"""

    def projection(self, channels, out, map, after):
        return self.conv(1, channels, out, map, map)

    return _counted(kind, depths, widths, size, options, projection=projection)


def halved_in_each_stage(kind, depths, widths, size, **options):
    """the first stage halves the map too: its blocks have stride 1"""
    return _counted(kind, depths, widths, size, options, halves=lambda self, stage, i: i == 0)


def halved_in_each_block(kind, depths, widths, size, **options):
    """every block of a stage halves the map: only its first one does"""
    return _counted(kind, depths, widths, size, options, halves=lambda self, stage, i: stage > 0)


def rounded_down(kind, depths, widths, size, **options):
    """half of an odd size is rounded down: with its padding, a 3x3 window with stride 2 has (H + 1) // 2 positions"""

    def halved(self, map):
        return map[0] // 2, map[1] // 2

    return _counted(kind, depths, widths, size, options, halved=halved)


def square_images(kind, depths, widths, size, **options):
    """the height is used as the width too"""
    return _counted(kind, depths, widths, (size[0], size[0]), options)


def two_per_multiply_add(kind, depths, widths, size, **options):
    """multiplications and additions are counted separately: a multiply-add is both at once"""
    return 2 * _Count()(kind, depths, widths, size, **options)


def linear_at_each_pixel(kind, depths, widths, size, **options):
    """the linear layer is counted at each pixel: it comes after the mean over all pixels"""

    def last(self, channels, num_classes, map):
        return channels * num_classes * map[0] * map[1]

    return _counted(kind, depths, widths, size, options, last=last)


def linear_forgotten(kind, depths, widths, size, **options):
    """the linear layer is not counted"""
    return _counted(kind, depths, widths, size, options, last=lambda *_: 0)


def expansion_forgotten(kind, depths, widths, size, **options):
    """a bottleneck ends at its width: its last 1x1 leads to four times as many channels"""
    return _counted(kind, depths, widths, size, options, expansion=1)
