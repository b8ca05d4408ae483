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
from dataclasses import dataclass

from recorder.capture.channel import Channel, Message
from recorder.capture.leader import SupervisedLeader
from recorder.capture.pump import Ending, TerminalPump, restore
from recorder.capture.recording import Recording
from recorder.capture.streams import StreamPump
from recorder.capture.terminal import open_own, set_raw
from recorder.errors import ExitCode, SealcastError
from recorder.seal.keys import generate_key, public_bytes
from recorder.seal.sealer import Sealer


@dataclass(frozen=True, slots=True)
class Files:
    """How a worker makes its two files, by session id; both are created, never reopened."""

    create_live: Callable[[str], int]
    write_signature: Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class TerminalEnds:
    """A session with a terminal: the user's own, and the pty's master and slave."""

    user: int
    pty: tuple[int, int]

    def pump(self, recording: Recording, supervisor: Channel) -> Ending:
        """Pump with the user's terminal in raw mode, which is undone at the end."""
        modes = termios.tcgetattr(self.user)
        own = open_own(self.user)
        set_raw(own, modes)
        try:
            supervisor.send({"ready": True})
            return TerminalPump(own, self.pty, recording, SupervisedLeader(supervisor), modes).run()
        finally:
            restore(own, modes)
            os.close(own)


@dataclass(frozen=True, slots=True)
class StreamEnds:
    """A session without a terminal: the user's three descriptors, and the session's three pipes."""

    user: tuple[int, int, int]
    pipes: tuple[int, int, int]

    def pump(self, recording: Recording, supervisor: Channel) -> Ending:
        """Pump the three streams."""
        supervisor.send({"ready": True})
        return StreamPump(self.user, self.pipes, recording, SupervisedLeader(supervisor)).run()


def run_worker(ends: TerminalEnds | StreamEnds, supervisor: Channel, files: Files) -> int:
    """Record one session; returns the worker's exit status. Failures are told to the supervisor."""
    try:
        ending = _record(ends, supervisor, files)
    except SealcastError as error:
        supervisor.send({"failed": error.message, "hint": error.hint})
        return ExitCode.RECORDING
    except OSError as error:
        supervisor.send({"failed": f"the session cannot be recorded: {error}", "hint": None})
        return ExitCode.RECORDING
    except Exception:  # the last frame of a process: the supervisor must hear of it
        traceback.print_exc(file=sys.stderr)
        supervisor.send({"failed": "the recorder failed: this is a bug", "hint": None})
        return ExitCode.BUG
    supervisor.send({"finished": ending.reason.value, "status": ending.status})
    return ExitCode.OK


def _record(ends: TerminalEnds | StreamEnds, supervisor: Channel, files: Files) -> Ending:
    key = generate_key()
    supervisor.send({"public": public_bytes(key).hex()})
    admitted = supervisor.receive()
    session = _text(admitted, "session")
    sealer = Sealer(f"{_text(admitted, 'host')}/{session}", key)
    recording = Recording(files.create_live(session), sealer, float(admitted["started"]))
    recording.begin(_text(admitted, "header").encode())
    ending = ends.pump(recording, supervisor)
    blob = base64.b64decode(_text(admitted, "certificate").split()[1])
    files.write_signature(session, recording.finish(ending.status, blob))
    return ending


def _text(message: Message, key: str) -> str:
    value = message[key]
    if not isinstance(value, str):
        raise SealcastError(f"the notary's answer has no {key}", code=ExitCode.RECORDING)
    return value
