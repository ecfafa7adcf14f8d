"""The card that benchmarks.gpu measures on, and what stands in its place without one: how each is waited for, timed and
described. All else of the benchmark is the same on both.
"""

import time
import tracemalloc
from platform import python_version

import numpy

from minires.backend import card, machine

LAUNCH = 4e-4  # seconds that a call of minires takes the host before the card can begin, at most
SPIN = """
extern "C" __global__ void spin(long long nanoseconds) {
    long long begun, now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(begun));
    do {
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    } while (now - begun < nanoseconds);
}
"""


class Card:
    """An NVIDIA card, through CuPy.

    Raises  card.Unusable: CuPy or a card is missing.
    """

    backend = "cupy"

    def __init__(self):
        self.cupy = card.load()
        self.device, self.pool = self.cupy.cuda.Device(), self.cupy.get_default_memory_pool()
        self.spin = self.cupy.RawKernel(SPIN, "spin")

    def describe(self):
        """What it is, as figures to keep; sizes in bytes. "cache" is its level 2, "cuda" the version that CuPy uses."""
        facts = card.facts()[self.device.id]
        properties = self.cupy.cuda.runtime.getDeviceProperties(self.device.id)
        return {"card": facts.name, "capability": facts.capability, "processors": properties["multiProcessorCount"],
                "memory": facts.memory, "free": facts.free, "cache": properties["l2CacheSize"], "driver": facts.driver,
                "cuda": facts.cuda, "cupy": facts.cupy, **_host()}  # fmt: skip

    def synchronise(self):
        """Wait until it has done all that was asked of it, by PyTorch too."""
        self.device.synchronize()

    def seconds(self, function, calls):
        """Of a call on the card, on average over so many one after the other, without what launching them costs the host: the
        card is held busy until all of them are in its queue. Where that takes longer than the longest hold, launches count.
        """
        for hold in (LAUNCH * calls, 10 * LAUNCH * calls):
            begun, ended = self.cupy.cuda.Event(), self.cupy.cuda.Event()
            self.spin((1,), (1,), (numpy.int64(1e9 * hold),))
            begun.record()
            for _ in range(calls):
                function()
            ended.record()
            held = not begun.done
            ended.synchronize()
            if held:
                break
        return 1e-3 * self.cupy.cuda.get_elapsed_time(begun, ended) / calls

    def peak(self, step):
        """Bytes of a step: {"used": the most that arrays held at a time, "total": what CuPy's pool has taken from the card}."""
        pool = self.pool

        class Watch(self.cupy.cuda.MemoryHook):
            name, most = "peak", pool.used_bytes()

            def malloc_postprocess(self, **_):
                self.most = max(self.most, pool.used_bytes())

        with Watch() as watch:
            step()
        self.synchronise()
        return {"used": watch.most, "total": pool.total_bytes()}

    def release(self):
        """Give the card the memory back that no array holds."""
        self.pool.free_all_blocks()


class Processor:
    """The processor in a card's place, on the backend "strict": to see that the benchmark runs."""

    backend = "strict"

    def describe(self):
        """As Card's."""
        absent = dict.fromkeys(
            ("capability", "processors", "memory", "free", "cache", "driver", "cuda", "cupy")
        )
        return {"card": f"none, {machine.processor()}", **absent, **_host()}

    def synchronise(self):
        """Nothing: a call that has returned is done."""

    def seconds(self, function, calls):
        """Of a call, on average over so many."""
        begun = time.perf_counter()
        for _ in range(calls):
            function()
        return (time.perf_counter() - begun) / calls

    def peak(self, step):
        """Bytes of a step: {"used": the most that Python and NumPy held at a time above what they held before, "total": None}."""
        tracemalloc.start()
        try:
            step()
            return {"used": tracemalloc.get_traced_memory()[1], "total": None}
        finally:
            tracemalloc.stop()

    def release(self):
        """Nothing."""


def _host():
    return {
        "processor": machine.processor(),
        "python": python_version(),
        "numpy": numpy.__version__,
    }
