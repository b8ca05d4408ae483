"""The documents of the log: Elastic Common Schema 9, one canonical JSON object per entry.

Canonical: UTF-8, keys sorted, no spaces, what is unknown left out. What ECS has no field for stands
under `sealcast`. Text from a session is cut to fixed lengths, so an entry always fits its 65,535 bytes;
the recording's own header has it whole.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from recorder import VERSION
from recorder.errors import FormatError

Document = dict[str, Any]

ECS_VERSION = "9.0.0"
OPENED = "session-opened"
CLOSED = "session-closed"
INTERRUPTED = "session-interrupted"
KEY_CREATED = "key-created"
KEY_TRUSTED = "key-trusted"
VIEWED = "recording-viewed"
EXPORTED = "recording-exported"
IMPORTED = "recording-imported"
TERMINATED = "termination-ordered"
LIMIT_REACHED = "limit-reached"
LOGIN_REFUSED = "login-refused"
LOGIN_UNRECORDED = "login-unrecorded"
RECORDING_FAILED = "recording-failed"
DISK_LOW = "disk-low"
DISK_CRITICAL = "disk-critical"
DISK_RECOVERED = "disk-recovered"
CONFIGURATION_CHANGED = "configuration-changed"

OCCURRENCES = {
    TERMINATED: ("session", "info", "success"),
    LIMIT_REACHED: ("session", "info", "success"),
    LOGIN_REFUSED: ("session", "info", "failure"),
    LOGIN_UNRECORDED: ("session", "info", "success"),
    RECORDING_FAILED: ("session", "info", "failure"),
    DISK_LOW: ("host", "info", "failure"),
    DISK_CRITICAL: ("host", "info", "failure"),
    DISK_RECOVERED: ("host", "info", "success"),
    CONFIGURATION_CHANGED: ("configuration", "change", "success"),
    VIEWED: ("file", "access", "success"),
}
"""Entries that are told by facts alone: ECS category, type and outcome."""

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
SESSION_ID = re.compile(rf"\d{{8}}T\d{{6}}-[{CROCKFORD}]{{8}}", re.ASCII)

_MAX_COMMAND = 4096
_MAX_TEXT = 1024
_MAX_NAME = 255
_MAX_LEFT = 100
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_SESSION_TYPES = {OPENED: "start", CLOSED: "end", INTERRUPTED: "end"}
_FILE_TYPES = {VIEWED: "access", EXPORTED: "access"}


@dataclass(frozen=True, slots=True)
class Occasion:
    """Where and when something happened, and whose doing it was."""

    host: str
    time_ms: int
    """Milliseconds since 1970, UTC."""
    user: str
    uid: int


@dataclass(frozen=True, slots=True)
class Opening:
    """What the log says when a session opens. Times in milliseconds since 1970, UTC."""

    session: str
    number: int
    start_ms: int
    user: str
    uid: int
    origin: str
    """`local` or `sshd`."""
    interactive: bool
    columns: int
    rows: int
    command: str | None = None
    title: str | None = None
    reason: str | None = None
    source_ip: str | None = None
    source_port: int | None = None
    authentication: Document | None = None
    session_key: str | None = None
    """Fingerprint of the key that seals this session."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What the log says when a recording is finished. All counts are of the plain file."""

    session: str
    number: int
    user: str
    uid: int
    start_ms: int
    end_ms: int
    duration_s: float
    lines: int
    root: bytes
    """RFC 6962 root over all its lines."""
    sha256: bytes
    size: int
    """Bytes."""
    path: str | None
    """Below the store; None where nothing was recorded and no file is kept."""
    stored_size: int = 0
    final: bool = False
    exit_status: int | None = None
    seals: int = 0
    landmarks: tuple[tuple[int, bytes], ...] = ()
    """Some of its seals: how many lines each covers, and their root."""
    dropped_size: int = 0
    dropped_sha256: bytes | None = None
    """A last line that was written in part, and was never shown."""
    finding: str | None = None
    left_running: tuple[Document, ...] = ()
    """Processes that outlived it, each as `pid` and `name`."""
    ended: Document | None = None
    """Why, where neither the shell nor the terminal ended it: `cause`, `by`, `reason`."""
    streams: Document | None = None
    """What was transferred or left out of the recording, bounded by who collected it."""


