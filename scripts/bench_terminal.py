#!/usr/bin/env python3
"""Measures the terminal engine: feed, reading, seeking, and hostile output.

Usage: python scripts/bench_terminal.py [--json] [--large] [--hostile [MEGABYTES]]
The goals stand beside the figures; they are for one core of a quiet machine.
"""

import argparse
import json
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from recorder.terminal import Screen, Step, Timeline
from tests.terminal.captures import load
from tests.terminal.hostile import KINDS, play_kind, retained

SIZE = (120, 40)
CHUNK = 4096
FEED_BYTES = 4_000_000
ROUNDS = 3


class Figure(NamedTuple):
    """One line of the table."""

    name: str
    value: float
    unit: str
    goal: str


def seconds(action: Callable[[], object]) -> float:
    """The best of a few rounds: what the others took longer was not ours."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def output_of(*names: str) -> bytes:
    """The output of some captures, one behind the other."""
    changes = [step.change for name in names for step in load(name).steps]
    return b"".join(change for change in changes if isinstance(change, bytes))


def plain_log() -> bytes:
    """Lines of a log file, 60 to 110 characters each."""
    source = random.Random(1)  # noqa: S311 - the same text every time is the point
    words = [
        "connection",
        "accepted",
        "from",
        "host",
        "session",
        "opened",
        "for",
        "user",
        "request",
        "finished",
        "in",
        "ms",
    ]
    lines = []
    for number in range(2000):
        text = " ".join(source.choices(words, k=source.randint(6, 11)))
        lines.append(f"Nov 21 10:{number % 60:02}:17 host service[{number}]: {text}\r\n")
    return "".join(lines).encode()


FEEDS: dict[str, tuple[Callable[[], bytes], str]] = {
    "feed plain log": (plain_log, ">= 15"),
    "feed heavy colour": (lambda: output_of("lscolor", "gitdiff", "gitpager"), ">= 6"),
    "feed full-screen programs": (lambda: output_of("textual", "fzf", "vim", "tmux", "ncdu", "mc"), ""),
    "feed unicode torture": (lambda: output_of("unicode"), ""),
}


def feed_figures() -> list[Figure]:
    """Throughput by kind of output."""
    figures = []
    for name, (make, goal) in FEEDS.items():
        data = make()
        data *= FEED_BYTES // len(data) + 1
        figures.append(Figure(name, len(data) / seconds(partial(feed, data)) / 1e6, "MB/s", goal))
    return figures


def feed(data: bytes) -> None:
    """Play `data` in pieces of the usual size."""
    screen = Screen(*SIZE)
    for start in range(0, len(data), CHUNK):
        screen.feed(data[start : start + CHUNK])


def read_figures() -> list[Figure]:
    """Reading whole screens that nothing has read before."""
    figures = []
    for name in ("ncdu", "textual", "lscolor", "vim"):
        capture = load(name)
        screens = []
        for _ in range(200):
            screen = Screen(*SIZE)
            screen.feed(output_of(name)[: -len(capture.steps[-1].change) - 2000])
            screens.append(screen)
            if len(screens) * len(output_of(name)) > 4_000_000:
                break
        each = min(timed_read(screen) for screen in screens)
        figures.append(Figure(f"styled read, {name}", each * 1e3, "ms", "< 0.3"))
    return figures


def timed_read(screen: Screen) -> float:
    """Seconds that reading the whole screen takes."""
    start = time.perf_counter()
    read(screen)
    return time.perf_counter() - start


def full_screen_recording(size: int) -> list[Step]:
    """Events of full-screen programs, in 2 KB pieces."""
    data = output_of("textual", "fzf", "vim", "tmux", "ncdu")
    data *= size // len(data) + 1
    return [Step(index / 100, data[start : start + 2048]) for index, start in enumerate(range(0, size, 2048))]


def seek_figures(size: int, label: str, goal: str, memory: int) -> list[Figure]:
    """Building a timeline and jumping about in it, each jump with a styled read."""
    steps = full_screen_recording(size)
    timeline = Timeline(*SIZE, lambda i, j: steps[i:j], memory=memory)
    first = seconds(lambda: read(Timeline(*SIZE, lambda i, j: steps[i:j]).seek(0.0)))
    start = time.perf_counter()
    timeline.build_all()
    built = time.perf_counter() - start
    source = random.Random(2)  # noqa: S311 - the same places every time are the point
    times = []
    for _ in range(200):
        start = time.perf_counter()
        read(timeline.seek(source.uniform(0, steps[-1].time)))
        times.append((time.perf_counter() - start) * 1e3)
    return [
        Figure(f"first picture, {label}", first * 1e3, "ms", "< 1000"),
        Figure(f"build timeline, {label}", built, "s", ""),
        Figure(f"keyframes, {label}", timeline.keyframe_count, "", ""),
        Figure(f"keyframe memory, {label}", timeline.memory / 1e6, "MB (estimate)", ""),
        Figure(f"seek median, {label}", statistics.median(times), "ms", goal),
        Figure(f"seek worst of 200, {label}", max(times), "ms", goal),
    ]


def read(screen: Screen) -> None:
    """Read the whole screen."""
    for y in range(screen.size[1]):
        screen.row_runs(y)


def hostile_figures(megabytes: int) -> list[Figure]:
    """Time for each kind of hostile output, what state is left, and how far memory grew."""
    figures = []
    for kind in KINDS:
        screen = Screen(*SIZE)
        start = time.perf_counter()
        played = play_kind(kind, megabytes << 20, screen)
        took = time.perf_counter() - start
        figures.append(Figure(f"hostile: {kind}", played / took / 1e6, "MB/s", f"{took:.1f} s"))
        figures.append(Figure("    state left", retained(screen) / 1e3, "KB", ""))
        print(kind, f"{took:.1f} s", file=sys.stderr)  # noqa: T201 - progress of a long run
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return [*figures, Figure("peak memory of the process", peak, "MB", "")]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--hostile", type=int, nargs="?", const=50, help="hostile output only, MB per kind")
    parser.add_argument("--large", action="store_true", help="also seek in a recording of 100 MB")
    options = parser.parse_args()
    if options.hostile:
        figures = hostile_figures(options.hostile)
    else:
        figures = feed_figures() + read_figures() + seek_figures(8_000_000, "8 MB", "< 15", 64 << 20)
        if options.large:
            figures += seek_figures(100_000_000, "100 MB", "< 100", 64 << 20)
    if options.json:
        print(json.dumps([figure._asdict() for figure in figures], indent=2))  # noqa: T201 - its output
        return
    for figure in figures:
        print(f"{figure.name:40} {figure.value:10.2f} {figure.unit:14} {figure.goal}")  # noqa: T201 - its output


if __name__ == "__main__":
    main()
