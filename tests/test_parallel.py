"""Groups of processes: whether a launcher started this one, and what real processes exchange by MPI."""

import os
import pickle
import sys
from itertools import permutations
from types import ModuleType, SimpleNamespace
from unittest import mock

import numpy
import pytest

from minires import parallel
from minires.parallel import Alone, ParallelError, launched
from tests import mpi, programs, ranks

OWN = str(os.getpid())


@pytest.fixture
def launcher():
    """A function that sets the variables of a launcher, for the time of a test; without any, there are none."""
    with mock.patch.dict(os.environ):

        def variables(**given):
            for name in [*os.environ]:
                if name.startswith(mpi.LAUNCHERS):
                    del os.environ[name]
            os.environ.update(given)

        variables()
        yield variables


MPICH = {"PMI_RANK": "2", "PMI_SIZE": "4", "PMI_FD": "9", "MPI_LOCALRANKID": "2"}
OPEN_MPI = {"OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "8", "PMIX_RANK": "3"}


@pytest.mark.parametrize(("given", "expected"), [
    ({}, (0, 1)), (MPICH, (2, 4)), (OPEN_MPI, (3, 8)), ({"PMI_RANK": "0", "PMI_SIZE": "1"}, (0, 1)),
    ({"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"}, (0, 1)),
    ({"PMI_SIZE": "4"}, (0, 1)), ({"PMI_RANK": "1"}, (0, 1)), ({"PMIX_RANK": "1"}, (0, 1)),
    ({**MPICH, "MINIRES_LAUNCHED": OWN}, (2, 4)), ({**MPICH, "MINIRES_LAUNCHED": "1"}, (0, 1)), ({**OPEN_MPI, "MINIRES_LAUNCHED": "1"}, (0, 1)),
])  # fmt: skip
def test_a_launcher_is_known_by_its_variables_unless_a_parent_was_launched(launcher, given, expected):  # fmt: skip
    launcher(**given)
    assert launched() == expected
    assert launched() == expected


def test_a_launched_process_marks_itself_for_its_children(launcher):
    launcher(**MPICH)
    launched()
    command = [sys.executable, "-c", "from minires.parallel import launched; print(launched())"]
    told = mpi.subprocess.run(command, env={**os.environ, "PYTHONPATH": str(mpi.ROOT)}, capture_output=True, text=True)  # fmt: skip
    assert told.stdout == "(0, 1)\n"


def test_one_process_is_alone_and_imports_no_mpi(launcher, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    for given in ({}, {"PMI_RANK": "0", "PMI_SIZE": "1"}, {**MPICH, "MINIRES_LAUNCHED": "1"}):
        launcher(**given)
        assert type(parallel.start()) is Alone


def test_alone_returns_what_it_is_given():
    group, value = Alone(), object()
    assert (group.rank, group.size, group.local_rank, group.host) == (0, 1, 0, 0)
    assert group.sum(value) is group.broadcast(value) is value and group.gather(value) == [value]


def test_a_launcher_without_mpi4py_is_one_line_that_says_what_to_install(launcher, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    launcher(**MPICH)
    with pytest.raises(ParallelError) as caught:
        parallel.start()
    assert str(caught.value).startswith("4 processes need mpi4py with an MPI library (")
    assert str(caught.value).endswith("): pip install 'minires[mpi]'")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("started", "seen", "told"), [
    (3, 3, "expected 1, 2, 4, 8, ... processes, got 3"), (6, 6, "processes, got 6"),
    (4, 1, r"the launcher started 4 processes, but mpi4py sees 1: they belong to different MPIs \(mpi4py's is Other\)")])  # fmt: skip
def test_numbers_that_cannot_be_are_refused(launcher, monkeypatch, started, seen, told):
    module = ModuleType("mpi4py")
    world = SimpleNamespace(size=seen)
    module.MPI = SimpleNamespace(COMM_WORLD=world, get_vendor=lambda: ("Other", (1, 0, 0)))
    monkeypatch.setitem(sys.modules, "mpi4py", module)
    launcher(PMI_RANK="0", PMI_SIZE=str(started))
    with pytest.raises(ParallelError, match=told):
        parallel.start()


# In real processes.

sizes = pytest.mark.parametrize("size", [2, 4, pytest.param(8, marks=pytest.mark.slow)])


@pytest.fixture
def each(tmp_path):
    """A function from a number of processes and a name in tests/programs.py to what each process returned."""
    if why := mpi.why_not():
        pytest.skip(why)
    return lambda size, name: mpi.each(size, name, tmp_path)


def added(arrays):
    """The sum of arrays in a binary tree, in a loop."""
    sums = [*arrays]
    while len(sums) > 1:
        sums = [sums[i] + sums[i + 1] for i in range(0, len(sums), 2)]
    return sums[0]


@sizes
def test_a_sum_is_that_of_a_binary_tree_to_the_bit_on_every_rank(each, size):
    given = [programs.vectors(rank, size) for rank in range(size)]
    for found in each(size, "sums"):
        assert found.keys() == given[0].keys()
        for name, total in found.items():
            expected = added([arrays[name] for arrays in given])
            assert total.shape == expected.shape and total.dtype == expected.dtype, name
            assert total.tobytes() == expected.tobytes() or name == "not finite", name
            numpy.testing.assert_array_equal(total, expected)


@pytest.mark.parametrize("name", ["huge and tiny", "huge and tiny, f4", "f4 1000003", "f8 1000003"])
def test_added_in_another_order_these_numbers_have_other_bits(name):
    """So the test above would find a sum in the order of the ranks, or of a tree over other pairs."""
    given = [programs.vectors(rank, 4)[name] for rank in range(4)]
    expected = added(given).tobytes()
    others = {
        tuple(order): added([given[rank] for rank in order]).tobytes()
        for order in permutations(range(4))
    }
    same = {order for order, total in others.items() if total == expected}
    assert same == {order for order in others if {*order[:2]} in ({0, 1}, {2, 3})}
    assert sum(given[1:], start=given[0]).tobytes() != expected


def test_the_sum_of_threads_that_other_tests_use_is_the_same_tree():
    arrays = [programs.vectors(rank, 8)["huge and tiny"] for rank in range(8)]
    assert ranks.tree(arrays).tobytes() == added(arrays).tobytes()


def same(a, b):
    """Whether two values are equal, arrays and exceptions too."""
    return pickle.dumps(a) == pickle.dumps(b) or (type(a) is type(b) and repr(a) == repr(b))


@pytest.mark.parametrize("size", [2, 4])
def test_any_object_travels_by_broadcast_and_gather(each, size):
    number = len(programs.OBJECTS)
    for found, ends in each(size, "objects"):
        assert ends == [{"rank": rank} for rank in range(size)]
        for i, (sent, gathered) in enumerate(found):
            assert same(sent, programs.OBJECTS[i])
            expected = [programs.OBJECTS[(i + rank) % number] for rank in range(size)]
            assert len(gathered) == size and all(map(same, gathered, expected))


@pytest.mark.parametrize("size", [2, 4])
def test_sums_gathers_and_broadcasts_in_turn_are_not_mixed_up(each, size):
    expected = []
    for turn in range(40):
        expected += [size * turn, [(turn, rank) for rank in range(size)], (turn, 0)]
        expected.append([size - 1] if turn else [])
    assert each(size, "in_turn") == [expected] * size


def test_a_wait_ends_when_its_time_is_over_and_tells_since_when_it_waits(each):
    assert each(2, "waits") == [(0, True, "there", True, 1)] * 2


def test_all_within_is_true_where_all_came_in_time(each):
    first, late, third, last = each(4, "within")
    assert first == third == last == (True, False, True) and late == (True, True, True)


def test_a_group_knows_its_host(each):
    for rank, found in enumerate(each(4, "hosts")):
        assert found[:4] == (rank, 4, rank, 0) and found[4].startswith("MPICH ")
