"""Do the settings, the card, the log and the losses of a run agree with the recipe and with one another?"""

from minires.cli import recipes, settings
from minires.cli.about import flag
from minires.cli.loop import LAST
from minires.cli.options import ABOUT, RECIPE, Options
from minires.course.evidence import losses

EXACT = 1e-9  # of numbers that were computed twice from the same ones
OFFLINE = "shapes"  # the data that may replace a recipe's


def settings_reasons(evidence, recipe):
    """Return why a run's settings aren't those of the recipe. recipe  a name, or a file of the verifier's"""
    config, options = evidence.run.config, evidence.options
    reasons = []
    if recipes.title(options.recipe or "") != recipes.title(recipe):
        reasons.append(f"config.json: expected the recipe {recipes.title(recipe)}, got {options.recipe}")  # fmt: skip
    written, variants = recipes.read(recipe)
    if variants:
        raise ValueError(f"{recipe}: expected a recipe of one run, got {len(variants)}")
    given = {"data": options.data} if options.data == OFFLINE else {}
    expected = settings.merged(given, written).public()
    found = options.public()
    for name in RECIPE:
        theirs, ours = found.get(name) or None, expected.get(name) or None
        if ABOUT[name].result and theirs != ours:
            reasons.append(f"config.json: {flag(name)} is {theirs}, expected {ours}")
    if not config.get("mine"):
        reasons.append("config.json: the run was not started with --mine")
    if options.weights or options.freeze:
        reasons.append(f"the run began with weights: {options.weights or options.freeze}")
    if evidence.run.extensions:
        reasons.append("the run was extended: expected one run from the first epoch to the last")
    return reasons


def card_reasons(evidence):
    """Return why card.md and result.json don't belong together."""
    result, card, reasons = evidence.result, evidence.card, []
    if evidence.shown != evidence.options.public():
        changed = sorted(
            name
            for name in evidence.shown.keys() | evidence.options.public().keys()
            if evidence.shown.get(name) != evidence.options.public().get(name)
        )
        reasons.append(f"card.md and config.json differ in {', '.join(changed)}")
    hits, images = result["test_hits"], result["test_images"]
    if result["test_accuracy"] != hits / max(images, 1):
        reasons.append(f"result.json: {hits:,} of {images:,} are not {result['test_accuracy']}")
    text = f"{100 * hits / max(images, 1):.2f} % ({hits:,} of {images:,})"
    told = [text for label, text in card.items() if label.startswith("accuracy on test")]
    if told != [text]:
        reasons.append(f"card.md: expected the accuracy {text}, got {', '.join(told) or 'none'}")
    if result["test_reads"] != 1:
        reasons.append(f"the test set was read {result['test_reads']} times, expected once")
    return reasons


def log_reasons(evidence, loop):
    """Return why log.csv and steps.csv don't belong together, or not to this recipe. loop  a Loop with the run's settings"""
    options, steps, reasons = evidence.options, evidence.steps, []
    epochs, total = options.epochs, options.epochs * loop.steps
    if len(steps) != total or len(evidence.rows) != epochs:
        return [f"expected {total:,} steps in steps.csv and {epochs} epochs in log.csv, got {len(steps):,} and {len(evidence.rows)}"]  # fmt: skip
    for step, lr, _ in steps:
        if not losses.close(lr, loop.schedule(step - 1), EXACT):
            reasons.append(f"steps.csv: the learning rate of step {step:,} is {lr}, expected {loop.schedule(step - 1)}")  # fmt: skip
            break
    counts = [min(options.batch_size, loop.batches(0).images - i * options.batch_size) for i in range(loop.steps)]  # fmt: skip
    for epoch, row in enumerate(evidence.rows):
        part = evidence.losses[epoch * loop.steps : (epoch + 1) * loop.steps]
        mean = losses.epoch_loss(part, counts)
        last = (epoch + 1) * loop.steps
        if (row.get("epoch"), row.get("step")) != (epoch + 1, last):
            reasons.append(f"log.csv: expected epoch {epoch + 1} to end at step {last:,}, got {row.get('step')}")  # fmt: skip
        elif not losses.close(row["train_loss"], mean, EXACT):
            reasons.append(f"log.csv: the training loss of epoch {epoch + 1} is {row['train_loss']:.6g}, but the mean of its steps in steps.csv is {mean:.6g}")  # fmt: skip
        elif not losses.close(row["lr"], loop.schedule(last - 1), EXACT):
            reasons.append(f"log.csv: the learning rate of epoch {epoch + 1} is {row['lr']}, expected {loop.schedule(last - 1)}")  # fmt: skip
    return reasons


def kept_steps(evidence, loop):
    """Return the steps of which a run keeps checkpoints: the start, the end of each epoch, and ten steps before the end."""
    total = evidence.options.epochs * loop.steps
    ends = {epoch * loop.steps for epoch in range(evidence.options.epochs + 1)}
    return sorted(ends | {max(total - LAST, 0)})


def kept_reasons(evidence, checkpoint, loop):
    """Return why a kept checkpoint doesn't belong to this log."""
    step, reasons = checkpoint.step, []
    where = f"kept/{checkpoint.folder.name}"
    epoch, done = divmod(step, loop.steps)
    if checkpoint.loop["log"]["rows"] != evidence.rows[:epoch]:
        reasons.append(f"{where}: its log is not the beginning of log.csv")
    part = evidence.losses[epoch * loop.steps : step]
    total = sum(loss * evidence.options.batch_size for loss in part)
    if done and not losses.close(checkpoint.loop["meter"]["losses"], total, EXACT):
        reasons.append(f"{where}: the losses of its epoch so far are not those of steps.csv")
    if checkpoint.facts.get("data") != loop.facts["data"] or checkpoint.facts.get("model") != loop.facts["model"]:  # fmt: skip
        reasons.append(f"{where}: it belongs to {checkpoint.facts.get('model')} on {checkpoint.facts.get('data')}")  # fmt: skip
    return reasons


def fingerprint_reasons(evidence, parts):
    """Return why the run's images aren't the verifier's."""
    found = " ".join(part.fingerprint() for part in parts if part)
    if evidence.options.fingerprint == found:
        return []
    return [f"the run was trained on different images: its fingerprint is {evidence.options.fingerprint}, that of {parts[0].name} here is {found}"]  # fmt: skip


def verifiers(options, data_dir):
    """Return the run's Options with the verifier's paths instead of the learner's."""
    changes = {"data_dir": data_dir, "source": None, "weights": None, "freeze": None}
    changes |= {"log": None, "watch": None, "backend": None, "fingerprint": None}
    return Options(**{**vars(options), **changes})


__all__ = ["card_reasons", "fingerprint_reasons", "kept_reasons", "kept_steps", "log_reasons", "settings_reasons", "verifiers"]  # fmt: skip
