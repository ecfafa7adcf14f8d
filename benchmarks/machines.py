"""Training on several processes: the time of a step on 1, 2 and 4 of them, against threads in one, and of adding up their gradients.

python -m benchmarks.machines [--quick] [--json FILE] [--launcher "mpiexec --oversubscribe"]

Each turn starts new processes, so nothing else runs meanwhile; the ways take turns, round after round, and medians count. All
processes are on this machine. The figures say what Python's lock costs threads, and what messages through memory cost.
"""

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy

from benchmarks import host, ours, timing
from benchmarks.problems import NETS, SGD, SMOOTHING, batch
from minires import optim, parallel, shards, train
from minires.cli import ranks

ROOT = Path(__file__).parents[1]
RESULTS = Path("benchmarks/results/machines.json")
LIMIT = 300  # seconds of a turn, after which it is given up
THREADS = ("MINIRES", "OPENBLAS", "OMP", "MKL")  # ..._THREADS, or ..._NUM_THREADS of a BLAS


class Plan(NamedTuple):
    """The amount of what is measured."""

    training: tuple = (("resnet20", 128, 6), ("resnet18", 64, 2))  # net, batch, steps of a turn
    processes: tuple = (2, 4)
    rounds: int = 5
    sums: int = 15  # rounds of sums in one turn


FULL = Plan()
QUICK = Plan(training=(("tiny", 8, 1),), processes=(2,), rounds=1, sums=2)


class Way(NamedTuple):
    """Processes that train together, and the threads of each."""

    processes: int
    threads: int

    def __str__(self):
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        return f"{self.processes} process{'es' * (self.processes > 1)} of {threads}"


def ways(plan, cores):
    """Return the Ways that are compared: one thread, all cores in one process, several processes of one thread."""
    return list(dict.fromkeys([Way(1, 1), Way(1, cores), *(Way(k, 1) for k in plan.processes)]))


def turn(words):
    """Do what the words say, as one of the processes of a turn: rank 0 prints the result in JSON."""
    group = parallel.start()
    try:
        part, net, *numbers = words
        found = PARTS[part](group, net, *map(int, numbers))
        every = group.gather((found, time.process_time()))
    except Exception:
        sys.exit(ranks.failed(group, 1, traceback.format_exc()))
    if group.rank == 0:
        found, seconds = zip(*every)
        told = {"engine": getattr(group, "engine", None), "ranks": found, "busy": sum(seconds)}
        print(json.dumps(told), flush=True)


