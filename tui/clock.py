"""The playback clock: one position in recording time, moved by real time. Pure: the caller tells time."""

from typing import Protocol

from tui.times import length_label

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
IDLE_EDGE = 0.5
"""Seconds played at both ends of a gap that is skipped."""
_SPEED_SIGNS = {0.25: "¼×", 0.5: "½×"}


class Span(Protocol):
    """What the clock runs over."""

    duration: float
    complete: bool

    def gap_around(self, position: float) -> tuple[float, float]:
        """Activity before and after a position."""
        ...


class Clock:
    """Position, playing, speed and idle skipping. Skipping changes the pace, never a position."""

    def __init__(self, span: Span, speed: float = 1.0, idle: float | None = 2.0) -> None:
        self.span = span
        self.position = 0.0
        self.playing = False
        self.speed = nearest_speed(speed)
        self.idle_limit = idle or 2.0
        self.skipping = idle is not None
        self._ticked = 0.0

    def play(self, now: float) -> None:
        """Go on from the position; from the start when at the end."""
        if self.at_end:
            self.position = 0.0
        self.playing = True
        self._ticked = now

    def pause(self) -> None:
        """Stand still."""
        self.playing = False

    def seek(self, position: float) -> None:
        """Go to a position within the length; playing or paused stays as it is."""
        self.position = min(max(0.0, position), self.span.duration)

    def tick(self, now: float) -> float:
        """Let real time pass until `now`; the seconds of idle time that were skipped meanwhile."""
        passed, self._ticked = now - self._ticked, now
        return self._advance(max(0.0, passed) * self.speed) if self.playing else 0.0

    def hold(self, now: float) -> None:
        """Let real time pass without moving: the picture is not there yet."""
        self._ticked = now

    @property
    def at_end(self) -> bool:
        """True on the last moment of a completely read recording."""
        return self.span.complete and self.position >= self.span.duration

    def faster(self) -> None:
        """Double speed, up to 64."""
        self.speed = SPEEDS[min(SPEEDS.index(self.speed) + 1, len(SPEEDS) - 1)]

    def slower(self) -> None:
        """Half speed, down to a quarter."""
        self.speed = SPEEDS[max(SPEEDS.index(self.speed) - 1, 0)]

    def normal_speed(self) -> None:
        """As it was."""
        self.speed = 1.0

    def toggle_skipping(self) -> None:
        """Play idle time in full, or skip it."""
        self.skipping = not self.skipping

    def _advance(self, seconds: float) -> float:
        skipped = 0.0
        while seconds > 0 and self.position < self.span.duration:
            until, jump = self._next_jump()
            step = min(seconds, until - self.position)
            self.position += step
            seconds -= step
            if self.position < until:
                break
            if jump is not None:
                skipped += jump - self.position
                self.position = jump
        self._stop_at_end()
        return skipped

    def _next_jump(self) -> tuple[float, float | None]:
        """Where plain playing goes on until, and where it jumps to from there."""
        if not self.skipping:
            return self.span.duration, None
        start, end = self.span.gap_around(self.position)
        if end - start <= max(self.idle_limit, 2 * IDLE_EDGE):
            return max(end, self.position), None
        if self.position >= end - IDLE_EDGE:
            return max(end, self.position), None
        return max(self.position, start + IDLE_EDGE), end - IDLE_EDGE

    def _stop_at_end(self) -> None:
        self.position = min(self.position, self.span.duration)
        if self.playing and self.at_end:
            self.playing = False


def nearest_speed(speed: float) -> float:
    """The supported speed closest to the one asked for."""
    return min(SPEEDS, key=lambda known: abs(known - speed))


def speed_label(speed: float, ascii_only: bool = False) -> str:
    """`¼×`, `1×`, `16×`; in ASCII `0.25x`."""
    if ascii_only:
        return f"{speed:g}x"
    return _SPEED_SIGNS.get(speed, f"{speed:g}×")


def skipped_label(seconds: float) -> str:
    """What the status row says after a gap was skipped."""
    return f"skipped {length_label(seconds)} idle"
