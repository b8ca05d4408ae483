"""What people name on a command line: a session, a file, a moment, a span."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recorder.errors import ExitCode, SealcastError
from recorder.log.entries import SESSION_ID
from recorder.safe_text import safe
from recorder.store.catalog import Session, list_sessions, sessions_about
from recorder.store.layout import Store

LINK = "sealcast://"
_SHOWN = 5
_SHORT = 3
"""Characters of an id that many sessions have in theirs."""
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,9})?)", re.ASCII)
_UNITS = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?", re.ASCII)
_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,9})?)%", re.ASCII)
_DATED = re.compile(r"\d{4}-\d\d-\d\dT", re.ASCII)
_MARGIN_S = 1.0
"""Wall times are written without what is below a second."""
_ID_PART = re.compile(r"[0-9A-Za-z-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """A session of the store, or a file elsewhere (`session` is None then), and a place in it in seconds."""

    path: Path | None
    """None where the session's file is missing."""
    session: Session | None
    at: float | None = None
    until: float | None = None


def resolve(store: Store, text: str, sessions: Sequence[Session] | None = None) -> Target:
    """What `text` names: an id, its unique start or end, a link, a path, each with `@TIME` or `@TIME..TIME`;
    in a link `?t=TIME` is the same.

    `sessions` saves reading the list again.
    """
    whole = Path(text.removeprefix(LINK))
    if text and not text.startswith(LINK) and whole.is_file():
        return _outside_or_stored(store, whole, "", sessions)
    link = text.removeprefix(LINK)
    name, _, place = (link.replace("?t=", "@", 1) if link != text else link).partition("@")
    if _looks_like_path(name):
        return _outside_or_stored(store, Path(name), place, sessions)
    session = _find_in_log(store, name) if sessions is None else find_session(sessions, name)
    at, until = parse_place(place, session.duration_s, session.start)
    return Target(session.path, session, at, until)


def _find_in_log(store: Store, name: str) -> Session:
    """Recordings that the log does not know are looked for where it knows none of that name."""
    if _ID_PART.fullmatch(name) and len(name) >= _SHORT:
        found = sessions_about(store, _as_in_ids(name))
        if any(_fits(session.id, _as_in_ids(name)) for session in found):
            return find_session(found, name)
    return find_session(list_sessions(store), name)


def _as_in_ids(name: str) -> str:
    return name.lower().replace("t", "T", 1) if name[:8].isdigit() else name.lower()


def find_session(sessions: Sequence[Session], name: str) -> Session:
    """The one session whose id is `name`, starts or ends with it, or has a last part that starts with it."""
    wanted = _as_in_ids(name)
    found = [item for item in sessions if item.id == wanted]
    found = found or [item for item in sessions if _ID_PART.fullmatch(name) and _fits(item.id, wanted)]
    if not found:
        raise _not_found(name, len(sessions))
    if len(found) > 1:
        raise _ambiguous(name, found)
    return found[0]


def parse_place(
    text: str, duration_s: float | None = None, began: datetime | None = None
) -> tuple[float | None, float | None]:
    """`12m34s` is a moment, `12m..13m` a span; an empty string is neither."""
    start, separator, end = text.partition("..")
    at = parse_time(start, duration_s, began) if start else None
    until = parse_time(end, duration_s, began) if end else None
    if separator and at is None:
        at = 0.0
    if at is not None and until is not None and until < at:
        raise _bad_time(text, "the span ends before it starts")
    return at, until


def parse_time(text: str, duration_s: float | None = None, began: datetime | None = None) -> float:
    """Seconds of recording time: `754.2`, `12m34s`, `1h05m`, `12:34`, `1:05:00`, of a length of `duration_s`
    `45%` and `end`, and of a recording that `began` then `2026-09-12T14:08:31Z`.
    """
    if match := _PERCENT.fullmatch(text):
        return _share(text, float(match[1]), duration_s)
    if text == "end":
        return _share(text, 100.0, duration_s)
    if _SECONDS.fullmatch(text):
        return float(text)
    if match := _CLOCK.fullmatch(text):
        return int(match[1] or 0) * 3600 + int(match[2]) * 60 + float(match[3])
    if _DATED.match(text):
        return _wall_time(text, duration_s, began)
    match = _UNITS.fullmatch(text)
    if match is None or not text:
        raise _bad_time(text, "write it like 12m34s, 12:34, 754.2 or 45%")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds


def _wall_time(text: str, duration_s: float | None, began: datetime | None) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _bad_time(text, "write a wall time like 2026-09-12T14:08:31Z") from None
    if moment.tzinfo is None:
        raise _bad_time(text, "put its zone behind it: Z or +02:00")
    if began is None:
        raise _bad_time(text, "when this recording began is not known; write it like 12m34s")
    offset = (moment - began).total_seconds()
    if offset < -_MARGIN_S or (duration_s is not None and offset > duration_s + _MARGIN_S):
        length = "" if duration_s is None else f" and took {duration_s:.0f} s"
        raise _bad_time(text, f"the recording began {began.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}{length}")
    return max(0.0, offset)


def _share(text: str, percent: float, duration_s: float | None) -> float:
    if percent > 100:
        raise _bad_time(text, "a recording ends at 100%")
    if duration_s is None:
        raise _bad_time(text, "the length of this recording is not known; write it like 12m34s")
    return duration_s * percent / 100


def _looks_like_path(name: str) -> bool:
    return "/" in name or name.endswith((".cast", ".zst")) or (bool(name) and Path(name).is_file())


def _outside_or_stored(store: Store, path: Path, place: str, sessions: Sequence[Session] | None) -> Target:
    """A path that leads into the store is the session there."""
    session_id = path.name.partition(".")[0]
    if SESSION_ID.fullmatch(session_id) and _is_within(path, store.root):
        if sessions is None:
            sessions = sessions_about(store, session_id) or list_sessions(store)
        for session in sessions:
            if session.id == session_id and session.path is not None and session.path.samefile(path):
                return Target(session.path, session, *parse_place(place, session.duration_s, session.start))
    if not path.exists():
        raise SealcastError(
            f"no file {safe(str(path))}", "see the sessions here: sealcast ls", ExitCode.TARGET
        )
    return Target(path, None, *parse_place(place))


def _is_within(path: Path, root: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(root.resolve())
    except OSError:
        return False


def _fits(session_id: str, wanted: str) -> bool:
    return session_id.startswith(wanted) or session_id.endswith(wanted) or f"-{wanted}" in session_id


def _not_found(name: str, count: int) -> SealcastError:
    message = f'no session "{safe(name, 80)}" here ({count:,} {"session" if count == 1 else "sessions"})'
    return SealcastError(message, "deleted or elsewhere? see them all: sealcast ls", ExitCode.TARGET)


def _ambiguous(name: str, found: Sequence[Session]) -> SealcastError:
    newest = sorted(found, key=lambda session: session.start, reverse=True)[:_SHOWN]
    rows = (
        f"  {item.id}  {item.start:%Y-%m-%d %H:%M}  {safe(item.user, 40)}@{safe(item.host, 80)}"
        for item in newest
    )
    message = "\n".join([f'"{safe(name, 80)}" fits {len(found):,} sessions. The newest are:', *rows])
    return SealcastError(
        message, f"use more characters, or: sealcast ls id:{safe(name, 80)}", ExitCode.TARGET
    )


def _bad_time(text: str, hint: str) -> SealcastError:
    return SealcastError(f'"{safe(text, 80)}" is not a time in a recording', hint, ExitCode.USAGE)
