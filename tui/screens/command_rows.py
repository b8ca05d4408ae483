"""What the sidebar, the status row and the prompt say of commands. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from recorder.commands import Command
from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe
from tui.cells import Part, fit, width
from tui.commands import Commands, failed
from tui.recording import Mark
from tui.times import length_label, offset_label

READING = ("… reading the commands",)
NONE_FOUND = ("No commands in this recording", "nothing was seen typed at a prompt", "")
_TYPED = re.compile(r"(?:.*@)?cmd[ :]?\s*(\d{1,9})", re.ASCII | re.IGNORECASE)
_TIME, _EXIT, _LENGTH = 8, 3, 6
"""Cells of the columns; a longer exit status takes of the text."""
_DEEPEST = 4
"""Levels that are indented."""
_LONGEST = 2000
_SHORTEST_TEXT = 8
_LONGEST_CWD = 24


def clock_label(time: float, start: datetime | None, zone: tzinfo) -> str:
    """`14:02:14`; the offset where nobody knows when the recording began."""
    if start is None:
        return offset_label(time)
    return f"{(start + timedelta(seconds=time)).astimezone(zone):%H:%M:%S}"


def command_row(command: Command, when: str, cells: int) -> list[Part]:
    """Wall time, text, exit status where it is not 0, and how long it took; in exactly `cells` cells."""
    text = "  " * min(command.level, _DEEPEST) + safe(command.text, _LONGEST)
    status = f" {_status(command)}"
    room = max(0, cells - 3 - _TIME - max(_EXIT, len(status)) - _LENGTH)
    return [
        Part(f" {fit(when, _TIME)}  ", "dim"),
        Part(fit(text, room), "strong" if failed(command) else "text"),
        Part(f"{status:>{_EXIT}}", "warn" if failed(command) else "text"),
        Part(f"{_took(command):>{_LENGTH}}", "dim"),
    ]


def mark_row(mark: Mark, when: str, cells: int) -> list[Part]:
    """A mark of a recording without commands."""
    label = safe(mark.label, _LONGEST) or "mark"
    return [Part(f" {fit(when, _TIME)}  ", "dim"), Part(fit(f"◆ {label}", max(0, cells - 3 - _TIME)))]


def number_part(commands: Commands, here: int | None) -> list[Part]:
    """`cmd 11/15`, with a `+` while more may come; nothing where there are none."""
    count = len(commands.items)
    if not count:
        return []
    more = "" if commands.complete else "+"
    return [Part(f"  cmd {0 if here is None else here + 1}/{count}{more}")]


def detail_parts(command: Command, room: int) -> Sequence[Part]:
    """Text, exit status and directory of a command in at most `room` cells; nothing where that is little."""
    status = Part(f"  {_spelled(command)}", "strong" if failed(command) else "text")
    cwd = safe(command.cwd or "", _LONGEST)
    parts = [status, *([Part(f"  {fit(cwd, min(width(cwd), _LONGEST_CWD))}")] if cwd else [])]
    text = safe(command.text, _LONGEST)
    left = room - 2 - sum(width(part.text) for part in parts)
    if left < _SHORTEST_TEXT:
        return [status] if width(status.text) <= room else []
    return [Part(f"  {fit(text, min(width(text), left))}"), *parts]


def typed_command(text: str, commands: Commands) -> Command | None:
    """The command that `cmd 11` means; None for other texts. `SealcastError` where there is no such one."""
    match = _TYPED.fullmatch(text.strip())
    if match is None:
        return None
    number, count = int(match[1]), len(commands.items)
    if 1 <= number <= count:
        return commands.items[number - 1]
    known = f"the last is cmd {count}" if count else "no commands are known"
    raise SealcastError(f"no cmd {number}: {known}", code=ExitCode.USAGE)


def _status(command: Command) -> str:
    if command.exit_status is None:
        return "…" if command.end_s is None else "?"
    return f"✗{command.exit_status}" if command.exit_status else ""


def _spelled(command: Command) -> str:
    if command.exit_status is None:
        return "not finished" if command.end_s is None else "exit ?"
    return f"exit {command.exit_status}"


def _took(command: Command) -> str:
    return "…" if command.end_s is None else length_label(max(0.0, command.end_s - command.start_s))
