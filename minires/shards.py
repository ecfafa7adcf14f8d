"""Data-parallel training: processes share out the shards of each batch, and add up gradients, statistics and scores.

    group = parallel.start()
    whole = data.batches(train, 128, seed=0, part=(group.rank, group.size))
    train_epoch(model, cut(whole, 4, group), optimizer, group)       each batch in four shards
    evaluate(model, test, 256, group)

The gradient of a batch's mean loss is a sum over its shards, each weighted by its share of the images. Batch norm is the
exception: it normalises a shard by the shard's own mean and variance. So the number of shards changes the result, as the batch
size does. The number of processes doesn't: whoever adds, it is the same binary tree. Layers that draw random numbers in the forward
pass, such as Dropout, are the other exception: each process has its own generator.

Source  Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 3.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise
from typing import Any, NamedTuple

from minires import data, train
from minires.backend import Array, to_host, xp
from minires.functional import cross_entropy
from minires.nn import Module
from minires.nn.layers import update_running
from minires.ops.forms import standing_in
from minires.optim import Optimizer
from minires.optim.wrapper import Wrapper
from minires.parallel import Alone
from minires.tensor import Tensor
from minires.train import Score

__all__ = ["Moments", "Shard", "check", "cut", "evaluate", "train_epoch"]


class Shard(NamedTuple):
    """Images of a batch: x (n, H, W, C), labels (n,), and the fraction of the batch that they are."""

    x: Array
    labels: Array
    share: float


def check(number: int, group: Alone) -> None:
    """Check that a batch can be cut into this number of shards, and that the processes can share them out evenly.

    Raises  ValueError: it is not a power of two, or not a multiple of the number of processes.
    """
    if number < 1 or number & (number - 1):
        raise ValueError(f"expected 1, 2, 4, 8, ... shards, got {number}")
    if number % group.size:
        raise ValueError(
            f"{group.size} processes cannot share out {number} shard{'s' * (number > 1)}: "
            "expected at least one shard for each"
        )


def cut(batches: data.batches, number: int, group: Alone) -> Iterator[list[Shard]]:
    """Yield this process's shards of each batch: shard v of n images begins at image v * n // number.

    batches  with part=(group.rank, group.size)

    Raises  ValueError: what check() raises; batches of a different part; or a batch with fewer images than shards.
    """
    check(number, group)
    if batches.part != (group.rank, group.size):
        raise ValueError(
            f"expected batches with part={(group.rank, group.size)}, got part={batches.part}"
        )
    each = number // group.size
    own = range(group.rank * each, (group.rank + 1) * each + 1)
    for i, (x, labels) in enumerate(batches, batches.start):
        n = batches.size_of(i)
        if n < number:
            raise ValueError(f"cannot cut a batch of {n} images into {number} shards")
        edges = [n * v // number - n * own[0] // number for v in own]
        yield [Shard(x[a:b], labels[a:b], (b - a) / n) for a, b in pairwise(edges)]


class Moments:
    """The batch-norm statistics of a step, as numbers that can be added up over shards.

    For a shard with the share s of a batch, they are s * (mean - r) and s * (var + (mean - r)**2) of each channel. Here r is the
    running mean, which all shards have in common. E[x**2] - E[x]**2 would lose digits if the mean is large.
    """

    def __init__(self) -> None:
        self.noted: list[tuple] = []

    def note(self, running_mean, running_var, mean, var, momentum, count):  # type: ignore[no-untyped-def]
        """Keep what update_running is called with, instead of moving the running statistics."""
        self.noted.append((running_mean, running_var, mean, var, momentum, count))

    def weighted(self, share: float) -> list[Array]:
        """Return the moments of all batch norms that were noted, as float64 vectors."""
        found = []
        for running_mean, _, mean, var, *_ in self.noted:
            apart = mean.astype("float64") - running_mean
            found += [share * apart, share * (var + apart * apart)]
        return found

    def move(self, total: Array, count: float) -> None:
        """Move the running statistics towards those of the whole batch.

        total  the sum of weighted() over all shards, as one vector
        count  the number of images in the batch divided by that of the shard which was noted last
        """
        start, pooled = 0, list[list[Array]]()
        for running_mean, _, mean, *_ in self.noted:  # all of them before the first one moves
            apart, square = (total[start + i * mean.size :][: mean.size] for i in (0, 1))
            batch = running_mean + apart, square - apart * apart
            pooled.append([each.astype(running_mean.dtype) for each in batch])
            start += 2 * mean.size
        for (running_mean, running_var, *_, momentum, values), (mean, var) in zip(
            self.noted, pooled
        ):
            update_running(running_mean, running_var, mean, var, momentum, round(values * count))


def train_epoch(
    model: Module,
    batches: Iterable[list[Shard]],
    optimizer: Optimizer | Wrapper,
    group: Alone,
    *,
    label_smoothing: float = 0.0,
    meter: Any = None,
    stop: Any = None,
) -> Score:
    """Train for one epoch, as train.train_epoch: a step of the optimizer per batch, the same on every process. Returns the Score.

    batches  lists of shards, as cut() yields them
    meter  has a method add(score), which takes each step's Score
    stop  has requests, a list of numbers, and agree(sums), which takes their sums over all processes after each step

    Raises  ValueError: no batches.
    """
    scores = []
    model.train()
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]

    def work(shard: Shard) -> tuple[Array, Array]:
        """Return a shard's gradients, and its score, which parameters have a gradient, and its moments: two vectors."""
        moments.noted.clear()
        optimizer.zero_grad()
        logits = model(Tensor(shard.x))
        loss = cross_entropy(logits, shard.labels, label_smoothing=label_smoothing)
        (loss * shard.share).backward()
        correct = (logits.data.argmax(axis=1) == shard.labels).sum()
        counts = xp.asarray([len(shard.labels), *(p.grad is not None for p in learning)])
        numbers = loss.data * shard.share, correct, counts, *moments.weighted(shard.share)
        gradients = [xp.zeros_like(p.data) if p.grad is None else p.grad for p in learning]
        return _vector(gradients), _vector(numbers, "float64")

    for shards in batches:
        moments = Moments()
        with standing_in(update_running=moments.note):
            gradient, numbers = _pairwise_sum(shards, work)
        requests = stop.requests if stop else []
        numbers = _vector([numbers, xp.asarray(requests)], "float64")
        gradient, numbers = group.sum(gradient), group.sum(numbers)
        read = to_host(numbers)
        loss, correct, n, *has_gradient = (float(number) for number in read[: 3 + len(learning)])
        for parameter, part, has in zip(learning, _parts(gradient, learning), has_gradient):
            parameter.grad = part if has else None
        optimizer.step()
        moments.move(numbers[3 + len(learning) :], n / len(shards[-1].labels))
        scores.append(Score(loss * n, int(correct), int(n)))
        if meter:
            meter.add(scores[-1])
        if stop:
            stop.agree(read[-len(requests) :])
    return _total(scores)


