"""A recording as a picture at any time: keyframes while it is read, replay from the nearest one.

`Timeline.build` reads the recording slice by slice, so that an interface can do it while it is idle.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import NamedTuple

from recorder.terminal.screen import Screen
from recorder.terminal.snapshots import Snapshot

KEYFRAME_BYTES = 64 * 1024
"""Output between two keyframes, to begin with."""
MEMORY = 64 * 1024 * 1024
"""About what all keyframes together may hold; beyond it every second one is given up."""
BATCH = 256
"""Events asked for at a time."""
EVENT_COST = 64
"""What an event costs besides its bytes, counted in bytes of output."""


class Step(NamedTuple):
    """One event that changes the picture: output, or a new size (columns, rows)."""

    time: float
    change: bytes | tuple[int, int]


EventsBetween = Callable[[int, int], Sequence[Step]]
"""Steps number i (included) to j (not included); fewer where the recording ends. Times never go back."""


class Keyframe(NamedTuple):
    """The picture after the first `event` events, the last of them at `time`."""

    event: int
    time: float
    snapshot: Snapshot
    cost: int


class Timeline:
    """The pictures of one recording, from its first events on.

    Give it `events_between`, or `append` the events; only the second way keeps them in memory.
    """

    def __init__(
        self,
        cols: int,
        rows: int,
        events_between: EventsBetween | None = None,
        *,
        memory: int = MEMORY,
        spacing: int = KEYFRAME_BYTES,
    ) -> None:
        self._list: list[Step] = []
        self._between = events_between or (lambda start, end: self._list[start:end])
        self._memory = memory
        self._spacing = spacing
        self._screen = Screen(cols, rows)
        self._index = 0
        self._time = 0.0
        self._fed = 0
        self._cost = 0
        self._shared: set[int] = set()
        self._keyframes: list[Keyframe] = []
        self._times: list[float] = []
        self._add_keyframe(float("-inf"))

    def append(self, time: float, change: bytes | tuple[int, int]) -> None:
        """Add an event of a recording that is still growing, or is held in memory anyway."""
        self._list.append(Step(time, change))

    @property
    def built_until(self) -> float:
        """Seeking to this time or before it costs one replay between keyframes at most."""
        return self._time

    @property
    def built_events(self) -> int:
        """How many events were read."""
        return self._index

    @property
    def keyframe_count(self) -> int:
        """How many keyframes are held."""
        return len(self._keyframes)

    @property
    def memory(self) -> int:
        """About how many bytes the keyframes hold."""
        return self._cost

    def build(self, budget: int = KEYFRAME_BYTES, seconds: float = float("inf")) -> bool:
        """Read on for about `budget` bytes of output or `seconds`; False when no event is left for now.

        At least one event is read, and an event is never cut.
        """
        deadline = monotonic() + seconds
        while budget > 0:
            steps = self._between(self._index, self._index + BATCH)
            if not steps:
                return False
            for step in steps:
                budget -= self._advance(step)
                if budget <= 0 or monotonic() >= deadline:
                    return True
        return True

    def build_all(self) -> None:
        """Read everything there is."""
        while self.build(1 << 20):
            pass

    def _advance(self, step: Step) -> int:
        cost = play(self._screen, step)
        self._index += 1
        self._time = max(self._time, step.time)
        self._fed += cost
        if self._fed >= self._spacing:
            self._add_keyframe(self._time)
        return cost

    def _add_keyframe(self, time: float) -> None:
        snapshot = self._screen.snapshot()
        cost, self._shared = _cost(snapshot, self._shared)
        self._keyframes.append(Keyframe(self._index, time, snapshot, cost))
        self._times.append(time)
        self._fed = 0
        self._screen.events()
        self._cost += cost
        while self._cost > self._memory and len(self._keyframes) > 1:
            self._thin_out()

    def _thin_out(self) -> None:
        """Give up every second keyframe. What they shared is now counted for those that stay."""
        kept = self._keyframes[::2]
        self._keyframes = []
        shared: set[int] = set()
        for keyframe in kept:
            cost, shared = _cost(keyframe.snapshot, shared)
            self._keyframes.append(keyframe._replace(cost=cost))
        self._times = [keyframe.time for keyframe in self._keyframes]
        self._cost = sum(keyframe.cost for keyframe in self._keyframes)
        self._spacing *= 2

    def seek(self, time: float) -> Screen:
        """A screen of its own, as it was after all events at or before `time`.

        What was not built yet is built first, so a far jump ahead takes its time then.
        """
        return self.locate(time)[0]

    def locate(self, time: float) -> tuple[Screen, int]:
        """`seek`, with the number of events that have happened."""
        while self._time <= time and self.build(1 << 20):
            pass
        keyframe = self._nearest(time)
        screen = Screen.restore(keyframe.snapshot)
        return screen, self.play_to(screen, keyframe.event, time)

    def _nearest(self, time: float) -> Keyframe:
        """The last keyframe that is not later than `time`."""
        return self._keyframes[bisect_right(self._times, time) - 1]

    def is_ahead(self, time: float, event: int) -> bool:
        """A keyframe lies between event number `event` and `time`, so that a seek beats playing on."""
        return self._nearest(time).event > event

    def play_to(self, screen: Screen, index: int, time: float) -> int:
        """Carry out the events from number `index` on that happen up to `time`; returns the next number."""
        for step in self._steps_from(index):
            if step.time > time:
                break
            play(screen, step)
            index += 1
        return index

    def _steps_from(self, index: int) -> Iterator[Step]:
        while steps := self._between(index, index + BATCH):
            yield from steps
            index += len(steps)


class Playhead:
    """A screen that follows a clock: it plays on where that is the shortest way, and seeks otherwise."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._time = float("-inf")
        self.screen, self._index = timeline.locate(self._time)

    @property
    def time(self) -> float:
        """The time of the picture."""
        return self._time

    def move_to(self, time: float) -> Screen:
        """The picture at `time`; the same screen object as before where it was played on."""
        if time >= self._time and not self._timeline.is_ahead(time, self._index):
            self._index = self._timeline.play_to(self.screen, self._index, time)
        else:
            self.screen, self._index = self._timeline.locate(time)
        self._time = time
        return self.screen


def play(screen: Screen, step: Step) -> int:
    """Carry out one event; returns what it cost, in bytes of output."""
    if isinstance(step.change, bytes):
        screen.feed(step.change)
        return len(step.change) + EVENT_COST
    screen.resize(*step.change)
    return KEYFRAME_BYTES // 16


def _cost(snapshot: Snapshot, shared: set[int]) -> tuple[int, set[int]]:
    """About how many bytes `snapshot` adds to one that holds the lines `shared`, and the lines it holds."""
    lines = snapshot.lines()
    added = sum(line.cost for line in lines if id(line) not in shared)
    return 1024 + 8 * len(lines) + added, {id(line) for line in lines}
