"""One look at a recording's lines: the verifier's verdict, and what the log keeps to compare with later."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BufferedReader, FileIO

from recorder.cast import events
from recorder.cast.ledger import CODES, Ledger
from recorder.cast.reader import iter_lines
from recorder.cast.v2 import parse_event
from recorder.errors import FormatError
from recorder.seal.note import parse_checkpoint, split_note
from recorder.seal.verify import Integrity, Progress, check_recording

MAX_LANDMARKS = 32
_CODE_MARK = b', "'
_CODE_COLUMN = 24
"""A code stands before this column: times are at most 17 characters long."""
_SEAL = events.SEAL.encode()
_LEDGER = frozenset(code.encode() for code in CODES)
_BLOCK = 64 * 1024
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Survey:
    """A recording's complete lines, and what stands behind them."""

    integrity: Integrity
    landmarks: tuple[tuple[int, bytes], ...]
    """Up to 32 of its good seals: how many lines each covers, and their root."""
    end: int
    """Bytes of the complete lines; behind them stands what was written of one more."""
    dropped_size: int
    dropped_sha256: bytes | None
    ledger: Ledger


def survey(descriptor: int, trust: Mapping[bytes, str], progress: Progress | None = None) -> Survey:
    """Survey the file, from its start; nobody may be writing it."""
    size = os.fstat(descriptor).st_size
    end = _end_of_lines(descriptor, size)
    trail = SealTrail()
    integrity = check_recording(trail.follow(_complete_lines(descriptor)), trust, progress)
    dropped = _digest(descriptor, end, size) if end < size else None
    landmarks = trail.landmarks(integrity.sealed_lines)
    return Survey(integrity, landmarks, end, size - end, dropped, trail.ledger)


class SealTrail:
    """Collects what a recording claims while its lines go by: its seals, and what it left out.

    The verifier judges whether any of it holds.
    """

    def __init__(self) -> None:
        self.claims: dict[int, bytes] = {}
        """Root by number of lines covered."""
        self.ledger = Ledger()

    def follow(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        """The lines, unchanged."""
        for line in lines:
            at = line.find(_CODE_MARK, 0, _CODE_COLUMN) + len(_CODE_MARK)
            code = line[at : at + 1]
            if code == _SEAL:
                self._note(line)
            elif code in _LEDGER:
                self.ledger.note(line)
            yield line

    def _note(self, line: bytes) -> None:
        try:
            checkpoint = parse_checkpoint(split_note(parse_event(line, "seal").data)[0])
        except FormatError:
            return
        self.claims.setdefault(checkpoint.size, checkpoint.root)

    def landmarks(self, sealed_lines: int) -> tuple[tuple[int, bytes], ...]:
        """Evenly spread seals up to the one that covers `sealed_lines`, that one included."""
        good = [item for item in self.claims.items() if item[0] <= sealed_lines]
        step = -(-len(good) // MAX_LANDMARKS) or 1
        return tuple(good[::-1][::step][::-1])


def chunks(descriptor: int, start: int, end: int) -> Iterator[bytes]:
    """The file's bytes from `start` up to `end`."""
    while start < end:
        data = os.pread(descriptor, min(_CHUNK, end - start), start)
        if not data:
            return
        start += len(data)
        yield data


def _complete_lines(descriptor: int) -> Iterator[bytes]:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with BufferedReader(FileIO(descriptor, closefd=False), _CHUNK) as file:
        for line in iter_lines(file):
            if line.endswith(b"\n"):
                yield line


def _end_of_lines(descriptor: int, size: int) -> int:
    """Where the last complete line ends, newline included."""
    position = size
    while position:
        start = max(0, position - _BLOCK)
        newline = os.pread(descriptor, position - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        position = start
    return 0


def _digest(descriptor: int, start: int, end: int) -> bytes:
    digest = sha256()
    for chunk in chunks(descriptor, start, end):
        digest.update(chunk)
    return digest.digest()
