from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.cast.events import EXIT, INPUT, MARKER, OUTPUT, RESIZE
from recorder.errors import FormatError
from recorder.imports import script
from recorder.imports.moments import Moment

HEADER = (
    b'Script started on 2026-09-01 14:00:05+02:00 [TERM="xterm" TTY="/dev/pts/1" COLUMNS="100" LINES="30"]\n'
)
DONE = b'\nScript done on 2026-09-01 14:01:00+02:00 [COMMAND_EXIT_CODE="3"]\n'
BLOCKS = st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=100)), max_size=20)
"""Milliseconds before, and bytes."""


def entries(times: bytes) -> list[script.Entry]:
    return list(script.read_entries(times.splitlines(keepends=True), "x.timing"))


def moments(times: bytes, output: bytes, typed: bytes | None = None) -> list[Moment]:
    log = None if typed is None else BytesIO(typed)
    return list(script.read_moments(entries(times), BytesIO(output), log, "x.timing"))


@given(BLOCKS)
def test_the_classic_form(blocks: list[tuple[int, bytes]]) -> None:
    times = b"".join(b"%d.%06d %d\n" % (*divmod(wait * 1000, 1_000_000), len(data)) for wait, data in blocks)
    found = moments(times, HEADER + b"".join(data for _, data in blocks) + DONE)
    assert [moment.data for moment in found] == [*(data for _, data in blocks), b"3"]
    total = 0
    for (wait, _), moment in zip(blocks, found, strict=False):
        total += wait
        assert moment.time == pytest.approx(total / 1000)
    assert found[-1].code == EXIT


@given(
    st.lists(st.tuples(st.sampled_from("IO"), st.binary(min_size=1, max_size=60)), max_size=20), st.booleans()
)
def test_the_advanced_form_with_one_log_or_two(blocks: list[tuple[str, bytes]], together: bool) -> None:
    times = b"".join(b"%b 0.010000 %d\n" % (kind.encode(), len(data)) for kind, data in blocks)
    logs = {kind: b"".join(data for other, data in blocks if other == kind) for kind in "IO"}
    if together:
        log = BytesIO(HEADER + b"".join(data for _, data in blocks) + DONE)
        found = list(script.read_moments(entries(times), log, log, "x.timing"))
    else:
        found = moments(times, HEADER + logs["O"] + DONE, HEADER + logs["I"] + DONE)
    codes = {"I": INPUT, "O": OUTPUT}
    assert [(moment.code, moment.data) for moment in found[:-1]] == [
        (codes[kind], data) for kind, data in blocks
    ]


def test_signals_and_facts() -> None:
    times = (
        b"H 0.000000 START_TIME 2026-09-01 14:00:05+02:00\nH 0.000000 COLUMNS 90\nH 0.000000 LINES 20\n"
        b"H 0.000000 COMMAND bash -l\nO 0.500000 2\n"
        b"S 1.000000 SIGWINCH ROWS=40 COLS=120\nS 0.250000 SIGTERM\n"
        b"H 0.000000 EXIT_CODE 143\n"
    )
    assert moments(times, HEADER + b"hi" + DONE) == [
        Moment(0.5, OUTPUT, b"hi"),
        Moment(1.5, RESIZE, b"120x40"),
        Moment(1.75, MARKER, b"signal SIGTERM"),
        Moment(1.75, EXIT, b"143"),
    ]
    facts = script.read_facts(HEADER, script.named_logs(entries(times)), "x")
    assert (facts.size, facts.command, facts.start_ms) == ((90, 20), "bash -l", 1_788_264_005_000)


@pytest.mark.parametrize(
    ("header", "start_ms"),
    [
        (b"Script started on 2026-09-01 14:00:05+02:00\n", 1_788_264_005_000),
        (b"Script started on Tue Sep  1 12:00:05 2026\n", 1_788_264_005_000),
        (b"Script started on Tue 01 Sep 2026 12:00:05 PM UTC\n", 1_788_264_005_000),
        (b"Script started on a fine day\n", None),
        (b"no header at all\n", None),
    ],
)
def test_dates_of_many_versions(header: bytes, start_ms: int | None) -> None:
    assert script.read_facts(header, {}, "x").start_ms == start_ms


def test_the_header_tells_size_terminal_and_command() -> None:
    attributes = b'COMMAND="echo "a" [b]" TERM="vt100" COLUMNS="5" LINES="6"'
    header = b"Script started on 2026-09-01 12:00:05+00:00 [" + attributes + b"]\n"
    facts = script.read_facts(header, {}, "x")
    assert (facts.command, facts.term, facts.size) == ('echo "a" [b]', "vt100", (5, 6))


def test_without_times_all_of_it_is_there() -> None:
    text = b"line\r\n" * 20_000
    found = list(script.read_untimed(BytesIO(HEADER + text + DONE)))
    assert b"".join(moment.data for moment in found[:-1]) == text
    assert found[-1] == Moment(0.0, EXIT, b"3")


@given(st.integers(0, 40_000), st.integers(0, 5000))
def test_the_last_line_is_found_wherever_pieces_end(before: int, after: int) -> None:
    text = b"x" * before + b"\nScript done on paper\n" + b"y" * after
    found = list(script.read_untimed(BytesIO(HEADER + text + DONE)))
    assert b"".join(moment.data for moment in found if moment.code == OUTPUT) == text


@pytest.mark.parametrize(
    ("times", "output", "said"),
    [
        (b"0.1 5\n", b"abc", "x.timing:1: ends 2 bytes too early"),
        (b"0.1 3\n", b"abcdef", "goes on behind the last time"),
        (b"0.1 3\n0.1", b"abc", "x.timing:2: is cut"),
        (b"0.1 999999999999999999\n", b"abc", "the number of bytes is not a whole number"),
        (b"nan 3\n", b"abc", "no line of times"),
        (b"999999999.0 3\n", b"abc", "is no time in a session"),
        (b"S 0.1 SIGWINCH ROWS=99999 COLS=1\n", b"", "a terminal of 1 by 99999"),
    ],
)
def test_times_that_do_not_fit(times: bytes, output: bytes, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        moments(times, HEADER + output)


@given(st.binary(max_size=120), st.binary(max_size=60))
def test_garbage_is_an_error_or_nothing(times: bytes, output: bytes) -> None:
    script.read_facts(output, {}, "x")
    list(script.read_untimed(BytesIO(output)))
    with suppress(FormatError):
        moments(times, output)
