"""The things that all parts of benchmarks.gpu use: the device, the plan, the time that is left, and what went wrong."""

import time
from contextlib import nullcontext

from benchmarks import gpu_device


class Call:
    """One process of the command: what its parts need to know, and what went wrong.

    device  a gpu_device.Card or Processor    peers  benchmarks.gpu_peers, or None
    limit  seconds after which the part that runs begins nothing new
    keep(rows)  saves the rows of this part so far
    """

    def __init__(self, device, plan, peers):
        self.device, self.plan, self.peers, self.limits, self.faults = device, plan, peers, {}, []
        self.limit, self.keep = plan.seconds, lambda rows: None
        self.begun = time.perf_counter()

    def begin(self, name, begun, left):
        """Begin a part, at this time and with `left` seconds for all parts."""
        self.begun, self.limit = begun, min(self.plan.parts[name].limit, left)

    def elapsed(self):
        """Return the seconds since the part began."""
        return time.perf_counter() - self.begun

    def late(self, what):
        """Return True if it is too late to begin with this, and say so."""
        late = self.elapsed() > self.limit
        if late:
            print(f"  left out, as {self.limit:.0f} s are over: {what}", flush=True)
        return late

    def compiles(self, n):
        """Return True if PyTorch also compiles its network for batches of n."""
        return n in self.plan.compiled and self.elapsed() < self.plan.compiling

    def precision(self, tf32):
        """Context manager: PyTorch uses TF32, or does not."""
        return self.peers.precision(tf32) if self.peers else nullcontext()

    def tried(self, name, make, failed):
        """Return what make() returns, called twice so that everything is compiled; None if that fails: a line says why, and failed[name].

        Raises  what make() raises if the GPU is lost to this process.
        """

        def twice():
            way = make()
            way()
            way()
            self.device.synchronise()
            return way

        way, failed[name] = self.attempted(name, twice, fault=name.startswith("minires"))
        if failed[name] is None:
            del failed[name]
        self.release()
        return way

    def attempted(self, name, work, *, fault=True):
        """Return (what work() returns, None), or (None, why it failed): a line says so, and the exit status if it is a fault.

        Raises  what work() raises if the GPU is lost to this process.
        """
        try:
            return work(), None
        except (
            Exception
        ) as error:  # a compiler's, a library's, too little memory: the others are still measured
            if gpu_device.lost(error):
                raise
            why = gpu_device.reason(error)
        print(f"    {name}: not measured: {why}", flush=True)
        if fault:
            self.faults.append(f"{name}: {why}")
        return None, why

    def release(self):
        """Return unused memory to the GPU."""
        self.device.release()
        if self.peers:
            self.peers.release()
