"""How fast commands are extracted, on ordinary and on hostile output, against the terminal engine alone."""

import hashlib
import random
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from recorder.cast.events import KEY, OUTPUT, Event
from recorder.cast.reader import iter_output, open_events
from recorder.commands import Extractor
from recorder.terminal import Screen
from scripts.benchmarks.data import log_lines
from scripts.benchmarks.results import OURS, Measure, Results

ENGINE = "engine alone"
SIZE = (120, 40)
_GROUP = "commands"
_CAPTURES = Path(__file__).parents[2] / "tests" / "golden" / "terminal"
_READ = 4096
"""Bytes of an event: what a terminal gives in one read while output pours."""
_SECRET = b"0" * 32
_ON, _OFF = b"\x1b[?2004h", b"\x1b[?2004l"
_MARKS = {b"A": b"", b"E;true": b"", b"C": b"\r\n", b"D;0": b""}


class Kind(NamedTuple):
    """Output of one kind: some of it, which is repeated until there is enough."""

    name: str
    make: Callable[[], bytes]
    share: float
    """Of the bytes that ordinary output gets; what is slow gets fewer."""


def _captured(*names: str) -> bytes:
    """What programs wrote in real sessions."""
    parts = []
    for name in names:
        with (_CAPTURES / f"{name}.cast").open("rb") as file:
            parts += [data for _, data in iter_output(open_events(file, name)[1])]
    return b"".join(parts)


def _log() -> bytes:
    return b"".join(islice(log_lines(), 1)).replace(b"\n", b"\r\n")


def _coloured_log() -> bytes:
    source = random.Random(1)  # noqa: S311 -- the same text every time is the point
    return b"".join(
        b"2026-11-21T03:%02d host app[%d]: \x1b[32mINFO\x1b[0m request %f served in %d ms\r\n"
        % (number % 60, number, source.random(), number % 97)
        for number in range(10_000)
    )


def _numbers() -> bytes:
    return b"".join(b"%d\r\n" % number for number in range(100_000))


def _marks() -> bytes:
    marks = (b"\x1b]633;%b;%b\x07%b" % (mark, _SECRET, text) for mark, text in _MARKS.items())
    return b"".join(marks) * 100


def _long_line_again() -> bytes:
    return b"\r\n$ " + b"'a'!! " * 5_000 + (_ON + b"\r\n" + _OFF + b"\x1b[A") * 1_000


def _below_a_full_screen() -> bytes:
    return b"\r\n$ " + b"a" * 35_000 + (_ON + b"b" + _OFF) * 1_000


ORDINARY = (
    Kind("a log", _log, 1),
    Kind("a coloured log", _coloured_log, 1),
    Kind("coloured listings", lambda: _captured("lscolor", "gitdiff"), 1),
    Kind("editors and pagers", lambda: _captured("vim", "less", "nano"), 1),
    Kind("full-screen programs", lambda: _captured("textual", "fzf", "tmux", "ncdu"), 1),
    Kind("lines of 1,000 characters", lambda: b"word " * 200 + b"\r\n", 1),
    Kind("numbers, one a line", _numbers, 0.5),
)
HOSTILE = (
    Kind("hostile: lines of 10,000 characters", lambda: b"x" * 10_000 + b"\r\n", 1),
    Kind("hostile: an endless line", lambda: b"a" * _READ, 1),
    Kind("hostile: an endless string", lambda: b"\x1b]0;" + b"a" * 100_000_000, 1),
    Kind("hostile: string after string", lambda: b"\x1b]0;a\x07" * 10_000, 0.1),
    Kind("hostile: repetitions", lambda: b"a\x1b[65535b\r\n" * 1_000, 0.1),
    Kind("hostile: repetitions at prompts", lambda: (_ON + b"> a\x1b[65535b\r\n" + _OFF) * 1_000, 0.1),
    Kind("hostile: editors on and off", lambda: (_ON + b"$ x\r\n" + _OFF) * 1_000, 0.1),
    Kind("hostile: editors below a full screen", _below_a_full_screen, 0.05),
    Kind("hostile: the same long line again", _long_line_again, 0.05),
    Kind("hostile: ends of lines at a prompt", lambda: _ON + b"$ " + b"\r\n" * 100_000, 0.05),
    Kind("hostile: wrapped lines at a prompt", lambda: _ON + b"$ " + b"a" * 35_000 + b"\r\n" * 9, 0.05),
    Kind("hostile: marks of the shell", _marks, 0.05),
)


def measure(results: Results, size: int, kinds: Iterable[Kind] = (*ORDINARY, *HOSTILE)) -> None:
    """One round, with `size` bytes of what is not slow."""
    for kind in kinds:
        chunks = _chunks(kind, max(_READ, int(size * kind.share)))
        row = Measure(f"commands: {kind.name}", "MB/s", more_is_better=True, digits=2, group=_GROUP)
        for name, work in ((ENGINE, _engine_alone), (OURS, _extraction)):
            started = time.process_time()
            work(chunks)
            elapsed = time.process_time() - started
            results.add(row, name, sum(map(len, chunks)) / elapsed / 1e6)


def _chunks(kind: Kind, size: int) -> list[bytes]:
    piece = kind.make()
    data = (piece * (size // len(piece) + 1))[:size]
    return [data[start : start + _READ] for start in range(0, size, _READ)]


def _engine_alone(chunks: list[bytes]) -> None:
    """What every reader of a screen has to pay."""
    screen = Screen(*SIZE)
    for chunk in chunks:
        screen.feed(chunk)


def _extraction(chunks: list[bytes]) -> None:
    """The output of a command that was typed, and perhaps more commands."""
    digest = f"sha256:{hashlib.sha256(_SECRET).hexdigest()}"
    extractor = Extractor(*SIZE, has_keys=True, marks=digest)
    extractor.add(Event(0.0, OUTPUT, ""), _ON + b"$ run")
    extractor.add(Event(0.1, KEY, "enter noecho raw"), b"")
    now = 0.1
    for chunk in [b"\r\n" + _OFF, *chunks]:
        now += 0.001
        extractor.add(Event(now, OUTPUT, ""), chunk)
    extractor.finish()
