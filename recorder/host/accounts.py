"""The accounts of a host, and which of them a policy covers."""

import difflib
import grp
import pwd
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from recorder.errors import ExitCode, SealcastError
from recorder.policy.model import CoverPolicy, Policy
from recorder.safe_text import safe

NO_SHELLS = ("nologin", "false")
"""Names of programs that let nobody in."""


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int
    home: str
    shell: str
    local: bool = True
    """Of /etc/passwd; else of a directory service, where alone it can be changed."""

    @property
    def may_log_in(self) -> bool:
        return self.shell.rpartition("/")[2] not in NO_SHELLS


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
        """Accounts that are to be recorded, by name; never root's, which could stop the recorder anyway.

        An account that lets nobody in stays so: with the recorder as its shell it would be one for FTP.
        """
        own = {policy.daemon.user}
        accounts = [self.users[name] for name in sorted(self.users) if name not in own]
        given = policy.shells.users
        return [
            account
            for account in accounts
            if account.uid != 0
            and (account.may_log_in or account.name in given)
            and policy.covers(account.name, self.groups_of(account.name))
        ]

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


def read_accounts(root: Path, cover: CoverPolicy) -> Accounts:
    """From the system's name service, or from the files below another root.

    A directory service may know accounts that it does not enumerate, so those covered are asked for by name.
    """
    if root != Path("/"):
        return parse_accounts((root / "etc/passwd").read_text(), (root / "etc/group").read_text())
    groups = {entry.gr_name: entry for entry in grp.getgrall()}
    for name in cover.groups:
        with suppress(KeyError):
            groups[name] = grp.getgrnam(name)
    users = {entry.pw_name: entry for entry in pwd.getpwall()}
    members = (member for name in cover.groups if name in groups for member in groups[name].gr_mem)
    for name in (*cover.users, *members):
        with suppress(KeyError):
            users[name] = pwd.getpwnam(name)
    here = parse_accounts(Path("/etc/passwd").read_text(errors="surrogateescape"), "").users
    return Accounts(
        {name: _account(entry, local=name in here) for name, entry in users.items()},
        {name: Group(name, entry.gr_gid, tuple(entry.gr_mem)) for name, entry in groups.items()},
    )


def _account(entry: pwd.struct_passwd, *, local: bool) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell, local)


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
