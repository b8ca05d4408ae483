"""What `sealcast export` writes: a recording as another cast, as text, and as a Markdown document."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from recorder.cast.events import ELISION, FILE, Event
from recorder.cast.header import Header
from recorder.cast.ledger import CODES
from recorder.cast.reader import EventReader, iter_input, open_events
from recorder.cli import output
from recorder.cli.commands import Reading, in_order, read_commands
from recorder.cli.recordings import is_without_terminal, names_of, open_target
from recorder.cli.settings import Settings
from recorder.commands import Command
from recorder.commands.transcript import Transcript, transcribe
from recorder.export.casts import copy_v2, copy_v3
from recorder.export.markdown import (
    Entry,
    Shown,
    command_section,
    heading,
    operation_section,
    text_section,
)
from recorder.export.outputs import LONGEST_LINE, Told, with_output
from recorder.export.survey import Operation, Survey, operation_of, remark_of, survey
from recorder.safe_text import safe
from recorder.store.targets import Target
from recorder.store.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Source:
    """A recording that was gone through once."""

    target: Target
    verdict: Verdict
    survey: Survey
    settings: Settings
    max_lines: int

    @contextmanager
    def events(self) -> Iterator[tuple[Header, Iterator[Event]]]:
        """Its header and events, from the start."""
        with open_target(self.target) as file:
            yield open_events(file, names_of(self.target).full, lenient=True)

    def reading(self) -> Reading:
        """For its commands."""
        return Reading(self.target.session.start if self.target.session else None)


def surveyed(target: Target) -> Survey:
    """What the recording says beside its output."""
    with open_target(target) as file:
        _header, events = open_events(file, names_of(target).full, lenient=True)
        found = survey(events)
        found.unread = events.skipped if isinstance(events, EventReader) else 0
    return found


def lines_of(source: Source, form: str) -> Iterator[bytes]:
    """The lines of `form`: cast, cast3, md or txt."""
    if form in ("cast", "cast3"):
        return _copy(source, copy_v3 if form == "cast3" else copy_v2)
    lines = _markdown(source) if form == "md" else _text(source)
    return (f"{line}\n".encode("utf-8", "replace") for line in lines)


def _copy(source: Source, copy: Callable[..., Iterator[bytes]]) -> Iterator[bytes]:
    commands = in_order(read_commands(source.target, source.reading()))
    with source.events() as (header, events):
        yield from copy(header, events, commands, source.survey)


# ── text ──────────────────────────────────────────────────────────────────────


def _text(source: Source) -> Iterator[str]:
    """The transcript; what the recording says beside it stands in brackets behind it."""
    yield from _transcript(source)
    with source.events() as (_header, events):
        for event in events:
            if event.code in CODES and event.code != ELISION:
                yield f"[{safe(remark_of(event))}]"
    yield from (f"[not in this file: {safe(loss)}]" for loss in source.survey.losses())
    if source.survey.input_bytes:
        yield f"[{source.survey.input_bytes:,} bytes of input are recorded: sealcast cat --input shows them]"


def _transcript(source: Source) -> Iterator[str]:
    with source.events() as (header, events):
        shown = (event for event in events if event.code not in CODES)
        bare = is_without_terminal(header)
        for line in transcribe(header.width, header.height, shown, bare_line_feeds=bare):
            yield line.text


# ── Markdown ──────────────────────────────────────────────────────────────────


class _Page:
    """A transcript of one command's output."""

    def __init__(self, columns: int, rows: int) -> None:
        self._transcript = Transcript(columns, rows)

    def output(self, time: float, data: bytes) -> None:
        self._transcript.output(time, data)

    def lines(self, time: float) -> list[str]:  # noqa: ARG002  the interface is wider
        return [line.text for line in self._transcript.take()]

    def finish(self, time: float) -> list[str]:
        return [line.text for line in self._transcript.finish(time)]


def _markdown(source: Source) -> Iterator[str]:
    reading = source.reading()
    commands = in_order(read_commands(source.target, reading))
    yield from heading(names_of(source.target).full, _facts(source))
    if source.survey.operations:
        with source.events() as (_header, events):
            yield from operation_section(_operations(events, reading, source.settings))
    yield from command_section(_entries(source, commands, reading))
    if not commands:
        yield from text_section("Output", _first(_transcript(source), source.max_lines))
    if source.survey.input_bytes:
        yield from text_section("Input", _first(_input(source), source.max_lines))


def _entries(source: Source, commands: list[Command], reading: Reading) -> Iterator[Entry]:
    if not commands:
        return
    with source.events() as (header, events):
        size = (header.width, header.height)
        for told in with_output(commands, events, _Page, size, source.max_lines):
            yield _entry(told, reading, source.settings)


def _entry(told: Told, reading: Reading, settings: Settings) -> Entry:
    command = told.command
    duration = None if command.end_s is None else command.end_s - command.start_s
    return Entry(told, _clock(command.start_s, reading, settings), output.length(duration))


def _clock(seconds: float, reading: Reading, settings: Settings) -> str:
    moment = reading.at(seconds)
    if moment is None:
        return output.offset(seconds)
    return f"{settings.stamp(moment, seconds=True)} {settings.zone_name()} ({output.offset(seconds)})"


def _operations(
    events: Iterable[Event], reading: Reading, settings: Settings
) -> Iterator[tuple[str, Operation | str]]:
    for event in events:
        if event.code == FILE:
            yield _clock(event.time, reading, settings), operation_of(event) or remark_of(event)


def _input(source: Source) -> Iterator[str]:
    """Lines as they were sent; the last may lack its end."""
    rest = b""
    with source.events() as (_header, events):
        for _time, data in iter_input(events):
            *lines, rest = (rest + data).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines)
    if rest:
        yield rest.decode("utf-8", "replace")


def _first(lines: Iterator[str], limit: int) -> Shown:
    """At most `limit` lines; the others are counted."""
    kept = [safe(line, LONGEST_LINE) for line in islice(lines, limit)]
    return Shown(kept, sum(1 for _ in lines))


def _facts(source: Source) -> Iterator[tuple[str, str]]:
    settings, session, verdict = source.settings, source.target.session, source.verdict
    if session is not None:
        yield "User", session.user
        yield "Host", session.host
        yield "From", session.source or ""
        yield "Reason", session.reason or ""
        yield "Command", session.command or ""
        yield "Start", f"{settings.stamp(session.start, seconds=True)} {settings.zone_name()}"
        yield "Length", "" if session.live else output.length(session.duration_s)
        yield "Exit status", "" if session.exit_status is None else str(session.exit_status)
    yield from _transfer_facts(source.survey)
    yield "Check", verdict.word
    yield "Integrity", verdict.integrity
    yield "Completeness", verdict.completeness
    yield from (("Not in this document", loss) for loss in source.survey.losses())


def _transfer_facts(found: Survey) -> Iterator[tuple[str, str]]:
    if found.protocol:
        yield "Transfer", f"{found.protocol}, {found.direction}"
        yield "Executed", " ".join(found.executed)
