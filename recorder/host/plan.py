"""What installing and uninstalling come to: from the facts about a host to a list of steps. No I/O."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from recorder.capture.login import SPOOL
from recorder.errors import ExitCode, SealcastError
from recorder.host import places
from recorder.host.accounts import Account, Accounts
from recorder.host.service import indexer_unit, unit
from recorder.host.sshd_drop_in import INCLUDE, drop_in, needs_include
from recorder.host.steps import (
    Absent,
    Command,
    Directory,
    File,
    Interpreter,
    Line,
    Link,
    LoginShell,
    Module,
    NoLine,
    Program,
    ReloadSshd,
    SshdDropIn,
    SshdInclude,
    Step,
    SystemGroup,
    SystemUser,
)
from recorder.policy.editing import new_file, with_cover
from recorder.policy.model import CoverPolicy, Policy, ShellPolicy
from recorder.policy.parsing import parse_policy
from recorder.policy.schema import COVERED
from recorder.policy.shell_lines import shell_lines
from recorder.safe_text import safe

_SOCKET_LINE = re.compile(rb'^SOCKET = "[^"\n]*"\n', re.MULTILINE)
_UNITS = (places.UNIT_NAME, places.INDEXER_UNIT_NAME)
_LAST_RESORT_SHELL = "/bin/sh"
"""What an empty field means in passwd(5)."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What `--cover` names: kind is `user` or `group`."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for."""

    cover: tuple[Cover, ...] = ()
    shell: str | None = None
    systemd: bool = True


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a plan depends on. Texts are None where the file is missing."""

    accounts: Accounts
    config: str | None = None
    sshd_config: str | None = None
    sshd_drop_ins: tuple[str, ...] = ()
    """Names of the files beside ours."""
    forced: dict[str, str] = field(default_factory=dict)
    """Accounts that are to be covered -> a command that sshd forces on them now."""
    ssh_unit: str | None = None
    has_chsh: bool = False
    has_unit: bool = False
    interpreter: str = "/usr/bin/python3"
    digest: str = ""
    login_script: bytes = b""


def parse_cover(text: str) -> Cover:
    """`user:NAME` or `group:NAME`."""
    kind, colon, name = text.partition(":")
    if not colon or kind not in {"user", "group"} or not COVERED.fullmatch(name):
        hint = "write user:NAME or group:NAME; a name has letters, digits, _ . @ - \\ and spaces inside"
        raise SealcastError(f'"{safe(text, 80)}" names no accounts', hint, ExitCode.USAGE)
    return Cover(kind, name)


def new_policy(facts: HostFacts, wish: Wish) -> Policy:
    """The policy in force with what the wish adds; covered accounts' own shells are remembered."""
    old = _policy_in(facts.config)
    for one in wish.cover:
        _check_cover(facts.accounts, one, old)
    cover = asked_cover(facts.config, wish)
    default = wish.shell or old.shells.default
    policy = replace(old, cover=cover, shells=ShellPolicy(default, dict(old.shells.users)))
    for account in facts.accounts.covered_by(policy):
        if account.shell != places.SHELL and account.name not in old.shells.users:
            policy.shells.users[account.name] = wish.shell or account.shell or _LAST_RESORT_SHELL
    return policy


def _policy_in(config: str | None) -> Policy:
    return Policy() if config is None else parse_policy(config.encode(), places.CONFIG)


def asked_cover(config: str | None, wish: Wish) -> CoverPolicy:
    """Whom the policy covers so far, and whom the wish names."""
    old = _policy_in(config).cover
    return CoverPolicy(
        _with(old.users, (one.name for one in wish.cover if one.kind == "user")),
        _with(old.groups, (one.name for one in wish.cover if one.kind == "group")),
    )


def _check_cover(accounts: Accounts, one: Cover, policy: Policy) -> None:
    if one.kind == "group":
        accounts.group(one.name)
    elif not accounts.user(one.name).may_log_in and one.name not in policy.shells.users:
        hint = f"usermod --shell /bin/bash {one.name}, or leave it out"
        raise SealcastError(
            f"{one.name} lets nobody in: its login shell is {accounts.user(one.name).shell}", hint
        )
    elif accounts.user(one.name).uid == 0:
        hint = "cover the accounts that people log in with, and let them become root from there"
        raise SealcastError(f"{one.name} is root, who can stop the recorder", hint)
    elif one.name == policy.daemon.user:
        raise SealcastError(f"{one.name} is the recorder's own account")


