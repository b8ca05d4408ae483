"""A copy of this machine that is booted: systemd as its first process, in a container of its own."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.sessions import children, wait_for
from tests.host.namespaces import Machine

_ROOT = Path(__file__).parents[2]
BOOT_SECONDS = 300
_BOOT = """
set -e
mount --make-rprivate /
mount -t tmpfs none {place}
mkdir {place}/upper {place}/work {place}/tree
mount -t overlay none -o lowerdir=/,upperdir={place}/upper,workdir={place}/work {place}/tree
rm -rf {place}/tree/etc/sealcast {place}/tree/opt/sealcast {place}/tree/var/lib/sealcast
rm -f {place}/tree/etc/ssh/sshd_config.d/*.conf {place}/tree/etc/systemd/system/sealcast*.service
exec systemd-nspawn --quiet --directory={place}/tree --register=no --keep-unit --private-network \
    --console=pipe --bind-ro={project} {python} --boot systemd.unit=basic.target
"""


def may_boot() -> bool:
    """Root with namespaces and control groups; else the tests are counted as not run."""
    return os.geteuid() == 0 and Path("/sys/fs/cgroup").is_mount() and shutil.which("unshare") is not None


class NoContainerError(Exception):
    """This machine cannot boot one: its kernel or its own container does not let it."""


@contextmanager
def booted_machine(place: Path) -> Iterator[Machine]:
    """The container, for the time of the block; `place` is an empty directory of this machine."""
    script = _BOOT.format(place=place, project=_ROOT, python=_own_python())
    log = place.with_suffix(".log")
    with log.open("wb") as output:
        container = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield _booted(container, log)
    finally:
        for pid in _processes_in(container.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        container.kill()
        container.wait()


def _own_python() -> str:
    """The copy has /usr, where it is installed to; a Python from elsewhere is lent to it."""
    return "" if Path(sys.base_prefix) == Path("/usr") else f"--bind-ro={sys.base_prefix}"


def _booted(container: "subprocess.Popen[bytes]", log: Path) -> Machine:
    try:
        wait_for(lambda: container.poll() is not None or first_process(container.pid), "its first process")
        machine = Machine(first_process(container.pid))
        wait_for(lambda: container.poll() is not None or is_up(machine), "basic.target", BOOT_SECONDS)
    except AssertionError as error:
        raise NoContainerError(f"{error}: {log.read_text(errors='replace')[-500:]}") from None
    if container.poll() is not None:
        raise NoContainerError(log.read_text(errors="replace")[-500:])
    return machine


def _processes_in(container: int) -> list[int]:
    try:
        return children(container)
    except OSError:  # it has ended
        return []


def first_process(container: int) -> int:
    """The container's systemd, 0 while there is none: mount and others come before it."""
    for pid in _processes_in(container):
        with suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                return pid
    return 0


def is_up(machine: Machine) -> bool:
    return machine.run("systemctl", "is-active", "basic.target").stdout == "active\n"
