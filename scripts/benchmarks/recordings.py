"""What the recorders wrote, read back: was all of the output recorded?"""

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from recorder.cast.reader import iter_output, open_events
from recorder.store.reading import open_file
from scripts.benchmarks.errors import BenchError

_TTYREC = struct.Struct("<III")  # seconds, microseconds, length
Output = Callable[[Path], Iterator[bytes]]
"""The recorded output of a file."""


def typescript(path: Path) -> Iterator[bytes]:
    """script(1): one line before the output, and one behind it."""
    data = path.read_bytes()
    end = data.rfind(b"\nScript done on ")
    yield data[data.index(b"\n") + 1 : end if end >= 0 else len(data)]


def ttyrec(path: Path) -> Iterator[bytes]:
    """ttyrec(1): frames of 12 bytes and the output."""
    with path.open("rb") as file:
        while head := file.read(_TTYREC.size):
            yield file.read(_TTYREC.unpack(head)[2])


def tlog(path: Path) -> Iterator[bytes]:
    """tlog: JSON messages with the valid text in `out_txt`, and everything else in `out_bin`."""
    with path.open("rb") as file:
        for line in file:
            message = json.loads(line)
            if message["out_bin"]:
                raise BenchError(f"{path.name}: output that tlog did not take for text")
            yield message["out_txt"].encode()


def asciicast(path: Path) -> Iterator[bytes]:
    """asciinema's and ours, compressed or not."""
    with open_file(path) as file:
        _, events = open_events(file, path.name)
        for _, data in iter_output(events):
            yield data


def digest(chunks: Iterable[bytes]) -> bytes:
    """SHA-256 of the chunks joined."""
    result = hashlib.sha256()
    for chunk in chunks:
        result.update(chunk)
    return result.digest()
