"""`sealcast ls`: the sessions that fit a query."""

import contextlib
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from recorder.cli import output
from recorder.cli.columns import COLUMNS, Column, Row, column_named, columns_named, item
from recorder.cli.indexes import States, has_index, indexed, update_option
from recorder.cli.pages import QueryVerb
from recorder.cli.query_words import QueryType
from recorder.cli.settings import Settings, settings_of
from recorder.cli.stores import open_store
from recorder.errors import ExitCode
from recorder.index.database import IndexDamagedError, damage_told
from recorder.index.listing import Listing, current_listing
from recorder.index.query import Query, Scope, parse
from recorder.index.search import Search
from recorder.index.without_data import without_data
from recorder.safe_text import safe
from recorder.store.catalog import list_sessions
from recorder.store.checking import Checker
from recorder.store.layout import Store
from recorder.store.verdict import Verdict

SCHEMA = "sealcast.sessions/1"
_NEWEST_FIRST = "-start"
_DEFAULT_COLUMNS = "check,start,user,host,length,exit,id,about"
_LEFT_OUT_FIRST = ("exit", "length", "host", "user")
"""What a narrow terminal has no room for, so that ids, which open sessions, are in view."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a query found: the rows shown, and of how many."""

    query: str
    rows: list[Row]
    total: int
    all_sessions: int


