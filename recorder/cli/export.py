"""`sealcast export`: a session in a form for others."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import click

from recorder.cast.reader import open_events
from recorder.cli import output
from recorder.cli.commands import Reading, in_order, read_commands
from recorder.cli.pages import Verb
from recorder.cli.recordings import check_before_showing, names_of, open_target
from recorder.cli.settings import Settings, settings_of
from recorder.cli.stores import TargetType, open_store
from recorder.commands import Command
from recorder.commands.transcript import Transcript, transcribe
from recorder.errors import ExitCode, SealcastError
from recorder.export.casts import copy_v2, copy_v3
from recorder.export.markdown import Entry, document
from recorder.export.outputs import Told, with_output
from recorder.store.layout import Store
from recorder.store.targets import Target, resolve
from recorder.store.verdict import Verdict

_MAX_OUTPUT_LINES = 1_000


@click.command(
    cls=Verb,
    examples=[
        ("sealcast export k7f3q9xw --format md -o incident.md", "a document for a postmortem"),
        ("sealcast export k7f3q9xw --format cast -o k7.cast", "the sealed recording, with its signature"),
        ("sealcast export k7f3q9xw --format cast --markers -o k7.cast", "an unsigned copy to jump in"),
    ],
    codes=[ExitCode.OK, ExitCode.USAGE, ExitCode.TARGET, ExitCode.FORMAT],
)
@click.argument("target", type=TargetType())
@click.option(
    "--format",
    "form",
    type=click.Choice(["cast", "cast3", "md", "txt"]),
    required=True,
    help="The sealed recording, asciicast v3, Markdown, or plain text.",
)
@click.option("-o", "path", metavar="FILE", default="-", help="Where to; - is standard output (-).")
@click.option("--markers", is_flag=True, help="With cast: an unsigned copy with one marker per command.")
@click.option("--max-lines", type=click.IntRange(min=0), default=_MAX_OUTPUT_LINES, metavar="N")
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.pass_context
def export(
    context: click.Context,
    *,
    target: str,
    form: str,
    path: str,
    markers: bool,
    max_lines: int,
    force: bool,
) -> None:
    """Write a session in a form for others.

    cast is the sealed recording itself, byte for byte: it verifies, and with -o its signature is written
    beside it. Seals hold for these bytes only, so cast --markers and cast3 are new, unsigned files: their
    title says so, and they have one marker per command, which players jump to. md tells who, where from,
    when, the verdict, and every command with at most --max-lines lines of its output (1000). txt is a
    transcript.
    """
    settings = settings_of(context)
    store = open_store(settings)
    found = resolve(store, target)
    if found.at is not None or found.until is not None:
        raise SealcastError("a session is exported whole", f"leave out the time: {names_of(found).short}")
    if path != "-" and not force and os.path.lexists(path):
        raise SealcastError(f"{path} exists", "use --force or -o OTHER")
    verdict = check_before_showing(store, found, settings)
    with _opened(path) as file:
        if form == "cast" and not markers:
            _copy_sealed(found, file)
        else:
            file.writelines(_lines(found, form, verdict, settings, max_lines))
    if form == "cast" and not markers and path != "-":
        _copy_signature(store, found, path, settings)


def _copy_sealed(target: Target, file: BinaryIO) -> None:
    with open_target(target) as source:
        shutil.copyfileobj(source, file, 1 << 20)


def _copy_signature(store: Store, target: Target, path: str, settings: Settings) -> None:
    if target.session is not None:
        signature = store.sealed_signature_path(target.session.id)
    else:
        signature = Path(f"{target.path}.sig")
    if signature.exists():
        shutil.copyfile(signature, f"{path}.sig")
    else:
        settings.note("there is no signature to go with it")


def _lines(
    target: Target, form: str, verdict: Verdict, settings: Settings, max_lines: int
) -> Iterator[bytes]:
    if form == "txt":
        return _encoded(_transcript(target))
    reading = Reading(target.session.start if target.session else None)
    commands = in_order(read_commands(target, reading))
    if form == "md":
        facts = _facts(target, verdict, settings)
        entry = partial(_entry, reading=reading, settings=settings)
        return _encoded(_markdown(target, facts, commands, entry, max_lines))
    return _copy(target, copy_v3 if form == "cast3" else copy_v2, commands)


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    return (f"{line}\n".encode("utf-8", "replace") for line in lines)


def _copy(target: Target, copy: Callable[..., Iterator[bytes]], commands: list[Command]) -> Iterator[bytes]:
    with open_target(target) as source:
        header, events = open_events(source, names_of(target).full, lenient=True)
        yield from copy(header, events, commands)


def _transcript(target: Target) -> Iterator[str]:
    with open_target(target) as source:
        header, events = open_events(source, names_of(target).full, lenient=True)
        for line in transcribe(header.width, header.height, events):
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


def _markdown(
    target: Target,
    facts: Iterable[tuple[str, str]],
    commands: list[Command],
    entry: Callable[[Told], Entry],
    max_lines: int,
) -> Iterator[str]:
    with open_target(target) as source:
        header, events = open_events(source, names_of(target).full, lenient=True)
        told = with_output(commands, events, _Page, (header.width, header.height), max_lines)
        yield from document(names_of(target).full, facts, map(entry, told))


def _entry(told: Told, reading: Reading, settings: Settings) -> Entry:
    command = told.command
    moment = reading.at(command.start_s)
    clock = output.offset(command.start_s)
    if moment is not None:
        clock = f"{settings.stamp(moment, seconds=True)} {settings.zone_name()} ({clock})"
    duration = None if command.end_s is None else command.end_s - command.start_s
    return Entry(told, clock, output.length(duration))


def _facts(target: Target, verdict: Verdict, settings: Settings) -> Iterator[tuple[str, str]]:
    session = target.session
    if session is not None:
        yield "User", session.user
        yield "Host", session.host
        yield "From", session.source or ""
        yield "Reason", session.reason or ""
        yield "Command", session.command or ""
        yield "Start", f"{settings.stamp(session.start, seconds=True)} {settings.zone_name()}"
        yield "Length", "" if session.live else output.length(session.duration_s)
        yield "Exit status", "" if session.exit_status is None else str(session.exit_status)
    yield "Check", verdict.word
    yield "Integrity", verdict.integrity
    yield "Completeness", verdict.completeness


# ── files ─────────────────────────────────────────────────────────────────────


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """Standard output for `-`, else a file that appears under its name only when it is complete."""
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    folder = os.path.dirname(path) or "."
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".sealcast-", dir=folder)
    except OSError as error:
        raise SealcastError(
            f"cannot write in {folder}: {error.strerror}", "choose another -o FILE"
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
