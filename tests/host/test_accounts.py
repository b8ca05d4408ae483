"""Accounts of a host, and who is covered."""

import grp
import pwd
from pathlib import Path

import pytest

from recorder.errors import SealcastError
from recorder.host.accounts import parse_accounts, read_accounts
from recorder.policy.model import CoverPolicy, Policy
from tests.host.hosts import accounts, make_root


def covered(users: tuple[str, ...], groups: tuple[str, ...]) -> list[str]:
    return [account.name for account in accounts().covered_by(Policy(cover=CoverPolicy(users, groups)))]


def test_users_and_members_are_covered_root_never() -> None:
    assert covered(("alice",), ()) == ["alice"]
    assert covered((), ("ops",)) == ["bob"]
    assert covered((), ("alice",)) == ["alice"], "a primary group counts"
    assert covered(("alice", "nobody-here"), ("ops", "empty")) == ["alice", "bob"]


def test_the_recorders_own_account_is_never_covered() -> None:
    found = parse_accounts("sealcast:x:999:999::/:/bin/sh\n", "staff:x:50:sealcast\n")
    assert found.covered_by(Policy(cover=CoverPolicy((), ("staff",)))) == []


def test_unknown_names_come_with_a_suggestion() -> None:
    with pytest.raises(SealcastError) as caught:
        accounts().user("alcie")
    assert (caught.value.message, caught.value.hint) == (
        'no user "alcie" on this host',
        "did you mean alice?",
    )
    with pytest.raises(SealcastError, match='no group "ops2"'):
        accounts().group("ops2")


def test_damaged_lines_are_passed_over() -> None:
    found = parse_accounts("\n+::::::\nx:y\nalice:x:1:1::/:/bin/sh\n", "g:x:z:\n#\n")
    assert (list(found.users), list(found.groups)) == (["alice"], [])


def test_another_root_has_its_own_accounts_and_this_one_asks_the_system(tmp_path: Path) -> None:
    cover = CoverPolicy(("root", "no-such-user"), ("root", "no-such-group"))
    assert "alice" in read_accounts(make_root(tmp_path), cover).users
    assert read_accounts(Path("/"), cover).users["root"].uid == 0


def test_a_directory_service_is_asked_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    known = pwd.struct_passwd(("remote", "x", 70001, 70001, "", "/home/remote", "/bin/zsh"))
    group = grp.struct_group(("far", "x", 70002, ["remote"]))
    monkeypatch.setattr(pwd, "getpwall", list)
    monkeypatch.setattr(grp, "getgrall", list)
    monkeypatch.setattr(pwd, "getpwnam", {"remote": known}.__getitem__)
    monkeypatch.setattr(grp, "getgrnam", {"far": group}.__getitem__)
    cover = CoverPolicy((), ("far",))
    found = read_accounts(Path("/"), cover)
    assert [account.name for account in found.covered_by(Policy(cover=cover))] == ["remote"]
