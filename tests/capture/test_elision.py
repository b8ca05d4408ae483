"""Caps: what is stored, and what the record says of the rest."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.capture import elision
from recorder.capture.elision import ELISION_SECONDS, CappedStream


class Clock:
    """A clock that stands still until it is moved."""

    now = 50.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(elision, "time", clock)
    return clock


@given(st.lists(st.binary(max_size=50)), st.integers(0, 200))
def test_what_is_stored_and_what_is_hashed_is_everything(chunks: list[bytes], cap: int) -> None:
    stored: list[bytes] = []
    stream = CappedStream("output", cap, stored.append)
    for chunk in chunks:
        stream.take(memoryview(chunk))
    whole = b"".join(chunks)
    assert b"".join(stored) == whole[:cap]
    told = stream.report()
    rest = whole[cap:]
    if not rest:
        assert told is None
        return
    expected = {"bytes": len(rest), "sha256": hashlib.sha256(rest).hexdigest(), "stream": "output"}
    assert json.loads(told or "") == expected


@given(st.lists(st.binary(max_size=50)))
def test_without_a_cap_everything_is_stored(chunks: list[bytes]) -> None:
    stored: list[bytes] = []
    stream = CappedStream("input", None, stored.append)
    for chunk in chunks:
        stream.take(chunk)
    assert b"".join(stored) == b"".join(chunks)
    assert stream.report() is None


def test_what_is_left_out_is_named_a_second_later_and_once(clock: Clock) -> None:
    stream = CappedStream("input", 0, lambda _: None)
    assert stream.seconds_to_report() is None
    stream.take(b"ab")
    clock.now += 0.25
    stream.take(b"c")
    assert stream.seconds_to_report() == pytest.approx(ELISION_SECONDS - 0.25)
    clock.now += 1
    assert stream.seconds_to_report() == 0
    assert json.loads(stream.report() or "")["bytes"] == 3
    assert stream.report() is None
    assert stream.seconds_to_report() is None


def test_a_later_report_speaks_of_all_of_it() -> None:
    stream = CappedStream("input", 0, lambda _: None)
    stream.take(b"ab")
    stream.report()
    stream.take(b"c")
    assert json.loads(stream.report() or "")["sha256"] == hashlib.sha256(b"abc").hexdigest()


def test_a_cap_that_is_raised_stores_what_comes_then() -> None:
    stored: list[bytes] = []
    stream = CappedStream("input", 0, stored.append)
    stream.take(b"ab")
    stream.cap = 3
    stream.take(b"cdef")
    assert stored == [b"cde"]
    assert json.loads(stream.report() or "")["sha256"] == hashlib.sha256(b"abf").hexdigest()
