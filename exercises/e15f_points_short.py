"""Exercise 15f, chapter 15, 20 minutes: a bug hunt: twenty points short. Check: pytest exercises/test_e15f_points_short.py"""

from minires import functional as F
from minires.backend import xp
from minires.optim import SGD
from minires.tensor import Tensor


def train(trunk, head, x, labels, *, epochs, batch, lr, scale):
    """Train a trunk and a head together on features of length `scale`. Returns a list of floats: the mean loss of each epoch.

    trunk  maps x (n, H, W, C) to features f (n, D), of which no row is all zeros    head  maps (n, D) to logits
    x  (N, H, W, C)    labels  (N,), ints
    epochs, batch  each epoch takes the images in order, with a smaller batch at the end if need be
    lr  of SGD with momentum 0.9, which updates all parameters of both    scale  a float above 0

    The head gets scale * f / |f|, where |f| is the length of each image's own row, sqrt(f_1^2 + ... + f_D^2). The loss is the
    mean cross entropy, and a parameter's gradient is the derivative of this loss, as finite differences would find it.
    Both modules train in training mode. The mean loss of an epoch is over the images, and each one counts with its loss in
    the step that saw it.

    The loss falls in every epoch, training and test set agree, and nothing looks broken: 1.59, 0.89, 0.78, 0.74, 0.71,
    0.69, and 77 % of the test digits. Without a reference run you'd believe it. The reference run of the same net on the
    same images has 0.85, 0.27, 0.18, 0.08, 0.03, 0.01, and 98 %. There is one fault, but a repair can go half the way:
    then the numbers look good, and the gradient is still wrong. Leave x and labels unchanged. Chapter 15.
    """
    optimizer = SGD([*trunk.parameters(), *head.parameters()], lr=lr, momentum=0.9)
    losses = []
    trunk.train()
    head.train()
    for _ in range(epochs):
        total = 0.0
        for start in range(0, len(x), batch):
            some = labels[start : start + batch]
            features = trunk(Tensor(x[start : start + batch])).data
            lengths = xp.sqrt((features**2).sum(axis=1, keepdims=True))
            loss = F.cross_entropy(head(Tensor(scale * features / lengths)), some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss) * len(some)
        losses.append(total / len(x))
    return losses
