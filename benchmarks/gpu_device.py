"""The GPU that benchmarks.gpu measures on, and the processor instead of it for --smoke: how each is waited for, timed and
described. The rest of the benchmark is the same on both.
"""

import time
import tracemalloc
from contextlib import nullcontext
from platform import python_version

import numpy

from minires.backend import card, machine

LAUNCH = 4e-4  # seconds that a call of minires takes the host before the GPU can begin, at most
HOLDS = (0.1, 1.0)  # seconds that the GPU is held while a step is launched
SPIN = """
extern "C" __global__ void spin(long long nanoseconds) {
    long long begun, now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(begun));
    do {
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    } while (now - begun < nanoseconds);
}
"""


NOTHING = 'extern "C" __global__ void nothing() {}'
# After these errors, CUDA refuses everything else in the same process. CuPy's and PyTorch's words.
LOST = ("IllegalAddress", "ILLEGAL_ADDRESS", "illegal memory access", "MisalignedAddress", "MISALIGNED_ADDRESS", "misaligned address",
        "LaunchFailure", "LAUNCH_FAILED", "unspecified launch failure", "LaunchTimeout", "LAUNCH_TIMEOUT", "IllegalInstruction",
        "ILLEGAL_INSTRUCTION", "illegal instruction", "HardwareStackError", "HARDWARE_STACK_ERROR", "InvalidAddressSpace",
        "INVALID_ADDRESS_SPACE", "InvalidPc", "INVALID_PC", "cudaErrorAssert", "CUDA_ERROR_ASSERT", "device-side assert",
        "uncorrectable ECC", "ECCUncorrectable", "ECC_UNCORRECTABLE")  # fmt: skip


def lost(error):
    """Return True if this process can use the GPU no longer after this error."""
    return any(word in str(error) for word in LOST)


