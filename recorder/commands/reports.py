"""What the recorded shell itself reports: OSC 633 marks with the session's secret, and marks without it."""

import hashlib
import re
from typing import NamedTuple

from recorder.commands.marks import MARK

LONGEST_QUOTE = 200
"""Characters of a forged mark that are kept."""
_ESCAPED = re.compile(r"\\(\\|x[0-9a-fA-F]{2})")
_KINDS = frozenset("ACDEP")


class Report(NamedTuple):
    """`A` a prompt follows, `E` the text of a line, `C` it runs, `D` it ended, `P` the directory."""

    kind: str
    value: str


class ForgedMark(NamedTuple):
    """A mark among the output of a program, which only the shell could write. `text` is foreign."""

    time: float
    text: str


def body_of(mark: bytes) -> bytes:
    """A mark without what begins and ends it."""
    found = MARK.fullmatch(mark)
    return found[1] if found else b""


class Authority:
    """Tells the shell's own marks by `digest`, that of the secret in the recording's header."""

    def __init__(self, digest: str | None) -> None:
        self._digest = digest
        self._secret = b""

    @property
    def exists(self) -> bool:
        """The shell was given a secret."""
        return self._digest is not None

    def read(self, mark: bytes) -> Report | None:
        """The report in a mark; None if it is not the shell's own."""
        number, _, rest = body_of(mark).partition(b";")
        payload, _, secret = rest.rpartition(b";")
        if number != b"633" or not self._is_secret(secret):
            return None
        kind, _, value = payload.decode("utf-8", "replace").partition(";")
        if kind not in _KINDS:
            return None
        if kind == "P":
            value = value.removeprefix("Cwd=")
        return Report(kind, _ESCAPED.sub(_unescaped, value))

    def _is_secret(self, text: bytes) -> bool:
        if self._secret:
            return text == self._secret
        if len(text) != 32 or f"sha256:{hashlib.sha256(text).hexdigest()}" != self._digest:
            return False
        self._secret = text
        return True


def _unescaped(found: re.Match[str]) -> str:
    return "\\" if found[1] == "\\" else chr(int(found[1][1:], 16))


def exit_status(report: Report) -> int | None:
    """Of a `D`; None where the shell did not say."""
    return int(report.value) if report.value.isdecimal() and len(report.value) < 10 else None
