"""The command line of both benchmarks, of the CPU and of the GPU."""

import argparse
import os
from pathlib import Path


def arguments(name, doc, parts, pictures, checks=()):
    """Return the parsed options. A call that measures less than everything writes only the files that are named.

    name  of the benchmark: "cpu"    doc  its docstring    pictures  the names of the figures that it draws
    checks  kinds of checks: --preflight runs them instead
    """
    figures, folder = Path(f"benchmarks/results/{name}.json"), Path("docs")
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=doc.split(": ", 1)[1],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    both = "; with --preflight " + ", ".join(checks) if checks else ""
    parser.add_argument(
        "--only",
        nargs="+",
        choices=dict.fromkeys((*parts, *checks)),
        metavar="PART",
        help=", ".join(parts) + both,
    )
    if checks:
        # Of a process that measures a part of a whole call: its seconds, and whether others have described the machine.
        parser.add_argument("--within", type=float, help=argparse.SUPPRESS)
        parser.add_argument("--continued", action="store_true", help=argparse.SUPPRESS)
        parser.add_argument(
            "--preflight",
            action="store_true",
            help="check what works on this GPU, and print a table: measure nothing",
        )
    parser.add_argument(
        "--smoke", action="store_true", help="run everything once and small, to see that it works"
    )
    parser.add_argument("--json", type=_writable, metavar="FILE", help=f"all figures ({figures})")
    parser.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help=f"for {' and '.join(pictures)} ({folder})"
    )
    options = parser.parse_args()
    preflight = checks and options.preflight
    for part in options.only or ():
        if part not in (checks if preflight else parts):
            parser.error(f"--only {part}: choose from {', '.join(checks if preflight else parts)}")
    if not options.smoke and not options.only and not preflight:
        options.json, options.pictures = options.json or figures, options.pictures or folder
    return options


def _writable(text):
    """Return the path of a file that can be written, before minutes of work rely on it."""
    path = Path(text)
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(
            f"cannot write {text}: expected a file in a folder that you may write to"
        )
    return path
