"""Rows into the index, committed in such a way that a kill leaves no session half told as whole."""

import itertools
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from recorder.index import blocks
from recorder.index.blocks import Block
from recorder.index.database import IndexDamagedError, damage_told, open_for_writing
from recorder.index.extraction import AsideRow, CommandRow, Extracted

Row = Mapping[str, Any]
"""Values by the names of columns."""

_COMMIT_S = 2.0
_COMMIT_BYTES = 16 * 1024 * 1024
_FULL_TEXT = ("commands_fts", "outputs_fts")
_HASH_BYTES = 16 * 1024 * 1024
"""What FTS5 gathers in memory before it writes a segment."""
UNFINISHED = 0
"""`sessions.extractor` of a session whose rows are not all there yet."""

_COMMAND = """INSERT INTO stretches (id, session, ordinal, start, duration, started, text, exit_status, cwd,
    level, as_user, evidence, flags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_ASIDE = """INSERT INTO stretches (id, session, ordinal, start, started, level, evidence)
    VALUES (?, ?, ?, ?, ?, 0, '')"""
_COMMAND_TEXT = "INSERT INTO commands_fts (rowid, text) VALUES (?, ?)"
_NO_COMMAND_TEXT = (
    "INSERT INTO commands_fts (commands_fts, rowid, text) SELECT 'delete', id, text FROM commands"
)
_BLOCK = "INSERT INTO output_blocks (id, session, lines, size, data, times) VALUES (?, ?, ?, ?, ?, ?)"
_BLOCKS = """SELECT id, coalesce((SELECT min(later.id) FROM output_blocks later WHERE later.id > block.id),
    9223372036854775807) FROM output_blocks block WHERE session = ?"""
_PIECE = "INSERT INTO outputs (id, stretch, start, size) VALUES (?, ?, ?, ?)"
_PIECE_TEXT = "INSERT INTO outputs_fts (rowid, text) VALUES (?, ?)"
_NO_PIECE_TEXT = "INSERT INTO outputs_fts (outputs_fts, rowid, text) VALUES ('delete', ?, ?)"


@dataclass(slots=True)
class _Session:
    """A session whose rows are being written."""

    key: int
    started: float
    ids: dict[int, int] = field(default_factory=dict)
    """Of its commands and asides, by their ordinals."""
    running: dict[int, CommandRow] = field(default_factory=dict)
    """What ran when it was last looked at: these rows may still change."""
    shown: dict[int, Block] = field(default_factory=dict)
    """Blocks that stand for what may still change, by their ids."""
    count: int = 0
    failed: int = 0
    last: tuple[int, str] | None = None

    def last_text(self) -> str | None:
        """What was begun last."""
        running = [(row.ordinal, row.text) for row in self.running.values()]
        return max([*running, *([self.last] if self.last else [])], default=(0, None))[1]


class IndexWriter:
    """The one writer; hold the lock of the store's index as long as it is open."""

    def __init__(self, path: Path) -> None:
        self._database = open_for_writing(path)
        self._connection = self._database.conn
        self._sessions: dict[str, _Session] = {}
        self._bytes = 0
        self._begun: float | None = None
        with damage_told():
            for table in _FULL_TEXT:
                sql = f"INSERT INTO {table} ({table}, rank) VALUES ('hashsize', {_HASH_BYTES})"  # noqa: S608  names of our own
                self._connection.execute(sql)
            self._stretches = itertools.count(self._largest("stretches") + 1)
            self._pieces = self._largest("outputs") + 1
            """The number of the next one, and of the next block."""
            self._keys = itertools.count(self._largest("sessions", "key") + 1)

    def _largest(self, table: str, column: str = "id") -> int:
        return int(self._connection.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").fetchone()[0])  # noqa: S608  names of our own

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.commit()
            elif self._connection.in_transaction:
                self._connection.rollback()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the file; what was not committed is lost."""
        self._connection.close()

    # ── transactions ──────────────────────────────────────────────────────────

    def commit(self) -> None:
        """Everything so far is there for readers, and stays."""
        if self._connection.in_transaction:
            with damage_told():
                self._connection.commit()
        self._bytes, self._begun = 0, None

    def commit_if_due(self) -> bool:
        """Commits when it has been some time, or much was written. Whether it did."""
        due = self._begun is not None and time.monotonic() - self._begun >= _COMMIT_S
        if due or self._bytes >= _COMMIT_BYTES:
            self.commit()
            return True
        return False

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")
            self._begun = time.monotonic()

    # ── sessions ──────────────────────────────────────────────────────────────

    def begin_session(self, row: Row) -> None:
        """A session's row; what the index had of its commands and output is dropped. It keeps its key."""
        with damage_told():
            self._begin()
            key = self._key_of(row["id"])
            if key is None:
                key = next(self._keys)
            else:
                self._drop_content(key)
                self._connection.execute("DELETE FROM sessions WHERE key = ?", (key,))
            self._connection.execute("DELETE FROM broken WHERE id = ?", (row["id"],))
            values = {**row, "key": key, "extractor": UNFINISHED, "indexed_at": time.time()}
            self._store("sessions", values)
        self._sessions[row["id"]] = _Session(key, row["started"])

    def _key_of(self, session_id: str) -> int | None:
        sql = "SELECT key FROM sessions WHERE id = ?"
        found = self._connection.execute(sql, (session_id,)).fetchone()
        return None if found is None else int(found[0])

    def _store(self, table: str, values: Row) -> None:
        """A new row.

        Never `INSERT OR REPLACE`: that is a savepoint, at which FTS5 writes out all it has gathered.
        """
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  names of our own
        self._connection.execute(sql, tuple(values.values()))

    def add(self, session_id: str, extracted: Extracted) -> None:
        """More of a session that was begun."""
        session = self._sessions[session_id]
        with damage_told():
            self._begin()
            self._add_commands(session, extracted.commands)
            self._add_running(session, extracted.running)
            self._add_asides(session, extracted.asides)
            for block in extracted.blocks:
                self._add_block(session, block)
            self._show(session, extracted.shown)

    def end_session(self, session_id: str, changes: Row) -> None:
        """All of it is there."""
        self.update_session(session_id, changes)
        self._sessions.pop(session_id)

    def has_begun(self, session_id: str) -> bool:
        """Whether `begin_session` was called, and its end has not come."""
        return session_id in self._sessions

    def has_commands(self, session_id: str) -> bool:
        """Whether any command of a session that was begun has been written."""
        return self._sessions[session_id].count > 0

    def add_request(self, session_id: str, row: CommandRow) -> None:
        """The command that the whole session was for, where no other was seen: all of its output is its."""
        session = self._sessions[session_id]
        with damage_told():
            self._begin()
            self._connection.execute("DELETE FROM stretches WHERE session = ?", (session.key,))
        self.add(session_id, Extracted([row]))
        with damage_told():
            for _, pieces in self._blocks_of(session.key):
                sql = "UPDATE outputs SET stretch = ? WHERE id BETWEEN ? AND ?"
                self._connection.execute(sql, (session.ids[row.ordinal], *pieces))

    def update_session(self, session_id: str, changes: Row) -> None:
        """Its row as it is now: `changes`, and what its commands amount to."""
        session = self._sessions[session_id]
        values = {
            **changes,
            "command_count": session.count,
            "failed_count": session.failed,
            "last_command": session.last_text(),
            "indexed_at": time.time(),
        }
        names = ", ".join(f"{name} = ?" for name in values)
        with damage_told():
            self._begin()
            sql = f"UPDATE sessions SET {names} WHERE key = ?"  # noqa: S608  names of our own
            self._connection.execute(sql, (*values.values(), session.key))

    def forget(self, session_id: str) -> None:
        """Drop a session that is no longer there, with all that belongs to it."""
        self._sessions.pop(session_id, None)
        with damage_told():
            self._begin()
            self._connection.execute("DELETE FROM broken WHERE id = ?", (session_id,))
            known = self._key_of(session_id)
            if known is not None:
                self._drop_content(known)
                for table, column in (("alerts", "session"), ("notes", "session"), ("sessions", "key")):
                    self._connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (known,))  # noqa: S608  names of our own

    def quarantine(self, row: Row) -> None:
        """A recording that cannot be read, with the reason; its session stays, as far as it was read."""
        with damage_told():
            self._begin()
            self._connection.execute("DELETE FROM broken WHERE id = ?", (row["id"],))
            self._store("broken", {**row, "seen_at": time.time()})

    def note(self, key: str, value: str) -> None:
        """A fact about the index itself."""
        with damage_told():
            self._begin()
            self._connection.execute("DELETE FROM meta WHERE key = ?", (key,))
            self._store("meta", {"key": key, "value": value})

    def fact(self, key: str) -> str | None:
        """What `note` wrote."""
        with damage_told():
            found = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    # ── rows ──────────────────────────────────────────────────────────────────

    def _add_commands(self, session: _Session, rows: Iterable[CommandRow]) -> None:
        commands, texts = [], []
        for row in rows:
            self._take_out(session, row.ordinal)
            number = self._number(session, row.ordinal)
            started = session.started + row.start
            commands.append((number, session.key, *row[:3], started, *row[3:]))
            texts.append((number, row.text))
            self._bytes += 4 * len(row.text) + 200
            session.failed += bool(row.exit_status)
            session.last = max(session.last or (-1, ""), (row.ordinal, row.text))
        session.count += len(commands)
        self._connection.executemany(_COMMAND, commands)
        self._connection.executemany(_COMMAND_TEXT, texts)

    def _add_running(self, session: _Session, rows: Iterable[CommandRow]) -> None:
        """What runs now, in place of what ran before; a line that was given up is gone."""
        now = {row.ordinal: row for row in rows}
        for ordinal, row in list(session.running.items()):
            if now.get(ordinal) != row:
                self._take_out(session, ordinal)
        last, failed = session.last, session.failed
        self._add_commands(session, [row for row in now.values() if row.ordinal not in session.running])
        session.last, session.failed, session.running = last, failed, now

    def _take_out(self, session: _Session, ordinal: int) -> None:
        """The row of a command that ran."""
        if session.running.pop(ordinal, None) is None:
            return
        number = session.ids[ordinal]
        self._connection.execute(f"{_NO_COMMAND_TEXT} WHERE id = ?", (number,))
        self._connection.execute("DELETE FROM stretches WHERE id = ?", (number,))
        session.count -= 1

    def _add_asides(self, session: _Session, rows: Iterable[AsideRow]) -> None:
        values = [
            (self._number(session, ordinal), session.key, ordinal, start, session.started + start)
            for ordinal, start in rows
        ]
        self._connection.executemany(_ASIDE, values)

    def _number(self, session: _Session, ordinal: int) -> int:
        number = session.ids.get(ordinal)
        if number is None:
            number = session.ids[ordinal] = next(self._stretches)
        return number

    def _show(self, session: _Session, shown: list[Block]) -> None:
        """What may still change, in place of what was shown before."""
        if list(session.shown.values()) == shown:
            return
        for number, block in session.shown.items():
            self._drop_pieces(block.text, (number, number + len(block.pieces) - 1))
            self._connection.execute("DELETE FROM output_blocks WHERE id = ?", (number,))
        session.shown = {self._add_block(session, block): block for block in shown}

    def _add_block(self, session: _Session, block: Block) -> int:
        first = self._pieces
        values = (first, session.key, block.lines, len(block.text), block.data, block.times)
        self._connection.execute(_BLOCK, values)
        pieces, texts = [], []
        for place, (ordinal, start, size) in enumerate(block.pieces, first):
            pieces.append((place, self._number(session, ordinal), start, size))
            texts.append((place, block.text[start : start + size].decode()))
        self._pieces += len(pieces)
        self._connection.executemany(_PIECE, pieces)
        self._connection.executemany(_PIECE_TEXT, texts)
        self._bytes += 2 * len(block.text)
        return first

    def _drop_content(self, key: int) -> None:
        """Commands and output of a session; FTS5 wants to be told the text that it is to forget."""
        for number, pieces in self._blocks_of(key):
            found = "SELECT data, size FROM output_blocks WHERE id = ?"
            text = _text_of(*self._connection.execute(found, (number,)).fetchone())
            self._drop_pieces(text, pieces)
        self._connection.execute("DELETE FROM output_blocks WHERE session = ?", (key,))
        self._connection.execute(f"{_NO_COMMAND_TEXT} WHERE session = ?", (key,))
        self._connection.execute("DELETE FROM stretches WHERE session = ?", (key,))

    def _blocks_of(self, key: int) -> list[tuple[int, tuple[int, int]]]:
        """The blocks of a session, each with the numbers of its first and its last piece."""
        found = self._connection.execute(_BLOCKS, (key,))
        return [(number, (number, after - 1)) for number, after in found.fetchall()]

    def _drop_pieces(self, text: bytes, span: tuple[int, int]) -> None:
        where = "WHERE id BETWEEN ? AND ?"
        pieces = self._connection.execute(f"SELECT id, start, size FROM outputs {where}", span).fetchall()  # noqa: S608  no value in it
        texts = [
            (place, text[start : start + size].decode("utf-8", "replace")) for place, start, size in pieces
        ]
        self._connection.executemany(_NO_PIECE_TEXT, texts)
        self._connection.execute(f"DELETE FROM outputs {where}", span)  # noqa: S608  no value in it

    # ── the whole ─────────────────────────────────────────────────────────────

    def known(self, columns: str) -> Iterable[tuple[Any, ...]]:
        """Values of every session."""
        with damage_told():
            return self._connection.execute(f"SELECT {columns} FROM sessions").fetchall()  # noqa: S608  names of our own

    def broken(self, columns: str) -> Iterable[tuple[Any, ...]]:
        """Values of every recording in quarantine."""
        with damage_told():
            return self._connection.execute(f"SELECT {columns} FROM broken").fetchall()  # noqa: S608  names of our own

    def merge(self) -> None:
        """Bring the full-text indexes into the shape that is fastest to search, after much was written."""
        self.commit()
        with damage_told():
            for table in _FULL_TEXT:
                self._connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608  names of our own
            self._connection.execute("PRAGMA optimize")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _text_of(data: bytes, size: int) -> bytes:
    try:
        return blocks.unpack_text(data, size)
    except ValueError as error:
        raise IndexDamagedError(str(error)) from error
