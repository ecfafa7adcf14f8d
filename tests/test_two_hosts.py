"""Two hosts on one machine (tests/two_hosts.py), and a link between them that is cut in the middle of a step."""

import re
import time

import pytest

from tests import mpi, two_hosts
from tests.machines import SHORT, TRAIN, Job, at, bits, ours, step_of
from tests.test_machines import undisturbed  # noqa: F401  (a fixture)
from tests.test_resume import finished, images  # noqa: F401  (a fixture among them)

slow = pytest.mark.slow


@pytest.fixture(scope="module")
def hosts():
    """The two hosts."""
    if why := mpi.why_not() or two_hosts.why_not():
        pytest.skip(why)
    with two_hosts.two_hosts() as made:
        yield made


def test_the_processes_are_on_two_hosts_and_talk_over_the_link(hosts, images):
    sent = hosts.sent(0), hosts.sent(1)
    words = [*SHORT, "--epochs", "1", "--shards", "2", "--name", "two-hosts"]
    status, _, error = Job(2, *words, cwd=images, mpiexec=hosts.mpiexec).end()
    assert status == 0 and ours(error) == [], error
    card = (images / "runs" / "two-hosts" / "card.md").read_text(encoding="utf-8")
    assert "2 processes on 2 hosts (MPICH " in card
    # In each of the ten steps, either host sends as much as the gradient has, a million bytes.
    assert all(hosts.sent(host) - sent[host] > 10 * 10**6 for host in (0, 1))


@slow
@pytest.mark.parametrize("size", [2, 4])
def test_a_run_on_two_hosts_has_the_bits_of_one_process(hosts, images, undisturbed, size):
    name = f"hosts-{size}"
    job = Job(size, *TRAIN, "--name", name, cwd=images, mpiexec=hosts.mpiexec)
    status, _, error = job.end()
    assert status == 0, error
    assert bits(images / "runs" / name) == undisturbed
    card = (images / "runs" / name / "card.md").read_text(encoding="utf-8")
    assert f"{size} processes on 2 hosts (MPICH " in card


def cut_in_a_step(hosts, job, folder):
    """Cut the link while the last process is between its forward pass and the exchange of gradients."""
    end = time.monotonic() + 60
    while not (folder / "there").exists():
        assert job.process.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    hosts.cut()
    (folder / "cut").touch()


def meeting(rank, folder):
    """The code with which a process says that it is in its eighth step, and waits until the link is cut."""
    wait = f'import time; Path("{folder}", "there").touch(); [time.sleep(0.01) for _ in iter(Path("{folder}", "cut").exists, True)]'
    return at(rank, 8, wait)


@slow
@pytest.mark.parametrize("size", [2, 4])
def test_a_cut_in_the_middle_of_a_step_ends_all_and_one_host_goes_on(
    hosts, images, undisturbed, size, tmp_path
):
    name, calls = f"cut-{size}", meeting(size - 1, tmp_path)
    words = [*TRAIN, "--name", name, "--timeout", "4"]
    job = Job(size, *words, cwd=images, fault=calls, mpiexec=hosts.mpiexec)
    try:
        cut_in_a_step(hosts, job, tmp_path)
        status, _, error = job.end()
        assert status != 0
        others = "rank 1" if size == 2 else "ranks 2, 3"
        told = [line for line in ours(error) if "no answer for 4 s" in line]
        assert told and all(re.match(rf"rank 0: minires train: .* from {others}:", line) for line in told), error  # fmt: skip
        for host in (0, 1):
            end = time.monotonic() + 10
            while hosts.processes(host) and time.monotonic() < end:
                time.sleep(0.05)
            assert hosts.processes(host) == []
    finally:
        hosts.join()
    assert step_of(images / "runs" / name) >= (4 if size == 2 else 8) - 1
    status, _, error = finished(images, "train", "--resume", name)
    assert status == 0, error
    assert bits(images / "runs" / name) == undisturbed


@slow
def test_a_link_that_comes_back_in_time_costs_nothing(hosts, images, undisturbed, tmp_path):
    words = [*TRAIN, "--name", "back", "--timeout", "40"]
    job = Job(2, *words, cwd=images, fault=meeting(1, tmp_path), mpiexec=hosts.mpiexec)
    try:
        cut_in_a_step(hosts, job, tmp_path)
        time.sleep(2)
        assert job.process.poll() is None
    finally:
        hosts.join()
    status, _, error = job.end()
    assert status == 0 and ours(error) == [], error
    assert bits(images / "runs" / "back") == undisturbed
