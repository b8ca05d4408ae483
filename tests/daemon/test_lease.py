"""A worker's connection to the notary, when that is another one all of a sudden."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.capture.channel import Channel, ChannelError
from recorder.daemon import lease as lease_module
from recorder.daemon.lease import Lease
from recorder.daemon.notary import listen, notary_path
from recorder.store.layout import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store")
    made.prepare()
    yield made
    made.close()


def accept(listening: socket.socket) -> Channel:
    listening.settimeout(10)
    connection, _ = listening.accept()
    connection.settimeout(10)
    return Channel(connection)


def admitted(lease: Lease, notary: Channel) -> None:
    lease.send({"admit": 1})
    assert notary.receive() == {"admit": 1}
    notary.send({"session": "20260912T000000-00000001"})
    lease.receive()


def test_what_the_first_notary_cannot_hear_the_next_one_does(store: Store) -> None:
    with listen(notary_path(store)) as listening:
        lease = Lease(store, "alice", 1001)
        first = accept(listening)
        admitted(lease, first)
        first.close()
    with listen(notary_path(store)) as listening:
        lease.send({"ended": 7})
        second = accept(listening)
        assert second.receive() == {
            "user": "alice",
            "uid": 1001,
            "resumes": "20260912T000000-00000001",
        }
        assert second.receive() == {"ended": 7}
        second.send({"logged": True})
        assert lease.receive() == {"logged": True}
        second.close()
    lease.close()


def test_it_waits_until_there_is_a_notary_again(store: Store) -> None:
    with listen(notary_path(store)) as listening:
        lease = Lease(store, "alice", 1001)
        first = accept(listening)
        admitted(lease, first)
        first.close()
    notary_path(store).unlink()
    sending = threading.Thread(target=lease.send, args=({"ended": 7},))
    sending.start()
    with listen(notary_path(store)) as listening:
        second = accept(listening)
        second.receive()
        assert second.receive() == {"ended": 7}
        sending.join(10)
        assert not sending.is_alive()
        second.close()
    lease.close()


def test_where_none_comes_that_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "PATIENCE_SECONDS", 0.0)
    with listen(notary_path(store)) as listening:
        lease = Lease(store, "alice", 1001)
        first = accept(listening)
        admitted(lease, first)
        first.close()
    with pytest.raises(ChannelError, match="there is no notary"):
        lease.send({"ended": 7})
    lease.close()


def test_a_session_that_was_not_admitted_is_not_taken_to_another_notary(store: Store) -> None:
    with listen(notary_path(store)) as listening:
        lease = Lease(store, "alice", 1001)
        accept(listening).close()
        with pytest.raises(ChannelError, match="the peer is gone"):
            lease.send({"admit": 1})
        listening.settimeout(0)
        with pytest.raises(BlockingIOError):
            listening.accept()
    lease.close()
