"""The figures of benchmarks.cpu: the ladder of the training step, and the roofline of convolutions."""

import math

from minires.show.picture import Picture

# Source  Okabe and Ito 2008: colour-blind-safe.
OURS, THEIRS, GREY = "#0072b2", "#d55e00", "#8c8c8c"
POINTS = {
    "im2col": {"color": "#56b4e9", "marker": "s", "label": "im2col"},
    "winograd": {
        "color": OURS,
        "marker": "o",
        "label": "Winograd, which multiplies less often than is counted here",
    },
    "pointwise": {"color": OURS, "marker": "D", "label": "1x1 without columns"},
    "PyTorch": {"color": THEIRS, "marker": "^", "label": "PyTorch, better layout"},
}


def ladder(figures, machine):
    """Draw the images/s of a training step, one more optimisation from bar to bar, and PyTorch's better layout as a line."""
    picture, axes = _picture(
        3.9, f"Training step of {figures['net']}, batch {figures['batch']}, float32", machine
    )
    rungs = {
        name: rate["median"]
        for name, rate in figures["rate"].items()
        if not name.startswith("PyTorch")
    }
    labels = [
        name if name != "minires" else "batch norm, add and ReLU in one pass" for name in rungs
    ]
    loops, *others = axes.barh(
        labels, list(rungs.values()), color=[GREY] + [OURS] * (len(rungs) - 1), height=0.62
    )
    axes.annotate(_short(loops.get_width()), (loops.get_width(), 0), va="center", **_beside(5, 0))
    for i, bar in enumerate(others, 1):
        inside = {"color": "white", "weight": "bold", "ha": "right", "va": "center"}
        axes.annotate(_short(bar.get_width()), (bar.get_width(), i), **inside, **_beside(-5, 0))
    axes.set_xscale("log")
    axes.set_xlim(
        min(rungs.values()) / 2, 2 * max(rate["median"] for rate in figures["rate"].values())
    )
    axes.invert_yaxis()
    if figures["pytorch"]:
        rate = figures["rate"][figures["pytorch"]]["median"]
        axes.axvline(rate, color=THEIRS, linewidth=1.5)
        name = f"{figures['pytorch']} {_short(rate)}"
        axes.annotate(name, (rate, 0), color=THEIRS, ha="right", va="center", **_beside(-6, 0))
    axes.set_xlabel("images/s")
    axes.spines[["top", "right"]].set_visible(False)
    return picture


def roofline(convolutions, limits, machine):
    """Draw the forward pass of each convolution: operations per byte, and its rate, below the limits of a large product and of copying.

    limits  host.limits(): GFLOP/s and GB/s
    """
    picture, axes = _picture(
        5.2, f"Convolutions of ResNet-18, forward, batch {convolutions[0]['n']}, float32", machine
    )
    columns = sorted(
        (entry["flop"] / entry["nbytes"], entry["shape"], _rates(entry)) for entry in convolutions
    )
    product, copy = limits["product"]["max"], limits["copy"]["max"]
    ridge, high = product / copy, columns[-1][0] * 2
    low = min(ridge / 2.5, columns[0][0] / 1.5)
    axes.plot([low, ridge, high], [copy * low, product, product], color="black", linewidth=1.5)
    axes.annotate(
        f"large matrix product\n{product:.0f} GFLOP/s",
        (ridge, product),
        va="bottom",
        **_beside(0, 4),
    )
    axes.annotate(f"copy of memory\n{copy:.0f} GB/s", (low, copy * low), va="top", **_beside(16, 4))
    for name, style in POINTS.items():
        points = [(x, rates[name]) for x, _, rates in columns if name in rates]
        if points:
            axes.scatter(*zip(*points), alpha=0.85, zorder=3, **style)
    floor = min(min(rates.values()) for _, _, rates in columns) / 1.5
    gap, place = math.log(high / low) / 36, -math.inf
    for x, shape, rates in columns:
        place = max(math.log(x), place + gap)  # so that names do not overlap
        axes.plot(
            [math.exp(place), x, x],
            [floor, 1.25 * floor, max(rates.values())],
            color=GREY,
            linewidth=0.6,
            zorder=1,
        )
        axes.annotate(
            shape,
            (math.exp(place), floor),
            rotation=90,
            fontsize=7,
            ha="center",
            va="top",
            **_beside(0, -2),
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(bottom=floor / 9)
    axes.set_xlabel("FLOP of the direct convolution / bytes of image, weight and result, each once")
    axes.set_ylabel("GFLOP/s of the direct convolution")
    axes.grid(alpha=0.3)
    picture.legend(frameon=False, loc="outside lower center", ncols=4, columnspacing=1)
    return picture


def _rates(entry):
    """Return the name of each kind of points -> GFLOP/s."""
    rates = {name: rate["median"] for name, rate in entry["forward"]["rate"].items()}
    rates["PyTorch"] = rates.get(entry["forward"]["pytorch"])
    rates["pointwise"] = rates["minires"] if entry["kernel"] == 1 else None
    return {name: rates[name] for name in POINTS if rates.get(name)}


def _picture(height, title, machine):
    picture = Picture(figsize=(9.5, height), layout="constrained")
    blas, torch = machine["blas"], machine["torch"]
    versions = [f"NumPy {machine['numpy']}, {blas['name']} {blas['kernel'] or ''}"]
    versions += [f"PyTorch {torch['version']}"] if torch else []
    axes = picture.add_subplot()
    axes.set_title(
        f"{title}\n{machine['processor']}, {machine['threads']} threads; {'; '.join(versions)}",
        fontsize=10,
    )
    return picture, axes


def _short(rate):
    return f"{rate:.3g}"


def _beside(right, up):
    return {"xytext": (right, up), "textcoords": "offset points"}
