"""What doctor looks at, gathered by `recorder.host.inspection` and judged by the checks."""

from dataclasses import dataclass, field

from recorder.host.accounts import Account
from recorder.policy.model import Policy

Settings = dict[str, tuple[str, ...]]
"""sshd's settings as `sshd -T` prints them: keyword in small letters -> its values, one per line of it."""


@dataclass(frozen=True, slots=True)
class Sshd:
    """One configuration of sshd: `settings` by covered user, for each of the addresses that were tried."""

    config: str
    running: bool
    settings: dict[str, tuple[Settings, ...]] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file's owner and mode as in stat(2)."""

    uid: int
    mode: int


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    name: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kernel:
    """Numbers from /proc/sys; None where the kernel has no such setting."""

    ptrace_scope: int | None = 1
    suid_dumpable: int | None = 0
    clock_synchronised: bool | None = True


@dataclass(frozen=True, slots=True)
class Recorder:
    """The daemon and its store. `socket_problem` and `key_problem` are sentences, empty where all is well."""

    uid: int | None = None
    socket_problem: str = ""
    listener_uid: int | None = None
    store: Entry | None = None
    key_problem: str = ""
    free_bytes: int | None = None
    unit_may_kill: bool | None = None
    """Whether the service gets CAP_KILL; None without a service."""
    ender_problem: str = ""
    """Why nobody would end what sessions leave."""
    spool: Entry | None = None
    """Where notes of break-glass logins go."""
    free_inodes: int | None = None
    """None where the file system counts none."""


@dataclass(frozen=True, slots=True)
class Pythons:
    """Real paths: what the program runs on, and what is the system's own; empty where there is none."""

    of_program: str = ""
    of_system: str = ""
    copy_is_current: bool = True
    """Whether the login shell's interpreter is still a copy of the program's."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One host at one moment."""

    policy: Policy | None = None
    policy_problem: str = ""
    covered: tuple[Account, ...] = ()
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    """Of covered accounts."""
    startup_files: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Of covered accounts with another login shell: files in their home that it would run."""
    keys_with_commands: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Covered user -> files with keys that are for one command only (command="..." in authorized_keys)."""
    sshds: tuple[Sshd, ...] = ()
    processes: tuple[Process, ...] = ()
    shell_lines: bytes | None = None
    real_shells: dict[str, Entry | None] = field(default_factory=dict)
    entries: dict[str, Entry | None] = field(default_factory=dict)
    """Everything that must be root's: the installed files and every directory above them."""
    interpreter_capability: bool | None = True
    pythons: Pythons | None = None
    """None where nothing is installed, or on another host than this."""
    chsh_open: bool = False
    sshrc: Entry | None = None
    """Of what sshd has every user's `sh` run before the login shell; None where there is none."""
    pam_environment: tuple[str, ...] = ()
    """PAM services that read the user's ~/.pam_environment."""
    timers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Covered user -> what may start programs without a login: a crontab, lingering."""
    kernel: Kernel = field(default_factory=Kernel)
    recorder: Recorder = field(default_factory=Recorder)
