"""What the GPU does in one step, by the name of each kernel: how often, for how long, and the bytes of minires's arrays.

PyTorch's profiler sees every kernel of the process, those of CuPy and cuBLAS too. Without PyTorch, events around each launch and
each product are read at the end: then CuPy's own kernels are missing.
"""

from collections import Counter, defaultdict

from minires import ops
from minires.backend import is_array
from minires.ops.forms import FUNCTIONS

WORK = ("kernel", "gpu_memcpy", "gpu_memset")  # categories of a trace
SHOWN = 16  # rows


def by_name(call, title, step, *, ours=True):
    """Return [{"name", "calls", "seconds", "nbytes"}] of a step, the longest first, and print the first of them.

    ours  True if it is minires's step; nbytes is None for kernels that are not minires's
    """
    step()
    call.device.synchronise()
    pieces = of_trace(call.peers.trace(step)) if call.peers else of_events(call.device, step)
    moved = launched(step) if ours else {}
    call.device.synchronise()
    rows = [{"name": name, "calls": len(seconds), "seconds": sum(seconds), "nbytes": _bytes(name, moved)}
            for name, seconds in pieces.items()]  # fmt: skip
    rows.sort(key=lambda row: -row["seconds"])
    _say(title, rows)
    return rows


def of_trace(events):
    """Return name -> [seconds, ...] of what a GPU did, from the events of a trace, whose times are in microseconds."""
    pieces = defaultdict(list)
    for event in events:
        if event.get("ph") == "X" and event.get("cat") in WORK:
            pieces[event["name"]].append(1e-6 * event["dur"])
    return pieces


def of_events(device, step):
    """Return name -> [seconds, ...] of the kernels and products of minires, from marks before and after each."""
    marks, launch, product = [], FUNCTIONS["launch"].default, FUNCTIONS["product"].default

    def marked(name, run, *arguments, **options):
        begun = device.mark()
        made = run(*arguments, **options)
        marks.append((name, begun, device.mark()))
        return made

    def launches(source, function, *arguments):
        marked(function, launch, source, function, *arguments)

    def products(a, b, out=None):
        return marked(f"product {_sizes(a)} @ {_sizes(b)}", product, a, b, out=out)

    with ops.standing_in(launch=launches, product=products):
        device.hold(0.1)  # so that the time between two launches is the GPU's
        step()
    device.synchronise()
    pieces = defaultdict(list)
    for name, begun, ended in marks:
        pieces[name].append(device.between(begun, ended))
    return pieces


def launched(step):
    """Return function -> the bytes of all arrays that minires's kernels of this name are given in a step."""
    moved, launch = Counter(), FUNCTIONS["launch"].default

    def noted(source, function, blocks, block, arguments):
        moved[function] += sum(argument.nbytes for argument in arguments if is_array(argument))
        launch(source, function, blocks, block, arguments)

    with ops.standing_in(launch=noted):
        step()
    return moved


def _bytes(name, moved):
    """Return the bytes of a kernel by its name in a trace, which has the types of its arguments as well."""
    name = name.replace(" ", "").removeprefix("void")
    return next((count for function, count in moved.items()
                 if name == (start := function.replace(" ", "")) or name.startswith(f"{start}(")), None)  # fmt: skip


def _sizes(array):
    return " x ".join(map(str, array.shape))


def _say(title, rows):
    whole = sum(row["seconds"] for row in rows)
    print(f"    {title}: {sum(row['calls'] for row in rows)} pieces of work, {1e3 * whole:.3f} ms")
    for row in rows[:SHOWN]:
        name = row["name"].removeprefix("void ")
        name = name if len(name) <= 60 else name[:57] + "..."
        bytes_of = ""
        if row["nbytes"]:
            bytes_of = f"  {1e-6 * row['nbytes']:9,.1f} MB, {1e-9 * row['nbytes'] / (row['seconds'] or 1):8,.1f} GB/s"
        print(
            f"      {name:60} {row['calls']:4} x {1e3 * row['seconds']:9.3f} ms {100 * row['seconds'] / (whole or 1):4.0f} %{bytes_of}"
        )
    if len(rows) > SHOWN:
        rest = rows[SHOWN:]
        print(f"      {f'and {len(rest)} more':60} {sum(row['calls'] for row in rest):4} x {1e3 * sum(row['seconds'] for row in rest):9.3f} ms",
              flush=True)  # fmt: skip
