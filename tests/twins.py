"""Residual networks built in torch.nn by hand, with the names of torchvision."""

import torch

TF = torch.nn.functional


def nchw(t):
    """A tensor (N, H, W, C) as (N, C, H, W)."""
    return t.permute(0, 3, 1, 2)


class PadA(torch.nn.Module):
    """Option A."""

    def __init__(self, i, o, stride):
        super().__init__()
        self.stride, self.before, self.behind = stride, (o - i) // 2, o - i - (o - i) // 2

    def forward(self, x):
        return TF.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.behind))


class Block(torch.nn.Module):
    """Both blocks: `sizes` has (kernel, stride) for each convolution; the last of a bottleneck has four times the width."""

    def __init__(self, i, width, stride, shortcut, bottleneck):
        super().__init__()
        o = width * 4 if bottleneck else width
        sizes = [(1, 1, width), (3, stride, width), (1, 1, o)] if bottleneck else [(3, stride, width), (3, 1, width)]
        self.count, c = len(sizes), i
        for n, (kernel, step, f) in enumerate(sizes, start=1):
            self.add_module(f"conv{n}", torch.nn.Conv2d(c, f, kernel, stride=step, padding=kernel // 2, bias=False))
            self.add_module(f"bn{n}", torch.nn.BatchNorm2d(f))
            c = f
        self.downsample = torch.nn.Identity()
        if stride != 1 or i != o:
            project = torch.nn.Sequential(torch.nn.Conv2d(i, o, 1, stride=stride, bias=False), torch.nn.BatchNorm2d(o))
            self.downsample = project if shortcut == "B" else PadA(i, o, stride)

    def forward(self, x):
        y = x
        for n in range(1, self.count + 1):
            y = getattr(self, f"bn{n}")(getattr(self, f"conv{n}")(y))
            y = torch.relu(y) if n < self.count else y
        return torch.relu(y + self.downsample(x))


class Twin(torch.nn.Module):
    """A residual network with the names of torchvision."""

    def __init__(self, depths, widths, *, bottleneck=False, shortcut="B", stem="cifar", num_classes=10):
        super().__init__()
        imagenet, c = stem == "imagenet", widths[0]
        window = {"kernel_size": 7, "stride": 2, "padding": 3} if imagenet else {"kernel_size": 3, "padding": 1}
        self.conv1 = torch.nn.Conv2d(3, c, **window, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(c)
        self.maxpool = torch.nn.MaxPool2d(3, stride=2, padding=1) if imagenet else torch.nn.Identity()
        self.stages = len(depths)
        for s, (depth, width) in enumerate(zip(depths, widths)):
            blocks = []
            for b in range(depth):
                blocks.append(Block(c, width, 2 if s > 0 and b == 0 else 1, shortcut, bottleneck))
                c = width * 4 if bottleneck else width
            self.add_module(f"layer{s + 1}", torch.nn.Sequential(*blocks))
        self.fc = torch.nn.Linear(c, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(nchw(x)))))
        for s in range(self.stages):
            x = getattr(self, f"layer{s + 1}")(x)
        return self.fc(x.mean(dim=(2, 3)))


def turned(array):
    """A weight of ours, or its gradient, in torch's layout."""
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T if array.ndim == 2 else array
