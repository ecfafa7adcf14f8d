"""Programs on several processes, started by the mpiexec of MPICH.

python -m tests.mpi NAME FOLDER     in each process: call a function of tests/programs.py, and write what it returns
"""

import os
import pickle
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAUNCHERS = ("PMI", "PMIX_", "OMPI_", "PRTE_", "HYDI_", "HYDRA_", "MPI_LOCAL", "MINIRES_LAUNCHED")


@cache
def launcher():
    """The path of MPICH's mpiexec: the one beside Python, or else the first one on PATH. None if there is no such program."""
    beside = Path(sys.executable).with_name("mpiexec")
    for path in (str(beside) if beside.exists() else None, shutil.which("mpiexec")):
        if path:
            told = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
            if "HYDRA" in told:
                return path
    return None


@cache
def why_not():
    """The reason why processes cannot be started here, or None.

    Raises  AssertionError: they should be startable, as MINIRES_REQUIRE names mpi4py.
    """
    why = _why_not()
    assert not (why and "mpi4py" in os.environ.get("MINIRES_REQUIRE", "").split()), why
    return why


def _why_not():
    if find_spec("mpi4py") is None:
        return "mpi4py is not installed"
    if launcher() is None:
        return "MPICH's mpiexec is not installed"
    code = "from mpi4py import MPI; print(MPI.COMM_WORLD.size)"
    told = run([launcher(), "-n", "2", sys.executable, "-c", code])
    if "".join(told.stdout.split()) != "22":
        return (
            f"mpi4py does not work with {launcher()}: {(told.stdout + told.stderr).strip()[:300]}"
        )
    return None


def environment():
    """The environment of programs: one thread for each, and no trace of a launcher of this process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHERS)}
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MINIRES_THREADS"), "1")
    return {**kept, **one, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def start(command, cwd=None):
    """Start a command."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=cwd, env=environment(), text=True, **pipes)


def end(process, seconds=120):
    """Wait until a program ends by itself. Returns it, with (stdout, stderr). If it takes longer, it is killed, which is an error."""
    try:
        out, error = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.terminate()  # mpiexec ends its processes
        try:
            told = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            told = process.communicate()
        raise AssertionError(f"still running after {seconds} s: {told}") from None
    return subprocess.CompletedProcess(process.args, process.returncode, out, error)


def run(command, cwd=None, seconds=120):
    """Run a command to its end."""
    return end(start(command, cwd), seconds)


def each(size, name, folder):
    """What a function of tests/programs.py returned on each of `size` processes."""
    done = run([launcher(), "-n", str(size), sys.executable, "-m", "tests.mpi", name, str(folder)])
    assert done.returncode == 0, (done.stdout, done.stderr)
    return [pickle.loads((folder / str(rank)).read_bytes()) for rank in range(size)]


if __name__ == "__main__":
    from minires import parallel
    from tests import programs

    group = parallel.start()
    made = getattr(programs, sys.argv[1])(group)
    Path(sys.argv[2], str(group.rank)).write_bytes(pickle.dumps(made))
