"""The end of a run: its weights, card, curves and result. Resuming a finished run."""

from minires import checkpoint
from minires.cli import state
from minires.cli.card import card
from minires.cli.options import Options
from minires.cli.terminal import bold, wrapped
from minires.runs import RunError


def finish(loop, run, test, mirrored):
    """Write and print the outcome. test  the Score    mirrored  the Score with test flips, or None"""
    facts = {**loop.facts, "epoch": loop.epoch}
    checkpoint.save_weights(run.folder / "weights.safetensors", loop.model.state_dict(), **facts)
    run.write_predictions(loop.logits, loop.test.labels)
    seconds = loop.log.seconds
    rate = loop.images / seconds
    picture = run.draw(_title(run, loop.train.name))
    began_with = Options.from_config(run.config).public()
    extended = {"extensions": run.extensions} if run.extensions else {}
    run.write_card(card(loop, test, mirrored), {**began_with, **extended})
    result = {
        "test_loss": test.loss,
        "test_accuracy": test.accuracy,
        "test_hits": test.correct,
        "test_images": test.count,
        "test_reads": 1 + sum("test_accuracy" in made for made in run.extensions),
    }
    if loop.report:
        result["calls"] = loop.report.facts()
    if mirrored:
        result.update(mirrored_accuracy=mirrored.accuracy, mirrored_hits=mirrored.correct)
    run.write_result({**result, "seconds": seconds, "images_per_second": rate})
    print(wrapped(f"trained in {seconds:.0f} s, {rate:,.0f} images/s; curves in {picture}"))
    print(bold(f"test {test}"))
    if mirrored:
        print(f"each image also mirrored: {mirrored}")


def already_finished(run, complain):
    """Print that a run is finished and how to continue from it, and repair its log and curves.

    complain  is called with a sentence about each problem
    """
    epochs, accuracy = run.config["epochs"], 100 * run.result()["test_accuracy"]
    print(
        wrapped(
            f"{run.folder} is finished: test accuracy {accuracy:.2f} %. To train it longer, add "
            f"--epochs N, with N above {epochs}; to start a new run from its weights, "
            f"replace --resume with --weights"
        )
    )
    _repair(run, complain)


def _repair(run, complain):
    """Rewrite log.csv and curves.png if they differ from the last checkpoint."""
    try:
        rows = run.log()
    except RunError:
        rows = None
    picture = run.folder / "curves.png"
    try:
        _, facts, *loop = run.newest(complain)
    except RunError as error:
        if not rows:
            complain(f"log.csv is damaged, and {error}")
        return
    saved = state.unpack(*loop)["log"]["rows"]
    damaged = rows is None or (len(saved) >= len(rows) and saved != rows)
    if damaged or not picture.is_file():
        with run.locked():
            if damaged:
                run.write_log(saved)
            run.draw(_title(run, facts["data"]))
        print("repaired log.csv and curves.png from the last checkpoint")


def _title(run, data):
    return f"{run.config['model']} on {data}, seed {run.config['seed']}"
