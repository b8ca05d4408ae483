"""Event lines: exactly one spelling out, any JSON in, and clear words for the rest."""

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.cast.events import MAX_LINE, Event
from recorder.cast.v2 import _parse_strictly, encode_event, parse_event
from recorder.errors import ExitCode, FormatError

TEXT = st.text(st.characters(codec="utf-8"))
TIME = st.integers(0, 10**15).map(lambda microseconds: microseconds / 1e6)


def test_an_event_has_exactly_one_spelling() -> None:
    assert encode_event(12.345678, "o", 'a"\\\x1b\r\n\té日') == (
        '[12.345678, "o", "a\\"\\\\\\u001b\\r\\n\\té日"]\n'.encode()
    )
    assert encode_event(0, "X", "0") == b'[0.000000, "X", "0"]\n'


def test_nothing_is_escaped_that_need_not_be() -> None:
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
    for number in range(0x20):
        expected = short.get(number, f"\\u{number:04x}")
        assert encode_event(0, "o", chr(number)) == f'[0.000000, "o", "{expected}"]\n'.encode()
    for char in "/\x7f\x80\u2028\ufeff\U0010ffff":
        assert encode_event(0, "o", char) == f'[0.000000, "o", "{char}"]\n'.encode()


@given(TIME, st.sampled_from("oirmKBELXS"), TEXT)
def test_what_is_encoded_is_parsed_again(time: float, code: str, data: str) -> None:
    line = encode_event(time, code, data)
    event = parse_event(line, "a.cast:2")
    assert (event.code, event.data) == (code, data)
    assert math.isclose(event.time, time, abs_tol=1e-6)
    assert encode_event(*event) == line
    assert json.loads(line) == [event.time, code, data]
    assert line.count(b"\n") == 1


def test_any_json_spelling_of_an_event_is_read() -> None:
    assert parse_event(b'[ 1,"o","\\ud83d\\ude00" ]', "x") == Event(1.0, "o", "😀")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"", "not JSON at column 1"),
        (b"# a comment\n", "not JSON at column 1"),
        (b'[0.2, "o", "by', "not JSON at column 12"),
        (b'[0.2, "o", "a"] x\n', "not JSON at column 17"),
        (b'{"a": 1}\n', "an event is an array, not an object"),
        (b'[1.0, "o"]\n', "three parts, not 2"),
        (b'[1.0, "o", "a", 1]\n', "three parts, not 4"),
        (b'["1", "o", "a"]\n', "the time is not a number"),
        (b'[true, "o", "a"]\n', "the time is not a number"),
        (b'[-0.1, "o", "a"]\n', "the time is not a number"),
        (b'[1e10, "o", "a"]\n', "the time is not a number"),
        (b'[1e999, "o", "a"]\n', "a number too large"),
        (b'[NaN, "o", "a"]\n', "NaN is not a JSON number"),
        (b'[Infinity, "o", "a"]\n', "Infinity is not a JSON number"),
        (b"[" + b"9" * 5000 + b', "o", "a"]\n', "a whole number of 5000 digits"),
        (b'[1.0, 7, "a"]\n', "the event code is not a letter"),
        (b'[1.0, "", "a"]\n', "the event code is not a letter"),
        (b'[1.0, "o", {"a": 1, "a": 2}]\n', "the same key twice"),
        (b'[1.0, "o", {"a": 1}]\n', "the data of a 'o' event is an object, not a string"),
        (b'[1.0, "o", null]\n', "is null, not a string"),
        (b'[1.0, "o", "\\ud83d"]\n', "half of a surrogate pair"),
        (b'[1.0, "o", "a\x00b"]\n', "NUL byte at column 14"),
        (b'[1.0, "o", "a\tb"]\n', "invalid control character"),
        (b'[1.0, "o", "\xff"]\n', "not UTF-8 at byte 13"),
        (b'\xef\xbb\xbf[1.0, "o", "a"]\n', "byte order mark"),
        (b'[1.0, "o", "a"]\r\n', "line ends with CR LF"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_event_is_refused_with_its_place(line: bytes, problem: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_event(line, "a.cast:7")
    assert str(caught.value).startswith("a.cast:7: ")
    assert problem in str(caught.value)
    assert caught.value.code == ExitCode.FORMAT


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_an_error_in_words(line: bytes) -> None:
    with suppress(FormatError):
        parse_event(line, "x").data.encode()


ODDITIES = st.sampled_from(
    [
        b"1e999",
        b"9" * 30,
        b"-0.0",
        b"1E5",
        b"true",
        b"null",
        b'"\\ud83d"',
        b"\r",
        b" ",
        b"\x00",
        b"[",
        b"]",
        b",",
        b'"o"',
        b"{}",
    ]
)


@given(TIME, TEXT, st.lists(st.tuples(st.integers(0, 40), ODDITIES), max_size=2))
def test_the_fast_way_and_the_strict_way_agree(
    time: float, data: str, changes: list[tuple[int, bytes]]
) -> None:
    line = encode_event(time, "o", data)
    for at, oddity in changes:
        line = line[:at] + oddity + line[at:]
    try:
        expected: Event | None = _parse_strictly(line, "x")
    except FormatError:
        expected = None
    try:
        assert parse_event(line, "x") == expected
    except FormatError:
        assert expected is None


def test_a_line_of_16_mib_is_read() -> None:
    data = "x" * (MAX_LINE - 20)
    line = encode_event(1, "o", data)
    assert len(line) == MAX_LINE
    assert parse_event(line, "x").data == data
