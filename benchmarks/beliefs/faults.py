"""Twelve faults and nine checks: which check objects to which fault, and which of them is the first?"""

from functools import partial

from benchmarks.beliefs.digits import SETTING
from benchmarks.beliefs.table import Making
from minires.course import faults, inspection

COLUMNS = {
    "inputs": 3, "first loss": 3, "gradients": 0, "small step": 3, "ten images": 3, "depth": 0, "updates": 4, "modes": 1,
    "reference": 1, "first": 0,
}  # fmt: skip


def tables(seeds, *, quick):
    """Yield (name, table). In the column "first" is the number of the first check that objects, and 10 if none does."""
    names = list(inspection.CHECKS)[: 6 if quick else None]
    setting = (
        f"The number that each check of minires/course/inspection.py measures in the runs of minires/course/faults.py: a ResNet of "
        f"8 layers, widths 8-16-32, shortcut B, 2 epochs of {SETTING}, learning rate 0.1, cosine with 10 % warm-up. In the column "
        "first: the number of the first check that objects, 10 if none does."
    )
    made = Making("Which check sees which fault", setting, "python -m benchmarks.beliefs faults", seeds, COLUMNS)  # fmt: skip
    for seed in seeds:
        for name, kind in faults.RUNS.items():
            numbers, first = {}, 10
            for place, (check, (number, fine)) in enumerate(inspection.checked(partial(kind, seed), names), 1):  # fmt: skip
                numbers[check] = number
                first = first if fine else min(first, place)
            made.add(name, seed, **numbers, first=first)
    yield "faults", made
