"""What an index says of itself: the table `meta`. Anybody who may write the file can write anything there."""

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from recorder.index.database import IndexDamagedError

_ROOT = re.compile("[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class Facts:
    """See docs/index.md."""

    log_size: int
    """Entries of the log that were taken in."""
    log_root: bytes | None
    """Of the log's tree when it had so many."""
    has_output: bool
    whole: bool
    """No session was passed over."""
    looked_at: float | None
    """When the files of the store were looked at, as unix time."""
    built_at: float | None


def read_facts(connection: sqlite3.Connection) -> Facts:
    """The facts; `IndexDamagedError` where one that is a number is none."""
    found = {key: str(value) for key, value in connection.execute("SELECT key, value FROM meta")}
    return Facts(
        log_size=int(_number(found, "log_size") or 0),
        log_root=_root(found),
        has_output=found.get("output") == "1",
        whole=found.get("whole") == "1",
        looked_at=_number(found, "looked_at"),
        built_at=_number(found, "built_at"),
    )


def _number(found: Mapping[str, str], name: str) -> float | None:
    value = found.get(name)
    if value is None:
        return None
    if not _NUMBER.fullmatch(value):
        raise IndexDamagedError(f"{name} is no number in its table meta")
    return float(value)


def _root(found: Mapping[str, str]) -> bytes | None:
    value = found.get("log_root")
    if value is None:
        return None
    if not _ROOT.fullmatch(value):
        raise IndexDamagedError("log_root is no hash in its table meta")
    return bytes.fromhex(value)
