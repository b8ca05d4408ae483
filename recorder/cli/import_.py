"""`sealcast import`: recordings of other programs, as unsigned sessions."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Self

import click

from recorder.cli import output
from recorder.cli.failures import report
from recorder.cli.pages import Verb
from recorder.cli.progress import Progress
from recorder.cli.settings import Settings, settings_of
from recorder.cli.stores import find_store
from recorder.errors import ExitCode, SealcastError
from recorder.log.entries import Occasion
from recorder.safe_text import safe
from recorder.store.hostkey import current_user
from recorder.store.import_sources import FORMATS, find_sources
from recorder.store.importing import (
    Imported,
    Importer,
    Source,
    importing,
    read,
    told_otherwise,
)
from recorder.store.layout import Store

_MAX_NAME = 255


@click.command(
    "import",
    cls=Verb,
    examples=[
        ("sealcast import old/*.ttyrec --host web-03", "what ttyrec recorded on web-03"),
        ("sealcast import typescript typescript.timing", "script: the typescript and its times"),
        ("sealcast import /var/log/sudo-io/00/00/*", "I/O logs of sudo"),
        ("journalctl -o json TLOG_REC=… > rec.json", "tlog's messages, out of the journal, …"),
        ("sealcast import rec.json", "… and in"),
    ],
    codes=[
        ExitCode.OK,
        ExitCode.USAGE,
        ExitCode.TARGET,
        ExitCode.SOME,
        ExitCode.FORMAT,
        ExitCode.RECORDING,
    ],
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["auto", *FORMATS]),
    default="auto",
    help="What the files are (told from their content).",
)
@click.option("--user", metavar="NAME", help="Who was recorded.")
@click.option("--host", metavar="NAME", help="On which host.")
@click.option("--start", metavar="TIME", help="When it began: 2026-09-01T14:00, or with a zone …+02:00.")
@click.option("--dry-run", is_flag=True, help="Read everything, and change nothing.")
@click.pass_context
def import_(
    context: click.Context,
    *,
    files: Sequence[str],
    form: str,
    user: str | None,
    host: str | None,
    start: str | None,
    dry_run: bool,
) -> int:
    """Import recordings of other programs, unsigned.

    They can be listed, searched, replayed and exported like all others, and are called unsigned
    everywhere: nobody can say whether they are what was shown. The log of this host notes who
    imported what, and verify tells whether it was changed since. A file is imported once; the same
    content again is passed over. What was typed is taken over where it was recorded.

    Without --user, --host and --start the files are believed, and their date where they say nothing.
    """
    settings = settings_of(context)
    start_ms = None if start is None else _milliseconds(start, settings)
    _check_name("--user", user)
    _check_name("--host", host)
    run = _Run(settings, [name for name, given in _told(user, host, start).items() if given is not None])
    with _Taker(find_store(settings), dry_run) as take:
        for found in find_sources(files, None if form == "auto" else form):
            if isinstance(found, SealcastError):
                run.fail(found)
            else:
                run.attempt(take, told_otherwise(found, user, host, start_ms))
    return run.code()


class _Run:
    """Says what became of each, and counts."""

    def __init__(self, settings: Settings, told: Sequence[str]) -> None:
        """`told` are the options with which the person knew better than the files."""
        self._settings = settings
        self._options = told
        self._done = 0
        self._failed: list[ExitCode] = []

    def attempt(self, take: "_Taker", source: Source) -> None:
        """One recording; others go on where it fails."""
        try:
            with Progress(f"importing {safe(source.name, 60)}:", 0, self._settings, unit="bytes") as progress:
                done = take(source, progress.update)
        except SealcastError as error:
            self.fail(error)
            return
        self._done += 1
        self._tell(done)

    def fail(self, error: SealcastError) -> None:
        self._failed.append(error.code)
        report(error)

    def _tell(self, done: Imported) -> None:
        source = done.source
        name = safe(source.name)
        if not done.new:
            kept = f"; {' and '.join(self._options)} changed nothing" if self._options else ""
            self._settings.note(f"{name} is here already: {done.session_id}{kept}")
            return
        facts = source.facts
        who = safe(f"{facts.user or '?'}@{facts.host or '?'}", 120)
        start = self._settings.stamp(datetime.fromtimestamp(done.start_ms / 1000, UTC))
        length = output.length(done.duration_s)
        click.echo(f"{done.session_id}  {facts.format:9}  {who}  {start}  {length}  {name}")
        if not facts.timed:
            self._settings.note(f"{name}: there are no times for it; everything happens at 00:00")
        if done.inputs:
            events = f"{done.inputs:,} event{'' if done.inputs == 1 else 's'}"
            self._settings.note(f"{name}: what was typed is in it, passwords perhaps ({events})")

    def code(self) -> ExitCode:
        """A lone failure keeps its own code, and so do failures of one kind where nothing else was done."""
        if not self._failed:
            return ExitCode.OK
        if not self._done and len(set(self._failed)) == 1:
            return self._failed[0]
        return ExitCode.SOME


class _Taker:
    """What is done with each recording: import it, or only read it. The first one that is imported makes a
    store where there is none.
    """

    def __init__(self, store: Store, dry_run: bool) -> None:
        self._store = store
        self._dry_run = dry_run
        self._open = ExitStack()
        self._importer: Importer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self._open.close()

    def __call__(self, source: Source, progress: Callable[[int], None]) -> Imported:
        if self._dry_run:
            return read(source, progress)
        if self._importer is None:
            self._store.prepare()
            by = Occasion(self._store.host, time.time_ns() // 1_000_000, *current_user())
            self._importer = self._open.enter_context(importing(self._store, by))
        return self._importer.take(source, progress)


def _told(user: str | None, host: str | None, start: str | None) -> dict[str, str | None]:
    return {"--user": user, "--host": host, "--start": start}


def _check_name(option: str, name: str | None) -> None:
    if name is not None and len(name) > _MAX_NAME:
        raise SealcastError(f"{option} is longer than {_MAX_NAME} characters", code=ExitCode.USAGE)


def _milliseconds(text: str, settings: Settings) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f'--start "{safe(text, 80)}" is no date and time'
        raise SealcastError(message, "write it like 2026-09-01T14:00 or 2026-09-01T14:00:05+02:00") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=settings.zone)
    return int(aware.timestamp() * 1000)
