"""What systemd hears, over a real socket."""

import os
import socket
from pathlib import Path

import pytest

from recorder.daemon.service_manager import READY, notify, notify_reloading, watchdog_seconds


@pytest.mark.parametrize("abstract", [False, True])
def test_states_are_sent_to_the_socket_that_systemd_names(
    monkeypatch: pytest.MonkeyPatch, home: Path, abstract: bool
) -> None:
    name = f"@sealcast-test-{os.getpid()}" if abstract else str(home / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notify(READY)
        assert manager.recv(100) == b"READY=1"
        notify_reloading()
        first, second = manager.recv(100).split(b"\n")
        assert first == b"RELOADING=1"
        assert second.removeprefix(b"MONOTONIC_USEC=").isdigit()


@pytest.mark.parametrize("address", ["", "relative", "vsock:1:2", "/no/such/socket"])
def test_without_a_manager_nobody_is_told(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify(READY)


@pytest.mark.parametrize(
    ("usec", "pid", "wanted"),
    [
        ("30000000", None, 15.0),
        ("30000000", "1", None),
        ("", None, None),
        ("x", None, None),
        ("0", None, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_must_be(
    monkeypatch: pytest.MonkeyPatch, usec: str, pid: str | None, wanted: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid or str(os.getpid()))
    assert watchdog_seconds() == wanted
