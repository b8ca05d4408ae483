"""`sealcast search`: the commands that fit a query, in every session, each with a link to its moment."""

import itertools
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

import click

from recorder.cli import output
from recorder.cli.forms import Exclusive, form_of, form_option
from recorder.cli.indexes import States, indexed, update_option
from recorder.cli.pages import QueryVerb
from recorder.cli.query_words import QueryType
from recorder.cli.search_answer import Answer, counted, footer, write_document
from recorder.cli.search_rows import (
    Row,
    item,
    plain_header,
    plain_line,
    plain_session_header,
    plain_session_line,
    session_item,
    session_line,
    text_lines,
)
from recorder.cli.settings import Finite, Settings, settings_of
from recorder.cli.stores import open_store
from recorder.errors import ExitCode
from recorder.index.query import Query, Scope, parse
from recorder.index.query_tokens import OPERATORS, tokens
from recorder.index.search import Match, Search, SearchStoppedError
from recorder.index.without_data import without_data
from recorder.safe_text import safe

_TIMEOUT_S = 60.0
_MATCHING_LINES = 2
"""Lines of output shown with a match unless -C asks for others."""


@click.command(
    cls=QueryVerb,
    examples=[
        ("sealcast search kubectl", "commands, or output, with this text"),
        ("sealcast search 'cmd:kubectl exit:!=0 after:-7d'", "those that failed this week"),
        ("sealcast search 'cmd:\"sudo -i\" THEN cmd:/curl.*sh/'", "one after the other in a session"),
        ("sealcast search --jsonl out:FATAL | jq -r .link", "links for a program"),
    ],
    codes=[ExitCode.OK, ExitCode.NO, ExitCode.USAGE, ExitCode.TARGET, ExitCode.SOME, ExitCode.FORMAT],
    topics=["query", "json"],
)
@click.argument("query", nargs=-1, type=QueryType(), required=True)
@click.option(
    "-n",
    "--limit",
    cls=Exclusive,
    excludes=["count"],
    type=click.IntRange(min=1),
    help="At most this many (a screenful on a terminal, else all).",
)
@click.option(
    "-C",
    "--context",
    "around",
    cls=Exclusive,
    excludes=["count", "by_session"],
    type=click.IntRange(min=0, max=10_000),
    metavar="LINES",
    help="Lines of output with each match: around what was found in it, else its first (2 that match).",
)
@click.option(
    "--count", is_flag=True, help="Print only how many matches there are (with --sessions: sessions)."
)
@click.option("--sessions", "by_session", is_flag=True, help="One line per session.")
@form_option("json", "One JSON document.")
@form_option("jsonl", "One JSON object per line, as found.")
@form_option("plain", "Tab-separated with one header line.")
@click.option(
    "--timeout",
    type=Finite(min=0, min_open=True),
    default=_TIMEOUT_S,
    metavar="SECONDS",
    help="Stop after so long and print what was found (60).",
)
@update_option
@click.pass_context
def search(
    context: click.Context,
    /,
    *,
    query: Sequence[str],
    limit: int | None,
    around: int | None,
    count: bool,
    by_session: bool,
    timeout: float,
    update: bool | None,
    **forms: bool,
) -> int:
    """Find commands in all sessions, the newest session first.

    Each line is a command: a link to its moment (sealcast play LINK opens there), when, who, where, how it
    ended. What is not in the index is indexed first where that is little (a few sessions), or where you are
    at a terminal: then with progress, and Ctrl-C keeps what is done. Otherwise what is missing is said.
    Exit code 6: stopped by --timeout before anything was found.
    """
    settings = settings_of(context)
    form = form_of(forms)
    parsed = parse(" ".join(query), zone=settings.zone, scope=Scope.MOMENTS)
    on_terminal = form is None and sys.stdout.isatty()
    asked = _Asked(form, limit or (_screenful() if on_terminal else None), around, count, by_session)
    answer = _search(parsed, asked, settings, timeout, update=update)
    if answer.stopped is not None:
        settings.note(f"stopped after {timeout:g}s: {answer.stopped.message}")
    if not answer.matches:
        _note_words(parsed.text, settings)
    if on_terminal and not count and settings.verbosity >= 0:
        click.echo(footer(answer), err=True)
    return answer.code


class _Asked(NamedTuple):
    """What is to be printed."""

    form: str | None
    limit: int | None
    around: int | None
    only_count: bool
    by_session: bool


