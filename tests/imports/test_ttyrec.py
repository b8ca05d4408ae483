import struct
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import FormatError
from recorder.imports import ttyrec
from recorder.imports.moments import CHUNK, Moment

FRAMES = st.lists(st.tuples(st.integers(0, 100_000_000), st.binary(max_size=300)), min_size=1, max_size=20)
"""Microseconds since the frame before, and output."""
START_US = 1_788_271_200_000_000


def frame(microseconds: int, data: bytes) -> bytes:
    return struct.pack("<III", *divmod(microseconds, 1_000_000), len(data)) + data


def written(frames: list[tuple[int, bytes]]) -> bytes:
    now, parts = START_US, []
    for passed, data in frames:
        now += passed
        parts.append(frame(now, data))
    return b"".join(parts)


def moments(data: bytes) -> list[Moment]:
    return list(ttyrec.read_moments(BytesIO(data), "x.ttyrec"))


@given(FRAMES)
def test_what_was_written_is_read(frames: list[tuple[int, bytes]]) -> None:
    found = moments(written(frames))
    assert b"".join(moment.data for moment in found) == b"".join(data for _, data in frames)
    times = iter(found)
    total = 0
    for passed, data in frames:
        total += passed
        if data:
            assert next(times).time == pytest.approx((total - frames[0][0]) / 1e6, abs=1e-5)


@given(FRAMES, st.data())
def test_a_cut_file_is_never_taken_for_whole(frames: list[tuple[int, bytes]], data: st.DataObject) -> None:
    whole = written(frames)
    cut = data.draw(st.integers(1, len(whole) - 1))
    ends = {len(written(frames[:count])) for count in range(len(frames) + 1)}
    if cut in ends:
        assert len(moments(whole[:cut])) <= len(moments(whole))
    else:
        with pytest.raises(FormatError, match=r"x\.ttyrec: frame"):
            moments(whole[:cut])


@given(st.binary(max_size=200))
def test_garbage_is_an_error_or_nothing(data: bytes) -> None:
    ttyrec.looks_like(BytesIO(data), len(data))
    with suppress(FormatError):
        ttyrec.read_facts(BytesIO(data), "x")
        moments(data)


def test_a_long_frame_is_read_in_pieces() -> None:
    found = moments(frame(START_US, b"x" * (3 * CHUNK + 1)))
    assert [len(moment.data) for moment in found] == [CHUNK, CHUNK, CHUNK, 1]


def test_a_length_beyond_the_file_is_not_believed() -> None:
    lying = struct.pack("<III", 1, 0, 0xFFFFFFFF) + b"abc"
    assert not ttyrec.looks_like(BytesIO(lying), len(lying))
    with pytest.raises(FormatError, match="ends 4,294,967,292 bytes too early"):
        moments(lying)


def test_a_clock_set_back_stands_still() -> None:
    data = frame(START_US, b"a") + frame(START_US + 5_000_000, b"b") + frame(START_US + 1, b"c")
    assert [moment.time for moment in moments(data)] == [0.0, 5.0, 5.0]


def test_years_between_two_frames_are_no_session() -> None:
    data = frame(0, b"a") + frame(2**31 * 1_000_000, b"b")
    with pytest.raises(FormatError, match="is no time in a session"):
        moments(data)


@pytest.mark.parametrize(
    ("output", "size"),
    [
        (b"plain", (80, 24)),
        (b"\x1b[8;50;132t", (132, 50)),
        (b"\x1b[40;120H", (120, 40)),
        (b"\x1b[1;45r", (80, 45)),
        (b"\x1b[999;999H\x1b[6n", (80, 24)),
    ],
)
def test_the_size_is_what_the_output_shows(output: bytes, size: tuple[int, int]) -> None:
    facts = ttyrec.read_facts(BytesIO(frame(START_US, output)), "x")
    assert (facts.size, facts.start_ms) == (size, START_US // 1000)
