"""The query language: `user:alice cmd:kubectl exit:!=0`, `cmd:"sudo -i" THEN cmd:/curl.*sh/`.

Terms side by side belong to one command; THEN binds first, then AND, then OR. A query is parsed once, with
the place of every mistake, and carried out over an index (`search`) or over one session in memory (here).
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import NoReturn

from recorder.index.query_memory import Ran, holds
from recorder.index.query_tokens import OPERATORS, QueryError, Token, shown, tokens
from recorder.index.query_tree import (
    And,
    Formula,
    Leaf,
    Node,
    Not,
    Or,
    Side,
    Then,
    TooDeepError,
    fits,
    is_about_one_command,
    listed,
    tests,
)
from recorder.index.terms import (
    FIELDS,
    INDEX_FACTS,
    LATER_FIELDS,
    WITHOUT_PATTERNS,
    Facts,
    Field,
    Scope,
    Test,
    bare_text,
)
from recorder.index.terms_values import BadValueError, Clock
from recorder.safe_text import safe

__all__ = ["Query", "QueryError", "Scope", "looks_like_query", "parse", "too_deep"]

_MAX_LENGTH = 4096
_MAX_TERMS = 200
_MAX_DEPTH = 20
_MAX_LINKS = 6


@dataclass(frozen=True)
class Query:
    text: str
    root: Node
    scope: Scope

    def matches(self, session: Facts, state: str | None = None, commands: Sequence[Ran] = ()) -> bool:
        """Whether the session fits; `state` is its check state where known ("verified", "bad", …).

        `commands` are those of the session, in order; a query parsed for `Scope.FACTS` asks for none.
        """
        return holds(self.fits, session, state, commands) is True

    def may_match(self, session: Facts) -> bool:
        """False where the session cannot fit whatever its verification says; for `Scope.FACTS`."""
        return holds(self.fits, session, None, ()) is not False

    def found_in(self, session: Facts, state: str | None, commands: Sequence[Ran]) -> list[int]:
        """The places of the commands that are found, in a session that may fit."""
        return [
            place for place in range(len(commands)) if holds(self.listed, session, state, commands, place)
        ]

    @cached_property
    def fits(self) -> Formula:
        """What must hold of a session."""
        return fits(self.root)

    @cached_property
    def listed(self) -> Formula:
        """What must hold of a command to be found."""
        return listed(self.root)

    @property
    def needs_check(self) -> bool:
        return any(test.needs_check for test in tests(self.root))

    @property
    def needs_index(self) -> bool:
        """It asks about commands, or for what only the index knows."""
        return not all(map(_is_of_facts, tests(self.root)))

    @property
    def asks_commands(self) -> bool:
        """Some term asks about commands, or for what only the index knows."""
        return self.needs_index or any(test.command is not None for test in tests(self.root))

    @property
    def echo(self) -> tuple[str, ...]:
        """How the times in the query were understood, such as "after 2026-09-05 14:40 UTC"."""
        return tuple(test.echo for test in tests(self.root) if test.echo)


def parse(text: str, now: datetime | None = None, zone: tzinfo = UTC, scope: Scope = Scope.FACTS) -> Query:
    """Reads a query; the empty one fits everything.

    Raises `QueryError`, also for one whose meaning is too large: no query can take long before it is refused.
    """
    if len(text) > _MAX_LENGTH:
        raise QueryError(f"longer than {_MAX_LENGTH} characters", _MAX_LENGTH + 1)
    if strange := next((place for place, c in enumerate(text, 1) if "\ud800" <= c <= "\udfff"), 0):
        raise QueryError("a character that is not UTF-8", strange)
    found = list(tokens(text))
    terms = [token for token in found if token.kind == "term"]
    if len(terms) > _MAX_TERMS:
        raise QueryError(f"more than {_MAX_TERMS} terms", terms[_MAX_TERMS].position)
    reader = _Reader(Clock(now or datetime.now(UTC), zone), scope)
    query = Query(text, _Parser(found, len(text) + 1, reader).query(), scope)
    try:
        _ = query.fits, query.listed
    except TooDeepError as error:
        raise too_deep() from error
    return query


def too_deep() -> QueryError:
    """The error for a query whose meaning is too large."""
    return QueryError("parentheses nest too deeply for the index", 1, "Use fewer")


def looks_like_query(word: str) -> bool:
    """`user:alice` or `/text` as the first word of a command line is a query, not a command."""
    return ":" in word or "/" in word


_QUOTE_OPERATOR = "To find the word itself, put it in quotes"


class _Parser:
    """OR binds last, then AND, then THEN, then the terms side by side, then `-`."""

    def __init__(self, found: Sequence[Token], end: int, reader: "_Reader") -> None:
        self._tokens = found
        self._next = 0
        self._end = end
        self._reader = reader
        self._depth = 0

    def query(self) -> Node:
        root = self._alternatives() if self._tokens else Side(())
        if self._next < len(self._tokens):
            raise QueryError('")" without "("', self._tokens[self._next].position)
        return root

    def _peek(self) -> str:
        return self._tokens[self._next].kind if self._next < len(self._tokens) else ""

    def _position(self) -> int:
        return self._tokens[self._next].position if self._next < len(self._tokens) else self._end

    def _take(self) -> Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _takes(self, kind: str) -> bool:
        if self._peek() != kind:
            return False
        self._take()
        return True

    def _alternatives(self) -> Node:
        nodes = [self._conjunction()]
        while self._takes("OR"):
            nodes.append(self._conjunction())
        return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))

    def _conjunction(self) -> Node:
        nodes = [self._chain()]
        while self._takes("AND"):
            nodes.append(self._chain())
        return nodes[0] if len(nodes) == 1 else And(tuple(nodes))

    def _chain(self) -> Node:
        begun = self._position()
        nodes = [self._group()]
        while self._takes("THEN"):
            nodes.append(self._group())
        if len(nodes) == 1:
            return nodes[0]
        if len(nodes) > _MAX_LINKS:
            raise QueryError(f"more than {_MAX_LINKS} commands in order", begun)
        if not all(map(is_about_one_command, nodes)):
            raise QueryError("THEN puts single commands in order", begun, "Take AND out of its parentheses")
        return Then(tuple(nodes))

    def _group(self) -> Node:
        nodes = [self._negation()]
        while self._peek() in ("term", "(", "-"):
            nodes.append(self._negation())
        return nodes[0] if len(nodes) == 1 else Side(tuple(nodes))

    def _negation(self) -> Node:
        negated = False
        while self._takes("-"):
            negated = not negated
        node = self._operand()
        return Not(node) if negated else node

    def _operand(self) -> Node:
        kind = self._peek()
        if kind == "(":
            return self._parenthesis()
        if kind == "term":
            return self._reader.term(self._take())
        raise QueryError("a term is missing", self._position(), _QUOTE_OPERATOR if kind in OPERATORS else "")

    def _parenthesis(self) -> Node:
        opened = self._take().position
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise QueryError(f"parentheses nest deeper than {_MAX_DEPTH}", opened)
        node = self._alternatives()
        if not self._takes(")"):
            raise QueryError('"(" is not closed', opened)
        self._depth -= 1
        return node


class _Reader:
    """Makes tests of terms."""

    def __init__(self, clock: Clock, scope: Scope) -> None:
        self._clock = clock
        self._scope = scope

    def term(self, token: Token) -> Node:
        found = self._tests(token)
        if self._scope is Scope.FACTS and not all(map(_is_of_facts, found)):
            self._refuse_index(token)
        leaves = tuple(map(Leaf, found))
        return leaves[0] if len(leaves) == 1 else Or(leaves)

    def _tests(self, token: Token) -> tuple[Test, ...]:
        try:
            if token.field is None:
                found: Test | tuple[Test, ...] = bare_text(token.value, self._clock, self._scope)
            else:
                found = _field(token).build(token.value, self._clock, self._scope)
        except BadValueError as problem:
            reason = f"{shown(token)}: {safe(str(problem), 300)}"
            raise QueryError(reason, token.value_position, safe(problem.suggestion, 200)) from problem
        return found if isinstance(found, tuple) else (found,)

    def _refuse_index(self, token: Token) -> NoReturn:
        raise QueryError(
            f"{shown(token)} asks about commands, which are not looked at here",
            token.position,
            "sealcast ls and sealcast search look at them",
        )


def _is_of_facts(test: Test) -> bool:
    """It can be answered without an index, if not in full."""
    return test.session is not None and not any(
        key in INDEX_FACTS for condition in test.session for key in condition.keys
    )


def _field(token: Token) -> Field:
    name = token.field or ""
    field = FIELDS.get(name.lower())
    if field is None:
        _refuse_field(name, token)
    if token.value.pattern is None and not token.value.text:
        raise QueryError(f"{name}: needs a value", token.position, f"For example {field.examples[0]}")
    if token.value.pattern is not None and name.lower() in WITHOUT_PATTERNS:
        reason = f"{shown(token)}: {name}: takes no pattern"
        raise QueryError(reason, token.value_position, f"For example {field.examples[0]}")
    return field


def _refuse_field(name: str, token: Token) -> NoReturn:
    if name.lower() in LATER_FIELDS:
        known = ", ".join(sorted(FIELDS))
        raise QueryError(f'field "{name}" is not available yet', token.position, f"There are: {known}")
    is_address = token.value.source.startswith("//")
    close = [] if is_address else difflib.get_close_matches(name.lower(), FIELDS, n=1, cutoff=0.5)
    value = safe(token.value.source, 40)
    suggestion = f"Did you mean {close[0]}:{value}?" if close else f'As plain text: "{shown(token)}"'
    raise QueryError(f'no field "{safe(name, 40)}"', token.position, suggestion)
