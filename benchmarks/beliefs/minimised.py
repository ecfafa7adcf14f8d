"""Does training minimise the residuals? Cross entropy, the sum of mean F^2, and both are minimised, and both are watched."""

import statistics

import numpy

from benchmarks.beliefs import digits
from benchmarks.beliefs.table import Making
from minires import Tensor, data, models, optim
from minires import functional as F
from minires.train import evaluate

EPOCHS, LR = 3, 0.1
OBJECTIVES = {  # minimised -> how much of the cross entropy, and of the sum of mean F^2
    "cross entropy": (1, 0),
    "sum of mean F²": (0, 1),
    "cross entropy + 0.1 sum of mean F²": (1, 0.1),
}
COLUMNS = {
    "cross entropy, first step": 2,
    "cross entropy, last epoch": 2,
    "sum of mean F², first step": 2,
    "sum of mean F², last epoch": 2,
    "validation, %": 1,
}


def tables(seeds, *, quick):
    """Yield (name, table)."""
    parts = digits.images(quick)
    setting = (
        f"A ResNet of 8 layers (three blocks), widths 8-16-32, shortcut A, {EPOCHS} epochs of 1,257 handwritten digits, 185 for "
        f"validation; SGD, momentum 0.9, no weight decay, learning rate {LR} throughout, batch 64. F is a block's branch, before the add."
    )
    made = Making("Is it the residuals that training minimises?", setting, "python -m benchmarks.beliefs minimised", seeds, COLUMNS)  # fmt: skip
    for seed in seeds:
        for name, (of_loss, of_squares) in OBJECTIVES.items():
            found = _trained(parts, seed, of_loss, of_squares)
            made.add(name, seed, **dict(zip(COLUMNS, found)))
    yield "minimised", made


def forward(model, x):
    """Return (logits, the sum over the blocks of the mean of F^2): the model's own forward pass, block by block."""
    x, squares = model.stem(x), 0
    for i in range(model.stages):
        for _, block in getattr(model, f"layer{i + 1}").children():
            branch = block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x)))))
            x, squares = F.relu(branch + block.shortcut(x)), squares + (branch * branch).mean()
    return model.fc(model.avgpool(x)), squares


def _trained(parts, seed, of_loss, of_squares):
    """Return (cross entropy at the first step and over the last epoch, the sum of mean F^2 likewise, validation accuracy in %)."""
    train, validation = parts
    rng = numpy.random.default_rng(seed)
    model = models.ResNet(models.BasicBlock, (1, 1, 1), (8, 16, 32), in_channels=1, shortcut="A", rng=rng)  # fmt: skip
    optimizer = optim.SGD(model.parameters(), lr=LR, momentum=0.9)
    epochs = []
    for epoch in range(EPOCHS):
        epochs.append([])
        for x, labels in data.batches(train, 64, seed=seed, epoch=epoch):
            logits, squares = forward(model, Tensor(x))
            loss = F.cross_entropy(logits, labels)
            epochs[-1].append((float(loss.data), float(squares.data)))
            optimizer.zero_grad()
            (of_loss * loss + of_squares * squares).backward()
            optimizer.step()
    first, last = epochs[0][0], [statistics.fmean(values) for values in zip(*epochs[-1])]
    accuracy = 100 * evaluate(model, data.batches(validation, 256)).accuracy
    return first[0], last[0], first[1], last[1], accuracy
