"""Extending a run: changing its number of epochs, with the schedule stretched over all of them.

An extension is a dict in config.json:

    epoch, step  the epochs and steps done when it was made
    from, to  the number of epochs before and after it
    schedule  "stretched": from this step, the learning rate follows the schedule of a run of `to`
        epochs; earlier steps keep the schedule of a run of `from` epochs
    test_accuracy  if the run had finished
"""

from minires.cli import settings
from minires.runs import RunError


def epochs_at(step, extensions, epochs):
    """Return how many epochs the schedule spans at a step. epochs  the run's number now"""
    return next((each["from"] for each in extensions if step < each["step"]), epochs)


def schedule(options, extensions, steps):
    """Return the learning rate as a function of the step.

    extensions  a list, which may still grow    steps  per epoch
    """

    def rate(step):
        epochs = epochs_at(step, extensions, options.epochs)
        return settings.schedule(options, epochs * steps)(step)

    rate.lr = options.lr  # the optimizer's groups have rates relative to it
    return rate


def make(loop, run):
    """If a loop's options have a different number of epochs than its run, record an extension in both.

    Raises  RunError: more epochs than that are already done.
    """
    before, epochs, result = run.config["epochs"], loop.options.epochs, run.result()
    if epochs == before:
        return
    least = -(-loop.step // loop.steps)
    if epochs < least:
        where = f"is in epoch {least}" if loop.step % loop.steps else f"has done {least} epochs"
        raise RunError(f"--epochs is {epochs}, expected at least {least}: {run.folder} {where}")
    made = {"epoch": loop.epoch, "step": loop.step, "from": before, "to": epochs}
    made["schedule"] = "stretched"
    if result:
        made["test_accuracy"] = result["test_accuracy"]
    run.extend(made)
    loop.extensions.append(made)


def announce(loop):
    """Return a sentence about the last extension if it was made at this step, otherwise None."""
    last = loop.extensions[-1] if loop.extensions else None
    if last is None or last["step"] != loop.step:
        return None
    verb = "extended" if last["to"] > last["from"] else "shortened"
    rates = ""
    if 0 < loop.step < last["to"] * loop.steps:
        before, after = (f"{loop.schedule(step):.2g}" for step in (loop.step - 1, loop.step))
        way = f"stays at {after}" if before == after else f"goes from {before} to {after}"
        rates = f", and the learning rate {way}"
    return (
        f"{verb} from {last['from']} to {last['to']} epochs: "
        f"the schedule is stretched over all {last['to']}{rates}"
    )


def describe(extensions):
    """Return the card's text about a run's extensions, or None."""
    return "; ".join(map(_describe, extensions)) or None


def _describe(made):
    accuracy = made.get("test_accuracy")
    finished = "" if accuracy is None else f", with test accuracy {100 * accuracy:.2f} %"
    return (
        f"after epoch {made['epoch']} (step {made['step']:,}){finished}: "
        f"from {made['from']} to {made['to']} epochs, schedule {made['schedule']}"
    )
