"""What the index holds, and what of the store it does not hold yet."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from recorder.index.database import NAME, damage_told, is_written, open_index
from recorder.index.extraction import EXTRACTOR
from recorder.index.facts import read_facts
from recorder.index.sessions import FileState, SessionLog, file_state, state_of
from recorder.index.unchanged import count_if_unchanged
from recorder.safe_text import safe
from recorder.store.catalog import Files, Session
from recorder.store.layout import Store


@dataclass(frozen=True, slots=True)
class Broken:
    """A recording that could not be read to its end."""

    id: str
    file: str | None
    reason: str


@dataclass(slots=True)
class Status:
    """Counts of sessions, but for what says otherwise."""

    path: Path
    size_bytes: int
    built_at: float | None
    has_output: bool
    sessions: int
    commands: int
    text_bytes: int
    """Of the output that is indexed, as text."""
    broken: list[Broken]
    written: bool
    """A process is writing it now."""
    live: int = 0
    """Being recorded now: indexed as far as they were when they were looked at."""
    missing: int = 0
    changed: int = 0
    gone: int = 0
    """In the index, and not in the store any more."""

    @property
    def stale(self) -> bool:
        """Something ended that the index does not hold as it is."""
        return bool(self.missing or self.changed or self.gone)


def status_of(store: Store) -> Status:
    """Compares the index with the log and the files. `SealcastError` where there is no index to be read."""
    connection = open_index(store.root / NAME)
    try:
        with damage_told():
            status = _counts(connection, store)
            if count_if_unchanged(store, with_output=status.has_output) is not None:
                return status
            known = {row[0]: _Known._make(row[1:]) for row in connection.execute(_KNOWN)}
            taken_in = read_facts(connection).log_size
    finally:
        connection.close()
    _Comparison(store, status, known, taken_in).run()
    return status


class _Known(NamedTuple):
    """What the index holds of a session; see docs/index.md."""

    state: str
    file_size: int | None
    file_mtime: float | None
    extractor: int
    has_output: int


_KNOWN = "SELECT id, state, file_size, file_mtime, extractor, has_output FROM sessions"


def _counts(connection: sqlite3.Connection, store: Store) -> Status:
    facts = read_facts(connection)
    sessions, commands = connection.execute(
        "SELECT count(*), coalesce(sum(command_count), 0) FROM sessions"
    ).fetchone()
    (text,) = connection.execute("SELECT coalesce(sum(size), 0) FROM output_blocks").fetchone()
    broken = connection.execute("SELECT id, file, reason FROM broken ORDER BY id").fetchall()
    path = store.root / NAME
    return Status(
        path=path,
        size_bytes=path.stat().st_size,
        built_at=facts.built_at,
        has_output=facts.has_output,
        sessions=sessions,
        commands=commands,
        text_bytes=text,
        broken=[Broken(*row) for row in broken],
        written=is_written(store.root),
    )


class _Comparison:
    """Entries of the log that were taken in cannot change: of their sessions just the files are looked at."""

    def __init__(self, store: Store, status: Status, known: Mapping[str, _Known], taken_in: int) -> None:
        self._store = store
        self._status = status
        self._known = known
        self._files = Files.of(store)
        is_same_log = taken_in <= store.log.checkpoint().size
        self._log = SessionLog(store, taken_in if is_same_log else 0)
        self._seen: set[str] = set()

    def run(self) -> None:
        """Counts what the index does not hold as it is."""
        is_whole = self._log.size == 0
        for session in self._log.read(self._files):
            if session.id not in self._seen:
                self._count(session)
        if not is_whole:
            for session_id in self._known.keys() - self._seen:
                self._count_taken_in(session_id)
        for session in self._log.strangers(self._seen, self._files):
            self._count(session)
        self._status.gone += len(self._known.keys() - self._seen)

    def _count(self, session: Session) -> None:
        self._seen.add(session.id)
        known = self._known.get(session.id)
        if session.live:
            self._status.live += 1
        elif known is None:
            self._status.missing += 1
        else:
            self._status.changed += not self._is_same(known, state_of(session), file_state(session.path))

    def _count_taken_in(self, session_id: str) -> None:
        """A session of which the log says nothing new."""
        known = self._known[session_id]
        if known.state == "unlogged":
            return
        self._seen.add(session_id)
        if self._files.live.get(session_id):
            self._status.live += 1
            return
        path = self._files.sealed.get(session_id)
        if path is None and session_id in self._files.live:
            path = self._store.live_path(session_id)
        found = file_state(path)
        state = "missing" if found is None else known.state
        is_over = known.state != "live" and (known.state == "missing") == (found is None)
        self._status.changed += not (is_over and self._is_same(known, state, found))

    def _is_same(self, known: _Known, state: str, found: FileState | None) -> bool:
        size, mtime = found if found is not None else (None, None)
        whole = found is None or not self._status.has_output or known.has_output
        return bool(whole) and known[:4] == (state, size, mtime, EXTRACTOR)


def described(broken: Broken) -> str:
    """One line for a person."""
    return f"{safe(broken.id)}: {safe(broken.reason)}"
