"""What has happened in a store since its index was written."""

import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from recorder.index.facts import Facts
from recorder.index.rows import COLUMNS, indexed_session, session_of
from recorder.index.sessions import SessionLog, look_again, sessions_in_log
from recorder.index.terms_values import INFINITY
from recorder.log.history import History
from recorder.store.catalog import Files, Session, sealed_files, sessions_of
from recorder.store.layout import Store

_GOING_ON = f"SELECT {COLUMNS} FROM sessions WHERE state IN ('live', 'open')"  # noqa: S608  names of our own
_OF_A_DAY = "SELECT id, file IS NOT NULL FROM sessions WHERE id >= ? AND id < ?"
_DAYS = "SELECT DISTINCT substr(id, 1, 8) FROM sessions WHERE file LIKE 'sealed/%'"
_CLOCK_S = 2.0
"""A directory that changed so shortly before it was looked at may have changed after that, too."""


class BeyondIndexError(Exception):
    """What the index says of a session is not enough to tell how it stands now: that takes the whole log."""


class News:
    """Compares what the log says since, the directories that changed and the sessions that go on."""

    def __init__(self, store: Store, connection: sqlite3.Connection, facts: Facts) -> None:
        """`connection` is to the index, and `facts` is what it says of itself."""
        self.log = SessionLog(store, facts.log_size, self._indexed)
        """Read to its end by `look`."""
        self.changed: dict[str, Session | None] = {}
        """What the index does not hold, or not as it is; None where the session is gone."""
        self._store = store
        self._connection = connection
        self._since = _before(facts.looked_at or 0.0)
        self._unknown: dict[str, Path] = {}
        """Recordings of which the index knows none or another file."""
        self._back: set[str] = set()
        """Sessions that were missing and are no more."""

    def look(self) -> None:
        """Files first: then each has its entry in the log, if it ever had. `BeyondIndexError`."""
        for day in self._changed_days():
            self._compare(day)
        for row in self._connection.execute(_GOING_ON).fetchall():
            self._look_again(session_of(row, self._store.root))
        for session in self.log.read():
            self.changed[session.id] = session
            self._unknown.pop(session.id, None)
        if self.log.unknown:
            raise BeyondIndexError
        self.ask_log()
        self._add_strangers()

    def look_again(self, session_id: str) -> None:
        """At the files of a session of the index. `ask_log` has to follow."""
        session = self._indexed(session_id)
        if session is not None:
            self._look_again(session)

    def ask_log(self) -> None:
        """Of recordings that came back: whether such a one was interrupted, the index has forgotten."""
        if self._back:
            for session in sessions_in_log(self._store, self._back):
                self.changed[session.id] = session
        self._back.clear()

    def _indexed(self, session_id: str) -> Session | None:
        return indexed_session(self._connection, session_id, self._store.root)

    def _look_again(self, session: Session) -> None:
        now = self.changed[session.id] = look_again(self._store, session)
        came_back = session.path is None and now is not None and now.path is not None
        if came_back and session.end is not None and session.origin != "imported":
            self._back.add(session.id)

    def _changed_days(self) -> set[str]:
        """Days, such as `20260912`, whose recordings may be others than the index says."""
        above, days = _directories(self._store.sealed_directory)
        changed = {day for day, moment in days.items() if moment >= self._since}
        if max(above) >= self._since:
            changed |= {row[0] for row in self._connection.execute(_DAYS)} - days.keys()
        return changed

    def _compare(self, day: str) -> None:
        files = dict(sealed_files(self._store.sealed_directory / day[:4] / day[4:6] / day[6:], depth=0))
        for session_id, has_file in self._connection.execute(_OF_A_DAY, (day, f"{day}~")).fetchall():
            is_there = files.pop(session_id, None) is not None
            if is_there != bool(has_file):
                self.look_again(session_id)
        self._unknown |= files

    def _add_strangers(self) -> None:
        """Recordings that the log does not know; others lie in the directory of a wrong day."""
        strange = {}
        for session_id, path in self._unknown.items():
            session = self._indexed(session_id)
            now = None if session is None else look_again(self._store, session)
            if now is None:
                strange[session_id] = path
            elif now.path is None:
                raise BeyondIndexError
        history = History(self._store.log.checkpoint())
        for session in sessions_of(self._store, history, Files(strange, {})):
            self.changed[session.id] = session


def _before(looked_at: float) -> float:
    """What changed since this moment may be news: all, where the clock was put back."""
    return looked_at - _CLOCK_S if looked_at <= time.time() else 0.0


def _directories(sealed: Path) -> tuple[list[float], dict[str, float]]:
    """When directories changed: those of all, of years and of months; those of days by their day."""
    years = {item.name: Path(item.path) for item in _inside(sealed)}
    months = _below(years)
    above = [sealed, *years.values(), *months.values()]
    return list(map(_changed_at, above)), {day: _changed_at(path) for day, path in _below(months).items()}


def _below(directories: Mapping[str, Path]) -> dict[str, Path]:
    return {name + item.name: Path(item.path) for name, path in directories.items() for item in _inside(path)}


def _inside(directory: Path) -> list[os.DirEntry[str]]:
    try:
        return [item for item in os.scandir(directory) if item.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _changed_at(path: Path) -> float:
    """By the clock of this host: the time of modification is what a copy or an archive says."""
    try:
        return os.stat(path).st_ctime
    except OSError:
        return INFINITY
