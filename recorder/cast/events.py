"""Events of a recording: one line, one event."""

from typing import Final, NamedTuple

OUTPUT: Final = "o"
INPUT: Final = "i"
RESIZE: Final = "r"
MARKER: Final = "m"
KEY: Final = "K"
"""Data: `<enter|ctrl-c|ctrl-d|paste-begin|paste-end> <echo|noecho> <canonical|raw>`."""
BYTES: Final = "B"
"""Data: base64 of the exact bytes of the `o` or `i` event before it."""
ERROR: Final = "E"
ELISION: Final = "L"
"""Data: canonical JSON `{"bytes":n,"sha256":hex,"stream":name}` of what was left out so far."""
TRANSFER: Final = "T"
"""Data: canonical JSON of what is transferred, see docs/format.md."""
FILE: Final = "F"
"""Data: canonical JSON of one operation on a file by a transfer, see docs/format.md."""
EXIT: Final = "X"
"""Data: decimal exit status, 128 + n for a signal."""
SEAL: Final = "S"
"""Data: a signed C2SP checkpoint over every line before it."""

MAX_LINE: Final = 16 * 1024 * 1024
"""Bytes of the longest accepted line, its newline included."""


class Event(NamedTuple):
    """One event; `time` in seconds since the start of the recording."""

    time: float
    code: str
    data: str
