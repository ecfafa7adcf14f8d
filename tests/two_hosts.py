"""Two hosts on one machine: two network namespaces, and a link between them that can be cut.

Each host has its own network, its own name and its own shared memory between processes (else MPI
would use that, and nothing would pass over the link); files and process ids are shared.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from tests import mpi

ADDRESSES = ("10.77.0.1", "10.77.0.2")
LINK = "link0"  # the interface's name on either side

# Stands in for ssh: Hydra calls it with options, an address and a command.
REMOTE = """#!/bin/sh
while [ "${{1#-}}" != "$1" ]; do shift; done
case "$1" in
{cases}
*) echo "no host $1" >&2; exit 255 ;;
esac
shift
exec ip netns exec "$space" unshare --uts --ipc \\
    sh -c 'hostname "$0" && exec sh -c "$*"' "$name" "$@"
"""


def why_not():
    """The reason why this system cannot play two hosts, or None."""
    if not sys.platform.startswith("linux"):
        return "network namespaces need Linux"
    missing = [tool for tool in ("ip", "unshare", "sh") if shutil.which(tool) is None]
    if missing:
        return f"needs {' and '.join(missing)} (packages iproute2 and util-linux)"
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    space = f"minires-probe-{os.getpid()}"
    try:
        ip("netns", "add", space)
        ip("-n", space, "link", "add", LINK, "type", "veth", "peer", "name", "peer")
        command = ["ip", "netns", "exec", space, "unshare", "--uts", "--ipc", "hostname", "probe"]
        subprocess.run(command, check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        text = getattr(error, "stderr", None) or str(error)
        text = text.decode(errors="replace") if isinstance(text, bytes) else text
        return f"this system permits no network namespaces: {text.strip()}"
    finally:
        subprocess.run(["ip", "netns", "delete", space], capture_output=True)
    return None


def ip(*words):
    """What `ip` prints."""
    command = ["ip", *words]
    result = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)
    return result.stdout


class Hosts:
    """The two hosts: what runs on them, and the link between them."""

    def __init__(self, spaces, names, remote):
        self.spaces, self.names, self.remote = spaces, names, remote

    def on(self, host, command):
        """The command as an argument list that runs it on a host, 0 or 1."""
        enter = 'hostname "$0" && exec "$@"'
        space = ["ip", "netns", "exec", self.spaces[host], "unshare", "--uts", "--ipc"]
        return [*space, "sh", "-c", enter, self.names[host], *command]

    def mpiexec(self, n, command, launcher=None):
        """MPICH's mpiexec on host 0, as an argument list, with half of the n ranks on each."""
        launcher = launcher or mpi.launcher()
        hosts = ["-hosts", ",".join(ADDRESSES), "-localhost", ADDRESSES[0], "-iface", LINK]
        ssh = ["-launcher", "ssh", "-launcher-exec", str(self.remote)]
        return self.on(
            0, [launcher, *hosts, *ssh, "-n", str(n), "-ppn", str((n + 1) // 2), *command]
        )

    def cut(self):
        """Take the link down, as pulling the cable would: nobody is told, packets get lost."""
        ip("-n", self.spaces[1], "link", "set", LINK, "down")

    def join(self):
        """Put the link up again, and wait until it is in operation."""
        ip("-n", self.spaces[1], "link", "set", LINK, "up")
        wait_for_link(self.spaces)

    def processes(self, host):
        """The ids of what runs on a host."""
        return [int(pid) for pid in ip("netns", "pids", self.spaces[host]).split()]

    def sent(self, host):
        """How many bytes a host has sent over the link."""
        command = ["cat", f"/sys/class/net/{LINK}/statistics/tx_bytes"]
        result = subprocess.run(
            self.on(host, command), check=True, capture_output=True, text=True, timeout=20
        )
        return int(result.stdout)


@contextmanager
def two_hosts():
    """Make the hosts; at the end, end what still runs on them and remove them."""
    names = ("one", "two")
    spaces = [f"minires-{name}-{os.getpid()}" for name in names]
    with tempfile.TemporaryDirectory() as folder:
        try:
            for space in spaces:
                ip("netns", "add", space)
                ip("-n", space, "link", "set", "lo", "up")
            peer = ("peer", "name", LINK, "netns", spaces[1])
            ip("link", "add", LINK, "netns", spaces[0], "type", "veth", *peer)
            for space, address in zip(spaces, ADDRESSES, strict=True):
                ip("-n", space, "address", "add", f"{address}/24", "dev", LINK)
                ip("-n", space, "link", "set", LINK, "up")
            wait_for_link(spaces)
            remote = Path(folder) / "remote"
            rows = zip(ADDRESSES, spaces, names, strict=True)
            cases = [f"{address}) space={space}; name={name} ;;" for address, space, name in rows]
            remote.write_text(REMOTE.format(cases="\n".join(cases)))
            remote.chmod(0o755)
            yield Hosts(spaces, names, remote)
        finally:
            for space in spaces:
                remove(space)


def wait_for_link(spaces, seconds=20):
    """Wait until both sides of the link are in operation: the kernel takes up to a second.

    Before that, MPI overlooks the interface and takes the loopback in its place.
    """
    end = time.monotonic() + seconds
    for space in spaces:
        while "state UP" not in ip("-n", space, "link", "show", LINK):
            if time.monotonic() > end:
                raise TimeoutError(f"expected the link to be up within {seconds} s; it is not")
            time.sleep(0.05)


def remove(space):
    """End the processes in a namespace, by their ids, and delete it."""
    listed = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True)
    for pid in listed.stdout.split():
        try:
            os.kill(int(pid), 9)
        except ProcessLookupError:
            pass  # it ended by itself
    subprocess.run(["ip", "netns", "delete", space], capture_output=True)
