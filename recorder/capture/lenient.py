"""A recording that its session may outlive, for a policy that lets sessions go on without one."""

from collections.abc import Callable

from recorder.capture.recording import Recording, RecordingError
from recorder.seal.sealer import Sealer


class LenientRecording(Recording):
    """After the first line that cannot be written there is no other. `on_loss` is called once, with why."""

    def __init__(
        self, fd: int, sealer: Sealer, started: float, on_loss: Callable[[RecordingError], None]
    ) -> None:
        super().__init__(fd, sealer, started)
        self._on_loss = on_loss
        self._begun = False
        self.lost = False

    def begin(self, header: bytes) -> None:
        """As of any recording: a session whose record cannot begin is not this one's business."""
        super().begin(header)
        self._begun = True

    def seal(self, *, final: bool = False) -> None:
        """See `Recording.seal`."""
        if self._begun:
            self._or_lose(lambda: super(LenientRecording, self).seal(final=final))
        else:
            super().seal(final=final)

    def seconds_to_seal(self) -> float | None:
        """See `Recording.seconds_to_seal`; a lost record waits for nothing."""
        return None if self.lost else super().seconds_to_seal()

    def _append(self, *lines: bytes) -> None:
        if self._begun:
            self._or_lose(lambda: super(LenientRecording, self)._append(*lines))
        else:
            super()._append(*lines)

    def _or_lose(self, write: Callable[[], None]) -> None:
        if self.lost:
            return
        try:
            write()
        except RecordingError as error:
            self.lost = True
            self._on_loss(error)
