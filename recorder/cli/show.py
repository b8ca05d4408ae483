"""`sealcast show`: everything known about one session."""

from collections.abc import Iterator

import click

from recorder.cast.header import Header
from recorder.cast.reader import open_events
from recorder.cli import output
from recorder.cli.columns import Row, item
from recorder.cli.commands import count_commands
from recorder.cli.pages import Verb
from recorder.cli.progress import Progress
from recorder.cli.recordings import names_of, open_target
from recorder.cli.settings import Settings, settings_of
from recorder.cli.stores import TargetType, open_store
from recorder.cli.verify import verdict_object
from recorder.errors import ExitCode
from recorder.safe_text import safe
from recorder.store.catalog import Session
from recorder.store.checking import check
from recorder.store.targets import Target, resolve
from recorder.store.verdict import Verdict

SCHEMA = "sealcast.session/1"


@click.command(
    cls=Verb,
    examples=[
        ("sealcast show k7f3q9xw", "who, where, when, verified or not"),
        ("sealcast show recording.cast", "any asciicast file"),
    ],
    codes=[ExitCode.OK, ExitCode.TARGET, ExitCode.FORMAT],
)
@click.argument("target", type=TargetType())
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def show(context: click.Context, *, target: str, as_json: bool) -> None:
    """Show the facts about a session.

    The recording is verified on the way; the exit code does not tell the result, verify does.
    """
    settings = settings_of(context)
    store = open_store(settings)
    found = resolve(store, target)
    size = found.session.size_bytes if found.session else None
    with Progress("verifying", size or 0, settings, unit="bytes") as progress:
        verdict = check(store, found, progress.update)
    header = _header(found)
    counted = count_commands(found) if header else None
    if as_json:
        facts = item(Row(found.session)) if found.session else None
        document = {"schema": SCHEMA, "session": facts, "commands": counted, "check": verdict_object(verdict)}
        output.write_json(document)
        return
    about = _session_rows(found.session, settings) if found.session else _file_rows(found, header)
    rows = [
        [name, safe(value)]
        for name, value in (
            *about,
            ("commands", "" if counted is None else f"{counted:,}"),
            *_header_rows(header),
        )
        if value
    ]
    output.write_lines([*output.table(rows), "", *_verdict_lines(verdict)], settings)


def _header(target: Target) -> Header | None:
    if target.path is None:
        return None
    with open_target(target) as file:
        return open_events(file, names_of(target).full)[0]


def _session_rows(session: Session, settings: Settings) -> Iterator[tuple[str, str]]:
    number = f" (number {session.number} of this host)" if session.number else ""
    yield "session", f"{session.id}{number}"
    yield "link", f"sealcast://{session.id}"
    yield "user", session.user + (f" (uid {session.uid})" if session.uid is not None else "")
    yield "host", session.host
    yield "from", session.source or ""
    yield "origin", session.origin
    yield "title", session.title or ""
    yield "reason", session.reason or ""
    yield "command", session.command or ""
    yield "start", f"{settings.stamp(session.start, seconds=True)} {settings.zone_name()}"
    yield "end", _end(session, settings)
    yield "length", "" if session.live else output.length(session.duration_s)
    yield "exit", "unknown" if session.exit_status is None else str(session.exit_status)
    yield "file", str(session.path) if session.path else "missing"
    yield "size", "" if session.size_bytes is None else output.size(session.size_bytes)


def _end(session: Session, settings: Settings) -> str:
    if session.live:
        return "still running"
    return f"{settings.stamp(session.end, seconds=True)} {settings.zone_name()}" if session.end else "unknown"


def _file_rows(target: Target, header: Header | None) -> Iterator[tuple[str, str]]:
    yield "file", str(target.path)
    if header is None:
        return
    yield "format", f"asciicast version {header.version}"
    yield "title", header.title or ""
    if header.session is not None:
        yield "session", header.session.session
        yield "user", header.session.user
        yield "host", header.session.host


def _header_rows(header: Header | None) -> Iterator[tuple[str, str]]:
    if header is None:
        return
    yield "terminal", f"{header.width}×{header.height} {header.env.get('TERM', '')}".rstrip()
    yield "shell", header.env.get("SHELL", "")
    if header.session is not None:
        yield "recorder", header.session.recorder


def _verdict_lines(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.sign} {verdict.word}"
    yield f"  integrity     {safe(verdict.integrity)}"
    yield f"  completeness  {safe(verdict.completeness)}"
    for row in verdict.rows:
        yield f"  {row.sign} {safe(row.name):12} {safe(row.result)}"
        yield from (f"      {safe(advice)}" for advice in row.advice)
