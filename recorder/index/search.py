"""A query carried out over the index: the sessions that fit, or the commands that are found."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from recorder.errors import SealcastError
from recorder.index.compile import Candidates, Compiler, id_list
from recorder.index.compile_predicates import Sql
from recorder.index.output_words import in_output
from recorder.index.predicates import Matches
from recorder.index.query import Query, too_deep
from recorder.index.query_tree import LISTED, TooDeepError, asks_output, sought_in, tests
from recorder.index.regex_literals import Words, fts_query
from recorder.index.search_narrowing import Narrowing, Required, required_of_listed, required_of_sessions
from recorder.index.search_outputs import Line, Outputs
from recorder.index.search_shows import Shows
from recorder.index.terms_values import INFINITY

SELECTIVE = 20_000
SELECTIVE_PIECES = 8_000
"""Candidates up to this many are looked at one by one; with more it is faster to go through the sessions."""
_FEW = 2_000
"""Up to so many commands or sessions are looked at in a moment, to count all that fit."""
_STEPS = 20_000
"""Steps of SQLite's machine between two looks at the clock: less than a millisecond."""

States = Callable[[str], str]
"""The check state of the session with an id, found out when it is asked for."""


_NEWEST = "s.started DESC, s.key DESC"
_FIRST_HANDFUL, _LARGEST_HANDFUL = 25, 6_400
NEWEST_HANDFULS = 7
"""Handfuls of the newest sessions, 3,175, that are gone through before all commands are put in order."""
MANY = 1_000
"""Commands up to so many are put in order at once."""
_OF_SESSIONS = "s.key IN (SELECT value FROM json_each(?))"
_OF_COMMANDS = "c0.id IN (SELECT value FROM json_each(?))"
_NEXT_SESSIONS = (
    "SELECT key, started FROM sessions WHERE (started, key) < (?, ?) ORDER BY started DESC, key DESC LIMIT ?"
)
_NEWEST_SESSIONS = f"SELECT s.key FROM sessions s WHERE {_OF_SESSIONS} ORDER BY {_NEWEST}"  # noqa: S608  no value in it
_SESSIONS_OF_COMMANDS = "SELECT DISTINCT session FROM stretches WHERE id IN (SELECT value FROM json_each(?))"
_COMMANDS_OF_SESSIONS = (
    "SELECT session, ordinal, id FROM stretches WHERE session IN (SELECT value FROM json_each(?))"
)
_IN_ORDER = """
SELECT c0.id FROM stretches c0 CROSS JOIN sessions s
WHERE c0.session = s.key AND c0.id IN (SELECT value FROM json_each(?))
ORDER BY s.started DESC, s.key DESC, c0.ordinal"""
_WITH_WORDS = "SELECT rowid FROM commands_fts WHERE commands_fts MATCH ? LIMIT ?"
_FAILED = "SELECT failed.id FROM stretches failed WHERE failed.exit_status <> 0 AND {} LIMIT ?"
_MATCHES = """
SELECT s.id, s.user, s.host, s.started, s.live, c0.id, c0.ordinal, c0.start, c0.duration, c0.started,
    coalesce(c0.text, ''), c0.text IS NULL, c0.exit_status, c0.cwd, c0.as_user, c0.level
FROM {tables}
WHERE c0.session = s.key AND {rows}"""

_TOO_DEEP = ("parser stack overflow", "too large", "too many SQL variables")
"""What SQLite says of too deep an expression. From 3.46 on its parser has no limit of its own."""


class Match(NamedTuple):
    """A command or an aside that was found, with its session. Foreign text: show it through `safe`."""

    session: str
    user: str
    host: str
    session_start: float
    live: bool
    command: int
    """Its number in the index."""
    ordinal: int
    start_s: float
    """When it was accepted, in seconds of recording time."""
    duration_s: float | None
    started: float
    """The same as unix time."""
    text: str
    is_aside: bool
    """It was shown while no command ran: there is output, and no text."""
    exit_status: int | None
    cwd: str | None
    as_user: str | None
    level: int


class SearchStoppedError(SealcastError):
    """The time was up, or somebody stopped the search; what was found until then stands."""


