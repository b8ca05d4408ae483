"""The live file: every prefix up to a seal verifies, and seals come in time."""

import errno
import os
import re
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.capture import recording
from recorder.capture.recording import BackgroundSync, Recording, RecordingError
from recorder.cast import events
from recorder.cast.events import Event
from recorder.cast.reader import iter_input, iter_output
from recorder.cast.v2 import parse_event
from recorder.seal.keys import generate_key
from recorder.seal.sealer import Sealer

HEADER = b'{"version": 2, "width": 80, "height": 24}\n'


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return int(self.now * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(recording, "time", clock)
    return clock


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[Recording, Path]]:
    path = tmp_path / "live.cast"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    record = Recording(fd, Sealer("host/session", generate_key()), 1000.0)
    yield record, path
    record.close()


def events_in(path: Path) -> list[Event]:
    return [parse_event(line, "live") for line in path.read_bytes().splitlines(keepends=True)[1:]]


def test_the_header_is_sealed_at_once(live: tuple[Recording, Path], clock: Clock) -> None:
    record, path = live
    record.begin(HEADER)
    assert path.read_bytes().startswith(HEADER)
    assert [event.code for event in events_in(path)] == [events.SEAL]
    assert record.seconds_to_seal() is None
    clock.now += 5
    assert record.seconds_to_seal() is None


def test_a_seal_is_due_one_second_after_the_first_unsealed_line(
    live: tuple[Recording, Path], clock: Clock
) -> None:
    record, _ = live
    record.begin(HEADER)
    record.output(b"a")
    clock.now += 0.4
    record.output(b"b")
    assert record.seconds_to_seal() == pytest.approx(0.6)
    clock.now += 0.7
    assert record.seconds_to_seal() == 0
    record.seal()
    assert record.seconds_to_seal() is None


@pytest.mark.usefixtures("clock")
def test_a_seal_follows_each_mebibyte(live: tuple[Recording, Path]) -> None:
    record, path = live
    record.begin(HEADER)
    for _ in range(80):
        record.output(b"x" * 65536)
    seals = [event for event in events_in(path) if event.code == events.SEAL]
    assert len(seals) == 1 + 5


@pytest.mark.usefixtures("clock")
def test_error_output_is_marked(live: tuple[Recording, Path]) -> None:
    record, path = live
    record.begin(HEADER)
    record.output(b"ok")
    record.output(b"\xff", error=True)
    assert [event.code for event in events_in(path)] == ["S", "o", "o", "B", "E"]


@settings(max_examples=50)
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=12))
def test_every_byte_of_input_can_be_had_back_beside_the_output(chunks: list[bytes]) -> None:
    read_end, write_end = os.pipe()
    record = Recording(write_end, Sealer("host/session", generate_key()), 0.0)
    for chunk in chunks:
        record.input(chunk)
        record.output(b"\xc3")
    record.close()
    with os.fdopen(read_end, "rb") as file:
        found = [parse_event(line, "pipe") for line in file]
    assert b"".join(data for _, data in iter_input(iter(found))) == b"".join(chunks)
    assert b"".join(data for _, data in iter_output(iter(found))) == b"\xc3" * len(chunks)


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=40), max_size=12))
def test_every_byte_can_be_had_back(chunks: list[bytes]) -> None:
    read_end, write_end = os.pipe()
    record = Recording(write_end, Sealer("host/session", generate_key()), 0.0)
    for chunk in chunks:
        if chunk:
            record.output(chunk)
    record.close()
    with os.fdopen(read_end, "rb") as file:
        found = [parse_event(line, "pipe") for line in file]
    assert b"".join(data for _, data in iter_output(iter(found))) == b"".join(chunks)


def test_a_file_that_takes_no_more_ends_the_recording() -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    record = Recording(fd, Sealer("host/session", generate_key()), 0.0)
    with pytest.raises(RecordingError) as raised:
        record.output(b"lost")
    record.close()
    assert "no space left on device" in raised.value.message
    assert raised.value.hint


def test_a_file_over_the_size_limit_ends_the_recording(live: tuple[Recording, Path]) -> None:
    record, _ = live
    record.begin(HEADER)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, old[1]))
    try:
        with pytest.raises(RecordingError) as raised:
            record.output(b"x" * 8192)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert isinstance(raised.value.__cause__, OSError)
    assert raised.value.__cause__.errno == errno.EFBIG


def test_a_signal_does_not_end_the_syncs(tmp_path: Path) -> None:
    """One that comes while the main thread has another to handle is given to any thread that takes it."""
    fd = os.open(tmp_path / "live.cast", os.O_WRONLY | os.O_CREAT, 0o600)
    sync = BackgroundSync(fd)
    thread = sync._thread.native_id
    try:
        blocked = re.search(
            r"^SigBlk:\s*(\w+)$", Path(f"/proc/self/task/{thread}/status").read_text(), re.MULTILINE
        )
        assert blocked is not None
        wanted = sum(1 << (number - 1) for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGWINCH))
        assert int(blocked[1], 16) & wanted == wanted
        assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & {signal.SIGHUP, signal.SIGTERM}
    finally:
        sync.stop()
        os.close(fd)