def _search(
    query: Query, asked: _Asked, settings: Settings, timeout_s: float, *, update: bool | None
) -> Answer:
    """Searches the index and prints what is found; says what the index lacks."""
    store, lacks = open_store(settings), list[str]()
    with indexed(store, settings, update=update, lacks=lacks.append) as connection:
        deadline = time.monotonic() + timeout_s
        search = Search(connection, query, States(store), lambda: time.monotonic() > deadline)
        for said, hint in _not_held(search, connection):
            lacks.append(said)
            settings.note(f"{said}: {hint}")
        is_bare = asked.only_count or asked.by_session
        answer = Answer(search, None if is_bare else asked.limit, "; ".join(lacks))
        with closing(answer.found()) as found:
            _print(answer, found, asked, settings)
        for said in without_data(connection, query):
            settings.note(said)
    return answer


def _not_held(search: Search, connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """What the index does not hold of the sessions in it, and what tells more or helps."""
    if search.without_output:
        unread = counted(search.without_output, "session has", "sessions have")
        yield f"{unread} no output in the index", "sealcast index build --output"
    (broken,) = connection.execute("SELECT count(*) FROM broken").fetchone()
    if broken:
        unread = counted(broken, "recording", "recordings")
        yield f"{unread} could not be read to the end", "sealcast index status"


def _print(answer: Answer, found: Iterator[Match], asked: _Asked, settings: Settings) -> None:
    if asked.only_count:
        matches = sum(1 for _ in found)
        click.echo(answer.sessions if asked.by_session else matches)
    elif asked.by_session:
        _write_sessions(answer, found, asked, settings)
    else:
        _write(answer, _rows(answer, found, asked.around), asked.form, settings)


def _screenful() -> int:
    return max(3, shutil.get_terminal_size().lines - 3)


def _note_words(text: str, settings: Settings) -> None:
    """Whoever wrote `a and b` may have meant `a AND b`."""
    words = {
        token.source for token in tokens(text) if token.field is None and token.source.upper() in OPERATORS
    }
    for word in sorted(words):
        settings.note(f'"{safe(word)}" was looked for as a word; the operator is {word.upper()}')


def _rows(answer: Answer, found: Iterator[Match], around: int | None) -> Iterator[Row]:
    """The matches with the lines of output that are shown with them."""
    search = answer.search
    try:
        for match in found:
            if around is None:
                lines = search.matching_lines(match)[:_MATCHING_LINES]
            else:
                lines = search.lines_around(match, around)
            yield Row(match, search.moment_s(match), lines)
    except SearchStoppedError as stopped:
        answer.stopped = stopped


def _write(answer: Answer, rows: Iterator[Row], form: str | None, settings: Settings) -> None:
    if form == "jsonl":
        for row in rows:
            output.write_json(item(row), one_line=True)
    elif form == "json":
        write_document(answer, map(item, rows), lambda: answer.matches)
    elif form == "plain":
        output.write_lines(itertools.chain([plain_header()], map(plain_line, rows)), settings)
    else:
        short = sys.stdout.isatty()
        lines = (line for row in rows for line in text_lines(row, settings, short=short))
        output.write_lines(lines, settings)


def _write_sessions(answer: Answer, found: Iterator[Match], asked: _Asked, settings: Settings) -> None:
    """One line for each session, with a link to its first match."""
    form, pairs = asked.form, _sessions(answer, found, asked.limit)
    if form == "json":
        write_document(answer, itertools.starmap(session_item, pairs), lambda: answer.sessions)
    elif form == "jsonl":
        for pair in pairs:
            output.write_json(session_item(*pair), one_line=True)
    elif form == "plain":
        lines = itertools.starmap(plain_session_line, pairs)
        output.write_lines(itertools.chain([plain_session_header()], lines), settings)
    else:
        short = form is None and sys.stdout.isatty()
        output.write_lines((session_line(*pair, settings, short=short) for pair in pairs), settings)


def _sessions(answer: Answer, found: Iterator[Match], limit: int | None) -> Iterator[tuple[Row, int]]:
    """The first match of each session, and how many it has."""
    try:
        for number, (_, group) in enumerate(itertools.groupby(found, key=lambda match: match.session)):
            if number == limit:
                answer.give_back()
                return
            match = next(group)
            yield Row(match, answer.search.moment_s(match)), 1 + sum(1 for _ in group)
    except SearchStoppedError as stopped:
        answer.stopped = stopped
