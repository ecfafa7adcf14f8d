"""Residual networks of PyTorch's with the names of torchvision, that take images as ours do."""

from benchmarks import peers
from benchmarks.problems import Net


def nchw(t):
    """A tensor (N, H, W, C) as (N, C, H, W)."""
    return t.permute(0, 3, 1, 2)


class Twin(peers.ResNet):
    """(N, H, W, 3) -> (N, num_classes). shortcut  "A", "B" or "none"    stem  "cifar" or "imagenet" """

    def __init__(
        self, depths, widths, *, bottleneck=False, shortcut="B", stem="cifar", num_classes=10
    ):
        net = Net("Bottleneck" if bottleneck else "BasicBlock", depths, widths)
        super().__init__(net, classes=num_classes, shortcut=shortcut, stem=stem)

    def forward(self, x):
        return super().forward(nchw(x))


def turned(array):
    """A weight of ours, or its gradient, in torch's layout."""
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T if array.ndim == 2 else array
