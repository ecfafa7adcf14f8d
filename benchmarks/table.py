"""The figures of benchmarks.cpu as Markdown tables, for docs/speed.md.

python -m benchmarks.table [FILE]
"""

import json
import statistics
import sys
from pathlib import Path

RESULTS = Path("benchmarks/results/cpu.json")


def spread(shares, sign=""):
    """Return the mean of fractions in per cent, and their standard deviation if there are several. sign  "+" for differences"""
    found = [100 * share for share in shares]
    return f"{statistics.fmean(found):{sign}.2f}{f' ± {statistics.stdev(found):.2f}' if len(found) > 1 else ''}"


def markdown(figures):
    """Return the lines of what was compared with PyTorch."""
    parts, machine = figures["parts"], figures["machine"]
    peer = f"PyTorch {machine['torch']['version'].split('+')[0]}"
    lines = [
        f"| float32, {machine['threads']} threads | minires | {peer} | ratio |",
        "| --- | --- | --- | --- |",
    ]
    for net, found in parts.get("steps", {}).items():
        lines.append(_row(f"{net}, training step, batch {found['batch']}", found))
    for net, found in parts.get("inference", {}).items():
        lines.append(_row(f"{net}, inference, batch {found['batch']}, batch norm folded", found))
    if "memory" in parts:
        found = parts["memory"]
        ours, theirs = (
            f"{found[way]['step'] / 2**20:,.0f} MiB" for way in ("minires", found["pytorch"])
        )
        lines.append(
            f"| {found['net']}, peak memory of a step, batch {found['batch']} | {ours} | {theirs} | {found['ratio']:.2f} |"
        )
    if "threads" in parts:
        found = parts["threads"]
        ours, theirs = (f"{found[way]['median']:.2f} times" for way in ("minires", _better(parts)))
        lines.append(
            f"| a step of it, on {found['threads']} threads and on one | {ours} | {theirs} | |"
        )
    return lines


def convolutions(figures):
    """Return the lines for each convolution, forward and backward."""
    lines = [
        "| forward and backward, GFLOP/s | im2col | minires | PyTorch | ratio |",
        "| --- | --- | --- | --- | --- |",
    ]
    for shape in figures["parts"].get("convolutions", []):
        found = shape["forward and backward"]
        rates = (
            f"{found['rate'][way]['median']:.0f}" for way in ("im2col", "minires", found["pytorch"])
        )
        lines.append(f"| {shape['shape']} | {' | '.join(rates)} | {found['ratio']['median']:.2f} |")
    return lines


def growth(figures):
    """Return the lines for each size of batch, depth and width."""
    lines = [
        "| training step, images/s | batch | minires | PyTorch | ratio |",
        "| --- | --- | --- | --- | --- |",
    ]
    for points in figures["parts"].get("growth", {}).values():
        for found in points:
            rates = (
                _three_digits(found["rate"][way]["median"]) for way in ("minires", found["pytorch"])
            )
            lines.append(
                f"| {found['net']} | {found['batch']} | {' | '.join(rates)} | {found['ratio']['median']:.2f} |"
            )
    return list(dict.fromkeys(lines))


def _row(what, found):
    ours, theirs = (
        f"{_three_digits(found['rate'][way]['median'])} images/s"
        for way in ("minires", found["pytorch"])
    )
    return f"| {what} | {ours} | {theirs} | {found['ratio']['median']:.2f} |"


def _three_digits(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _better(parts):
    """Return the layout in which PyTorch trained the first network faster."""
    return next(iter(parts["steps"].values()))["pytorch"]


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS
    found = json.loads(path.read_text(encoding="utf-8"))
    print("\n\n".join("\n".join(lines(found)) for lines in (markdown, convolutions, growth)))
