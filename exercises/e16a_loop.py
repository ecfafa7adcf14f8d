"""Exercise 16a, chapter 16, 30 minutes: a loop saved and restored, bit by bit. Check: pytest exercises/test_e16a_loop.py"""

import numpy

from minires import functional as F
from minires.tensor import Tensor


class Loop:
    """A training loop that can be saved after any step, and continued from there as if nothing had happened.

    model  a Module    x, labels  arrays (N, H, W, C) and (N,)    rate  a function: the learning rate of step 0, 1, 2, ...
    rng  a NumPy Generator, which shuffles the images and decides which ones are mirrored

    Write save and restore; the rest is provided. save returns a dict of numbers, strings, arrays, and lists, tuples and
    dicts of these, so that it can be pickled into a file. restore takes such a dict, before or after it was in a file.
    From then on every step does what it would have done after save, bit by bit: the loss, the weights, the running
    statistics. restore may be called on the same loop, earlier or later, or on a new one in a different process. That one
    was made with the same arguments, except that its model has other weights of the same shapes and dtypes, and its
    generator, of the same kind, has drawn other numbers. save changes nothing in the loop. What it returned never
    changes, whatever the loop does later and however often it is restored. restore writes into the arrays of the model
    and of velocity, and changes the state of the generator, without replacing any of these objects: others hold them too,
    such as a dropout layer the generator. x, labels, batch_size, rate, momentum, gradients and the modes of modules need
    not be saved. A Module has state_dict(), which copies its parameters and buffers, and load_state_dict(state), which
    writes into them. The state of a generator is rng.bit_generator.state, a new dict each time you read it; assign such a
    dict to it to set it. Chapter 16.
    """

    def __init__(self, model, x, labels, *, batch_size, rate, momentum=0.9, rng):
        self.model, self.x, self.labels = model, x, labels
        self.batch_size, self.rate, self.momentum, self.rng = batch_size, rate, momentum, rng
        self.velocity = [0 * parameter.data for parameter in model.parameters()]
        self.order = numpy.arange(len(x))
        self.place = len(x)  # so that the first step begins an epoch
        self.steps = 0

    def step(self):
        """Train on the next batch, and return its loss."""
        if self.place >= len(self.order):
            self.rng.shuffle(self.order)
            self.place = 0
        chosen = self.order[self.place : self.place + self.batch_size]
        x, mirrored = self.x[chosen], self.rng.random(len(chosen)) < 0.5
        x[mirrored] = x[mirrored, :, ::-1]
        parameters = self.model.parameters()
        for parameter in parameters:
            parameter.grad = None
        loss = F.cross_entropy(self.model(Tensor(x)), self.labels[chosen])
        loss.backward()
        for parameter, v in zip(parameters, self.velocity):
            v *= self.momentum
            v += parameter.grad
            parameter.data -= self.rate(self.steps) * v
        self.place += self.batch_size
        self.steps += 1
        return float(loss.data)

    def save(self):
        """Return all that the steps from here on depend on, as a dict."""
        raise NotImplementedError("exercise 16a: write Loop.save")

    def restore(self, saved):
        """Continue from what save() returned."""
        raise NotImplementedError("exercise 16a: write Loop.restore")
