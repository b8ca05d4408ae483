"""sshd as systemd starts it: by itself, or when somebody connects to a socket of systemd's."""

import os
import signal
from contextlib import suppress

from recorder.errors import SealcastError
from recorder.host import places
from recorder.host.machine import Host
from recorder.host.processes import listening_with


def reload_sshd(host: Host, unit: str | None) -> None:
    """Every sshd with the system's configuration reads it again; sessions stay.

    Through systemd, where `unit` is sshd's name there, and the others by a signal.
    """
    served = 0
    if unit is not None:
        _tell_systemd(host, unit)
        served = int(_property(host, unit, "MainPID") or 0)
    for pid in listening_with(places.SSHD_CONFIG):
        if pid != served:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)


def _tell_systemd(host: Host, unit: str) -> None:
    """An sshd that got its port from a socket of systemd's may not find it again when it is to start anew.

    OpenSSH 10.0 of Debian 13 ends then ("Cannot bind any address"). A new one gets the port from systemd,
    which keeps those waiting who connect meanwhile. Five new ones in ten seconds would be too many for it
    (StartLimitBurst), and the socket would be closed for good; `reset-failed` has it count anew.
    """
    if _has_socket(host, unit):
        host.run(["systemctl", "reset-failed", unit])
        host.run(["systemctl", "try-restart", unit])
    else:
        host.run(["systemctl", "try-reload-or-restart", unit])


def starts_when_needed(host: Host, unit: str) -> bool:
    """Whether systemd listens for this sshd, which need not run before somebody connects."""
    try:
        return _has_socket(host, unit)
    except SealcastError:  # no systemd
        return False


def _has_socket(host: Host, unit: str) -> bool:
    sockets = _property(host, unit, "TriggeredBy").split()
    return any(host.succeeds(["systemctl", "--quiet", "is-active", name]) for name in sockets)


def _property(host: Host, unit: str, name: str) -> str:
    return host.run(["systemctl", "show", f"--property={name}", "--value", unit]).strip()
