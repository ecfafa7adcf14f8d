"""The rows of a run's card: its settings, its outcome and the machine."""

import platform

from minires import __version__, backend, significance
from minires.backend import machine
from minires.cli import extension, forms, recipes


def card(loop, test, mirrored=None):
    """Return the rows: label -> text.

    test  the Score on the test set    mirrored  the Score with test flips, or None
    """
    options, seconds, blas = loop.options, loop.log.seconds, machine.blas()
    parts = {"training": loop.train, "validation": loop.validation, "test": loop.test}
    sizes = ", ".join(f"{len(part):,} for {use}" for use, part in parts.items() if part)
    built = ", ".join(f"{name} {value}" for name, value in loop.facts["options"].items())
    held, also = "none held out", ""
    if loop.validation:
        held = f"{100 * loop.log.rows[-1]['validation_accuracy']:.2f} %"
        also = " and their validation"
    cores, threads = machine.cores(), backend.threads()
    before = any("test_accuracy" in made for made in loop.extensions)
    read = "at the end" if before else "read once, at the end"
    rows = {
        "recipe": recipes.describe(options.to_config()) if options.recipe else None,
        "model": f"{options.model} ({built})",
        "data": f"{loop.train.name}: {sizes}; {loop.train.source}",
        **options.card_rows(),
        "shards": f"{loop.shards} per batch" if loop.shards > 1 else None,
        "extended": extension.describe(loop.extensions),
        "accuracy on validation, after the last epoch": held,
        f"accuracy on test, {read}": _percent(test),
        "interval of that accuracy": _interval(test),
        "the same, each image also mirrored": _percent(mirrored) if mirrored else None,
        "whose code ran": _whose(loop.report),
        "time": f"{seconds:,.0f} s for {options.epochs} epochs{also}: "
        f"{loop.images / seconds:,.0f} images/s",
        "versions": f"minires {__version__}, Python {platform.python_version()}, "
        f"NumPy {machine.numpy_version()}",
        "backend": f"{backend.name()}, {options.precision}",
        "processes": loop.processes,
        "faster forms": forms.files(),
        "processor": f"{machine.processor()}, {cores} cores for this process, "
        f"{threads} thread{'s' * (threads > 1)}",
        "BLAS": f"{blas['name']} {blas['version']}, kernel {blas['kernel']}" if blas else "unknown",
    }
    return {label: text for label, text in rows.items() if text is not None}


def _whose(report):
    """Return the card's text about a run of --mine: the learner's functions that were called, and the library's."""
    if report is None:
        return None
    parts = []
    for whose, own in (("the learner's", True), ("minires's", False)):
        called = [f"{name} ({calls:,})" for name, calls, mine in report.rows() if mine == own]
        parts += [f"{whose}: {', '.join(called)}"] if called else []
    return "calls of " + "; ".join(parts) if parts else "none of the exercises is part of what ran"


def _interval(score):
    low, high = significance.interval(score.correct, score.count)
    return f"{100 * low:.2f} to {100 * high:.2f} %, at 95 % confidence (Wilson)"


def _percent(score):
    return f"{100 * score.accuracy:.2f} % ({score.correct:,} of {score.count:,})"
