"""Exercise 12a: the parameters of a residual network, and what goes wrong when they are counted."""


def count_parameters(
    kind, depths, widths, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
):
    """Return the number of parameters of a residual network.

    kind  "basic" (3x3, 3x3) or "bottleneck" (1x1, 3x3, 1x1 to four times the width)
    depths, widths  the number of blocks of each stage, and the channels of their 3x3 convolutions
    in_channels  of an image    stem  "cifar" or "imagenet"    shortcut  "A", "B" or "none"

    Source  He et al. 2015, "Deep Residual Learning", table 1, sections 3.3 and 4.2.
    """

    def conv(kernel, c, f):
        return kernel * kernel * c * f + 2 * f

    channels = widths[0]
    total = conv(7 if stem == "imagenet" else 3, in_channels, channels)
    for stage, (depth, width) in enumerate(zip(depths, widths)):
        for i in range(depth):
            if kind == "basic":
                out = width
                total += conv(3, channels, width) + conv(3, width, width)
            else:
                out = 4 * width
                total += conv(1, channels, width) + conv(3, width, width) + conv(1, width, out)
            halves = stage > 0 and i == 0
            if shortcut == "B" and (halves or channels != out):
                total += conv(1, channels, out)
            channels = out
    return total + channels * num_classes + num_classes


class _Count:
    """A right count whose parts can be wrong."""

    expansion = 4

    def __call__(
        self, kind, depths, widths, *, in_channels=3, num_classes=10, stem="cifar", shortcut="B"
    ):
        channels = widths[0]
        total = self.stem(7 if stem == "imagenet" else 3, in_channels, channels)
        for stage, (depth, width) in enumerate(zip(depths, widths)):
            for i in range(depth):
                out = self.outputs(kind, width)
                total += self.branch(kind, channels, width)
                if self.projects(shortcut, stage > 0 and i == 0, channels, out, i):
                    total += self.projection(channels, out)
                channels = self.handed_on(width, out)
        return total + self.last(channels, num_classes, widths)

    def conv(self, kernel, c, f):
        return kernel * kernel * c * f + 2 * f

    def stem(self, kernel, c, f):
        return self.conv(kernel, c, f)

    def outputs(self, kind, width):
        return width if kind == "basic" else self.expansion * width

    def branch(self, kind, channels, width):
        if kind == "basic":
            return self.conv(3, channels, width) + self.conv(3, width, width)
        outer = self.conv(1, channels, width) + self.conv(1, width, self.outputs(kind, width))
        return outer + self.conv(3, width, width)

    def projects(self, shortcut, halves, channels, out, i):
        return shortcut == "B" and (halves or channels != out)

    def projection(self, channels, out):
        return self.conv(1, channels, out)

    def handed_on(self, width, out):
        return out

    def last(self, channels, num_classes, widths):
        return channels * num_classes + num_classes


def _counted(kind, depths, widths, options, **parts):
    """Return the count of a _Count with these methods."""
    return type("_Part", (_Count,), parts)()(kind, depths, widths, **options)


def norm_of_one(kind, depths, widths, **options):
    """a batch norm is counted with one parameter per channel: it has two, a weight and a bias"""
    return _counted(kind, depths, widths, options, conv=lambda self, k, c, f: k * k * c * f + f)


def norm_with_statistics(kind, depths, widths, **options):
    """the running mean and variance are counted too: they are buffers, which no gradient changes"""
    return _counted(kind, depths, widths, options, conv=lambda self, k, c, f: k * k * c * f + 4 * f)


def norms_forgotten(kind, depths, widths, **options):
    """the batch norms are not counted: each has two parameters per channel"""
    return _counted(kind, depths, widths, options, conv=lambda self, k, c, f: k * k * c * f)


def with_biases(kind, depths, widths, **options):
    """the convolutions are counted with a bias: before a batch norm they have none"""
    return _counted(kind, depths, widths, options, conv=lambda self, k, c, f: k * k * c * f + 3 * f)


def stem_norm_forgotten(kind, depths, widths, **options):
    """the batch norm of the stem is not counted"""
    return _counted(kind, depths, widths, options, stem=lambda self, k, c, f: k * k * c * f)


def projected_by_stride(kind, depths, widths, **options):
    """only blocks with stride 2 get a projection: the first block of a bottleneck net's first stage changes the channels too"""
    return _counted(
        kind,
        depths,
        widths,
        options,
        projects=lambda self, shortcut, halves, *_: shortcut == "B" and halves,
    )


def projected_by_channels(kind, depths, widths, **options):
    """only blocks that change the channels get a projection: one with stride 2 needs it too, to halve x"""
    return _counted(
        kind,
        depths,
        widths,
        options,
        projects=lambda self, shortcut, halves, channels, out, i: (
            shortcut == "B" and channels != out
        ),
    )


def projected_in_each_stage(kind, depths, widths, **options):
    """the first block of each stage gets a projection: in the first stage of a basic net, x keeps its shape"""
    return _counted(
        kind,
        depths,
        widths,
        options,
        projects=lambda self, shortcut, halves, channels, out, i: shortcut == "B" and i == 0,
    )


def projection_without_norm(kind, depths, widths, **options):
    """the batch norm of a projection is not counted"""
    return _counted(
        kind, depths, widths, options, projection=lambda self, channels, out: channels * out
    )


def any_shortcut_projects(kind, depths, widths, **options):
    """shortcuts "A" and "none" are counted like "B": neither has parameters"""
    return _counted(
        kind,
        depths,
        widths,
        options,
        projects=lambda self, shortcut, halves, channels, out, i: halves or channels != out,
    )


def expansion_forgotten(kind, depths, widths, **options):
    """a bottleneck ends at its width: its last 1x1 leads to four times as many channels"""
    return _counted(kind, depths, widths, options, expansion=1)


def width_handed_on(kind, depths, widths, **options):
    """the next block gets the width: four times as many channels come out of a bottleneck"""
    return _counted(kind, depths, widths, options, handed_on=lambda self, width, out: width)


def narrow_last_layer(kind, depths, widths, **options):
    """the last linear layer starts from the last width: four times as many channels come out of a bottleneck"""
    return _counted(
        kind,
        depths,
        widths,
        options,
        last=lambda self, channels, classes, widths: (widths[-1] + 1) * classes,
    )


def last_bias_forgotten(kind, depths, widths, **options):
    """the bias of the last linear layer is not counted"""
    return _counted(
        kind,
        depths,
        widths,
        options,
        last=lambda self, channels, classes, widths: channels * classes,
    )