def _with(old: tuple[str, ...], new: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *new)))


def plan_install(facts: HostFacts, wish: Wish) -> tuple[Step, ...]:
    """Everything that should be so, in an order in which nobody is locked out half-way.

    The recorder runs before the first login shell is changed, and sshd is reloaded last.
    """
    policy = new_policy(facts, wish)
    covered = facts.accounts.covered_by(policy)
    for user, command in facts.forced.items():
        message = f"sshd forces a command on {user}, which the recorder would replace: {safe(command, 200)}"
        hint = (
            "take that ForceCommand away, with a real shell (--shell) that allows no more; or do not cover it"
        )
        raise SealcastError(message, hint, ExitCode.TARGET)
    if not policy.cover.users and not policy.cover.groups:
        raise SealcastError("nobody is covered yet", "name accounts: --cover user:NAME or group:NAME")
    return (
        *_program(facts, policy),
        *_configuration(facts, policy),
        *(_service(policy) if wish.systemd else ()),
        *_shells(facts, covered, policy),
        *_sshd(facts, policy, wish),
    )


def _program(facts: HostFacts, policy: Policy) -> tuple[Step, ...]:
    command = f"#!{places.PROGRAM}/bin/python -I\nfrom recorder.cli.main import main\n\nmain()\n"
    module = for_socket(facts.login_script, policy.daemon.socket)
    script = login_script(places.INTERPRETER, places.LOGIN_MODULE)
    return (
        SystemUser(policy.daemon.user, str(policy.store.path)),
        SystemGroup(policy.admins.group),
        Directory(places.PREFIX),
        Directory(f"{places.PREFIX}/bin"),
        Directory(f"{places.PREFIX}/libexec"),
        Program(places.PROGRAM, facts.interpreter, facts.digest),
        File(places.COMMAND_SCRIPT, command.encode(), 0o755),
        Interpreter(places.INTERPRETER, facts.interpreter),
        Module(places.LOGIN_MODULE, module, facts.interpreter),
        File(places.LOGIN_SCRIPT, script.encode(), 0o755),
        Link(places.COMMAND, places.COMMAND_SCRIPT),
        Link(places.SHELL, places.LOGIN_SCRIPT),
        Directory(str(policy.store.path), 0o700, policy.daemon.user),
        Directory(str(policy.daemon.socket.parent), 0o755, policy.daemon.user),
        Directory(SPOOL, places.SPOOL_MODE, policy.daemon.user),
    )


def login_script(interpreter: str, module: str) -> str:
    """What the kernel starts: the login's module, on an interpreter of its own."""
    directory, _, name = module.removesuffix(".py").rpartition("/")
    find = f"import sys\n\nsys.path.insert(0, {directory!r})\nimport {name}\n"
    return f"#!{interpreter} -IS\n{find}\n{name}.posix._exit({name}.main())\n"


def for_socket(script: bytes, socket: Path) -> bytes:
    """The login script with the policy's socket in its line `SOCKET = …`: it cannot read the policy."""
    changed, count = _SOCKET_LINE.subn(f'SOCKET = "{socket}"\n'.encode(), script)
    if count != 1:
        raise SealcastError("the login script does not say where it connects", code=ExitCode.BUG)
    return changed


def _configuration(facts: HostFacts, policy: Policy) -> tuple[Step, ...]:
    text = (
        new_file(policy)
        if facts.config is None
        else with_cover(facts.config, policy.cover, policy.shells, places.CONFIG)
    )
    return (
        Directory(places.CONFIG_DIRECTORY),
        File(places.CONFIG, text.encode()),
        File(places.SHELLS, shell_lines(policy)),
    )


def _service(policy: Policy) -> tuple[Step, ...]:
    files = (places.UNIT, places.INDEXER_UNIT)
    return (
        File(places.UNIT, unit(policy).encode()),
        File(places.INDEXER_UNIT, indexer_unit(policy).encode()),
        Command(("systemctl", "daemon-reload"), files, unless=("systemctl", "is-active", *_UNITS)),
        *_running(places.UNIT_NAME, places.UNIT),
        *_running(places.INDEXER_UNIT_NAME, places.INDEXER_UNIT),
    )


