"""A training step as one launch: its kernels, products and copies are recorded once as a CUDA graph, and then launched together.

    with backend.using("cupy", cuda_graph=True):
        train_epoch(model, batches, optimizer)

This form replaces train.train_epoch. The host then has little to do at each step, which small batches would wait for.

A graph repeats what was recorded, with the same addresses and numbers. So each batch is copied into the same two arrays, the
learning rate and Adam's corrections are read from the device (see changing.py), and results are copied out after a launch.
Whatever else the step depends on is compared each time (see facts.py), and the step is recorded again if it has changed. A step
that cannot be recorded runs as usual, and a warning says why.
"""

import gc
import warnings
from contextlib import contextmanager, suppress

from minires import nn
from minires.backend import is_array, settings, xp
from minires.fast.cuda import facts, gemm
from minires.fast.cuda.changing import Changing
from minires.fast.cuda.cublas import Cublas
from minires.fast.cuda.device import address, memory
from minires.fast.packed import kept_gradients, lasting_gradients, rewind_point
from minires.functional import cross_entropy
from minires.ops.forms import faster, has_forms
from minires.optim import SGD, Adam, AdamW, GradScaler, Lookahead
from minires.tensor import Tensor
from minires.train import Meter, train_epoch

# Steps before the one that is recorded: they compile kernels, load those of cuBLAS, and pack the parameters.
WARM_UP = 3
IN_VAIN = (
    3  # graphs in a row that were replayed less than WARM_UP times, after which none is recorded
)
WORKSPACE = 32 << 20  # bytes for the products' own use: the most that cuBLAS recommends
WRAPPERS = {
    GradScaler: "loss scaling reads at each step whether the gradients are finite",
    Lookahead: "averaging of weights is done at some steps only",
}


@faster(train_epoch, on="cupy", when=lambda now: now.cuda_graph and not now.plain)
def train_epoch_captured(model, batches, optimizer, *, label_smoothing=0.0, meter=None):
    """Record the fourth step of a model and its optimizer, and launch the later ones as one each, in this epoch and the next."""
    why = obstacle(model, optimizer)
    if why:
        _warn(why)
        return NotImplemented
    meter = Meter() if meter is None else meter
    model.train()
    step = vars(optimizer).setdefault("_captured_step", CapturedStep())
    with step.begun(model, optimizer, label_smoothing):
        for x, labels in batches:
            loss, logits = step(x, labels)
            meter.update(Tensor(loss), Tensor(logits), labels)
        return meter.score()


def obstacle(model, optimizer):
    """Return the reason why a step of this model and optimizer cannot be recorded, or None if none is known."""
    if type(optimizer) not in (SGD, Adam, AdamW):
        kind = type(optimizer)
        return WRAPPERS.get(kind, f"{kind.__name__} is none of SGD, Adam and AdamW")
    if settings().stand_ins:
        names = sorted(settings().stand_ins)
        return f"functions run in place of {', '.join(names[:3])}{', ...' * (len(names) > 3)}"
    for name, module in model.modules():
        if isinstance(module, nn.Dropout) and module.p and not module.frozen:
            return f"dropout ({name}) draws a mask on the host at each step"
    for name, tensor in facts.constants_of(model, optimizer):
        if tensor.requires_grad:
            return f"{name} requires a gradient and is not among the optimizer's parameters"
    return None


def _warn(why):
    warnings.warn(f"cuda_graph: {why}; training continues step by step", stacklevel=2)


def _free_unused():
    """Return what arrays no longer use to the GPU, as the pool of a graph cannot take it from the common pool."""
    xp.get_default_memory_pool().free_all_blocks()


@has_forms
def products_on(stream):
    """Return (the gemm.Products of a cuBLAS handle for this stream, its workspace), both to be kept."""
    workspace = xp.empty(WORKSPACE, dtype=xp.uint8)
    handle = Cublas(stream.ptr, address(workspace), WORKSPACE)
    return gemm.Products(settings().library.module, address, handle.gemm, handle.stack), workspace