@dataclass(frozen=True, slots=True)
class Import:
    """What the log says of a recording of another program. All counts are of the plain file that was made."""

    session: str
    format: str
    """`tlog`, `ttyrec`, `script`, `sudo` or `asciicast`."""
    source: str
    """The file as the importing person named it."""
    source_sha256: bytes
    source_size: int
    """Bytes."""
    part: str | None
    """Which of several recordings in that file."""
    user: str
    """Whose session it says it was; empty where it does not."""
    recorded_on: str
    """The host it says it was on; empty where it does not."""
    start_ms: int
    duration_s: float
    columns: int
    rows: int
    command: str | None
    title: str | None
    exit_status: int | None
    lines: int
    root: bytes
    sha256: bytes
    size: int
    path: str
    stored_size: int


def encode(document: Document) -> bytes:
    """The canonical bytes of a document."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def decode(entry: bytes, where: str) -> Document:
    """The document in an entry; `FormatError` where it is not a JSON object with an action."""
    try:
        document = orjson.loads(entry)
    except orjson.JSONDecodeError:
        raise FormatError("not JSON", where) from None
    if not isinstance(document, dict) or not isinstance(document.get("event"), dict):
        raise FormatError("not an ECS document", where)
    return document


def action(document: Document) -> str:
    """The document's `event.action`, or an empty string."""
    found = document["event"].get("action")
    return found if isinstance(found, str) else ""


def value_at(document: object, path: tuple[str, ...]) -> object:
    """The value under nested keys, None where one of them is missing."""
    value = document
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def session_opened(host: str, opening: Opening) -> Document:
    occasion = Occasion(host, opening.start_ms, opening.user, opening.uid)
    document = _session_document(OPENED, occasion, opening.session)
    document["event"]["start"] = timestamp(opening.start_ms)
    document["process"] |= _without_none(
        interactive=opening.interactive, command_line=text(opening.command, _MAX_COMMAND)
    )
    leader = document["process"]["entry_leader"]
    leader |= {"interactive": opening.interactive, "entry_meta": {"type": _entry_type(opening.origin)}}
    if opening.source_ip:
        document["source"] = _without_none(ip=opening.source_ip, port=opening.source_port)
        leader["entry_meta"]["source"] = {"ip": opening.source_ip}
        document["related"]["ip"] = [opening.source_ip]
    document["sealcast"] = _without_none(
        session=opening.session,
        number=opening.number,
        origin=opening.origin,
        terminal=[opening.columns, opening.rows],
        title=text(opening.title, _MAX_TEXT),
        reason=text(opening.reason, _MAX_TEXT),
        authentication=opening.authentication,
        session_key=opening.session_key,
    )
    return document


def session_ended(host: str, kind: str, ending: Ending) -> Document:
    """`kind` is `CLOSED` or `INTERRUPTED`."""
    occasion = Occasion(host, ending.end_ms, ending.user, ending.uid)
    document = _session_document(kind, occasion, ending.session)
    document["event"] |= {
        "start": timestamp(ending.start_ms),
        "end": timestamp(ending.end_ms),
        "duration": round(ending.duration_s * 1e9),
        "outcome": "success" if kind == CLOSED else "failure",
    }
    if ending.exit_status is not None:
        document["process"]["exit_code"] = ending.exit_status
    document["related"]["hash"] = [ending.sha256.hex()]
    document["file"] = _without_none(path=ending.path, size=ending.size, hash={"sha256": ending.sha256.hex()})
    document["sealcast"] = _ending_facts(ending)
    return document


def _ending_facts(ending: Ending) -> Document:
    return _without_none(
        session=ending.session,
        number=ending.number,
        lines=ending.lines,
        root=ending.root.hex(),
        seals=ending.seals,
        final=ending.final,
        stored_bytes=ending.stored_size or None,
        landmarks=[[lines, root.hex()] for lines, root in ending.landmarks] or None,
        dropped=_dropped(ending),
        finding=text(ending.finding, _MAX_TEXT),
        left_running=list(ending.left_running[:_MAX_LEFT]) or None,
        ended=ending.ended,
        streams=ending.streams,
    )


def _dropped(ending: Ending) -> Document | None:
    if ending.dropped_sha256 is None:
        return None
    return {"bytes": ending.dropped_size, "sha256": ending.dropped_sha256.hex()}


