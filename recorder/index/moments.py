"""Times and durations as people type them in a query."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION_PART = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([a-z]+)")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_STAMP = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?P<seconds>:\d{2}(?:\.\d{1,6})?)?(?:[Zz]|[+-]\d{2}:\d{2})?"
)
_LONGEST_S = 200 * 366 * 86400.0


class MomentError(ValueError):
    """The text is no time or duration; the message is a lower-case fact."""

    def __init__(self, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of wall-clock time, `start` inclusive and `end` exclusive; an instant has both equal."""

    start: datetime
    end: datetime


def parse_duration(text: str) -> float:
    """Seconds of `90s`, `1h30m`, `250ms`, `2d`, `7w`; larger units first or not, each with its unit."""
    total, position = 0.0, 0
    while position < len(text):
        part = _DURATION_PART.match(text, position)
        if part is None:
            raise MomentError(f'"{text}" is not a duration such as 90s or 1h30m')
        if part[2] not in _UNITS:
            raise MomentError(f'unknown unit "{part[2]}"', f"Use {', '.join(_UNITS)}")
        total += float(part[1]) * _UNITS[part[2]]
        position = part.end()
    if position == 0 or total > _LONGEST_S:
        raise MomentError(f'"{text}" is not a duration such as 90s or 1h30m')
    return total


def parse_moment(text: str, now: datetime, zone: tzinfo = UTC) -> Span:
    """RFC 3339, `2026-09-08`, `14:00` (today), `-2h`, `-7d`, `today`, `yesterday`, `monday` (the last one).

    Days and clock times are those of `zone` unless the text carries its own offset.
    """
    try:
        span = (
            _relative(text, now)
            or _named_day(text, now, zone)
            or _clock(text, now, zone)
            or _date(text, zone)
        )
        if span is not None:
            return Span(span.start.astimezone(UTC), span.end.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        if isinstance(error, MomentError):
            raise
        raise MomentError(f'"{text}" is not a date or time that exists') from error
    raise MomentError(f'"{text}" is not a time such as 2026-09-08, 14:00, -7d or yesterday')


def _relative(text: str, now: datetime) -> Span | None:
    if text == "now":
        return Span(now, now)
    if not text.startswith("-"):
        return None
    then = now - timedelta(seconds=parse_duration(text[1:]))
    return Span(then, then)


def _named_day(text: str, now: datetime, zone: tzinfo) -> Span | None:
    word = text.lower()
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if word in ("today", "yesterday"):
        return _whole_day(today - timedelta(days=word == "yesterday"))
    if word in _WEEKDAYS:
        return _whole_day(today - timedelta(days=(today.weekday() - _WEEKDAYS.index(word)) % 7))
    return None


def _whole_day(midnight: datetime) -> Span:
    return Span(midnight, midnight + timedelta(days=1))


def _clock(text: str, now: datetime, zone: tzinfo) -> Span | None:
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    start = now.astimezone(zone).replace(
        hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0), microsecond=0
    )
    return Span(start, start + (timedelta(seconds=1) if found[3] else timedelta(minutes=1)))


def _date(text: str, zone: tzinfo) -> Span | None:
    if _DAY.fullmatch(text):
        return _whole_day(datetime.fromisoformat(text).replace(tzinfo=zone))
    found = _STAMP.fullmatch(text)
    if found is None:
        return None
    start = datetime.fromisoformat(text.upper().replace(" ", "T"))
    if start.tzinfo is None:
        start = start.replace(tzinfo=zone)
    return Span(start, start + (timedelta(seconds=1) if found["seconds"] else timedelta(minutes=1)))
