"""`sealcast cat`: what a terminal showed, as text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.cast.events import OUTPUT, RESIZE, Event
from recorder.commands.transcript import transcribe
from recorder.errors import ExitCode
from tests.cli.conftest import Run
from tests.cli.test_ls import damage


def transcript(*output: str, columns: int = 20, rows: int = 4) -> list[str]:
    events = [Event(float(time), OUTPUT, text) for time, text in enumerate(output)]
    return [line.text for line in transcribe(columns, rows, events)]


def test_lines_that_scrolled_and_lines_that_stayed_once_each_in_order() -> None:
    assert transcript("".join(f"{number}\r\n" for number in range(20))) == [
        str(number) for number in range(20)
    ]


def test_wrapped_lines_are_whole_again() -> None:
    assert transcript("x" * 50 + "\r\n", "a\r\nb\r\nc\r\nd\r\ne") == ["x" * 50, "a", "b", "c", "d", "e"]


def test_a_cleared_screen_is_not_lost() -> None:
    assert transcript("before\r\n", "\x1b[H\x1b[2Jafter") == ["before", "after"]
    assert transcript("before\r\n\x1b[H\x1b[2J\x1b[3Jafter") == ["before", "after"]
    assert transcript("before\r\n\x1bcafter") == ["before", "after"]


def test_lines_given_out_before_a_program_are_not_repeated_after_it() -> None:
    lines = transcript(
        "one\r\ntwo\r\n", "\x1b[?1049hinside", "\x1b[?1049l", "three\r\n", "a\r\nb\r\nc\r\nd\r\n"
    )
    assert lines == ["one", "two", "[full-screen program, 1.0 s]", "three", "a", "b", "c", "d"]


def test_equal_and_blank_lines_are_all_there() -> None:
    assert transcript("x\r\n\r\n\r\nx\r\n\r\nx\r\n" * 3 + "end") == [*["x", "", "", "x", "", "x"] * 3, "end"]


def test_blank_lines_after_a_clear_are_there() -> None:
    lines = transcript("a\r\n\r\nb", "\x1b[2J\x1b[H", "c\r\n\r\n\r\n\r\n\r\nd")
    assert lines == ["a", "", "b", "c", "", "", "", "", "d"]


def test_a_program_that_never_ended_is_named() -> None:
    assert transcript("$ vi\r\n", "\x1b[?1049h~\r\n~") == ["$ vi", "[full-screen program, 0.0 s]"]


def test_control_bytes_do_not_come_out() -> None:
    text = "\n".join(transcript("\x1b]0;t\x07a\x1b]52;c;eA==\x07b\x9b31mc\x1bPq\x1b\\d\x07\x00e\u202ef"))
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text.replace("\n", ""))
    assert "\u202e" not in text


def test_times_are_when_a_line_last_changed() -> None:
    events = [
        Event(1.0, OUTPUT, "one\r\ntw"),
        Event(2.5, OUTPUT, "o\r\n"),
        Event(9.0, OUTPUT, "a\r\nb\r\nc\r\n"),
    ]
    assert [(line.time, line.text) for line in transcribe(20, 4, events)] == [
        (1.0, "one"),
        (2.5, "two"),
        (9.0, "a"),
        (9.0, "b"),
        (9.0, "c"),
    ]


def test_line_feeds_end_lines_where_there_was_no_terminal() -> None:
    events = [Event(0.0, OUTPUT, "one\ntwo\n"), Event(0.1, OUTPUT, "three")]
    lines = [line.text for line in transcribe(20, 4, events, bare_line_feeds=True)]
    assert lines == ["one", "two", "three"]
    assert [line.text for line in transcribe(20, 4, events)] == ["one", "   two", "      three"]


def test_sizes_that_are_none_are_ignored() -> None:
    events = [Event(0.0, RESIZE, "9999999999999x1"), Event(0.1, RESIZE, "axb"), Event(0.2, OUTPUT, "fine")]
    assert [line.text for line in transcribe(80, 24, events)] == ["fine"]


@settings(max_examples=60)
@given(st.lists(st.text(alphabet="ab \r\n\x1b[2JH?1049hl;5c", max_size=30), max_size=8))
def test_any_output_gives_a_transcript(output: list[str]) -> None:
    for line in transcript(*output):
        assert "\n" not in line
        assert "\x1b" not in line


def test_a_recorded_terminal(cli: Run, ids: list[str]) -> None:
    lines = cli("cat", ids[2]).out.splitlines()
    assert [line for line in lines if line.isdigit()] == [str(number) for number in range(1, 31)]
    assert "x" * 90 in lines
    assert any(line.startswith("[full-screen program, ") for line in lines)
    assert "inside" not in lines
    assert lines.index("kept") < lines.index("after")


def test_hostile_output_is_harmless(cli: Run, ids: list[str]) -> None:
    result = cli("cat", ids[0])
    assert "\x1b" not in result.out
    assert "plain" in result.out
    assert "owned" not in result.out


def test_a_session_of_pipes(program: Run, home: Path) -> None:
    assert program("rec", "-q", "--", "printf", "one\\ntwo\\n").out == "one\ntwo\n"
    session = program("ls", "-0").out.rstrip("\0")
    assert program("cat", session).out == "one\ntwo\n"


def test_raw_is_every_byte(program: Run, ids: list[str], home: Path) -> None:
    done = program("cat", "--raw", ids[0])
    assert done.out.startswith("\x1b]0;owned\x07\x1b]52;c;ZWNobw==\x07\x1b[2Jplain ")


def test_max_lines_says_that_it_cut(cli: Run, ids: list[str]) -> None:
    result = cli("cat", "--max-lines", "2", ids[2])
    assert len(result.out.splitlines()) == 2
    assert result.err == "sealcast: cut after 2 lines\n"


def test_a_span_by_time(cli: Run, ids: list[str]) -> None:
    assert cli("cat", f"{ids[2]}@1h..2h").out == ""
    assert cli("cat", f"{ids[2]}@0..1h").out == cli("cat", ids[2]).out


def test_times_in_front(cli: Run, ids: list[str]) -> None:
    assert all(line.startswith("00:0") for line in cli("cat", "--with-times", ids[2]).out.splitlines())


def test_what_is_wrong_is_said_first(cli: Run, store: Path, ids: list[str]) -> None:
    damage(store, ids[1])
    result = cli("cat", ids[1])
    assert result.code == 0
    assert result.err.startswith("sealcast: ✗ ")


@pytest.mark.parametrize("text", ["nope", "sealcast://nope", "/no/such.cast"])
def test_targets_that_are_not_there(cli: Run, store: Path, text: str) -> None:
    result = cli("cat", text)
    assert result.code == ExitCode.TARGET
    assert result.out == ""


def test_what_is_no_recording(cli: Run, store: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello\n")
    result = cli("cat", str(tmp_path / "notes.txt"))
    assert result.code == ExitCode.FORMAT
    assert "is not an asciicast" in result.err
