"""How times and lengths are written, and how a typed moment is read. Seconds are recording time."""

import re
from datetime import datetime, timedelta, tzinfo

from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe
from recorder.store.targets import parse_time

_WALL_FORM = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):(\d\d)(?:z|utc)?", re.ASCII)
_DAY = timedelta(days=1)
_LONGEST_INPUT = 100


def offset_label(seconds: float, tenths: bool = False) -> str:
    """`12:34`, with hours `1:05:00`, with tenths `12:34.5`; cut, not rounded, so it never runs ahead."""
    deci = int(max(0.0, seconds) * 10 + 1e-6)
    minutes, rest = divmod(deci, 600)
    hours, minutes = divmod(minutes, 60)
    label = f"{hours}:{minutes:02}:{rest // 10:02}" if hours else f"{minutes:02}:{rest // 10:02}"
    return f"{label}.{rest % 10}" if tenths else label


def length_label(seconds: float) -> str:
    """`0.4s`, `35s`, `17m41s`, `1h02m`."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def moment(seconds: float) -> str:
    """The time part of a link: `15m05s`, `1h02m03s`, `4.2s`; read back by `parse_moment`."""
    deci = round(max(0.0, seconds) * 10)
    whole, tenth = divmod(deci, 10)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    fraction = f".{tenth}" if tenth else ""
    if hours:
        return f"{hours}h{minutes:02}m{rest:02}{fraction}s"
    return f"{minutes}m{rest:02}{fraction}s" if minutes else f"{rest}{fraction}s"


def wall_label(when: datetime, zone: tzinfo) -> str:
    """`14:17:16 UTC`."""
    local = when.astimezone(zone)
    return f"{local:%H:%M:%S} {safe(local.tzname() or 'local', 12)}"


def parse_moment(
    text: str, *, position: float, duration: float, start: datetime | None, zone: tzinfo
) -> float:
    """The recording time a person means, within 0..duration.

    `12:34`, `1:05:00`, `12m34s`, `754.2`, `45%`, `+30s`, `-2m`, `end`, and a wall time `14:15:02` where that
    is not a time within the length. A `Z` behind a time always makes it a wall time. Raises SealcastError.
    """
    wanted = text.strip().lower()[:_LONGEST_INPUT]
    if "@" in wanted:
        wanted = wanted.rsplit("@", 1)[1]
    if wanted in ("start", "end"):
        return 0.0 if wanted == "start" else duration
    if wanted[:1] in ("+", "-"):
        change = _plain(wanted[1:], duration)
        if change is not None:
            return _within(position + (change if wanted[0] == "+" else -change), duration)
    elif (offset := _plain(wanted, duration)) is not None and offset <= duration + 0.05:
        return _within(offset, duration)
    elif (wall := _wall(wanted, duration, start, zone)) is not None:
        return wall
    elif offset is not None:
        raise _refused(f"{safe(text, 40)} is after the end, {offset_label(duration)}")
    raise _refused(f'no time "{safe(text, 40)}"')


def _refused(fact: str) -> SealcastError:
    return SealcastError(f"{fact}: try 12:34, 12m34s, 45%, +30s", code=ExitCode.USAGE)


def _within(seconds: float, duration: float) -> float:
    return min(max(0.0, seconds), duration)


def _plain(text: str, duration: float) -> float | None:
    try:
        return parse_time(text, duration)
    except SealcastError:
        return None


def _wall(text: str, duration: float, start: datetime | None, zone: tzinfo) -> float | None:
    match = _WALL_FORM.fullmatch(text)
    if match is None or start is None:
        return None
    hours, minutes, rest = (match[1], match[2], match[3]) if match[1] else (match[2], match[3], "0")
    seconds = int(hours) * 3600 + int(minutes) * 60 + float(rest)
    if seconds >= _DAY.total_seconds():
        return None
    begin = start.astimezone(zone)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    offset = (midnight + timedelta(seconds=seconds) - begin).total_seconds()
    while offset < -1:
        offset += _DAY.total_seconds()
    return _within(offset, duration) if offset <= duration + 1 else None
