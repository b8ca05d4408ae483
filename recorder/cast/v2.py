"""asciicast version 2, line by line: what recordings are written in."""

import orjson

from recorder.cast.events import Event
from recorder.cast.header import Header, encode_header, parse_header
from recorder.cast.session_header import SessionHeader
from recorder.cast.strict_json import describe, loads
from recorder.errors import FormatError

__all__ = ["Header", "SessionHeader", "encode_event", "encode_header", "parse_event", "parse_header"]

MAX_TIME = 1e9
"""Seconds; 31 years, and microseconds are still exact in a double."""
_MAX_CODE = 16
_NUMBERS = {int, float}


def encode_event(time: float, code: str, data: str) -> bytes:
    """Exactly `[12.345678, "o", "text"]` and a newline, UTF-8; `data` holds no lone surrogates."""
    # orjson escapes 4 KiB of log text in 0.7 µs, the standard library in 8.7
    return b'[%.6f, "%b", %b]\n' % (time, code.encode(), orjson.dumps(data))


def parse_event(line: bytes, where: str) -> Event:
    """The event in one line, in any JSON spelling; `where` names file and line."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _parse_strictly(line, where)
    if type(value) is list and len(value) == 3 and not line.endswith(b"\r\n"):
        time, code, data = value
        typed = type(time) in _NUMBERS and type(code) is type(data) is str
        if typed and 0 <= time <= MAX_TIME and 0 < len(code) <= _MAX_CODE:
            return Event(float(time), code, data)
    return _parse_strictly(line, where)


def _parse_strictly(line: bytes, where: str) -> Event:
    """The slow way, which knows what to say of a line that is no event."""
    value = loads(line, where)
    if not isinstance(value, list):
        raise FormatError(f"an event is an array, not {describe(value)}", where)
    if len(value) != 3:
        raise FormatError(f"an event has three parts, not {len(value)}", where)
    time, code, data = value
    if not isinstance(code, str) or not 0 < len(code) <= _MAX_CODE:
        raise FormatError("the event code is not a letter", where)
    if not isinstance(data, str):
        raise FormatError(f"the data of a {code!r} event is {describe(data)}, not a string", where)
    return Event(_time(time, where), code, data)


def _time(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MAX_TIME:
        raise FormatError(f"the time is not a number from 0 to {MAX_TIME:g}", where)
    return float(value)
