"""The output of commands and asides, read back from the index: rendered lines, each with its moment."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from recorder.errors import FormatError
from recorder.index.blocks import unpack_text, unpack_times
from recorder.index.compile import id_list
from recorder.index.output_words import lone_beginnings, words_query
from recorder.index.regex_literals import Words

_KEPT_SESSIONS = 4
_KEPT_BLOCKS = 64
_KEPT_QUERIES = 32
_MANY_MORE = 4
"""A piece may have several words with the same beginning."""
_LAST = "\U0010ffff"
"""Behind every character of a word."""
_WITH_WORDS = "SELECT rowid FROM outputs_fts WHERE outputs_fts MATCH ? LIMIT ?"
_WORDS = """CREATE VIRTUAL TABLE IF NOT EXISTS temp.output_word_places
    USING fts5vocab (main, outputs_fts, instance)"""
_BEGINNINGS = """SELECT count(*) FROM (
    SELECT 1 FROM temp.output_word_places WHERE term >= ? AND term < ? LIMIT ?)"""
_COMMANDS = "SELECT DISTINCT stretch FROM outputs WHERE id IN (SELECT value FROM json_each(?))"
_SESSION = "SELECT session FROM stretches WHERE id = ?"
_PIECES = """
SELECT piece.stretch, piece.id, block.id, piece.start, piece.size
FROM output_blocks block CROSS JOIN outputs piece
WHERE block.session = ? AND piece.id >= block.id AND piece.id < coalesce(
    (SELECT min(later.id) FROM output_blocks later WHERE later.id > block.id), 9223372036854775807)
ORDER BY piece.id"""
_BLOCKS = (
    "SELECT id, session, data, size FROM output_blocks WHERE session IN (SELECT value FROM json_each(?))"
)
_PARTS = (
    "SELECT stretch, start, size FROM outputs WHERE id >= ?1 AND id <"
    " coalesce((SELECT min(id) FROM output_blocks WHERE id > ?1), 9223372036854775807)"
)
_BLOCK_TEXT = "SELECT data, size FROM output_blocks WHERE id = ?"
_BLOCK_TIMES = "SELECT times, lines FROM output_blocks WHERE id = ?"


class Line(NamedTuple):
    """A line as it was seen. Foreign text."""

    time: float
    """Seconds of recording time."""
    text: str


class Block(NamedTuple):
    """Lines of a session, whoever wrote them. Foreign text."""

    number: int
    session: int
    data: bytes
    """The text in UTF-8, with its last line feed."""

    @property
    def text(self) -> str:
        """Without its last line feed."""
        return _decoded(self.data)

    def part(self, start: int, size: int) -> str:
        """Some of its lines, without the last line feed."""
        return _decoded(self.data[start : start + size])


class _Piece(NamedTuple):
    """What a command or aside wrote of a block."""

    id: int
    block: int
    start: int
    """Bytes from the beginning of the block."""
    size: int


class Outputs:
    """Reads pieces of output; keeps the blocks it read last."""

    def __init__(self, connection: sqlite3.Connection, *, searched: bool) -> None:
        """`searched`: pieces will be asked for by their words."""
        self._connection = connection
        if searched:
            connection.execute(_WORDS)
        self.pieces = lru_cache(_KEPT_QUERIES)(self._find_pieces)
        """The pieces that have words; None where there are more than a limit."""
        self._pieces_of_session = lru_cache(_KEPT_SESSIONS)(self._read_pieces)
        self._block = lru_cache(_KEPT_BLOCKS)(self._read_text)
        self._times = lru_cache(_KEPT_BLOCKS)(self._read_times)

    def candidates(self, words: Words, limit: int) -> frozenset[int] | None:
        """The commands and asides with pieces that have the words; None where over `limit`."""
        pieces = self.pieces(words, limit)
        if pieces is None:
            return None
        return frozenset(row[0] for row in self._connection.execute(_COMMANDS, (id_list(pieces),)))

    def _find_pieces(self, words: Words, limit: int) -> frozenset[int] | None:
        if any(self._is_frequent(beginning, limit) for beginning in lone_beginnings(words)):
            return None
        query = words_query(words), limit + 1
        found = frozenset(row[0] for row in self._connection.execute(_WITH_WORDS, query))
        return found if len(found) <= limit else None

    def _is_frequent(self, beginning: str, limit: int) -> bool:
        """Whether words that begin so are in many more pieces.

        FTS5 would put together all of them before it tells of the first one.
        """
        most = _MANY_MORE * limit
        span = beginning, beginning + _LAST, most + 1
        return int(self._connection.execute(_BEGINNINGS, span).fetchone()[0]) > most

    def texts(self, stretch: int, among: frozenset[int] | None) -> Iterator[str]:
        """The pieces of the output of a command or aside, of those `among` where that is given."""
        for piece, block, start, size in self._pieces(stretch):
            if among is None or piece in among:
                yield _decoded(self._block(block)[start : start + size])

    def blocks(self, sessions: list[int]) -> Iterator[Block]:
        """The blocks of the output of sessions, in no certain order."""
        for number, session, data, size in self._connection.execute(_BLOCKS, (json.dumps(sessions),)):
            try:
                yield Block(number, session, unpack_text(data, size))
            except ValueError as error:
                raise _damaged(number, error) from error

    def parts(self, block: Block) -> list[tuple[int, int, int]]:
        """Which part of a block each command or aside wrote: its number, start and size in bytes."""
        return self._connection.execute(_PARTS, (block.number,)).fetchall()

    def lines(self, stretch: int) -> Sequence[Line]:
        """The lines of the output of a command or aside, in order."""
        lines: list[Line] = []
        for _, block, start, size in self._pieces(stretch):
            data = self._block(block)
            first = data.count(b"\n", 0, start)
            times = self._times(block)[first : first + data.count(b"\n", start, start + size)]
            lines.extend(map(Line, times, _decoded(data[start : start + size]).split("\n")))
        return lines

    def _pieces(self, stretch: int) -> Sequence[_Piece]:
        (session,) = self._connection.execute(_SESSION, (stretch,)).fetchone()
        return self._pieces_of_session(session).get(stretch, ())

    def _read_pieces(self, session: int) -> dict[int, list[_Piece]]:
        """By their commands and asides."""
        found: dict[int, list[_Piece]] = {}
        for stretch, *piece in self._connection.execute(_PIECES, (session,)):
            found.setdefault(stretch, []).append(_Piece(*piece))
        return found

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


def _decoded(lines: bytes) -> str:
    return lines.removesuffix(b"\n").decode("utf-8", "replace")


def _damaged(block: int, error: ValueError) -> FormatError:
    return FormatError(f"damaged output, block {block}: {error}", "index.db", "sealcast index rebuild")
