"""Exercise 15c, chapter 15, 15 minutes: a bug hunt at chance level. Check: pytest exercises/test_e15c_at_chance.py"""

from minires import functional as F
from minires.backend import xp
from minires.optim import SGD
from minires.tensor import Tensor


def train(model, images, labels, corners, *, size, batch, lr):
    """Train a model on images that move about in a grey frame. Returns a list of floats: the mean loss of each epoch.

    model  maps x (n, size, size, C) to logits; it trains in training mode
    images  (N, H, W, C), uint8, no larger than the frame    labels  (N,), ints
    corners  (epochs, N, 2), ints: where each image's upper left pixel is in its frame (row, column), one row per epoch
    size  height and width of the frame    batch  images per step    lr  of SGD with momentum 0.9

    x is float32: the pixels of an image, 0 to 255, become -0.5 to 0.5, and the rest of its frame is 0.
    Each epoch takes the images in order, with a smaller batch at the end if need be. Its mean loss is over the images,
    and each one counts with its loss in the step that saw it.

    This training run raises no error, and its loss is a number. But it stays at log K: 2.30, 2.30, 2.30, 2.30 on ten
    digits, whatever the learning rate, and on ten images too. The function worked for as long as we tried it on images
    that we had drawn ourselves, as floats from 0 to 255. The model has been used elsewhere, and it learns. There is one
    fault. Leave images, labels and corners unchanged. Chapter 15.
    """
    n, h, w, channels = images.shape
    canvas = xp.zeros((n, size, size, channels), images.dtype)
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    losses = []
    model.train()
    for places in corners:
        canvas[...] = 0
        for i, (top, left) in enumerate(places):
            canvas[i, top : top + h, left : left + w] = images[i] / 255 - 0.5
        total = 0.0
        for start in range(0, n, batch):
            x, some = (
                canvas[start : start + batch].astype(xp.float32),
                labels[start : start + batch],
            )
            loss = F.cross_entropy(model(Tensor(x)), some)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss) * len(some)
        losses.append(total / n)
    return losses
