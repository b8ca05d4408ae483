"""What was done to the lines between two seals, as far as their hashes can prove it.

A seal that still has its signature fixes the root over the original lines. Where leaving out, or moving, a
few of the lines at hand gives exactly that root, the tampering is known to the line.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from recorder.seal.findings import Kind, counted, line_span
from recorder.seal.merkle import Frontier

_T = TypeVar("_T")

MAX_SPAN = 4096
"""Leaves of a span kept for diagnosis."""
_BUDGET = 100_000
"""Leaves hashed in the search, about a tenth of a second."""


class Span(NamedTuple):
    """The lines since the last good seal, and what the next seal says of them."""

    before: Frontier
    """The tree at the last good seal."""
    leaves: Sequence[bytes]
    """Hashes of all lines since; empty if there were more than MAX_SPAN."""
    held: int
    """How many lines there are since."""
    size: int
    """Lines that the next seal says there were in all."""
    root: bytes

    @property
    def first_line(self) -> int:
        return self.before.size + 1

    @property
    def last_line(self) -> int:
        return self.before.size + self.held

    @property
    def surplus(self) -> int:
        """Lines too many (or, below 0, too few)."""
        return self.last_line - self.size


def diagnose(span: Span) -> tuple[Kind, str]:
    """The kind of tampering, and a sentence about it without its place in time."""
    if span.surplus < 0:
        missing = counted(-span.surplus, "line")
        return Kind.MISSING_LINE, f"at least {missing} missing from {_place(span)}"
    if span.surplus > 0:
        return _too_many(span)
    return _same_number(span)


def _place(span: Span) -> str:
    if not span.held:
        return f"the place before line {span.first_line}"
    return line_span(span.first_line, span.last_line)


def _too_many(span: Span) -> tuple[Kind, str]:
    surplus = span.surplus
    for at, order in _budgeted(span, _without(span.leaves, surplus)):
        if _root(span, order) != span.root:
            continue
        first = span.first_line + at
        extra = line_span(first, first + surplus - 1)
        removed = span.leaves[at : at + surplus]
        if tuple(removed) in {
            tuple(span.leaves[at + step : at + step + surplus]) for step in (-surplus, surplus)
        }:
            return (
                Kind.DOUBLED,
                f"{extra} stands there twice" if surplus == 1 else f"{extra} stand there twice",
            )
        return Kind.ADDED_LINE, f"{extra} did not stand there when the next seal was made"
    return Kind.ADDED_LINE, f"at least {counted(surplus, 'line')} added in {_place(span)}"


def _same_number(span: Span) -> tuple[Kind, str]:
    for (source, target), order in _budgeted(span, _moves(span.leaves)):
        if _root(span, order) == span.root:
            one, other = span.first_line + source, span.first_line + target
            if abs(source - target) == 1:
                return Kind.REORDERED, f"lines {min(one, other)} and {max(one, other)} changed places"
            return Kind.REORDERED, f"line {one} was moved from line {other}"
    return Kind.CHANGED, f"at least one line altered, replaced or moved in {_place(span)}"


def _without(leaves: Sequence[bytes], surplus: int) -> Iterator[tuple[int, list[bytes]]]:
    """Every way to leave out `surplus` neighbours; the last of equals first, as copies follow originals."""
    for at in range(len(leaves) - surplus, -1, -1):
        yield at, [*leaves[:at], *leaves[at + surplus :]]


def _moves(leaves: Sequence[bytes]) -> Iterator[tuple[tuple[int, int], list[bytes]]]:
    """Every way to move one line, near places first: from where it stands to where it may have stood."""
    for distance in range(1, len(leaves)):
        for source in range(len(leaves)):
            for target in {source - distance, source + distance}:
                if 0 <= target < len(leaves) and (distance > 1 or target > source):
                    order = list(leaves)
                    order.insert(target, order.pop(source))
                    yield (source, target), order


def _root(span: Span, leaves: Sequence[bytes]) -> bytes:
    tree = span.before.copy()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def _budgeted(span: Span, candidates: Iterator[_T]) -> Iterator[_T]:
    """As many candidates as the budget allows."""
    cost = len(span.leaves) + 1
    return islice(candidates, _BUDGET // cost)
