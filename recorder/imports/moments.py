"""What every reader of this room gives: facts about a recording, and its moments in order."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from recorder.errors import FormatError

CHUNK = 32 * 1024
"""Bytes of output in one moment, at most: a line of a recording stays far below its limit."""
MAX_SECONDS = 1e8
"""Three years: no clock went on for longer in one session."""
MAX_CELLS = 10_000
_MAX_COUNT = 2**48
_DECIMAL = re.compile(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,15}", re.ASCII)


class Moment(NamedTuple):
    """`code` is one of `recorder.cast.events`: `ERROR` here is output on standard error."""

    time: float
    """Seconds since the start of the recording; never goes back."""
    code: str
    data: bytes
    """What was written, byte for byte; for the others ASCII, as in a recording."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the recording says about itself; `None` is what it does not say. Foreign text throughout."""

    format: str
    """`tlog`, `ttyrec`, `script`, `sudo` or `asciicast`."""
    user: str | None = None
    host: str | None = None
    start_ms: int | None = None
    """Milliseconds since 1970, UTC."""
    size: tuple[int, int] | None = None
    """Columns and rows at the start."""
    command: str | None = None
    title: str | None = None
    term: str | None = None
    timed: bool = True
    """False where nothing tells when what was written."""


def decimal(text: str, what: str, where: str) -> float:
    """A number of seconds, written with digits and a point."""
    if not _DECIMAL.fullmatch(text):
        raise FormatError(f"{what} is not a number of seconds: {text[:40]!r}", where)
    return float(text)


def whole(text: str, what: str, where: str) -> int:
    """A whole number, from 0 on."""
    if not _WHOLE.fullmatch(text) or int(text) > _MAX_COUNT:
        raise FormatError(f"{what} is not a whole number: {text[:40]!r}", where)
    return int(text)


def terminal_size(columns: int, rows: int, where: str) -> tuple[int, int] | None:
    """The size; None for one of 0 by 0, which means that it is not known."""
    if columns == 0 or rows == 0:
        return None
    if not (0 < columns <= MAX_CELLS and 0 < rows <= MAX_CELLS):
        raise FormatError(f"a terminal of {columns} by {rows}; the limit is {MAX_CELLS}", where)
    return columns, rows


class Clock:
    """Recording time: what it has come to, never going back and never running away."""

    def __init__(self) -> None:
        self.now = 0.0

    def wait(self, seconds: float, where: str) -> float:
        """So much later."""
        return self.at(self.now + seconds, where)

    def at(self, seconds: float, where: str) -> float:
        """It is that late; a clock that was set back meanwhile stands still."""
        if not (math.isfinite(seconds) and seconds <= MAX_SECONDS):
            raise FormatError(f"{seconds:.0f} seconds after the start is no time in a session", where)
        self.now = max(self.now, seconds)
        return self.now


def blocks(file: BinaryIO, count: int, where: str) -> Iterator[bytes]:
    """The next `count` bytes, in pieces; `FormatError` where the file ends before."""
    left = count
    while left:
        data = file.read(min(CHUNK, left))
        if not data:
            missing = "1 byte" if left == 1 else f"{left:,} bytes"
            raise FormatError(f"ends {missing} too early", where, "it was cut: look for a whole copy")
        left -= len(data)
        yield data
