"""Nothing goes between host and device but at the border, and a training step waits for nothing."""

import threading
from collections import Counter
from unittest import mock

import numpy as np
import pytest

from minires import Tensor, backend, functional, models, nn, optim
from minires.backend import strict
from minires.backend.library import load
from minires.data import batches
from minires.data.dataset import Dataset
from minires.train import Meter, train_epoch
from tests import conftest, shim
from tests.halves import needs_bfloat16

BACKENDS = [name for name in conftest.BACKENDS if name != "numpy"] + ["shim"] * (
    shim.COMPILER is not None
)
READS = ("__bool__", "__int__", "__float__", "__index__")


@pytest.fixture(params=BACKENDS)
def counts(request):
    """How often arrays went to the device or to the host, or a number was read, on each backend that has a device."""
    counts, library = Counter(), shim.library() if request.param == "shim" else load(request.param)

    def counted(name, function):
        def count(*arguments):
            counts[name] += 1
            return function(*arguments)

        return count

    posts = {name: counted(name, getattr(library, name)) for name in ("to_device", "to_host")}
    reads = {name: counted("read", getattr(strict.Array, name)) for name in READS}
    with backend.using(library._replace(**posts)), mock.patch.multiple(strict.Array, **reads):
        yield counts


@pytest.mark.parametrize("half", [None, pytest.param("bfloat16", marks=needs_bfloat16)])
def test_a_step_takes_two_small_arrays_to_the_device_and_reads_nothing(counts, half):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (32, 8, 8, 3)).astype(np.uint8), rng.integers(0, 4, 32)
    dataset = Dataset(
        images,
        labels,
        classes=[f"class {i}" for i in range(4)],
        mean=(0.5,) * 3,
        std=(0.2,) * 3,
        name="noise",
    )
    nn.manual_seed(0)
    model = models.ResNet(models.BasicBlock, (1, 1), (4, 8), num_classes=4)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    made = iter(batches(dataset, 8, seed=0, crop=2, flip=True, cutout=2))
    with backend.autocast(half):
        for step in range(3):
            x, labels = next(made)
            loss = functional.cross_entropy(model(Tensor(x)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step == 1:
                counts.clear()  # the first steps make what stays: velocities, normalisation
    assert counts["to_host"] == 0
    # The range of the labels: kernels look at it themselves.
    assert counts["read"] == (2 if backend.name() == "strict" else 0)
    # Which images, and their moves. On the shim they are there already.
    assert counts["to_device"] == (0 if backend.name() == "shim" else 2)


@pytest.mark.parametrize("name", BACKENDS)
def test_the_thread_that_prepares_batches_touches_no_device(name):
    """A stream and the current device belong to a thread: work from another one would not wait for this one's."""
    threads, library = set(), shim.library() if name == "shim" else load(name)

    def noted(function):
        def note(*inputs, **options):
            threads.add(threading.get_ident())
            return function(*inputs, **options)

        return note

    class Noting:
        def __getattr__(self, name):
            value = getattr(library.module, name)
            return value if isinstance(value, type) else noted(value)

    noting = library._replace(module=Noting(), to_device=noted(library.to_device))
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (10, 4, 3, 2)).astype(np.uint8), rng.integers(0, 3, 10)
    # Each result of arithmetic is a new Array.
    with (
        backend.using(noting),
        mock.patch.object(strict.Array, "__init__", noted(strict.Array.__init__)),
    ):
        made = batches(Dataset(images, labels, "abc"), 3, seed=0, crop=1, flip=True, cutout=2)
        assert len(list(made)) == 4
        with backend.using(plain=True):
            assert len(list(made)) == 4
    assert threads == {threading.get_ident()}


def test_an_epochs_losses_are_read_at_its_end(counts):
    model = nn.Linear(3, 4)
    made = [
        (backend.xp.ones((2, 3), dtype="float32"), backend.xp.zeros(2, dtype=int)) for _ in range(5)
    ]
    counts.clear()
    train_epoch(model, made, optim.SGD(model.parameters(), lr=0.1), meter=Unread())
    assert counts["to_host"] == 0 and counts["read"] == (10 if backend.name() == "strict" else 0)


class Unread(Meter):
    """Is not asked for a score."""

    def score(self):
        return None


def test_reading_a_loss_is_counted(counts):
    Tensor([1.0, 2.0]).sum().item()
    assert counts["to_host"] == 1
