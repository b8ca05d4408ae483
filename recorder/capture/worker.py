"""The worker: one process per session, which holds the pty master, the live file and the session key.

It never holds the host key: it sends the public half of a fresh key to whoever started it (the
notary certifies it) and begins to record when the certificate is there.
"""

import base64
import os
import sys
import termios
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from recorder.capture.channel import Channel, ChannelError, Message
from recorder.capture.leader import SupervisedLeader
from recorder.capture.lenient import LenientRecording
from recorder.capture.pump import Ending, TerminalPump, restore
from recorder.capture.recording import Recording, RecordingError
from recorder.capture.streams import StreamPump
from recorder.capture.survivors import Traces
from recorder.capture.terminal import open_own, set_raw
from recorder.capture.typed import hand_on, read_typed
from recorder.errors import ExitCode, SealcastError
from recorder.seal.keys import generate_key, public_bytes
from recorder.seal.sealer import Sealer


@dataclass(frozen=True, slots=True)
class Files:
    """How a worker makes its two files, by session id; both are created, never reopened."""

    create_live: Callable[[str], int]
    write_signature: Callable[[str, str], None]
    tell_user: "Callable[[str], None] | None" = None
    """Given where a session goes on when its record cannot be written: how its user is told."""


class Ends(Protocol):
    """Where a session's bytes come from and go to."""

    def pump(self, recording: Recording, session: str) -> Ending:
        """Let the session start, and move its bytes until it ends."""


@dataclass(frozen=True, slots=True)
class TerminalEnds:
    """A session with a terminal: the user's own, the pty's master and slave, and who tells its end."""

    user: int
    pty: tuple[int, int]
    supervisor: Channel

    def pump(self, recording: Recording, session: str) -> Ending:
        """Pump with the user's terminal in raw mode, which is undone at the end."""
        modes = termios.tcgetattr(self.user)
        own = open_own(self.user)
        set_raw(own, modes)
        try:
            hand_on(read_typed(own, modes), self.pty, recording, modes)
            self.supervisor.send({"ready": session})
            leader = SupervisedLeader(self.supervisor)
            return TerminalPump(own, self.pty, recording, leader, modes).run()
        finally:
            restore(own, modes)
            os.close(own)


@dataclass(frozen=True, slots=True)
class StreamEnds:
    """A session without a terminal: the user's descriptors, the session's pipes, and who tells its end."""

    user: tuple[int, int, int]
    pipes: tuple[int, int, int]
    supervisor: Channel

    def pump(self, recording: Recording, session: str) -> Ending:
        """Pump the three streams."""
        self.supervisor.send({"ready": session})
        return StreamPump(self.user, self.pipes, recording, SupervisedLeader(self.supervisor)).run()


def run_worker(
    ends: Ends,
    notary: Channel,
    files: Files,
    request: Message | None = None,
    traces: Traces | None = None,
) -> int:
    """Record one session; returns the worker's exit status. Failures are told to the notary.

    `request` is what the notary must know of the session, where it does not know it already; by its
    `traces` is found what the session leaves running.
    """
    try:
        _record(ends, notary, files, request or {}, traces)
    except SealcastError as error:
        _report(notary, {"failed": error.message, "hint": error.hint})
        return ExitCode.RECORDING
    except (OSError, termios.error) as error:
        _report(notary, {"failed": f"the session cannot be recorded: {error}", "hint": None})
        return ExitCode.RECORDING
    except Exception:  # the last frame of a process: somebody must hear of it
        traceback.print_exc(file=sys.stderr)
        _report(notary, {"failed": "the recorder failed: this is a bug", "hint": None})
        return ExitCode.BUG
    return ExitCode.OK


def _report(notary: Channel, message: Message) -> None:
    """A session does not end because nobody hears of it: its notary may have been killed."""
    with suppress(ChannelError):
        notary.send(message)


def _finished(ending: Ending, traces: Traces | None) -> Message:
    return {
        "finished": ending.reason.value,
        "status": ending.status,
        "refused": ending.refused,
        "notice": None if ending.notice is None else ending.notice.facts(),
        "left_running": [] if traces is None else traces.survivors(),
    }


def _record(ends: Ends, notary: Channel, files: Files, request: Message, traces: Traces | None) -> None:
    key = generate_key()
    admitted = _admitted(notary, request | {"public": public_bytes(key).hex()})
    session = _text(admitted, "session")
    sealer = Sealer(f"{_text(admitted, 'host')}/{session}", key)
    live = files.create_live(session)
    recording = _recording(live, sealer, float(admitted["started"]), notary, files)
    try:
        recording.begin(_text(admitted, "header").encode())
        ending = ends.pump(recording, session)
        blob = base64.b64decode(_text(admitted, "certificate").split()[1])
        if not isinstance(recording, LenientRecording) or not recording.lost:
            files.write_signature(session, recording.finish(ending.status, blob))
        _report(notary, _finished(ending, traces))  # before the file is let go of: who seals it has to know
    finally:
        recording.close()


def _admitted(notary: Channel, request: Message) -> Message:
    """The answer to a request for admission; who refuses it tells the user, and hangs up."""
    try:
        notary.send(request)
        return notary.receive()
    except ChannelError as error:
        raise SealcastError("the session was not admitted") from error


def _recording(fd: int, sealer: Sealer, started: float, notary: Channel, files: Files) -> Recording:
    tell_user = files.tell_user
    if tell_user is None:
        return Recording(fd, sealer, started)

    def on_loss(error: RecordingError) -> None:
        _report(notary, {"failed": error.message, "goes_on": True})
        tell_user("the recording cannot be written any more; this session goes on without it")

    return LenientRecording(fd, sealer, started, on_loss)


def _text(message: Message, key: str) -> str:
    value = message.get(key)
    if not isinstance(value, str):
        refusal = message.get("refused") or f"the notary's answer has no {key}"
        raise SealcastError(str(refusal), code=ExitCode.RECORDING)
    return value
