"""The guard that a worker's session gets: the policy's limits, and a control socket of its own."""

import os
from collections.abc import Callable

from recorder.capture.channel import Message
from recorder.capture.control import Control
from recorder.capture.guard import Deadlines, Guard
from recorder.capture.survivors import Traces
from recorder.daemon.live import control_path
from recorder.policy.model import Policy
from recorder.store.layout import Store


def guard_maker(store: Store, policy: Policy, traces: Traces, pty: int) -> Callable[[str], Guard]:
    """Makes the guard of a session by its id; `pty` is the number of its terminal, -1 without one."""

    def make(session: str) -> Guard:
        idle = policy.limits.idle if pty >= 0 else 0
        facts: Message = {"session": session, "uid": traces.uid, "pid": os.getpid(), "pty": pty}
        deadlines = Deadlines(idle, policy.limits.duration)
        control = Control(control_path(store, session))
        return Guard(deadlines, control, facts, traces, policy.recording.input)

    return make
