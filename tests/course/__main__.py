"""python -m tests.course [--fast] [ID ...]: the table, and below it what is not as it should be."""

import sys
import warnings

from minires.course import manifest
from tests.course import table
from tests.course.trials import EXERCISES

warnings.simplefilter("ignore", RuntimeWarning)  # of mutants that divide by zero
fast, ids = "--fast" in sys.argv, [word for word in sys.argv[1:] if not word.startswith("-")]
chosen = [manifest.exercise(id) for id in ids] or EXERCISES
rows = []
for exercise in chosen:
    row = table.judged(exercise)
    rows.append(row if fast else table.mutated(exercise, row))
print(table.text(rows))
for row in rows:
    for fault in row.faults:
        print(f"{row.id}: {fault}")
sys.exit(any(row.faults for row in rows))