class Search:
    """One query over one connection to an index, which no other search uses meanwhile."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        query: Query,
        states: States,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """`stop` is asked often, and ends the search with `SearchStoppedError` when it says so."""
        self._connection = connection
        self.query = query
        self._stop = stop
        self._outputs = Outputs(connection, searched=any(map(asks_output, tests(query.root))))
        self._sought_only_there = sought_in(query.root, {"output"})
        self._sought_anywhere = sought_in(query.root, {"text", "output"})
        self._sought = list(map(in_output, self._sought_only_there + self._sought_anywhere))
        self._compiler = Compiler(self._candidates, self._failed)
        self._shows = Shows(self._outputs, self._compiler.outputs, SELECTIVE_PIECES)
        self._known_states: dict[str, str] = {}
        self._states = states
        self._failure: BaseException | None = None
        self._functions()
        self.total: int = connection.execute("SELECT count(*) FROM sessions").fetchone()[0]
        self._searched = 0
        self._reached: Match | None = None
        self.is_narrow = False
        """All that may be found is known to be little, so counting it takes no time."""

    @property
    def searched(self) -> int:
        """Sessions looked at so far, the newest first."""
        if self._reached is None:
            return self._searched
        return self._counted("SELECT count(*) FROM sessions WHERE started >= ?", self._reached.session_start)

    @property
    def without_output(self) -> int:
        """Sessions whose output the query would look at, and the index does not hold."""
        if not self._sought:
            return 0
        return self._counted("SELECT count(*) FROM sessions WHERE has_output = 0 AND file IS NOT NULL")

    def _counted(self, statement: str, *parameters: object) -> int:
        """A count that is due after the search was stopped, too."""
        self._connection.set_progress_handler(None, 0)
        try:
            return int(self._connection.execute(statement, parameters).fetchone()[0])
        finally:
            self._connection.set_progress_handler(self._stop, _STEPS)

    def _come_to(self, searched: int) -> None:
        self._searched, self._reached = searched, None

    def sessions(self) -> Iterator[str]:
        """The ids of the sessions that fit, the newest first."""
        with self._translated():
            where = self._compiler.sql(self.query.fits)
            narrow = self._compiler.session_candidates(self.query.fits)
            statement = (
                f"SELECT s.id FROM sessions s WHERE {_OF_SESSIONS} AND {where.text} ORDER BY {_NEWEST}"  # noqa: S608
            )
            narrowing = self._narrowing(required_of_sessions(self._compiler, self.query.fits))
            for row in self._each(statement, where, self._sessions_of(narrow), narrowing):
                yield row[0]

    def matches(self) -> Iterator[Match]:
        """The commands that are found: of the newest session first, within one in order."""
        with self._translated():
            formula = self.query.listed
            where = self._compiler.sql(formula)
            statement = f"{_MATCHES} AND {where.text} ORDER BY {_NEWEST}, c0.ordinal"
            narrow = self._compiler.candidates(formula, LISTED)
            if narrow is not None:
                found = statement.format(tables="stretches c0 CROSS JOIN sessions s", rows=_OF_COMMANDS)
                yield from self._each_command(found, where, narrow)
                return
            sessions = self._sessions_of(self._compiler.session_candidates(formula))
            found = statement.format(tables="sessions s CROSS JOIN stretches c0", rows=_OF_SESSIONS)
            narrowing = self._narrowing(required_of_listed(self._compiler, formula))
            yield from map(Match._make, self._each(found, where, sessions, narrowing))

    def _each_command(self, statement: str, where: Sql, narrow: frozenset[int]) -> Iterator[Match]:
        """The matches among these commands, a handful at a time, so that the first ones come soon."""
        self.is_narrow = len(narrow) <= _FEW
        ordered, size = self._in_order(narrow), _FIRST_HANDFUL
        while handful := list(islice(ordered, size)):
            for row in self._run(statement, (json.dumps(handful), *where.parameters)):
                self._reached = Match._make(row)
                yield self._reached
            size *= 2
        self._come_to(self.total)

    def _in_order(self, commands: frozenset[int]) -> Iterator[int]:
        """The commands of the newest session first, within one in order.

        Where many are in few of the sessions that were begun last, nothing of all the others is read.
        """
        seen: set[int] = set()
        if len(commands) > MANY:
            for handful in islice(self._handfuls(None), NEWEST_HANDFULS):
                places = {session: place for place, session in enumerate(handful)}
                rows = self._run(_COMMANDS_OF_SESSIONS, (json.dumps(handful),))
                found = [(places[row[0]], row[1], row[2]) for row in rows if row[2] in commands]
                seen.update(command for _, _, command in found)
                yield from (command for _, _, command in sorted(found))
        yield from (row[0] for row in self._run(_IN_ORDER, (id_list(commands - seen),)).fetchall())

    def _each(
        self, statement: str, where: Sql, sessions: Sequence[int] | None, narrowing: Narrowing
    ) -> Iterator[tuple[Any, ...]]:
        """The rows of a handful of sessions at a time."""
        for handful in self._handfuls(sessions):
            if narrowed := narrowing.sessions(handful):
                yield from self._run(statement, (json.dumps(narrowed), *where.parameters))
            self._come_to(self._searched + len(handful))
        self._come_to(self.total)

    def _handfuls(self, sessions: Sequence[int] | None) -> Iterator[list[int]]:
        if sessions is not None:
            self.is_narrow, self._searched = len(sessions) <= _FEW, self.total - len(sessions)
            yield from self._handfuls_of(sessions)
            return
        size, last = _FIRST_HANDFUL, (INFINITY, 0)
        while rows := list(self._run(_NEXT_SESSIONS, (*last, size))):
            yield [row[0] for row in rows]
            last = (rows[-1][1], rows[-1][0])
            size = min(size * 2, _LARGEST_HANDFUL)

    def _handfuls_of(self, sessions: Sequence[int]) -> Iterator[list[int]]:
        ordered = iter([row[0] for row in self._run(_NEWEST_SESSIONS, (json.dumps(sessions),))])
        size = _FIRST_HANDFUL
        while handful := list(islice(ordered, size)):
            yield handful
            size *= 2

    def _narrowing(self, required: Required) -> Narrowing:
        return Narrowing(self._connection, self._compiler, self._shows, required)

    def _sessions_of(self, commands: Candidates) -> list[int] | None:
        if commands is None:
            return None
        return [row[0] for row in self._run(_SESSIONS_OF_COMMANDS, (id_list(commands),))]

    # what SQLite calls

    def _functions(self) -> None:
        fits = self._compiler.functions.fits
        for name, function in (("fits", fits), ("shows", self._shows), ("state", self._state)):
            self._connection.create_function(name, -1, self._guarded(function), deterministic=True)
        self._connection.set_progress_handler(self._stop, _STEPS)

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """SQLite says of a failing function only that it failed."""

        def call(*arguments: Any) -> Any:  # noqa: ANN401  what SQLite holds
            try:
                return function(*arguments)
            except BaseException as error:
                self._failure = error
                raise

        return call

    def _run(self, statement: str, parameters: Sequence[object]) -> sqlite3.Cursor:
        return self._connection.execute(statement, parameters)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """What SQLite says of an interruption, or of a function that failed, as what it was."""
        try:
            yield
        except TooDeepError as error:
            raise too_deep() from error
        except sqlite3.OperationalError as error:
            if self._stop():
                raise SearchStoppedError(*_why_slow(self.query)) from error
            if self._failure is not None:
                raise self._failure from error
            if any(limit in str(error) for limit in _TOO_DEEP):
                raise too_deep() from error
            raise

    def _state(self, session_id: str) -> str:
        if session_id not in self._known_states:
            self._known_states[session_id] = self._states(session_id)
        return self._known_states[session_id]

    def _candidates(self, key: str, words: Words) -> Candidates:
        """From the full-text tables, unless they are too many."""
        if key == "output":
            return self._outputs.candidates(words, SELECTIVE_PIECES)
        return _if_few(self._run(_WITH_WORDS, (fts_query(words), SELECTIVE + 1)))

    def _failed(self, asked: Sql) -> Candidates:
        return _if_few(self._run(_FAILED.format(asked.text), (*asked.parameters, SELECTIVE + 1)))

    def matching_lines(self, match: Match) -> list[Line]:
        """The lines of its output in which the query found something."""
        return [line for line in self._lines(match) if self._is_sought(line)]

    def _lines(self, match: Match) -> Sequence[Line]:
        with self._translated():
            return self._outputs.lines(match.command)

    def _is_sought(self, line: Line) -> bool:
        return any(predicate.holds(line.text) for predicate in self._sought)

    def moment_s(self, match: Match) -> float:
        """Where to look: at the start, or at the line of output that made it a match."""
        sought = [in_output(predicate) for predicate in self._sought_only_there]
        if not sought and not any(predicate.holds(match.text) for predicate in self._sought_anywhere):
            sought = self._sought
        lines = self._lines(match) if sought else ()
        found = (line.time for line in lines if any(predicate.holds(line.text) for predicate in sought))
        return next(found, match.start_s)

    def lines_around(self, match: Match, count: int) -> list[Line]:
        """Its lines in which the query found something with as many around each; else its first ones."""
        lines = self._lines(match)
        places = [place for place, line in enumerate(lines) if self._is_sought(line)]
        if not places:
            return list(lines[:count])
        kept = {at for place in places for at in range(max(0, place - count), place + count + 1)}
        return [line for at, line in enumerate(lines) if at in kept]


def _if_few(found: sqlite3.Cursor) -> Candidates:
    ids = frozenset(row[0] for row in found)
    return ids if len(ids) <= SELECTIVE else None


def _why_slow(query: Query) -> tuple[str, str]:
    """What took so long, and what would help."""
    for test in tests(query.root):
        for condition in (*(test.command or ()), *(test.session or ())):
            predicate = condition.predicate
            if isinstance(predicate, Matches) and not predicate.simple:
                return f"/{predicate.regex.pattern}/: pattern too slow, add a plain word", ""
    return "the search took too long", "narrow it, for example with after:-7d or host:"
