"""Put a residual block of your own into models.ResNet, and train it for a few epochs.

python examples/own_block.py

The block squeezes its result to one number per channel, and from these computes how much each channel counts.
Source  Hu et al. 2018, "Squeeze-and-Excitation Networks".
"""

import argparse

from minires import data, models, nn, optim
from minires import functional as F
from minires.train import evaluate, train_epoch

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=5)
epochs = parser.parse_args().epochs


class SqueezeExciteBlock(nn.Module):
    """relu(F(x) * factors(F(x)) + x). ResNet asks for this signature, and for `expansion`."""

    expansion = 1  # the block returns expansion * channels channels

    def __init__(self, in_channels, channels, *, stride=1, shortcut="B"):
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm(channels)
        self.squeeze = nn.Linear(channels, channels // 4)
        self.excite = nn.Linear(channels // 4, channels)
        self.shortcut = nn.Identity()
        if stride != 1 or in_channels != channels:  # x has to get the shape of F(x)
            self.shortcut = nn.Conv2d(in_channels, channels, 1, stride=stride, bias=False)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        factors = F.sigmoid(self.excite(F.relu(self.squeeze(F.global_avg_pool(y)))))  # (N, C)
        y = y * factors.reshape(len(y), 1, 1, -1)
        return F.relu(y + self.shortcut(x))


nn.manual_seed(0)
train, validation, _ = data.digits()
model = models.ResNet(SqueezeExciteBlock, depths=(1, 1, 1), widths=(16, 32, 64), in_channels=1)
print(models.summary(model, (8, 8, 1)))

optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(epochs):
    score = train_epoch(model, data.batches(train, 64, seed=0, epoch=epoch, crop=1), optimizer)
    print(f"epoch {epoch + 1}, training:   {score}")
    print(f"         validation: {evaluate(model, data.batches(validation, 256))}")
