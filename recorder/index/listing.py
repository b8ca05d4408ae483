"""The list of sessions from the index, and what has happened since from the log and the files.

It says what `recorder.store.catalog` says of the same store, in a moment and without the whole log in memory.
Nothing here verifies: like the catalog it knows at most why a recording is not to be verified.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from operator import attrgetter
from pathlib import Path
from sys import intern
from typing import Any

from recorder.errors import SealcastError
from recorder.index.database import NAME, IndexDamagedError, damage_told, open_index
from recorder.index.facts import read_facts
from recorder.index.query import Query
from recorder.index.search import Search
from recorder.index.sessions import SessionLog
from recorder.index.terms_values import INFINITY
from recorder.log.entries import SESSION_ID
from recorder.log.history import History
from recorder.store.catalog import Files, Session, sealed_files, sessions_of
from recorder.store.layout import Store
from recorder.store.state import State

_COLUMNS = """id, number, host, user, uid, started, ended, duration, live, title, reason, origin, source_ip,
    exit_status, columns, rows, command, file, text_size, state"""
_NEWEST = f"SELECT {_COLUMNS} FROM sessions ORDER BY started DESC, number DESC"  # noqa: S608  names of our own
_BY_ID = f"SELECT {_COLUMNS} FROM sessions WHERE id = ?"  # noqa: S608  names of our own
_GOING_ON = f"SELECT {_COLUMNS} FROM sessions WHERE state IN ('live', 'open')"  # noqa: S608  names of our own
_OF_A_DAY = f"SELECT {_COLUMNS} FROM sessions WHERE id >= ? AND id < ?"  # noqa: S608  names of our own
_FAILED = "SELECT id FROM sessions WHERE state IN ('missing', 'unlogged')"
_DAYS = "SELECT DISTINCT substr(id, 1, 8) FROM sessions WHERE file LIKE 'sealed/%'"
_FILE = 17
"""The place of `file` among the columns."""
_EPOCH = datetime.fromtimestamp(0, UTC)
_CLOCK_S = 2.0
"""A directory that changed so shortly before it was looked at may have changed after that, too."""
_HINTS = {
    "live": State.LIVE,
    "missing": State.MISSING,
    "unlogged": State.BAD,
    "imported": State.UNSIGNED,
    "interrupted": State.TRUNCATED,
    "open": State.TRUNCATED,
}
_FAILED_HINTS = frozenset({State.MISSING, State.BAD})


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the whole store."""

    sessions: int
    live: int
    failed: int
    """Known to fail a check without one: no file, or not in the log."""


@dataclass(slots=True)
class Listing:
    """The sessions of a store at one moment. Made by `current_listing`."""

    store: Store
    connection: sqlite3.Connection
    changed: dict[str, Session | None] = field(default_factory=dict)
    """What the index does not hold, or not as it is; None where the session is gone."""
    _news: list[Session] = field(default_factory=list)

    def settle(self) -> None:
        """All changes are known."""
        known = [session for session in self.changed.values() if session is not None]
        self._news = sorted(known, key=attrgetter("start", "number"), reverse=True)

    def counts(self) -> Counts:
        (indexed,) = self.connection.execute("SELECT count(*) FROM sessions").fetchone()
        failed = {row[0] for row in self.connection.execute(_FAILED)} - self.changed.keys()
        known = sum(self._is_indexed(session_id) for session_id in self.changed)
        news_failed = sum(session.state_hint in _FAILED_HINTS for session in self._news)
        live = sum(session.live for session in self._news)
        return Counts(indexed - known + len(self._news), live, len(failed) + news_failed)

    def newest(self, limit: int | None = None) -> Iterator[Session]:
        """The newest first, read as they are asked for."""
        indexed = (
            self._session(row) for row in self.connection.execute(_NEWEST) if row[0] not in self.changed
        )
        everything = merge(indexed, self._news, key=attrgetter("start", "number"), reverse=True)
        return islice(everything, limit)

    def fitting(self, query: Query) -> list[str]:
        """The ids of the sessions that fit a query about facts, the newest first."""
        if not query.text.strip():
            rows = self.connection.execute("SELECT id, started, number FROM sessions")
            indexed = [(row[1], row[2] or 0, row[0]) for row in rows if row[0] not in self.changed]
            return self._in_order(indexed, self._news)
        search = Search(self.connection, query, lambda _id: "")
        ids = [one for one in search.sessions() if one not in self.changed]
        return self._in_order(map(self._place, ids), [one for one in self._news if query.matches(one)])

    def _place(self, session_id: str) -> tuple[float, int, str]:
        found = self.connection.execute("SELECT started, number FROM sessions WHERE id = ?", (session_id,))
        started, number = found.fetchone()
        return started, number or 0, session_id

    def _in_order(self, indexed: Iterable[tuple[float, int, str]], news: Iterable[Session]) -> list[str]:
        fresh = [(one.start.timestamp(), one.number, one.id) for one in news]
        return [place[2] for place in sorted([*indexed, *fresh], key=lambda place: place[:2], reverse=True)]

    def sessions(self, ids: Iterable[str]) -> Iterator[Session]:
        """The sessions with these ids, in their order; one that is gone is passed over."""
        for session_id in ids:
            if session_id in self.changed:
                session = self.changed[session_id]
            else:
                row = self.connection.execute(_BY_ID, (session_id,)).fetchone()
                session = None if row is None else self._session(row)
            if session is not None:
                yield session

    def _is_indexed(self, session_id: str) -> bool:
        sql = "SELECT 1 FROM sessions WHERE id = ?"
        return self.connection.execute(sql, (session_id,)).fetchone() is not None

    def _session(self, row: Sequence[Any]) -> Session:
        return session_of(row, self.store.root)


