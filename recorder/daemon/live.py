"""The sessions that are being recorded now, by what lies in `live/` and what their workers say."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from recorder.capture.control import ask
from recorder.capture.guard import DISK, ENDED
from recorder.cast.header import Header, parse_header
from recorder.cast.reader import iter_lines
from recorder.errors import ExitCode, SealcastError
from recorder.log.durable import open_regular
from recorder.safe_text import safe
from recorder.store.catalog import start_of
from recorder.store.layout import Store, checked_id

Facts = dict[str, Any]


def control_directory(store: Store) -> Path:
    """Where workers listen; made where it is missing, and closed to everybody else."""
    path = store.root / "control"
    path.mkdir(0o700, exist_ok=True)
    return path


def control_path(store: Store, session: str) -> Path:
    return store.root / "control" / checked_id(session)


def remove_dead_controls(store: Store) -> None:
    """What workers that were killed have left behind."""
    for path in control_directory(store).iterdir():
        if not store.live_path(path.name).exists():
            path.unlink(missing_ok=True)


def working(store: Store) -> Iterator[Facts]:
    """What the workers that answer say of themselves: `pid`, `uid` and `pty`."""
    for session in store.live_ids():
        facts = ask(control_path(store, session), {"status": True})
        if facts is not None and all(isinstance(facts.get(name), int) for name in ("pid", "uid", "pty")):
            yield facts


def live_sessions(store: Store) -> Iterator[Facts]:
    """One after the other, the oldest first; `idle_s` is None where no worker says it."""
    for session in store.live_ids():
        if store.is_live(session):
            with suppress(SealcastError, OSError):
                yield _facts(store, session)


def _facts(store: Store, session: str) -> Facts:
    header = live_header(store, session)
    told = ask(control_path(store, session), {"status": True}) or {}
    about = header.session
    source = about.source if about is not None and about.source is not None else {}
    return {
        "id": session,
        "user": about.user if about else "",
        "uid": about.uid if about else None,
        "host": about.host if about else "",
        "origin": about.origin if about else "",
        "from": source.get("ip"),
        "since": start_of(session).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "idle_s": told.get("idle_s"),
        "command": about.command if about else None,
        "title": header.title,
        "interactive": about is not None and about.terminal != (0, 0),
    }


def live_header(store: Store, session: str) -> Header:
    """The first line of a live recording. `FileNotFoundError` once it is sealed."""
    with open(open_regular(store.live_path(session)), "rb") as file:
        return parse_header(next(iter_lines(file), b""), session)


def find_live(store: Store, name: str) -> str:
    """The session that a whole id, or a unique beginning or end of one, names. `SealcastError` for others."""
    fitting = [item for item in store.live_ids() if item.startswith(name) or item.endswith(name)]
    fitting = [item for item in fitting if store.is_live(item)] if name else []
    if len(fitting) == 1:
        return fitting[0]
    quoted = f'"{safe(name, 80)}"'
    message = f"{quoted} fits {len(fitting)} live sessions" if fitting else f"no live session {quoted}"
    raise SealcastError(message, "those that are live: sealcast sessions", ExitCode.TARGET)


def end_by_person(store: Store, session: str, user: str, uid: int, reason: str) -> None:
    """Have the session's worker end it. `SealcastError` where no worker answers."""
    wish = {"end": ENDED, "by": {"user": user, "uid": uid}, "reason": reason}
    if not (ask(control_path(store, session), wish) or {}).get("ending"):
        raise SealcastError(f"the recorder of {session} does not answer", code=ExitCode.TARGET)


def end_for_room(store: Store, session: str) -> bool:
    """Whether the session's worker was told that the disk is full."""
    return bool((ask(control_path(store, session), {"end": DISK}) or {}).get("ending"))
