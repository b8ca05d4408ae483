"""What a term asks of one value. Each predicate answers for a value in memory; `compile` says most in SQL.

A value that is not known fits nothing but `Missing`, so that every answer is yes or no.
"""

import ipaddress
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from unicodedata import category

from recorder.index.regex import Regex

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def minds_case(text: str) -> bool:
    """Smart case: text without capitals matches any case."""
    return text != text.lower()


def folded(text: str) -> bytes:
    """ASCII letters in lower case, everything else as it is: what SQLite's `lower` does, in UTF-8."""
    return text.encode("utf-8", "surrogatepass").lower()


@dataclass(frozen=True, slots=True)
class Contains:
    """The text stands somewhere in the value."""

    text: str
    exact: bool
    _needle: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_needle", self.text.encode("utf-8", "surrogatepass"))

    def holds(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        if self.exact:
            return self.text in value
        return self._needle in folded(value) if self.text.isascii() else self.text in value.lower()


@dataclass(frozen=True, slots=True)
class BeginsWord:
    """The text stands somewhere in the value, where a word begins."""

    text: str
    exact: bool

    def holds(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        where = value if self.exact else _lowered(value) if self.text.isascii() else value.lower()
        at = where.find(self.text)
        while at >= 0:
            if at == 0 or not (is_of_word(where[at]) and is_of_word(where[at - 1])):
                return True
            at = where.find(self.text, at + 1)
        return False

    def reader_of(self, data: bytes) -> "Callable[[int, int], bool] | None":
        """Says of parts of a UTF-8 text what `holds` says; a part is some of its lines.

        Much faster than `holds` for many parts; None where the text has to be read for that.
        """
        if not (self.exact or self.text.isascii()):
            return None
        where, needle = data if self.exact else data.lower(), self.text.encode("utf-8", "surrogatepass")
        in_words = is_of_word(self.text[:1] or " ")

        def stands_in(start: int, end: int) -> bool:
            at = where.find(needle, start, end)
            while at > start and in_words and is_of_word(_last_character(where[max(0, at - 4) : at])):
                at = where.find(needle, at + 1, end)
            return at >= 0

        return stands_in


def is_of_word(character: str) -> bool:
    """Letters, digits and marks: what a word of the output index is made of."""
    return character.isalnum() or category(character) in ("Mn", "Mc", "Me", "Co")


def _last_character(data: bytes) -> str:
    """Of the end of a UTF-8 text that is cut off in front."""
    return data.decode("utf-8", "ignore")[-1:] or " "


def _lowered(text: str) -> str:
    return text.lower() if text.isascii() else folded(text).decode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Same:
    """The value is this text."""

    text: str
    exact: bool

    def holds(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        if self.exact:
            return value == self.text
        return folded(value) == self.text.encode() if self.text.isascii() else value.lower() == self.text


@dataclass(frozen=True, slots=True)
class Edge:
    """The value starts with the text, or ends with it."""

    text: str

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and (value.startswith(self.text) or value.endswith(self.text))


@dataclass(frozen=True, slots=True)
class Matches:
    """A pattern is found in the value."""

    regex: Regex
    simple: bool = False
    """It stands for a glob: `pattern` is not as it was typed."""

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and self.regex.found_in(value)


@dataclass(frozen=True, slots=True)
class Compares:
    """A number compared with a bound."""

    sign: str
    bound: float

    def holds(self, value: object) -> bool:
        return isinstance(value, (int, float)) and COMPARISONS[self.sign](value, self.bound)


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`; `high` belongs to it unless `before_end`."""

    low: float
    high: float
    before_end: bool = False

    def holds(self, value: object) -> bool:
        if not isinstance(value, (int, float)) or value < self.low:
            return False
        return value < self.high if self.before_end else value <= self.high


@dataclass(frozen=True, slots=True)
class Missing:
    """The value is not known."""

    def holds(self, value: object) -> bool:
        return value is None


@dataclass(frozen=True, slots=True)
class InNetwork:
    """An address inside a network."""

    network: Network

    def holds(self, value: object) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in self.network
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class OneOf:
    """At least one of several."""

    choices: "tuple[Predicate, ...]"

    def holds(self, value: object) -> bool:
        return any(choice.holds(value) for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Never:
    """Not so."""

    choice: "Predicate"

    def holds(self, value: object) -> bool:
        return not self.choice.holds(value)


Predicate = (
    Contains | BeginsWord | Same | Edge | Matches | Compares | Between | Missing | InNetwork | OneOf | Never
)


def one_of(choices: "list[Predicate]") -> Predicate:
    return choices[0] if len(choices) == 1 else OneOf(tuple(choices))
