"""Stand-ins for the ops that record statistics in the forward pass and in the backward pass."""

import functools
from collections import Counter
from contextlib import contextmanager
from numbers import Integral

from minires import nn
from minires.backend import settings, to_host, xp
from minires.ops.forms import FUNCTIONS, standing_in
from minires.watch.record import Row

# The ops that are watched, and the layer that has each as its one job.
WATCHED = {
    "conv2d": nn.Conv2d, "linear": nn.Linear, "batch_norm": nn.BatchNorm, "batch_norm_frozen": nn.BatchNorm,
    "relu": nn.ReLU, "max_pool2d": nn.MaxPool2d, "avg_pool2d": nn.AvgPool2d, "global_avg_pool": nn.GlobalAvgPool,
    "matmul": (), "sigmoid": (), "tanh": (),
}  # fmt: skip

NAMES = {"batch_norm_frozen": "batch_norm"}

CALL = nn.Module.__call__.forms.name


class Watch:
    """Watches a model at chosen steps, and collects the rows.

    rows  earlier rows to continue from, such as those of read()
    """

    def __init__(self, model, rows=()):
        self.model, self._earlier, self._steps = model, list(rows), {}

    def at(self, step):
        """Context manager: record the model's first forward pass in the block as `step`."""
        return self._recording(lambda i: step if i == 0 else None)

    def each(self, *, first=0, every=1):
        """Context manager: the model's forward passes in the block are the steps first, first + 1, ...

        Those that are multiples of `every` are recorded.

        Raises  ValueError: every is not a whole number of at least 1.
        """
        if not isinstance(every, Integral) or every < 1:
            raise ValueError(f"every: expected a whole number of at least 1, got {every!r}")
        return self._recording(lambda i: None if (first + i) % every else first + i)

    @property
    def rows(self):
        """All Rows so far, by step and depth. Numbers that are still on the device are read now.

        A step that was recorded again has the newer rows.
        """
        rows = [row for row in self._earlier if row.step not in self._steps]
        for step, notes in self._steps.items():
            for depth, note in enumerate(notes):
                rows.append(
                    Row(step, note.layer, depth, *note.activation.read(), *note.gradient.read())
                )
        return sorted(rows, key=lambda row: (row.step, row.depth))

    @contextmanager
    def _recording(self, step_of):
        """Context manager: run the ops through stand-ins. step_of  number of a pass, from 0 -> its step, or None"""
        recording, now = _Recording(self.model, step_of, self._steps), settings()
        before = {
            name: now.stand_ins.get(name, FUNCTIONS[name].default) for name in (*WATCHED, CALL)
        }
        call = recording.running(before.pop(CALL))
        ops = {name: recording.stand_in(name, op) for name, op in before.items()}
        with standing_in({**ops, CALL: call}):
            yield self


def layers(model, *, first=0, every=1):
    """Context manager: watch a model, whose every forward pass in the block is a step.

    It returns the Watch, whose `rows` you can read at any time. In the block, blocks of layers run op by op: a fused form
    has results that could not be recorded.

    first, every  as in Watch.each
    """
    return Watch(model).each(first=first, every=every)


class _Recording:
    """The state of one recording: the modules that are running, and the notes of the pass."""

    def __init__(self, model, step_of, steps):
        self.model, self.step_of, self.steps = model, step_of, steps
        self.paths = {id(module): path for path, module in model.modules()}
        self.stack = []  # the modules that are running, innermost last
        # The notes of the current pass, or None if it is not recorded.
        self.passes, self.notes = 0, None
        self.runs = Counter()  # of each layer in this pass

    def running(self, call):
        """Wrap the call of a module so that it is known which module is running."""

        @functools.wraps(call)
        def watched(module, *inputs, **options):
            if id(module) not in self.paths:
                return call(module, *inputs, **options)
            begins = module is self.model and not self.stack
            if begins:
                step = self.step_of(self.passes)
                self.passes += 1
                if step is not None:
                    self.notes, self.runs = [], Counter()
                    self.steps[step] = self.notes
            self.stack.append(module)
            try:
                return call(module, *inputs, **options)
            finally:
                self.stack.pop()
                if begins:
                    self.notes = None

        return watched

    def stand_in(self, name, op):
        """Wrap an op so that its result and gradient are noted while a pass is recorded."""

        @functools.wraps(op)
        def watched(*operands, **options):
            result, its_backward = op(*operands, **options)
            if self.notes is None:
                return result, its_backward
            note = _Note(self._layer(name))
            self.notes.append(note)
            note.activation.note(result)

            @functools.wraps(its_backward)
            def backward(g, **more):
                note.gradient.note(g)
                return its_backward(g, **more)

            return result, backward

        return watched

    def _layer(self, op):
        """Return the layer's name. A module in a Sequential only has a number, so the op's name is added there."""
        module = self.stack[-1]
        path = self.paths[id(module)]
        if not path or path.rpartition(".")[2].isdigit() or not isinstance(module, WATCHED[op]):
            path = f"{path}.{NAMES.get(op, op)}".removeprefix(".")
        self.runs[path] += 1
        return path if self.runs[path] == 1 else f"{path}({self.runs[path]})"


class _Note:
    """The notes on a layer in one pass."""

    def __init__(self, layer):
        self.layer, self.activation, self.gradient = layer, _Statistics(), _Statistics()


class _Statistics:
    """Mean, standard deviation and fraction of zeros of an array, which stay on the device until they are read."""

    def __init__(self):
        self._numbers = [None, None, None]

    def note(self, array):
        """Compute them in float64: the squares of a gradient of 1e-25 are 0 in float32."""
        parts = (
            array.mean(dtype=xp.float64),
            array.std(dtype=xp.float64),
            (array == 0).mean(dtype=xp.float64),
        )
        self._numbers = xp.stack(parts)

    def read(self):
        """Return [mean, standard deviation, zeros]; each is None if nothing was noted."""
        if not isinstance(self._numbers, list):
            self._numbers = to_host(self._numbers).tolist()
        return self._numbers
