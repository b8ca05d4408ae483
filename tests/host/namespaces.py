"""A copy of this machine to install on: with mounts, processes and a network of its own.

What is written below the directories of `_COPIED` stays in memory there and goes with the first process.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.sessions import DEADLINE_SECONDS

_COPIED = ("/etc", "/opt", "/usr/local", "/var/lib", "/run", "/home", "/var/spool", "/var/log", "/var/tmp")
_FIRST = """
set -e
mount -t tmpfs none /mnt
for place in {places}; do
    name=$(echo "$place" | tr / _)
    mkdir -p "/mnt/$name/upper" "/mnt/$name/work" "$place"
    mount -t overlay none -o "lowerdir=$place,upperdir=/mnt/$name/upper,workdir=/mnt/$name/work" "$place"
done
rm -rf /etc/sealcast /opt/sealcast /var/lib/sealcast /run/sealcast /run/sshd.pid /var/tmp/sealcast-probe-*
rm -f /etc/ssh/sshd_config.d/*.conf
rm -f /etc/passwd.lock /etc/shadow.lock /etc/group.lock /etc/gshadow.lock /etc/subuid.lock /etc/subgid.lock
"""
"""The locks are those of tests outside that add an account at this moment."""
_LOOPBACK_UP = """
import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 1))
"""
"""SIOCSIFFLAGS with IFF_UP, for want of ip(8)."""


def _may_unshare() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--net", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


needs_namespaces = pytest.mark.skipif(not _may_unshare(), reason="needs root with namespaces of its own")


@dataclass(frozen=True, slots=True)
class Machine:
    """`pid` is the first process of the copy."""

    pid: int

    def command(self, *arguments: str) -> list[str]:
        return ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--net", "--root", "--", *arguments]

    def run(
        self, *arguments: str, stdin: str = "", timeout: float = DEADLINE_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """A command as root in the copy."""
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def sure(self, *arguments: str) -> str:
        """What a command that must succeed prints."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def read(self, path: str) -> str:
        return self.sure("cat", path)


@contextmanager
def copied_machine() -> Iterator[Machine]:
    """The copy, for the time of the block; its processes end with it."""
    unshare = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc"]
    script = _FIRST.format(places=" ".join(place for place in _COPIED if Path(place).is_dir()))
    holder = subprocess.Popen(
        [*unshare, "sh", "-c", f"{script}\necho ready\nexec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "ready\n"
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
        machine = Machine(int(children[0]))
        machine.sure(sys.executable, "-c", _LOOPBACK_UP)
        yield machine
    finally:
        holder.stdin.close()
        holder.send_signal(signal.SIGKILL)
        holder.stdout.close()
        holder.wait()
