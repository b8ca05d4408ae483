"""What the index holds, and what of the store it does not hold yet."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder.index.database import NAME, damage_told, is_written, open_index
from recorder.index.extraction import EXTRACTOR
from recorder.index.sessions import SessionLog, file_state, state_of
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
            known = {row[0]: row[1:] for row in connection.execute(_KNOWN)}
    finally:
        connection.close()
    _compare(store, status, known)
    return status


_KNOWN = "SELECT id, state, file_size, file_mtime, extractor, has_output, live FROM sessions"


def _counts(connection: sqlite3.Connection, store: Store) -> Status:
    facts = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    sessions, commands = connection.execute(
        "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM commands)"
    ).fetchone()
    (text,) = connection.execute("SELECT coalesce(sum(size), 0) FROM output_blocks").fetchone()
    broken = connection.execute("SELECT id, file, reason FROM broken ORDER BY id").fetchall()
    path = store.root / NAME
    return Status(
        path=path,
        size_bytes=path.stat().st_size,
        built_at=float(facts["built_at"]) if "built_at" in facts else None,
        has_output=facts.get("output") == "1",
        sessions=sessions,
        commands=commands,
        text_bytes=text,
        broken=[Broken(*row) for row in broken],
        written=is_written(store.root),
    )


def _compare(store: Store, status: Status, known: dict[str, tuple[Any, ...]]) -> None:
    files = Files.of(store)
    log = SessionLog(store)
    seen: set[str] = set()
    for session in log.read(files):
        if session.id not in seen:
            seen.add(session.id)
            _count(session, known.get(session.id), status)
    for session in log.strangers(seen, files):
        seen.add(session.id)
        _count(session, known.get(session.id), status)
    status.gone = len(known.keys() - seen)


def _count(session: Session, known: tuple[Any, ...] | None, status: Status) -> None:
    if session.live:
        status.live += 1
    elif known is None:
        status.missing += 1
    else:
        found = file_state(session.path)
        size, mtime = found if found is not None else (None, None)
        whole = found is None or not status.has_output or known[4]
        status.changed += not (whole and (state_of(session), size, mtime, EXTRACTOR) == known[:4])


def described(broken: Broken) -> str:
    """One line for a person."""
    return f"{safe(broken.id)}: {safe(broken.reason)}"
