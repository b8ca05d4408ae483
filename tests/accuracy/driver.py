"""Types a scenario into its program in a real terminal under a real `sealcast rec`."""

import os
import re
import shutil
import sys
import tempfile
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import pexpect

from recorder.store.reading import open_file
from tests.accuracy.databases import check_against_log
from tests.accuracy.keys import Stroke, strokes
from tests.accuracy.programs import launch, python_environment
from tests.accuracy.remote import remote_host
from tests.accuracy.scenario import Scenario
from tests.accuracy.servers import server
from tests.e2e.sessions import children, pid_of

_MARK = re.compile(rb"\x1b\]633;[^\x07]*\x07")
"""What the shell reports is not shown, and scenarios do not wait for it."""
_QUIET_S = 0.07
"""After this long without output the program is taken to wait for keys."""
_ECHO_S = 0.004
_START_S = 0.2
_LONGEST_S = 6.0
_LEAVE_S = 6.0
"""After this long a program that has not ended waits for the end of its input."""
_ROOT = Path(__file__).parents[2]
_KEPT = ("PATH", "LANG", "VIRTUAL_ENV", "PYENV_ROOT", "PYENV_VERSION", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Run:
    """A recording, as the bytes of its plain file, and what the program said it ran."""

    scenario: Scenario
    size: str
    prompt: str
    recording: bytes
    truth: list[str]

    @property
    def name(self) -> str:
        """For reports and files."""
        return f"{self.scenario.name}.{self.size}.{self.prompt}"


def run(scenario: Scenario, size: str, prompt: str) -> Run:
    """Records one variant in a home of its own."""
    base = Path(tempfile.mkdtemp(prefix="sca-", dir="/tmp"))
    try:
        home = base / "home"
        home.mkdir()
        program = launch(scenario, prompt, home)
        columns, _, rows = size.partition("x")
        env = _environment(base) | python_environment(home) | program.env
        with (
            remote_host(home) if scenario.sshd else nullcontext(),
            server(scenario.server, home) as found,
        ):
            env |= found
            command = [] if program.own_shell else ["--", "env", "-u", "PYTHONPATH", *program.argv]
            if program.own_shell:
                env["SHELL"] = shutil.which(program.argv[0]) or program.argv[0]
            child = _start(command, env, home, (int(rows), int(columns)))
            _until_ready(child, program.ready)
            _type(child, scenario)
            _end(child)
            truth = [text.rstrip() for text in program.truth() if text not in scenario.given_up]
            if scenario.program in ("psql", "mariadb"):
                check_against_log(truth, Path(found["SERVER_LOG"]))
        return Run(scenario, size, prompt, _recording(base), [*truth, *scenario.unlisted])
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _environment(base: Path) -> dict[str, str]:
    home = base / "home"
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {
        "HOME": str(home),
        "SEALCAST_HOME": str(base / "store"),
        "XDG_RUNTIME_DIR": str(base),
        "TMUX_TMPDIR": str(base),
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "USER": "me",
        "PYTHONPATH": str(_ROOT),
        "SQLITE_HISTORY": str(home / "truth" / "sqlite"),
        "NODE_REPL_HISTORY": str(home / "truth" / "node"),
        "PSQL_HISTORY": str(home / "truth" / "psql"),
        "MYSQL_HISTFILE": str(home / "truth" / "mariadb"),
    }


def _start(argv: list[str], env: dict[str, str], home: Path, size: tuple[int, int]) -> "pexpect.spawn[bytes]":
    command = [sys.executable, "-P", "-m", "recorder.cli", "rec", *argv]
    child: pexpect.spawn[bytes] = pexpect.spawn(
        command[0], command[1:], dimensions=size, env=env, cwd=str(home), timeout=_LONGEST_S, maxread=65536
    )
    child.delaybeforesend = None
    return child


def _type(child: "pexpect.spawn[bytes]", scenario: Scenario) -> None:
    for line in scenario.keys:
        _until_quiet(child)
        for stroke in strokes(line):
            if not child.isalive():
                return
            _strike(child, stroke)


def _strike(child: "pexpect.spawn[bytes]", stroke: Stroke) -> None:
    if stroke.until:
        _await(child, stroke.until)
    elif stroke.size:
        child.setwinsize(*stroke.size)
        _until_quiet(child)
    else:
        if stroke.data == b"\x03":
            _until_quiet(child)  # fish 4 may lose it, and an event of its own, while it completes
        if stroke.data.endswith(b"\r"):
            child.buffer = b""
        child.send(stroke.data)
        if stroke.data[-1:] in (b"\r", b"\t", b"\x03") or stroke.data[:1] == b"\x1b":
            _until_quiet(child)
        else:
            _drain(child, _ECHO_S)


def _await(child: "pexpect.spawn[bytes]", text: bytes) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while text not in child.buffer and child.isalive():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{text!r} was not shown")
        _drain(child, 0.05)


def _drain(child: "pexpect.spawn[bytes]", wait: float) -> bool:
    """Reads what comes within `wait`; whether something came."""
    try:
        data = child.read_nonblocking(65536, wait)
    except pexpect.TIMEOUT:
        return False
    except pexpect.EOF:
        return False
    _answer(child, data)
    child.buffer = _MARK.sub(b"", child.buffer + data)
    return True


def _answer(child: "pexpect.spawn[bytes]", data: bytes) -> None:
    """What terminals answer at once, and some programs wait for."""
    if b"\x1b[c" in data or b"\x1b[0c" in data:
        child.send(b"\x1b[?62;c")
    if b"\x1b[6n" in data:
        child.send(b"\x1b[1;1R")


def _until_ready(child: "pexpect.spawn[bytes]", ready: str) -> None:
    """Until the first prompt stands; an answer to what the program asks its terminal is given on the way."""
    deadline = time.monotonic() + _LONGEST_S
    _await(child, ready.encode())
    while (_drain(child, _START_S) or _is_at_work(child)) and time.monotonic() < deadline:
        pass


def _until_quiet(child: "pexpect.spawn[bytes]") -> None:
    deadline = time.monotonic() + _LONGEST_S
    while (_drain(child, _QUIET_S) or _is_at_work(child)) and time.monotonic() < deadline:
        pass


def _is_at_work(child: "pexpect.spawn[bytes]") -> bool:
    """Whether any process that shows something here could go on: what waits for keys sleeps.

    On a busy machine a program may be silent because its turn has not come.
    """
    pids = [pid_of(child)]
    while pids:
        with suppress(OSError):  # it has ended
            pid = pids.pop()
            pids += children(pid)
            state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            if state in "RD" and os.readlink(f"/proc/{pid}/fd/1").startswith("/dev/pts/"):
                return True
    return False


def _end(child: "pexpect.spawn[bytes]") -> None:
    """Leaves whatever still waits; the recording is complete when the terminal closes."""
    try:
        child.expect(pexpect.EOF, timeout=_LEAVE_S)
    except pexpect.TIMEOUT:
        child.sendeof()
        child.expect([pexpect.EOF, pexpect.TIMEOUT])
    child.close(force=True)


def _recording(base: Path) -> bytes:
    (path,) = (base / "store" / "sealed").rglob("*.cast.zst")
    with open_file(path) as file:
        return file.read()
