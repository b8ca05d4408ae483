"""Database servers of this machine that live as long as one recording, and write down every statement."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST_S = 20.0
_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
"""Debian keeps its programs there, and not in the PATH."""


@contextmanager
def server(name: str, home: Path) -> Iterator[dict[str, str]]:
    """While it lasts, clients with `home` and the environment answered find the server `name`; "" is none.

    SERVER_LOG is the file with every statement it was given. A PostgreSQL server refuses to run as root, so
    root has servers run as `nobody`.
    """
    if not name:
        yield {}
        return
    folder = Path(tempfile.mkdtemp(prefix="scs-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            account = pwd.getpwnam("nobody")
            os.chown(folder, account.pw_uid, account.pw_gid)
        with _STARTERS[name](folder, home) as environment:
            yield environment
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _postgres(folder: Path, _home: Path) -> Iterator[dict[str, str]]:
    initdb = [str(_POSTGRES[-1] / "initdb"), "-D", f"{folder}/data", "-U", "me", "--auth=trust", "--no-sync"]
    _once([*initdb, "-E", "UTF8", "--no-locale"], folder)
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    options += ["-c", "log_statement=all", "-c", "log_line_prefix=\x01"]
    environment = {"PGHOST": str(folder), "PGUSER": "me", "PGDATABASE": "postgres"}
    with _running(
        [str(_POSTGRES[-1] / "postgres"), "-D", f"{folder}/data", *options], folder, signal.SIGQUIT
    ):
        _await(lambda: _answers([str(_POSTGRES[-1] / "pg_isready")], environment))
        yield environment | {"SERVER_LOG": f"{folder}/log"}


@contextmanager
def _mariadb(folder: Path, home: Path) -> Iterator[dict[str, str]]:
    data, socket = f"--datadir={folder}/data", f"{folder}/socket"
    small = [
        f"--tmpdir={folder}",
        "--innodb-log-file-size=4M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-use-native-aio=0",
    ]
    install = ["mariadb-install-db", "--no-defaults", data, "--auth-root-authentication-method=normal"]
    _once([*install, *small], folder)
    options = ["--skip-networking", f"--socket={socket}", f"--pid-file={folder}/pid", *small]
    options += ["--general-log", f"--general-log-file={folder}/log.statements"]
    (home / ".my.cnf").write_text(f"[client]\nsocket={socket}\nuser=root\n")
    environment = {"HOME": str(home)}
    program = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "mariadbd"
    with _running([program, "--no-defaults", data, *options], folder, signal.SIGTERM):
        _await(lambda: _answers(["mariadb-admin", "ping"], environment))
        yield {"SERVER_LOG": f"{folder}/log.statements"}


_STARTERS = {"postgres": _postgres, "mariadb": _mariadb}


def _once(argv: list[str], folder: Path) -> None:
    with _as_nobody(argv, folder) as process:
        if process.wait() != 0:
            raise RuntimeError(f"{argv[0]} failed: {(folder / 'log').read_text(errors='replace')[-300:]}")


@contextmanager
def _running(argv: list[str], folder: Path, end: signal.Signals) -> Iterator[None]:
    """`end` is what ends the server even if a client hangs."""
    with _as_nobody(argv, folder) as process:
        try:
            yield
        finally:
            process.send_signal(end)


def _as_nobody(argv: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    account = "nobody" if os.geteuid() == 0 else None
    environment = {"PATH": f"{os.environ['PATH']}:/usr/sbin", "HOME": str(folder), "TMPDIR": str(folder)}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
            user=account,
            group=pwd.getpwnam(account).pw_gid if account else None,
            extra_groups=[] if account else None,
        )


def _answers(argv: list[str], environment: dict[str, str]) -> bool:
    asked = subprocess.run(argv, env=os.environ | environment, capture_output=True, check=False)
    return asked.returncode == 0


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the database server does not answer")
        time.sleep(0.05)  # nothing tells when it listens
