"""Sessions in which nothing can be found, taken out by one look at each as a whole.

That is much faster than to ask of their commands one by one.
"""

import json
import sqlite3

from recorder.index.compile import Compiler
from recorder.index.compile_costs import COMMAND
from recorder.index.compile_predicates import joined
from recorder.index.predicates import Matches, Never, Predicate
from recorder.index.query_tree import LISTED, Ask, Formula
from recorder.index.search_shows import Shows, by_lines

_WITH_PATTERN = (
    "SELECT session FROM commands WHERE session IN (SELECT value FROM json_each(?)) "
    "GROUP BY session HAVING fits(?, group_concat(text, char(10)))"
)
_WITH_FACTS = """
SELECT s.key FROM sessions s WHERE s.key IN (SELECT value FROM json_each(?))
AND EXISTS (SELECT 1 FROM stretches c0 WHERE c0.session = s.key AND {})"""


class Narrowing:
    """What a command has to fit to be found, whatever else is asked of it."""

    def __init__(
        self, connection: sqlite3.Connection, compiler: Compiler, shows: Shows, formula: Formula
    ) -> None:
        """`formula` is about the command `LISTED`."""
        self._connection = connection
        self._shows = shows
        required = compiler.required(formula, LISTED)
        texts = [one for one in _asked("text", required) if isinstance(one, Matches)]
        patterns = filter(None, map(by_lines, texts))
        self._patterns = [compiler.functions.number(pattern) for pattern in patterns]
        self._shown = [compiler.output(predicate) for predicate in _asked("output", required)]
        cheap = [compiler.sql(part) for part in required if compiler.costs.of(part) < COMMAND]
        self._facts = joined(cheap, "AND") if cheap and self._shown else None

    def sessions(self, sessions: list[int]) -> list[int]:
        """Those of the sessions in which there may be such a command."""
        for number in self._patterns:
            sessions = self._run(_WITH_PATTERN, sessions, number)
        if self._facts is not None:
            sessions = self._run(_WITH_FACTS.format(self._facts.text), sessions, *self._facts.parameters)
        for number in self._shown:
            sessions = self._shows.sessions(number, sessions)
        return sessions

    def _run(self, statement: str, sessions: list[int], *parameters: object) -> list[int]:
        return [row[0] for row in self._connection.execute(statement, (json.dumps(sessions), *parameters))]


def _asked(key: str, parts: list[Formula]) -> list[Predicate]:
    """What is asked of this alone, and not negated."""
    conditions = [one for part in parts if isinstance(part, Ask) for one in part.conditions]
    asked = [condition.predicate for condition in conditions if condition.keys == (key,)]
    return [predicate for predicate in asked if not isinstance(predicate, Never)]
