"""`sealcast index`: the search index of the store."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from recorder.cli import output
from recorder.cli.pages import Verb, Verbs
from recorder.cli.progress import Progress
from recorder.cli.settings import Settings, settings_of
from recorder.cli.stores import find_store, open_store
from recorder.errors import ExitCode, SealcastError
from recorder.index.database import NAME, damage_told, open_index
from recorder.index.facts import read_facts
from recorder.index.following import follow
from recorder.index.indexing import Outcome, Said, Wish, build, rebuild
from recorder.index.moments import MomentError, parse_moment
from recorder.index.status import Status, described, status_of
from recorder.safe_text import safe
from recorder.store.layout import Store, no_store

SCHEMA = "sealcast.index/1"
_CODES = [ExitCode.OK, ExitCode.USAGE, ExitCode.TARGET, ExitCode.SOME, ExitCode.FORMAT]


@click.group(cls=Verbs)
def index() -> None:
    """Keep the search index.

    The index is a file beside the recordings, index.db: SQLite, for sealcast and for anybody else's programs.
    Everything in it comes from the recordings and the log, and can be made again.
    """


@index.command(
    cls=Verb,
    examples=[
        ("sealcast index status", "what it holds, and whether it is up to date"),
        ("sealcast index status -q || sealcast index build", "build it where it is stale"),
    ],
    codes=[ExitCode.OK, ExitCode.NO, ExitCode.TARGET, ExitCode.FORMAT],
    topics=["files"],
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> int:
    """Say what the index holds, and whether it is up to date."""
    settings = settings_of(context)
    found = status_of(_existing(find_store(settings)))
    if as_json:
        output.write_json(_document(found))
    elif settings.verbosity >= 0:
        output.write_lines(_lines(found, settings), settings)
    return ExitCode.NO if found.stale else ExitCode.OK


@index.command(
    "build",
    cls=Verb,
    examples=[
        ("sealcast index build", "index what is new or has changed"),
        ("sealcast index build --output", "and what the commands printed"),
        ("sealcast index build --follow", "and go on, also with sessions that are being recorded"),
    ],
    codes=_CODES,
    topics=["time"],
)
@click.option("--output", "with_output", is_flag=True, help="Index output, too; once done it stays so.")
@click.option("--jobs", type=click.IntRange(min=1, max=256), help="Processes that read (all cores).")
@click.option("--since", metavar="TIME", help="Only sessions that started then or later.")
@click.option("--follow", "follows", is_flag=True, help="Keep it up to date until interrupted.")
@click.pass_context
def build_index(
    context: click.Context, *, with_output: bool, jobs: int | None, since: str | None, follows: bool
) -> int:
    """Bring the index up to date.

    Reads what is new or has changed, drops what is gone. It can be stopped at any moment and goes on where
    it was. Recordings that cannot be read are named and left out.
    """
    settings = settings_of(context)
    store = _existing(open_store(settings))
    wish = Wish(with_output, jobs or os.cpu_count() or 1, _moment(since, settings))
    if follows:
        return _follow(store, wish, settings)
    with _progress(settings) as said:
        outcome = build(store, wish, said)
    return _report(outcome, settings)


@index.command(
    "rebuild",
    cls=Verb,
    examples=[("sealcast index rebuild --output", "make it anew, with what the commands printed")],
    codes=_CODES,
)
@click.option("--output", "with_output", is_flag=True, help="Index output, too, if the old index did not.")
@click.option("--jobs", type=click.IntRange(min=1, max=256), help="Processes that read (all cores).")
@click.pass_context
def rebuild_index(context: click.Context, *, with_output: bool, jobs: int | None) -> int:
    """Make the index anew.

    For an index that is damaged, or of another version. The old one serves until the new one is complete; a
    rebuild that was stopped goes on where it was.
    """
    settings = settings_of(context)
    store = _existing(open_store(settings))
    with _progress(settings) as said:
        wish = Wish(with_output or _had_output(store), jobs or os.cpu_count() or 1)
        outcome = rebuild(store, wish, said)
    return _report(outcome, settings)


def _had_output(store: Store) -> bool:
    """Whether the index that is there holds output; one that cannot be read may have."""
    try:
        with damage_told(), closing(open_index(store.root / NAME)) as connection:
            return read_facts(connection).has_output
    except SealcastError as error:
        return error.code is ExitCode.FORMAT


def _existing(store: Store) -> Store:
    if not store.exists():
        raise no_store(store.root)
    return store


def _moment(since: str | None, settings: Settings) -> float | None:
    if since is None:
        return None
    try:
        return parse_moment(since, datetime.now(UTC), settings.zone).start.timestamp()
    except MomentError as error:
        raise SealcastError(f"--since: {error}", "times: sealcast help time") from error


def _follow(store: Store, wish: Wish, settings: Settings) -> int:
    over = threading.Event()
    with _told(over), _progress(settings) as said:
        follow(store, wish, over.wait, said)
    return ExitCode.OK


@contextmanager
def _progress(settings: Settings) -> Iterator[Said]:
    """What a build tells how far it is; how much there is, it says itself."""
    shown: list[Progress] = []

    def said(done: int, total: int) -> None:
        if not shown:
            shown.append(Progress("indexing", total, settings))
        shown[0].update(done)
        if done == total:
            shown[0].clear()

    try:
        yield said
    finally:
        for progress in shown:
            progress.clear()


@contextmanager
def _told(over: threading.Event) -> Iterator[None]:
    """SIGTERM and Ctrl-C end it between two steps."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: over.set()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _report(outcome: Outcome, settings: Settings) -> int:
    gone = f", {outcome.gone:,} gone" if outcome.gone else ""
    settings.note(f"indexed {outcome.indexed:,} of {outcome.total:,} sessions{gone}")
    if outcome.broken:
        settings.note(f"{outcome.broken:,} could not be read to their end; why: sealcast index status")
    return ExitCode.SOME if outcome.broken else ExitCode.OK


