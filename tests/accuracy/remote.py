"""A real sshd on this machine, whose logins get a shell that tells what it ran, too."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.bastion import listening_sshd

_PRIVILEGE_SEPARATION = Path("/run/sshd")


@contextmanager
def remote_host(home: Path) -> Iterator[None]:
    """While it lasts, `ssh -F c box` in `home` logs in without a password, and `ssh -F c nowhere` fails."""
    _write_keys(home)
    if os.geteuid() == 0:
        _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    with listening_sshd(home / "sshd", _server_settings(home)) as port:
        _write_client_settings(home, port)
        yield


def _write_keys(home: Path) -> None:
    for name in ("host_key", "user_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)]
        subprocess.run(command, check=True)
    shutil.copy(home / "user_key.pub", home / "authorized_keys")


def _server_settings(home: Path) -> list[str]:
    variables = f"HOME={home} TMUX_TMPDIR={home} RC={home}/rc LC_ALL=C.UTF-8"
    variables += f" PYTHONSTARTUP={home}/startup.py PYTHON_HISTORY={home}/truth/python"
    return [
        "ListenAddress 127.0.0.1",
        f"HostKey {home}/host_key",
        f"AuthorizedKeysFile {home}/authorized_keys",
        "StrictModes no",
        "UsePAM no",
        "PermitRootLogin yes",
        "PasswordAuthentication no",
        "PidFile none",
        f"ForceCommand cd {home} && exec env {variables} bash --rcfile {home}/far",
    ]


def _write_client_settings(home: Path, port: int) -> None:
    (home / "far").write_text(f"source {home}/rc\nPS1='far:\\w\\$ '\n")
    (home / "c").write_text(
        f"Host *\n HostName 127.0.0.1\n IdentityFile {home}/user_key\n StrictHostKeyChecking no\n"
        f" UserKnownHostsFile /dev/null\n LogLevel ERROR\nHost box\n Port {port}\nHost nowhere\n Port 1\n"
    )
