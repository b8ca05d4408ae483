"""What systemd is told (sd_notify), where it started us: one datagram for each change."""

import os
import socket
import time
from contextlib import suppress

READY = "READY=1"
STOPPING = "STOPPING=1"
WATCHDOG = "WATCHDOG=1"


def notify(state: str) -> None:
    """Send a state; nobody is told where NOTIFY_SOCKET names no socket."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in {"/", "@"}:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender, suppress(OSError):
        sender.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)


def notify_reloading() -> None:
    """Systemd wants to know when, by the clock that it compares (sd_notify(3), RELOADING)."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_seconds() -> float | None:
    """How often the watchdog wants a sign of life, twice as often as it must be; None without one."""
    text = os.environ.get("WATCHDOG_USEC", "")
    pid = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not text.isdecimal() or pid != str(os.getpid()) or not int(text):
        return None
    return int(text) / 2_000_000