# ── status ────────────────────────────────────────────────────────────────────


def _lines(found: Status, settings: Settings) -> Iterator[str]:
    yield f"{safe(str(found.path))}  {output.size(found.size_bytes)}"
    text = f", {output.size(found.text_bytes)} of output" if found.has_output else ", no output"
    yield f"  holds      {found.sessions:,} sessions, {found.commands:,} commands{text}"
    built = "never finished" if found.built_at is None else _stamp(found.built_at, settings)
    yield f"  built      {built}{', being written now' if found.written else ''}"
    parts = ((found.missing, "new"), (found.changed, "changed"), (found.gone, "gone"))
    counts = ", ".join(f"{count:,} {word}" for count, word in parts if count)
    yield f"  store      {f'stale: {counts}; sealcast index build' if counts else 'up to date'}"
    if found.live:
        yield f"  live       {found.live:,} being recorded"
    for broken in found.broken:
        yield f"  unreadable {described(broken)}"


def _stamp(moment: float, settings: Settings) -> str:
    return f"{settings.stamp(datetime.fromtimestamp(moment, UTC), seconds=True)} {settings.zone_name()}"


def _document(found: Status) -> dict[str, Any]:
    built = None if found.built_at is None else datetime.fromtimestamp(found.built_at, UTC)
    return {
        "schema": SCHEMA,
        "path": str(found.path),
        "size_bytes": found.size_bytes,
        "built": output.rfc3339(built),
        "stale": found.stale,
        "output": found.has_output,
        "sessions": found.sessions,
        "commands": found.commands,
        "text_bytes": found.text_bytes,
        "live": found.live,
        "missing": found.missing,
        "changed": found.changed,
        "gone": found.gone,
        "broken": [{"id": one.id, "file": one.file, "reason": one.reason} for one in found.broken],
    }
