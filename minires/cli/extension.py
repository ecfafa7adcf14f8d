"""Extending a run: a new number of epochs, and a schedule that is stretched over all of them.

An extension is a dict, in config.json:

    epoch, step  how many were done when it was made
    from, to  the number of epochs before and after it
    schedule  "stretched": from this step on, the learning rate follows the schedule over all `to`
        epochs, as if the run had had them from the start; earlier steps keep that over `from` epochs
    test_accuracy  on the test set, if the run had finished
"""

from minires.cli import settings
from minires.runs import RunError


def epochs_at(step, extensions, epochs):
    """The number of epochs over which the schedule is spread at a step. epochs  of the run now"""
    return next((each["from"] for each in extensions if step < each["step"]), epochs)


def schedule(options, extensions, steps):
    """The learning rate as a function of the step.

    extensions  a list, which may grow later    steps  per epoch
    """

    def rate(step):
        epochs = epochs_at(step, extensions, options.epochs)
        return settings.schedule(options, epochs * steps)(step)

    rate.lr = options.lr  # the optimizer refers its groups' rates to it
    return rate


def make(loop, run):
    """If a loop has a different number of epochs than its run, record that, in both.

    Raises  RunError: so many epochs are already done.
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
    """A sentence about the last extension, if it was made at this step; or None."""
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
    """What the card says about a run's extensions, or None."""
    return "; ".join(map(_describe, extensions)) or None


def _describe(made):
    accuracy = made.get("test_accuracy")
    finished = "" if accuracy is None else f", with {100 * accuracy:.2f} % accuracy on test"
    return (
        f"after epoch {made['epoch']} (step {made['step']:,}){finished}: "
        f"from {made['from']} to {made['to']} epochs, the schedule {made['schedule']}"
    )
