"""`sealcast ls`: the sessions that fit a query."""

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from recorder.cli import output
from recorder.cli.columns import COLUMNS, Column, Row, column_named, columns_named, item
from recorder.cli.indexes import States, has_index, indexed, update_option
from recorder.cli.pages import QueryVerb
from recorder.cli.settings import Settings, settings_of
from recorder.cli.stores import open_store
from recorder.errors import ExitCode
from recorder.index.query import Query, Scope, parse
from recorder.index.search import Search
from recorder.safe_text import safe
from recorder.store.catalog import list_sessions
from recorder.store.checking import Checker
from recorder.store.layout import Store
from recorder.store.targets import Target

SCHEMA = "sealcast.sessions/1"
_DEFAULT_COLUMNS = "check,start,user,host,length,exit,id,about"


@dataclass(frozen=True, slots=True)
class Listing:
    """What a query found: the rows shown, and of how many."""

    query: str
    rows: list[Row]
    total: int
    all_sessions: int


@click.command(
    cls=QueryVerb,
    examples=[
        ("sealcast ls", "the newest sessions"),
        ("sealcast ls user:alice host:web-* after:-7d", "those that fit a query"),
        ("sealcast ls 'cmd:kubectl exit:!=0'", "those in which a kubectl failed"),
        ("sealcast ls --sort -length -n 5", "the five longest"),
        ("sealcast ls --jsonl check:bad | jq -r .id", "ids for a program"),
    ],
    codes=[ExitCode.OK, ExitCode.NO, ExitCode.USAGE, ExitCode.TARGET],
    topics=["query", "json"],
)
@click.argument("query", nargs=-1)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    help="At most this many (a screenful on a terminal, else all).",
)
@click.option(
    "--sort", metavar="COLUMN,…", default="-start", help="Order; -length is longest first (-start)."
)
@click.option(
    "--columns", metavar="COLUMN,…", default=_DEFAULT_COLUMNS, help=f"Which columns: {', '.join(COLUMNS)}."
)
@click.option("--wide", is_flag=True, help="Cut nothing.")
@click.option("--count", is_flag=True, help="Print only how many; exit code 1 for none.")
@click.option("--json", "form", flag_value="json", help="One JSON document.")
@click.option("--jsonl", "form", flag_value="jsonl", help="One JSON object per line.")
@click.option("--plain", "form", flag_value="plain", help="Tab-separated with one header line.")
@click.option("-0", "form", flag_value="ids", help="Ids only, each followed by NUL.")
@update_option
@click.pass_context
def ls(
    context: click.Context,
    *,
    query: Sequence[str],
    limit: int | None,
    sort: str,
    columns: str,
    wide: bool,
    count: bool,
    form: str | None,
    update: bool | None,
) -> int:
    """List sessions, newest first.

    The sign in front says what is known without reading the recording: … is live, ~ has no end, ∅ has
    no file, ✗ is not in the log. Use verify, or check: in the query, to have recordings verified. Queries
    about commands and output look into the index; what is new is indexed first as with search.
    """
    settings = settings_of(context)
    chosen = columns_named(columns)
    parsed = parse(" ".join(query), zone=settings.zone, scope=Scope.SESSIONS)
    store = open_store(settings)
    if parsed.asks_commands and (parsed.needs_index or has_index(store)):
        rows, everything = indexed_matches(store, parsed, settings, update=update)
    else:
        if parsed.asks_commands and store.exists():
            settings.note("commands and output are not looked at: there is no index (sealcast index build)")
        rows, everything = matching(store, parse(parsed.text, zone=settings.zone))
    _sort(rows, sort)
    if count:
        click.echo(len(rows))
        return ExitCode.OK if rows else ExitCode.NO
    on_terminal = form is None and sys.stdout.isatty()
    shown = rows[: limit or (_screenful() if on_terminal else None)]
    listing = Listing(parsed.text, shown, len(rows), everything)
    _write(listing, chosen, form, settings, wide=wide or not on_terminal)
    return ExitCode.OK


