"""Networks without one of their blocks, or with two blocks swapped, and how large F is next to what the shortcut carries.

Without --images: residual and plain networks that are trained on digits here, and residual ones trained on our shapes by the recipe
`shapes` (minutes each), unless --nets has them. With --images: a published network, on the images of a folder.
Source  Veit et al. 2016, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks"; Greff et al. 2017, "Highway and
Residual Networks Learn Unrolled Iterative Estimation", for the swaps.
"""

import contextlib
import io
import tempfile
from pathlib import Path

import numpy

from benchmarks.beliefs import digits
from benchmarks.beliefs.table import Making
from minires import Tensor, checkpoint, data, models, nn, no_grad
from minires import functional as F
from minires.cli import recipes, settings, weights
from minires.cli.loop import Loop
from minires.cli.stop import Stop
from minires.models.resnet import make_shortcut
from minires.pretrained import CIFAR10
from minires.runs import Run

COMMAND = "python -m benchmarks.beliefs lesions"
KINDS = {"residual": "A", "plain": "none"}
EPOCHS = 8  # of the digits
LEFT_OUT = "A block that is left out passes on what its shortcut carries"


def add_options(parser):
    """Add the options of this experiment."""
    parser.add_argument("--on", choices=("digits", "shapes"), help="one of the two alone")
    parser.add_argument("--nets", type=Path, metavar="FOLDER", help="read the networks from here; train those that are missing, and save them here")  # fmt: skip
    parser.add_argument("--images", metavar="FOLDER", help="take apart --weights instead, on these images, by class")  # fmt: skip
    parser.add_argument("--weights", default="resnet20.cifar10", help="a file or a published name (default: resnet20.cifar10)")  # fmt: skip


def tables(seeds, *, quick, on=None, nets=None, images=None, weights="resnet20.cifar10"):
    """Yield (name, table)."""
    if images is not None:
        yield "lesions_cifar10", _published(images, weights)
        return
    if on != "shapes":
        yield "lesions_digits", _digits(seeds, quick)
    if on != "digits":
        yield "lesions_shapes", _shapes(seeds, quick, nets)


class Anatomy:
    """A trained network's blocks one by one, on a batch.

    run(x, k) runs the network from block k on, where x is the block's input, and returns the predictions
    """

    def __init__(self, model):
        self.model = model.eval()
        self.blocks, self.names, self.stages = [], [], []
        for i in range(model.stages):
            for j, (_, block) in enumerate(getattr(model, f"layer{i + 1}").children()):
                self.blocks.append(block)
                self.names.append(f"{i + 1}.{j}")
                self.stages.append(i)

    def inputs(self, x):
        """Return the input of each block, and what comes out of the last."""
        found = [self.model.stem(x)]
        for block in self.blocks:
            found.append(block(found[-1]))
        return found

    def run(self, x, k):
        """Run the network from block k on."""
        for block in self.blocks[k:]:
            x = block(x)
        return self.model.fc(self.model.avgpool(x)).numpy().argmax(axis=1)

    def left_out(self, x, k):
        """Return what comes out where block k should be: what its shortcut carries; in a plain net, x as option A would."""
        block = self.blocks[k]
        shortcut = block.shortcut
        if isinstance(shortcut, models.resnet.NoShortcut):
            _, _, c, f = block.conv1.weight.shape
            shortcut = make_shortcut("A", c, f, block.conv1.stride[0])
        return F.relu(shortcut(x))

    def swapped(self, x, k):
        """Return what comes out of block k + 1 and then block k."""
        return self.blocks[k](self.blocks[k + 1](x))

    @property
    def pairs(self):
        """The last two blocks of each stage, by the number of the first; no block that changes the shape."""
        ends = [k for k, stage in enumerate(self.stages) if k + 1 == len(self.stages) or self.stages[k + 1] != stage]  # fmt: skip
        return [k - 1 for k in ends if k >= 2 and self.stages[k - 2] == self.stages[k]]

    def parts(self, x, k):
        """Return (F, what the shortcut carries) of block k."""
        block = self.blocks[k]
        y = F.relu(block.bn1(block.conv1(x)))
        return block.bn2(block.conv2(y)).numpy(), block.shortcut(x).numpy()


def studied(model, dataset, *, branches=True):
    """Return row -> {"correct": images, "ratio": rms F / rms shortcut, "cosine": of the two}; some rows have "correct" alone.

    branches  False for a plain network, whose shortcuts carry nothing
    """
    body, found, sums = Anatomy(model), {}, {}
    with no_grad():
        for x, labels in data.batches(dataset, 250):
            inputs = body.inputs(Tensor(x))

            def count(row, guesses):
                cells = found.setdefault(row, {"correct": 0})
                cells["correct"] += int((guesses == labels).sum())

            count("the whole network", body.run(inputs[-1], len(body.blocks)))
            for k, name in enumerate(body.names):
                count(f"without {name}", body.run(body.left_out(inputs[k], k), k + 1))
                if branches:
                    f, s = (part.astype("float64").ravel() for part in body.parts(inputs[k], k))
                    sums[name] = sums.get(name, 0) + numpy.array([f @ f, s @ s, f @ s])
            for k in body.pairs:
                names = f"{body.names[k]} and {body.names[k + 1]} swapped"
                count(names, body.run(body.swapped(inputs[k], k), k + 2))
    for name, (ff, ss, fs) in sums.items():
        found[f"without {name}"].update(ratio=(ff / ss) ** 0.5, cosine=fs / (ff * ss) ** 0.5)
    return found


