"""The list of sessions: what the log says of each, and what lies in the store. Recordings are not read."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from recorder.cast.header import parse_header
from recorder.cast.reader import iter_lines
from recorder.errors import SealcastError
from recorder.log.entries import SESSION_ID, Document, value_at
from recorder.log.history import History, SessionHistory, read_history
from recorder.store.layout import SEALED_SUFFIX, Store
from recorder.store.reading import open_stored
from recorder.store.state import State

_MAX_INTEGER = 2**63
_MAX_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Session:
    """One session. `None` is what is not known. Text is as it was recorded: show it through `safe`."""

    id: str
    number: int
    """0 where the log does not know the session."""
    host: str
    user: str
    uid: int | None
    start: datetime
    end: datetime | None
    duration_s: float | None
    live: bool
    title: str | None
    reason: str | None
    origin: str
    """`local`, `sshd` or `imported`; empty where it is not known."""
    source: str | None
    """The client's address."""
    exit_status: int | None
    width: int
    height: int
    command: str | None
    path: Path | None
    """The recording; None where there is no file."""
    size_bytes: int | None
    """Of the recording as text."""
    in_log: bool
    interrupted: bool
    state_hint: State | None
    """What can be told without reading the recording; None: it has to be checked."""


def list_sessions(store: Store) -> list[Session]:
    """All sessions, the newest first; none without a store. `SealcastError` where the log is damaged."""
    if not store.exists():
        return []
    files = Files.of(store)
    return sessions_of(store, read_history(store.log), files)


def sessions_about(store: Store, part: str) -> list[Session]:
    """Those that the log knows and whose id has this part, the newest first: in a tenth of the time."""
    if not store.exists():
        return []
    history = read_history(store.log, part.encode())
    for other in [session_id for session_id in history.sessions if part not in session_id]:
        del history.sessions[other]
    return sessions_of(store, history, Files.of_sessions(store, history.sessions))


def sessions_of(store: Store, history: History, files: "Files") -> list[Session]:
    """The sessions of a history, and those only the store knows; the newest first.

    The files must have been looked at before the log was read: then each has its entry, if it ever had.
    """
    known = [_session(store, item, files) for item in history.sessions.values()]
    strange = [_unlogged(name, path) for name, path in files.unknown(history)]
    return sorted(known + strange, key=lambda session: (session.start, session.number), reverse=True)


@dataclass(frozen=True, slots=True)
class Files:
    """What lies in the store, by session id."""

    sealed: dict[str, Path]
    live: dict[str, bool]
    """Whether someone is writing the file in `live/`."""

    @classmethod
    def of(cls, store: Store) -> "Files":
        """A look at the directories."""
        live = {name: store.is_live(name) for name in store.live_ids()}
        return cls(dict(sealed_files(store.sealed_directory)), live)

    @classmethod
    def of_sessions(cls, store: Store, ids: Iterable[str]) -> "Files":
        """The same for some sessions, each looked for by itself."""
        sealed, live = {}, {}
        for session_id in ids:
            path = store.sealed_path(session_id)
            if path.is_file():
                sealed[session_id] = path
            if store.is_live(session_id):
                live[session_id] = True
        return cls(sealed, live)

    def unknown(self, history: History) -> Iterator[tuple[str, Path]]:
        """Sealed recordings that the history does not know."""
        return ((name, path) for name, path in self.sealed.items() if name not in history.sessions)


