"""Output as it is kept: lines in compressed blocks, and pieces of blocks, each of one stretch."""

import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

TARGET_BYTES = 16 * 1024
"""A block ends with the line that reaches this size."""
_LEVEL = 5


class Piece(NamedTuple):
    """Lines of a block that one command wrote, or that came while none ran."""

    stretch: int
    """The ordinal of that command or aside."""
    start: int
    """Bytes from the beginning of the block's text."""
    size: int


class Block(NamedTuple):
    """Consecutive lines of one recording's output."""

    text: bytes
    """UTF-8, every line with its line feed."""
    lines: int
    data: bytes
    """The text, packed."""
    times: bytes
    """When each line last changed, packed."""
    pieces: tuple[Piece, ...]


class BlockBuilder:
    """Puts lines together; take the blocks that are full."""

    def __init__(self) -> None:
        self._done: list[Block] = []
        self._start()

    def _start(self) -> None:
        self._lines: list[bytes] = []
        self._times: list[int] = []
        self._pieces: list[Piece] = []
        self._size = 0

    def add(self, stretch: int, time: float, text: str) -> None:
        """Lines that came at the same time, with line feeds between them and no other control characters.

        `time` is in seconds of recording time.
        """
        data = text.encode("utf-8", "replace") + b"\n"
        start, milliseconds = 0, round(time * 1000)
        while start < len(data):
            end = len(data)
            room = start + TARGET_BYTES - self._size
            if end > room:
                end = data.rfind(b"\n", start, room) + 1 or data.index(b"\n", start) + 1
            self._put(stretch, milliseconds, data[start:end])
            start = end

    def _put(self, stretch: int, milliseconds: int, lines: bytes) -> None:
        """Whole lines."""
        last = self._pieces[-1] if self._pieces else None
        if last is not None and last.stretch == stretch:
            self._pieces[-1] = last._replace(size=last.size + len(lines))
        else:
            self._pieces.append(Piece(stretch, self._size, len(lines)))
        self._lines.append(lines)
        self._times += [milliseconds] * lines.count(b"\n")
        self._size += len(lines)
        if self._size >= TARGET_BYTES:
            self.flush()

    def flush(self) -> None:
        """End the block."""
        if self._lines:
            text = b"".join(self._lines)
            packed = pack_text(text), pack_times(self._times)
            self._done.append(Block(text, len(self._times), *packed, tuple(self._pieces)))
            self._start()

    def take(self) -> list[Block]:
        """The blocks ended since the last call."""
        done, self._done = self._done, []
        return done


def pack_text(text: bytes) -> bytes:
    """What stands in `output_blocks.data`: a zlib stream, which SQLite's shell reads, too."""
    return zlib.compress(text, _LEVEL)


def pack_times(times: Sequence[int]) -> bytes:
    """Milliseconds of recording time as `output_blocks.times` has them.

    A zlib stream of decimal numbers, one line for each line of text. The first is the milliseconds from the
    beginning of the recording, each other one those since the line before; negative where a line above
    changed later.
    """
    deltas = [str(time - before) for time, before in zip(times, (0, *times), strict=False)]
    return zlib.compress("\n".join(deltas).encode(), _LEVEL)


def unpack_text(data: bytes, size: int) -> bytes:
    """The text of a block; `size` is what it is said to have, and bounds it. ValueError if damaged."""
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(text) != size:
        raise ValueError(f"{len(text)} bytes in place of {size}")
    return text


def unpack_times(times: bytes, lines: int) -> list[float]:
    """Seconds of recording time for each line of a block. ValueError if damaged."""
    longest = 24 * max(1, lines)
    numbers = list(_numbers(zlib.decompressobj().decompress(times, longest)))
    if len(numbers) != lines:
        raise ValueError(f"{len(numbers)} times for {lines} lines")
    return numbers


def _numbers(text: bytes) -> Iterator[float]:
    now = 0
    for delta in text.split(b"\n"):
        now += int(delta)
        yield now / 1000
