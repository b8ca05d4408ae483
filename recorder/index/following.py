"""Keeping the index up to date while sessions are recorded: the life of the indexer process."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from recorder.errors import SealcastError
from recorder.index.database import NAME, damage_told, open_index, writer_lock
from recorder.index.extraction import Extracted
from recorder.index.indexing import Building, Said, Wish, broken_row, end_of
from recorder.index.live import LiveRecording
from recorder.index.reading import Done, request_row
from recorder.index.rows import indexed_session
from recorder.index.sessions import file_state, look_again, session_row
from recorder.index.workers import Pool
from recorder.index.writing import IndexWriter
from recorder.store.catalog import Session
from recorder.store.layout import Store

POLL_S = 0.5
"""Between two looks at the log and at the recordings that are being written."""
_RESCAN_S = 600.0
"""Between two looks at every recording of the store: one may have come or gone without the log."""

Wait = Callable[[float], object]
"""Waits so many seconds, less if it is over; answers whether it is over."""


def follow(store: Store, wish: Wish, wait: Wait, said: Said = lambda _done, _total: None) -> None:
    """Bring the index up to date and keep it so until `wait` says that it is over.

    What a session shows is in the index within two seconds. Holds no key, and may be killed at any moment.
    `SealcastError` where another process writes the index, or what lies there is none.
    """
    with writer_lock(store.root), IndexWriter(store.root / NAME) as writer:
        follower = Follower(store, writer, wish)
        try:
            follower.catch_up(said)
            while not wait(POLL_S):
                follower.step()
        finally:
            follower.close()


class Follower:
    """Follows one store; call `step` often."""

    def __init__(self, store: Store, writer: IndexWriter, wish: Wish) -> None:
        self._store = store
        self._path = store.root / NAME
        self._writer = writer
        self._wish = wish
        self._live: dict[str, LiveRecording] = {}
        self._begun: dict[str, Session] = {}
        """How the sessions in `_live` began."""
        self._rows: dict[str, dict[str, Any]] = {}
        self._checkpoint: tuple[int, int] | None = None

    def catch_up(self, said: Said) -> None:
        """One pass over the whole store."""
        with Pool(self._wish.jobs) as pool:
            self._building = Building(self._store, self._writer, pool, self._wish)
            self._building.sees_to = self._sees_to
            self._building.run(self._path, said)
        self._building.log.begun = self._how_it_began
        self._scanned = time.monotonic()
        self._checkpoint = None

    def close(self) -> None:
        """Let go of the recordings."""
        for session_id in list(self._live):
            self._drop(session_id)

    def step(self) -> None:
        """Takes in what has happened since the last call."""
        if time.monotonic() - self._scanned > _RESCAN_S:
            self.catch_up(lambda _done, _total: None)
        self._read_log()
        for session_id in list(self._live):
            self._poll(session_id)
        self._writer.commit()

    def _read_log(self) -> None:
        found = os.stat(self._store.log.directory / "checkpoint")
        mark = found.st_ino, found.st_mtime_ns
        if mark == self._checkpoint:
            return
        self._checkpoint = mark
        log = self._building.log
        if not log.is_continued():
            self.catch_up(lambda _done, _total: None)
            self._checkpoint = mark  # a log that is damaged stays so: once is enough
            return
        silent = set(self._live)
        for session in log.read():
            silent.discard(session.id)
            self._take(session)
        for session_id in silent:
            self._look_again(session_id)
        self._building.note_log()

    def _look_again(self, session_id: str) -> None:
        """A session that began before what was read of the log: it may have ended without a word there."""
        session = look_again(self._store, self._begun[session_id])
        if session is not None:
            self._take(session)

    def _sees_to(self, session: Session) -> bool:
        """Takes in what becomes of live sessions, and of those that were."""
        is_followed = session.live or session.id in self._live
        if is_followed:
            self._take(session)
        return is_followed

    def _how_it_began(self, session_id: str) -> Session | None:
        if session_id in self._begun:
            return self._begun[session_id]
        with damage_told(), closing(open_index(self._path)) as connection:
            return indexed_session(connection, session_id, self._store.root)

    def _take(self, session: Session) -> None:
        """A session that has begun, goes on, or has ended."""
        if session.live:
            if session.id not in self._live:
                self._begin(session)
        elif session.id in self._live:
            self._end(session)
        elif session.end is not None or session.path is None:
            self._building.index(session)

    def _begin(self, session: Session) -> None:
        path = self._store.live_path(session.id)
        row = session_row(session, self._store.root, file_state(path))
        self._writer.begin_session({**row, "has_output": int(self._building.with_output)})
        self._rows[session.id] = row
        self._begun[session.id] = session
        self._live[session.id] = LiveRecording(path, with_output=self._building.with_output)

    def _poll(self, session_id: str) -> None:
        try:
            extracted = self._live[session_id].poll()
        except (SealcastError, OSError) as error:
            self._writer.quarantine(broken_row(self._rows[session_id], str(error)))
            self._drop(session_id)
            return
        if extracted is not None:
            self._add(session_id, extracted)

    def _add(self, session_id: str, extracted: Extracted) -> None:
        self._writer.add(session_id, extracted)
        facts = {"duration": extracted.last_s, "active": extracted.active_s}
        self._writer.update_session(session_id, facts)

    def _end(self, session: Session) -> None:
        """What was read while it was written is all of it, unless it was finished in another way."""
        recording = self._live[session.id]
        try:
            rest = recording.finish()
        except (SealcastError, OSError):
            rest = None
        skipped, size = recording.skipped, recording.size
        self._drop(session.id)
        if rest is None or size != session.size_bytes:
            self._building.index(session)
            return
        self._writer.add(session.id, rest)
        row = session_row(session, self._store.root, file_state(session.path))
        request = None if self._writer.has_commands(session.id) else request_row(session, rest.last_s)
        if request is not None:
            self._writer.add_request(session.id, request)
        done = Done(session.id, rest.last_s, rest.active_s, skipped, None, None)
        changes = {**row, **end_of(row, done, self._building.with_output)}
        del changes["id"]
        self._writer.end_session(session.id, changes)

    def _drop(self, session_id: str) -> None:
        self._live.pop(session_id).close()
        self._rows.pop(session_id)
        self._begun.pop(session_id)
