"""One recording in memory, as the player reads it: what was shown when. One thread fills it, another reads.

Positions are seconds of recording time. No Textual here, and no I/O.
"""

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import NamedTuple

FRAME_SPAN = 0.010
"""Events within this many seconds of a frame's first event are one visible change."""


class Size(NamedTuple):
    """A terminal size in cells."""

    cols: int
    rows: int

    def __str__(self) -> str:
        return f"{self.cols}×{self.rows}"


Payload = bytes | Size


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment with a name: a marker of the recording."""

    time: float
    label: str


class Recording:
    """What was shown (output and sizes) in order, with prefix sums: any span is counted in O(log n)."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.times = array("d")
        self.payloads: list[Payload] = []
        self.totals = array("q", (0,))
        """totals[n] = output bytes of the first n payloads."""
        self.activity = array("d")
        """Moments with output, input or a key, for idle gaps."""
        self.frames = array("d")
        """The last moment of each visible change."""
        self.marks: list[Mark] = []
        self.resizes: list[float] = []
        self.duration = 0.0
        self.complete = False
        self.skipped = 0
        self._frame_began = -1.0

    def add_output(self, time: float, data: bytes) -> None:
        """Output bytes shown at `time`; times never go back."""
        self._add(time, data, len(data))

    def add_resize(self, time: float, size: Size) -> None:
        """The terminal had another size from `time` on."""
        self.resizes.append(time)
        self._add(time, size, 0)

    def add_activity(self, time: float) -> None:
        """Something other than output happened: input, a key."""
        self._reach(time)
        self.activity.append(time)

    def add_mark(self, time: float, label: str) -> None:
        """A marker event."""
        self._reach(time)
        self.marks.append(Mark(time, label))

    def finish(self, duration: float | None = None) -> None:
        """No more events come; the length is at least that of the last event."""
        self._reach(duration or 0.0)
        self.complete = True

    def reach(self, time: float) -> None:
        """The recording goes on at least until `time` (exit, seal, …)."""
        self._reach(time)

    def index_at(self, position: float) -> int:
        """How many payloads have been shown at `position`, that moment included."""
        return bisect_right(self.times, position)

    def output_bytes(self, first: int, last: int) -> int:
        """Output bytes of payloads first..last-1."""
        return self.totals[last] - self.totals[first]

    def output_between(self, start: float, end: float) -> int:
        """Output bytes with start <= time < end."""
        first, last = bisect_left(self.times, start), bisect_left(self.times, end)
        return self.output_bytes(first, max(first, last))

    def gap_around(self, position: float) -> tuple[float, float]:
        """The moments of activity before (or at) and after `position`; the start and end count as such."""
        after = bisect_right(self.activity, position)
        start = self.activity[after - 1] if after else 0.0
        end = self.activity[after] if after < len(self.activity) else max(self.duration, start)
        return start, end

    def frame_after(self, position: float) -> float | None:
        """The end of the next visible change, or None at the last."""
        at = bisect_right(self.frames, position)
        return self.frames[at] if at < len(self.frames) else None

    def frame_before(self, position: float) -> float | None:
        """The end of the visible change before the one shown at `position`, 0 before the first, None at 0."""
        at = bisect_right(self.frames, position) - 1
        if at >= 0 and self.frames[at] < position - FRAME_SPAN:
            return self.frames[at]
        if at > 0:
            return self.frames[at - 1]
        return 0.0 if position > 0 else None

    def size_at(self, position: float) -> Size:
        """The recorded terminal size at `position`."""
        at = bisect_right(self.resizes, position)
        if not at:
            return self.size
        index = self.index_at(self.resizes[at - 1])
        while index and not isinstance(self.payloads[index - 1], Size):
            index -= 1
        found = self.payloads[index - 1]
        return found if isinstance(found, Size) else self.size

    def _add(self, time: float, payload: Payload, count: int) -> None:
        self._reach(time)
        self.payloads.append(payload)
        self.totals.append(self.totals[-1] + count)
        self.activity.append(time)
        if self._frame_began >= 0 and time - self._frame_began <= FRAME_SPAN:
            self.frames[-1] = time
        else:
            self._frame_began = time
            self.frames.append(time)
        self.times.append(time)

    def _reach(self, time: float) -> None:
        self.duration = max(self.duration, time)
