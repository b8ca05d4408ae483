"""The player without a screen: a clock over a recording, and the picture that belongs to each position. Pure.

The picture for a position never depends on how one got there: `ScreenModel.show(t)` feeds on from the last
picture where that is near, and otherwise asks the keyframes.
"""

from threading import Lock

from recorder.terminal import Screen, Step, Timeline
from tui.clock import Clock
from tui.recording import Recording, Size

DIRECT_BYTES = 128 * 1024
"""Output up to this many bytes is fed in place; further away a keyframe is nearer."""
BUILD_SLICE = 64 * 1024
"""Output bytes given to the keyframes at a time, so that a seek never waits long for the lock."""
STEP_LIMIT = 300
"""Changes outside the visible part that one step passes over before it stops anyway."""
LARGEST = Size(1000, 500)

Picture = tuple[object, ...]


class ScreenModel:
    """The recorded terminal at a position. One thread may `build` while another shows."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.screen = Screen(*recording.size)
        self.fed = 0
        """Payloads that are in the picture."""
        self._timeline = Timeline(*recording.size, self._steps)
        self._lock = Lock()

    def build(self) -> bool:
        """Read one slice on into the keyframes; False when nothing is left for now."""
        with self._lock:
            return self._timeline.build(BUILD_SLICE)

    @property
    def built(self) -> int:
        """Payloads that the keyframes cover."""
        return self._timeline.built_events

    def show(self, position: float) -> bool:
        """Bring the picture to a position; False if the keyframes do not reach that far yet."""
        target = self.recording.index_at(position)
        if target < self.fed or not self._near(target):
            return self._jump(target, position)
        self._feed(target)
        return True

    def take_dirty(self) -> set[int]:
        """Rows that look different since the last call."""
        return self.screen.take_dirty()

    def picture(self, rows: range) -> Picture:
        """Something equal exactly when the rows, the cursor and the size look the same."""
        screen = self.screen
        cursor, height = screen.cursor, screen.size[1]
        runs = tuple(screen.line(y).runs for y in rows if y < height)
        return (screen.size, cursor.x, cursor.y, cursor.visible, runs)

    def _near(self, target: int) -> bool:
        return self.recording.output_bytes(self.fed, target) <= DIRECT_BYTES

    def _feed(self, target: int) -> None:
        for index in range(self.fed, target):
            payload = self.recording.payloads[index]
            if isinstance(payload, Size):
                self.screen.resize(*payload)
            else:
                self.screen.feed(payload)
        self.fed = target

    def _jump(self, target: int, position: float) -> bool:
        # up to what follows the target: `locate` would otherwise read on until then, while the screen waits
        if self.built < min(target + 1, len(self.recording.times)):
            return self._restart(target)
        with self._lock:
            self.screen, self.fed = self._timeline.locate(position)
        return True

    def _restart(self, target: int) -> bool:
        """From the very first byte, if that is near enough."""
        if self.recording.output_bytes(0, target) > DIRECT_BYTES:
            return False
        self.screen = Screen(*self.recording.size)
        self.fed = 0
        self._feed(target)
        return True

    def _steps(self, start: int, end: int) -> list[Step]:
        recording = self.recording
        end = min(end, len(recording.times))
        return [Step(recording.times[i], recording.payloads[i]) for i in range(start, end)]


class Player:
    """Clock and picture together: what the keys of the player do."""

    def __init__(self, recording: Recording, speed: float = 1.0, idle: float | None = 2.0) -> None:
        self.recording = recording
        self.clock = Clock(recording, speed, idle)
        self.model = ScreenModel(recording)
        self.waiting = False
        """True while the picture lags behind the position because keyframes are missing."""

    @property
    def position(self) -> float:
        """Recording time shown."""
        return self.clock.position

    def tick(self, now: float) -> float:
        """Let time pass; seconds of idle time skipped."""
        if self.waiting:
            self.clock.hold(now)
        skipped = self.clock.tick(now)
        self.refresh()
        return skipped

    def refresh(self) -> bool:
        """Make the picture that of the position, if it can be made yet."""
        self.waiting = not self.model.show(self.clock.position)
        return not self.waiting

    def seek(self, position: float) -> None:
        """Go to a position, whether playing or paused."""
        self.clock.seek(position)
        self.refresh()

    def seek_by(self, seconds: float) -> None:
        """Go forward or back."""
        self.seek(self.clock.position + seconds)

    def seek_share(self, share: float) -> None:
        """Go to a part of the length, 0 to 1."""
        self.seek(self.recording.duration * share)

    def toggle(self, now: float) -> None:
        """Play or pause."""
        if self.clock.playing:
            self.clock.pause()
        else:
            self.clock.play(now)

    def step(self, direction: int, rows: range) -> bool:
        """One visible change forward (1) or back (-1) within `rows`, pausing; False where there is none."""
        self.clock.pause()
        frame_at = self.recording.frame_after if direction > 0 else self.recording.frame_before
        before = self.model.picture(rows)
        moved = False
        for _ in range(STEP_LIMIT):
            moment = frame_at(self.clock.position)
            if moment is None:
                break
            moved = True
            self.seek(moment)
            if self.waiting or self.model.picture(rows) != before:
                break
        return moved
