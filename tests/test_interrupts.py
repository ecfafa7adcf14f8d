"""Ctrl-C at random moments of a training run, as in a notebook: nothing is left behind, and the next run equals the first."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def training():
    """Return a digest of the weights and the scores of a short training run, which does everything that a longer one does."""
    import hashlib

    from minires import backend, data, models, nn, optim
    from minires.train import evaluate, train_epoch

    nn.manual_seed(0)
    train, validation, _ = data.digits()
    train, validation = train.part(slice(0, 96)), validation.part(slice(0, 64))
    model = models.ResNet(models.BasicBlock, (1, 1), (8, 16), in_channels=1, num_classes=10)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    batches = data.batches(train, 32, seed=0, crop=1)
    with backend.using(threads=2):
        scores = [
            train_epoch(model, batches, optimizer),
            evaluate(model, data.batches(validation, 64)),
        ]
    weights = b"".join(array.tobytes() for array in model.state_dict().values())
    return hashlib.sha256(weights).hexdigest() + f" {scores}"


def blas_threads():
    from threadpoolctl import threadpool_info

    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


def state():
    from minires import backend

    return {"settings": repr(backend.settings()), "blas": blas_threads()}


def interrupted(times, seed):
    """Return (the number of `times` interrupts that ended a training run, the number after which the state had changed)."""
    import numpy

    moments, main = numpy.random.default_rng(seed), threading.main_thread().ident
    running, caught, broken, before = threading.Event(), 0, 0, state()

    def send():
        running.wait()
        threading.Event().wait(moments.uniform(0, 0.02))
        signal.pthread_kill(main, signal.SIGINT)

    for _ in range(times):
        sender = threading.Thread(target=send)
        sender.start()
        try:
            running.set()
            while True:
                training()
        except KeyboardInterrupt:
            caught += 1
        sender.join()
        running.clear()
        broken += state() != before
    return caught, broken


def report(times, seed):
    """Return the state after this number of interrupts, and the state before."""
    from minires import backend

    first, threads_before = training(), threading.active_count()
    caught, broken = interrupted(times, seed)
    names = []
    for name in ("strict", "numpy"):
        backend.use(name)
        names.append(backend.name())
    same = training() == first
    return {
        "caught": caught,
        "broken": broken,
        "use": names,
        "same bits": same,
        "threads": threading.active_count() - threads_before,
        "digest": first,
    }


def run(*arguments):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MINIRES_")}
    command = [sys.executable, "-m", "tests.test_interrupts", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env={**kept, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system sends no signals")
@pytest.mark.parametrize("times", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_after_interrupts_at_random_moments_a_process_is_as_before(times):
    pytest.importorskip("threadpoolctl")
    after, fresh = run(times, times), run(0, 0)
    assert after["broken"] == 0
    assert after["use"] == ["strict", "numpy"]
    assert after["same bits"] and after["digest"] == fresh["digest"]
    assert after["threads"] <= 4  # workers, not one for each interrupt
    assert after["caught"] == times


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(json.dumps(report(int(sys.argv[1]), int(sys.argv[2]))))
