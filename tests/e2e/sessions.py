"""Recorded sessions in real terminals, and what became of them."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pexpect

from recorder.cast import events
from recorder.cast.events import Event
from recorder.cast.header import Header
from recorder.cast.reader import iter_output, open_events
from recorder.store.catalog import Session, list_sessions
from recorder.store.checking import Verdict, check
from recorder.store.layout import Store
from recorder.store.reading import open_stored
from recorder.store.targets import resolve

SEALCAST = [sys.executable, "-m", "recorder.cli"]
DEADLINE_SECONDS = 120.0
"""Of every wait: long, because only a failure waits so long, and machines may be busy."""
PROMPT = "ready> "


def wait_for(
    condition: Callable[[], object], what: str | Callable[[], object], seconds: float = DEADLINE_SECONDS
) -> None:
    """Return as soon as `condition` holds; fail with `what` after `seconds`.

    Where `what` can be called it is asked when the time is over: it says what was seen in the place of that.
    """
    deadline = time.monotonic() + seconds
    while True:
        late = time.monotonic() > deadline  # asked first: this process may be the one that was kept waiting
        if condition():
            return
        if late:
            raise AssertionError(f"waited {seconds:g} s in vain: {what() if callable(what) else what}")
        time.sleep(0.005)


def wait_to_see(
    wanted: object, look: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS
) -> None:
    """Return as soon as `look` gives `wanted`; a failure says what it gave last."""
    seen: list[object] = []

    def is_wanted() -> bool:
        seen[:] = [look()]
        return seen[0] == wanted

    wait_for(is_wanted, lambda: f"{what}: {wanted!r} wanted, {seen[0]!r} seen", seconds)


@contextmanager
def terminal(
    *command: str, size: tuple[int, int] = (24, 80), env: dict[str, str] | None = None
) -> Iterator["pexpect.spawn[bytes]"]:
    """`command` in a terminal of its own; killed at the end if it still runs."""
    variables = dict(os.environ) | {"PS1": PROMPT, "PS2": "> "} | (env or {})
    child: pexpect.spawn[bytes] = pexpect.spawn(
        command[0],
        list(command[1:]),
        dimensions=size,
        env=variables,
        timeout=DEADLINE_SECONDS,
        maxread=65536,
        encoding=None,
    )
    child.delaybeforesend = None
    try:
        yield child
    finally:
        hang_up(child)


def hang_up(child: "pexpect.spawn[bytes]") -> None:
    """Close the terminal, and see its process end: killed where that does not help.

    `pexpect.spawn.close` gives a process that was killed a tenth of a second, and fails after that.
    """
    try:
        child.close(force=True)
    except pexpect.ExceptionPexpect:
        child.wait()
        child.close()


@contextmanager
def recorded(*command: str, size: tuple[int, int] = (24, 80), **env: str) -> Iterator["pexpect.spawn[bytes]"]:
    """`sealcast rec -- command` in a terminal."""
    with terminal(*SEALCAST, "rec", "--", *command, size=size, env=env) as child:
        yield child


@contextmanager
def recorded_bash(size: tuple[int, int] = (24, 80)) -> Iterator["pexpect.spawn[bytes]"]:
    """A recorded interactive bash that has shown its first prompt."""
    with recorded("bash", "--norc", "--noprofile", size=size) as child:
        child.expect_exact(PROMPT)
        yield child


def run_line(child: "pexpect.spawn[bytes]", line: str) -> bytes:
    """Type `line` and Enter; what was shown until the next prompt."""
    child.send(line + "\r")
    child.expect_exact(PROMPT)
    return child.before or b""


def end(child: "pexpect.spawn[bytes]") -> int:
    """Wait for the terminal to close; the exit status, 128 + n for a signal."""
    child.expect(pexpect.EOF)
    child.close()
    if child.signalstatus is not None:
        return 128 + child.signalstatus
    return -1 if child.exitstatus is None else child.exitstatus


@contextmanager
def killed_at_the_end(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """So that a test that fails does not wait for it."""
    try:
        yield
    finally:
        process.kill()


@dataclass(frozen=True)
class Recorded:
    """The one session of the test's store."""

    session: Session
    verdict: Verdict
    header: Header
    events: list[Event]

    @property
    def output(self) -> bytes:
        """Every byte the user was shown."""
        return b"".join(data for _, data in iter_output(iter(self.events)))

    def data(self, code: str) -> list[str]:
        """The data of all events with this code."""
        return [event.data for event in self.events if event.code == code]

    @property
    def exit_status(self) -> int | None:
        """What the `X` event says."""
        found = self.data(events.EXIT)
        return int(found[0]) if found else None


def read(session: Session, store: Store | None = None) -> Recorded:
    """The session with its verdict and all its events."""
    store = store or Store.default()
    verdict = check(store, resolve(store, session.id))
    if session.path is None:
        raise AssertionError(f"{session.id} has no file")
    with open_stored(session.path) as file:
        header, found = open_events(file, session.id)
        return Recorded(session, verdict, header, list(found))


def only_session() -> Recorded:
    """The only session of the test's store."""
    (session,) = list_sessions(Store.default())
    return read(session)


def pid_of(child: "pexpect.spawn[bytes]") -> int:
    """The process in the terminal."""
    if child.pid is None:
        raise AssertionError("not started")
    return child.pid


def is_running(pid: int) -> bool:
    """Whether it goes on: a process that has ended may stay until its parent takes note of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def arguments(pid: int) -> list[str]:
    """The command line; nothing where the process has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def children(pid: int) -> list[int]:
    """Direct child processes, the oldest first."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()]


def tool(name: str) -> str:
    """The path of a program that the test was promised."""
    path = shutil.which(name)
    if path is None:
        raise AssertionError(f"{name} is not installed")
    return path
