"""What a verification found, in sentences that say no more than is known."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """One word for each thing that can be found."""

    HEADER = "header"
    """The first line cannot be read, or names no key for the seals that follow."""
    CERTIFICATE = "certificate"
    """The session key's certificate is not what it says, or belongs to another session or host."""
    WRONG_HOST = "wrong-host"
    CHANGED = "changed"
    MISSING_LINE = "missing-line"
    ADDED_LINE = "added-line"
    DOUBLED = "doubled"
    REORDERED = "reordered"
    DAMAGED_SEAL = "damaged-seal"
    FOREIGN_SEAL = "foreign-seal"
    MALFORMED = "malformed"
    TIME_BACK = "time-back"
    AFTER_FINAL = "after-final"
    UNKNOWN_KEY = "unknown-key"
    UNSIGNED = "unsigned"
    UNSEALED_TAIL = "unsealed-tail"
    CUT_TAIL = "cut-tail"
    NO_FINAL = "no-final"

    @property
    def bad(self) -> bool:
        """Whether it shows tampering or damage, rather than only that something is not proved."""
        return self not in _OPEN


_OPEN = {Kind.UNKNOWN_KEY, Kind.UNSIGNED, Kind.UNSEALED_TAIL, Kind.CUT_TAIL, Kind.NO_FINAL}


@dataclass(frozen=True, slots=True)
class Finding:
    """Lines count from 1, the header's line; times are seconds of the recording."""

    kind: Kind
    sentence: str
    first_line: int
    last_line: int
    start_s: float | None = None
    end_s: float | None = None

    @property
    def bad(self) -> bool:
        return self.kind.bad


def clock(seconds: float) -> str:
    """Recording time as `12:03.4` or `1:02:03.4`, rounded down."""
    tenths = int(seconds * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    rest = f"{minutes:02d}:{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{rest}" if hours else rest


def line_span(first: int, last: int) -> str:
    return f"line {first}" if first == last else f"lines {first} to {last}"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


class Repeated:
    """The first of many findings of one kind, and how many there were."""

    def __init__(self) -> None:
        self.count = 0
        self._first: Finding | None = None
        self._last_line = 0

    def add(self, finding: Finding) -> None:
        self.count += 1
        self._first = self._first or finding
        self._last_line = finding.last_line

    def summary(self) -> Iterator[Finding]:
        """One finding for all, or none."""
        if self._first is not None:
            more = f", and {counted(self.count - 1, 'more line')}" if self.count > 1 else ""
            yield replace(self._first, sentence=self._first.sentence + more, last_line=self._last_line)
