"""Bringing the index up to date with the store: what is new, changed or gone."""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder.errors import SealcastError
from recorder.index.database import NAME, put_in_place, remove_files, writer_lock
from recorder.index.extraction import EXTRACTOR
from recorder.index.reading import Done, Message, Part, Task, read_recording
from recorder.index.sessions import SessionLog, file_state, session_row
from recorder.index.unchanged import count_if_unchanged
from recorder.index.workers import Pool
from recorder.index.writing import IndexWriter
from recorder.safe_text import safe
from recorder.store.catalog import Files, Session
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
            building = Building(store, writer, pool, wish)
            return building.skip() or building.run(said)


def rebuild(store: Store, wish: Wish, said: Said = lambda _done, _total: None) -> Outcome:
    """Make the index anew beside the old one, which serves until then, and put it in its place."""
    with writer_lock(store.root):
        new = store.root / _NEW
        with _usable(new) as writer, Pool(wish.jobs) as pool:
            outcome = Building(store, writer, pool, wish).run(said)
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
        self._seen: set[str] = set()
        self._whole = True
        """No session of the store was passed over."""
        self.passing: Collection[str] = ()
        """Sessions that somebody else sees to."""
        self.with_output = wish.with_output or writer.fact("output") == "1"

    def skip(self) -> Outcome | None:
        """The outcome, if there is nothing to do: in a moment, where `run` reads the whole log."""
        looked_at = time.time()
        if self._wish.since is not None:
            return None
        count = count_if_unchanged(self.store, with_output=self.with_output)
        if count is None:
            return None
        self.writer.note("output", str(int(self.with_output)))
        self._note_times(looked_at)
        return Outcome(count)

    def run(self, said: Said) -> Outcome:
        """Reads what has to be read, and drops what is gone."""
        self.writer.note("output", str(int(self.with_output)))
        looked_at = time.time()
        files = Files.of(self.store)
        total = len(files.sealed) + len(files.live)
        known = {row[0]: row[1:] for row in self.writer.known(_STATE)}
        for message in self._pool.read(self._tasks(files, known)):
            self._take(message)
            if self.writer.commit_if_due():
                said(len(self._seen), max(total, len(self._seen)))
        if self._wish.since is None:
            self._drop(known.keys() - self._seen)
        self._outcome.total = len(self._seen)
        self.writer.note("log_size", str(self.log.size))
        self.writer.note("whole", str(int(self._whole)))
        self._note_times(looked_at)
        if self._outcome.indexed >= _MANY:
            self.writer.merge()
        return self._outcome

    def _note_times(self, looked_at: float) -> None:
        self.writer.note("looked_at", f"{looked_at:.3f}")
        self.writer.note("built_at", f"{time.time():.3f}")
        self.writer.commit()

    def index(self, session: Session) -> None:
        """One session anew, by this process."""
        task = self._task(session, None)
        for message in read_recording(task) if task is not None else ():
            self._take(message)

    # ── what is to be read ────────────────────────────────────────────────────

    def _tasks(self, files: Files, known: dict[str, tuple[Any, ...]]) -> Iterator[Task]:
        """Recordings that are new or have changed; sessions without one are written at once."""
        for session in self._sessions(files):
            self._seen.add(session.id)
            if session.id in self.passing:
                continue
            task = self._task(session, known.get(session.id))
            if task is not None:
                yield task

    def _sessions(self, files: Files) -> Iterator[Session]:
        for session in self.log.read(files):
            if session.id not in self._seen:
                yield session
        yield from self.log.strangers(self._seen, files)

    def _task(self, session: Session, known: tuple[Any, ...] | None) -> Task | None:
        started = session.start.timestamp()
        if self._wish.since is not None and started < self._wish.since:
            self._whole &= known is not None
            return None
        found = file_state(session.path)
        row = session_row(session, self.store.root, found)
        if not session.live and known == _state(row, self.with_output, known):
            return None
        self._outcome.indexed += 1
        if session.path is None or found is None:
            self.writer.begin_session(row)
            self.writer.end_session(session.id, {"extractor": EXTRACTOR})
            return None
        self._rows[session.id] = row
        return Task(session, session.path, found.size, self.with_output)

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

    def _drop(self, ids: set[str]) -> None:
        for session_id in ids:
            self.writer.forget(session_id)
            self.writer.commit_if_due()
        self._outcome.gone = len(ids)


_STATE = "id, state, file, file_size, file_mtime, has_output, extractor"


def _state(row: dict[str, Any], with_output: bool, known: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """What the index holds of a session that need not be read again."""
    has_output = known[4] if known is not None and (known[4] or not with_output) else int(with_output)
    if row["file_size"] is None and known is not None:
        has_output = known[4]
    return row["state"], row["file"], row["file_size"], row["file_mtime"], has_output, EXTRACTOR


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
