"""Exercise 15d, chapter 15, 20 minutes: a bug hunt in evaluation. Check: pytest exercises/test_e15d_fine_until_evaluated.py"""

from minires import functional as F
from minires.backend import xp
from minires.optim import SGD
from minires.tensor import Tensor, no_grad


def train(model, images, codes, test_images, test_codes, *, epochs, batch, lr):
    """Train a model, and return its accuracies {"train": on images, "test": on test_images}, two floats.

    model  maps x (n, H, W, C) to logits, one per different code of the training set, from the smallest code to the largest
    images, test_images  (N, H, W, C) and (M, H, W, C), uint8
    codes, test_codes  (N,) and (M,), ints of any size and sign: the article on each image. No code of the test set is new
    epochs, batch  each epoch takes the images in order, with a smaller batch at the end if need be
    lr  of SGD with momentum 0.9

    x is standardised: the mean of each channel is subtracted, and the difference divided by the channel's standard deviation,
    both of all pixels in `images`. The model trains in training mode. Afterwards both accuracies, the fraction of images
    whose largest logit is that of their code, are measured in evaluation mode.

    A shop sorts photos by article. On its training set the net reaches 95 %, measured by the same lines that measure the
    test set; and on the first test set it reached 93 %. On the second one, made in the same way but smaller, it is below
    1 %, which is much less than chance. The net learns as it should, so the weights after training are right already.
    There is one fault. Leave images and codes unchanged, and leave the model in any mode you like. Chapter 15.
    """
    mean, std = images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2))

    def prepared(images, codes):
        _, labels = xp.unique(codes, return_inverse=True)
        return ((images - mean) / std).astype(xp.float32), labels

    def accuracy(x, labels):
        with no_grad():
            return float((model(Tensor(x)).data.argmax(axis=1) == labels).mean())

    x, labels = prepared(images, codes)
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    model.train()
    for _ in range(epochs):
        for start in range(0, len(x), batch):
            logits = model(Tensor(x[start : start + batch]))
            loss = F.cross_entropy(logits, labels[start : start + batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()
    return {"train": accuracy(x, labels), "test": accuracy(*prepared(test_images, test_codes))}
