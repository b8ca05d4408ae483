"""The sessions of a store, and what the index keeps of each besides its commands."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from recorder.errors import SealcastError
from recorder.log.entries import IMPORTED, OPENED
from recorder.log.history import History, SessionHistory
from recorder.log.journal import Log
from recorder.log.tiles import edges, root_of_edges
from recorder.store.catalog import Files, Session, sessions_of
from recorder.store.layout import Store
from recorder.store.state import State

_OPENED, _IMPORTED = (f'"action":"{action}"'.encode() for action in (OPENED, IMPORTED))
_SESSION = re.compile(rb'"session":"([^"]+)"')
_STRETCH = 4096
"""Entries of the log that are looked at together: memory must not grow with the log."""


class FileState(NamedTuple):
    """What tells that a recording has changed."""

    size: int
    mtime: float


@dataclass(slots=True)
class SessionLog:
    """Reads the sessions of a store off its log, a stretch at a time; goes on where it stopped."""

    store: Store
    size: int = 0
    """Entries read so far, or passed over to begin with."""
    begun: Callable[[str], Session | None] | None = None
    """How a session began whose opening entry was passed over. Without, the session is what its end says."""
    root: bytes | None = None
    """Of the log's tree when it was last read to its end."""
    unknown: int = 0
    """Sessions left out because `begun` does not know them."""
    _open: dict[str, SessionHistory] = field(default_factory=dict)
    """Sessions whose end has not come yet."""
    _first: int = field(init=False)

    def __post_init__(self) -> None:
        self._first = self.size

    def read(self, files: Files | None = None) -> Iterator[Session]:
        """The sessions that ended since the last call, in the order of the log, then those that did not end.

        `files` is a look at the store from before the call; without, each session is looked for by itself.
        """
        checkpoint = self.store.log.checkpoint()
        for start in range(self.size, checkpoint.size, _STRETCH):
            end = min(start + _STRETCH, checkpoint.size)
            history = History(checkpoint, dict(self._open))
            for place, entry in enumerate(self.store.log.entries(start, end), start):
                history.add(place, entry)
            self.size = end
            whole = [one for one in history.sessions.values() if self._is_whole(one)]
            self._open = {one.session: one for one in whole if one.ended_entry is None}
            yield from self._sessions(History(checkpoint, _ended(whole)), files)
        self.root = checkpoint.root
        yield from self._sessions(History(checkpoint, dict(self._open)), files)

    def is_continued(self) -> bool:
        """Whether the log still begins with what was read of it."""
        return continues(self.store.log, self.size, self.root)

    def _is_whole(self, one: SessionHistory) -> bool:
        """What was opened before the place where reading began has only its end here."""
        return one.opened_entry is not None or self._first > 0

    def _sessions(self, history: History, files: Files | None) -> Iterator[Session]:
        ids = history.sessions
        looked_at = Files.of_sessions(self.store, ids) if files is None else _of(files, ids)
        for session in reversed(sessions_of(self.store, history, looked_at)):
            if self.begun is None or history.sessions[session.id].opened_entry is not None:
                yield session
            else:
                yield from self._with_beginning(session, self.begun(session.id))

    def _with_beginning(self, session: Session, begun: Session | None) -> Iterator[Session]:
        if begun is None:
            self.unknown += 1
        elif begun.in_log:
            yield replace(
                begun,
                end=session.end,
                duration_s=session.duration_s,
                live=session.live,
                exit_status=session.exit_status,
                path=session.path,
                size_bytes=session.size_bytes,
                interrupted=session.interrupted,
                state_hint=session.state_hint,
            )

    def strangers(self, known: Iterable[str], files: Files) -> list[Session]:
        """Recordings in the store that the log does not know; `known` are those it does."""
        sealed = dict(files.sealed)
        for session_id in known:
            sealed.pop(session_id, None)
        history = History(self.store.log.checkpoint())
        return sessions_of(self.store, history, Files(sealed, {}))


def _ended(histories: Iterable[SessionHistory]) -> dict[str, SessionHistory]:
    return {one.session: one for one in histories if one.ended_entry is not None}


