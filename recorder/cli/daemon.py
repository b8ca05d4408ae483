"""`sealcast daemon`: the recorder of a bastion host."""

import os
import pwd
import resource
import socket
from pathlib import Path

import click

from recorder.capture.login import SOCKET
from recorder.cli.pages import Verb
from recorder.cli.settings import settings_of
from recorder.daemon.server import Server, listen_for_logins
from recorder.errors import ExitCode, SealcastError
from recorder.store.layout import Store

HOST_STORE = "/var/lib/sealcast"
SYSTEM_USER = "sealcast"


@click.command(
    cls=Verb,
    examples=[
        ("sealcast daemon", "run the recorder of this host in the foreground"),
        ("sealcast daemon --store /srv/sealcast", "with the recordings elsewhere"),
    ],
    codes=[ExitCode.OK, ExitCode.USAGE, ExitCode.RECORDING],
)
@click.option("--socket", "path", default=SOCKET, metavar="PATH", help=f"Where logins connect ({SOCKET}).")
@click.option("--user", default=SYSTEM_USER, metavar="NAME", help=f"Whom root becomes ({SYSTEM_USER}).")
@click.pass_context
def daemon(context: click.Context, *, path: str, user: str) -> int:
    """Record every login of a bastion host.

    Takes the sessions that sealcast-shell hands over, as a system user of its own. Started by root it
    makes its directories, becomes the user --user, and proves that there is no way back. It runs until
    SIGTERM; sessions that are being recorded go on without it, and the next daemon seals them.
    """
    store = Store(Path(settings_of(context).store or HOST_STORE).absolute())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file of the notary would hold the host key
    if os.getuid() == 0:
        _become(user, (store.root, Path(path).parent))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    store.prepare()
    Server(store, listen_for_logins(Path(path)), lambda _peer, _request: None, None).run(_notify_ready)
    return ExitCode.OK


def _become(user: str, directories: tuple[Path, ...]) -> None:
    """Own the directories, then become the user for good."""
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise SealcastError(f'no user "{user}" on this host', f"useradd --system {user}") from None
    if account.pw_uid == 0:
        raise SealcastError("the recorder must not run as root", "name a system user of its own")
    modes = (0o700, 0o755)
    for directory, mode in zip(directories, modes, strict=True):
        directory.mkdir(mode, parents=True, exist_ok=True)
        directory.chmod(mode)
        os.chown(directory, account.pw_uid, account.pw_gid)
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    _prove_no_way_back()


def _prove_no_way_back() -> None:
    for attempt in (os.setuid, os.setgid):
        try:
            attempt(0)
        except PermissionError:
            continue
        raise SealcastError("root's rights could not be given up", code=ExitCode.RECORDING)


def _notify_ready() -> None:
    """sd_notify(3): tell systemd, where it started us, that logins are answered."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
            notify.sendto(b"READY=1", address.replace("@", "\0", 1) if address[0] == "@" else address)
