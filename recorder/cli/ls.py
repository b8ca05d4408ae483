"""`sealcast ls`: the sessions that fit a query."""

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

import click

from recorder.cli import output
from recorder.cli.columns import COLUMNS, Column, Row, column_named, columns_named, item
from recorder.cli.forms import Exclusive, form_of, form_option
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
from recorder.store.catalog import Session, list_sessions
from recorder.store.checking import Checker
from recorder.store.layout import Store

SCHEMA = "sealcast.sessions/1"
_NEWEST_FIRST = "-start"
_DEFAULT_COLUMNS = "check,start,user,host,length,exit,id,about"
_NOT_LOOKED_AT = "commands and output are not looked at: there is no index (sealcast index build)"
_LEFT_OUT_FIRST = ("exit", "length", "host", "user")
"""What a narrow terminal has no room for, so that ids, which open sessions, are in view."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a query found: the rows shown, and of how many."""

    query: str
    rows: Iterable[Row]
    """To be gone through once."""
    returned: int
    """How many rows those are."""
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


_Rows = Callable[[Iterable[Session]], Iterator[Row]]
"""The rows of those sessions that are to be listed."""


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
    cls=Exclusive,
    excludes=["count"],
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
@form_option("json", "One JSON document.")
@form_option("jsonl", "One JSON object per line.")
@form_option("plain", "Tab-separated with one header line.")
@form_option("ids", "Ids only, each followed by NUL.")
@update_option
@click.pass_context
def ls(
    context: click.Context,
    /,
    *,
    query: Sequence[str],
    limit: int | None,
    sort: str,
    columns: str,
    wide: bool,
    count: bool,
    update: bool | None,
    **forms: bool,
) -> int:
    """List sessions, newest first.

    The sign in front says what is known without reading the recording: … is live, ~ has no end, ∅ has
    no file, ✗ is not in the log. Use verify, or check: in the query, to have recordings verified. Queries
    about commands and output look into the index; what is new is indexed first as with search.
    """
    settings, form = settings_of(context), form_of(forms)
    chosen = columns_named(columns)
    parsed = parse(" ".join(query), zone=settings.zone, scope=Scope.SESSIONS)
    store = open_store(settings)
    on_terminal = form is None and sys.stdout.isatty()
    wish = Wish(sort, 0 if count else limit or (_screenful() if on_terminal else None))
    with contextlib.ExitStack() as opened:
        if parsed.asks_commands and (parsed.needs_index or has_index(store)):
            page = _indexed_matches(store, parsed, settings, wish, opened, update=update)
        else:
            if parsed.asks_commands and store.exists():
                settings.note(_NOT_LOOKED_AT)
            page = _matches(store, parse(parsed.text, zone=settings.zone), wish, opened)
        if count:
            click.echo(page.total)
            return ExitCode.OK if page.total else ExitCode.NO
        _write(page, chosen, form, settings, wide=wide or not on_terminal)
    return ExitCode.OK


def _indexed_matches(
    store: Store,
    query: Query,
    settings: Settings,
    wish: Wish,
    opened: contextlib.ExitStack,
    *,
    update: bool | None,
) -> Page:
    """Where the query asks about commands: of those, the index knows."""
    states = States(store)
    with indexed(store, settings, update=update) as connection:
        ids = list(Search(connection, query, states).sessions())
        for said in without_data(connection, query):
            settings.note(said)

    fitting = set(ids)

    def rows_of(sessions: Iterable[Session]) -> Iterator[Row]:
        return (Row(one, states.verdicts.get(one.id)) for one in sessions if one.id in fitting)

    with contextlib.suppress(IndexDamagedError), damage_told():
        listing = opened.enter_context(current_listing(store))
        if listing is not None:
            there = [one for one in ids if listing.changed.get(one, listing) is not None]
            sessions = _by_number(_listed(listing, there, wish))
            rows = _whole(rows_of(sessions), rows_of, store)
            return _page(query, rows, len(there), listing.counts().sessions, wish)
    return _from_log(query, rows_of, list_sessions(store), wish)


def _matches(store: Store, query: Query, wish: Wish, opened: contextlib.ExitStack) -> Page:
    """Where it asks about facts of sessions; they are verified where it asks for that."""
    if query.needs_check:
        checker = Checker(store)
        candidates = (session for session in checker.sessions if query.may_match(session))
        checked = (Row(session, checker.verdict_of(session)) for session in candidates)
        rows = [row for row in checked if query.matches(row.session, row.state)]
        return _page(query, rows, len(rows), len(checker.sessions), wish)

    def rows_of(sessions: Iterable[Session]) -> Iterator[Row]:
        return (Row(one) for one in sessions if query.matches(one))

    with contextlib.suppress(IndexDamagedError), damage_told():
        listing = opened.enter_context(current_listing(store))
        if listing is not None:
            return _matches_listed(listing, query, rows_of, wish)
    return _from_log(query, rows_of, list_sessions(store), wish)


def _matches_listed(listing: Listing, query: Query, rows_of: _Rows, wish: Wish) -> Page:
    """The same from the index: no more sessions are made than are shown, where the order allows that."""
    everything = total = listing.counts().sessions
    if query.text.strip():
        ids = listing.fitting(query)
        total, sessions = len(ids), _listed(listing, ids, wish)
    else:
        sessions = listing.newest(wish.limit if wish.is_newest_first else None)
    return _page(query, _whole(map(Row, sessions), rows_of, listing.store), total, everything, wish)