@dataclass(frozen=True, slots=True)
class Wish:
    """Which rows are wanted."""

    order: str
    """Columns, as --sort names them."""
    limit: int | None

    @property
    def is_newest_first(self) -> bool:
        """It is the order in which sessions are found."""
        return self.order == _NEWEST_FIRST


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
@click.argument("query", nargs=-1, type=QueryType())
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    help="At most this many (a screenful on a terminal, else all).",
)
@click.option(
    "--sort", metavar="COLUMN,…", default=_NEWEST_FIRST, help="Order; -length is longest first (-start)."
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
    on_terminal = form is None and sys.stdout.isatty()
    wish = Wish(sort, 0 if count else limit or (_screenful() if on_terminal else None))
    if parsed.asks_commands and (parsed.needs_index or has_index(store)):
        page = _indexed_matches(store, parsed, settings, wish, update=update)
    else:
        if parsed.asks_commands and store.exists():
            settings.note("commands and output are not looked at: there is no index (sealcast index build)")
        page = _matches(store, parse(parsed.text, zone=settings.zone), wish)
    if count:
        click.echo(page.total)
        return ExitCode.OK if page.total else ExitCode.NO
    _write(page, chosen, form, settings, wide=wide or not on_terminal)
    return ExitCode.OK


def _indexed_matches(
    store: Store, query: Query, settings: Settings, wish: Wish, *, update: bool | None
) -> Page:
    """Where the query asks about commands: of those, the index knows."""
    states = States(store)
    with indexed(store, settings, update=update) as connection:
        ids = list(Search(connection, query, states).sessions())
        for said in without_data(connection, query):
            settings.note(said)
    with current_listing(store) as listing:
        if listing is not None:
            everything = listing.counts().sessions
            return _page(query, _listed_rows(listing, ids, wish, states.verdicts), len(ids), everything, wish)
    fitting = set(ids)
    sessions = list_sessions(store)
    rows = [Row(session, states.verdicts.get(session.id)) for session in sessions if session.id in fitting]
    return _page(query, rows, len(rows), len(sessions), wish)


def _matches(store: Store, query: Query, wish: Wish) -> Page:
    """Where it asks about facts of sessions; they are verified where it asks for that."""
    if query.needs_check:
        checker = Checker(store)
        candidates = (session for session in checker.sessions if query.may_match(session))
        checked = (Row(session, checker.verdict_of(session)) for session in candidates)
        rows = [row for row in checked if query.matches(row.session, row.state)]
        return _page(query, rows, len(rows), len(checker.sessions), wish)
    with contextlib.suppress(IndexDamagedError), damage_told(), current_listing(store) as listing:
        if listing is not None:
            return _listed(listing, query, wish)
    sessions = list_sessions(store)
    rows = [Row(session) for session in sessions if query.matches(session)]
    return _page(query, rows, len(rows), len(sessions), wish)


def _listed(listing: Listing, query: Query, wish: Wish) -> Page:
    """The same from the index: no more sessions are made than are shown, where the order allows that."""
    everything = listing.counts().sessions
    if not query.text.strip():
        limit = wish.limit if wish.is_newest_first else None
        return _page(query, map(Row, listing.newest(limit)), everything, everything, wish)
    ids = listing.fitting(query)
    return _page(query, _listed_rows(listing, ids, wish, {}), len(ids), everything, wish)


def _listed_rows(
    listing: Listing, ids: list[str], wish: Wish, verdicts: Mapping[str, Verdict]
) -> Iterator[Row]:
    """Rows for ids that stand with the newest first."""
    shown = ids[: wish.limit] if wish.is_newest_first else ids
    return (Row(session, verdicts.get(session.id)) for session in listing.sessions(shown))


def _page(query: Query, rows: Iterable[Row], total: int, everything: int, wish: Wish) -> Page:
    ordered = list(rows)
    _sort(ordered, wish.order)
    return Page(query.text, ordered[: wish.limit], total, everything)


def _sort(rows: list[Row], order: str) -> None:
    """In place by several columns, the first named counts most."""
    for part in reversed(order.split(",")):
        name = part.removeprefix("-")
        rows.sort(key=column_named(name).key, reverse=part.startswith("-"))


def _screenful() -> int:
    return max(3, shutil.get_terminal_size().lines - 3)


def _write(page: Page, columns: list[Column], form: str | None, settings: Settings, *, wide: bool) -> None:
    if form == "json":
        output.write_json(_document(page))
    elif form == "jsonl":
        for row in page.rows:
            output.write_json(item(row), one_line=True)
    elif form == "plain":
        output.write_lines(_plain_lines(page.rows, columns), settings)
    elif form == "ids":
        click.echo("".join(f"{row.session.id}\0" for row in page.rows), nl=False)
    else:
        _write_table(page, columns, settings, wide=wide)


def _plain_lines(rows: Iterable[Row], columns: list[Column]) -> Iterator[str]:
    names = [name for column in columns for name, known in COLUMNS.items() if known is column]
    yield "\t".join(names)
    for row in rows:
        yield "\t".join(column.plain(row) for column in columns)


def _write_table(page: Page, columns: list[Column], settings: Settings, *, wide: bool) -> None:
    if not page.rows:
        settings.note(_nothing(page))
        return
    width = shutil.get_terminal_size().columns
    shown = columns if wide else _narrowed(page, columns, settings, width)
    right = frozenset(place for place, column in enumerate(shown) if column.right)
    lines: Iterable[str] = output.table(_cells(page, shown, settings, wide=wide), right)
    if not wide:
        lines = [output.cut(line, width) for line in lines]
    if settings.colored(sys.stdout):
        lines = (click.style(line, bold=place == 0) for place, line in enumerate(lines))
    output.write_lines(lines, settings)
    if not wide:
        _write_footer(page, settings)


def _narrowed(page: Page, columns: list[Column], settings: Settings, width: int) -> list[Column]:
    """The columns of the usual table that a terminal of `width` has room for; those that were named stay."""
    if columns != columns_named(_DEFAULT_COLUMNS):
        return columns
    kept = columns
    for name in _LEFT_OUT_FIRST:
        if output.table_width(_cells(page, kept[:-1], settings, wide=False)) <= width:
            break
        kept = [column for column in kept if column is not COLUMNS[name]]
    return kept


def _cells(page: Page, columns: list[Column], settings: Settings, *, wide: bool) -> list[list[str]]:
    titles = [_title(column, settings) for column in columns]
    return [titles, *([_cell(column, row, settings, wide) for column in columns] for row in page.rows)]


def _title(column: Column, settings: Settings) -> str:
    return f"{column.title} ({settings.zone_name()})" if column.title in ("START", "END") else column.title


def _cell(column: Column, row: Row, settings: Settings, wide: bool) -> str:
    """On a terminal the random half of an id is enough to name a session."""
    if column.title == "ID" and not wide:
        return safe(row.session.id.rpartition("-")[2])
    return column.text(row, settings)


def _nothing(page: Page) -> str:
    if page.all_sessions == 0:
        return "no recordings yet; make one: sealcast rec"
    return f"no session matches {safe(page.query, 200)} ({page.all_sessions:,} sessions)"


def _write_footer(page: Page, settings: Settings) -> None:
    more = f" Show more: -n {page.total}." if page.total > len(page.rows) else ""
    name = safe(page.rows[0].session.id.rpartition("-")[2])
    text = f"{len(page.rows)} of {page.total:,} sessions.{more} Open: sealcast play {name}"
    if settings.verbosity >= 0:
        click.echo(text, err=True)


def _document(page: Page) -> dict[str, Any]:
    complete = len(page.rows) == page.total
    return {
        "schema": SCHEMA,
        "query": page.query,
        "total": page.total,
        "returned": len(page.rows),
        "complete": complete,
        "reason": None if complete else "limit",
        "items": [item(row) for row in page.rows],
    }
