"""The command line: minires train, evaluate, predict, export, summary, data, plot, info, ..."""

import argparse
import os
import sys
import traceback
from contextlib import ExitStack
from importlib import import_module

from minires import __version__, backend, models, parallel, streams
from minires.cli import arguments as parsing
from minires.cli import gpu, ranks, terminal, watchdog
from minires.cli import options as fields

__all__ = ["main"]


def main(arguments=None):
    """Run a command. A user's mistake is reported in one line on stderr, with exit status 2; a GPU that fails, with 1."""
    streams.take_any_text()
    with ExitStack() as stack:
        status = _run(arguments, stack)
    sys.exit(_flushed(status or 0))


def _run(arguments, stack):
    """Run a command and report its errors. Returns the exit status."""
    group, command = parallel.Alone(), "minires"
    try:
        group = ranks.start()
        ranks.join(group, stack)
        typed = _parser().parse_args(arguments)
        command = f"minires {typed.command}"
        if group.size > 1 and typed.command not in _TOGETHER:
            raise ValueError(
                f"expected one process, got {group.size}: only {' and '.join(_TOGETHER)} run on several"
            )
        typed.group = group
        return typed.run(typed)
    except BrokenPipeError:  # nobody reads the output, as after `| head`
        return ranks.failed(group, _CLOSED_PIPE)
    except SystemExit as stop:  # of argparse
        return ranks.failed(group, stop.code) if stop.code else 0
    except KeyboardInterrupt:
        return ranks.failed(group, 130)
    except ranks.Followed:
        return ranks.failed(group, 0)
    except _EXPECTED as error:
        return ranks.failed(group, 2, terminal.red(f"{command}: {_explained(error)}"))
    except Exception as error:
        if gpu.is_lost(error) and not gpu.is_traced():
            return ranks.failed(group, 1, terminal.red(f"{command}: {gpu.explained(error)}"))
        if group.size == 1:
            raise
        return ranks.failed(group, 1, traceback.format_exc())


_TOGETHER = ("train", "evaluate")  # the commands that several processes run together
# Errors that come from the input, the disk or the memory. Any other is a bug, and shows a traceback.
_EXPECTED = (
    *(backend.BackendError, ValueError, OSError, FloatingPointError),
    *(MemoryError, RecursionError, watchdog.StandsStill),
)
_CLOSED_PIPE = 128 + 13  # the exit status of a process that SIGPIPE ended


def _explained(error):
    """Return an error's message in one line."""
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}" if str(error) else "not enough memory"
    if type(error).__str__ is OSError.__str__ and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def _flushed(status):
    """Flush the output. Returns the exit status, or that of a closed pipe if nobody reads the output."""
    try:
        sys.stdout.flush()
    except OSError:
        # Python flushes stdout again when it exits, and would print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE
    except (AttributeError, ValueError):  # stdout is missing or closed
        pass
    return status


def _parser():
    parser = argparse.ArgumentParser(
        prog="minires", description="Residual networks from scratch, on NumPy and CuPy."
    )
    parser.add_argument("--version", action="version", version=f"minires {__version__}")
    shells = "print a script that completes commands in a shell: bash, zsh, fish or tcsh"
    parser.add_argument("--completion", action=_Completion, metavar="SHELL", help=shells)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, module, help):
        """Return the parser of a command, which the function `name` of a module in minires.cli runs."""
        description = f"{help[0].upper()}{help[1:]}."
        parser = commands.add_parser(name, help=help, description=description)

        def run(arguments):  # imports the module only when the command runs
            return getattr(import_module(f"minires.cli.{module}"), name)(arguments)

        parser.set_defaults(run=run)
        return parser

    half_a_minute = "with no options: on handwritten digits, in about half a minute"
    trains = command("train", "train", f"train a residual network ({half_a_minute})")
    parsing.add_options(trains, "train", size=_SIZE)
    _add_evaluate(command("evaluate", "predict", "measure a trained model's loss and accuracy"))
    _add_predict(command("predict", "predict", "name the most likely classes of images"))
    _add_export(command("export", "predict", "export a trained model as an ONNX file"))
    table = "show a table of a model's layers: shapes, parameters, multiply-adds, memory"
    _add_summary(command("summary", "inspect", table))
    _add_data(command("data", "inspect", "download, check and draw a dataset"))
    _add_plot(command("plot", "inspect", "overlay the curves of runs in one figure"))
    course = "work through the course's exercises: status, check, hint, solution, grade"
    import_module("minires.cli.exercises").add_arguments(command("exercises", "exercises", course))
    devices = "show the backend in use, the devices, and how fast NumPy can be here"
    command("info", "inspect", devices)
    return parser


