"""The words of a query: where each stands, what was quoted, what is a pattern."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe

_FIELD = re.compile(r"([A-Za-z_]+):")
OPERATORS = ("AND", "OR", "THEN")


class QueryError(SealcastError):
    """A query that cannot be read: what is wrong, where (from 1), and what was perhaps meant."""

    def __init__(self, reason: str, position: int, suggestion: str = "") -> None:
        text = f"query: {reason} (at {position})"
        super().__init__(f"{text}. {suggestion}" if suggestion else text, code=ExitCode.USAGE)
        self.reason = reason
        self.position = position
        self.suggestion = suggestion


class Piece(NamedTuple):
    """A stretch of a value; what was quoted is taken as it is, without wildcards, commas or signs."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Value:
    """What stands behind a field, or alone: a pattern, or text in pieces."""

    pieces: tuple[Piece, ...]
    source: str
    """As it was typed."""
    pattern: str | None = None
    """Of `/pattern/`, with `\\/` as a plain slash."""

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def is_bare(self) -> bool:
        """Nothing of it was quoted, and it is no pattern."""
        return self.pattern is None and not any(piece.quoted for piece in self.pieces)

    @property
    def is_glob(self) -> bool:
        return any(not piece.quoted and ("*" in piece.text or "?" in piece.text) for piece in self.pieces)

    def starts_with(self, sign: str) -> bool:
        """It begins with this sign, outside quotes."""
        return bool(self.pieces) and not self.pieces[0].quoted and self.pieces[0].text.startswith(sign)

    def without(self, sign: str) -> "Value":
        """The same without the sign that it starts with."""
        first = Piece(self.pieces[0].text.removeprefix(sign), False)
        return replace(self, pieces=(first, *self.pieces[1:]))

    def choices(self) -> list["Value"]:
        """The parts between commas, without empty ones; a pattern is one choice."""
        if self.pattern is not None:
            return [self]
        parts: list[list[Piece]] = [[]]
        for piece in self.pieces:
            first, *rest = [piece.text] if piece.quoted else piece.text.split(",")
            parts[-1].append(Piece(first, piece.quoted))
            parts.extend([Piece(text, False)] for text in rest)
        values = (replace(self, pieces=tuple(part)) for part in parts)
        return [value for value in values if value.text]


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is one of AND OR THEN - ( ) or "term"; a term has a value, and a field where one was named."""

    kind: str
    position: int
    field: str | None = None
    value: Value = Value((), "")
    source: str = ""

    @property
    def value_position(self) -> int:
        return self.position + (len(self.field) + 1 if self.field else 0)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a query, in order. Raises `QueryError`."""
    position = 0
    while position < len(text):
        character = text[position]
        if character.isspace():
            position += 1
        elif character in "()":
            yield Token(character, position + 1)
            position += 1
        elif character in "-!" and text[position + 1 : position + 2].strip():
            yield Token("-", position + 1)
            position += 1
        else:
            token, position = _word(text, position)
            yield token


def _word(text: str, start: int) -> tuple[Token, int]:
    field = _FIELD.match(text, start)
    begin = field.end() if field else start
    value, end = _pattern(text, begin) or _value(text, begin)
    source = text[start:end]
    if source in OPERATORS:
        return Token(source, start + 1), end
    if source == "NOT":
        raise QueryError('"NOT" is no operator', start + 1, 'Write -x for not x, or "NOT" in quotes')
    return Token("term", start + 1, field[1] if field else None, value, source), end


def _pattern(text: str, start: int) -> tuple[Value, int] | None:
    """`/…/` up to the next slash outside brackets, where a word ends there; None for anything else."""
    if not text.startswith("/", start):
        return None
    position, in_set = start + 1, False
    while position < len(text) and (in_set or text[position] != "/"):
        if text[position] == "\\":
            position += 1
        elif text[position] == "[":
            in_set = True
        elif text[position] == "]":
            in_set = False
        position += 1
    if in_set:
        position = _last_slash(text, start)
    end = position + 1
    if position <= start + 1 or end > len(text) or (text[end : end + 1].strip() and text[end] not in "()"):
        return None
    source = text[start:end]
    return Value((), source, source[1:-1].replace("\\/", "/")), end


def _last_slash(text: str, start: int) -> int:
    """A set that is never closed reaches to the last slash of the word, and is complained about later."""
    word = re.compile(r"\S+").match(text, start)
    return start + word[0].rindex("/") if word else start


def _value(text: str, start: int) -> tuple[Value, int]:
    """Up to a space or a parenthesis; quotes anywhere keep both, and a backslash keeps a quote."""
    pieces: list[Piece] = []
    held: list[str] = []
    position, opened = start, 0
    while position < len(text):
        character = text[position]
        if opened and character == "\\" and text[position + 1 : position + 2] in ('"', "\\"):
            position += 1
            held.append(text[position])
        elif character == '"':
            pieces.append(Piece("".join(held), bool(opened)))
            held, opened = [], 0 if opened else position + 1
        elif not opened and (character.isspace() or character in "()"):
            break
        else:
            held.append(character)
        position += 1
    if opened:
        raise QueryError("the quote is not closed", opened)
    pieces.append(Piece("".join(held), False))
    kept = tuple(piece for piece in pieces if piece.text or piece.quoted)
    return Value(kept, text[start:position]), position


def shown(token: Token, limit: int = 60) -> str:
    """The token as it was typed, safe to show."""
    return safe(token.source, limit)
