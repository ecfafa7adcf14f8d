"""python -m benchmarks.gpu --preflight: what works on this machine's NVIDIA GPU, in a few minutes. Each check runs in a process of
its own, so that a crash or a hang costs one line of the table at the end.
"""

import json
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import apart, gpu_agreement, gpu_checks, gpu_device, gpu_training, host
from benchmarks.gpu_agreement import NotThere
from benchmarks.problems import PREFLIGHT, PREFLIGHT_SMOKE
from minires import backend, files
from minires.backend import card

WORKS, FAILED, NOT_THERE, NO_CARD = "works", "FAILED", "not there", "no card"


class Check(NamedTuple):
    """A check: run(place) returns what it found in one line. It raises NotThere, or any other error if it failed."""

    run: Callable
    seconds: float  # at most


CHECKS = {
    "versions": Check(gpu_checks.versions, 60),
    **{f"kernels {file}": Check(partial(gpu_agreement.kernels, file=file), 120) for file in gpu_agreement.files()},
    "views": Check(gpu_checks.views, 60),
    **{f"convolution {name}": Check(partial(gpu_agreement.convolution, precision=name), 90) for name in gpu_agreement.PRECISIONS},
    **{f"training {name}": Check(partial(gpu_training.training, precision=name), 120) for name in gpu_agreement.PRECISIONS},
    "stream": Check(gpu_training.stream, 60),
    "costs": Check(gpu_checks.costs, 60),
    "start": Check(gpu_checks.first_step, 180),
    "graph": Check(gpu_checks.graph, 120),
    **{f"sanitizer {tool}": Check(partial(gpu_checks.sanitizer, tool=tool), 240) for tool in ("memcheck", "initcheck")},
}  # fmt: skip
KINDS = tuple(dict.fromkeys(name.split()[0] for name in CHECKS))
CHILD = ("-m", "benchmarks.gpu_preflight")  # what Python runs for a check
SHOWN = 15  # lines of what a failed check wrote to stderr


class Place(NamedTuple):
    """The facts that a check needs."""

    device: Any  # a gpu_device.Card or Processor
    plan: Any  # a problems.PreflightPlan
    folder: Path  # for what checks pass on to later ones
    figures: dict  # what is saved, besides its line
    ends: float  # when its time is over

    def seconds(self):
        """Return the seconds that are left, for a process that the check starts."""
        return max(self.ends - time.perf_counter() - 2 * apart.LAST, 1.0)


def preflight(*, smoke, only=None, path=None):
    """Run the checks, print a table, and return the exit status: 0 if all work, 1 if one failed, 2 if there is no GPU,
    130 if it was interrupted: the table then has the checks before.

    only  kinds of checks    path  of a JSON file for the results
    """
    begun, found, stopped = time.perf_counter(), {}, False
    chosen = [name for name in CHECKS if only is None or name.split()[0] in only]
    with tempfile.TemporaryDirectory(prefix="preflight-") as folder:
        for name in chosen:
            print(f"{name}", flush=True)
            try:
                row = _in_its_process(name, Path(folder), smoke)
            except KeyboardInterrupt:
                stopped = True
                break
            if row["result"] == NO_CARD:
                if not found:
                    print(row["why"], file=sys.stderr)
                    return 2
                row["result"] = FAILED  # it was there, and is lost
            found[name] = row
    if stopped:
        print("interrupted", file=sys.stderr)
    if not found:
        return 130
    seconds = time.perf_counter() - begun
    _print_table(found, seconds)
    if path:
        results = {"smoke": smoke, "date": datetime.now(UTC).isoformat(timespec="seconds"), "commit": host.commit(),
                   "seconds": seconds, "checks": found}  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, f"{json.dumps(results, indent=1)}\n".encode())
        print(f"results in {path}")
    return 130 if stopped else int(any(row["result"] == FAILED for row in found.values()))


def _in_its_process(name, folder, smoke):
    """Return {"result", "why", "seconds", "figures"} of a check."""
    file, seconds = folder / "found.json", CHECKS[name].seconds
    file.unlink(missing_ok=True)
    command = (
        *apart.PYTHON,
        *CHILD,
        name,
        str(folder),
        *["smoke"] * smoke,
    )
    ended = apart.run(command, seconds)
    try:
        row = json.loads(file.read_text())
    except (OSError, ValueError):
        row = {"result": FAILED, "why": None, "figures": {}}
    if ended.why and row["result"] in (WORKS, NOT_THERE):  # it crashed after its work
        row = {**row, "result": FAILED, "why": None}
    if row["result"] == FAILED:
        row["why"] = row["why"] or ended.why or "it ended without a result"
        lines = ended.errors.strip().splitlines()
        print("\n".join(f"    {line}" for line in lines[-SHOWN:]), flush=True)
    return {**row, "seconds": ended.seconds}


def _print_table(found, seconds):
    width = max(map(len, found))
    print(f"\n{'check':{width}}  {'result':9} {'seconds':>7}")
    for name, row in found.items():
        print(f"{name:{width}}  {row['result']:9} {row['seconds']:7.1f}  {row['why']}")
    count = {
        result: sum(row["result"] == result for row in found.values())
        for result in (WORKS, FAILED, NOT_THERE)
    }
    print(
        f"{count[WORKS]} work, {count[FAILED]} failed, {count[NOT_THERE]} not there; {seconds:.0f} s",
        flush=True,
    )


def main(name, folder, *words):
    """Run one check in this process, and write what it found to a file in the folder."""
    apart.leave_no_core_file()
    smoke, figures = "smoke" in words, {}
    row = {"result": WORKS, "why": None}
    try:
        device = gpu_device.Processor() if smoke else gpu_device.Card()
        place = Place(device, PREFLIGHT_SMOKE if smoke else PREFLIGHT, Path(folder), figures,
                      time.perf_counter() + CHECKS[name].seconds)  # fmt: skip
        with backend.using(device.backend):
            row["why"] = CHECKS[name].run(place)
            device.synchronise()
    except card.Unusable as why:
        row = {"result": NO_CARD, "why": str(why)}
    except NotThere as why:
        row = {"result": NOT_THERE, "why": str(why)}
    except Exception as why:
        traceback.print_exc()
        row = {"result": FAILED, "why": gpu_device.reason(why)}
    (Path(folder) / "found.json").write_text(json.dumps({**row, "figures": figures}))


if __name__ == "__main__":
    main(*sys.argv[1:])