def _steps(group, net, n, steps):
    """Return the seconds of a training step on this process: its share of a batch of n, in as many shards as processes."""
    model, (x, labels) = ours.build(NETS[net]), batch(n)
    model.train()
    optimizer, how = optim.SGD(model.parameters(), **SGD), {"label_smoothing": SMOOTHING}
    own = slice(*(n * rank // group.size for rank in (group.rank, group.rank + 1)))
    x, labels = x[own], labels[own]

    def epoch(number):
        if group.size == 1:
            train.train_epoch(model, [(x, labels)] * number, optimizer, **how)
        else:
            shard = shards.Shard(x, labels, len(labels) / n)
            shards.train_epoch(model, [[shard]] * number, optimizer, group, **how)

    epoch(1)  # threads start, caches fill, memory is kept for the next step
    group.gather(None)
    begun = time.perf_counter()
    epoch(steps)
    return (time.perf_counter() - begun) / steps


def _sums(group, net, rounds):
    """Return the seconds of each round of a sum of a network's gradients, by minires and by MPI itself: name -> list."""
    size = sum(parameter.size for parameter in ours.build(NETS[net]).parameters())
    vector = numpy.full(size, 0, "float32")  # written, so that its memory is there
    found = timing.alternated(
        {
            "minires": lambda: group.sum(vector),
            "MPI": lambda: group.comm.Allreduce(group.mpi.IN_PLACE, vector),
        },
        rounds,
    )
    return {"size": size, **found}


PARTS = {"steps": _steps, "sums": _sums}


def started(way, words, launcher):
    """Start the processes of a turn and return what rank 0 prints.

    Raises  RuntimeError: they failed, or took longer than LIMIT.
    """
    command = [sys.executable, "-m", "benchmarks.machines", "--turn", *map(str, words)]
    if way.processes > 1:
        command = [*launcher, "-n", str(way.processes), *command]
    names = (f"{name}_{'' if name == 'MINIRES' else 'NUM_'}THREADS" for name in THREADS)
    environment = {**os.environ, **dict.fromkeys(names, str(way.threads))}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{way}: no result after {LIMIT} s") from None
    for line in done.stdout.splitlines():
        with suppress(ValueError):
            return json.loads(line)
    raise RuntimeError(
        f"{way}: expected a result, got exit status {done.returncode}\n{done.stderr}"
    )


def measured(plan, cores, launcher, busy):
    """Return the figures of all parts, and the name of the MPI library. busy  a list of the processor time of each turn"""
    compared, engine, steps, sums = ways(plan, cores), None, {}, []
    for net, n, number in plan.training:
        seconds = {str(way): [] for way in compared}
        for i in range(plan.rounds):
            for way in compared[:: -1 if i % 2 else 1]:
                found = started(way, ("steps", net, n, number), launcher)
                seconds[str(way)].append(max(found["ranks"]))
                busy.append(found["busy"])
                engine = found["engine"] or engine
            print(f"  {net}, round {i + 1} of {plan.rounds}", flush=True)
        steps[net] = {"batch": n, "seconds": seconds}
        for k in plan.processes:
            found = started(Way(k, 1), ("sums", net, plan.sums), launcher)
            busy.append(found["busy"])
            longest = {name: [max(each) for each in zip(*(rank[name] for rank in found["ranks"]))]
                       for name in ("minires", "MPI")}  # fmt: skip
            sums.append(
                {"net": net, "processes": k, "size": found["ranks"][0]["size"], "seconds": longest}
            )
    return {"steps": steps, "sums": sums}, engine


def ratios(seconds, base, way):
    """Return how many times as fast as `base` a way is, as a spread over the rounds."""
    return timing.spread([one / other for one, other in zip(seconds[base], seconds[way])])


def efficiencies(figures, net, processes):
    """Return (measured, on paper): the rate of these processes / that of one thread times the cores that they use.

    On paper, a step is the work of one thread, shared out evenly, and the sum of the gradients: step / (step + communication).
    """
    used = min(processes, figures["machine"]["cores"])
    seconds, one = figures["parts"]["steps"][net]["seconds"], str(Way(1, 1))
    share = statistics.median(seconds[one]) / used
    sums = next(found["seconds"]["minires"] for found in figures["parts"]["sums"]
                if (found["net"], found["processes"]) == (net, processes))  # fmt: skip
    paper = share / (share + statistics.median(sums))
    return ratios(seconds, one, str(Way(processes, 1)))["median"] / used, paper


def step_lines(figures):
    """Return the lines of the table of training steps."""
    cores = figures["machine"]["cores"]
    one, threads = str(Way(1, 1)), str(Way(1, cores))
    lines = [
        f"| a training step | images/s | / {one} | / {threads} | efficiency | on paper |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for net, found in figures["parts"]["steps"].items():
        for way, seconds in found["seconds"].items():
            processes, rate = int(way.split()[0]), found["batch"] / statistics.median(seconds)
            cells = [f"{_title(net)}, batch {found['batch']}: {way}", f"{rate:.1f}"]
            cells += [_shown(ratios(found["seconds"], base, way)) if way != base else "1"
                      for base in (one, threads)]  # fmt: skip
            shares = efficiencies(figures, net, processes) if processes > 1 else ()
            cells += [f"{100 * share:.0f} %" for share in shares] or ["", ""]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def sum_lines(figures):
    """Return the lines of the table of sums."""
    lines = [
        "| sum of the gradients | MB | processes | minires, ms | MPI's Allreduce, ms | Allreduce / minires |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for found in figures["parts"]["sums"]:
        seconds = found["seconds"]
        cells = [_title(found["net"]), f"{4e-6 * found['size']:.1f}", f"{found['processes']}"]
        cells += [f"{1e3 * statistics.median(seconds[name]):.1f}" for name in ("minires", "MPI")]
        cells.append(_shown(ratios(seconds, "MPI", "minires")))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def paper_lines(figures):
    """Return the lines of a table on paper: step / (step + communication), of machines that each work on a batch of their own.

    A step takes as long as here on all cores. A machine sends and receives 2 (k - 1) / k of the gradients.
    """
    machines, rates = (2, 8, 64), (1, 10)  # Gb/s, of which 110 MB/s each arrive
    counts = " / ".join(map(str, machines))
    header = " | ".join(f"{counts} machines at {rate} Gb/s" for rate in rates)
    lines = [f"| on paper | {header} |", "| --- | --- | --- |"]
    sizes = {found["net"]: found["size"] for found in figures["parts"]["sums"]}
    way = str(Way(1, figures["machine"]["cores"]))
    for net, found in figures["parts"]["steps"].items():
        step, cells = statistics.median(found["seconds"][way]), []
        for rate in rates:
            sent = (8 * (k - 1) / k * sizes[net] / (110e6 * rate) for k in machines)
            cells.append(" / ".join(f"{100 * step / (step + seconds):.0f}" for seconds in sent))
        each = f"{_title(net)}, batch {found['batch']} on each"
        lines.append(f"| {each} | {' % | '.join(cells)} % |")
    return lines


def _title(net):
    return net.replace("resnet", "ResNet-")


def _shown(values):
    return f"{values['median']:.2f} ({values['min']:.2f} to {values['max']:.2f})"


def main(arguments=None):
    """Measure, print the tables and write the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.machines", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--quick", action="store_true", help="run everything once and small, to see that it works"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"all figures ({RESULTS})")
    parser.add_argument("--launcher", default="mpiexec", help="and its options (mpiexec)")
    parser.add_argument("--turn", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.turn:
        turn(options.turn)
        return
    busy = []  # the launcher does not wait for all of its processes, so the system forgets their time
    others = host.Others(lambda: time.process_time() + sum(busy))
    facts, begun = host.describe(None), time.perf_counter()
    program, *words = shlex.split(options.launcher)
    own = (
        Path(sys.executable).parent / program
    )  # of the environment, whether it is activated or not
    found = str(own) if own.exists() else shutil.which(program)
    refused = f"there is no {program}: pip install -e '.[mpi]'" if found is None else None
    refused = refused or (None if options.quick else host.pinned(facts))
    if refused:
        parser.error(f"not measured: {refused}")
    print(f"{facts['processor']}, {facts['cores']} cores; float32; NumPy {facts['numpy']}")
    plan = QUICK if options.quick else FULL
    parts, engine = measured(plan, facts["cores"], [found, *words], busy)
    seconds, share = time.perf_counter() - begun, others.share()
    figures = {"quick": options.quick, "date": time.strftime("%Y-%m-%d"), "commit": host.commit(),
               "machine": {**facts, "mpi": engine}, "parts": parts, "others": share, "seconds": round(seconds)}  # fmt: skip
    for lines in (step_lines, sum_lines, paper_lines):
        print("\n".join(["", *lines(figures)]))
    taken = "" if share is None else f"; other processes took {100 * share:.0f} % of the cores"
    print(
        f"\n{engine}; {seconds:.0f} s{taken}{'; small: the figures mean nothing' * options.quick}"
    )
    path = options.json or (None if options.quick else RESULTS)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
