"""The pump of a session without a terminal: three pipes, with half-close in every direction.

The end is end of file on both outputs, as for sshd itself. Every byte of output is appended to the
record before it is passed on. The user's own descriptors are shared with other processes, so they
stay blocking: at most PIPE_BUF bytes are written when poll says that there is room, which pipe(7)
promises not to block.
"""

import os
import select
from dataclasses import dataclass, field

from recorder.capture.leader import Leader, LeaderLostError
from recorder.capture.pump import Ending, Reason, known
from recorder.capture.recording import Recording

READ_SIZE = 64 * 1024
MAX_PENDING = 64 * 1024
MAX_LAST = 2 * 1024 * 1024
"""Bytes passed on after the leader's end before that may be seen: what two pipes can hold (pipe-max-size)."""
_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


@dataclass(slots=True)
class Flow:
    """One direction: bytes read from `source` wait in `pending` until `sink` takes them."""

    source: int
    sink: int
    error: bool | None
    """True for standard error, False for standard output, None for input, which is not recorded."""
    pending: bytearray = field(default_factory=bytearray)
    ended: bool = False
    closed: bool = False


class StreamPump:
    """Moves bytes until both outputs have ended and the exit status is known.

    `user` is the caller's stdin, stdout and stderr; `pipes` the session's ends: stdin to write, stdout
    and stderr to read. The pump closes all of them.
    """

    def __init__(
        self,
        user: tuple[int, int, int],
        pipes: tuple[int, int, int],
        recording: Recording,
        leader: Leader,
    ) -> None:
        self._input = Flow(user[0], pipes[0], None)
        self._outputs = (Flow(pipes[1], user[1], error=False), Flow(pipes[2], user[2], error=True))
        self._recording = recording
        self._leader = leader
        self._status: int | None = None
        self._reason = Reason.SHELL_ENDED
        self._following = True
        self._last_bytes = -1
        """Read since the leader ended; -1 while it runs and after it was let go."""

    def run(self) -> Ending:
        """Pump until the end; raises RecordingError when the record cannot be written."""
        while self._reason is Reason.SHELL_ENDED and not self._finished():
            self._turn()
        self._close_all()
        return Ending(self._reason, self._status)

    def _finished(self) -> bool:
        return not self._following and all(flow.closed for flow in self._outputs)

    def _turn(self) -> None:
        seconds = 0.0 if self._is_drained() else self._recording.seconds_to_seal()
        ready = dict(self._poller().poll(None if seconds is None else seconds * 1000))
        if self._is_drained() and not any(flow.source in ready for flow in self._outputs):
            self._let_go()
        for flow in (self._input, *self._outputs):
            self._move(flow, ready)
        if self._following and self._leader.fileno() in ready:
            self._on_leader()
        if self._recording.seconds_to_seal() == 0:
            self._recording.seal()

    def _is_drained(self) -> bool:
        """Whether the leader has ended, and nothing that was read waits to be passed on."""
        return self._last_bytes >= 0 and not any(flow.pending for flow in self._outputs)

    def _let_go(self) -> None:
        self._last_bytes = -1
        self._leader.let_go()

    def _poller(self) -> select.poll:
        poller = select.poll()
        if self._following:
            poller.register(self._leader.fileno(), select.POLLIN)
        for flow in (self._input, *self._outputs):
            if not flow.closed:
                poller.register(flow.sink, select.POLLOUT if flow.pending else 0)
                if not flow.ended and len(flow.pending) < MAX_PENDING:
                    poller.register(flow.source, select.POLLIN)
        return poller

    def _move(self, flow: Flow, ready: dict[int, int]) -> None:
        if flow.closed:
            return
        sink = ready.get(flow.sink, 0)
        if flow.pending and sink & select.POLLOUT:
            self._pass_on(flow)
        elif sink & _GONE and not sink & select.POLLOUT:
            self._close(flow)
        if not flow.closed and not flow.ended and ready.get(flow.source, 0):
            self._take(flow)
        if flow.ended and not flow.pending:
            self._close(flow)

    def _take(self, flow: Flow) -> None:
        try:
            data = os.read(flow.source, READ_SIZE)
        except OSError:
            data = b""
        if not data:
            flow.ended = True
            return
        if flow.error is not None:
            self._recording.output(data, error=flow.error)
            self._count_last(len(data))
        flow.pending += data

    def _count_last(self, size: int) -> None:
        """A child that goes on to write must not keep the leader for ever."""
        if self._last_bytes >= 0:
            self._last_bytes += size
            if self._last_bytes > MAX_LAST:
                self._let_go()

    def _pass_on(self, flow: Flow) -> None:
        try:
            del flow.pending[: os.write(flow.sink, flow.pending[: select.PIPE_BUF])]
        except OSError:  # the reader is gone
            self._close(flow)

    def _close(self, flow: Flow) -> None:
        """Close both ends: the writer gets SIGPIPE, the reader end of file, as without a recorder."""
        if not flow.closed:
            flow.closed = flow.ended = True
            flow.pending.clear()
            os.close(flow.source)
            os.close(flow.sink)

    def _on_leader(self) -> None:
        try:
            status = self._leader.ended()
        except LeaderLostError:
            self._following = False
            self._reason = Reason.SUPERVISOR_GONE
            return
        if status is not None:
            self._following = False
            self._status = known(status)
            self._last_bytes = 0

    def _close_all(self) -> None:
        for flow in (self._input, *self._outputs):
            self._close(flow)