def reason(error):
    """Return an error in one line."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:200]


class Card:
    """An NVIDIA GPU, through CuPy.

    Raises  card.Unusable: CuPy or a GPU is missing.
    """

    backend = "cupy"

    def __init__(self):
        self.cupy = card.load()
        self.device, self.pool = self.cupy.cuda.Device(), self.cupy.get_default_memory_pool()
        self.spin = self.cupy.RawKernel(SPIN, "spin")

    def describe(self):
        """Return what it is, as figures to save; sizes in bytes. "cache" is its level-2 cache, "cuda" the version that CuPy uses."""
        facts = card.facts()[self.device.id]
        properties = self.cupy.cuda.runtime.getDeviceProperties(self.device.id)
        return {"card": facts.name, "capability": facts.capability, "processors": properties["multiProcessorCount"],
                "memory": facts.memory, "free": facts.free, "cache": properties["l2CacheSize"], "driver": facts.driver,
                "cuda": facts.cuda, "cupy": facts.cupy, **_host()}  # fmt: skip

    def versions(self):
        """Return the versions of CUDA's parts: those that are loaded."""
        cuda = self.cupy.cuda
        nvrtc = ".".join(map(str, cuda.nvrtc.getVersion()))
        return {"cuda of the driver": _cuda(cuda.runtime.driverGetVersion()), "cuda of the runtime": _cuda(cuda.runtime.runtimeGetVersion()),
                "nvrtc": nvrtc, "cublas": cuda.cublas.getVersion(cuda.get_cublas_handle())}  # fmt: skip

    def synchronise(self):
        """Wait until it has finished all its work, including PyTorch's."""
        self.device.synchronize()

    def seconds(self, function, calls):
        """Return the seconds of a call on the GPU, on average over `calls` calls in a row, without the host's time for launching
        them: the GPU is kept busy until all of them are in its queue. If that takes longer than the longest hold, launches count.
        """
        for hold in (LAUNCH * calls, 10 * LAUNCH * calls):
            self.hold(hold)
            begun = self.mark()
            for _ in range(calls):
                function()
            ended = self.mark()
            held = not begun.done
            ended.synchronize()
            if held:
                break
        return self.between(begun, ended) / calls

    def issuing(self, step):
        """Return the seconds that the host needs to launch all of a step, while the GPU is held; None if the longest hold is too
        short, or the step waits for the GPU.
        """
        for hold in HOLDS:
            self.synchronise()
            self.hold(hold)
            free = self.mark()
            begun = time.perf_counter()
            step()
            seconds, held = time.perf_counter() - begun, not free.done
            self.synchronise()
            if held:
                return seconds
        return None

    def hold(self, seconds):
        """Keep the GPU busy: what is launched meanwhile waits."""
        self.spin((1,), (1,), (numpy.int64(1e9 * seconds),))

    def mark(self):
        """Return an event that the GPU reaches after all that was launched before."""
        event = self.cupy.cuda.Event()
        event.record()
        return event

    def between(self, begun, ended):
        """Return the seconds from one mark to another, which the GPU has reached."""
        return 1e-3 * self.cupy.cuda.get_elapsed_time(begun, ended)

    def peak(self, step):
        """Return the bytes of a step: {"used": the peak of arrays, "total": what CuPy's pool has taken from the GPU}."""
        pool = self.pool

        class Watch(self.cupy.cuda.MemoryHook):
            name, most = "peak", pool.used_bytes()

            def malloc_postprocess(self, **_):
                self.most = max(self.most, pool.used_bytes())

        with Watch() as watch:
            step()
        self.synchronise()
        return {"used": watch.most, "total": pool.total_bytes()}

    def stream(self):
        """Context manager: work is on a stream of its own, which does not wait for the default stream."""
        return self.cupy.cuda.Stream(non_blocking=True)

    def questions(self):
        """Return name -> a function without arguments: what CUDA and CuPy are asked for many times in a training run."""
        nothing = self.cupy.RawKernel(NOTHING, "nothing")
        return {"cudaMemGetInfo": self.cupy.cuda.runtime.memGetInfo,
                "launch of an empty kernel": lambda: nothing((1,), (1,), ())}  # fmt: skip

    def release(self):
        """Return unused memory to the GPU."""
        self.pool.free_all_blocks()


class Processor:
    """The processor instead of a GPU, on the backend "strict": to see that the benchmark runs."""

    backend = "strict"

    def describe(self):
        """Return what it is, as Card does."""
        absent = dict.fromkeys(
            ("capability", "processors", "memory", "free", "cache", "driver", "cuda", "cupy")
        )
        return {"card": f"none, {machine.processor()}", **absent, **_host()}

    def versions(self):
        """Return no versions: there is no CUDA."""
        return {}

    def synchronise(self):
        """Do nothing: a call that has returned is done."""

    def seconds(self, function, calls):
        """Return the seconds of a call, on average over `calls` calls."""
        begun = time.perf_counter()
        for _ in range(calls):
            function()
        return (time.perf_counter() - begun) / calls

    def issuing(self, step):
        """Return the seconds of a step."""
        return self.seconds(step, 1)

    def hold(self, seconds):
        """Do nothing."""

    def mark(self):
        """Return the time."""
        return time.perf_counter()

    def between(self, begun, ended):
        """Return the seconds from one mark to another."""
        return ended - begun

    def peak(self, step):
        """Return the bytes of a step: {"used": the peak of Python and NumPy above what they held before, "total": None}."""
        tracemalloc.start()
        try:
            step()
            return {"used": tracemalloc.get_traced_memory()[1], "total": None}
        finally:
            tracemalloc.stop()

    def stream(self):
        """Context manager: nothing changes."""
        return nullcontext()

    def questions(self):
        """Return no function: there is no CUDA to ask."""
        return {}

    def release(self):
        """Do nothing."""


def _cuda(version):
    return f"{version // 1000}.{version % 1000 // 10}"


def _host():
    return {
        "processor": machine.processor(),
        "python": python_version(),
        "numpy": numpy.__version__,
    }
