"""Exercise 16a: a training loop that can be saved and restored, and what goes wrong with it."""

import numpy

from minires import functional as F
from minires.tensor import Tensor


class Loop:
    """A training loop that can be saved after any step, and continued from there as if nothing had happened.

    model  a Module    x, labels  arrays (N, H, W, C) and (N,)    rate  a function: the learning rate of step 0, 1, 2, ...
    rng  a NumPy Generator, which shuffles the images and decides which ones are mirrored
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
        return {
            "model": self.model.state_dict(),
            "velocity": [v.copy() for v in self.velocity],
            "order": self.order.copy(),
            "place": self.place,
            "steps": self.steps,
            "rng": self.rng.bit_generator.state,
        }

    def restore(self, saved):
        """Continue from what save() returned."""
        self.model.load_state_dict(saved["model"])
        for v, kept in zip(self.velocity, saved["velocity"]):
            v[...] = kept
        self.order[...] = saved["order"]
        self.place, self.steps = saved["place"], saved["steps"]
        self.rng.bit_generator.state = saved["rng"]


class no_velocity(Loop):
    """the velocities are left out: momentum starts again from what the loop happens to have"""

    def restore(self, saved):
        own = [v.copy() for v in self.velocity]
        super().restore({**saved, "velocity": own})


class velocity_from_zero(Loop):
    """the velocities are left out: momentum starts again from 0"""

    def restore(self, saved):
        super().restore({**saved, "velocity": [0 * v for v in saved["velocity"]]})


class parameters_only(Loop):
    """only the parameters of the model are saved: batch norm has running statistics as well"""

    def restore(self, saved):
        own = {name: array.copy() for name, array in self.model.named_buffers()}
        super().restore({**saved, "model": {**saved["model"], **own}})


class no_place(Loop):
    """the place within the epoch is left out: the loop continues at the place that it happens to have"""

    def restore(self, saved):
        super().restore({**saved, "place": self.place})


class epoch_from_its_start(Loop):
    """the place within the epoch is left out: the epoch begins again"""

    def restore(self, saved):
        super().restore({**saved, "place": 0})


class no_order(Loop):
    """the order of the images is left out: the rest of the epoch has other images, and later orders follow from this one"""

    def restore(self, saved):
        super().restore({**saved, "order": self.order.copy()})


class no_steps(Loop):
    """the number of steps is left out: the learning rate is that of a different step"""

    def restore(self, saved):
        super().restore({**saved, "steps": self.steps})


class no_generator(Loop):
    """the state of the generator is left out: other images are mirrored, and the next epoch has a different order"""

    def restore(self, saved):
        super().restore({**saved, "rng": self.rng.bit_generator.state})


class weights_shared(Loop):
    """the arrays of the parameters are saved themselves, not copies: training changes what was saved"""

    def save(self):
        own = {name: parameter.data for name, parameter in self.model.named_parameters()}
        saved = super().save()
        return {**saved, "model": {**saved["model"], **own}}


class velocity_shared(Loop):
    """the arrays of the velocities are saved themselves, not copies: training changes what was saved"""

    def save(self):
        return {**super().save(), "velocity": [*self.velocity]}


class order_shared(Loop):
    """the array of the order is saved itself, not a copy: the next epoch shuffles what was saved"""

    def save(self):
        return {**super().save(), "order": self.order}


class velocity_replaced(Loop):
    """the loop's velocities are replaced by the arrays that were saved: others hold the old ones, and training changes what was saved"""

    def restore(self, saved):
        super().restore(saved)
        self.velocity = saved["velocity"]


class order_replaced(Loop):
    """the loop's order is replaced by the array that was saved: the next epoch shuffles what was saved"""

    def restore(self, saved):
        super().restore(saved)
        self.order = saved["order"]


class copies_in_the_place_of_arrays(Loop):
    """the loop's velocities are replaced by copies of the saved ones: others hold the old arrays, which stand still from now on"""

    def restore(self, saved):
        super().restore(saved)
        self.velocity = [v.copy() for v in saved["velocity"]]


class weights_replaced(Loop):
    """the arrays of the parameters are replaced by new ones: whatever holds the old ones sees them stand still from now on"""

    def restore(self, saved):
        before = [(parameter, parameter.data.copy()) for parameter in self.model.parameters()]
        arrays = [parameter.data for parameter in self.model.parameters()]
        super().restore(saved)
        for (parameter, old), array in zip(before, arrays):
            parameter.data = array.copy()
            array[...] = old


class generator_replaced(Loop):
    """the loop gets a generator of its own: dropout in the model still has the old one, in a different state"""

    def restore(self, saved):
        rng, state = self.rng, self.rng.bit_generator.state
        super().restore(saved)
        self.rng = numpy.random.Generator(type(rng.bit_generator)())
        self.rng.bit_generator.state = saved["rng"]
        rng.bit_generator.state = state
