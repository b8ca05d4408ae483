"""Predicates in SQL: an expression that is 1 or 0, never NULL, with its parameters.

What SQLite cannot say exactly as `predicates` does is asked of the function `fits(number, value)`, which the
connection that runs the query provides.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from recorder.index.predicates import (
    BeginsWord,
    Between,
    Compares,
    Contains,
    Edge,
    InNetwork,
    Matches,
    Missing,
    Never,
    OneOf,
    Predicate,
    Same,
)
from recorder.index.query_tree import TooDeepError
from recorder.index.terms_values import INFINITY

_MOST_CHOICES = 20
"""More of them are asked in one call of `fits`: SQLite bounds the depth of an expression."""

Parameter = str | int | float
FAILED_STATUS = "failed.exit_status"
"""The exit status of a command that has one other than 0."""
NEVER_NULL = frozenset({"s.started", "s.live", "s.command_count", FAILED_STATUS})
_OPERATORS = {"!=": "<>", ">=": ">=", "<=": "<=", ">": ">", "<": "<", "=": "="}


MOST_SQL = 1_000_000
"""Characters."""


class Sql(NamedTuple):
    text: str
    parameters: tuple[Parameter, ...] = ()


def joined(parts: list[Sql], word: str) -> Sql:
    """The parts with AND or OR between them; not none. Raises `TooDeepError` beyond `MOST_SQL`."""
    text = f" {word} ".join(part.text for part in parts)
    if len(text) > MOST_SQL:
        raise TooDeepError
    values = tuple(value for part in parts for value in part.parameters)
    return Sql(f"({text})" if len(parts) > 1 else text, values)


@dataclass(slots=True)
class Functions:
    """The predicates that `fits` is asked for, by their number."""

    predicates: list[Predicate] = field(default_factory=list)

    def number(self, predicate: Predicate) -> int:
        if predicate not in self.predicates:
            self.predicates.append(predicate)
        return self.predicates.index(predicate)

    def fits(self, number: int, value: object) -> int:
        """What SQLite calls."""
        return int(self.predicates[number].holds(value))


def predicate_sql(predicate: Predicate, column: str, functions: Functions) -> Sql:
    """Whether the value of a column fits."""
    match predicate:
        case Contains() | Same() | Edge():
            return _text(predicate, column, functions)
        case Compares(sign, bound):
            return _known(column, Sql(f"{column} {_OPERATORS[sign]} ?", (bound,)))
        case Between():
            return _between(predicate, column)
        case Missing():
            return Sql(f"({column} IS NULL)")
        case Never(choice):
            inner = predicate_sql(choice, column, functions)
            return Sql(f"(NOT {inner.text})", inner.parameters)
        case _:
            return _several(predicate, column, functions)


def _several(predicate: OneOf | Matches | InNetwork | BeginsWord, column: str, functions: Functions) -> Sql:
    if isinstance(predicate, OneOf) and len(predicate.choices) <= _MOST_CHOICES:
        return joined([predicate_sql(choice, column, functions) for choice in predicate.choices], "OR")
    return _asked(predicate, column, functions)


def _asked(predicate: Predicate, column: str, functions: Functions) -> Sql:
    return Sql(f"fits(?, {column})", (functions.number(predicate),))


def _text(predicate: Contains | Same | Edge, column: str, functions: Functions) -> Sql:
    """`lower` of SQLite changes ASCII letters alone."""
    text = predicate.text
    if isinstance(predicate, Edge):
        starts, ends = f"substr({column}, 1, ?) = ?", f"substr({column}, ?) = ?"
        return Sql(f"ifnull({starts} OR {ends}, 0)", (len(text), text, -len(text), text))
    if not (predicate.exact or text.isascii()):
        return _asked(predicate, column, functions)
    value = column if predicate.exact else f"lower({column})"
    if isinstance(predicate, Contains):
        return Sql(f"ifnull(instr({value}, ?) > 0, 0)", (text,))
    return Sql(f"ifnull({value} = ?, 0)", (text,))


def _between(predicate: Between, column: str) -> Sql:
    parts: list[Sql] = []
    if predicate.low > -INFINITY:
        parts.append(Sql(f"{column} >= ?", (predicate.low,)))
    if predicate.high < INFINITY:
        parts.append(Sql(f"{column} {'<' if predicate.before_end else '<='} ?", (predicate.high,)))
    return _known(column, joined(parts, "AND") if parts else Sql(f"{column} IS NOT NULL"))


def _known(column: str, comparison: Sql) -> Sql:
    """0 where the column is NULL. One that never is stays bare: `ifnull` would hide it from the indexes."""
    if column in NEVER_NULL:
        return Sql(f"({comparison.text})", comparison.parameters)
    return Sql(f"ifnull({comparison.text}, 0)", comparison.parameters)
