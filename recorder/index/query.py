"""The query language: `user:alice host:web-* after:-7d (exit:!=0 OR check:bad) -title:test`.

Terms side by side must all hold; `OR`, `AND`, `NOT`, `-` and `!`, parentheses. A query is parsed once and
asked of many sessions. `check:` needs the result of a verification: where it is not known yet the answer is
open (Kleene logic), so a caller can leave out what cannot match before verifying anything.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import NoReturn, Protocol

from recorder.errors import ExitCode, SealcastError
from recorder.index.terms import FIELDS, LATER_FIELDS, BadValueError, Clock, Facts, Test, any_text
from recorder.safe_text import safe

_MAX_LENGTH = 4096
_MAX_DEPTH = 40
_FIELD = re.compile(r"([A-Za-z_]+):")
_OPERATORS = ("AND", "OR", "NOT", "THEN")


class QueryError(SealcastError):
    """A query that cannot be read: what is wrong, where (from 1), and what was perhaps meant."""

    def __init__(self, reason: str, position: int, suggestion: str = "") -> None:
        text = f"query: {reason} (at {position})"
        super().__init__(f"{text}. {suggestion}" if suggestion else text, code=ExitCode.USAGE)
        self.reason = reason
        self.position = position
        self.suggestion = suggestion


class Node(Protocol):
    def ask(self, facts: Facts, state: str | None) -> bool | None: ...
    def tests(self) -> Iterator[Test]: ...


@dataclass(frozen=True, slots=True)
class Leaf:
    test: Test

    def ask(self, facts: Facts, state: str | None) -> bool | None:
        return self.test.ask(facts, state)

    def tests(self) -> Iterator[Test]:
        yield self.test


@dataclass(frozen=True, slots=True)
class Not:
    node: Node

    def ask(self, facts: Facts, state: str | None) -> bool | None:
        answer = self.node.ask(facts, state)
        return None if answer is None else not answer

    def tests(self) -> Iterator[Test]:
        return self.node.tests()


@dataclass(frozen=True, slots=True)
class All:
    nodes: tuple[Node, ...]

    def ask(self, facts: Facts, state: str | None) -> bool | None:
        answer: bool | None = True
        for node in self.nodes:
            found = node.ask(facts, state)
            if found is False:
                return False
            answer = None if found is None else answer
        return answer

    def tests(self) -> Iterator[Test]:
        for node in self.nodes:
            yield from node.tests()


@dataclass(frozen=True, slots=True)
class Any:
    nodes: tuple[Node, ...]

    def ask(self, facts: Facts, state: str | None) -> bool | None:
        answer: bool | None = False
        for node in self.nodes:
            found = node.ask(facts, state)
            if found:
                return True
            answer = None if found is None else answer
        return answer

    def tests(self) -> Iterator[Test]:
        for node in self.nodes:
            yield from node.tests()


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    root: Node

    def matches(self, session: Facts, state: str | None = None) -> bool:
        """Whether the session fits; `state` is its check state where known ("verified", "bad", …)."""
        return self.root.ask(session, state) is True

    def may_match(self, session: Facts) -> bool:
        """False where the session cannot fit whatever its verification says."""
        return self.root.ask(session, None) is not False

    @property
    def needs_check(self) -> bool:
        return any(test.needs_check for test in self.root.tests())

    @property
    def echo(self) -> tuple[str, ...]:
        """How the times in the query were understood, such as "after 2026-09-05 14:40 UTC"."""
        return tuple(test.echo for test in self.root.tests() if test.echo)


def parse(text: str, now: datetime | None = None, zone: tzinfo = UTC) -> Query:
    """Reads a query; the empty one matches everything. Raises `QueryError`."""
    if len(text) > _MAX_LENGTH:
        raise QueryError(f"longer than {_MAX_LENGTH} characters", _MAX_LENGTH + 1)
    tokens = list(_tokens(text))
    clock = Clock(now or datetime.now(UTC), zone)
    return Query(text, _Parser(tokens, len(text) + 1, clock).query())


def looks_like_query(word: str) -> bool:
    """`user:alice` or `/text` as the first word of a command line is a query, not a command."""
    return ":" in word or "/" in word


@dataclass(frozen=True, slots=True)
class _Token:
    """`kind` is one of AND OR NOT THEN ( ) or "term"; for a term, field and value without their quotes."""

    kind: str
    position: int
    field: str | None = None
    value: str = ""
    source: str = ""


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while position < len(text):
        character = text[position]
        if character.isspace():
            position += 1
        elif character in "()":
            yield _Token(character, position + 1)
            position += 1
        elif character in "-!" and text[position + 1 : position + 2].strip():
            yield _Token("NOT", position + 1)
            position += 1
        else:
            token, position = _word(text, position)
            yield token


def _word(text: str, start: int) -> tuple[_Token, int]:
    field = _FIELD.match(text, start)
    value, end = _value(text, field.end() if field else start)
    source = text[start:end]
    if source in _OPERATORS:
        return _Token(source, start + 1), end
    return _Token("term", start + 1, field[1] if field else None, value, source), end


def _value(text: str, start: int) -> tuple[str, int]:
    """Up to a space or a closing parenthesis; quotes anywhere keep both, and a backslash keeps a quote."""
    parts: list[str] = []
    position, quoted = start, 0
    while position < len(text):
        character = text[position]
        if character == "\\" and quoted and text[position + 1 : position + 2] in ('"', "\\"):
            parts.append(text[position + 1])
            position += 1
        elif character == '"':
            quoted = 0 if quoted else position + 1
        elif not quoted and (character.isspace() or character in "()"):
            break
        else:
            parts.append(character)
        position += 1
    if quoted:
        raise QueryError("the quote is not closed", quoted)
    return "".join(parts), position


class _Parser:
    """OR binds last, then AND and its absence, then NOT."""

    def __init__(self, tokens: Sequence[_Token], end: int, clock: Clock) -> None:
        self._tokens = tokens
        self._next = 0
        self._end = end
        self._clock = clock
        self._depth = 0

    def query(self) -> Node:
        root = self._alternatives() if self._tokens else All(())
        if self._next < len(self._tokens):
            raise QueryError('")" without "("', self._tokens[self._next].position)
        return root

    def _peek(self) -> str:
        return self._tokens[self._next].kind if self._next < len(self._tokens) else ""

    def _take(self) -> _Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _alternatives(self) -> Node:
        nodes = [self._sequence()]
        while self._peek() == "OR":
            self._take()
            nodes.append(self._sequence())
        return nodes[0] if len(nodes) == 1 else Any(tuple(nodes))

    def _sequence(self) -> Node:
        nodes = [self._negation()]
        while self._peek() not in ("", ")", "OR"):
            if self._peek() == "AND":
                self._take()
            nodes.append(self._negation())
        return nodes[0] if len(nodes) == 1 else All(tuple(nodes))

    def _negation(self) -> Node:
        negated = False
        while self._peek() == "NOT":
            self._take()
            negated = not negated
        node = self._operand()
        return Not(node) if negated else node

    def _operand(self) -> Node:
        kind = self._peek()
        if kind == "(":
            return self._group()
        if kind == "term":
            return Leaf(_test(self._take(), self._clock))
        if kind == "THEN":
            raise QueryError(
                "THEN orders commands, which this version does not extract yet", self._position()
            )
        raise QueryError("a term is missing", self._position(), _QUOTE_OPERATOR if kind in _OPERATORS else "")

    def _group(self) -> Node:
        opened = self._take().position
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise QueryError(f"parentheses nest deeper than {_MAX_DEPTH}", opened)
        node = self._alternatives()
        if self._peek() != ")":
            raise QueryError('"(" is not closed', opened)
        self._take()
        self._depth -= 1
        return node

    def _position(self) -> int:
        return self._tokens[self._next].position if self._next < len(self._tokens) else self._end


_QUOTE_OPERATOR = "To find the word itself, put it in quotes"


def _test(token: _Token, clock: Clock) -> Test:
    if token.field is None:
        if len(token.source) > 2 and token.source[0] == token.source[-1] == "/":
            reason = "regular expressions are not available yet"
            raise QueryError(reason, token.position, "Use words or a glob such as web-*")
        return any_text(token.value)
    field = FIELDS.get(token.field.lower())
    if field is None:
        _refuse_field(token)
    if not token.value:
        raise QueryError(f"{token.field}: needs a value", token.position, f"For example {field.examples[0]}")
    try:
        return field.build(token.value, clock)
    except BadValueError as problem:
        where = token.position + len(token.field) + 1
        raise QueryError(f"{token.field}: {safe(str(problem), 300)}", where) from problem


def _refuse_field(token: _Token) -> NoReturn:
    name = token.field or ""
    if name.lower() in LATER_FIELDS:
        known = ", ".join(sorted(FIELDS))
        raise QueryError(f'field "{name}" is not available yet', token.position, f"There are: {known}")
    close = difflib.get_close_matches(name.lower(), FIELDS, n=1, cutoff=0.5)
    value = safe(token.source.partition(":")[2], 40)
    suggestion = (
        f"Did you mean {close[0]}:{value}?" if close else f'As plain text: "{safe(token.source, 60)}"'
    )
    raise QueryError(f'no field "{safe(name, 40)}"', token.position, suggestion)
