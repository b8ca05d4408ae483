"""Gathering what doctor judges. Everything here only looks."""

import ctypes
import os
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

from recorder.capture.login import SPOOL
from recorder.capture.survivors import ENDER_SOCKET
from recorder.errors import SealcastError
from recorder.host import places
from recorder.host.accounts import Account, Accounts, read_accounts
from recorder.host.evidence import Entry, Evidence, Kernel, Pythons, Recorder
from recorder.host.interpreter import SYSTEM_PYTHON, has_capability, is_outdated
from recorder.host.key_files import keys_with_commands
from recorder.host.machine import Host
from recorder.host.processes import processes
from recorder.host.service import may_kill
from recorder.host.sshd_inspection import inspect_sshds
from recorder.host.sshd_service import starts_when_needed
from recorder.host.survey import ssh_unit
from recorder.policy.loading import load_policy
from recorder.policy.model import CoverPolicy, Policy
from recorder.store.layout import Store

_STARTUP = {
    "bash": (".bashrc", ".bash_profile", ".profile"),
    "zsh": (".zshenv", ".zprofile", ".zshrc"),
    "fish": (".config/fish/config.fish",),
    "sh": (".profile",),
    "dash": (".profile",),
    "ksh": (".profile", ".kshrc"),
    "csh": (".cshrc", ".login"),
    "tcsh": (".tcshrc", ".cshrc", ".login"),
}
_INSTALLED = (
    places.INTERPRETER,
    places.LOGIN_SCRIPT,
    places.LOGIN_MODULE,
    places.COMMAND_SCRIPT,
    places.PROGRAM,
    places.SHELL,
    places.CONFIG,
    places.SHELLS,
)
_TIMEX_BYTES = 256
_TIME_ERROR = 5
"""What adjtimex(2) answers where no time source keeps the clock."""


def inspect(host: Host) -> Evidence:
    """The evidence of a host; sshd is asked, so this needs root."""
    problem, policy = "", None
    try:
        policy = load_policy(host.at(places.CONFIG))
    except SealcastError as error:
        problem = error.message
    accounts = read_accounts(host.root, policy.cover if policy else CoverPolicy())
    covered = tuple(accounts.covered_by(policy)) if policy else ()
    running = tuple(processes()) if host.is_this else ()
    names = [account.name for account in covered]
    sshds = inspect_sshds(host, names, running, awaited=_sshd_awaited(host))
    return Evidence(
        policy=policy,
        policy_problem=problem,
        covered=covered,
        groups={account.name: frozenset(accounts.groups_of(account.name)) for account in covered},
        startup_files={account.name: _startup_files(host, account) for account in covered},
        keys_with_commands=keys_with_commands(host, covered, sshds),
        sshds=sshds,
        processes=running,
        shell_lines=_bytes(host.at(places.SHELLS)),
        real_shells=_real_shells(host, policy, covered),
        entries=_entries(host, policy),
        interpreter_capability=has_capability(host.at(places.INTERPRETER)),
        pythons=_pythons(host),
        chsh_open=_chsh_open(host),
        sshrc=_entry(host.at(places.SSHRC), follow=True),
        pam_environment=_pam_environment(host),
        timers={account.name: ways for account in covered if (ways := _timers(host, account.name))},
        kernel=_kernel(),
        recorder=_recorder(host, policy, accounts),
    )


def _sshd_awaited(host: Host) -> bool:
    """Ubuntu's sshd runs from the first login on."""
    unit = ssh_unit(host)
    return host.is_this and unit is not None and starts_when_needed(host, unit)


def _pythons(host: Host) -> Pythons | None:
    link = host.at(places.PROGRAM_PYTHON)
    if not host.is_this or not link.is_symlink():
        return None
    program, system = (
        os.path.realpath(path) if os.path.exists(path) else "" for path in (link, SYSTEM_PYTHON)
    )
    return Pythons(program, system, not is_outdated(program, host.at(places.INTERPRETER)))


def _startup_files(host: Host, account: Account) -> tuple[str, ...]:
    shell = (account.shell or "/bin/sh").rpartition("/")[2]
    found = (f"~/{name}" for name in _STARTUP.get(shell, ()) if host.at(f"{account.home}/{name}").exists())
    return tuple(found)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _entry(path: Path, *, follow: bool = False) -> Entry | None:
    try:
        status = path.stat() if follow else path.lstat()
    except OSError:
        return None
    return Entry(status.st_uid, status.st_mode)


def _real_shells(host: Host, policy: Policy | None, covered: Iterable[Account]) -> dict[str, Entry | None]:
    if policy is None:
        return {}
    shells = {policy.shell_for(account.name) for account in covered}
    return {shell: _entry(host.at(shell), follow=True) for shell in sorted(shells)}


