"""What of a store its index does not hold as it is: `status` counts it, a build does it."""

import time
from collections.abc import Collection, Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from recorder.index.database import damage_told, open_index
from recorder.index.extraction import EXTRACTOR
from recorder.index.listing import Listing, current_listing
from recorder.index.sessions import FileState, SessionLog, file_state, look_again, relative, state_of
from recorder.store.catalog import Files, Session
from recorder.store.layout import Store


class Kind(StrEnum):
    """What has happened to a session, as the index sees it."""

    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"
    LIVE = "live"
    """It is being recorded: whatever the index holds of it, there may be more."""


class Known(NamedTuple):
    """What the index holds of a session; see docs/index.md."""

    state: str
    file: str | None
    file_size: int | None
    file_mtime: float | None
    ended: float | None
    has_output: int
    extractor: int


class Change(NamedTuple):
    """A session that the index does not hold as it is."""

    kind: Kind
    id: str
    session: Session | None
    """None where it is gone."""
    found: FileState | None = None
    """The recording now."""
    known: Known | None = None

    @property
    def is_told_by_log(self) -> bool:
        """The log says something of it that the index lacks."""
        return self.session is not None and (self.known is None or self.known.ended != _ended(self.session))


_KNOWN = f"SELECT id, {', '.join(Known._fields)} FROM sessions"  # noqa: S608  names of our own
_KNOWN_ONE = f"SELECT {', '.join(Known._fields)} FROM sessions WHERE id = ?"  # noqa: S608  names of our own


class Comparison:
    """An index and its store, compared once.

    Entries of the log that were taken in cannot change: of their sessions just the files are looked at, of
    each one, and what is new in the log is read. All of the log is read where the index has not all of its
    sessions, or is of another log.
    """

    def __init__(self, store: Store, path: Path, *, with_output: bool) -> None:
        """`path` is the index; with `with_output` a session without its output counts as changed."""
        self._store = store
        self._path = path
        self._with_output = with_output
        self.log = SessionLog(store)
        """After `changes`: read to its end."""
        self.looked_at = time.time()
        """Before any file was looked at."""
        self.total = 0
        """Sessions in the store; known when `changes` has come to its end."""
        self.done = 0
        self.expected = 0
        """How far `changes` is, and of how many, as far as that is known."""

    def changes(self) -> Iterator[Change]:
        """Everything that is not as the index says. The index may be written by whoever goes through this."""
        with current_listing(self._store, self._path) as listing:
            if listing is None:
                yield from self._in_log()
            else:
                yield from self._since(listing, self._differing(listing))

    # ── what has happened since ───────────────────────────────────────────────

    def _differing(self, listing: Listing) -> list[str]:
        """Sessions without news whose rows are not those of their files; what was missing becomes news."""
        found: list[str] = []
        missing: list[str] = []
        with damage_told():
            for session_id, *values in listing.connection.execute(_KNOWN):
                known = Known._make(values)
                if session_id not in listing.changed and not self._seems_same(session_id, known):
                    (missing if known.file is None else found).append(session_id)
            for session_id in missing:
                listing.news.look_again(session_id)
            listing.news.ask_log()
        return found

    def _seems_same(self, session_id: str, known: Known) -> bool:
        """Told without the session, which costs more to make than its file to look at."""
        if known.extractor != EXTRACTOR:
            return False
        if known.file is None:
            places = self._store.sealed_path(session_id), self._store.live_path(session_id)
            return not any(path.exists() for path in places)
        has_all = known.has_output or not self._with_output
        now = file_state(f"{self._store.root}/{known.file}")
        return bool(has_all) and now == (known.file_size, known.file_mtime)

    def _since(self, listing: Listing, differing: list[str]) -> Iterator[Change]:
        self.log = listing.news.log
        self.total = listing.counts().sessions
        self.expected = len(listing.changed) + len(differing)
        listing.connection.rollback()  # who reads at one moment keeps the writer's log from being put away
        for session_id, session in listing.changed.items():
            yield from self._compared(session_id, session, _known(listing, session_id))
        for session_id in differing:
            with damage_told():
                session = listing.indexed(session_id)
            now = None if session is None else look_again(self._store, session)
            yield from self._compared(session_id, now, _known(listing, session_id))

    # ── from the whole log ────────────────────────────────────────────────────

    def _in_log(self) -> Iterator[Change]:
        files = Files.of(self._store)
        self.expected = len(files.sealed) + len(files.live)
        known = self._all_known()
        seen: set[str] = set()
        for session in self._sessions(files, seen):
            seen.add(session.id)
            yield from self._compared(session.id, session, known.get(session.id))
        self.total = len(seen)
        for session_id in known.keys() - seen:
            yield from self._compared(session_id, None, known[session_id])

    def _all_known(self) -> dict[str, Known]:
        with damage_told(), closing(open_index(self._path)) as connection:
            return {row[0]: Known._make(row[1:]) for row in connection.execute(_KNOWN)}

    def _sessions(self, files: Files, seen: Collection[str]) -> Iterator[Session]:
        for session in self.log.read(files):
            if session.id not in seen:
                yield session
        yield from self.log.strangers(seen, files)

    # ── one session ───────────────────────────────────────────────────────────

    def _compared(self, session_id: str, session: Session | None, known: Known | None) -> Iterator[Change]:
        self.done += 1
        if session is None:
            if known is not None:
                yield Change(Kind.GONE, session_id, None, None, known)
            return
        found = file_state(session.path)
        if session.live:
            yield Change(Kind.LIVE, session_id, session, found, known)
        elif known is None:
            yield Change(Kind.NEW, session_id, session, found, known)
        elif known != self._wanted(session, found, known):
            yield Change(Kind.CHANGED, session_id, session, found, known)

    def _wanted(self, session: Session, found: FileState | None, known: Known) -> Known:
        """What the index would hold of the session if it were read now."""
        size, mtime = found if found is not None else (None, None)
        has_output = known.has_output if found is None or not self._with_output else 1
        file = relative(session.path, self._store.root)
        return Known(state_of(session), file, size, mtime, _ended(session), has_output, EXTRACTOR)


def _known(listing: Listing, session_id: str) -> Known | None:
    with damage_told():
        row = listing.connection.execute(_KNOWN_ONE, (session_id,)).fetchone()
    return None if row is None else Known._make(row)


def _ended(session: Session) -> float | None:
    return None if session.end is None else session.end.timestamp()
