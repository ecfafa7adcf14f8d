"""The figures of benchmarks.gpu: the roofline of kernels and products, and where a step's time goes."""

from benchmarks.pictures import GREY, OURS, THEIRS
from minires.show.picture import Picture

PRODUCTS = {
    "columns @ weight": ("o", OURS),
    "columns.T @ g": ("s", "#56b4e9"),
    "g @ weight.T": ("^", "#009e73"),
}
# Source  Okabe and Ito 2008, except for the greys.
COLOURS = {"im2col": "#56b4e9", "col2im": OURS, "GEMM": "#009e73", "Winograd's transforms": "#cc79a7", "norm": "#e69f00",
           "convolutions, the rest": "#f0e442", "mean, linear layer, loss": "#5a5a5a", "optimizer": "#000000",
           "all else": "#c4c4c4"}  # fmt: skip
DARK = ("col2im", "GEMM", "mean, linear layer, loss", "optimizer")
SEEN = 0.05  # from this fraction of a bar, a piece has its number


def roofline(kernels, products, limits, machine):
    """Draw each kernel's bytes per second below those of a copy, and each product's FLOP/s below those of a large one.

    kernels, products  gpu_kernels.kernels(), products(); either may be empty    limits  gpu_kernels.limits()
    """
    picture = Picture(figsize=(11, 4.6), layout="constrained")
    panels = [part for part in ((kernels, _kernels), (products, _products)) if part[0]]
    for i, (figures, draw) in enumerate(panels, 1):
        draw(picture.add_subplot(1, len(panels), i), figures, limits, machine)
    picture.suptitle(_machine(machine), fontsize=9)
    return picture


def _kernels(axes, kernels, limits, machine):
    names = list(dict.fromkeys(found["kernel"] for found in kernels))
    for held, style in (
        (False, {"color": OURS}),
        (True, {"facecolors": "white", "edgecolors": OURS}),
    ):
        points = [
            (found["rate"]["median"], names.index(found["kernel"]))
            for found in kernels
            if _held(found, machine) == held
        ]
        if points:
            label = (
                "fits the GPU's cache"
                if held
                else "does not fit the GPU's cache"
                if machine["cache"]
                else None
            )
            axes.scatter(*zip(*points), zorder=3, label=label, **style)
    copy = limits["copy"]["median"]
    axes.axvline(copy, color="black", linewidth=1.5)
    axes.annotate(
        f"copy {copy:,.0f} GB/s", (copy, -0.6), fontsize=8, ha="right", va="center", **_beside(-4)
    )
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.4, -1.1)
    axes.set_xlim(left=0)
    axes.set_xlabel("GB/s of the bytes that a kernel has to move at least")
    axes.set_title("Kernels, a point for each size", fontsize=10)
    axes.grid(axis="x", alpha=0.3)
    if machine["cache"]:
        axes.legend(frameon=False, fontsize=8, loc="lower left")


def _held(found, machine):
    """Return True if what a kernel moves fits the GPU's level-2 cache, where it may be faster than a copy."""
    return bool(machine["cache"]) and found["nbytes"] < machine["cache"]


def _products(axes, products, limits, machine):
    product, copy = limits["product"]["median"], 1e-3 * limits["copy"]["median"]  # TFLOP/s, TB/s
    work = [found["flop"] / found["nbytes"] for found in products]
    ridge = product / copy
    low, high = min(ridge, *work) / 2, max(ridge, *work) * 2
    axes.plot([low, ridge, high], [copy * low, product, product], color="black", linewidth=1.5)
    axes.annotate(
        f"large matrix product {product:,.3g} TFLOP/s",
        (high, product),
        fontsize=8,
        ha="right",
        va="bottom",
    )
    for name, (marker, colour) in PRODUCTS.items():
        rates = [found["rate"][name]["median"] for found in products]
        axes.scatter(work, rates, marker=marker, color=colour, label=name, alpha=0.85, zorder=3)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.yaxis.set_tick_params(which="minor", labelsize=7)
    axes.set_xlabel("FLOP / bytes of the three matrices, each once")
    axes.set_ylabel("TFLOP/s")
    axes.set_title("Products of the convolutions, float32", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8, loc="lower right")


def step(kinds, steps, machine):
    """Draw a training step's time in ms by kind of work, waiting for the GPU around each; the step without waiting; and PyTorch's.

    kinds  gpu_kinds.kinds()    steps  gpu_steps.steps(), or nothing
    """
    picture = Picture(figsize=(11, 3.9), layout="constrained")
    axes, labels = picture.add_subplot(), []
    for found in kinds:
        start, y = 0.0, len(labels)
        for kind, facts in found["kinds"].items():
            width = 1e3 * max(facts["seconds"], 0)
            axes.barh(
                y,
                width,
                left=start,
                color=COLOURS[kind],
                height=0.62,
                label=None if labels else kind,
            )
            if width > SEEN * 1e3 * found["waiting"]["seconds"]:
                colour = "white" if kind in DARK else "black"
                axes.annotate(
                    f"{width:.3g}",
                    (start + width / 2, y),
                    color=colour,
                    fontsize=8,
                    ha="center",
                    va="center",
                )
            start += width
        labels.append(f"minires, {found['way']}:\nwaiting around each piece")
        labels.append(f"minires, {found['way']}:\nwithout waiting")
        _bar(axes, y + 1, 1e3 * found["whole"]["median"], GREY)
    for name, milliseconds in _of_pytorch(kinds[0], steps):
        _bar(axes, len(labels), milliseconds, THEIRS)
        labels.append(f"{name},\nfloat32")
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("ms a step")
    axes.set_title(
        f"Training step of {kinds[0]['net']}, batch {kinds[0]['batch']}\n{_machine(machine)}",
        fontsize=10,
    )
    axes.spines[["top", "right"]].set_visible(False)
    picture.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=5)
    return picture


def _bar(axes, y, milliseconds, colour):
    axes.barh(y, milliseconds, color=colour, height=0.62)
    axes.annotate(f"{milliseconds:.3g}", (milliseconds, y), fontsize=8, va="center", **_beside(4))


def _of_pytorch(found, steps):
    """Return (name, ms per step) of PyTorch at the same batch in float32."""
    wanted = ("float32", found["batch"], found["net"])
    rates = next(
        (
            entry["rate"]
            for entry in steps or ()
            if (entry["mode"], entry["batch"], entry["net"]) == wanted
        ),
        {},
    )
    return [
        (name, 1e3 * found["batch"] / rate["median"])
        for name, rate in rates.items()
        if name.startswith("PyTorch")
    ]


def _beside(right):
    return {"xytext": (right, 0), "textcoords": "offset points"}


def _machine(machine):
    versions = [f"CuPy {machine['cupy']}"] if machine["cupy"] else []
    versions += [f"PyTorch {machine['torch']['version']}"] if machine["torch"] else []
    return f"{machine['card']}; {', '.join([*versions, 'NumPy ' + machine['numpy']])}"
