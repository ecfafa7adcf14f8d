"""The same work in PyTorch (eager), on networks written as in torchvision, in both layouts of images."""

import copy
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from benchmarks.problems import CLASSES, SGD, SMOOTHING

LAYOUTS = {"PyTorch NCHW": torch.contiguous_format, "PyTorch channels_last": torch.channels_last}


class Padded(nn.Module):
    """The shortcut without weights, option A: every `stride`-th pixel, and channels of zeros before and behind."""

    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.stride, more = stride, channels - in_channels
        self.before, self.behind = more // 2, more - more // 2

    def forward(self, x):
        return F.pad(
            x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.behind)
        )


class Block(nn.Module):
    """Convolutions with batch norm, and x added before the last ReLU. sizes: (kernel, channels out, stride) of each.

    shortcut  where shapes change: "B" a projection, "A" Padded; "none": nothing is added anywhere
    """

    def __init__(self, in_channels, *sizes, shortcut="B"):
        super().__init__()
        channels, strides = in_channels, [stride for _, _, stride in sizes]
        for i, (kernel, out, stride) in enumerate(sizes, 1):
            setattr(
                self, f"conv{i}", nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False)
            )
            setattr(self, f"bn{i}", nn.BatchNorm2d(out))
            channels = out
        self.relu = nn.ReLU(inplace=True)
        self.count = len(sizes)
        self.downsample = None
        self.plain = shortcut == "none"
        if (max(strides) > 1 or in_channels != channels) and not self.plain:
            projection = nn.Conv2d(in_channels, channels, 1, max(strides), bias=False)
            projected = nn.Sequential(projection, nn.BatchNorm2d(channels))
            self.downsample = (
                projected if shortcut == "B" else Padded(in_channels, channels, max(strides))
            )

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.count:
                y = self.relu(y)
        if not self.plain:
            y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


class ResNet(nn.Module):
    """Stem, stages, mean over the image, linear layer, of a Net. stem  "cifar", or "imagenet": 7x7 with stride 2, and a max pool"""

    def __init__(self, net, *, in_channels=3, classes=CLASSES, shortcut="B", stem="cifar"):
        super().__init__()
        channels, wide = net.widths[0], stem == "imagenet"
        window = (
            {"kernel_size": 7, "stride": 2, "padding": 3}
            if wide
            else {"kernel_size": 3, "padding": 1}
        )
        self.conv1 = nn.Conv2d(in_channels, channels, bias=False, **window)
        self.bn1 = nn.BatchNorm2d(channels)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if wide else nn.Identity()
        self.relu, self.stages = nn.ReLU(inplace=True), len(net.depths)
        for i, (depth, width) in enumerate(zip(net.depths, net.widths), 1):
            blocks = []
            for j in range(depth):
                stride = 2 if i > 1 and j == 0 else 1
                sizes = [(3, width, stride), (3, width, 1)]
                if net.block == "Bottleneck":
                    sizes = [(1, width, 1), (3, width, stride), (1, 4 * width, 1)]
                blocks.append(Block(channels, *sizes, shortcut=shortcut))
                channels = sizes[-1][1]
            setattr(self, f"layer{i}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for i in range(1, self.stages + 1):
            x = getattr(self, f"layer{i}")(x)
        return self.fc(x.mean((2, 3)))


class Stage(nn.Module):
    """A convolution and a max pool; then a block of one convolution, with its input added. momentum  of the batch norms"""

    def __init__(self, in_channels, channels, momentum):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels, momentum=momentum)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels, momentum=momentum)

    def forward(self, x):
        y = F.relu(self.bn1(F.max_pool2d(self.conv1(x), 2)))
        return F.relu(self.bn2(self.conv2(y)) + y)


class ShortResNet(nn.Module):
    """minires's network for short training runs, resnet8."""

    def __init__(
        self,
        *,
        in_channels=3,
        classes=CLASSES,
        stem=24,
        widths=(64, 128, 256),
        scale=1 / 9,
        momentum=0.4,
    ):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, stem, 3, padding=1)
        self.scale = scale
        self.stages = len(widths)
        for i, (before, width) in enumerate(zip((stem, *widths), widths), 1):
            setattr(self, f"layer{i}", Stage(before, width, momentum))
        self.fc = nn.Linear(widths[-1], classes, bias=False)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        for i in range(1, self.stages + 1):
            x = getattr(self, f"layer{i}")(x)
        return self.fc(x.mean((2, 3))) * self.scale


def describe(threads):
    """Give PyTorch as many threads as minires has, and return what it is."""
    torch.set_num_threads(threads)
    return {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "kernels": torch.backends.cpu.get_cpu_capability(),
    }


def import_all():
    """Import what PyTorch imports only when its first optimizer is made."""
    torch.optim.SGD([nn.Parameter(torch.zeros(1))])


@contextmanager
def one_thread():
    """Context manager: PyTorch uses one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def build(net, layout, state=None):
    """Return the model of a Net, as placed() does."""
    return placed(ResNet(net), layout, state)


def placed(model, layout, state=None):
    """Return a model in a layout of LAYOUTS, with the weights of minires's if its state_dict() is given.

    Raises  ValueError: the two networks differ.
    """
    if state is not None:
        missing, unknown = model.load_state_dict(
            {name: _turned(array) for name, array in state.items()}, strict=False
        )
        missing = [name for name in missing if not name.endswith("num_batches_tracked")]
        if missing or unknown:
            raise ValueError(f"the nets differ: PyTorch's has {missing} more, minires's {unknown}")
    return model.to(memory_format=LAYOUTS[layout])


def images(x, layout):
    """Return an array (N, H, W, C) as a tensor (N, C, H, W) in a layout of LAYOUTS."""
    return torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=LAYOUTS[layout])


def _turned(weight):
    """Return minires's weight as PyTorch's: (KH, KW, C, F) as (F, C, KH, KW), (I, O) as (O, I)."""
    turned = weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight.T
    return torch.from_numpy(turned.copy())


def training(model, x, labels):
    """Return a function that does one step: forward, loss, backward, optimizer (the fused one, which is faster)."""
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), fused=True, **SGD)
    labels = torch.from_numpy(labels)

    def step():
        loss = F.cross_entropy(model(x), labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def inference(model, x, layout):
    """Return a function that returns the logits of the model, with batch norm folded into its convolutions."""
    fused = folded(model).to(memory_format=LAYOUTS[layout])

    def logits():
        with torch.inference_mode():
            return fused(x).numpy()

    return logits


def folded(model):
    """Return a copy for evaluation, with each batch norm folded into the convolution before it."""
    model = copy.deepcopy(model).eval()
    for module in list(model.modules()):
        pairs = [(f"conv{i}", f"bn{i}") for i in (1, 2, 3) if hasattr(module, f"conv{i}")]
        if isinstance(module, nn.Sequential) and isinstance(module[0], nn.Conv2d):
            pairs = [("0", "1")]
        for conv, norm in pairs:
            setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
            setattr(module, norm, nn.Identity())
    return model


def convolution(shape, layout):
    """Return (forward, both): functions that convolve, and that convolve and return the gradients of x and weight."""
    x, weight, g = shape.arrays()
    x, g = images(x, layout), images(g, layout)
    weight = _turned(weight).to(memory_format=LAYOUTS[layout])
    wanted = [x.clone().requires_grad_(), weight.clone().requires_grad_()]

    def forward():
        with torch.inference_mode():
            F.conv2d(x, weight, None, shape.stride, shape.padding)

    def both():
        torch.autograd.grad(F.conv2d(*wanted, None, shape.stride, shape.padding), wanted, g)

    return forward, both
