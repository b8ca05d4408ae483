"""Commands in a real terminal: width, pager, progress, the library."""

import os
import sys
from pathlib import Path

import click
import pexpect
import pytest

from recorder.cli.progress import Progress
from recorder.cli.settings import Settings
from recorder.errors import ExitCode
from tests.cli.conftest import COMMAND, Run
from tests.marks import needs


def spawn(*arguments: str, rows: int = 24, columns: int = 80, **environment: str) -> "pexpect.spawn[str]":
    return pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], *arguments],
        env=os.environ | environment,
        dimensions=(rows, columns),
        encoding="utf-8",
        timeout=120,
    )


def leave(child: "pexpect.spawn[str]", keys: str = "") -> tuple[int | None, str]:
    """Exit status and what was written since the last look."""
    child.send(keys)
    try:
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    return child.exitstatus, child.before or ""


def in_terminal(*arguments: str, rows: int = 24, columns: int = 80, **extra: str) -> tuple[int | None, str]:
    return leave(spawn(*arguments, rows=rows, columns=columns, **extra))


def test_a_list_is_as_wide_as_the_terminal_with_short_ids_and_a_footer(ids: list[str]) -> None:
    code, text = in_terminal("ls", columns=60)
    lines = click.unstyle(text).splitlines()
    assert code == 0
    assert all(len(line) <= 60 for line in lines[:-1])
    assert ids[2].partition("-")[2] in text
    assert ids[2] not in text
    assert lines[-1].startswith("3 of 3 sessions. Open: sealcast play ")


def test_a_short_list_says_how_to_see_more(ids: list[str]) -> None:
    assert "1 of 3 sessions. Show more: -n 3." in in_terminal("ls", "-n", "1")[1]


def test_no_colour_where_none_is_wanted(store: Path) -> None:
    assert "\x1b[1m" in in_terminal("ls")[1]
    assert "\x1b" not in in_terminal("ls", NO_COLOR="1")[1]
    assert "\x1b" not in in_terminal("ls", "--color", "never")[1]
    assert "\x1b" not in in_terminal("ls", TERM="dumb")[1]


@needs("less")
def test_what_is_longer_than_the_screen_is_paged(ids: list[str]) -> None:
    child = spawn("cat", ids[2], rows=10)
    child.expect(":")
    assert leave(child, "q")[0] == ExitCode.OK


def test_paging_can_be_turned_off(ids: list[str]) -> None:
    assert "after" in in_terminal("cat", "--no-pager", ids[2], rows=10)[1]
    assert "after" in in_terminal("cat", ids[2], rows=10, SEALCAST_PAGER="")[1]
    assert "paged" in in_terminal("cat", ids[2], rows=10, SEALCAST_PAGER="echo paged; cat >/dev/null;")[1]


@pytest.mark.slow
def test_alone_it_opens_the_library(store: Path) -> None:
    child = spawn()
    child.expect("In a terminal")
    assert leave(child, "q")[0] == ExitCode.OK


@pytest.mark.slow
def test_a_query_opens_the_library_with_it(store: Path) -> None:
    child = spawn("exit:7", "-title:nothing")
    child.expect("Web upgrade")
    assert "In a terminal" not in (child.before or "")
    child.sendcontrol("q")
    assert leave(child)[0] == ExitCode.OK


@pytest.mark.slow
def test_play_opens_the_player_at_a_moment(ids: list[str]) -> None:
    child = spawn("play", f"{ids[2]}@0.1")
    child.expect("00:00.1 / ")
    assert leave(child, "q")[0] == ExitCode.OK


def test_progress_waits_half_a_second_and_goes_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [100.0]
    monkeypatch.setattr("recorder.cli.progress.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress("verifying", 200, Settings()) as progress:
        progress.update(10)
        assert capsys.readouterr().err == ""
        clock[0] += 1.0
        progress.update(50)
        assert capsys.readouterr().err == "\r\x1b[K  verifying 50 of 200 (25%, about 3.0s left)"
    assert capsys.readouterr().err == "\r\x1b[K"


def test_progress_without_a_terminal_is_silent_or_a_line_per_tenth(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for verbosity, lines in ((0, 0), (1, 9)):
        with Progress("verifying", 1000, Settings(verbosity=verbosity)) as progress:
            for done in range(1001):
                progress.update(done)
        assert len(capsys.readouterr().err.splitlines()) == lines


def test_quiet_says_nothing_but_errors(cli: Run, store: Path) -> None:
    assert cli("ls", "-q", "user:nobody").err == ""
    assert cli("ls", "-q", "usr:x").err.startswith("sealcast: query")
