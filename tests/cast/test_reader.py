"""Reading whole recordings of every version in bounded memory."""

import io
import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.cast.events import MAX_LINE, Event
from recorder.cast.reader import EventReader, iter_lines, iter_output, merge_bytes, open_events
from recorder.cast.v2 import encode_event
from recorder.errors import FormatError

HEADER = b'{"version": 2, "width": 80, "height": 24}\n'
V3 = b'{"version": 3, "term": {"cols": 80, "rows": 24}}\n'


class Endless(io.RawIOBase):
    """A file without newlines and without an end, that counts what is taken from it."""

    taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stub says Buffer
        buffer[:] = b"x" * len(buffer)
        self.taken += len(buffer)
        return len(buffer)


def read(data: bytes, lenient: bool = False) -> list[Event]:
    return list(open_events(io.BytesIO(data), "a.cast", lenient)[1])


def test_lines_keep_their_newline_and_the_last_may_lack_it() -> None:
    assert list(iter_lines(io.BytesIO(b"a\n\nb\r\nc"))) == [b"a\n", b"\n", b"b\r\n", b"c"]


def test_a_line_of_16_mib_is_accepted_and_one_byte_more_refused() -> None:
    exact = b"x" * (MAX_LINE - 1) + b"\n"
    assert list(iter_lines(io.BytesIO(b"a\n" + exact))) == [b"a\n", exact]
    with pytest.raises(FormatError, match=f"a.cast:2: line longer than {MAX_LINE} bytes"):
        list(iter_lines(io.BytesIO(b"a\nx" + exact), name="a.cast"))


def test_an_endless_line_is_not_read_on() -> None:
    file = Endless()
    with pytest.raises(FormatError, match="line longer than"):
        list(iter_lines(io.BufferedReader(file), limit=1000))
    assert file.taken <= 2 * io.DEFAULT_BUFFER_SIZE


def test_version_2_is_read_as_it_stands() -> None:
    events = read(HEADER + encode_event(1, "o", "a") + encode_event(2.5, "r", "90x30"))
    assert events == [Event(1, "o", "a"), Event(2.5, "r", "90x30")]


def test_version_3_gets_absolute_times_and_our_exit_status() -> None:
    data = V3 + b'# a comment\n\n[0.5, "o", "a"]\n[0.25, "o", "b"]\n[0, "x", "7"]\n'
    assert read(data) == [Event(0.5, "o", "a"), Event(0.75, "o", "b"), Event(0.75, "X", "7")]


@pytest.mark.parametrize("indent", [None, 2])
def test_version_1_is_read_on_one_line_or_many(indent: int | None) -> None:
    cast = {"version": 1, "width": 80, "height": 24, "duration": 1.5, "stdout": [[0.5, "a"], [1, "b"]]}
    header, events = open_events(io.BytesIO(json.dumps(cast, indent=indent).encode()), "a.json")
    assert (header.version, header.width, header.duration) == (1, 80, 1.5)
    assert list(events) == [Event(0.5, "o", "a"), Event(1.5, "o", "b")]


@pytest.mark.parametrize(
    "frames", [None, {}, [1], [[1]], [["1", "a"]], [[-1, "a"]], [[1, 2]], [[1, "a", "b"]]]
)
def test_a_bad_version_1_is_refused(frames: object) -> None:
    cast = {"version": 1, "width": 80, "height": 24, "stdout": frames}
    with pytest.raises(FormatError, match=r"a\.json"):
        open_events(io.BytesIO(json.dumps(cast).encode()), "a.json")


def test_a_first_line_that_is_half_a_header_is_an_error_about_that_line() -> None:
    with pytest.raises(FormatError, match=r"a\.cast:1: not JSON at column"):
        open_events(io.BytesIO(b'{"version": 2,\n' + encode_event(1, "o", "a")), "a.cast")


def test_strict_reading_names_the_line() -> None:
    with pytest.raises(FormatError, match=r"a\.cast:3: not JSON"):
        read(HEADER + encode_event(1, "o", "a") + b"nonsense\n")


def test_lenient_reading_counts_what_it_skips() -> None:
    data = HEADER + b"nonsense\n" + encode_event(1, "o", "a") + b'\n[1.0, "o"]\n[2.0, "o", "by'
    _, events = open_events(io.BytesIO(data), "a.cast", lenient=True)
    assert isinstance(events, EventReader)
    assert list(events) == [Event(1, "o", "a")]
    assert events.skipped == 4


def test_time_never_goes_back_for_a_reader() -> None:
    assert [event.time for event in read(HEADER + encode_event(5, "o", "a") + encode_event(3, "o", "b"))] == [
        5,
        5,
    ]


@given(st.lists(st.tuples(st.sampled_from("oBErm"), st.binary(max_size=8)), max_size=20))
def test_exact_bytes_take_the_place_of_the_output_before_them(parts: list[tuple[str, bytes]]) -> None:
    events = [
        Event(n, code, b64encode(data).decode() if code == "B" else data.decode(errors="replace"))
        for n, (code, data) in enumerate(parts)
    ]
    merged = list(merge_bytes(events))
    assert [event for event, _ in merged] == [event for event in events if event.code != "B"]
    for event, data in merged:
        following = parts[int(event.time) + 1 :][:1]
        exact = following[0][1] if event.code == "o" and following and following[0][0] == "B" else None
        assert data == (exact if exact is not None else event.data.encode() if event.code == "o" else b"")


def test_output_alone() -> None:
    events = [Event(1, "o", "\ufffd"), Event(1, "B", "/w=="), Event(2, "o", "a"), Event(3, "B", "not base64")]
    assert list(iter_output(events)) == [(1, b"\xff"), (2, b"a")]
