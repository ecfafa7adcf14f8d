"""The lines that `minires train` prints before the first step."""

from minires import backend
from minires.cli import extension
from minires.cli.terminal import wrapped


def introduce(loop, run, complain):
    """Print the model, the data and the run. complain  is called with a sentence about a batch size above the number of images"""
    options, parameters = loop.options, loop.model.parameters()
    size = sum(parameter.size for parameter in parameters)
    precision = "" if options.precision == "float32" else f", {options.precision}"
    step = f" resumes at step {loop.step}" if loop.step else ""
    lines = [
        f"{options.model}, {size:,} parameters, on {len(loop.train):,} images of "
        f"{loop.train.name}; backend {backend.name()}{precision}; {run.folder}{step}",
        extension.announce(loop),
        _processes(loop),
    ]
    if loop.started:
        lines.append(f"starts from {options.weights}: {loop.started}")
    if options.freeze:
        learn = sum(parameter.size for parameter in parameters if parameter.requires_grad)
        lines.append(f"frozen {options.freeze}: {learn:,} parameters are trained")
    for line in filter(None, lines):
        print(wrapped(line))
    if options.batch_size > len(loop.train):
        complain(
            f"--batch-size is {options.batch_size}: "
            f"each epoch is one step, on all {len(loop.train)} training images"
        )


def _processes(loop):
    """Return a sentence about the processes and the shards, or None for one process and one shard."""
    group, number = loop.group, loop.shards
    threads = backend.threads()
    each = f", {threads} thread{'s' * (threads > 1)} each"
    how = (
        "batch norm is synchronised"
        if loop.options.sync_batch_norm
        else f"each batch in {number} shards"
    )
    if group.size > 1:
        return f"{loop.processes}{each}; {how}"
    return None if number == 1 else how
