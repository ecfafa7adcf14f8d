"""python -m benchmarks.machines, small, and the arithmetic of its tables on times that are made up."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import machines
from tests import mpi

ROOT = Path(__file__).parents[1]
ONE, THREADS, TWO, FOUR = (f"{k} process{'es' * (k > 1)} of {t} thread{'s' * (t > 1)}"
                           for k, t in ((1, 1), (1, 2), (2, 1), (4, 1)))  # fmt: skip
# Of a machine with two cores. Medians: 8 s, 5 s, 4.5 s and 5 s; sums of 1 s and 4 s.
FIGURES = {
    "machine": {"cores": 2},
    "parts": {
        "steps": {
            "resnet18": {
                "batch": 36,
                "seconds": {
                    ONE: [8.0, 8.0, 10.0],
                    THREADS: [5.0, 4.0, 6.0],
                    TWO: [4.0, 5.0, 4.5],
                    FOUR: [5.0, 5.0, 5.0],
                },
            }
        },
        "sums": [
            {
                "net": "resnet18",
                "processes": 2,
                "size": 2_500_000,
                "seconds": {"minires": [1.0, 0.5, 2.0], "MPI": [2.0, 2.0, 3.0]},
            },
            {
                "net": "resnet18",
                "processes": 4,
                "size": 2_500_000,
                "seconds": {"minires": [4.0, 4.0, 4.0], "MPI": [2.0, 8.0, 4.0]},
            },
        ],
    },
}


def run(*words, **variables):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.machines", *words],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )


def test_a_ratio_is_of_rates_and_its_spread_is_over_the_rounds():
    seconds = FIGURES["parts"]["steps"]["resnet18"]["seconds"]
    found = machines.ratios(seconds, THREADS, TWO)  # 5/4, 4/5, 6/4.5
    assert found == pytest.approx({"median": 1.25, "min": 0.8, "max": 4 / 3})


def test_four_processes_on_two_cores_can_be_twice_as_fast_as_one():
    # Rates of 8/4, 8/5 and 10/4.5 times that of one thread: the median is 2, and two cores are in use.
    measured, paper = machines.efficiencies(FIGURES, "resnet18", 2)
    assert (measured, paper) == pytest.approx((1.0, 4 / (4 + 1)))
    # 8/5, 8/5 and 10/5, also on two cores.
    measured, paper = machines.efficiencies(FIGURES, "resnet18", 4)
    assert (measured, paper) == pytest.approx((0.8, 4 / (4 + 4)))


def test_the_tables_have_a_row_for_each_way_and_each_sum():
    assert machines.step_lines(FIGURES)[2:] == [
        f"| ResNet-18, batch 36: {ONE} | 4.5 | 1 | 0.60 (0.50 to 0.62) |  |  |",
        f"| ResNet-18, batch 36: {THREADS} | 7.2 | 1.67 (1.60 to 2.00) | 1 |  |  |",
        f"| ResNet-18, batch 36: {TWO} | 8.0 | 2.00 (1.60 to 2.22) | 1.25 (0.80 to 1.33) | 100 % | 80 % |",
        f"| ResNet-18, batch 36: {FOUR} | 7.2 | 1.60 (1.60 to 2.00) | 1.00 (0.80 to 1.20) | 80 % | 50 % |",
    ]
    assert machines.sum_lines(FIGURES)[2:] == [
        "| ResNet-18 | 10.0 | 2 | 1000.0 | 2000.0 | 2.00 (1.50 to 4.00) |",
        "| ResNet-18 | 10.0 | 4 | 4000.0 | 4000.0 | 1.00 (0.50 to 2.00) |",
    ]


def test_on_paper_a_machine_sends_nearly_twice_its_gradients():
    # 10 MB of gradients: 2 machines send 10 MB, 8 send 17.5 MB, 64 send 19.7 MB, in a step of 5 s.
    assert machines.paper_lines(FIGURES)[2:] == [
        "| ResNet-18, batch 36 on each | 98 / 97 / 97 % | 100 / 100 / 100 % |"
    ]


def test_on_one_core_no_way_is_measured_twice():
    assert [str(way) for way in machines.ways(machines.FULL, 1)] == [ONE, TWO, FOUR]
    assert [str(way) for way in machines.ways(machines.FULL, 2)] == [ONE, THREADS, TWO, FOUR]


def test_without_a_launcher_it_says_what_to_install():
    result = run("--quick", "--launcher", "no-such-launcher")
    assert result.returncode == 2 and "there is no no-such-launcher: pip install" in result.stderr


def test_a_process_that_fails_ends_the_turn_with_its_error():
    if mpi.why_not():
        pytest.skip(mpi.why_not())
    with pytest.raises(
        RuntimeError, match=r"(?s)2 processes of 1 thread: .*KeyError: 'no-such-net'"
    ):
        machines.started(machines.Way(2, 1), ("steps", "no-such-net", 8, 1), [mpi.launcher()])


def test_it_runs_small_and_writes_its_figures(tmp_path):
    if mpi.why_not():
        pytest.skip(mpi.why_not())
    where = f"{tmp_path}/figures.json"
    result = run("--quick", "--json", where, "--launcher", mpi.launcher())
    assert result.returncode == 0, result.stderr
    assert "the figures mean nothing" in result.stdout
    found = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert found["quick"] and found["machine"]["mpi"] in result.stdout
    (step,), (total,) = found["parts"]["steps"].values(), found["parts"]["sums"]
    assert all(len(seconds) == 1 and seconds[0] > 0 for seconds in step["seconds"].values())
    assert next(iter(step["seconds"])) == ONE and list(step["seconds"])[-1] == TWO
    assert [len(seconds) for seconds in total["seconds"].values()] == [2, 2]
    for line in machines.step_lines(found) + machines.sum_lines(found):
        assert line in result.stdout