def session_of(row: Sequence[Any], root: Path) -> Session:
    """What the catalog says of a session, from its row. `IndexDamagedError` where it cannot be one."""
    try:
        return _session_of(row, root)
    except (TypeError, ValueError, OverflowError) as error:
        raise IndexDamagedError(f"the row of a session cannot be read: {error}") from error


def _session_of(row: Sequence[Any], root: Path) -> Session:
    (name, number, host, user, uid, started, ended, duration, live, title, reason, origin, source,
     exit_status, columns, rows, command, file, text_size, state) = row  # fmt: skip
    hint = _HINTS.get(state)
    return Session(
        id=name,
        number=number or 0,
        host=intern(host),
        user=intern(user),
        uid=uid,
        start=_EPOCH + timedelta(seconds=started),
        end=None if ended is None else _EPOCH + timedelta(seconds=ended),
        duration_s=None if ended is None else duration,
        live=bool(live),
        title=title,
        reason=reason,
        origin=intern(origin),
        source=source,
        exit_status=exit_status,
        width=columns,
        height=rows,
        command=command,
        path=_path(root, name, file),
        size_bytes=text_size,
        in_log=state != "unlogged",
        interrupted=state == "interrupted",
        state_hint=State.TRUNCATED if hint is State.MISSING and text_size == 0 else hint,
    )


def _path(root: Path, name: str, file: str | None) -> Path | None:
    """Within the store, whatever the index says."""
    if not SESSION_ID.fullmatch(name):
        raise ValueError("its id is none")
    if file is None:
        return None
    parts = file.split("/")
    if not parts[-1].startswith(f"{name}."):
        raise ValueError("its file is that of another")
    if parts[0] not in ("live", "sealed") or ".." in parts:
        raise ValueError("its file is not in the store")
    return root / file


@contextmanager
def current_listing(store: Store) -> Iterator[Listing | None]:
    """The list of the store's sessions; None where the index cannot tell: then `list_sessions` does.

    It cannot where there is none, or a damaged, older, newer or partial one, or one of another log.
    """
    connection = _opened(store)
    if connection is None:
        yield None
        return
    try:
        yield _listing(store, connection)
    finally:
        connection.close()


def _opened(store: Store) -> sqlite3.Connection | None:
    try:
        return open_index(store.root / NAME)
    except SealcastError:
        return None


def _listing(store: Store, connection: sqlite3.Connection) -> Listing | None:
    try:
        with damage_told():
            connection.execute("BEGIN")
            facts = read_facts(connection)
            if not facts.whole or facts.looked_at is None or not _has_all(connection):
                return None
            if facts.log_size > store.log.checkpoint().size:
                return None
            listing = Listing(store, connection)
            _News(listing).look(facts.looked_at - _CLOCK_S, facts.log_size)
    except (ValueError, IndexDamagedError):  # rows are checked as they are read
        return None
    return listing