def _running(name: str, file: str) -> tuple[Step, ...]:
    """Started whenever it does not run: an earlier installation may have been interrupted."""
    return (
        Command(("systemctl", "enable", name), (file,), unless=("systemctl", "is-enabled", name)),
        Command(
            ("systemctl", "restart", name),
            (file, places.CONFIG, places.PROGRAM),
            unless=("systemctl", "is-active", name),
        ),
    )


def _shells(facts: HostFacts, covered: list[Account], policy: Policy) -> tuple[Step, ...]:
    """Who is covered starts in the recorder; who is not any more gets their shell back.

    Where a covered group is not known now, as when a directory does not answer, nobody can be said not to be.
    """
    steps: list[Step] = [Line(places.LOGIN_SHELLS, places.SHELL, otherwise=("/bin/sh", "/bin/csh"))]
    if facts.has_chsh:
        steps.append(Line(places.CHSH_PAM, places.CHSH_LINE, first=True))
    steps += [LoginShell(account.name, places.SHELL) for account in covered if account.local]
    if set(policy.cover.groups) <= facts.accounts.groups.keys():
        names = {account.name for account in covered}
        steps += [step for step in _own_shells(facts, policy) if step.user not in names]
    return tuple(steps)


def _own_shells(facts: HostFacts, policy: Policy) -> list[LoginShell]:
    """Everybody who starts in the recorder, with the shell they had."""
    users = sorted(facts.accounts.users.items())
    recorded = (name for name, account in users if account.shell == places.SHELL and account.local)
    return [LoginShell(name, policy.shell_for(name)) for name in recorded]


def covered_elsewhere(facts: HostFacts, wish: Wish) -> list[str]:
    """Covered accounts of a directory service, whose login shell can only be changed there."""
    covered = facts.accounts.covered_by(new_policy(facts, wish))
    return [account.name for account in covered if not account.local and account.shell != places.SHELL]


def _sshd(facts: HostFacts, policy: Policy, wish: Wish) -> tuple[Step, ...]:
    if facts.sshd_config is None:
        return ()
    steps: list[Step] = [
        Directory(places.SSHD_DROP_IN.rpartition("/")[0]),
        SshdDropIn(places.SSHD_DROP_IN, drop_in(policy.cover).encode(), places.SSHD_CONFIG),
    ]
    if needs_include(facts.sshd_config, facts.sshd_drop_ins):
        steps.append(SshdInclude(places.SSHD_CONFIG, INCLUDE))
    return (*steps, _reload(facts, wish))


def _reload(facts: HostFacts, wish: Wish) -> ReloadSshd:
    return ReloadSshd(facts.ssh_unit if wish.systemd else None, (places.SSHD_DROP_IN, places.SSHD_CONFIG))


def plan_uninstall(facts: HostFacts, wish: Wish) -> tuple[Step, ...]:
    """Everybody gets their own shell back. Recordings, keys, policy and the recorder's account stay."""
    policy = _policy_in(facts.config)
    steps: list[Step] = [*_own_shells(facts, policy)]
    if facts.sshd_config is not None:
        steps += [NoLine(places.SSHD_CONFIG, INCLUDE)]
        steps += [SshdDropIn(places.SSHD_DROP_IN, None, places.SSHD_CONFIG), _reload(facts, wish)]
    if wish.systemd and facts.has_unit:
        names, files = (places.INDEXER_UNIT_NAME, places.UNIT_NAME), (places.INDEXER_UNIT, places.UNIT)
        steps += [Command(("systemctl", "disable", "--now", *names), ())]
        steps += [*map(Absent, files), Command(("systemctl", "daemon-reload"), files)]
    steps.append(NoLine(places.LOGIN_SHELLS, places.SHELL))
    if facts.has_chsh:
        steps.append(NoLine(places.CHSH_PAM, places.CHSH_LINE))
    gone = (places.SHELL, places.COMMAND, places.SHELLS, places.PREFIX)
    return (*steps, *(Absent(path) for path in gone))
