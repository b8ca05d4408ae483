"""The first line of an asciicast."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from recorder.cast.fields import Fields
from recorder.cast.session_header import MAX_CELLS, SessionHeader, parse_session_header
from recorder.cast.strict_json import loads
from recorder.errors import FormatError

MAX_HEADER = 1024 * 1024
NEWEST_VERSION = 3
_MAX_TIMESTAMP = 252_400_000_000
"""In the year 9968: with the latest time that an event may have, there is a date for it in every zone."""
_MAX_SECONDS = 1e12
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Header:
    """An asciicast header of any version, in the terms of version 2."""

    version: int
    width: int
    height: int
    timestamp: int | None = None
    """Seconds since 1970, UTC."""
    duration: float | None = None
    title: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    idle_time_limit: float | None = None
    theme: dict[str, Any] | None = None
    session: SessionHeader | None = None
    other: dict[str, Any] = field(default_factory=dict)
    """Keys of the header that this program does not know, as they stood."""


def encode_header(header: Header) -> bytes:
    """The version 2 header line: standard keys, then `sealcast`, then the unknown ones."""
    values: dict[str, Any] = {"version": 2, "width": header.width, "height": header.height}
    for name in ("timestamp", "duration", "title", "env", "idle_time_limit", "theme"):
        value = getattr(header, name)
        if value is not None and value != {}:
            values[name] = value
    if header.session is not None:
        values["sealcast"] = header.session.as_json()
    text = json.dumps(values | header.other, ensure_ascii=False, allow_nan=False)
    # file names and environments can hold bytes that are no text; the header must stay UTF-8
    return _LONE_SURROGATE.sub("\ufffd", text).encode() + b"\n"


def parse_header(line: bytes, where: str) -> Header:
    """The header in the first line of the file called `where`; FormatError for anything else."""
    values = header_object(line, where)
    version = values.get("version")
    if type(version) is not int or version < 1:
        raise not_an_asciicast(where)
    if version > NEWEST_VERSION:
        raise FormatError(f"asciicast version {version}; this program reads 1 to {NEWEST_VERSION}", where)
    fields = Fields(values, f"{where}:1")
    if version == 1:
        raise FormatError("asciicast version 1 is one JSON object, not lines", where)
    return _parse_v2(fields) if version == 2 else _parse_v3(fields)


def header_object(line: bytes, where: str) -> dict[str, Any]:
    """The JSON object of a first line, whatever its keys."""
    if len(line) > MAX_HEADER:
        raise FormatError(f"header longer than {MAX_HEADER} bytes", f"{where}:1")
    if not line.lstrip(b" \t\r\n\xef\xbb\xbf").startswith(b"{"):
        raise not_an_asciicast(where)
    values = loads(line, f"{where}:1")
    if not isinstance(values, dict):
        raise not_an_asciicast(where)
    return values


def not_an_asciicast(where: str) -> FormatError:
    error = FormatError(f"{where} is not an asciicast (first line is not a JSON header)")
    error.where = where
    return error


_KNOWN = {"version", "timestamp", "title", "env", "idle_time_limit"}
_KNOWN_V2 = _KNOWN | {"width", "height", "duration", "theme", "sealcast"}
_KNOWN_V3 = _KNOWN | {"term"}


def _parse_v2(fields: Fields) -> Header:
    session = fields.inner("sealcast")
    return Header(
        version=2,
        width=fields.needed_integer("width", 1, MAX_CELLS),
        height=fields.needed_integer("height", 1, MAX_CELLS),
        timestamp=_timestamp(fields),
        duration=fields.number("duration", 0, _MAX_SECONDS),
        title=fields.text("title"),
        env=_environment(fields),
        idle_time_limit=fields.number("idle_time_limit", 0, _MAX_SECONDS),
        theme=fields.mapping("theme"),
        session=None if session is None else parse_session_header(session),
        other={key: value for key, value in fields.values.items() if key not in _KNOWN_V2},
    )


def _parse_v3(fields: Fields) -> Header:
    term = fields.inner("term")
    if term is None:
        raise fields.refuse("term", "is missing")
    environment = _environment(fields)
    kind = term.text("type", 255)
    return Header(
        version=3,
        width=term.needed_integer("cols", 1, MAX_CELLS),
        height=term.needed_integer("rows", 1, MAX_CELLS),
        timestamp=_timestamp(fields),
        title=fields.text("title"),
        env=({"TERM": kind} if kind else {}) | environment,
        idle_time_limit=fields.number("idle_time_limit", 0, _MAX_SECONDS),
        theme=term.mapping("theme"),
        other={key: value for key, value in fields.values.items() if key not in _KNOWN_V3},
    )


def _timestamp(fields: Fields) -> int | None:
    """Some writers give fractions of a second; they are dropped."""
    if type(fields.values.get("timestamp")) is float:
        return int(fields.needed_number("timestamp", 0, _MAX_TIMESTAMP))
    return fields.integer("timestamp", 0, _MAX_TIMESTAMP)


def _environment(fields: Fields) -> dict[str, str]:
    """Variables without a value (null) are left out."""
    inner = fields.inner("env")
    if inner is None:
        return {}
    return {key: value for key in inner.values if (value := inner.text(key)) is not None}