def _listed(listing: Listing, ids: list[str], wish: Wish) -> Iterator[Session]:
    """The sessions of ids that stand with the newest first."""
    return listing.sessions(ids[: wish.limit] if wish.is_newest_first else ids)


def _by_number(sessions: Iterable[Session]) -> Iterator[Session]:
    """Those that began at the same moment in the order in which lists have them."""
    for _, together in groupby(sessions, key=attrgetter("start")):
        yield from sorted(together, key=attrgetter("number"), reverse=True)


def _whole(rows: Iterator[Row], rows_of: _Rows, store: Store) -> Iterator[Row]:
    """The rows; where the index turns out to be damaged on the way, the rest of them from the log."""
    told: set[str] = set()
    try:
        with damage_told():
            for row in rows:
                told.add(row.session.id)
                yield row
    except IndexDamagedError:
        yield from (row for row in rows_of(list_sessions(store)) if row.session.id not in told)


def _from_log(query: Query, rows_of: _Rows, sessions: list[Session], wish: Wish) -> Page:
    rows = list(rows_of(sessions))
    return _page(query, rows, len(rows), len(sessions), wish)


def _page(query: Query, rows: Iterable[Row], total: int, everything: int, wish: Wish) -> Page:
    """Rows that come with the newest first are not gathered to be put into that order."""
    returned = total if wish.limit is None else min(wish.limit, total)
    if not wish.is_newest_first:
        ordered = list(rows)
        _sort(ordered, wish.order)
        rows = ordered
    return Page(query.text, islice(rows, returned), returned, total, everything)


def _sort(rows: list[Row], order: str) -> None:
    """In place by several columns, the first named counts most."""
    for part in reversed(order.split(",")):
        name = part.removeprefix("-")
        rows.sort(key=column_named(name).key, reverse=part.startswith("-"))


def _screenful() -> int:
    return max(3, shutil.get_terminal_size().lines - 3)


def _write(page: Page, columns: list[Column], form: str | None, settings: Settings, *, wide: bool) -> None:
    if form == "json":
        output.write_json_items(_head(page), map(item, page.rows))
    elif form == "jsonl":
        for row in page.rows:
            output.write_json(item(row), one_line=True)
    elif form == "plain":
        output.write_lines(_plain_lines(page.rows, columns), settings)
    elif form == "ids":
        sys.stdout.writelines(f"{row.session.id}\0" for row in page.rows)
    else:
        _write_table(page, columns, settings, wide=wide)


def _plain_lines(rows: Iterable[Row], columns: list[Column]) -> Iterator[str]:
    names = [name for column in columns for name, known in COLUMNS.items() if known is column]
    yield "\t".join(names)
    for row in rows:
        yield "\t".join(column.plain(row) for column in columns)


def _write_table(page: Page, columns: list[Column], settings: Settings, *, wide: bool) -> None:
    rows = list(page.rows)
    if not rows:
        settings.note(_nothing(page))
        return
    width = shutil.get_terminal_size().columns
    shown = columns if wide else _narrowed(rows, columns, settings, width)
    right = frozenset(place for place, column in enumerate(shown) if column.right)
    lines: Iterable[str] = output.table(_cells(rows, shown, settings, wide=wide), right)
    if not wide:
        lines = [output.cut(line, width) for line in lines]
    if settings.colored(sys.stdout):
        lines = (click.style(line, bold=place == 0) for place, line in enumerate(lines))
    output.write_lines(lines, settings)
    if not wide:
        _write_footer(page, rows[0], settings)


def _narrowed(rows: list[Row], columns: list[Column], settings: Settings, width: int) -> list[Column]:
    """The columns of the usual table that a terminal of `width` has room for; those that were named stay."""
    if columns != columns_named(_DEFAULT_COLUMNS):
        return columns
    kept = columns
    for name in _LEFT_OUT_FIRST:
        if output.table_width(_cells(rows, kept[:-1], settings, wide=False)) <= width:
            break
        kept = [column for column in kept if column is not COLUMNS[name]]
    return kept


def _cells(rows: list[Row], columns: list[Column], settings: Settings, *, wide: bool) -> list[list[str]]:
    titles = [_title(column, settings) for column in columns]
    return [titles, *([_cell(column, row, settings, wide) for column in columns] for row in rows)]


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
    count = page.all_sessions
    return f"no session matches {safe(page.query, 200)} ({count:,} {'session' if count == 1 else 'sessions'})"


def _write_footer(page: Page, first: Row, settings: Settings) -> None:
    more = f" Show more: -n {page.total}." if page.total > page.returned else ""
    name = safe(first.session.id.rpartition("-")[2])
    text = f"{page.returned} of {page.total:,} sessions.{more} Open: sealcast play {name}"
    if settings.verbosity >= 0:
        click.echo(text, err=True)


def _head(page: Page) -> dict[str, Any]:
    """The JSON document without its items."""
    complete = page.returned == page.total
    return {
        "schema": SCHEMA,
        "query": page.query,
        "total": page.total,
        "returned": page.returned,
        "complete": complete,
        "reason": None if complete else "limit",
    }
