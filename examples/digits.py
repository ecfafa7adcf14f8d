"""Train a ResNet-20 on handwritten digits, with the whole training loop in view.

python examples/digits.py

Ten epochs take about ten seconds on two cores. The test images are read once, at the end.
"""

import argparse

from minires import Tensor, data, models, nn, no_grad, optim
from minires import functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=10)
epochs = parser.parse_args().epochs


def accuracy(model, images):
    """Return the percentage of images that the model classifies correctly."""
    model.eval()
    correct = 0
    with no_grad():
        for x, labels in data.batches(images, 256):
            correct += int((model(Tensor(x)).data.argmax(axis=1) == labels).sum())
    return 100 * correct / len(images)


nn.manual_seed(0)
train, validation, test = data.digits()
model = models.resnet20(in_channels=1)
rate = optim.cosine(0.1, steps=epochs * len(data.batches(train, 64)))
optimizer = optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=1e-4)

for epoch in range(epochs):
    model.train()
    for x, labels in data.batches(train, 64, seed=0, epoch=epoch, crop=1):
        loss = F.cross_entropy(model(Tensor(x)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    seen = accuracy(model, validation)
    print(f"epoch {epoch + 1:2}: loss {loss.item():.3f}, validation {seen:.2f} %")

print(f"test accuracy: {accuracy(model, test):.2f} %")