def key_created(occasion: Occasion, fingerprint: str) -> Document:
    document = _document(KEY_CREATED, occasion, ("configuration",), "creation")
    document["sealcast"] = {"key": fingerprint}
    return document


def key_trusted(occasion: Occasion, fingerprint: str, name: str) -> Document:
    """`name` is the host that the key is trusted for."""
    document = _document(KEY_TRUSTED, occasion, ("configuration",), "change")
    document["sealcast"] = {"key": fingerprint, "key_host": text(name, _MAX_NAME)}
    return document


def recording_accessed(kind: str, occasion: Occasion, session: str) -> Document:
    """`kind` is `VIEWED` or `EXPORTED`; the occasion names the person who looks."""
    document = _document(kind, occasion, ("file",), _FILE_TYPES[kind])
    document["sealcast"] = {"session": session}
    return document


def occurrence(kind: str, occasion: Occasion, facts: Document) -> Document:
    """One of `OCCURRENCES`; `facts` stand under `sealcast`, their text cut to fixed lengths."""
    category, type_, outcome = OCCURRENCES[kind]
    document = _document(kind, occasion, (category,), type_)
    document["event"]["outcome"] = outcome
    document["sealcast"] = _without_none(
        **{name: text(fact, _MAX_TEXT) if isinstance(fact, str) else fact for name, fact in facts.items()}
    )
    return document


def recording_imported(occasion: Occasion, found: Import) -> Document:
    """The occasion names who imported it. `user` and `host` are theirs; whose session it was is beside it."""
    document = _document(IMPORTED, occasion, ("file",), "creation")
    end_ms = found.start_ms + round(found.duration_s * 1000)
    document["event"] |= {
        "start": timestamp(found.start_ms),
        "end": timestamp(end_ms),
        "duration": round(found.duration_s * 1e9),
    }
    hashes = [found.sha256.hex(), found.source_sha256.hex()]
    document["related"]["hash"] = hashes
    document["file"] = {"path": found.path, "size": found.size, "hash": {"sha256": hashes[0]}}
    document["process"] = _without_none(
        command_line=text(found.command, _MAX_COMMAND), exit_code=found.exit_status
    )
    document["sealcast"] = _without_none(
        session=found.session,
        source=_source(found),
        recorded=_without_none(user=text(found.user, _MAX_NAME), host=text(found.recorded_on, _MAX_NAME)),
        terminal=[found.columns, found.rows],
        title=text(found.title, _MAX_TEXT),
        lines=found.lines,
        root=found.root.hex(),
        stored_bytes=found.stored_size,
    )
    return document


def _source(found: Import) -> Document:
    return _without_none(
        name=text(found.source, _MAX_TEXT),
        sha256=found.source_sha256.hex(),
        bytes=found.source_size,
        format=found.format,
        part=text(found.part, _MAX_NAME),
    )


def timestamp(milliseconds: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def text(value: str | None, limit: int) -> str | None:
    """`value` as it can be stored: surrogates replaced, at most `limit` characters."""
    if value is None:
        return None
    whole = _LONE_SURROGATE.sub("\ufffd", value)
    return whole if len(whole) <= limit else f"{whole[: limit - 1]}…"


def _entry_type(origin: str) -> str:
    return "sshd" if origin == "sshd" else "terminal"


def _session_document(kind: str, occasion: Occasion, session: str) -> Document:
    document = _document(kind, occasion, ("session",), _SESSION_TYPES[kind])
    document["process"] = {"entry_leader": {"entity_id": session}, "session_leader": {"entity_id": session}}
    return document


def _document(kind: str, occasion: Occasion, categories: tuple[str, ...], type_: str) -> Document:
    name, host = text(occasion.user, _MAX_NAME), occasion.host
    return {
        "@timestamp": timestamp(occasion.time_ms),
        "ecs": {"version": ECS_VERSION},
        "event": {
            "action": kind,
            "category": list(categories),
            "dataset": "sealcast.log",
            "kind": "event",
            "module": "sealcast",
            "outcome": "success",
            "type": [type_],
        },
        "host": {"hostname": host, "name": host},
        "observer": {"product": "sealcast", "type": "session-recorder", "version": VERSION},
        "related": {"hosts": [host], "user": [name]},
        "user": {"id": str(occasion.uid), "name": name},
    }


def _without_none(**values: object) -> Document:
    return {name: value for name, value in values.items() if value is not None}