def _of(files: Files, ids: Iterable[str]) -> Files:
    """What lies there of these sessions."""
    wanted = list(ids)
    sealed = {one: files.sealed[one] for one in wanted if one in files.sealed}
    return Files(sealed, {one: files.live[one] for one in wanted if one in files.live})


def sessions_in_log(store: Store, ids: Collection[str]) -> list[Session]:
    """These sessions by all that the log says of them. Of entries about others it reads but that."""
    checkpoint, wanted = store.log.checkpoint(), {session_id.encode() for session_id in ids}
    history = History(checkpoint)
    for place, entry in enumerate(store.log.entries(0, checkpoint.size)):
        if not wanted.isdisjoint(_SESSION.findall(entry)):
            history.add(place, entry)
    return sessions_of(store, history, Files.of_sessions(store, history.sessions))


def ids_in_log(store: Store) -> Iterator[str]:
    """The sessions that began according to the log, and imports. Nothing else of its entries is read."""
    for entry in store.log.entries(0, store.log.checkpoint().size):
        if _OPENED in entry or _IMPORTED in entry:
            yield from (found.decode("utf-8", "replace") for found in _SESSION.findall(entry))


def continues(log: Log, size: int, root: bytes | None) -> bool:
    """Whether the log begins with the `size` entries whose tree had this root.

    Told by the hashes in its tiles: whether they are those of the entries, `audit` tells. None is a root that
    nobody noted: then it is enough that the log is not shorter.
    """
    try:
        if size > log.checkpoint().size:
            return False
        return root is None or root_of_edges([log.tile(*edge) for edge in reversed(edges(size))]) == root
    except (SealcastError, OSError):  # a damaged log is told by whoever reads its entries
        return False


def look_again(store: Store, session: Session) -> Session | None:
    """A session of which the log says nothing new, as its files are now; None where nothing is left of it."""
    live = session.end is None and session.in_log and store.is_live(session.id)
    places = [store.sealed_path(session.id), store.live_path(session.id)]
    if session.end is None:
        places.reverse()
    if session.path is not None:
        places.append(session.path)
    found = next((path for path in places if path.exists()), None)
    if found is None and not session.in_log:
        return None
    now = replace(session, live=live, path=found)
    return replace(now, state_hint=_hint(now))


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


def state_of(session: Session) -> str:
    """How the recording stands, as far as the log knows it."""
    if session.live:
        return "live"
    if session.path is None:
        return "missing"
    if not session.in_log:
        return "unlogged"
    if session.origin == "imported":
        return "imported"
    if session.interrupted:
        return "interrupted"
    return "closed" if session.end is not None else "open"


def file_state(path: Path | str | None) -> FileState | None:
    """None where there is no file."""
    if path is None:
        return None
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return FileState(found.st_size, found.st_mtime)


def session_row(session: Session, root: Path, found: FileState | None) -> dict[str, Any]:
    """The columns of `sessions` that are known without the recording."""
    return {
        "id": session.id,
        "number": session.number or None,
        "user": clean(session.user),
        "uid": session.uid,
        "host": clean(session.host),
        "origin": clean(session.origin),
        "source_ip": clean(session.source),
        "title": clean(session.title),
        "reason": clean(session.reason),
        "command": clean(session.command),
        "started": session.start.timestamp(),
        "ended": None if session.end is None else session.end.timestamp(),
        "duration": session.duration_s,
        "active": None,
        "columns": session.width,
        "rows": session.height,
        "state": state_of(session),
        "exit_status": session.exit_status,
        "live": int(session.live),
        "file": relative(session.path, root),
        "file_size": None if found is None else found.size,
        "file_mtime": None if found is None else found.mtime,
        "text_size": session.size_bytes,
    }


def relative(path: Path | None, root: Path) -> str | None:
    """A path of the store as the index has it."""
    if path is None:
        return None
    text, start = str(path), f"{root}/"
    return text.removeprefix(start) if text.startswith(start) else os.path.relpath(path, root)


def clean(text: str | None) -> str | None:
    """Text that SQLite takes: without lone surrogates."""
    return text.encode("utf-8", "replace").decode() if text is not None else text
