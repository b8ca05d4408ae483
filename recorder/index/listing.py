"""The list of sessions from the index, and what has happened since from the log and the files.

It says what `recorder.store.catalog` says of the same store, in a moment and without the whole log in memory.
Nothing here verifies: like the catalog it knows at most why a recording is not to be verified.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from itertools import islice
from operator import attrgetter
from pathlib import Path

from recorder.errors import SealcastError
from recorder.index.database import NAME, IndexDamagedError, damage_told, open_index
from recorder.index.facts import read_facts
from recorder.index.news import BeyondIndexError, News
from recorder.index.query import Query
from recorder.index.rows import COLUMNS, indexed_session, session_of
from recorder.index.search import Search
from recorder.index.sessions import continues
from recorder.store.catalog import Session
from recorder.store.layout import Store
from recorder.store.state import State

_NEWEST = f"SELECT {COLUMNS} FROM sessions ORDER BY started DESC, number DESC"  # noqa: S608  names of our own
_FAILED = "SELECT id FROM sessions WHERE state IN ('missing', 'unlogged')"
_FAILED_HINTS = frozenset({State.MISSING, State.BAD})


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the whole store."""

    sessions: int
    live: int
    failed: int
    """Known to fail a check without one: no file, or not in the log."""


class Listing:
    """The sessions of a store at one moment. Made by `current_listing`."""

    def __init__(self, store: Store, connection: sqlite3.Connection, news: News) -> None:
        self.store = store
        self.connection = connection
        self.news = news

    @property
    def changed(self) -> dict[str, Session | None]:
        """What the index does not hold, or not as it is; None where the session is gone."""
        return self.news.changed

    @cached_property
    def _news(self) -> list[Session]:
        known = [session for session in self.changed.values() if session is not None]
        return sorted(known, key=attrgetter("start", "number"), reverse=True)

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
            session_of(row, self.store.root)
            for row in self.connection.execute(_NEWEST)
            if row[0] not in self.changed
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
            is_changed = session_id in self.changed
            session = self.changed[session_id] if is_changed else self.indexed(session_id)
            if session is not None:
                yield session

    def indexed(self, session_id: str) -> Session | None:
        """The session as the index has it."""
        return indexed_session(self.connection, session_id, self.store.root)

    def _is_indexed(self, session_id: str) -> bool:
        sql = "SELECT 1 FROM sessions WHERE id = ?"
        return self.connection.execute(sql, (session_id,)).fetchone() is not None


@contextmanager
def current_listing(store: Store, path: Path | None = None) -> Iterator[Listing | None]:
    """The list of the store's sessions; None where the index cannot tell: then `list_sessions` does.

    It cannot where there is none, or a damaged, older, newer or partial one, or one of another log. `path` is
    the index if it has another place.
    """
    connection = _opened(path or store.root / NAME)
    if connection is None:
        yield None
        return
    try:
        yield _listing(store, connection)
    finally:
        connection.close()


def _opened(path: Path) -> sqlite3.Connection | None:
    try:
        return open_index(path)
    except SealcastError:
        return None


def _listing(store: Store, connection: sqlite3.Connection) -> Listing | None:
    try:
        with damage_told():
            connection.execute("BEGIN")
            facts = read_facts(connection)
            if not facts.whole or facts.looked_at is None or not _has_all(connection):
                return None
            if not continues(store.log, facts.log_size, facts.log_root):
                return None
            news = News(store, connection, facts)
            news.look()
    except (ValueError, IndexDamagedError, BeyondIndexError):  # rows are checked as they are read
        return None
    return Listing(store, connection, news)


def _has_all(connection: sqlite3.Connection) -> bool:
    """The log numbers sessions without gaps."""
    count, last = connection.execute("SELECT count(number), max(number) FROM sessions").fetchone()
    return bool(count == (last or 0))
