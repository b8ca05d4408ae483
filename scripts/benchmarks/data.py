"""What the recorded programs show: a long log, and real full-screen and colour output."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recorder.cast.reader import iter_output, open_events

START, END = b"BENCH-START", b"BENCH-END"
_CAPTURES = Path(__file__).parents[2] / "tests" / "golden" / "terminal"
_SCREENS = ("textual", "lscolor", "gitdiff", "fzf", "vim", "tmux", "ncdu")
_STATES = ("accepted", "refused", "finished", "retried")
_FILE_BYTES = 16_000_000
_CHUNK_LINES = 10_000


@dataclass(frozen=True, slots=True)
class Data:
    """A file that is shown `repeats` times, between the two markers."""

    name: str
    path: Path
    repeats: int
    shown: int
    """Bytes that the terminal shows between the markers, line ends as CR LF."""
    digest: bytes
    """SHA-256 of everything that is shown, markers included."""

    @property
    def script(self) -> str:
        """For `sh -c`: show it, and wait for a line: a recorder may lose what is shown last otherwise."""
        files = f" '{self.path}'" * self.repeats
        return f"stty -echo; printf {START.decode()}; cat{files}; printf {END.decode()}; read answer"


def make_data(name: str, folder: Path, size: int) -> Data:
    """About `size` bytes of `name`, `bulk` or `screens`, made in `folder`; the same every time."""
    path = folder / f"{name}.txt"
    with path.open("wb") as file:
        written = 0
        for chunk in _MAKERS[name]():
            written += file.write(chunk)
            if written >= min(size, _FILE_BYTES):
                break
    shown = path.read_bytes().replace(b"\n", b"\r\n")
    repeats = max(1, round(size / written))
    digest = hashlib.sha256(START)
    for _ in range(repeats):
        digest.update(shown)
    digest.update(END)
    return Data(name, path, repeats, len(shown) * repeats, digest.digest())


def log_lines() -> Iterator[bytes]:
    """Without end: lines of a service's log, in chunks of about a megabyte."""
    source = random.Random(1)  # noqa: S311 -- the same text every time is the point
    number = 0
    while True:
        lines = []
        for _ in range(_CHUNK_LINES):
            number += 1
            lines.append(
                f"2026-11-21T10:{number // 60 % 60:02}:{number % 60:02}Z host service[{4000 + number % 7}]: "
                f"request {source.getrandbits(48):012x} {source.choice(_STATES)} "
                f"after {source.randrange(2000)} ms\n"
            )
        yield "".join(lines).encode()


def screens() -> Iterator[bytes]:
    """Without end: what editors, pagers and coloured listings sent to a terminal in real sessions."""
    chunks = []
    for name in _SCREENS:
        with (_CAPTURES / f"{name}.cast").open("rb") as file:
            _, events = open_events(file, name)
            chunks.append(b"".join(data for _, data in iter_output(events)))
    while True:
        yield b"".join(chunks)


_MAKERS = {"bulk": log_lines, "screens": screens}
