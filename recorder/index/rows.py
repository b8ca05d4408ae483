"""Sessions from their rows in the index, as the catalog has them."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sys import intern
from typing import Any

from recorder.index.database import IndexDamagedError
from recorder.log.entries import SESSION_ID
from recorder.store.catalog import Session
from recorder.store.state import State

COLUMNS = """id, number, host, user, uid, started, ended, duration, live, title, reason, origin, source_ip,
    exit_status, columns, rows, command, file, text_size, state"""
"""Of the table `sessions`: what a row for `session_of` consists of."""
_BY_ID = f"SELECT {COLUMNS} FROM sessions WHERE id = ?"  # noqa: S608  names of our own
_EPOCH = datetime.fromtimestamp(0, UTC)
_HINTS = {
    "live": State.LIVE,
    "missing": State.MISSING,
    "unlogged": State.BAD,
    "imported": State.UNSIGNED,
    "interrupted": State.TRUNCATED,
    "open": State.TRUNCATED,
}


def indexed_session(connection: sqlite3.Connection, session_id: str, root: Path) -> Session | None:
    """The session with this id; None where the index has none. Files are named below `root`."""
    row = connection.execute(_BY_ID, (session_id,)).fetchone()
    return None if row is None else session_of(row, root)


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