def _entries(host: Host, policy: Policy | None) -> dict[str, Entry | None]:
    """Of what is installed, and of every directory above it and above what is the recorder's own."""
    wanted: dict[str, None] = {}
    own = (policy.store.path, policy.daemon.socket.parent) if policy else ()
    for path in (*_INSTALLED, *(str(place.parent) for place in (*own, Path(SPOOL)))):
        above = [str(place) for place in Path(path).parents]
        wanted |= dict.fromkeys((*reversed(above), path))
    entries = {path: _entry(host.at(path)) for path in wanted}
    return {path: _without_link_mode(entry) for path, entry in entries.items()}


def _without_link_mode(entry: Entry | None) -> Entry | None:
    """A link's own mode means nothing."""
    if entry is None or entry.mode & 0o170000 != 0o120000:
        return entry
    return Entry(entry.uid, entry.mode & ~0o777)


def _chsh_open(host: Host) -> bool:
    """chsh asks PAM who may, and takes what /etc/shells lists; who is not listed there may not leave it."""
    if not any(host.at(f"{directory}/chsh").exists() for directory in ("/usr/bin", "/bin")):
        return False
    rules = _text(host.at(places.CHSH_PAM)).splitlines()
    ours = next((rule for rule in rules if rule.strip() and not rule.startswith("#")), "")
    return ours != places.CHSH_LINE


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _pam_environment(host: Host) -> tuple[str, ...]:
    found = []
    for path in sorted(host.at("/etc/pam.d").glob("*")):
        rules = (line.partition("#")[0] for line in _text(path).splitlines())
        if any("pam_env.so" in rule and "user_readenv=1" in rule for rule in rules):
            found.append(path.name)
    return tuple(found)


def _timers(host: Host, user: str) -> tuple[str, ...]:
    places_and_names = (
        (f"/var/spool/cron/crontabs/{user}", "a crontab"),
        (f"/var/spool/cron/{user}", "a crontab"),
        (f"/var/lib/systemd/linger/{user}", "lingering services"),
    )
    return tuple(name for place, name in places_and_names if host.at(place).is_file())


def _kernel() -> Kernel:
    return Kernel(
        ptrace_scope=_number("/proc/sys/kernel/yama/ptrace_scope"),
        suid_dumpable=_number("/proc/sys/fs/suid_dumpable"),
        clock_synchronised=_clock_synchronised(),
    )


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):
        return None


def _clock_synchronised() -> bool | None:
    """adjtimex(2), asking only: `modes`, its first field, is 0."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    answer = ctypes.CDLL(None).adjtimex(buffer)
    return None if answer < 0 else answer != _TIME_ERROR


def _recorder(host: Host, policy: Policy | None, accounts: Accounts) -> Recorder:
    if policy is None:
        return Recorder()
    account = accounts.users.get(policy.daemon.user)
    store = host.at(str(policy.store.path))
    problem, listener = _ask_socket(host.at(str(policy.daemon.socket)))
    return Recorder(
        uid=account.uid if account else None,
        socket_problem=problem,
        listener_uid=listener,
        store=_entry(store),
        key_problem=_key_problem(store, account),
        spool=_entry(host.at(SPOOL)),
        unit_may_kill=may_kill(_text(host.at(places.UNIT))) if host.at(places.UNIT).exists() else None,
        ender_problem=_ask_socket(store / ENDER_SOCKET)[0] if policy.daemon.end_survivors else "",
        **_room(store),
    )


def _ask_socket(path: Path) -> tuple[str, int | None]:
    """What is wrong, or who listens there. The daemon drops a peer that goes away without a word."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.settimeout(5)
        try:
            peer.connect(str(path))
            credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError as error:
            return (error.strerror or str(error)).lower(), None
    return "", struct.unpack("3i", credentials)[1]


def _key_problem(store: Path, account: Account | None) -> str:
    entry = _entry(store / "keys" / "host")
    if entry is None:
        return f"{store}/keys/host is missing"
    if account is None or entry.uid != account.uid or entry.mode & 0o177:
        return f"{store}/keys/host is not a file of the recorder's alone"
    try:
        _ = Store(store).host_key
    except SealcastError as error:
        return error.message
    return ""


def _room(path: Path) -> dict[str, int | None]:
    """What an unprivileged user may still write."""
    try:
        status = os.statvfs(path)
    except OSError:
        return {}
    free = status.f_bavail * status.f_frsize
    return {"free_bytes": free, "free_inodes": status.f_favail if status.f_files else None}
