"""Having every sshd that reads the system's configuration read it again; sessions stay."""

import os
import signal
from contextlib import suppress

from recorder.host import places
from recorder.host.machine import Host
from recorder.host.processes import listening_with


def reload_sshd(host: Host, unit: str | None) -> None:
    """Through systemd, where `unit` is sshd's name there, and the others by a signal."""
    served = 0
    if unit is not None:
        host.run(["systemctl", _verb(host, unit), unit])
        served = int(_property(host, unit, "MainPID") or 0)
    for pid in listening_with(places.SSHD_CONFIG):
        if pid != served:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)


def _verb(host: Host, unit: str) -> str:
    """An sshd that got its port from a socket of systemd's may not find it again when it is to start anew.

    OpenSSH 10.0 of Debian 13 ends then ("Cannot bind any address"). A new one gets the port from systemd,
    which keeps those waiting who connect meanwhile.
    """
    sockets = _property(host, unit, "TriggeredBy").split()
    listens = any(host.succeeds(["systemctl", "--quiet", "is-active", name]) for name in sockets)
    return "try-restart" if listens else "try-reload-or-restart"


def _property(host: Host, unit: str, name: str) -> str:
    return host.run(["systemctl", "show", f"--property={name}", "--value", unit]).strip()