class CapturedStep:
    """The step of a model and its optimizer, and its graph once it has been recorded.

    After a launch, `grad` of the parameters is in memory that the next launch writes to.
    """

    def __init__(self):
        self.model = self.optimizer = self.known = self.kind = self.other = None
        self.label_smoothing, self.others, self.in_vain = 0.0, 0, 0
        self.stream = self.products = self.graph = None
        self._forget()

    def __reduce__(self):  # a copy of an optimizer records its own
        return CapturedStep, ()

    def _forget(self):
        if self.graph is not None:
            self.stream.synchronize()
        self.graph = self.pool = self.inputs = self.results = self.facts = self.changing = None
        self.give_gradients, self.steps, self.launches, self.failed = None, 0, 0, False

    @contextmanager
    def begun(self, model, optimizer, label_smoothing):
        """Context manager: work on a stream of its own, after what the current stream does, and before what follows there."""
        known = facts.of_model(model, label_smoothing)
        if self.known is None or not facts.same(known, self.known):
            self._forget()
            self.known, self.label_smoothing, self.in_vain = known, label_smoothing, 0
            self.stream, self.products = xp.cuda.Stream(non_blocking=True), None
            try:
                self.products = products_on(self.stream)
            except Exception as error:  # of the loader, the library or the device
                self._give_up(error)
        self.modules = [module for _, module in model.modules()]
        self.constants = [tensor for _, tensor in facts.constants_of(model, optimizer)]
        around = xp.cuda.get_current_stream()
        self.stream.wait_event(around.record())
        self.model, self.optimizer = model, optimizer
        try:
            with self.stream:
                yield
        finally:
            self.model = self.optimizer = None  # no circle: the optimizer holds this object
            around.wait_event(self.stream.record())

    def __call__(self, x, labels):
        """Do a step. Returns (loss, logits), arrays that no later step changes."""
        fits = self._fits(x, labels)
        if self.products is None or self.failed or not fits:
            return self._step(x, labels)
        if self.graph is not None and not facts.same(self._now(), self.facts):
            self.in_vain = self.in_vain + 1 if self.launches < WARM_UP else 0
            if self.in_vain == IN_VAIN:
                self._give_up(RuntimeError("what it depends on changes from step to step"))
                return self._step(x, labels)
            self._forget()
        if self.inputs is None:
            _free_unused()
            self.pool = xp.cuda.MemoryPool()
            self.inputs = [xp.empty(array.shape, dtype=array.dtype) for array in (x, labels)]
            self.changing = Changing(len(facts.parameters_of(self.optimizer)))
        for fixed, given in zip(self.inputs, (x, labels)):
            fixed[...] = given
        if self.graph is not None:
            return self._launch()
        self.steps += 1
        return (
            self._step_by(self.changing.launching)
            if self.steps <= WARM_UP
            else self._capture(x, labels)
        )

    def _fits(self, x, labels):
        """Return True if a batch is like those that are recorded: like the first one, or like WARM_UP others in a row."""
        kind = [(array.shape, array.dtype) if is_array(array) else None for array in (x, labels)]
        self.others = self.others + 1 if kind == self.other else 1
        self.other = kind
        if kind != self.kind and None not in kind and (self.kind is None or self.others > WARM_UP):
            self._forget()
            self.kind = kind
        return kind == self.kind

    def _now(self):
        return facts.of_step(self.modules, self.constants, self.optimizer)

    def _step(self, x, labels):
        logits = self.model(Tensor(x))
        loss = cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.data, logits.data

    def _step_by(self, updates):
        """Do a step as the graph does it: with memory of its pool, its handle of cuBLAS, and updates that read from the device."""
        seams = {"memory": self._memory, "products": lambda: self.products[0]}
        with xp.cuda.using_allocator(self.pool.malloc), updates(**seams):
            return self._step(*self.inputs)

    def _memory(self):
        """Return what device.memory() does, less what arrays take of the graph's own pool."""
        every, free = memory.default()
        return every, free - self.pool.used_bytes()

    def _launch(self):
        self.launches += 1
        self.give_gradients()
        before = self.changing.host.tobytes()
        with self.changing.noting():
            self.optimizer.step()
        if self.changing.host.tobytes() != before:
            self.changing.send()
        self.graph.launch(self.stream)
        return facts.copies(self.results)

    def _capture(self, x, labels):
        """Do a step as usual, record it, launch the graph from the same start, and compare: if numbers differ, the step depends
        on something that the graph keeps, such as a random number that is drawn on the host.
        """
        if not facts.same(facts.of_model(self.model, self.label_smoothing), self.known):
            self._give_up(RuntimeError("the model's attributes have changed since the epoch began"))
            return self._step(x, labels)
        arrays = facts.changed_arrays(self.model, self.optimizer)
        start, rewind = facts.copies(arrays), rewind_point(self.optimizer)
        results = self._step_by(self.changing.launching)
        end, forward = facts.copies(arrays), rewind_point(self.optimizer)
        give_gradients = kept_gradients(self.optimizer)
        try:
            facts.restore(arrays, start)
            rewind()
            self._record()
            self.changing.send()
            self.graph.launch(self.stream)
            if facts.bits([*arrays, *self.results]) != facts.bits([*end, *results]):
                raise RuntimeError("it gives other numbers than the same step as usual")
            return facts.copies(self.results)
        except BaseException as error:
            self._give_up(error)
            facts.restore(arrays, end)
            forward()
            give_gradients()
            if not isinstance(error, Exception):
                raise
        return results

    def _record(self):
        gc.collect()
        _free_unused()
        self.stream.begin_capture()
        try:
            self.results = self._step_by(self.changing.recording)
        except BaseException:
            with suppress(Exception):  # the error above says more
                self.stream.end_capture()
            raise
        self.graph = self.stream.end_capture()
        lasting = set(map(id, lasting_gradients(self.optimizer)))
        if not lasting.issuperset(map(id, self.changing.gradients())):
            raise RuntimeError("the optimizer joins gradients at each step")
        self.give_gradients, self.facts = kept_gradients(self.optimizer), self._now()

    def _give_up(self, error):
        self._forget()
        self.failed = True
        line = str(error).partition("\n")[0]
        _warn(f"the step cannot be recorded ({type(error).__name__}: {line})")