class _Completion(argparse.Action):
    """Print the completion script of a shell, and exit."""

    def __call__(self, parser, namespace, shell, option_string=None):
        try:
            import shtab
        except ImportError:
            parser.error("--completion needs the package shtab: pip install shtab")
        if shell not in shtab.SUPPORTED_SHELLS:
            parser.error(f"--completion: choose from {', '.join(shtab.SUPPORTED_SHELLS)}")
        print(shtab.complete(parser, shell))
        parser.exit()


_SIZE = "height and width to which photos are resized and cropped (default: their own, or 64 if they differ)"  # fmt: skip
_RUN = "a run's name or folder (default: the newest run)"


def _add_evaluate(parser):
    parser.add_argument("trained", nargs="?", metavar="RUN", help=_RUN)
    parser.add_argument("--part", choices=("train", "validation", "test"), default="test")
    drawn = "draw the confusion matrix, mistakes and filters, in this folder"
    parser.add_argument("--pictures", metavar="DIR", help=drawn)
    held_out = "fraction of the training images in that part (default: the run's own, or 0.1)"
    _add_weights(parser, "evaluate", validation=held_out)


def _add_predict(parser):
    files = "image files; give them before the options"
    parser.add_argument("images", nargs="+", metavar="IMAGE", help=files)
    parser.add_argument("--run", dest="trained", metavar="RUN", help=_RUN)
    top = "how many classes to name (default: 5)"
    parser.add_argument("--top", type=int, default=5, metavar="K", help=top)
    drawn = "draw the images and their probabilities, in this file"
    parser.add_argument("--picture", metavar="FILE", help=drawn)
    _add_weights(parser, "predict")


def _add_export(parser):
    parser.add_argument("trained", nargs="?", metavar="RUN", help=_RUN)
    parser.add_argument("--to", metavar="FILE", help="the file to write (default: MODEL.onnx)")
    _add_weights(parser, "export")


def _add_weights(parser, command, **help):
    """Add the options of a command that loads weights. help  as in add_options"""
    parsing.add_options(parser, command, weights=f"{fields.WEIGHTS}; instead of a run", **help)
    names = "the classes of such weights: digits, shapes, cifar10, cifar100, imagenet, or names with commas"
    parser.add_argument("--classes", metavar="NAMES", help=names)


def _add_summary(parser):
    parser.add_argument("model", metavar="MODEL", help=f"one of {', '.join(models.MODELS)}")
    size = "height, width, channels (default: 32 32 3; 224 224 3 with the imagenet stem)"
    parser.add_argument("--input", type=int, nargs="+", metavar="SIZE", help=size)
    parser.add_argument("--num-classes", type=int, default=10, metavar="K", help="(default: 10)")
    parsing.add_options(parser, "summary")


def _add_data(parser):
    sets = "digits, shapes, cifar10, cifar100, or folder:PATH (default: digits)"
    parser.add_argument("data", metavar="SET", nargs="?", default="digits", help=sets)
    drawn = "the file to draw in (default: SET.png)"
    parser.add_argument("--picture", metavar="FILE", help=drawn)
    held_out = "fraction of the training images that is held out (default: none)"
    parsing.add_options(parser, "data", validation=held_out, size=_SIZE)


def _add_plot(parser):
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run's name or folder")
    depths = "draw gradients by depth, at the first and the last step, of runs with --watch"
    parser.add_argument("--depths", action="store_true", help=depths)
    drawn = "the file to draw in (default: curves.png, or depths.png)"
    parser.add_argument("--picture", metavar="FILE", help=drawn)
