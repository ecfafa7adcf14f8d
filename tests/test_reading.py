"""How much there is to read: what one step of training runs, counted by a tracer. `-s` prints the table."""

import sys
import threading
from pathlib import Path

import pytest

import minires
from minires import data, models, nn, ops, optim
from minires.train import train_epoch

PACKAGE = Path(minires.__file__).parent


@pytest.fixture(scope="module")
def step():
    """One step of ResNet-20 on a batch of digits that is made already, as a function; what it makes once is there."""
    nn.manual_seed(0)
    train, _, _ = data.digits()
    model = models.resnet20(in_channels=1)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    batch = next(iter(data.batches(train, 64, seed=0)))
    return lambda: train_epoch(model, [batch], optimizer)


def traced(run):
    """(files, code objects, lines) of the package that run() goes through, in threads that it starts too.

    files  a set of paths    code objects  functions, comprehensions and lambdas    lines  a set of (path, number)
    """
    codes, lines = set(), set()

    def enter(frame, event, argument):
        if not frame.f_code.co_filename.startswith(str(PACKAGE)):
            return None
        codes.add(frame.f_code)
        return go

    def go(frame, event, argument):
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return go

    before, before_in_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(enter)
    sys.settrace(enter)
    try:
        run()
    finally:
        sys.settrace(before)
        threading.settrace(before_in_threads)
    return {file for file, _ in lines}, codes, lines


def row(name, found):
    files, codes, lines = found
    whole = sum(len(Path(file).read_text().splitlines()) for file in files)
    print(
        f"\n{name:8} {len(files):6} files {len(codes):6} functions {len(lines):6} lines, of {whole:6,} in those files",
        end="",
    )
    return len(files), len(codes), len(lines)


@pytest.mark.parametrize(
    ("forms", "most"),
    [(ops.plain, (18, 110, 330)), (ops.without, (26, 216, 689))],
    ids=["plain", "default"],
)
def test_a_step_of_training_is_short_to_read(step, forms, most, request):
    with forms():
        step()  # which forms run is found out at the first call
        found = traced(step)
    assert all(a <= b for a, b in zip(row(request.node.callspec.id, found), most, strict=True))
    room = {Path(file).relative_to(PACKAGE).parts[0] for file in found[0]}
    assert ("fast" in room) == (forms is not ops.plain)
    assert {
        "train.py",
        "tensor.py",
        "graph.py",
        "ops",
        "nn",
        "models",
        "optim",
    } <= room


def test_the_tracer_counts_what_runs():
    """Against a function whose lines can be counted by eye: names.check, of a name that is known and of one that is not."""
    from minires import names

    files, codes, lines = traced(lambda: names.check("kind", "a", ["a", "b"]))
    assert {Path(file).name for file in files} == {"names.py"}
    assert [code.co_name for code in codes] == ["check"] and len(lines) == 3

    def fails():
        with pytest.raises(ValueError, match="unknown kind"):
            names.check("kind", "c", ["a", "b"])

    _, codes, more = traced(fails)
    assert {code.co_name for code in codes} >= {"check"} and lines - more and more - lines
