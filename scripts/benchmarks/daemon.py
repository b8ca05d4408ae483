"""The way over the daemon: a covered account's login, handed over through the socket, beside other recorders.

Root's benchmark only: it makes two accounts for the time, as the end-to-end tests do, and uses their bastion.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarks.contestants import BARE
from scripts.benchmarks.errors import BenchError
from scripts.benchmarks.processes import members, proportional_memory
from scripts.benchmarks.results import OURS
from scripts.benchmarks.terminal import OuterTerminal
from tests.e2e.bastion import Bastion, bastion

_MARK = "SEALCAST_BENCH"
_DISK = "/var/tmp"  # noqa: S108 -- a disk, and a place that the two accounts can enter
NAMES = (BARE, OURS, "script", "tlog-rec")


@dataclass(slots=True)
class Logins:
    """Starts commands for the bastion's user, each on a terminal of its own."""

    host: Bastion
    _number: int = 0

    def terminal(self, name: str, text: str, seconds: float) -> OuterTerminal:
        """`text` for a shell, recorded by the contestant `name`; the context of one login."""
        self._number += 1
        home = self.host.base / "home"
        account = ["setpriv", f"--reuid={self.host.user}", f"--regid={self.host.user}", "--clear-groups"]
        argv = [*account, *_COMMANDS[name](self.host, text, home / f"record{self._number}")]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        return OuterTerminal(
            argv, environment | {"SHELL": "/bin/bash"}, (_MARK, f"daemon{self._number}"), seconds
        )

    def memory(self, name: str, terminals: list[OuterTerminal]) -> int:
        """PSS in bytes of all that records these: of ours the workers, and the logins that wait."""
        if name == OURS:
            pids = [*self.host.workers(), *(terminal.pid for terminal in terminals)]
        else:
            pids = [pid for terminal in terminals for pid in members(terminal.pid)]
        return sum(proportional_memory(pid) for pid in pids)


def _ours(host: Bastion, text: str, _record: Path) -> list[str]:
    return [str(host.login_shell), "-c", text]


def _bare(_host: Bastion, text: str, _record: Path) -> list[str]:
    return ["/bin/bash", "-c", text]


def _script(_host: Bastion, text: str, record: Path) -> list[str]:
    return ["script", "-q", "-c", text, str(record)]


def _tlog(_host: Bastion, text: str, record: Path) -> list[str]:
    return ["tlog-rec", "--writer=file", f"--file-path={record}", "--", "/bin/bash", "-c", text]


_COMMANDS: dict[str, Callable[[Bastion, str, Path], list[str]]] = {
    BARE: _bare,
    OURS: _ours,
    "script": _script,
    "tlog-rec": _tlog,
}


def contestants(wanted: frozenset[str]) -> list[str]:
    """Those of `wanted` that this machine has."""
    return [name for name in NAMES if name in wanted and (name in {BARE, OURS} or shutil.which(name))]


@contextmanager
def logins() -> Iterator[Logins]:
    """A bastion that knows no limits; BenchError for anybody but root."""
    if os.geteuid() != 0 or shutil.which("sshd") is None:
        raise BenchError("the daemon was not measured: that takes root, and openssh-server")
    os.environ["PYTEST_DEBUG_TEMPROOT"] = _DISK
    with bastion() as host:
        host.stop_daemon()
        with (host.base / "config.toml").open("a") as config:
            config.write("[limits]\nsessions_per_user = 0\nnew_sessions_per_minute = 0\n")
        host.start_daemon()
        yield Logins(host)
