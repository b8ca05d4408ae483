"""The pump of a session without a terminal: three pipes, with half-close in every direction.

The end is end of file on both outputs, as for sshd itself. Every byte is recorded, or counted and hashed
where a cap leaves it out, before it is passed on.
"""

import select
from functools import partial

from recorder.capture.elision import CappedStream, Caps
from recorder.capture.flow import Flow, Observe
from recorder.capture.guard import Guard, Notice
from recorder.capture.leader import Leader, LeaderLostError
from recorder.capture.pump import Ending, Reason, known
from recorder.capture.recording import Recording
from recorder.capture.sftp_observer import Observer
from recorder.capture.stream_plan import StreamPlan
from recorder.cast import events

MAX_LAST = 2 * 1024 * 1024
"""Bytes passed on after the leader's end before that may be seen: what two pipes can hold (pipe-max-size)."""
EVERYTHING = StreamPlan(Caps(), Caps())
"""All output, and no input: a session of one's own."""


class StreamPump:
    """Moves bytes until both outputs have ended and the exit status is known.

    `user` is the caller's stdin, stdout and stderr; `pipes` the session's ends: stdin to write, stdout
    and stderr to read. The pump closes all of them. The plan's observer sees input and output as they pass.
    """

    def __init__(  # noqa: PLR0913, PLR0917 two ends, and who has a say in between
        self,
        user: tuple[int, int, int],
        pipes: tuple[int, int, int],
        recording: Recording,
        leader: Leader,
        plan: StreamPlan = EVERYTHING,
        guard: Guard | None = None,
    ) -> None:
        self._plan = plan
        self._observer = plan.observer
        self._streams = _streams(recording, plan.caps)
        typed, shown, told = (_taker(stream) for stream in self._streams)
        if self._observer is not None:
            typed, shown = _both(self._observer.client, typed), _both(self._observer.server, shown)
        self._input = Flow(user[0], pipes[0], typed)
        self._outputs = (Flow(pipes[1], user[1], shown), Flow(pipes[2], user[2], told))
        self._flows = (self._input, *self._outputs)
        self._recording = recording
        self._leader = leader
        self._poll = select.poll()
        self._watched: dict[int, int] = {}
        self._status: int | None = None
        self._reason = Reason.SHELL_ENDED
        self._guard = guard or Guard()
        self._notice: Notice | None = None
        self._following = True
        self._last_bytes = -1
        """Read since the leader ended; -1 while it runs and after it was let go."""

    def run(self) -> Ending:
        """Pump until the end; raises RecordingError when the record cannot be written."""
        facts = self._plan.facts()
        if facts is not None:
            self._recording.event(events.TRANSFER, facts)
        while self._reason is Reason.SHELL_ENDED and not self._finished():
            self._turn()
        for flow in self._flows:
            flow.close()
        if self._observer is not None:
            self._note(self._observer.finish())
        self._report(at_the_end=True)
        refused = next((flow.refused for flow in self._outputs if flow.refused), 0)
        return Ending(self._reason, self._status, self._notice, refused)

    def _listen(self, observer: Observer) -> None:
        """Record what the observer saw; where it could not follow, what passes from now on is stored."""
        was_broken = observer.broken
        self._note(observer.lines())
        if observer.broken and not was_broken:
            caps = self._plan.fallback
            for stream, cap in zip(self._streams, (caps.input, caps.output, caps.error), strict=True):
                if stream is not None:
                    stream.cap = cap

    def _note(self, lines: list[str]) -> None:
        for line in lines:
            self._recording.event(events.FILE, line)

    def _finished(self) -> bool:
        return not self._following and all(flow.closed for flow in self._outputs)

    def _turn(self) -> None:
        seconds = 0.0 if self._is_drained() else self._patience()
        self._watch()
        ready = dict(self._poll.poll(None if seconds is None else seconds * 1000))
        if self._is_drained() and not any(flow.source in ready for flow in self._outputs):
            self._let_go()
        self._input.move(ready)
        self._count_last(sum(flow.move(ready) for flow in self._outputs))
        if self._following and self._leader.fileno() in ready:
            self._on_leader()
        if self._observer is not None and self._observer.fileno() in ready:
            self._listen(self._observer)
        self._heed(self._guard.heard() if self._guard.fileno() in ready else self._guard.due())
        self._report()
        if self._recording.seconds_to_seal() == 0:
            self._recording.seal()

    def _heed(self, notice: Notice | None) -> None:
        """End the session where the notice says so; a warning would be in the way of a transfer."""
        if notice is None or notice.cause is None:
            return
        told = f"sealcast: {notice.line}\n".encode()
        self._recording.output(told, error=True)
        self._outputs[1].add(told)
        self._recording.event(events.MARKER, notice.line)
        self._notice, self._reason = notice, Reason(notice.cause)

    def _patience(self) -> float | None:
        """Until the next line or seal is due."""
        due = [
            self._recording.seconds_to_seal(),
            self._guard.seconds(),
            *(s.seconds_to_report() for s in self._streams if s),
        ]
        return min((seconds for seconds in due if seconds is not None), default=None)

    def _report(self, *, at_the_end: bool = False) -> None:
        """Name what was left out, where that is due; at the end all of it."""
        for stream in self._streams:
            if stream is not None and (at_the_end or stream.seconds_to_report() == 0):
                told = stream.report()
                if told is not None:
                    self._recording.event(events.ELISION, told)
                    self._recording.seal()

    def _watch(self) -> None:
        wanted: dict[int, int] = {}
        if self._following:
            wanted[self._leader.fileno()] = select.POLLIN
        if self._observer is not None and self._observer.fileno() >= 0:
            wanted[self._observer.fileno()] = select.POLLIN
        if self._guard.fileno() >= 0:
            wanted[self._guard.fileno()] = select.POLLIN
        for flow in self._flows:
            flow.wishes(wanted.__setitem__)
        for fd in self._watched.keys() - wanted.keys():
            self._poll.unregister(fd)
        for fd, mask in wanted.items():
            if self._watched.get(fd) != mask:
                self._poll.register(fd, mask)
        self._watched = wanted

    def _is_drained(self) -> bool:
        """Whether the leader has ended, and nothing that was read waits to be passed on."""
        return self._last_bytes >= 0 and not any(flow.waits for flow in self._outputs)

    def _let_go(self) -> None:
        self._last_bytes = -1
        self._leader.let_go()

    def _count_last(self, size: int) -> None:
        """A child that goes on to write must not keep the leader for ever."""
        if self._last_bytes >= 0:
            self._last_bytes += size
            if self._last_bytes > MAX_LAST:
                self._let_go()

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


def _streams(recording: Recording, caps: Caps) -> tuple[CappedStream | None, CappedStream, CappedStream]:
    typed = CappedStream("input", caps.input, recording.input) if caps.with_input else None
    told = CappedStream("error", caps.error, partial(recording.output, error=True))
    return typed, CappedStream("output", caps.output, recording.output), told


def _taker(stream: CappedStream | None) -> Observe:
    return _ignore if stream is None else stream.take


def _ignore(_: memoryview) -> None:
    """Input that nobody asked to record."""


def _both(first: Observe, second: Observe) -> Observe:
    def take(data: memoryview) -> None:
        first(data)
        second(data)

    return take