def indexed_matches(
    store: Store, query: Query, settings: Settings, *, update: bool | None
) -> tuple[list[Row], int]:
    """The same where the query asks about commands: of those, the index knows."""
    states = States(store)
    with indexed(store, settings, update=update) as connection:
        fitting = set(Search(connection, query, states).sessions())
    sessions = list_sessions(store)
    rows = [Row(session, states.verdicts.get(session.id)) for session in sessions if session.id in fitting]
    return rows, len(sessions)


def matching(store: Store, query: Query) -> tuple[list[Row], int]:
    """The sessions that fit, verified where the query asks for that, and how many sessions there are."""
    if not query.needs_check:
        sessions = list_sessions(store)
        return [Row(session) for session in sessions if query.matches(session)], len(sessions)
    checker = Checker(store)
    candidates = (session for session in checker.sessions if query.may_match(session))
    checked = (Row(session, checker.check(Target(session.path, session))) for session in candidates)
    return [row for row in checked if query.matches(row.session, row.state)], len(checker.sessions)


def _sort(rows: list[Row], order: str) -> None:
    """In place by several columns, the first named counts most."""
    for part in reversed(order.split(",")):
        name = part.removeprefix("-")
        rows.sort(key=column_named(name).key, reverse=part.startswith("-"))


def _screenful() -> int:
    return max(3, shutil.get_terminal_size().lines - 3)


def _write(
    listing: Listing, columns: list[Column], form: str | None, settings: Settings, *, wide: bool
) -> None:
    if form == "json":
        output.write_json(_document(listing))
    elif form == "jsonl":
        for row in listing.rows:
            output.write_json(item(row), one_line=True)
    elif form == "plain":
        output.write_lines(_plain_lines(listing.rows, columns), settings)
    elif form == "ids":
        click.echo("".join(f"{row.session.id}\0" for row in listing.rows), nl=False)
    else:
        _write_table(listing, columns, settings, wide=wide)


def _plain_lines(rows: Iterable[Row], columns: list[Column]) -> Iterator[str]:
    names = [name for column in columns for name, known in COLUMNS.items() if known is column]
    yield "\t".join(names)
    for row in rows:
        yield "\t".join(column.plain(row) for column in columns)


def _write_table(listing: Listing, columns: list[Column], settings: Settings, *, wide: bool) -> None:
    if not listing.rows:
        settings.note(_nothing(listing))
        return
    titles = [_title(column, settings) for column in columns]
    cells = [[_cell(column, row, settings, wide) for column in columns] for row in listing.rows]
    right = frozenset(place for place, column in enumerate(columns) if column.right)
    lines: Iterable[str] = output.table([titles, *cells], right)
    if not wide:
        width = shutil.get_terminal_size().columns
        lines = [output.cut(line, width) for line in lines]
    if settings.colored(sys.stdout):
        lines = (click.style(line, bold=place == 0) for place, line in enumerate(lines))
    output.write_lines(lines, settings)
    if not wide:
        _write_footer(listing, settings)


def _title(column: Column, settings: Settings) -> str:
    return f"{column.title} ({settings.zone_name()})" if column.title in ("START", "END") else column.title


def _cell(column: Column, row: Row, settings: Settings, wide: bool) -> str:
    """On a terminal the random half of an id is enough to name a session."""
    if column.title == "ID" and not wide:
        return safe(row.session.id.rpartition("-")[2])
    return column.text(row, settings)


def _nothing(listing: Listing) -> str:
    if listing.all_sessions == 0:
        return "no recordings yet; make one: sealcast rec"
    return f"no session matches {safe(listing.query, 200)} ({listing.all_sessions:,} sessions)"


def _write_footer(listing: Listing, settings: Settings) -> None:
    more = f" Show more: -n {listing.total}." if listing.total > len(listing.rows) else ""
    name = safe(listing.rows[0].session.id.rpartition("-")[2])
    text = f"{len(listing.rows)} of {listing.total:,} sessions.{more} Open: sealcast play {name}"
    if settings.verbosity >= 0:
        click.echo(text, err=True)


def _document(listing: Listing) -> dict[str, Any]:
    complete = len(listing.rows) == listing.total
    return {
        "schema": SCHEMA,
        "query": listing.query,
        "total": listing.total,
        "returned": len(listing.rows),
        "complete": complete,
        "reason": None if complete else "limit",
        "items": [item(row) for row in listing.rows],
    }
