import json
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.cast.events import ERROR, EXIT, INPUT, MARKER, OUTPUT, RESIZE
from recorder.errors import FormatError
from recorder.imports import sudo
from recorder.imports.moments import Moment

EVENTS = st.lists(
    st.tuples(st.integers(0, 4), st.binary(min_size=1, max_size=50), st.integers(0, 9_999)), max_size=20
)


def moments(timing: bytes, streams: Mapping[str, bytes], status: int | None = None) -> list[Moment]:
    files = {name: BytesIO(data) for name, data in streams.items()}
    return list(sudo.read_moments(timing.splitlines(keepends=True), files, sudo.Ended(status), "00/00/01"))


@given(EVENTS)
def test_streams_are_taken_apart_and_put_together(events: list[tuple[int, bytes, int]]) -> None:
    timing = b"".join(b"%d 0.%04d %d\n" % (kind, wait, len(data)) for kind, data, wait in events)
    streams = {
        name: b"".join(data for kind, data, _ in events if kind == number)
        for number, name in enumerate(sudo.STREAMS)
    }
    codes = [INPUT, OUTPUT, ERROR, INPUT, OUTPUT]
    found = moments(timing, streams)
    shown = [data.replace(b"\n", b"\r\n") if kind in {1, 2} else data for kind, data, _ in events]
    assert [(moment.code, moment.data) for moment in found] == [
        (codes[kind], data) for (kind, _, _), data in zip(events, shown, strict=True)
    ]


def test_sizes_signals_and_the_end() -> None:
    timing = b"4 0.5 2\n5 1.0 40 120\n7 0.25 TSTP\n6 0.25 1\n"
    assert moments(timing, {"ttyout": b"hi!"}, 300) == [
        Moment(0.5, OUTPUT, b"hi"),
        Moment(1.5, RESIZE, b"120x40"),
        Moment(1.75, MARKER, b"signal TSTP"),
        Moment(2.0, OUTPUT, b"!"),
        Moment(2.0, EXIT, b"255"),
    ]


def test_the_old_log() -> None:
    facts = sudo.read_old_facts(b"1788264005:alice:root::/dev/pts/3:24:80\n/home/alice\n/bin/ls -l\n", "x")
    assert (facts.user, facts.start_ms, facts.size) == ("alice", 1_788_264_005_000, (80, 24))
    assert facts.command == "/bin/ls -l"
    assert sudo.read_old_facts(b"1788264005:alice:root::/dev/pts/3\n/\n/bin/ls\n", "x").size is None


def test_the_new_log() -> None:
    document = {
        "timestamp": {"seconds": 1_788_264_005, "nanoseconds": 250_000_000},
        "submituser": "alice",
        "submithost": "web-03",
        "command": "/bin/ls",
        "runargv": ["ls", "-l"],
        "columns": 80,
        "lines": 24,
        "exit_value": 3,
    }
    facts, ended = sudo.read_json_facts(json.dumps(document, indent=4).encode() + b"\n", "x")
    assert (facts.user, facts.host, facts.start_ms) == ("alice", "web-03", 1_788_264_005_250)
    assert (facts.command, facts.size, ended.status) == ("/bin/ls -l", (80, 24), 3)


@pytest.mark.parametrize(
    ("timing", "said"),
    [
        (b"4 0.5 3\n", "timing:1, ttyout: ends 1 byte too early"),
        (b"3 0.5 3\n", "speaks of ttyin, which is not there"),
        (b"4 0.5 2\n4 0.5", "timing:2: is cut"),
        (b"4 0.5\n", "no line of sudo's times"),
        (b"9 0.5 2\n", "event 9 is not known"),
        (b"4 inf 2\n", "the delay is not a number"),
        (b"4 999999999 2\n", "no time in a session"),
        (b"5 0.1 99999 80\n", "a terminal of 80 by 99999"),
    ],
)
def test_what_does_not_fit(timing: bytes, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        moments(timing, {"ttyout": b"hi"})


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", b"a:b:c:d:e\n/\nls", b"\xff:::::\n\n\n", b"99999999999999999:a:b:c:d\n\n\n"]
)
def test_logs_that_are_none(data: bytes) -> None:
    with pytest.raises(FormatError):
        sudo.read_old_facts(data, "x")
    with pytest.raises(FormatError):
        sudo.read_json_facts(data, "x")


@given(st.binary(max_size=100))
def test_garbage_is_an_error_or_nothing(data: bytes) -> None:
    for read in (lambda: moments(data, {"ttyout": data}), lambda: sudo.read_old_facts(data, "x")):
        with suppress(FormatError):
            read()
