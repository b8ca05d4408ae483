"""Sessions in which nothing can be found, taken out by one look at each as a whole.

That is much faster than to ask of their commands one by one.
"""

import json
import sqlite3

from recorder.index.compile import Compiler
from recorder.index.compile_costs import COMMAND
from recorder.index.compile_predicates import Sql, joined
from recorder.index.predicates import Matches, Never, Predicate
from recorder.index.query_tree import Ask, Formula, is_of_session
from recorder.index.search_shows import Shows, by_lines

_WITH_PATTERN = (
    "SELECT session FROM commands WHERE session IN (SELECT value FROM json_each(?)) "
    "GROUP BY session HAVING fits(?, group_concat(text, char(10)))"
)
_WITH_FACTS = """
SELECT s.key FROM sessions s WHERE s.key IN (SELECT value FROM json_each(?))
AND EXISTS (SELECT 1 FROM stretches c0 WHERE c0.session = s.key AND {})"""


class Narrowing:
    """What every session has in which something is found, whatever else is asked of it."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        compiler: Compiler,
        shows: Shows,
        *,
        of_listed: list[Formula],
        of_session: list[Formula],
    ) -> None:
        """`of_listed` holds of one command, called `LISTED`, and its session.

        Each part of `of_session` holds of the session, or of a command of its own, which is called so, too.
        """
        required = of_listed + [part for part in of_session if part not in of_listed]
        self._connection = connection
        self._shows = shows
        self._texts = _patterns(compiler, _asked_by_lines(("text",), required))
        self._outputs = [compiler.output(predicate) for predicate in _asked(("output",), required)]
        both = _asked_by_lines(("text", "output"), required)
        self._anywhere = list(zip(_patterns(compiler, both), map(compiler.output, both), strict=True))
        facts = [part for part in required if part in of_listed or is_of_session(part)]
        facts = [part for part in facts if compiler.costs.of(part) < COMMAND]
        facts = [part for part in facts if not _asked_by_lines(("text",), [part])]
        self._facts: Sql | None = None
        if facts and (self._texts or self._outputs or self._anywhere):
            self._facts = joined(list(map(compiler.sql, facts)), "AND")

    def sessions(self, sessions: list[int]) -> list[int]:
        """Those of the sessions in which something may be found."""
        if self._facts is not None:
            sessions = self._run(_WITH_FACTS.format(self._facts.text), sessions, *self._facts.parameters)
        for number in self._texts:
            sessions = self._with_pattern(sessions, number)
        for text, output in self._anywhere:
            found = set(self._with_pattern(sessions, text))
            rest = [session for session in sessions if session not in found]
            sessions = [*found, *self._shows.sessions(output, rest)]
        for number in self._outputs:
            sessions = self._shows.sessions(number, sessions)
        return sessions

    def _with_pattern(self, sessions: list[int], number: int) -> list[int]:
        return self._run(_WITH_PATTERN, sessions, number)

    def _run(self, statement: str, sessions: list[int], *parameters: object) -> list[int]:
        return [row[0] for row in self._connection.execute(statement, (json.dumps(sessions), *parameters))]


def _asked(keys: tuple[str, ...], parts: list[Formula]) -> list[Predicate]:
    """What is asked of just these facts of a command, and not negated."""
    conditions = [one for part in parts if isinstance(part, Ask) for one in part.conditions]
    asked = [condition.predicate for condition in conditions if condition.keys == keys]
    return [predicate for predicate in asked if not isinstance(predicate, Never)]


def _asked_by_lines(keys: tuple[str, ...], parts: list[Formula]) -> list[Predicate]:
    """Those of them that many lines can be asked for at once."""
    asked = _asked(keys, parts)
    return [predicate for predicate in asked if isinstance(predicate, Matches) and by_lines(predicate)]


def _patterns(compiler: Compiler, predicates: list[Predicate]) -> list[int]:
    """Their numbers, for all lines of a text at once."""
    patterns = [by_lines(predicate) for predicate in predicates if isinstance(predicate, Matches)]
    return [compiler.functions.number(pattern) for pattern in patterns if pattern is not None]
