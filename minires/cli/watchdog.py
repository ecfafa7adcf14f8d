"""A watchdog: while a process waits for others, it learns which of them wait too, and ends all if one stands still.

MPI itself waits for a stopped process, or for a host behind a cut cable, as long as it takes.
"""

import time
from contextlib import contextmanager


class StandsStill(RuntimeError):
    """Other processes did not answer in time."""


class Watchdog:
    """Looks at the other processes while this one waits for them.

    Those that wait tell each other so. If a wait takes longer than `limit` seconds, the others stand still: they are stopped, out
    of reach, or caught in something that doesn't end.

    group  a parallel.Mpi
    """

    def __init__(self, group, limit):
        self.group, self.limit, self.often = group, limit, min(limit / 10, 1.0)
        self.comm = group.comm.Dup()
        self.others = [rank for rank in range(group.size) if rank != group.rank]
        self.began = self.since = self.last = self.told = 0.0
        self.heard, self.sent = {}, []

    def look(self, began):
        """Tell the others that this process waits. began  the time at which it began to

        Raises  StandsStill: some have not answered for too long, and this is the one to say so.
        """
        now = time.monotonic()
        if began != self.began or now - self.last > 4 * self.often:  # or was stopped itself
            self.began, self.since, self.told = began, now, now
        self.last = now
        while found := self.comm.improbe():
            self.heard[found.recv()] = now
        if now - self.told < self.often:
            return
        self.told = now
        self.sent = [request for request in self.sent if not request.Test()]
        self.sent += [self.comm.isend(self.group.rank, rank) for rank in self.others]
        waiting = [rank for rank in self.others if now - self.heard.get(rank, 0) < 4 * self.often]
        # The lowest rank that waits speaks. If it cannot, because the network is cut, the next one does, a little later.
        before = sum(rank < self.group.rank for rank in waiting)
        if now - self.since > self.limit + 4 * self.often * before:
            still = [rank for rank in self.others if rank not in waiting]
            raise StandsStill(
                f"no answer for {self.limit:g} s from rank{'s' * (len(still) > 1)} {', '.join(map(str, still))}: "
                "stopped, out of reach, or too slow (--timeout changes the limit)"
            )


@contextmanager
def watching(group, limit):
    """Context manager: whenever this process waits for others, look at them."""
    if group.size == 1:
        yield
        return
    before, group.idle = group.idle, Watchdog(group, limit).look
    try:
        yield
    finally:
        group.idle = before
