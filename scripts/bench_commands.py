#!/usr/bin/env python3
"""Measures the extraction of commands against the terminal engine alone, on ordinary and on hostile output.

Usage: python scripts/bench_commands.py
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from recorder.cast.events import OUTPUT, Event
from recorder.commands import Extractor
from recorder.terminal import Screen

ON, OFF = b"\x1b[?2004h", b"\x1b[?2004l"
SIZE = (120, 40)


def log_lines(count: int) -> bytes:
    """Lines of a log with some colour."""
    source = random.Random(1)  # noqa: S311 - the same text every time is the point
    return b"".join(
        b"2026-11-21T03:%02d host app[%d]: \x1b[32mINFO\x1b[0m request %f served in %d ms\r\n"
        % (number % 60, number, source.random(), number % 97)
        for number in range(count)
    )


KINDS: dict[str, Callable[[], bytes]] = {
    "log": lambda: log_lines(40_000),
    "long lines": lambda: (b"word " * 200 + b"\r\n") * 3_000,
    "numbers": lambda: b"".join(b"%d\r\n" % number for number in range(200_000)),
    "hostile: editor on and off": lambda: (ON + b"$ x\r\n" + OFF) * 8_000,
    "hostile: ends of lines": lambda: ON + b"$ " + b"\r\n" * 150_000,
    "hostile: repetitions": lambda: (ON + b"> a\x1b[65535b\r\n" + OFF) * 800,
    "hostile: endless string": lambda: b"\x1b]0;" + b"a" * 2_000_000,
    "hostile: one endless line": lambda: b"$ " + b"a" * 2_000_000,
}


def engine_alone(chunks: list[bytes]) -> None:
    """What every reader of a screen has to pay."""
    screen = Screen(*SIZE)
    for chunk in chunks:
        screen.feed(chunk)


def extraction(chunks: list[bytes]) -> None:
    """The output of a command that was typed, and perhaps more commands."""
    extractor = Extractor(*SIZE, has_keys=True)
    now = 0.0
    for chunk in [ON, b"$ ", b"run\r\n" + OFF, *chunks]:
        now += 0.01
        extractor.add(Event(now, OUTPUT, ""), chunk)
    extractor.finish()


def megabytes_per_second(action: Callable[[list[bytes]], None], data: bytes) -> float:
    """The better of two rounds, in processor time."""
    chunks = [data[start : start + 4096] for start in range(0, len(data), 4096)]
    times = []
    for _ in range(2):
        start = time.process_time()
        action(chunks)
        times.append(time.process_time() - start)
    return len(data) / min(times) / 1e6


def main() -> None:
    """A line for each kind of output."""
    write = sys.stdout.write
    write(f"{'MB/s, one core':28} {'engine':>8} {'commands':>9}\n")
    for name, make in KINDS.items():
        data = make()
        engine, commands = megabytes_per_second(engine_alone, data), megabytes_per_second(extraction, data)
        write(f"{name:28} {engine:8.1f} {commands:9.1f}\n")


if __name__ == "__main__":
    main()
