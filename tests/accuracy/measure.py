"""Compares what was extracted with what was run."""

import difflib
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from recorder.cast.events import KEY
from recorder.cast.reader import open_events
from recorder.commands import Command, extract
from tests.accuracy.driver import Run

_ALIKE = 0.6
"""From this similarity on a text counts as that command, read wrongly."""


@dataclass
class Score:
    """Counts; they add up."""

    run: int = 0
    found: int = 0
    exact: int = 0
    claimed: int = 0
    misses: list[str] = field(default_factory=list)

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.run + other.run,
            self.found + other.found,
            self.exact + other.exact,
            self.claimed + other.claimed,
            self.misses + other.misses,
        )

    @property
    def recall(self) -> float:
        return self.found / self.run if self.run else 1.0

    @property
    def precision(self) -> float:
        return self.found / self.claimed if self.claimed else 1.0

    @property
    def exact_rate(self) -> float:
        return self.exact / self.run if self.run else 1.0


def extracted(recording: bytes, *, keys: bool, marks: bool = False) -> list[Command]:
    """The commands of a recording; without `keys` as if another program had recorded it.

    Without `marks` from the screen alone.
    """
    header, events = open_events(io.BytesIO(recording), "recording")
    if keys:
        session = header.session
        unmarked = replace(header, session=session and replace(session, marks=None))
        return list(extract(header if marks else unmarked, events))
    foreign = (event for event in events if event.code != KEY)
    return list(extract(replace(header, session=None), foreign))


def score(run: Run, *, keys: bool = True, marks: bool = False) -> Score:
    """One run: exact texts are paired first, then texts that are alike."""
    truth = Counter(_normal(text) for text in run.truth)
    claimed = Counter(_normal(command.text) for command in extracted(run.recording, keys=keys, marks=marks))
    exact = truth & claimed
    left, over = list((truth - exact).elements()), list((claimed - exact).elements())
    misses, alike = [], 0
    for text in left:
        match = _most_alike(text, over)
        if match is None:
            misses.append(f"{run.name}: not found: {text!r}")
        else:
            over.remove(match)
            alike += 1
            misses.append(f"{run.name}: {text!r} read as {match!r}")
    misses += [f"{run.name}: never run: {text!r}" for text in over]
    found = exact.total() + alike
    return Score(truth.total(), found, exact.total(), claimed.total(), misses)


def _normal(text: str) -> str:
    """Some histories join lines that a backslash continues; blanks at the end are not to be seen."""
    return "\n".join(line.rstrip() for line in text.replace("\\\n", "").split("\n")).rstrip()


def _most_alike(text: str, candidates: list[str]) -> str | None:
    rated = [(difflib.SequenceMatcher(None, text, other).ratio(), other) for other in candidates]
    best = max(rated, default=(0.0, ""))
    return best[1] if best[0] >= _ALIKE else None


def total(scores: Iterable[Score]) -> Score:
    """All together."""
    return sum(scores, Score())