def _published(images, source):
    """Return the table of a published network."""
    with contextlib.redirect_stdout(io.StringIO()):
        state, facts = weights.read(source)
    model = weights.built(source, state, facts)
    _, _, test = data.folder(images)
    facts = {**CIFAR10, **facts}  # a file may not say how its images were prepared
    test = data.Dataset(test.images, test.labels, test.classes, mean=facts["mean"], std=facts["std"], name=test.name)  # fmt: skip
    if list(test.classes) != list(facts["classes"]):
        raise SystemExit(f"{images}: expected the classes {', '.join(facts['classes'])}, got {', '.join(test.classes)}")  # fmt: skip
    columns = {f"correct of {len(test):,}": 0, "rms F : rms shortcut": 2, "cosine of F and shortcut": 2}  # fmt: skip
    setting = (
        f"A published ResNet-20 (option A), trained on CIFAR-10 by others, on {len(test):,} test images, in evaluation mode. {LEFT_OUT}. "
        "One network, so nothing is decided by it."
    )
    command = f"{COMMAND} --weights resnet20.cifar10 --images FOLDER"
    made = Making("A published network without one of its blocks", setting, command, [0], columns)
    for row, cells in studied(model, test).items():
        made.add(row, 0, **dict(zip(columns, cells.values())))
    return made


def _digits(seeds, quick):
    """Return the table of residual and plain networks."""
    columns = {f"{kind}: correct, %": 1 for kind in KINDS}
    test = data.digits()[2]
    parts = digits.images(quick)
    setting = (
        f"Networks of 20 layers, widths 8-16-32, with shortcuts (option A) and without, {EPOCHS} epochs of {digits.SETTING}, learning rate 0.1, "
        f"cosine with 10 % warm-up; tested on {len(test):,} others. {LEFT_OUT}; in a plain network, x as option A would carry it."
    )
    made = Making("Residual and plain networks without one of their blocks", setting, COMMAND, seeds, columns)  # fmt: skip
    for seed in seeds:
        for kind, shortcut in KINDS.items():
            rng = numpy.random.default_rng(seed)
            net = models.ResNet(models.BasicBlock, (3, 3, 3), (8, 16, 32), in_channels=1, shortcut=shortcut, rng=rng)  # fmt: skip
            digits.trained(net, parts, seed=seed, lr=0.1, epochs=1 if quick else EPOCHS)
            for row, cells in studied(net, test, branches=False).items():
                made.add(row, seed, **{f"{kind}: correct, %": 100 * cells["correct"] / len(test)})
    return made


def _shapes(seeds, quick, nets):
    """Return the table of our networks on shapes."""
    columns = {"correct, %": 1, "rms F : rms shortcut": 2, "cosine of F and shortcut": 2}
    test = data.shapes(20 if quick else 1000, seed=1)
    setting = (
        f"ResNet-20 (option A), trained by the recipe shapes, one network per seed, and tested on {len(test):,} shapes of seed 1, in "
        f"evaluation mode. {LEFT_OUT}."
    )
    made = Making("Our networks without one of their blocks", setting, COMMAND, seeds, columns)
    for seed in seeds:
        for row, cells in studied(shapes_net(seed, nets, quick), test).items():
            cells["correct"] = 100 * cells["correct"] / len(test)
            made.add(row, seed, **dict(zip(columns, cells.values())))
    return made


def shapes_net(seed, folder, quick):
    """Return a network trained on shapes: from the folder, if it is there."""
    path = folder and folder / f"seed{seed}.safetensors"
    if path and path.is_file():
        state, facts = weights.read(str(path))
        return weights.built(str(path), state, facts)
    if quick:
        return models.ResNet(
            models.BasicBlock,
            (3, 3, 3),
            (4, 8, 16),
            shortcut="A",
            rng=numpy.random.default_rng(seed),
        )
    written, _ = recipes.read("shapes")
    config = settings.merged({"seed": seed}, written)
    nn.manual_seed(seed)
    loop = Loop(config, settings.datasets(config))
    with tempfile.TemporaryDirectory() as place, Stop() as stop:
        with contextlib.redirect_stdout(io.StringIO()):
            loop.go(Run.new(f"{place}/run", config.to_config()), stop, save_every=1e9)
        if stop.asked:
            raise KeyboardInterrupt
    if path:
        folder.mkdir(parents=True, exist_ok=True)
        facts = {"model": "resnet20", "options": {"shortcut": "A"}}
        checkpoint.save_weights(path, loop.model.state_dict(), **facts)
    return loop.model
