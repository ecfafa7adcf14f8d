"""The command line: minires train, evaluate, predict, export, summary, data, plot, exercises, info."""

import argparse
import sys
from importlib import import_module

from minires import __version__, backend, models


def main(arguments=None):
    """Run a command. What the user can mend becomes one line on stderr, and exit status 2."""
    options = _parser().parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)  # a line an epoch, in a file too
    try:
        status = options.run(options)
    except (backend.BackendError, ValueError, OSError, FloatingPointError) as error:
        print(f"minires {options.command}: {error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        status = 130
    sys.exit(status or 0)


def _parser():
    parser = argparse.ArgumentParser(prog="minires", description="Residual networks from scratch, on NumPy and CuPy.")
    parser.add_argument("--version", action="version", version=f"minires {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, room, help):
        """A command's parser; the function `name` in minires.cli.`room` runs it, and is imported only then."""
        parser = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        parser.set_defaults(run=lambda options: getattr(import_module(f"minires.cli.{room}"), name)(options))
        return parser

    train = command("train", "train", "train a residual network; without options on handwritten digits, in half a minute")
    train.add_argument("--recipe", metavar="NAME", help="settings with a name, such as resnet18-fast; options change them")
    _add_data(train)
    _add_model(train)
    _add_training(train)
    _add_tuning(train)
    run = train.add_argument_group("the run")
    run.add_argument("--name", help="the run's folder is runs/NAME; without it, after data and model")
    run.add_argument("--resume", metavar="RUN", help="go on with a run that was stopped or killed: its name or folder")
    run.add_argument("--save-every", type=float, default=30, metavar="SECONDS", help="between checkpoints (default: 30)")
    run.add_argument("--watch", type=int, nargs="?", const=20, metavar="STEPS",
                     help="every so many steps (20; 0 for never) log each layer's activations and gradients, and draw them")  # fmt: skip
    run.add_argument("--mine", action="store_true", help="train on your solved exercises, and say whose code ran")
    _add_backend(run)

    evaluate = command("evaluate", "use", "loss and accuracy of a trained net")
    evaluate.add_argument("trained", nargs="?", metavar="RUN", help="a run's name or folder; without it the newest run")
    evaluate.add_argument("--part", choices=("train", "validation", "test"), default="test")
    evaluate.add_argument("--test-flips", action="store_true", help=TEST_FLIPS)
    evaluate.add_argument("--pictures", metavar="DIR", help="where to draw which class is taken for which, mistakes, filters")
    _add_weights(evaluate)
    _add_data(evaluate)
    _add_model(evaluate)
    _add_backend(evaluate)

    predict = command("predict", "use", "the likeliest classes of images")
    predict.add_argument("images", nargs="+", metavar="IMAGE", help="files; name them before the options")
    predict.add_argument("--run", dest="trained", metavar="RUN", help="a run's name or folder; without it the newest run")
    predict.add_argument("--top", type=int, default=5, metavar="K", help="how many classes to name")
    predict.add_argument("--picture", metavar="FILE", help="a picture of images and probabilities")
    _add_weights(predict)
    _add_preparation(predict)
    _add_model(predict)
    _add_backend(predict)

    export = command("export", "use", "a trained net as a file of ONNX, which others run")
    export.add_argument("trained", nargs="?", metavar="RUN", help="a run's name or folder; without it the newest run")
    export.add_argument("--to", metavar="FILE", help="where it goes (default: MODEL.onnx)")
    _add_weights(export)
    _add_preparation(export)
    _add_model(export)
    _add_backend(export)

    summary = command("summary", "look", "a table of a model's layers: shapes, parameters, multiply-adds, memory")
    summary.add_argument("model", metavar="MODEL", help=f"one of {', '.join(models.MODELS)}")
    summary.add_argument("--input", type=int, nargs="+", metavar="SIZE", help="height, width, channels (default: 32 32 3)")
    summary.add_argument("--num-classes", type=int, default=10, metavar="K")
    summary.add_argument("--freeze", metavar="PARTS", help=FREEZE)
    _add_variants(summary)

    data = command("data", "look", "fetch, check and draw a set of images")
    data.add_argument("data", metavar="SET", nargs="?", default="cifar10", help=SETS)
    data.add_argument("--picture", metavar="FILE", help="where the picture goes (default: SET.png)")
    _add_reading(data)
    _add_preparation(data)

    plot = command("plot", "look", "the curves of runs, laid over each other")
    plot.add_argument("runs", nargs="+", metavar="RUN", help="a run's name or folder")
    plot.add_argument("--depths", action="store_true", help="instead, of runs with --watch: gradients by depth, at first and at last")
    plot.add_argument("--picture", metavar="FILE", help="where the picture goes (default: curves.png, or depths.png)")

    _add_exercises(command("exercises", "exercises", "the course's exercises: how far you are, check, hint, solution, grade"))

    command("info", "look", "the backend in use, the devices, and how fast NumPy's products can be")
    return parser


def _add_exercises(parser):
    import_module("minires.cli.exercises").add_arguments(parser)


TEST_FLIPS = "test also on the mean of each image's logits and its mirror image's"
FREEZE = "parts that learn nothing, such as until:layer4 (all before it), until:fc, or conv1,bn1,layer1"
WEIGHTS = "a file of safetensors or PyTorch's (.pth), ours or another's; a run; or a published name, such as resnet50.tv_in1k"
SETS = "digits, cifar10, cifar100, or folder:PATH with images by class"


def _add_data(parser):
    group = parser.add_argument_group("data")
    group.add_argument("--data", metavar="SET", help=SETS)
    _add_reading(group)
    _add_preparation(group)


def _add_reading(group):
    group.add_argument("--data-dir", metavar="DIR", help="CIFAR from here, unpacked or as archive, instead of fetching it")
    group.add_argument("--data-label", metavar="TEXT", help="what to call data that are not the published ones")
    group.add_argument("--source", action="append", metavar="URL", help="fetch CIFAR's archive from here first")
    group.add_argument("--validation", type=float, metavar="SHARE", help="of the training images, held out (default: 0.1)")


def _add_preparation(group):
    group.add_argument("--size", type=int, metavar="PIXELS", help="images of any size are resized and cropped to this")
    group.add_argument(
        "--mean", type=float, nargs="+", help="of each channel, of values from 0 to 1, instead of the data's own"
    )
    group.add_argument("--std", type=float, nargs="+", help="their deviation")


def _add_weights(parser):
    parser.add_argument("--weights", metavar="FILE", help=f"{WEIGHTS}; instead of a run")
    parser.add_argument("--classes", metavar="NAMES", help="of such a file: digits, cifar10, cifar100, imagenet, or names with commas")


def _add_model(parser):
    group = parser.add_argument_group("model")
    group.add_argument("--model", metavar="NAME", help=f"one of {', '.join(models.MODELS)}")
    _add_variants(group)


def _add_variants(group):
    group.add_argument("--shortcut", help="A, B or none; without it the model's own")
    group.add_argument("--stem", help="cifar (default) or imagenet")
    group.add_argument("--preactivation", action="store_const", const=True, help="the blocks of He et al. 2016")


def _add_training(parser):
    group = parser.add_argument_group("training (without an option: what suits the data)")
    group.add_argument("--epochs", type=int, metavar="N")
    group.add_argument("--batch-size", type=int, metavar="N")
    group.add_argument("--lr", type=float, help="the largest learning rate")
    group.add_argument("--schedule", metavar="NAME", help="constant, step, cosine or triangle")
    group.add_argument("--warmup", type=float, metavar="SHARE", help="of all steps: the learning rate rises in them")
    group.add_argument("--milestones", type=float, nargs="+", metavar="SHARE", help="of all steps: there `step` divides by 10")
    group.add_argument("--optimizer", metavar="NAME", help="sgd, adam or adamw")
    group.add_argument("--momentum", type=float)
    group.add_argument("--nesterov", action=argparse.BooleanOptionalAction, default=None)
    group.add_argument("--weight-decay", type=float)
    group.add_argument("--label-smoothing", type=float)
    group.add_argument("--augment", metavar="WORDS", help="such as crop=4,flip,cutout=8 or flip=alternating; or none")
    group.add_argument(
        "--drop-last", action=argparse.BooleanOptionalAction, default=None, help="leave out a last batch that is not full"
    )
    group.add_argument("--seed", type=int, help="of weights, order and augmentation")
    for name, help in (("whiten", "the first convolution is computed from the images and stays (resnet8)"),
                       ("dirac", "convolutions begin by passing on what they get (resnet8)"),
                       ("freeze-scales", "batch norms shift, and scale nothing"),
                       ("test-flips", TEST_FLIPS)):  # fmt: skip
        group.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=help)
    group.add_argument("--bias-lr", type=float, metavar="TIMES", help="the shifts of batch norms learn so many times as fast")
    group.add_argument("--average", type=int, metavar="STEPS", help="average the weights (Lookahead) every so many steps; 0 for never")
    group.add_argument("--precision", metavar="NAME",
                       help="float32 (default); on a GPU also tf32, or mixed with bfloat16 or float16")  # fmt: skip


def _add_tuning(parser):
    group = parser.add_argument_group("fine-tuning")
    group.add_argument("--weights", metavar="FILE", help=f"begin with these: {WEIGHTS}; for other classes the last layer is new")
    group.add_argument("--num-classes", type=int, metavar="K", help="refuse images of another number of classes")
    group.add_argument("--freeze", metavar="PARTS", help=FREEZE)
    group.add_argument("--lr-times", nargs="+", metavar="PART=TIMES", help="parts that learn so many times as fast, such as layer3=0.1")


def _add_backend(group):
    group.add_argument("--backend", help="numpy, cupy, auto or strict; without it MINIRES_BACKEND, or numpy")
