"""What `/etc/sealcast/config.toml` says: who is recorded, how, and what happens when that fails."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class OnFailure(StrEnum):
    """What becomes of a session whose record cannot be written."""

    CLOSED = "closed"
    OPEN = "open"


class Noninteractive(StrEnum):
    """What becomes of a login without a terminal."""

    RECORD = "record"
    ALLOW = "allow"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class StorePolicy:
    path: Path = Path("/var/lib/sealcast")


@dataclass(frozen=True, slots=True)
class DaemonPolicy:
    socket: Path = Path("/run/sealcast/socket")
    user: str = "sealcast"
    end_survivors: bool = False


@dataclass(frozen=True, slots=True)
class CoverPolicy:
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShellPolicy:
    default: str = "/bin/bash"
    users: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordingPolicy:
    input: bool = False
    on_failure: OnFailure = OnFailure.CLOSED
    shell_marks: bool = True


@dataclass(frozen=True, slots=True)
class NoninteractivePolicy:
    """Caps are bytes of one stream; beyond them the recording holds length and SHA-256 only."""

    mode: Noninteractive = Noninteractive.RECORD
    input_cap: int = 2**20
    output_cap: int = 4 * 2**20


@dataclass(frozen=True, slots=True)
class LimitPolicy:
    """Numbers per user; `idle` and `duration` in seconds. 0 sets no limit."""

    sessions_per_user: int = 100
    new_sessions_per_minute: int = 600
    idle: int = 0
    duration: int = 0


@dataclass(frozen=True, slots=True)
class DiskPolicy:
    """Free bytes: below `low` no session starts, below `critical` the one that is idle longest is ended."""

    low: int = 2**30
    critical: int = 256 * 2**20


@dataclass(frozen=True, slots=True)
class AdminPolicy:
    group: str = "sealcast-admins"


@dataclass(frozen=True, slots=True)
class BreakGlassPolicy:
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """One host's policy. `digest` names the file's bytes: `sha256:` and hex digits."""

    store: StorePolicy = field(default_factory=StorePolicy)
    daemon: DaemonPolicy = field(default_factory=DaemonPolicy)
    cover: CoverPolicy = field(default_factory=CoverPolicy)
    shells: ShellPolicy = field(default_factory=ShellPolicy)
    recording: RecordingPolicy = field(default_factory=RecordingPolicy)
    noninteractive: NoninteractivePolicy = field(default_factory=NoninteractivePolicy)
    limits: LimitPolicy = field(default_factory=LimitPolicy)
    disk: DiskPolicy = field(default_factory=DiskPolicy)
    admins: AdminPolicy = field(default_factory=AdminPolicy)
    break_glass: BreakGlassPolicy = field(default_factory=BreakGlassPolicy)
    digest: str = ""

    def covers(self, user: str, groups: Collection[str]) -> bool:
        """Whether an account is recorded; `groups` are the names of all its groups."""
        return user in self.cover.users or not set(self.cover.groups).isdisjoint(groups)

    def shell_for(self, user: str) -> str:
        """The real shell of a covered account: the path of a program."""
        return self.shells.users.get(user, self.shells.default)

    def is_admin(self, groups: Collection[str]) -> bool:
        """Whether members of these groups may list, watch and end sessions of others."""
        return self.admins.group in groups

    def is_break_glass(self, user: str) -> bool:
        """Whether this account may log in unrecorded while the recorder is down."""
        return user in self.break_glass.users
