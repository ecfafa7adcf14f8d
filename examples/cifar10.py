"""Train a network on CIFAR-10 for a few epochs, and save its weights.

python examples/cifar10.py FOLDER --epochs 3

FOLDER has the published archive, or its unpacked files, in the binary or the Python version. An epoch of ResNet-20 takes
about two minutes on two cores. `minires train --data cifar10` does the same with checkpoints, figures and many options.
"""

import argparse
import time

from minires import Tensor, data, models, nn, no_grad, optim
from minires import functional as F
from minires.checkpoint import save_weights

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("folder", help="a folder with CIFAR-10")
parser.add_argument("--model", default="resnet20", choices=models.MODELS)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--batch", type=int, default=128, help="images per batch (default: 128)")
parser.add_argument("--lr", type=float, default=0.4, help="highest learning rate (default: 0.4)")
parser.add_argument("--out", default="cifar10.safetensors", help="where the weights go")
options = parser.parse_args()

nn.manual_seed(0)
train, test = data.cifar10(data_dir=options.folder)
model = models.build(options.model, num_classes=len(train.classes))
steps = options.epochs * len(data.batches(train, options.batch))
# Rises for a quarter of the steps, then falls.
rate = optim.triangle(options.lr, steps=steps, peak=0.25)
optimizer = optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=5e-4)
start = time.perf_counter()

for epoch in range(options.epochs):
    model.train()
    for x, labels in data.batches(train, options.batch, seed=0, epoch=epoch, crop=4, flip=True):
        loss = F.cross_entropy(model(Tensor(x)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step = optimizer.steps
        if step % 50 == 0 or step == steps:
            speed = step * options.batch / (time.perf_counter() - start)
            print(f"step {step} of {steps}: loss {loss.item():.3f}, {speed:.0f} images/s")

model.eval()
correct = 0
with no_grad():
    for x, labels in data.batches(test, 250):
        correct += int((model(Tensor(x)).data.argmax(axis=1) == labels).sum())
print(f"test accuracy: {100 * correct / len(test):.2f} % ({correct:,} of {len(test):,} images)")

save_weights(options.out, model.state_dict(), model=options.model, classes=list(train.classes))
print(f"weights in {options.out}")
