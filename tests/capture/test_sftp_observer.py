"""The process that reads SFTP: it hears copies, says facts, and holds nothing else."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.capture.sftp_observer import Observer, start_observer
from tests.capture.test_sftp import CONVERSATION, FACTS, packet
from tests.e2e.sessions import wait_for


@pytest.fixture
def observer() -> Iterator[Observer]:
    observer = start_observer()
    yield observer
    observer.finish()


def converse(observer: Observer) -> None:
    for side, data in CONVERSATION:
        getattr(observer, side)(memoryview(data))


def test_it_says_what_the_parser_finds(observer: Observer) -> None:
    converse(observer)
    assert [json.loads(line) for line in observer.finish()] == FACTS
    assert not observer.broken
    assert observer.fileno() == -1


def test_news_come_while_it_listens(observer: Observer) -> None:
    converse(observer)
    found: list[str] = []

    def arrived() -> bool:
        found.extend(observer.lines())
        return len(found) == len(FACTS)

    wait_for(arrived, "all facts")


def test_thousands_of_operations_at_once_block_nobody(observer: Observer) -> None:
    count = 3000
    for _ in range(20):
        requests = b"".join(packet(13, number, b"/some/path/%d" % number) for number in range(count))
        responses = b"".join(packet(101, number, 0) for number in range(count))
        observer.client(memoryview(requests))
        observer.server(memoryview(responses))
    assert len(observer.finish()) == 20 * count


def test_what_is_not_sftp_is_said_and_the_rest_is_passed_over(observer: Observer) -> None:
    converse(observer)
    observer.client(memoryview(b"exec bash\n"))
    for _ in range(50):
        observer.server(memoryview(bytes(100_000)))
    *facts, last = (json.loads(line) for line in observer.finish())
    assert facts == FACTS
    assert last["problem"].startswith("not followed any further: a packet of")
    assert observer.broken


def test_one_that_is_killed_is_missed(observer: Observer) -> None:
    os.kill(observer.pid, signal.SIGKILL)
    wait_for(lambda: observer.lines() or observer.fileno() < 0, "its end")
    converse(observer)  # nobody hears it
    assert observer.broken
    assert observer.finish() == []


def test_one_that_hangs_is_given_up(observer: Observer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.capture.sftp_observer._PATIENCE_SECONDS", 0.2)
    os.kill(observer.pid, signal.SIGSTOP)
    for _ in range(10):
        observer.client(memoryview(bytes(100_000)))
    assert [json.loads(line) for line in observer.lines()] == [
        {"problem": "the process that follows this transfer was lost"}
    ]
    assert observer.broken


def test_it_holds_two_pipes_and_can_get_nothing_else(observer: Observer) -> None:
    folder = Path(f"/proc/{observer.pid}")
    wait_for(lambda: "Max open files            2  " in (folder / "limits").read_text(), "it is confined")
    links = {name: os.readlink(folder / "fd" / name) for name in os.listdir(folder / "fd")}
    assert sorted(links) == ["0", "1"]
    assert all(link.startswith("pipe:") for link in links.values())
    limits = (folder / "limits").read_text()
    assert "Max processes             0 " in limits
    assert "Max file size             0 " in limits
