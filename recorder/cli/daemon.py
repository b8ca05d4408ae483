"""`sealcast daemon`: the recorder of a bastion host."""

import os
import pwd
import resource
import signal
from pathlib import Path

import click

from recorder.capture.login import SPOOL
from recorder.cli.pages import Verb
from recorder.cli.settings import settings_of
from recorder.daemon.glass import SPOOL_MODE
from recorder.daemon.server import Server, listen_for_logins
from recorder.errors import ExitCode, SealcastError
from recorder.policy.loading import CONFIG, load_policy
from recorder.policy.model import Policy
from recorder.store.layout import Store


@click.command(
    cls=Verb,
    examples=[
        ("sealcast daemon", "run the recorder of this host in the foreground"),
        ("sealcast daemon --store /srv/sealcast", "with the recordings elsewhere"),
    ],
    codes=[ExitCode.OK, ExitCode.USAGE, ExitCode.RECORDING],
)
@click.option("--config", metavar="FILE", help=f"The policy ({CONFIG}, and without that file its defaults).")
@click.pass_context
def daemon(context: click.Context, *, config: str | None) -> int:
    """Record every login of a bastion host.

    Takes the sessions that sealcast-shell hands over, as a system user of its own. Started by root it
    makes its directories, becomes the recorder's user, and proves that there is no way back. It runs until
    SIGTERM; sessions that are being recorded go on without it, and the next daemon seals them. On SIGHUP it
    reads its policy again.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # whoever asks for a reload before we can is served already
    policy = _policy(config)
    store = Store(Path(settings_of(context).store or policy.store.path).absolute())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file of the notary would hold the host key
    if os.getuid() == 0:
        directories = (store.root, policy.daemon.socket.parent, Path(SPOOL))
        _become(policy.daemon.user, directories, may_kill=policy.daemon.end_survivors)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    store.prepare()
    Server(store, listen_for_logins(policy.daemon.socket), policy, lambda: _policy(config)).run()
    return ExitCode.OK


def _policy(config: str | None) -> Policy:
    if config is None and not CONFIG.exists():
        return Policy()
    return load_policy(Path(config) if config else CONFIG)


def _become(user: str, directories: tuple[Path, ...], *, may_kill: bool) -> None:
    """Own the directories, then become the user for good."""
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise SealcastError(f'no user "{user}" on this host', f"useradd --system {user}") from None
    if account.pw_uid == 0:
        raise SealcastError("the recorder must not run as root", "name a system user of its own")
    modes = (0o700, 0o755, SPOOL_MODE)
    for directory, mode in zip(directories, modes, strict=True):
        directory.mkdir(mode, parents=True, exist_ok=True)
        os.chown(directory, account.pw_uid, account.pw_gid)
        directory.chmod(mode)  # after the owner: a change of that takes the set-group-id bit away
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    if may_kill:
        _change_user_with_privilege(account.pw_uid)
    else:
        os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    _prove_no_way_back()


def _change_user_with_privilege(uid: int) -> None:
    """Keep CAP_KILL, and nothing else, for the ender."""
    from recorder.daemon import capabilities  # noqa: PLC0415  ctypes, for hosts that ask for this only

    capabilities.keep_across_setuid()
    os.setresuid(uid, uid, uid)
    capabilities.keep_only_kill()


def _prove_no_way_back() -> None:
    for attempt in (os.setuid, os.setgid):
        try:
            attempt(0)
        except PermissionError:
            continue
        raise SealcastError("root's rights could not be given up", code=ExitCode.RECORDING)