def evaluate(
    model: Module,
    dataset: data.Dataset,
    batch_size: int,
    group: Alone,
    *,
    flips: bool = False,
    follow: Callable[[Iterable], Iterable] = iter,
    stop: Any = None,
) -> Score:
    """Return train.evaluate's Score on a dataset, whose batches the processes share out. Its bits don't depend on their number.

    follow  is called with this process's batches, and yields them
    stop  as in train_epoch; the Score is then that of the batches so far
    """
    number = -(-len(dataset) // batch_size)
    first, last = (number * rank // group.size for rank in (group.rank, group.rank + 1))
    own: Iterable = ()
    if first < last:
        whole = (first, last) == (0, number)
        part = dataset if whole else dataset.part(slice(first * batch_size, last * batch_size))
        own = data.batches(part, batch_size)
    coming, scores = iter(follow(own)), []
    for _ in range(-(-number // group.size)):
        scores += [train.evaluate(model, [batch], flips=flips) for batch in islice(coming, 1)]
        if stop:
            stop.agree(to_host(group.sum(xp.asarray(stop.requests))))
            if stop.asked:
                break
    return _total(chain(*group.gather(scores)))


def _pairwise_sum(items: Sequence[Any], work: Callable[[Any], tuple]) -> tuple:
    """Return the sum of the vectors that work(item) returns: of neighbours, then of pairs, then of fours, as Mpi.sum continues."""
    if len(items) == 1:
        return work(items[0])
    half = len(items) // 2
    left, right = (_pairwise_sum(part, work) for part in (items[:half], items[half:]))
    for a, b in zip(left, right):
        a += b
    return left


def _total(scores: Iterable[Score]) -> Score:
    """Return the sum of Scores, in their order.

    Raises  ValueError: there are none.
    """
    found = [sum(column) for column in zip(*scores)]
    if not found:
        raise ValueError("expected at least one batch, got none")
    return Score(*found)


def _vector(arrays: Iterable[Array], dtype: Any = None) -> Array:
    """Return arrays as one new vector, one after the other."""
    flat = xp.concatenate([array.reshape(-1) for array in arrays])
    return flat if dtype is None else flat.astype(dtype)


def _parts(vector: Array, like: Iterable[Any]) -> Iterator[Array]:
    """Yield the parts of a vector, in the shapes of these tensors."""
    start = 0
    for each in like:
        yield vector[start : start + each.size].reshape(each.shape)
        start += each.size
