"""The recordings of real programs in `tests/golden/terminal`, and where in them screens are compared."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from recorder.terminal import Screen
from recorder.terminal.keyframes import Step, play

GOLDEN = Path(__file__).parents[1] / "golden" / "terminal"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.cast"))


class Capture(NamedTuple):
    """One recording: its first size, and what changes its picture."""

    name: str
    size: tuple[int, int]
    steps: list[Step]


def load(name: str) -> Capture:
    """Read a capture (asciicast v2)."""
    with (GOLDEN / f"{name}.cast").open(encoding="utf-8") as file:
        header = json.loads(next(file))
        steps = [step for line in file if (step := _step(*json.loads(line))) is not None]
    return Capture(name, (header["width"], header["height"]), steps)


def _step(time: float, code: str, data: str) -> Step | None:
    if code == "o":
        return Step(time, data.encode())
    if code == "r":
        cols, rows = data.split("x")
        return Step(time, (int(cols), int(rows)))
    return None


def checkpoints(capture: Capture, count: int) -> list[int]:
    """About `count` event numbers, evenly spread over the output, after which nothing is half received."""
    screen = Screen(*capture.size)
    ground = []
    for index, step in enumerate(capture.steps, 1):
        play(screen, step)
        if screen.at_ground:
            ground.append(index)
    return sorted({ground[len(ground) * part // count - 1] for part in range(1, count + 1)})


def stages(capture: Capture, points: list[int]) -> Iterator[tuple[int, list[Step]]]:
    """The events up to each checkpoint, from the one before it."""
    start = 0
    for point in points:
        yield point, capture.steps[start:point]
        start = point