def sealed_files(directory: Path, depth: int = 3) -> Iterator[tuple[str, Path]]:
    """Recordings below year, month and day, or so many levels of them; links are passed over."""
    try:
        found = list(os.scandir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return
    for item in found:
        if depth and item.is_dir(follow_symlinks=False):
            yield from sealed_files(Path(item.path), depth - 1)
        elif not depth and item.name.endswith(SEALED_SUFFIX) and item.is_file(follow_symlinks=False):
            session_id = item.name.removesuffix(SEALED_SUFFIX)
            if SESSION_ID.fullmatch(session_id):
                yield session_id, Path(item.path)


def _session(store: Store, item: SessionHistory, files: Files) -> Session:
    opened, ended = item.opened, item.ended
    terminal = value_at(opened, ("sealcast", "terminal"))
    columns, rows = terminal if isinstance(terminal, list) and len(terminal) == 2 else (0, 0)
    live = ended is None and _is_live(store, item, files)
    path = _path(store, item, files)
    duration = _integer(value_at(ended, ("event", "duration")))
    host, user, uid = _who(store, item, opened)
    return Session(
        id=item.session,
        number=item.number,
        host=host,
        user=user,
        uid=uid,
        start=_time(value_at(opened, ("event", "start"))) or start_of(item.session),
        end=_time(value_at(ended, ("event", "end"))),
        duration_s=None if duration is None else duration / 1e9,
        live=live,
        title=_text(value_at(opened, ("sealcast", "title"))),
        reason=_text(value_at(opened, ("sealcast", "reason"))),
        origin="imported" if item.imported else _text(value_at(opened, ("sealcast", "origin"))) or "",
        source=_text(value_at(opened, ("source", "ip"))),
        exit_status=_integer(value_at(ended, ("process", "exit_code"))),
        width=_integer(columns) or 0,
        height=_integer(rows) or 0,
        command=_text(value_at(opened, ("process", "command_line"))),
        path=path,
        size_bytes=_integer(value_at(ended, ("file", "size"))),
        in_log=True,
        interrupted=item.interrupted,
        state_hint=_hint(item, live, path),
    )


def _who(store: Store, item: SessionHistory, opened: Document | None) -> tuple[str, str, int | None]:
    """Host, user and uid; in an import's entry these are of who imported it, and the recorded ones apart."""
    if item.imported:
        recorded = value_at(opened, ("sealcast", "recorded"))
        return _text(value_at(recorded, ("host",))) or "", _text(value_at(recorded, ("user",))) or "", None
    host = _text(value_at(opened, ("host", "name"))) or store.host
    return host, _text(value_at(opened, ("user", "name"))) or "", _decimal(value_at(opened, ("user", "id")))


def _is_live(store: Store, item: SessionHistory, files: Files) -> bool:
    """A session that opened after the files were looked at is looked for again."""
    if item.session in files.live or item.session in files.sealed:
        return files.live.get(item.session, False)
    return store.is_live(item.session)


def _hint(item: SessionHistory, live: bool, path: Path | None) -> State | None:
    if live:
        return State.LIVE
    if path is None:
        return State.TRUNCATED if item.ending("sealcast", "lines") == 0 else State.MISSING
    if item.imported:
        return State.UNSIGNED
    return State.TRUNCATED if item.interrupted or item.ended_entry is None else None


def _path(store: Store, item: SessionHistory, files: Files) -> Path | None:
    """The live file until the log has the end, also where sealing has put a copy in its place already."""
    if item.ended_entry is not None and item.session in files.sealed:
        return files.sealed[item.session]
    candidates = (store.live_path(item.session), store.sealed_path(item.session))
    return next((path for path in candidates if path.exists()), None)


def _unlogged(session_id: str, path: Path) -> Session:
    """A recording that the log does not know: what its header says, if it can be read."""
    bare = Session(
        id=session_id,
        number=0,
        host="",
        user="",
        uid=None,
        start=start_of(session_id),
        end=None,
        duration_s=None,
        live=False,
        title=None,
        reason=None,
        origin="",
        source=None,
        exit_status=None,
        width=0,
        height=0,
        command=None,
        path=path,
        size_bytes=None,
        in_log=False,
        interrupted=False,
        state_hint=State.BAD,
    )
    try:
        return _with_header(bare, path)
    except (SealcastError, OSError):
        return bare


def _with_header(bare: Session, path: Path) -> Session:
    with open_stored(path) as file:
        header = parse_header(next(iter_lines(file), b""), path.name)
    session = header.session
    if session is None:
        return replace(bare, width=header.width, height=header.height, title=header.title)
    return replace(
        bare,
        host=session.host,
        user=session.user,
        uid=session.uid,
        title=header.title,
        reason=session.reason,
        origin=session.origin,
        width=session.terminal[0],
        height=session.terminal[1],
        command=session.command,
    )


def start_of(session_id: str) -> datetime:
    """The second that a session id names; the epoch where it names none."""
    try:
        return datetime.strptime(session_id[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: object) -> int | None:
    return value if type(value) is int and abs(value) < _MAX_INTEGER else None


def _decimal(value: object) -> int | None:
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < _MAX_DIGITS else None
