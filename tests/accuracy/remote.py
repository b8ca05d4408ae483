"""A real sshd on this machine, whose logins get a shell that tells what it ran, too."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST_S = 5.0
_PRIVILEGE_SEPARATION = Path("/run/sshd")


@contextmanager
def remote_host(home: Path) -> Iterator[None]:
    """While it lasts, `ssh -F c box` in `home` logs in without a password, and `ssh -F c nowhere` fails."""
    port = _free_port()
    _write_keys(home)
    _write_settings(home, port)
    if os.geteuid() == 0:
        _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "sshd"
    server = subprocess.Popen(
        [program, "-D", "-e", "-f", str(home / "sshd_config")],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_port(port)
        yield
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _await_port(port: int) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)  # nothing tells when it listens
    raise TimeoutError("sshd does not listen")


def _write_keys(home: Path) -> None:
    for name in ("host_key", "user_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)]
        subprocess.run(command, check=True)
    shutil.copy(home / "user_key.pub", home / "authorized_keys")


def _write_settings(home: Path, port: int) -> None:
    variables = f"HOME={home} TMUX_TMPDIR={home} RC={home}/rc LC_ALL=C.UTF-8 PYTHONSTARTUP={home}/startup.py"
    (home / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {home}/host_key\n"
        f"AuthorizedKeysFile {home}/authorized_keys\n"
        "StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nPidFile none\n"
        f"ForceCommand cd {home} && exec env {variables} bash --rcfile {home}/far\n"
    )
    (home / "far").write_text(f"source {home}/rc\nPS1='far:\\w\\$ '\n")
    (home / "c").write_text(
        f"Host *\n HostName 127.0.0.1\n IdentityFile {home}/user_key\n StrictHostKeyChecking no\n"
        f" UserKnownHostsFile /dev/null\n LogLevel ERROR\nHost box\n Port {port}\nHost nowhere\n Port 1\n"
    )
