"""The numbers of an optimizer's update that change from step to step, such as the learning rate: from the device's memory.

A CUDA graph repeats the numbers that its kernels were recorded with. So they get the address of these numbers instead, and the host
fills them in before each launch: it runs optimizer.step() with updates that note their numbers, and launch nothing.
"""

import operator

import numpy

from minires.backend import to_device
from minires.fast.cuda.update import adam_kernel, launch_update, sgd_kernel
from minires.ops.forms import standing_in

MOST = 3  # of one update


class Changing:
    """A row of numbers for each update of a step, in their order.

    most  updates of a step, at most
    """

    def __init__(self, most):
        self.host = numpy.ones((most, MOST))
        self.device, self._row, self._recorded = to_device(self.host), 0, []

    def launching(self, **seams):
        """Context manager for a step that runs as usual: its updates read their numbers from the device."""
        return self._updates_by(self._launch, seams)

    def recording(self, **seams):
        """Context manager for a step that is recorded: the same, and send() has to follow before it is launched."""
        self._recorded = []
        return self._updates_by(self._record, seams)

    def noting(self):
        """Context manager for optimizer.step() before a launch: it notes the numbers of the updates that were recorded."""
        return self._updates_by(self._note, {})

    def _updates_by(self, run, seams):
        self._row = 0
        return standing_in(sgd=SGD, adam=ADAM, launch_update=run, **seams)

    def gradients(self):
        """Return the gradient that each recorded update reads."""
        return [arrays[1] for arrays, _ in self._recorded]

    def send(self):
        """Copy the numbers to the device."""
        self.device[...] = to_device(self.host)

    def _launch(self, kernel, arrays, changing, fixed, flags):
        row = self._next(changing)
        self.send()
        self._run(row, kernel, arrays, changing, fixed, flags)

    def _record(self, kernel, arrays, changing, fixed, flags):
        row = self._next(changing)
        self._recorded.append((arrays, (kernel, fixed, flags)))
        self._run(row, kernel, arrays, changing, fixed, flags)

    def _note(self, kernel, arrays, changing, fixed, flags):
        row = self._next(changing)
        known, numbers = self._recorded[row]
        if not all(map(operator.is_, arrays, known)) or numbers != (kernel, fixed, flags):
            raise RuntimeError(
                f"cuda_graph: update {row} of the step, {kernel}, is not the one that was recorded"
            )

    def _next(self, changing):
        """Note the numbers of the next update. Returns its row."""
        row, self._row = self._row, self._row + 1
        self.host[row, : len(changing)] = changing
        return row

    def _run(self, row, kernel, arrays, changing, fixed, flags):
        places = [self.device[row, i : i + 1] for i in range(len(changing))]
        launch_update.default(kernel, arrays, places, fixed, flags)


def _by(kernel):
    """Return an update by this kernel alone: any other form would keep the numbers of the step that was recorded."""

    def update(*arrays, **options):
        if kernel(*arrays, **options) is NotImplemented:
            raise TypeError(f"{kernel.__name__}: there is none for weights of {arrays[0].dtype}")

    return update


SGD, ADAM = _by(sgd_kernel), _by(adam_kernel)
