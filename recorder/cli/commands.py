"""`sealcast commands`: what was run in a session."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from recorder.cast.reader import EventReader, open_events
from recorder.cli import output
from recorder.cli.pages import Verb
from recorder.cli.recordings import check_before_showing, names_of, open_target
from recorder.cli.settings import Settings, settings_of
from recorder.cli.stores import TargetType, open_store
from recorder.commands import VERSION, Command, ForgedMark, extract
from recorder.errors import ExitCode
from recorder.safe_text import safe
from recorder.store.targets import Target, resolve

SCHEMA = "sealcast.commands/1"
_PLAIN = "start_s end_s start exit level inside cwd evidence flags seen command".split()  # noqa: SIM905  one column, one word


@dataclass(slots=True)
class Reading:
    """The commands of a recording while they are read, and what could not be."""

    start: datetime | None
    """When the recording began; a file need not tell."""
    skipped: int = 0
    """Lines of the recording passed over so far."""
    forged: list[ForgedMark] = field(default_factory=list)
    """Marks that programs wrote and only a shell may."""

    def at(self, seconds: float) -> datetime | None:
        """The wall clock at a place in the recording."""
        return None if self.start is None else self.start + timedelta(seconds=seconds)

    def begin(self, timestamp: int | None) -> None:
        """Takes the start from a header, unless it is known."""
        if self.start is None and timestamp is not None:
            self.start = datetime.fromtimestamp(timestamp, UTC)


@click.command(
    cls=Verb,
    examples=[
        ("sealcast commands k7f3q9xw", "what was run, and when"),
        ("sealcast commands --jsonl k7f3q9xw | jq -r .text", "for a program"),
        ("sealcast commands k7f3q9xw@5m..10m", "a part of the session"),
    ],
    codes=[ExitCode.OK, ExitCode.NO, ExitCode.USAGE, ExitCode.TARGET, ExitCode.FORMAT],
    topics=["time", "json"],
)
@click.argument("target", type=TargetType(), metavar="TARGET[@T1..T2]")
@click.option("--json", "form", flag_value="json", help="One JSON document.")
@click.option("--jsonl", "form", flag_value="jsonl", help="One JSON object per line, each when it is found.")
@click.option("--plain", "form", flag_value="plain", help="Tab-separated with one header line.")
@click.pass_context
def commands(context: click.Context, *, target: str, form: str | None) -> int:
    """Print what was run in a session.

    Commands are read off what the terminal showed: every line that was typed at a prompt and accepted, in the
    recorded shell and in shells and interpreters started from it, indented by their depth. Where the recorded
    shell reported what it ran, its text, exit status and directory are told; if the screen showed another
    text, that follows. The exit status is ? where it is not known. Times are offsets into the recording.
    """
    settings = settings_of(context)
    store = open_store(settings)
    found = resolve(store, target)
    check_before_showing(store, found, settings)
    reading = Reading(found.session.start if found.session else None)
    if form == "jsonl":
        code = _write_as_found(read_commands(found, reading))
        _note_findings(reading, settings)
        return code
    items = in_order(read_commands(found, reading))
    _note_findings(reading, settings)
    if form == "json":
        output.write_json(_document(found, items, reading))
        return ExitCode.OK
    output.write_lines(_plain(items, reading) if form == "plain" else _table(items), settings)
    if not items and form is None:
        settings.note("no commands in this recording")
    return ExitCode.OK if items else ExitCode.NO


def read_commands(target: Target, reading: Reading) -> Iterator[Command]:
    """The commands of the target's part of the recording, each when it ends."""
    start, end = target.at or 0.0, float("inf") if target.until is None else target.until
    with open_target(target) as file:
        header, events = open_events(file, names_of(target).full, lenient=True)
        reading.begin(header.timestamp)
        until = itertools.takewhile(lambda event: event.time <= end, events)
        for command in extract(header, until, reading.forged):
            if command.start_s >= start:
                yield command
        reading.skipped = events.skipped if isinstance(events, EventReader) else 0


def count_commands(target: Target) -> int:
    """How many commands were run; those typed into others count as well."""
    return sum(1 for _ in read_commands(target, Reading(None)))


def in_order(commands_found: Iterable[Command]) -> list[Command]:
    """By the time they were typed: one that contains others comes before them."""
    return sorted(commands_found, key=lambda command: (command.start_s, command.level))


def item(command: Command) -> dict[str, Any]:
    """A command as programs get it."""
    duration = None if command.end_s is None else round(command.end_s - command.start_s, 6)
    return {
        "text": command.text,
        "start_s": command.start_s,
        "end_s": command.end_s,
        "duration_s": duration,
        "exit_status": command.exit_status,
        "cwd": command.cwd,
        "level": command.level,
        "inside": command.inside,
        "prompt": command.prompt,
        "evidence": command.evidence,
        "seen": command.seen,
        "flags": list(command.flags),
        "output": {"start": command.output.start, "end": command.output.end},
    }


def _write_as_found(found: Iterable[Command]) -> ExitCode:
    code = ExitCode.NO
    for command in found:
        output.write_json(item(command), one_line=True)
        code = ExitCode.OK
    return code


def _document(target: Target, items: list[Command], reading: Reading) -> dict[str, Any]:
    complete = reading.skipped == 0
    return {
        "schema": SCHEMA,
        "extraction": VERSION,
        "session": target.session.id if target.session else None,
        "start": output.rfc3339(reading.start),
        "total": len(items),
        "complete": complete,
        "reason": None if complete else f"{reading.skipped} unreadable lines",
        "items": [item(command) for command in items],
        "forged_marks": [{"time_s": mark.time, "mark": mark.text} for mark in reading.forged],
    }


def _table(items: Iterable[Command]) -> Iterator[str]:
    rows = [
        [
            output.offset(command.start_s),
            "…" if command.end_s is None else output.length(command.end_s - command.start_s),
            "?" if command.exit_status is None else str(command.exit_status),
            "  " * command.level + safe(command.text) + _remarks(command),
        ]
        for command in items
    ]
    return output.table([["AT", "LENGTH", "EXIT", "COMMAND"], *rows], frozenset({1, 2})) if rows else iter(())


def _remarks(command: Command) -> str:
    remarks = f"   [{', '.join(command.flags)}]" if command.flags else ""
    return remarks if command.seen is None else f"{remarks}   on the screen: {safe(command.seen)}"


def _plain(items: Iterable[Command], reading: Reading) -> Iterator[str]:
    yield "\t".join(_PLAIN)
    for command in items:
        values = (
            f"{command.start_s:.6f}",
            "" if command.end_s is None else f"{command.end_s:.6f}",
            output.rfc3339(reading.at(command.start_s)) or "",
            "" if command.exit_status is None else str(command.exit_status),
            str(command.level),
            safe(command.inside or ""),
            safe(command.cwd or ""),
            command.evidence,
            ",".join(command.flags),
            safe(command.seen or "", 100_000),
            safe(command.text, 100_000),
        )
        yield "\t".join(values)


def text_lines(command: Command) -> Iterator[str]:
    """Its lines, safe to show."""
    return (safe(line, 100_000) for line in command.text.split("\n"))


def _note_findings(reading: Reading, settings: Settings) -> None:
    if reading.forged:
        first = output.offset(reading.forged[0].time)
        settings.note(f"programs wrote marks that only a shell may, first at {first}; they count for nothing")
    note_unread(reading.skipped, settings)


def note_unread(lines: int, settings: Settings) -> None:
    """Says on stderr how much of a recording was passed over."""
    if lines:
        settings.note(f"{lines:,} lines of the recording could not be read")
