"""The live recording: events become lines, lines become leaves, and seals follow in time."""

import binascii
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Protocol

from recorder.cast import events
from recorder.cast.utf8 import Piece, Utf8Stream
from recorder.cast.v2 import encode_event
from recorder.errors import ExitCode, SealcastError
from recorder.seal.sealer import Sealer

SEAL_AFTER_SECONDS = 1.0
SEAL_AFTER_BYTES = 1024 * 1024


class RecordingError(SealcastError):
    """The record could not be written: the session must not go on."""

    def __init__(self, error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        super().__init__(
            f"the recording cannot be written ({reason}); the session ends here",
            "what was sealed is kept; free some space, then start a new session",
            ExitCode.RECORDING,
        )


class Durability(Protocol):
    """Brings what was written to the disk."""

    def request(self) -> None:
        """Start a sync soon; raises OSError when an earlier one failed."""

    def stop(self) -> None:
        """Let a running sync finish; there will be no other."""


class BackgroundSync:
    """fdatasync in a thread: it takes milliseconds, and the user's output must not wait for it.

    Requests that arrive during a sync are answered by one more sync. A failed sync is an error of
    the record: the next `request` raises it.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._error: OSError | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._thread.start()  # without signals: eventfd_read is not taken up again after one
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def request(self) -> None:
        """Have everything written so far synced soon."""
        if self._error is not None:
            raise self._error
        os.eventfd_write(self._wake, 1)

    def stop(self) -> None:
        """Let a running sync finish; there will be no other."""
        self._stopping = True
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        os.close(self._wake)

    def _run(self) -> None:
        while True:
            os.eventfd_read(self._wake)
            if self._stopping:
                return
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                self._error = error


class Recording:
    """Appends to one live file. Every method raises RecordingError when the record cannot be written.

    `started` is the monotonic clock's reading at event time 0, in seconds; `durability` sees to the disk.
    """

    def __init__(
        self,
        fd: int,
        sealer: Sealer,
        started: float,
        durability: Callable[[int], Durability] = BackgroundSync,
    ) -> None:
        self._fd = fd
        self._sealer = sealer
        self._started = started
        self._texts = (Utf8Stream(), Utf8Stream())  # standard output and error split characters apart
        self._typed = Utf8Stream()
        self._unsealed_since: float | None = None
        self._unsealed_bytes = 0
        self._make_durable = durability
        self._durability: Durability | None = None

    def begin(self, header: bytes) -> None:
        """Write the header line and seal it; on disk when this returns."""
        self._append(header)
        self.seal()
        self._sync_now()
        self._durability = self._make_durable(self._fd)

    def output(self, data: bytes, *, error: bool = False) -> None:
        """Record what the user is about to be shown, byte for byte."""
        self._text(events.OUTPUT, self._texts[error].feed(data), error=error)

    def input(self, data: bytes) -> None:
        """Record what the session is about to be sent, byte for byte."""
        self._text(events.INPUT, self._typed.feed(data))

    def _text(self, code: str, pieces: list[Piece], *, error: bool = False) -> None:
        stamp = self._now()
        lines = []
        for piece, raw in pieces:
            lines.append(encode_event(stamp, code, piece))
            if raw is not None:
                lines.append(encode_event(stamp, events.BYTES, _base64(raw)))
            if error:
                lines.append(encode_event(stamp, events.ERROR, ""))
        self._append(*lines)
        if self._unsealed_bytes >= SEAL_AFTER_BYTES:
            self.seal()

    def event(self, code: str, data: str) -> None:
        """Record one event that is not output."""
        self._append(encode_event(self._now(), code, data))

    def seconds_to_seal(self) -> float | None:
        """How long the next seal may wait, 0 when it is due; None when every line is sealed."""
        if self._unsealed_since is None:
            return None
        return max(0.0, self._unsealed_since + SEAL_AFTER_SECONDS - time.monotonic())

    def seal(self, *, final: bool = False) -> None:
        """Write a seal over all lines so far, and have it brought to the disk."""
        note = self._sealer.seal(time.time_ns() // 1_000_000, final)
        self._append(encode_event(self._now(), events.SEAL, note))
        self._unsealed_since = None
        self._unsealed_bytes = 0
        if self._durability is not None:
            self._request_sync(self._durability)

    def finish(self, exit_status: int | None, public_blob: bytes) -> str:
        """Write exit status and final seal; returns the closing signature (SSHSIG) over the whole file."""
        if exit_status is not None:
            self.event(events.EXIT, str(exit_status))
        self.seal(final=True)
        self._sync_now()
        return self._sealer.file_signature(public_blob)

    def close(self) -> None:
        """Let go of the file; with its lock, somebody else may finish it."""
        if self._durability is not None:
            self._durability.stop()
            self._durability = None
        os.close(self._fd)

    def _now(self) -> float:
        return time.monotonic() - self._started

    def _append(self, *lines: bytes) -> None:
        data = lines[0] if len(lines) == 1 else b"".join(lines)
        try:
            written = os.write(self._fd, data)
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError as error:
            raise RecordingError(error) from error
        for line in lines:
            self._sealer.add(line)
        self._unsealed_bytes += len(data)
        if self._unsealed_since is None:
            self._unsealed_since = time.monotonic()

    def _request_sync(self, durability: Durability) -> None:
        try:
            durability.request()
        except OSError as error:
            raise RecordingError(error) from error

    def _sync_now(self) -> None:
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise RecordingError(error) from error


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()
