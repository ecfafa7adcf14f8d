"""python -m benchmarks.cpu: how fast minires is on this processor, compared with PyTorch (where it is installed) and
with the machine's limits.

Both do the same work: network, weights, batch, float32, threads. They take turns, and neither holds the cores while the other runs.
Every second round has the reverse order, the first round is a warm-up, and the medians over the rounds are printed, with the
minimum and the maximum. PyTorch is measured in NCHW and in channels_last, and the faster of the two is compared.
"""

import importlib
import importlib.util
import json
import sys
import time
from datetime import UTC, datetime

from threadpoolctl import threadpool_limits

from benchmarks import convolutions, fresh, host, pictures, whole
from benchmarks.command import arguments
from benchmarks.problems import FULL, SMOKE
from minires import backend

PARTS = {"steps": whole.steps, "inference": whole.inference, "memory": fresh.memory, "convolutions": convolutions.convolutions,
         "imports": fresh.imports, "threads": whole.threads, "loop": whole.loop, "growth": whole.growth,
         "accuracy": convolutions.accuracy, "ladder": whole.ladder}  # fmt: skip
DISTURBED = 0.03  # the fraction of the cores that other processes may take before it is reported
LADDER, ROOFLINE = "speed-ladder.png", "roofline.png"


def main():
    """Run the command. Exit status 2: the BLAS kernel is pinned, so the figures would mean nothing."""
    options = arguments("cpu", __doc__, PARTS, (LADDER, ROOFLINE))
    peers = (
        importlib.import_module("benchmarks.peers") if importlib.util.find_spec("torch") else None
    )
    threadpool_limits(backend.threads(), user_api="blas")
    facts = host.describe(peers)
    host.report(facts)
    why = host.pinned(facts)
    if why and not options.smoke:
        print(f"not measured: {why}", file=sys.stderr)
        sys.exit(2)
    if options.smoke:
        print("--smoke: everything once and small, to see that it works; the figures mean nothing")
    plan = SMOKE if options.smoke else FULL
    figures = {"smoke": options.smoke, "pinned": why, "date": datetime.now(UTC).isoformat(timespec="seconds"),
               "commit": host.commit(), "machine": facts, **measured(plan, peers, options.only or list(PARTS))}  # fmt: skip
    written(figures, options.json, options.pictures)


def measured(plan, peers, names):
    """Return {"limits", "parts", "others", "seconds"}: the figures of each part named, the fraction of the cores that other
    processes took meanwhile, and how long it all took.
    """
    begun, figures, others = time.perf_counter(), {}, {}
    print("\nlimits: the rates of a large matrix product and of copying memory", flush=True)
    limits = host.limits(plan)
    for name in names:
        part, watched = PARTS[name], host.Others()
        print(f"\n{name}: {part.__doc__}", flush=True)
        figures[name] = part(plan, peers, limits) if name == "convolutions" else part(plan, peers)
        others[name] = share = watched.share()
        if share and share > DISTURBED:
            print(
                f"  disturbed: other processes took {100 * share:.0f} % of the cores meanwhile; measure again when they rest"
            )
    seconds = time.perf_counter() - begun
    print(f"\nall in {seconds:.0f} s")
    return {"limits": limits, "parts": figures, "others": others, "seconds": seconds}


def written(figures, path, folder):
    """Write the figures as JSON, and the pictures of the parts that were measured."""
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=1) + "\n")
        print(f"figures in {path}")
    parts, machine = figures["parts"], figures["machine"]
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        if "ladder" in parts:
            pictures.ladder(parts["ladder"], machine).save(folder / LADDER)
            print(f"picture in {folder / LADDER}")
        if "convolutions" in parts:
            pictures.roofline(parts["convolutions"], figures["limits"], machine).save(
                folder / ROOFLINE
            )
            print(f"picture in {folder / ROOFLINE}")


if __name__ == "__main__":
    main()
