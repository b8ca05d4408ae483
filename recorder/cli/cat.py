"""`sealcast cat`: a recording as text."""

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import click

from recorder.cast.events import Event
from recorder.cast.header import Header
from recorder.cast.ledger import Ledger
from recorder.cast.reader import EventReader, iter_input, iter_output, open_events
from recorder.cli import output
from recorder.cli.commands import Reading, in_order, note_unread, read_commands, text_lines
from recorder.cli.pages import Verb
from recorder.cli.recordings import check_before_showing, is_without_terminal, names_of, open_target
from recorder.cli.settings import Settings, settings_of
from recorder.cli.stores import TargetType, open_store
from recorder.commands.transcript import Written, told_of, transcribe
from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe
from recorder.store.targets import Target, resolve


@click.command(
    cls=Verb,
    examples=[
        ("sealcast cat k7f3q9xw", "everything the session showed"),
        ("sealcast cat k7f3q9xw@1m..2m30s --with-times", "a part of it, each line with its time"),
        ("sealcast cat --raw k7f3q9xw > bytes", "the exact bytes"),
        ("sealcast cat --input k7f3q9xw", "what ssh host bash was sent on its standard input"),
    ],
    codes=[ExitCode.OK, ExitCode.USAGE, ExitCode.TARGET, ExitCode.FORMAT],
    topics=["time"],
)
@click.argument("target", type=TargetType(), metavar="TARGET[@T1..T2]")
@click.option("--commands-only", is_flag=True, help="Only what was typed at prompts, without its output.")
@click.option("--input", "as_input", is_flag=True, help="What was sent to it, where that was recorded.")
@click.option("--with-times", is_flag=True, help="Put before each line when it was written.")
@click.option("--max-lines", type=click.IntRange(min=1), metavar="N", help="Stop after N lines.")
@click.option("--raw", is_flag=True, help="The exact bytes, escape sequences and all.")
@click.option("--force", is_flag=True, help="With --raw: even to a terminal.")
@click.pass_context
def cat(
    context: click.Context,
    *,
    target: str,
    commands_only: bool,
    as_input: bool,
    with_times: bool,
    max_lines: int | None,
    raw: bool,
    force: bool,
) -> None:
    """Print what a session showed, as text.

    The output is replayed in a terminal of its own and read off it: lines that scrolled away, were
    cleared, or stood on the screen at the end. A full-screen program is one line; play shows it.
    """
    if raw and sys.stdout.isatty() and not force:
        raise SealcastError(
            "raw output can control your terminal", "send it to a file or a pipe, or add --force"
        )
    settings = settings_of(context)
    store = open_store(settings)
    found = resolve(store, target)
    check_before_showing(store, found, settings)
    if raw:
        _write_raw(found, iter_input if as_input else iter_output, settings)
        _note_what_is_left_out(found, settings)
        return
    read = _input if as_input else _commands if commands_only else _lines
    lines = read(found, settings)
    if max_lines is not None:
        lines = _cut_off(lines, max_lines, settings)
    output.write_lines(
        (f"{output.offset(line.time)}  {line.text}" if with_times else line.text for line in lines), settings
    )


@contextmanager
def _reading(target: Target, settings: Settings) -> Iterator[tuple[Header, Iterator[Event]]]:
    """The recording's header and events; how many lines could not be read is said in the end."""
    with open_target(target) as file:
        header, events = open_events(file, names_of(target).full, lenient=True)
        yield header, events
        note_unread(events.skipped if isinstance(events, EventReader) else 0, settings)


def _write_raw(
    target: Target,
    pick: Callable[[Iterable[Event]], Iterator[tuple[float, bytes]]],
    settings: Settings,
) -> None:
    start, end = _span(target)
    with _reading(target, settings) as (_header, events):
        for time, data in pick(events):
            if start <= time <= end:
                sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _note_what_is_left_out(target: Target, settings: Settings) -> None:
    """Bytes are data; what is missing among them is for people."""
    for sentence in told_of(_ledger(target)):
        settings.note(safe(sentence))


def _ledger(target: Target) -> Ledger:
    ledger = Ledger()
    with open_target(target) as file:
        for event in open_events(file, names_of(target).full, lenient=True)[1]:
            ledger.add(event)
    return ledger


def _input(target: Target, settings: Settings) -> Iterator[Written]:
    """Lines as they were sent, dated by their last byte."""
    start, end = _span(target)
    rest, time = b"", 0.0
    with _reading(target, settings) as (_header, events):
        for time, data in iter_input(events):
            if start <= time <= end:
                *lines, rest = (rest + data).split(b"\n")
                yield from (Written(time, safe(line.decode("utf-8", "replace"))) for line in lines)
    if rest:
        yield Written(time, safe(rest.decode("utf-8", "replace")))
    for sentence in told_of(_ledger(target)):
        yield Written(time, f"[{safe(sentence)}]")


def _lines(target: Target, settings: Settings) -> Iterator[Written]:
    start, end = _span(target)
    with _reading(target, settings) as (header, events):
        until = itertools.takewhile(lambda event: event.time <= end, events)
        bare = is_without_terminal(header)
        for line in transcribe(header.width, header.height, until, bare_line_feeds=bare):
            if line.time >= start:
                yield line


def _commands(target: Target, settings: Settings) -> Iterator[Written]:
    reading = Reading(None)
    found = in_order(read_commands(target, reading))
    note_unread(reading.skipped, settings)
    for command in found:
        for line in text_lines(command):
            yield Written(command.start_s, line)


def _span(target: Target) -> tuple[float, float]:
    return target.at or 0.0, float("inf") if target.until is None else target.until


def _cut_off(lines: Iterator[Written], limit: int, settings: Settings) -> Iterator[Written]:
    yield from itertools.islice(lines, limit)
    if next(lines, None) is not None:
        settings.note(f"cut after {limit:,} lines")