def _has_all(connection: sqlite3.Connection) -> bool:
    """The log numbers sessions without gaps."""
    count, last = connection.execute("SELECT count(number), max(number) FROM sessions").fetchone()
    return bool(count == (last or 0))


class _News:
    """What has happened since the index was written."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._store = listing.store
        self._connection = listing.connection
        self._strangers: dict[str, Path] = {}

    def look(self, since: float, log_size: int) -> None:
        """Files first: then each has its entry in the log, if it ever had."""
        for day in self._changed_days(since):
            self._compare(day)
        for row in self._connection.execute(_GOING_ON).fetchall():
            self._look_again(row)
        for session in SessionLog(self._store, log_size).read():
            self._listing.changed[session.id] = self._merged(session)
        self._add_strangers()
        self._listing.settle()

    def _changed_days(self, since: float) -> set[str]:
        """Days, such as `20260912`, whose recordings may be others than the index says."""
        above, days = _directories(self._store.sealed_directory)
        changed = {day for day, mtime in days.items() if mtime >= since}
        if max(above) >= since:
            changed |= {row[0] for row in self._connection.execute(_DAYS)} - days.keys()
        return changed

    def _compare(self, day: str) -> None:
        files = dict(sealed_files(self._store.sealed_directory / day[:4] / day[4:6] / day[6:], depth=0))
        for row in self._connection.execute(_OF_A_DAY, (day, f"{day}~")).fetchall():
            is_there = files.pop(row[0], None) is not None
            if is_there != (row[_FILE] is not None):
                self._look_again(row)
        self._strangers |= files

    def _look_again(self, row: Sequence[Any]) -> None:
        session = session_of(row, self._store.root)
        live = session.end is None and session.in_log and self._store.is_live(session.id)
        places = self._store.sealed_path(session.id), self._store.live_path(session.id)
        found = [path for path in (places if session.end is not None else reversed(places)) if path.exists()]
        now = replace(session, live=live, path=found[0] if found else None)
        gone = not (now.in_log or found)
        self._listing.changed[session.id] = None if gone else replace(now, state_hint=_hint(now))

    def _merged(self, session: Session) -> Session:
        """How it began stands in the index if it began before what is read of the log now."""
        row = self._connection.execute(_BY_ID, (session.id,)).fetchone()
        if row is None:
            return session
        return replace(
            session_of(row, self._store.root),
            end=session.end,
            duration_s=session.duration_s,
            live=session.live,
            exit_status=session.exit_status,
            path=session.path,
            size_bytes=session.size_bytes,
            interrupted=session.interrupted,
            state_hint=session.state_hint,
        )

    def _add_strangers(self) -> None:
        for session_id in self._strangers.keys() & self._listing.changed.keys():
            del self._strangers[session_id]
        history = History(self._store.log.checkpoint())
        for session in sessions_of(self._store, history, Files(self._strangers, {})):
            self._listing.changed[session.id] = session


def _hint(session: Session) -> State | None:
    """As the catalog has it; None: it has to be checked."""
    if session.live:
        return State.LIVE
    if session.path is None:
        return State.TRUNCATED if session.size_bytes == 0 else State.MISSING
    if not session.in_log:
        return State.BAD
    if session.origin == "imported":
        return State.UNSIGNED
    return State.TRUNCATED if session.interrupted or session.end is None else None


def _directories(sealed: Path) -> tuple[list[float], dict[str, float]]:
    """When directories changed: those of all, of years and of months; those of days by their day."""
    years = {item.name: Path(item.path) for item in _inside(sealed)}
    months = _below(years)
    above = [sealed, *years.values(), *months.values()]
    return list(map(_mtime, above)), {day: _mtime(path) for day, path in _below(months).items()}


def _below(directories: Mapping[str, Path]) -> dict[str, Path]:
    return {name + item.name: Path(item.path) for name, path in directories.items() for item in _inside(path)}


def _inside(directory: Path) -> list[os.DirEntry[str]]:
    try:
        return [item for item in os.scandir(directory) if item.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _mtime(path: Path) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return INFINITY
