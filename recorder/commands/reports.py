"""What the recorded shell itself reports: OSC 633 marks with the session's secret, and marks without it."""

import hashlib
import re
from typing import NamedTuple
from urllib.parse import unquote

from recorder.commands.marks import MARK

LONGEST_QUOTE = 200
"""Characters of a forged mark that are kept."""
MAX_FORGED = 100
"""Forged marks of a recording that are kept; the commands that wrote them are flagged all the same."""
_NEAR = 160
"""So many bytes lie at most between what several hooks of one shell write."""
_ESCAPED = re.compile(r"\\(\\|x[0-9a-fA-F]{2})")
_DIRECTORY = re.compile(r"(?P<scheme>file|kitty-shell-cwd)://[^/]*(?P<path>/.*)", re.DOTALL)
_KINDS = frozenset("ACDEP")


class Report(NamedTuple):
    """`A` a prompt follows, `E` the text of a line, `C` it runs, `D` it ended, `P` the directory."""

    kind: str
    value: str


class ForgedMark(NamedTuple):
    """A mark among the output of a program, which only the shell could write. `text` is foreign."""

    time: float
    text: str


class ForeignMarks:
    """Marks without the secret, while a program runs that starts no shell: forged.

    Where OSC 133 or 633 without it stands at the shell's own prompt, it has other hooks, as fish 4 by itself.
    Then those are theirs that stand just behind its mark that a command begins, or just before that it ends.
    """

    def __init__(self) -> None:
        self.forged: list[ForgedMark] = []
        self._hooks: set[bytes] = set()
        self._started_at = 0
        self._waiting: list[tuple[int, ForgedMark]] = []

    def at_prompt(self, mark: bytes) -> None:
        """One stands where the recorded shell asks for a command."""
        self._hooks.add(_number(mark))

    def start(self, offset: int) -> None:
        """The shell's own mark said that a command begins."""
        self._started_at = offset

    def note(self, mark: bytes, time: float, offset: int) -> bool:
        """One stands in the output of a program; answers whether it is certain that a program forged one."""
        has_hook = _number(mark) in self._hooks
        if has_hook and offset - self._started_at < _NEAR:
            return False
        text = body_of(mark).decode("utf-8", "replace")
        self._waiting.append((offset, ForgedMark(time, text[:LONGEST_QUOTE])))
        return self._keep(offset - _NEAR if has_hook else offset)

    def end(self, offset: int) -> bool:
        """The shell's own mark says that the command has ended; answers as `note` does."""
        forged = self._keep(offset - _NEAR)
        self._waiting.clear()
        return forged

    def finish(self) -> bool:
        """Nothing follows; answers as `note` does."""
        return bool(self._waiting) and self._keep(self._waiting[-1][0])

    def _keep(self, until: int) -> bool:
        certain = [mark for offset, mark in self._waiting if offset <= until]
        del self._waiting[: len(certain)]
        self.forged += certain[: MAX_FORGED - len(self.forged)]
        return bool(certain)


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


def directory_of(url: str) -> str:
    """The path that OSC 7 reports, as in `file://host/a%20b`; kitty's own form has no escapes.

    What is no such URL is told as it is.
    """
    found = _DIRECTORY.fullmatch(url)
    if found is None:
        return url
    return unquote(found["path"]) if found["scheme"] == "file" else found["path"]


def _number(mark: bytes) -> bytes:
    return body_of(mark).partition(b";")[0]


def exit_status(report: Report) -> int | None:
    """Of a `D`; None where the shell did not say."""
    return int(report.value) if report.value.isdecimal() and len(report.value) < 10 else None
