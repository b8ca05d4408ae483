"""The commands of a session as the player shows them, without a screen."""

from datetime import UTC, datetime

import pytest

from recorder.commands import Command, Span
from recorder.errors import SealcastError
from tui.cells import clean, row_width
from tui.commands import Commands
from tui.recording import Mark
from tui.screens.command_rows import (
    clock_label,
    command_row,
    detail_parts,
    mark_row,
    number_part,
    typed_command,
)

START = datetime(2026, 9, 12, 14, 2, 11, tzinfo=UTC)


def command(
    start: float, status: int | None = 0, text: str = "true", *, end: float | None = None, level: int = 0
) -> Command:
    return Command(text, start, end, Span(0, 0), status, "/root", level, None, "$ ", "both", ())


def text_of(found: Command, cells: int = 45) -> str:
    return "".join(part.text for part in command_row(found, "14:02:14", cells))


def test_they_stand_in_the_order_in_which_they_were_typed() -> None:
    found = Commands([command(3), command(1, level=1), command(1), command(2)])
    assert [(item.start_s, item.level) for item in found.items] == [(1, 0), (1, 1), (2, 0), (3, 0)]


@pytest.mark.parametrize(("position", "index"), [(0, None), (0.99, None), (1, 0), (1.5, 0), (2, 1), (99, 2)])
def test_the_playhead_is_in_the_last_one_accepted(position: float, index: int | None) -> None:
    assert Commands([command(1), command(2), command(3)]).at(position) == index


def test_neighbours_and_those_that_failed() -> None:
    found = Commands([command(1), command(2, 1), command(3, None), command(4, 130)])
    assert [found.neighbour(here, 1) for here in (None, 0, 3)] == [0, 1, None]
    assert [found.neighbour(here, -1) for here in (None, 0, 3)] == [None, None, 2]
    assert [found.neighbour(here, 1, only_failed=True) for here in (None, 1, 3)] == [1, 3, None]
    assert [found.neighbour(here, -1, only_failed=True) for here in (None, 1, 3)] == [None, None, 1]
    assert (found.times(of_failed=True), found.times(of_failed=False)) == ([2, 4], [1, 3])


@pytest.mark.parametrize("cells", [45, 63, 30])
@pytest.mark.parametrize("text", ["true", "x" * 4000, "日本" * 900, "a\x1b]0;t\x07\u202eb", ""])
@pytest.mark.parametrize("status", [0, 127, None])
def test_a_row_is_as_wide_as_there_is_room(cells: int, text: str, status: int | None) -> None:
    row = command_row(command(1, status, text, level=99), "14:02:14", cells)
    assert row_width(row) == cells
    assert clean("".join(part.text for part in row)) == "".join(part.text for part in row)


def test_what_a_row_says() -> None:
    assert text_of(command(3, 1, "psql -h db", end=13)) == f" 14:02:14  {'psql -h db':25} ✗1   10s"
    assert text_of(command(3, 0, "vi", end=67)).endswith("vi" + " " * 26 + " 1m04s")
    assert text_of(command(3, None, "sudo -i", end=5.1)).endswith(" ?  2.1s")
    assert text_of(command(3, None, "top")).endswith(" …     …")
    assert "    two levels down" in text_of(command(3, 0, "two levels down", level=2))


def test_when_nobody_knows_the_start_rows_tell_offsets() -> None:
    assert clock_label(3, START, UTC) == "14:02:14"
    assert clock_label(3725, None, UTC) == "1:02:05"
    row = mark_row(Mark(3, "a\x1bmark"), "00:03", 40)
    assert "".join(part.text for part in row).rstrip() == " 00:03     ◆ a␛mark"


def test_the_number_says_whether_more_may_come() -> None:
    assert number_part(Commands(), None) == []
    found = [command(1), command(2)]
    assert number_part(Commands(found), None)[0].text == "  cmd 0/2+"
    assert number_part(Commands(found, complete=True), 1)[0].text == "  cmd 2/2"


def test_details_take_the_room_there_is() -> None:
    found = command(1, 1, "kubectl -n shop rollout status deploy/checkout", end=2)
    for room in range(80):
        assert row_width(detail_parts(found, room)) <= room
    assert (
        "".join(part.text for part in detail_parts(found, 40)) == "  kubectl -n shop rollou…  exit 1  /root"
    )
    assert [part.text for part in detail_parts(command(1, None), 80)][1] == "  not finished"
    assert [part.text for part in detail_parts(command(1, None, end=2), 80)][1] == "  exit ?"


@pytest.mark.parametrize("text", ["cmd 2", "cmd:2", "CMD2", " cmd 2 ", "k7f3q9xw@cmd:2"])
def test_a_typed_number_is_a_command(text: str) -> None:
    found = Commands([command(1), command(2)])
    assert typed_command(text, found) is found.items[1]
    assert typed_command("12:34", found) is None


@pytest.mark.parametrize("text", ["cmd 0", "cmd 3", "cmd 999999999"])
def test_a_number_of_none_is_refused(text: str) -> None:
    with pytest.raises(SealcastError, match="the last is cmd 2"):
        typed_command(text, Commands([command(1), command(2)]))
    with pytest.raises(SealcastError, match="no commands are known"):
        typed_command(text, Commands())
