"""Caps: how much of a stream is stored, and what the record says of the rest."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson

ELISION_SECONDS = 1.0
"""How long what was left out may wait to be named: what a kill can take back."""
Buffer = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Caps:
    """Bytes of each stream that are stored; None stores all of it. Without `input` nothing is said of it."""

    input: int | None = None
    output: int | None = None
    error: int | None = None
    with_input: bool = False


class CappedStream:
    """One stream: its first `cap` bytes are stored, the rest is counted and hashed.

    `store` records bytes; `name` is `input`, `output` or `error`.
    """

    def __init__(self, name: str, cap: int | None, store: Callable[[bytes], None]) -> None:
        self.cap = cap
        self._name = name
        self._store = store
        self._stored = 0
        self._left_out = 0
        self._digest = hashlib.sha256()
        self._unsaid_since: float | None = None

    def take(self, data: Buffer) -> None:
        """Record `data`, or what of it the cap allows."""
        if self.cap is None:
            self._store(bytes(data))
            return
        room = min(len(data), max(0, self.cap - self._stored))
        if room:
            self._stored += room
            self._store(bytes(data[:room]))
        if room < len(data):
            self._leave_out(data[room:])

    def _leave_out(self, data: Buffer) -> None:
        self._digest.update(data)
        self._left_out += len(data)
        if self._unsaid_since is None:
            self._unsaid_since = time.monotonic()

    def seconds_to_report(self) -> float | None:
        """How long `report` may wait; None when there is nothing to say."""
        if self._unsaid_since is None:
            return None
        return max(0.0, self._unsaid_since + ELISION_SECONDS - time.monotonic())

    def report(self) -> str | None:
        """The data of an `L` event over all that was left out so far; None when that was said already."""
        if self._unsaid_since is None:
            return None
        self._unsaid_since = None
        facts = {"bytes": self._left_out, "sha256": self._digest.copy().hexdigest(), "stream": self._name}
        return orjson.dumps(facts).decode()
