"""The sessions of a store, and what the index keeps of each besides its commands."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from recorder.log.history import History, SessionHistory
from recorder.store.catalog import Files, Session, sessions_of
from recorder.store.layout import Store

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
        yield from self._sessions(History(checkpoint, dict(self._open)), files)

    def _is_whole(self, one: SessionHistory) -> bool:
        """What was opened before the place where reading began has only its end here."""
        return one.opened_entry is not None or self._first > 0

    def _sessions(self, history: History, files: Files | None) -> Iterable[Session]:
        looked_at = _look(self.store, history.sessions) if files is None else _of(files, history.sessions)
        return reversed(sessions_of(self.store, history, looked_at))

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


def _look(store: Store, ids: Iterable[str]) -> Files:
    sealed, live = {}, {}
    for session_id in ids:
        path = store.sealed_path(session_id)
        if path.is_file():
            sealed[session_id] = path
        if store.is_live(session_id):
            live[session_id] = True
    return Files(sealed, live)


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
        "file": _relative(session.path, root),
        "file_size": None if found is None else found.size,
        "file_mtime": None if found is None else found.mtime,
        "text_size": session.size_bytes,
    }


def _relative(path: Path | None, root: Path) -> str | None:
    if path is None:
        return None
    text, start = str(path), f"{root}/"
    return text.removeprefix(start) if text.startswith(start) else os.path.relpath(path, root)


def clean(text: str | None) -> str | None:
    """Text that SQLite takes: without lone surrogates."""
    return text.encode("utf-8", "replace").decode() if text is not None else text
