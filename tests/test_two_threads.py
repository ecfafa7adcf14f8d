"""Two training runs at once, each in its own thread: each has the same bits as alone."""

import threading

import numpy
import pytest

from minires import Tensor, backend, models, nn, optim
from minires import functional as F
from minires.train import evaluate

STEPS = 20


def model(seed):
    """Build models one after the other, as initial weights come from the process's generator."""
    nn.manual_seed(seed)
    return models.ResNet(models.BasicBlock, (1, 1), (16, 32), num_classes=10)


def trained(net, seed, threads, half=None):
    """Return the bits of the weights after STEPS steps, with evaluations in between."""
    rng = numpy.random.default_rng(seed)
    optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    with backend.using(threads=threads), backend.autocast(half):
        for step in range(STEPS):
            images = rng.standard_normal((16, 12, 12, 3), numpy.float32)
            labels = rng.integers(0, 10, len(images))
            loss = F.cross_entropy(net(Tensor(images)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % 8 == 0:
                evaluate(net, [(images, labels)])
    return [array.tobytes() for array in net.state_dict().values()]


@pytest.mark.parametrize(("threads", "halves"), [
    ((1, 1), (None, None)),
    ((2, 2), (None, None)),
    ((1, 2), (None, None)),
    pytest.param((2, 2), (None, "float16"), marks=pytest.mark.slow),
])  # fmt: skip
def test_two_trainings_at_once_have_the_bits_that_each_has_alone(threads, halves):
    jobs = list(zip((1, 2), threads, halves))
    alone = [trained(model(seed), seed, number, half) for seed, number, half in jobs]
    nets, together, start = [model(seed) for seed, _, _ in jobs], {}, threading.Barrier(2)

    def run(i):
        start.wait(timeout=60)
        together[i] = trained(nets[i], *jobs[i])

    both = [threading.Thread(target=run, args=(i,)) for i in (0, 1)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert [together[i] for i in (0, 1)] == alone
    assert alone[0] == trained(model(1), 1, 3 - threads[0], halves[0])
