"""Sessions in which nothing can be found, taken out by one look at each as a whole.

That is much faster than to ask of their commands one by one.
"""

import itertools
import json
import sqlite3
from typing import NamedTuple

from recorder.index.compile import Compiler
from recorder.index.compile_predicates import joined
from recorder.index.predicates import Matches, Never, Predicate
from recorder.index.query_tree import LISTED, NEVER, Ask, Formula, Some, is_of_session, some
from recorder.index.search_shows import Shows, by_lines

_WITH_PATTERN = (
    "SELECT session FROM commands WHERE session IN (SELECT value FROM json_each(?)) "
    "GROUP BY session HAVING fits(?, group_concat(text, char(10)))"
)
_OR_ELSE = "SELECT s.key FROM sessions s WHERE s.key IN (SELECT value FROM json_each(?)) AND {}"
_WITH_FACTS = """
SELECT s.key FROM sessions s WHERE s.key IN (SELECT value FROM json_each(?))
AND EXISTS (SELECT 1 FROM stretches c0 WHERE c0.session = s.key AND {})"""


_SAMPLE = 100
"""Sessions that are looked at before it is known whether a look at the others is of use."""


class Required(NamedTuple):
    """What has to hold where something is found, whatever else is asked of it."""

    of_listed: list[Formula]
    """Of one command, which is called `LISTED`, and its session."""
    of_session: list[Formula]
    """Each of the session, or of a command of its own, which is called so, too."""
    or_else: Formula = NEVER
    """Where this holds of the session, nothing of the above needs to."""


def required_of_listed(compiler: Compiler, formula: Formula) -> Required:
    """`formula` is about the command `LISTED`."""
    return Required(compiler.required(formula, LISTED), compiler.required_of_session(formula))


def required_of_sessions(compiler: Compiler, formula: Formula) -> Required:
    """`formula` is about a session: what is asked of its commands may hold, or else of the session alone."""
    if not isinstance(formula, Some):
        return Required([], compiler.required_of_session(formula))
    alone = some(*filter(compiler.costs.is_fact, formula.parts))
    others = some(*itertools.filterfalse(compiler.costs.is_fact, formula.parts))
    return Required([], compiler.required_of_session(others), alone)


class Narrowing:
    """Takes out sessions in which what is required does not hold."""

    def __init__(
        self, connection: sqlite3.Connection, compiler: Compiler, shows: Shows, required: Required
    ) -> None:
        self._connection = connection
        self._shows = shows
        of_listed, of_session, or_else = required
        parts = of_listed + [part for part in of_session if part not in of_listed]
        self._texts = _patterns(compiler, _asked_by_lines(("text",), parts))
        self._outputs = [compiler.output(predicate) for predicate in _asked(("output",), parts)]
        both = _asked_by_lines(("text", "output"), parts)
        self._anywhere = list(zip(_patterns(compiler, both), map(compiler.output, both), strict=True))
        self._is_of_use = bool(self._texts or self._outputs or self._anywhere)
        facts = [
            compiler.sql(part)
            for part in filter(compiler.costs.is_fact, parts)
            if (part in of_listed or is_of_session(part)) and not _asked_by_lines(("text",), [part])
        ]
        self._facts = joined(facts, "AND") if facts else None
        self._or_else = None if or_else == NEVER else compiler.sql(or_else)

    def sessions(self, sessions: list[int]) -> list[int]:
        """Those of the sessions in which something may be found; all of them where most are such."""
        if not self._is_of_use:
            return sessions
        sample, others = sessions[:_SAMPLE], sessions[_SAMPLE:]
        found = self._found(sample)
        if len(found) > len(sample) / 2:
            return sessions
        return found + self._found(others)

    def _found(self, sessions: list[int]) -> list[int]:
        if self._or_else is None:
            return self._narrowed(sessions)
        found = self._run(_OR_ELSE.format(self._or_else.text), sessions, *self._or_else.parameters)
        return found + self._narrowed(sorted(frozenset(sessions).difference(found)))

    def _narrowed(self, sessions: list[int]) -> list[int]:
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
