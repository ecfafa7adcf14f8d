"""The README's figures are those of the logs that are committed beside it."""

import csv
import json
import re
from pathlib import Path

from benchmarks import table

ROOT = Path(__file__).parents[1]
ROW = r"^\| (\d) \| ([\d.]+) % \(([\d,]+) of 10,000\) \| ([\d.]+) \| \[log\]\((docs/results/[\w-]+)/log.csv\), \[card\]\(\5/card.md\) \|$"


def test_each_row_of_the_results_is_what_its_log_says():
    rows = re.findall(ROW, (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert len(rows) == len(list((ROOT / "docs" / "results").iterdir())) == 2
    for seed, accuracy, hits, loss, folder in rows:
        result = json.loads((ROOT / folder / "result.json").read_text())
        log = list(csv.DictReader((ROOT / folder / "log.csv").read_text().splitlines()))
        assert accuracy == f"{100 * result['test_accuracy']:.2f}" == f"{result['test_hits'] / 100:.2f}"
        assert hits == f"{result['test_hits']:,}" and result["test_images"] == 10_000
        assert loss == f"{float(log[-1]['train_loss']):.3f}" and [int(row["epoch"]) for row in log] == list(range(1, 11))
        card = (ROOT / folder / "card.md").read_text()
        assert f"| seed | {seed} |" in card and f"{accuracy} % ({hits} of 10,000)" in card and "unverified files" in card


def test_the_mean_in_the_text_is_that_of_the_rows():
    text = (ROOT / "README.md").read_text()
    found = [float(accuracy) for _, accuracy, *_ in re.findall(ROW, text, flags=re.MULTILINE)]
    assert f"mean of {sum(found) / len(found):.2f} %" in text


def test_the_table_of_speed_is_what_was_measured():
    figures = json.loads((ROOT / "benchmarks" / "results" / "cpu.json").read_text())
    assert not figures["smoke"] and not figures["pinned"] and figures["machine"]["torch"]
    lines, text = table.markdown(figures), (ROOT / "README.md").read_text()
    assert len(lines) == 8 and all(f"{line}\n" in text for line in lines)
