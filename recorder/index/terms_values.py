"""The values of terms: words, globs, patterns, numbers, times, read into predicates."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from recorder.index.moments import MomentError, Span, parse_duration, parse_moment
from recorder.index.predicates import (
    COMPARISONS,
    Between,
    Compares,
    Contains,
    Matches,
    Missing,
    Never,
    Predicate,
    Same,
    minds_case,
    one_of,
)
from recorder.index.query_tokens import Value
from recorder.index.regex import PatternError, Regex
from recorder.index.regex import minds_case as pattern_minds_case

INFINITY = float("inf")
_NEGATIONS = ("!=", "!")


class BadValueError(ValueError):
    """A value that cannot be read; the message is a lower-case fact."""

    def __init__(self, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class Clock:
    """What relative times refer to."""

    now: datetime
    zone: tzinfo = UTC


def contains(value: Value) -> Predicate:
    """The text, glob or pattern stands somewhere."""
    return _text(value, whole=False)


def equals(value: Value) -> Predicate:
    """The text or glob is all of it; a pattern may stand anywhere."""
    return _text(value, whole=True)


def _text(value: Value, *, whole: bool) -> Predicate:
    if value.pattern is not None:
        return Matches(pattern_of(value.pattern))
    if value.is_glob:
        return Matches(_glob(value, whole=whole), simple=True)
    exact = minds_case(value.text)
    return Same(value.text, exact) if whole else Contains(value.text, exact)


def pattern_of(pattern: str) -> Regex:
    """A pattern as it was typed, with smart case. Raises `BadValueError`."""
    try:
        return Regex(pattern, exact=pattern_minds_case(pattern))
    except PatternError as error:
        raise BadValueError(str(error)) from error


def _glob(value: Value, *, whole: bool) -> Regex:
    """`*` is any text and `?` any character, across lines."""
    parts = (re.escape(piece.text) if piece.quoted else _wildcards(piece.text) for piece in value.pieces)
    inner = "".join(parts)
    try:
        return Regex(rf"(?s)\A{inner}\z" if whole else f"(?s){inner}", exact=minds_case(value.text))
    except PatternError as error:
        raise BadValueError(str(error)) from error


def _wildcards(text: str) -> str:
    collapsed = re.sub(r"\*+", "*", text)
    return re.escape(collapsed).replace(r"\*", ".*").replace(r"\?", ".")


def texts(value: Value, read: Callable[[Value], Predicate]) -> Predicate:
    """Any of the values between commas. A leading `-` has to be quoted: it looks like a negation."""
    if value.starts_with("-"):
        raise BadValueError('a value that starts with "-" needs quotes', f'Write "{value.source}"')
    return one_of([read(choice) for choice in _choices(value)])


def names(value: Value, read: Callable[[Value], Predicate]) -> Predicate:
    """The same for names, where `!x` and `!=x` are all others."""
    for sign in _NEGATIONS:
        if value.starts_with(sign):
            return Never(texts(value.without(sign), read))
    return texts(value.without("=") if value.starts_with("=") else value, read)


def _choices(value: Value) -> list[Value]:
    choices = value.choices()
    if not choices:
        raise BadValueError("a value is missing")
    return choices


def number(text: str, read: Callable[[str], float]) -> Predicate | None:
    """A comparison or a range `x..y`, `x..`, `..y` (both ends belong to it); None for a plain value."""
    for sign in COMPARISONS:
        if text.startswith(sign):
            return Compares(sign, read(text.removeprefix(sign)))
    low, dots, high = text.partition("..")
    if not dots:
        return None
    if not low and not high:
        raise BadValueError('".." needs a value on one side')
    first, last = read(low) if low else -INFINITY, read(high) if high else INFINITY
    if last < first:
        raise BadValueError("the range ends before it starts", f"Write {high}..{low}")
    return Between(first, last)


def status(value: Value) -> Predicate:
    """Exit statuses: `0`, `!=0`, `1..125`, `?` for unknown."""
    found = [choice.text for choice in _choices(value)]
    if len(found) > 1 and any(text.startswith("!=") for text in found):
        each = " ".join(f"exit:!={text.removeprefix('!=')}" for text in found)
        raise BadValueError('"!=" is for one exit status', f"Write {each}")
    return one_of([_one_status(text) for text in found])


def _one_status(text: str) -> Predicate:
    if text == "?":
        return Missing()
    return number(text, _read_status) or Compares("=", _read_status(text))


def _read_status(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > 255:
        raise BadValueError(f'"{text}" is not an exit status from 0 to 255')
    return float(text)


def duration(value: Value) -> Predicate:
    """A length of time, compared or in a range: nothing lasts exactly an hour."""
    found = number(value.text, _read_seconds)
    if found is None:
        text = value.text
        _read_seconds(text)
        raise BadValueError("a length needs a comparison or a range", f"For example >{text} or ..{text}")
    return found


def _read_seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except MomentError as error:
        raise BadValueError(str(error), error.suggestion) from error


def moment(text: str, clock: Clock) -> Span:
    """One time, as a span of the precision it was given with."""
    try:
        return parse_moment(text, clock.now, clock.zone)
    except MomentError as error:
        raise BadValueError(str(error), error.suggestion) from error


def time_range(text: str, clock: Clock) -> tuple[datetime | None, datetime | None]:
    """A day or minute, `x..y`, `x..`, `..y`, or a comparison: from the first on, to before the second."""
    for sign in (">=", "<=", ">", "<"):
        if text.startswith(sign):
            span = moment(text.removeprefix(sign), clock)
            edge = span.end if sign in (">", "<=") else span.start
            return (edge, None) if sign.startswith(">") else (None, edge)
    low, dots, high = text.partition("..")
    if not dots:
        span = moment(text, clock)
        return span.start, span.end
    if not low and not high:
        raise BadValueError('".." needs a value on one side')
    start = moment(low, clock).start if low else None
    end = moment(high, _clock_of(high, start, clock)).end if high else None
    if start is not None and end is not None and end < start:
        raise BadValueError("the range ends before it starts")
    return start, end


def _clock_of(text: str, start: datetime | None, clock: Clock) -> Clock:
    """A clock time on the right of `..` is meant on the day of the left one."""
    is_clock_time = re.fullmatch(r"[\d:]{4,8}", text) is not None
    return Clock(start, clock.zone) if start is not None and is_clock_time else clock


def stamp(at: datetime, clock: Clock) -> str:
    return at.astimezone(clock.zone).strftime("%Y-%m-%d %H:%M %Z")
