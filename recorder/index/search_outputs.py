"""The output of commands, read back from the index: rendered lines, each with the moment it was written."""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from recorder.errors import FormatError
from recorder.index.blocks import unpack_text, unpack_times
from recorder.index.schema import PIECES_PER_BLOCK

_KEPT_BLOCKS = 64
_KEPT_QUERIES = 32
_WITH_WORDS = "SELECT rowid FROM outputs_fts WHERE outputs_fts MATCH ? LIMIT ?"
_COMMANDS = (
    "SELECT DISTINCT command FROM outputs WHERE command IS NOT NULL"
    " AND id IN (SELECT rowid FROM outputs_fts WHERE outputs_fts MATCH ? LIMIT ?)"
)
_PIECES = "SELECT id, start, size, line, lines FROM outputs WHERE command = ? ORDER BY id"
_BLOCKS = "SELECT id, data, size FROM output_blocks WHERE session = ? ORDER BY id"
_PARTS = "SELECT command, start, size FROM outputs WHERE command IS NOT NULL AND id BETWEEN ? AND ?"
_BLOCK_TEXT = "SELECT data, size FROM output_blocks WHERE id = ?"
_BLOCK_TIMES = "SELECT times, lines FROM output_blocks WHERE id = ?"


class Line(NamedTuple):
    """A line as it was seen. Foreign text."""

    time: float
    """Seconds of recording time."""
    text: str


class Block(NamedTuple):
    """Lines of a session, whoever wrote them."""

    number: int
    text: str
    data: bytes
    """The text with its last line feed, in UTF-8."""


class Outputs:
    """Reads pieces of output; keeps the blocks it read last."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.pieces = lru_cache(_KEPT_QUERIES)(self._find_pieces)
        """The pieces that a query of FTS5 finds; None where there are more than a limit."""
        self._block = lru_cache(_KEPT_BLOCKS)(self._read_text)
        self._times = lru_cache(_KEPT_BLOCKS)(self._read_times)

    def candidates(self, query: str, limit: int) -> frozenset[int] | None:
        """The commands with pieces that a query of FTS5 finds; None where there are more than `limit`."""
        pieces = self.pieces(query, limit)
        if pieces is None:
            return None
        return frozenset(row[0] for row in self._connection.execute(_COMMANDS, (query, limit)))

    def _find_pieces(self, query: str, limit: int) -> frozenset[int] | None:
        found = frozenset(row[0] for row in self._connection.execute(_WITH_WORDS, (query, limit + 1)))
        return found if len(found) <= limit else None

    def texts(self, command: int, among: frozenset[int] | None) -> Iterator[str]:
        """The pieces of a command's output, of those `among` where that is given."""
        for piece, start, size, _, _ in self._pieces(command):
            if among is None or piece in among:
                yield self._text(piece, start, size)

    def blocks(self, session: int) -> Iterator[Block]:
        """The blocks of a session's output."""
        for number, data, size in self._connection.execute(_BLOCKS, (session,)).fetchall():
            try:
                text = unpack_text(data, size)
            except ValueError as error:
                raise _damaged(number, error) from error
            yield Block(number, text.removesuffix(b"\n").decode("utf-8", "replace"), text)

    def parts(self, block: Block) -> Iterator[tuple[int, str]]:
        """What the commands wrote of a block."""
        first = block.number * PIECES_PER_BLOCK
        span = (first, first + PIECES_PER_BLOCK - 1)
        for command, start, size in self._connection.execute(_PARTS, span).fetchall():
            yield command, block.data[start : start + size].removesuffix(b"\n").decode("utf-8", "replace")

    def lines(self, command: int) -> Sequence[Line]:
        """The lines of a command's output, in order."""
        lines: list[Line] = []
        for piece, start, size, first, count in self._pieces(command):
            times = self._times(piece // PIECES_PER_BLOCK)[first : first + count]
            lines.extend(map(Line, times, self._text(piece, start, size).split("\n")))
        return lines

    def _pieces(self, command: int) -> list[tuple[int, int, int, int, int]]:
        return self._connection.execute(_PIECES, (command,)).fetchall()

    def _text(self, piece: int, start: int, size: int) -> str:
        data = self._block(piece // PIECES_PER_BLOCK)
        return data[start : start + size].removesuffix(b"\n").decode("utf-8", "replace")

    def _read_text(self, block: int) -> bytes:
        data, size = self._connection.execute(_BLOCK_TEXT, (block,)).fetchone()
        try:
            return unpack_text(data, size)
        except ValueError as error:
            raise _damaged(block, error) from error

    def _read_times(self, block: int) -> list[float]:
        times, lines = self._connection.execute(_BLOCK_TIMES, (block,)).fetchone()
        try:
            return unpack_times(times, lines)
        except ValueError as error:
            raise _damaged(block, error) from error


def _damaged(block: int, error: ValueError) -> FormatError:
    return FormatError(f"damaged output, block {block}: {error}", "index.db", "sealcast index rebuild")
