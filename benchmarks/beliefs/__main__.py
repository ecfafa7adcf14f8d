"""python -m benchmarks.beliefs NAME: run an experiment on a belief about residual networks, print its tables and write them.

The tables go to minires/course/measured, where the chapters and docs/residual.md read them.
"""

import argparse
from importlib import import_module
from pathlib import Path

from benchmarks.beliefs import EXPERIMENTS
from minires import backend, names
from minires.course.measured import parse

FOLDER = Path(__file__).parents[2] / "minires" / "course" / "measured"


def main(arguments=None):
    """Run the experiment that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beliefs", description=__doc__.partition(": ")[2],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("name", metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="seeds 0 to N - 1 (default: 5)")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write the tables here (default: minires/course/measured)")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="run everything once and small, to see that it works; writes only to --out")  # fmt: skip
    options, others = parser.parse_known_args(arguments)
    experiment = import_module(
        f"benchmarks.beliefs.{names.check('experiment', options.name, EXPERIMENTS)}"
    )
    more = argparse.ArgumentParser(prog=f"python -m benchmarks.beliefs {options.name}")
    getattr(experiment, "add_options", lambda parser: None)(more)
    given = more.parse_args(others)
    if options.seeds < 1:
        parser.error(f"--seeds: expected at least 1, got {options.seeds}")
    seeds = list(range(1 if options.quick else options.seeds))
    folder = options.out or (None if options.quick else FOLDER)
    with backend.using(threads=1):  # so that the figures do not depend on the number of cores
        for name, table in experiment.tables(seeds, quick=options.quick, **vars(given)):
            if folder is not None:
                table.save(folder / f"{name}.json")
            print(parse(table.written, name), flush=True)
            print()


if __name__ == "__main__":
    main()
