"""Bringing the index up to date with the store: what is new, changed or gone."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder.errors import SealcastError
from recorder.index.changes import Comparison
from recorder.index.database import NAME, put_in_place, remove_files, writer_lock
from recorder.index.extraction import EXTRACTOR
from recorder.index.reading import Done, Message, Part, Task, read_recording
from recorder.index.sessions import FileState, SessionLog, file_state, session_row
from recorder.index.workers import Pool
from recorder.index.writing import IndexWriter
from recorder.safe_text import safe
from recorder.store.catalog import Session
from recorder.store.layout import Store

_NEW = "index.db.new"
"""Where a rebuild writes until it is done."""
_MANY = 1000
"""After so many sessions the full-text indexes are put in order."""

Said = Callable[[int, int], None]
"""Hears how many sessions have been looked at, of how many."""


@dataclass(slots=True)
class Outcome:
    """What there was to do."""

    total: int = 0
    """Sessions in the store."""
    indexed: int = 0
    gone: int = 0
    broken: int = 0
    """Of those indexed now: recordings that could not be read to their end."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be indexed."""

    with_output: bool = False
    """Output, too. An index that has it keeps having it."""
    jobs: int = 1
    since: float | None = None
    """Only sessions that started then or later, as unix time; nothing is dropped then."""


def build(store: Store, wish: Wish, said: Said = lambda _done, _total: None) -> Outcome:
    """Bring the index of `store` up to date, making it where there is none.

    May be killed at any moment, and goes on where it was. `SealcastError` where another process writes the
    index, or what lies there is none.
    """
    with writer_lock(store.root):
        path = store.root / NAME
        _finish_rebuild(store.root)
        with IndexWriter(path) as writer, Pool(wish.jobs) as pool:
            return Building(store, writer, pool, wish).run(path, said)


def rebuild(store: Store, wish: Wish, said: Said = lambda _done, _total: None) -> Outcome:
    """Make the index anew beside the old one, which serves until then, and put it in its place."""
    with writer_lock(store.root):
        new = store.root / _NEW
        with _usable(new) as writer, Pool(wish.jobs) as pool:
            outcome = Building(store, writer, pool, wish).run(new, said)
            writer.merge()
        put_in_place(new, store.root / NAME)
        return outcome


def _finish_rebuild(root: Path) -> None:
    """A rebuild that was killed between two renames has left the new index under its first name."""
    new = root / _NEW
    if new.exists() and not (root / NAME).exists():
        try:
            IndexWriter(new).close()
        except SealcastError:
            remove_files(new)
        else:
            put_in_place(new, root / NAME)


def _usable(new: Path) -> IndexWriter:
    """What a rebuild that was killed has left, to go on with; else an empty index."""
    try:
        return IndexWriter(new)
    except SealcastError:
        remove_files(new)
        return IndexWriter(new)


class Building:
    """One pass over the store. The writer and the log can be used on afterwards."""

    def __init__(self, store: Store, writer: IndexWriter, pool: Pool, wish: Wish) -> None:
        self.store = store
        self.writer = writer
        self.log = SessionLog(store)
        self._pool = pool
        self._wish = wish
        self._outcome = Outcome()
        self._rows: dict[str, dict[str, Any]] = {}
        """Of sessions that are being read."""
        self._whole = True
        """Nothing that the log says was passed over."""
        self.sees_to: Callable[[Session], bool] = lambda _session: False
        """Takes in what has become of a session that somebody else follows, and says so."""
        self.with_output = wish.with_output or writer.fact("output") == "1"

    def run(self, path: Path, said: Said) -> Outcome:
        """Reads what has to be read, and drops what is gone. `path` is the index that is written."""
        self.writer.note("output", str(int(self.with_output)))
        self.writer.commit()
        comparison = Comparison(self.store, path, with_output=self.with_output)
        for message in self._pool.read(self._tasks(comparison)):
            self._take(message)
            if self.writer.commit_if_due():
                said(comparison.done, max(comparison.expected, comparison.done))
        self._outcome.total = comparison.total
        self.log = comparison.log
        self._note(comparison.looked_at)
        if self._outcome.indexed >= _MANY:
            self.writer.merge()
        return self._outcome

    def _note(self, looked_at: float) -> None:
        self.note_log()
        self.writer.note("whole", str(int(self._whole)))
        self.writer.note("looked_at", f"{looked_at:.3f}")
        self.writer.note("built_at", f"{time.time():.3f}")
        self.writer.commit()

    def note_log(self) -> None:
        """What was read of the log will be in the index with the next commit."""
        self.writer.note("log_size", str(self.log.size))
        if self.log.root is not None:
            self.writer.note("log_root", self.log.root.hex())

    def index(self, session: Session) -> None:
        """One session anew, by this process."""
        if self._is_wanted(session):
            task = self._task(session, file_state(session.path))
            if task is not None:
                self.writer.begin_session(self._rows[session.id])
                for message in read_recording(task):
                    self._take(message)

    # ── what is to be read ────────────────────────────────────────────────────

    def _tasks(self, comparison: Comparison) -> Iterator[Task]:
        """Recordings that are new or have changed; sessions without one are written, or dropped, at once."""
        for change in comparison.changes():
            if change.session is None:
                self._drop(change.id)
            elif self.sees_to(change.session):
                continue
            elif self._is_wanted(change.session):
                task = self._task(change.session, change.found)
                if task is not None:
                    yield task
            else:
                self._whole &= not change.is_told_by_log

    def _is_wanted(self, session: Session) -> bool:
        return self._wish.since is None or session.start.timestamp() >= self._wish.since

    def _task(self, session: Session, found: FileState | None) -> Task | None:
        row = session_row(session, self.store.root, found)
        self._outcome.indexed += 1
        if session.path is None or found is None:
            self.writer.begin_session(row)
            self.writer.end_session(session.id, {"extractor": EXTRACTOR})
            return None
        self._rows[session.id] = row
        return Task(session, session.path, found.size, self.with_output)

    def _drop(self, session_id: str) -> None:
        if self._wish.since is None:
            self.writer.forget(session_id)
            self.writer.commit_if_due()
            self._outcome.gone += 1

    # ── what was read ─────────────────────────────────────────────────────────

    def _take(self, message: Message) -> None:
        row = self._rows.get(message.id)
        if row is not None and not self.writer.has_begun(message.id):
            self.writer.begin_session(row)
        if isinstance(message, Part):
            self.writer.add(message.id, message.extracted)
        else:
            self._end(message)

    def _end(self, done: Done) -> None:
        row = self._rows.pop(done.id)
        if done.request is not None:
            self.writer.add_request(done.id, done.request)
        if done.broken is not None:
            self._outcome.broken += 1
            self.writer.quarantine(broken_row(row, done.broken))
        self.writer.end_session(done.id, end_of(row, done, self.with_output))


def end_of(row: dict[str, Any], done: Done, with_output: bool) -> dict[str, Any]:
    """The columns of `sessions` that are known once its recording has been read."""
    return {
        "duration": row["duration"] if row["duration"] is not None else done.last_s,
        "active": done.active_s,
        "skipped_lines": done.skipped,
        "has_output": int(with_output),
        "extractor": EXTRACTOR,
    }


def broken_row(row: dict[str, Any], reason: str) -> dict[str, Any]:
    """A recording for `broken`."""
    return {
        "id": row["id"],
        "file": row["file"],
        "file_size": row["file_size"],
        "file_mtime": row["file_mtime"],
        "reason": safe(reason, 500),
        "extractor": EXTRACTOR,
    }
