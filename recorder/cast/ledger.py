"""What a recording says of bytes it does not hold: streams left out, and the files of a transfer."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from recorder.cast.events import ELISION, FILE, TRANSFER, Event
from recorder.cast.strict_json import loads
from recorder.cast.v2 import parse_event
from recorder.errors import FormatError
from recorder.safe_text import safe

CODES = frozenset({ELISION, TRANSFER, FILE})
STREAMS = ("input", "output", "error")
MAX_FILES = 10
"""Operations that are kept by name; all are counted."""
_MAX_PATH = 255
_MAX_WORD = 40
_HASH_DIGITS = 64
_FILE_FACTS = {"action": _MAX_WORD, "path": _MAX_PATH, "target": _MAX_PATH, "outcome": _MAX_WORD}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Bytes of one stream that are not in the recording."""

    bytes: int
    sha256: str


@dataclass(slots=True)
class Ledger:
    """Collects `L`, `T` and `F` lines; what is malformed in them is passed over."""

    left_out: dict[str, LeftOut] = field(default_factory=dict)
    transfer: str = ""
    """`scp`, `sftp`, `rsync` or `git`; empty where it is no transfer."""
    program: str = ""
    direction: str = ""
    files: list[dict[str, Any]] = field(default_factory=list)
    """The first operations on files: `action`, `path`, and where known `target`, `size`, `outcome`."""
    operations: int = 0

    def note(self, line: bytes) -> None:
        """Take in one line of a recording."""
        with suppress(FormatError):
            self.add(parse_event(line, "event"))

    def add(self, event: Event) -> None:
        """Take in one event; those with other codes are passed over."""
        if event.code not in CODES:
            return
        with suppress(FormatError, UnicodeEncodeError):
            data = loads(event.data.encode(), "event")
            if isinstance(data, dict):
                {ELISION: self._leave_out, TRANSFER: self._begin, FILE: self._add}[event.code](data)

    def _leave_out(self, data: dict[str, Any]) -> None:
        stream, count, digest = data.get("stream"), data.get("bytes"), data.get("sha256")
        if stream in STREAMS and _is_count(count) and isinstance(digest, str) and len(digest) == _HASH_DIGITS:
            self.left_out[str(stream)] = LeftOut(int(str(count)), safe(digest))

    def _begin(self, data: dict[str, Any]) -> None:
        self.transfer = _text(data.get("protocol"))
        self.program = _text(data.get("program"))
        self.direction = _text(data.get("direction"))

    def _add(self, data: dict[str, Any]) -> None:
        if "action" not in data:
            return
        self.operations += 1
        if len(self.files) < MAX_FILES:
            facts: dict[str, Any] = {
                name: _text(data[name], limit) for name, limit in _FILE_FACTS.items() if name in data
            }
            self.files.append(facts | ({"size": data["size"]} if _is_count(data.get("size")) else {}))

    def as_document(self) -> dict[str, Any] | None:
        """For the closing entry of the log: bounded; None where there is nothing to say."""
        left_out = {
            name: {"bytes": found.bytes, "sha256": found.sha256} for name, found in self.left_out.items()
        }
        facts = {
            "protocol": self.transfer,
            "program": self.program,
            "direction": self.direction,
            "left_out": left_out,
            "operations": self.operations,
            "files": self.files,
        }
        return {name: value for name, value in facts.items() if value} or None

    def sentences(self) -> Iterator[tuple[str, str]]:
        """For people: a name and what there is to say, not made safe for a terminal."""
        if self.transfer:
            counted = f", {self.operations:,} operations on files" if self.operations else ""
            yield "transfer", f"{self.transfer} {self.direction} by {self.program}{counted}"
        for name, found in self.left_out.items():
            yield (
                "left out",
                f"{found.bytes:,} bytes of {name} are not stored; their SHA-256 is {found.sha256}",
            )

    def file_lines(self) -> Iterator[str]:
        """One line for each operation that is kept by name."""
        for one in self.files:
            size = f" {one['size']:,} bytes" if "size" in one else ""
            target = f" to {one['target']}" if one.get("target") else ""
            yield f"{one['action']} {one.get('path', '')}{target}{size}: {one.get('outcome', 'unknown')}"
        if self.operations > len(self.files):
            yield f"and {self.operations - len(self.files):,} more"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _text(value: object, limit: int = _MAX_PATH) -> str:
    text = value if isinstance(value, str) else ""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
