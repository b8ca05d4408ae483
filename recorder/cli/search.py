"""`sealcast search`: the commands that fit a query, in every session, each with a link to its moment."""

import itertools
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from recorder.cli import output
from recorder.cli.indexes import States, indexed, update_option
from recorder.cli.pages import QueryVerb
from recorder.cli.query_words import QueryType
from recorder.cli.search_rows import (
    SCHEMA,
    Row,
    item,
    plain_header,
    plain_line,
    session_item,
    session_line,
    text_lines,
)
from recorder.cli.settings import Finite, Settings, settings_of
from recorder.cli.stores import open_store
from recorder.errors import ExitCode
from recorder.index.query import Scope, parse
from recorder.index.search import Match, Search, SearchStoppedError
from recorder.index.without_data import without_data
from recorder.safe_text import safe

_TIMEOUT_S = 60.0
_MATCHING_LINES = 2
"""Lines of output shown with a match unless -C asks for others."""


@dataclass(slots=True)
class Answer:
    """What was found so far, and of how much."""

    search: Search
    limit: int | None
    matches: int = 0
    sessions: int = 0
    stopped: SearchStoppedError | None = None
    is_cut: bool = False
    """There are more than the limit."""
    _last: str = field(default="")

    def found(self) -> Iterator[Match]:
        """The matches up to the limit. The rest is counted where that is quick."""
        try:
            for match in self.search.matches():
                if self.limit is not None and self.matches >= self.limit:
                    self.is_cut = True
                    if not self.search.is_narrow:
                        return
                else:
                    yield match
                self._count(match)
        except SearchStoppedError as stopped:
            self.stopped = stopped

    def _count(self, match: Match) -> None:
        self.matches += 1
        self.sessions += match.session != self._last
        self._last = match.session

    @property
    def code(self) -> ExitCode:
        if self.matches:
            return ExitCode.OK
        return ExitCode.SOME if self.stopped else ExitCode.NO


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
    type=click.IntRange(min=1),
    help="At most this many (a screenful on a terminal, else all).",
)
@click.option(
    "-C",
    "--context",
    "around",
    type=click.IntRange(min=0, max=10_000),
    metavar="LINES",
    help="Lines of output with each match: around what was found in it, else its first (2 that match).",
)
@click.option("--count", is_flag=True, help="Print only how many matches there are.")
@click.option("--sessions", "by_session", is_flag=True, help="One line per session.")
@click.option("--json", "form", flag_value="json", help="One JSON document.")
@click.option("--jsonl", "form", flag_value="jsonl", help="One JSON object per line, as found.")
@click.option("--plain", "form", flag_value="plain", help="Tab-separated with one header line.")
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
    *,
    query: Sequence[str],
    limit: int | None,
    around: int | None,
    count: bool,
    by_session: bool,
    form: str | None,
    timeout: float,
    update: bool | None,
) -> int:
    """Find commands in all sessions, the newest session first.

    Each line is a command: a link to its moment (sealcast play LINK opens there), when, who, where, how it
    ended. What is not in the index is indexed first where that is little (a few sessions), or where you are
    at a terminal: then with progress, and Ctrl-C keeps what is done. Otherwise what is missing is said.
    Exit code 6: stopped by --timeout before anything was found.
    """
    settings = settings_of(context)
    parsed = parse(" ".join(query), zone=settings.zone, scope=Scope.MOMENTS)
    store = open_store(settings)
    on_terminal = form is None and sys.stdout.isatty()
    wanted = limit or (_screenful() if on_terminal else None)
    with indexed(store, settings, update=update) as connection:
        deadline = time.monotonic() + timeout
        running = Search(connection, parsed, States(store), lambda: time.monotonic() > deadline)
        answer = Answer(running, None if count or by_session else wanted)
        if count:
            click.echo(sum(1 for _ in answer.found()))
        elif by_session:
            _write_sessions(answer, wanted, form, settings)
        else:
            _write(answer, _rows(answer, around), form, settings)
        if running.without_output:
            unread = _count(running.without_output, "session has", "sessions have")
            settings.note(f"{unread} no output in the index: sealcast index build --output")
        for said in without_data(connection, parsed):
            settings.note(said)
    if answer.stopped is not None:
        settings.note(f"stopped after {timeout:g}s: {answer.stopped.message}")
    if on_terminal and not count and settings.verbosity >= 0:
        click.echo(_footer(answer), err=True)
    return answer.code


def _screenful() -> int:
    return max(3, shutil.get_terminal_size().lines - 3)


def _rows(answer: Answer, around: int | None) -> Iterator[Row]:
    """The matches with the lines of output that are shown with them."""
    search = answer.search
    for match in answer.found():
        if around is None:
            lines = search.matching_lines(match)[:_MATCHING_LINES]
        else:
            lines = search.lines_around(match, around)
        yield Row(match, search.moment_s(match), lines)


def _write(answer: Answer, rows: Iterator[Row], form: str | None, settings: Settings) -> None:
    if form == "jsonl":
        for row in rows:
            output.write_json(item(row), one_line=True)
    elif form == "json":
        items = [item(row) for row in rows]
        output.write_json(_document(answer, items))
    elif form == "plain":
        output.write_lines(itertools.chain([plain_header()], map(plain_line, rows)), settings)
    else:
        short = sys.stdout.isatty()
        lines = (line for row in rows for line in text_lines(row, settings, short=short))
        output.write_lines(lines, settings)


def _write_sessions(answer: Answer, limit: int | None, form: str | None, settings: Settings) -> None:
    """One line for each session, with a link to its first match."""
    groups = itertools.groupby(answer.found(), key=lambda match: match.session)
    every = ((_first(answer, group), 1 + sum(1 for _ in group)) for _, group in groups)
    counted = itertools.islice(every, limit)
    if form == "json":
        output.write_json(_document(answer, [session_item(*pair) for pair in counted]))
    elif form == "jsonl":
        for pair in counted:
            output.write_json(session_item(*pair), one_line=True)
    else:
        short = form is None and sys.stdout.isatty()
        output.write_lines((session_line(*pair, settings, short=short) for pair in counted), settings)


def _first(answer: Answer, group: Iterator[Match]) -> Row:
    match = next(group)
    return Row(match, answer.search.moment_s(match))


def _document(answer: Answer, items: list[dict[str, Any]]) -> dict[str, Any]:
    """`total` is null where a limit or the time ended the search before everything was looked at."""
    search = answer.search
    complete = search.searched == search.total and (search.is_narrow or not answer.is_cut)
    cut = "limit" if answer.is_cut else None
    return {
        "schema": SCHEMA,
        "query": search.query.text,
        "total": answer.matches if complete else None,
        "returned": len(items),
        "searched": search.searched,
        "sessions": search.total,
        "complete": complete and not answer.is_cut,
        "reason": answer.stopped.message if answer.stopped else cut,
        "items": items,
    }


def _footer(answer: Answer) -> str:
    """Honest counts: what was found, in how many sessions, of how many that were looked at."""
    search = answer.search
    if not answer.matches:
        return f"no match for {safe(search.query.text, 200)} in {_of(search)}; commands and output"
    found = (
        f"{_count(answer.matches, 'match', 'matches')} in {_count(answer.sessions, 'session', 'sessions')}"
    )
    more = ""
    if answer.is_cut and answer.limit is not None:
        more = f" The first {answer.limit:,} are shown; more: -n {max(answer.limit * 4, 100)}."
    return f"{found} of {_of(search)}.{more}"


def _of(search: Search) -> str:
    if search.searched < search.total:
        return f"{search.searched:,} searched ({search.total:,} in all)"
    return f"{search.total:,} searched"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
