"""Peers that wait to be answered: only those that say nothing are sent away."""

import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from recorder.capture.signals import SignalPipe
from recorder.daemon import server
from recorder.daemon.server import SILENCE_SECONDS, Server, listen_for_logins
from recorder.policy.parsing import parse_policy
from recorder.store.layout import Store


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


def test_who_speaks_while_another_is_answered_for_long_is_answered_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    answered: list[bytes] = []
    policy = parse_policy(b"", "policy")
    path = tmp_path / "socket"
    with (
        listen_for_logins(path) as listener,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as one,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent,
        SignalPipe(()) as signals,
    ):

        def answer(connection: socket.socket) -> None:
            answered.append(connection.recv(64))
            connection.close()
            if len(answered) == 1:
                other.send(b"other")
                clock.now += 2 * SILENCE_SECONDS

        asked = Server(Store(tmp_path), listener, policy, lambda: policy)
        asked._next_look = 1e6
        asked._poll.register(listener)
        monkeypatch.setattr(server, "time", SimpleNamespace(monotonic=clock.monotonic))
        monkeypatch.setattr(asked, "_answer", answer)
        for peer in (one, other, silent):
            peer.connect(str(path))
            asked._turn(signals)
        one.send(b"one")
        asked._turn(signals)
        asked._turn(signals)
        assert answered == [b"one", b"other"]
        assert silent.recv(1) == b"", "it was sent away"
