"""The accounts of a host, and which of them a policy covers."""

import difflib
import grp
import pwd
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from recorder.errors import ExitCode, SealcastError
from recorder.policy.model import Policy
from recorder.safe_text import safe


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int
    home: str
    shell: str


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    gid: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accounts:
    users: dict[str, Account]
    groups: dict[str, Group]

    def groups_of(self, user: str) -> set[str]:
        """Names of the account's groups, the primary one among them."""
        account = self.users[user]
        return {
            group.name for group in self.groups.values() if group.gid == account.gid or user in group.members
        }

    def covered_by(self, policy: Policy) -> list[Account]:
        """Accounts that are to be recorded, by name; never root's, which could stop the recorder anyway."""
        own = {policy.daemon.user}
        names = (name for name, account in self.users.items() if account.uid != 0 and name not in own)
        return [self.users[name] for name in sorted(names) if policy.covers(name, self.groups_of(name))]

    def user(self, name: str) -> Account:
        return self.users[self._known("user", name, self.users)]

    def group(self, name: str) -> Group:
        return self.groups[self._known("group", name, self.groups)]

    def _known(self, kind: str, name: str, names: Iterable[str]) -> str:
        if name not in names:
            close = difflib.get_close_matches(name, list(names), 1)
            hint = f"did you mean {close[0]}?" if close else None
            raise SealcastError(f'no {kind} "{safe(name, 80)}" on this host', hint, ExitCode.TARGET)
        return name


def read_accounts(root: Path, named: Iterable[str] = ()) -> Accounts:
    """From the system's name service, or from the files below another root.

    A directory service may know accounts that it does not enumerate: `named` are asked for one by one.
    """
    if root != Path("/"):
        return parse_accounts((root / "etc/passwd").read_text(), (root / "etc/group").read_text())
    entries = pwd.getpwall() + [entry for name in named if (entry := _ask(name)) is not None]
    users = {
        entry.pw_name: Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell)
        for entry in entries
    }
    groups = {
        entry.gr_name: Group(entry.gr_name, entry.gr_gid, tuple(entry.gr_mem)) for entry in grp.getgrall()
    }
    return Accounts(users, groups)


def _ask(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def parse_accounts(passwd: str, group: str) -> Accounts:
    """From the texts of passwd(5) and group(5); lines of another form are passed over, as libc does."""
    users = {}
    for fields in (line.split(":") for line in passwd.splitlines()):
        if len(fields) == 7 and fields[2].isdecimal() and fields[3].isdecimal():
            users[fields[0]] = Account(fields[0], int(fields[2]), int(fields[3]), fields[5], fields[6])
    groups = {}
    for fields in (line.split(":") for line in group.splitlines()):
        if len(fields) == 4 and fields[2].isdecimal():
            members = tuple(name for name in fields[3].split(",") if name)
            groups[fields[0]] = Group(fields[0], int(fields[2]), members)
    return Accounts(users, groups)
