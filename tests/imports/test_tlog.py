import json
import struct
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.cast.events import INPUT, OUTPUT, RESIZE
from recorder.cast.fields import Fields
from recorder.errors import FormatError
from recorder.imports import tlog
from recorder.imports.moments import Clock, Moment

PIECES = st.lists(
    st.tuples(
        st.sampled_from("<>"),
        st.one_of(
            st.text(
                st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
            ),
            st.binary(min_size=1, max_size=6),
        ),
        st.integers(0, 5000),
    ),
    max_size=12,
)
"""Which way, text or bytes that are none, and milliseconds before it."""


def message(
    pieces: list[tuple[str, str | bytes, int]], number: int = 1, rec: str = "r1", pos: int = 0
) -> dict[str, Any]:
    """As tlog-rec writes it."""
    timing, texts, raw = "", {"<": "", ">": ""}, {"<": b"", ">": b""}
    for way, data, wait in pieces:
        timing += f"+{wait}" if wait else ""
        if isinstance(data, str):
            timing += f"{way}{len(data)}"
            texts[way] += data
        else:
            timing += f"{'[' if way == '<' else ']'}{len(data)}/{len(data)}"
            texts[way] += "\ufffd" * len(data)
            raw[way] += data
    return {
        "ver": "2.3",
        "host": "web-03",
        "rec": rec,
        "user": "alice",
        "term": "xterm",
        "session": 7,
        "id": number,
        "pos": pos,
        "time": 1_788_264_005.25 + pos / 1000,
        "timing": timing,
        "in_txt": texts["<"],
        "in_bin": list(raw["<"]),
        "out_txt": texts[">"],
        "out_bin": list(raw[">"]),
    }


def lines(*messages: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(item, ensure_ascii=False).encode() + b"\n" for item in messages)


def journal_json(*messages: dict[str, Any]) -> bytes:
    entries = [
        {"_COMM": "tlog-rec", "MESSAGE": json.dumps(item), "TLOG_REC": item["rec"]} for item in messages
    ]
    entries[-1]["MESSAGE"] = list(json.dumps(messages[-1]).encode())
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


def journal_export(*messages: dict[str, Any]) -> bytes:
    parts = []
    for number, item in enumerate(messages):
        text = json.dumps(item).encode()
        field = (
            b"MESSAGE\n" + struct.pack("<Q", len(text)) + text + b"\n"
            if number % 2
            else b"MESSAGE=" + text + b"\n"
        )
        parts.append(b"__CURSOR=s=1\n_COMM=tlog-rec\n" + field + b"PRIORITY=6\n\n")
    return b"".join(parts)


def moments(data: bytes, which: int = 0) -> list[Moment]:
    file = BytesIO(data)
    recording = tlog.find_recordings(file, "x.json")[which]
    return list(tlog.read_moments(file, recording, "x.json"))


@given(PIECES)
def test_what_was_written_is_read(pieces: list[tuple[str, str | bytes, int]]) -> None:
    found = moments(lines(message(pieces)))
    codes = {"<": INPUT, ">": OUTPUT}
    total, expected = 0, []
    for way, data, wait in pieces:
        total += wait
        expected.append((total, codes[way], data.encode() if isinstance(data, str) else data))
    assert [(round(time * 1000), code, data) for time, code, data in found] == expected


@pytest.mark.parametrize("write", [lines, journal_json, journal_export])
def test_recordings_lie_in_a_file_in_any_order(write: Callable[..., bytes]) -> None:
    first, second = message([(">", "one", 0)]), message([(">", "two", 3)], 2, pos=1000)
    other = message([(">", "other", 0)], rec="r2")
    data = write(second, other, first)
    assert [moment.data for moment in moments(data, 0)] == [b"one", b"two"]
    assert moments(data, 0)[1].time == 1.003
    assert [moment.data for moment in moments(data, 1)] == [b"other"]


@pytest.mark.parametrize("write", [lines, journal_json, journal_export])
def test_it_is_told_from_its_content(write: Callable[..., bytes]) -> None:
    one = message([(">", "one", 0)])
    assert tlog.looks_like(write(one))
    assert tlog.looks_like(write(one, message([(">", "two", 3)], 2)))
    assert not tlog.looks_like(b'{"version": 2, "width": 80, "height": 24}\n[0.1, "o", "\\"timing\\""]\n')


def test_the_facts_are_those_of_the_first_message() -> None:
    first = message([(">", "x", 0)])
    first["timing"] = "=100x30" + first["timing"]
    file = BytesIO(b"Sep  1 web-03 tlog-rec[7]: " + lines(first))
    facts = tlog.read_facts(file, tlog.find_recordings(file, "x")[0], "x")
    assert (facts.user, facts.host, facts.term, facts.size) == ("alice", "web-03", "xterm", (100, 30))
    assert facts.start_ms == 1_788_264_005_250
    assert moments(lines(first))[0] == Moment(0.0, RESIZE, b"100x30")


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([1, 3], "message 2 of recording r1 is missing: 3 follows"),
        ([2], "1 .* missing"),
        ([1, 1], "1 .* there twice"),
    ],
)
def test_messages_that_are_missing_are_named(numbers: list[int], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        tlog.find_recordings(BytesIO(lines(*(message([], number) for number in numbers))), "x")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"timing": ">9"}, "asks for more than out_txt holds"),
        ({"timing": "]1/9"}, "asks for more than out_bin holds"),
        ({"timing": ">1"}, "leaves out a part"),
        ({"timing": ">2?"}, "not understood at '\\?'"),
        ({"timing": "=20000x1>2"}, "a terminal of 20000 by 1"),
        ({"out_bin": [256]}, "out_bin is not an array of bytes"),
        ({"pos": -1}, "pos is not a number"),
        ({"pos": 1e300}, "pos is not a number"),
        ({"ver": "3.0"}, 'tlog\'s format "3.0"'),
        ({"rec": None}, "rec is missing"),
        ({"id": 0}, "id is not a whole number"),
    ],
)
def test_messages_that_do_not_fit(change: dict[str, Any], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        moments(lines(message([(">", "ab", 0)]) | change))


@given(st.binary(max_size=300))
def test_a_cut_or_changed_file_is_an_error(junk: bytes) -> None:
    whole = lines(message([(">", "text", 5)]), message([(">", "more", 5)], 2))
    for data in (
        whole[:-1] + junk,
        junk,
        whole[: len(junk)],
        journal_export(message([]), message([], 2)) + junk,
    ):
        with suppress(FormatError):
            moments(data)


@given(st.text(alphabet="<>[]+=x/0123456789 ", max_size=30), st.text(max_size=10))
def test_any_timing_is_read_or_refused(timing: str, text: str) -> None:
    fields = Fields(message([]) | {"timing": timing, "out_txt": text}, "x")
    with suppress(FormatError):
        found = list(tlog.decode(fields, Clock(), "x"))
        assert "".join(moment.data.decode() for moment in found if moment.code == OUTPUT) == text
