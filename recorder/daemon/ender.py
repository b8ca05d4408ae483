"""The ender: the one process of the recorder with a privilege, CAP_KILL, where the policy asks for it.

It holds nothing else: no key, no descriptor of a user's, and it reads no byte of a session. Workers tell it
over a socket in the store, where no user can, what a session that has just ended had in common; it looks for
the processes itself, and signals those of that session's user only.
"""

import json
import os
import select
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from recorder.capture.channel import Message
from recorder.capture.control import MAX_PACKET, PATIENCE_SECONDS
from recorder.capture.survivors import ENDER_SOCKET, ENDING_SECONDS, Traces, traces_from
from recorder.daemon import journal
from recorder.daemon.ending import end_survivors
from recorder.errors import ExitCode, SealcastError
from recorder.policy.model import Policy
from recorder.store.layout import Store

_BACKLOG = 1024
_CREDENTIALS = struct.Struct("3i")


def ender_path(store: Store) -> Path:
    """Its socket: in a directory that only the recorder's own user can enter."""
    return store.root / ENDER_SOCKET


def ender_for(store: Store, policy: Policy) -> Path | None:
    """Where a session's worker finds it; None where the policy leaves alone what a session leaves."""
    return ender_path(store) if policy.daemon.end_survivors else None


def start_ender(store: Store, policy: Policy, in_child: Callable[[], int]) -> int:
    """Fork it and give the privilege up here; its pid, 0 where the policy does not ask for it.

    `in_child` lets go of what is the daemon's; the descriptor that it gives reads end of file when the
    daemon has ended, and the ender ends with it. `SealcastError` where the privilege is missing.
    """
    ender_path(store).unlink(missing_ok=True)
    if not policy.daemon.end_survivors:
        return 0
    from recorder.daemon import capabilities  # noqa: PLC0415  ctypes, for hosts that ask for this only

    if not capabilities.keep_only_kill():
        raise _without_privilege()
    listener = _listen(ender_path(store))
    pid = os.fork()
    if pid == 0:
        try:
            _serve(listener, in_child())
        finally:
            os._exit(ExitCode.OK)
    listener.close()
    capabilities.give_up_all()
    return pid


def _without_privilege() -> SealcastError:
    return SealcastError(
        "daemon.end_survivors is on, and the recorder has not the capability CAP_KILL",
        "sealcast install gives it to the service; or start the daemon as root; or set end_survivors = false",
        ExitCode.TARGET,
    )


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(_BACKLOG)
    return listener


def _serve(listener: socket.socket, owner: int) -> None:
    """A process of its own for each request, for one takes seconds; until `owner` reads end of file."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    waiter = _poll(owner, listener.fileno())
    while owner not in dict(waiter.poll()):
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    _answer_and_exit(connection)


def _poll(*descriptors: int) -> select.poll:
    waiter = select.poll()
    for descriptor in descriptors:
        waiter.register(descriptor, select.POLLIN)
    return waiter


def _answer_and_exit(connection: socket.socket) -> None:
    signal.alarm(int(ENDING_SECONDS))
    try:
        connection.settimeout(PATIENCE_SECONDS)
        packet = connection.recv(MAX_PACKET)
        if not packet:  # whoever only looks whether somebody listens: doctor
            return
        traces = _asked(connection, packet)
        survivors = end_survivors(traces)
        for one in survivors:
            journal.note("survivor", user=str(traces.uid), **{name: str(fact) for name, fact in one.items()})
        connection.send(json.dumps({"survivors": survivors}).encode())
    except Exception as error:  # the last frame of a process: the journal must hear of it
        journal.note("ending-failed", reason=f"{type(error).__name__}: {error}")
    finally:
        os._exit(ExitCode.OK)


def _asked(connection: socket.socket, packet: bytes) -> Traces:
    """What a worker tells. Root's processes and the recorder's own are nobody's session."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    if _CREDENTIALS.unpack(raw)[1] != os.getuid():
        raise ValueError("not the recorder asks")
    facts: Message = json.loads(packet)
    traces = traces_from(facts)
    if traces.uid in {0, os.getuid()}:
        raise ValueError(f"no session is one of user {traces.uid}")
    return traces
