"""Keys that are for one command only, found in whatever users keep there."""

import os
from pathlib import Path

import pytest

from recorder.host.accounts import Account
from recorder.host.evidence import Sshd
from recorder.host.key_files import keys_with_commands
from recorder.host.machine import Host

ALICE = Account("alice", 1000, 1000, "/home/alice", "/bin/bash")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "home/alice/.ssh/authorized_keys"
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('command="backup" ssh-ed25519 AAAA\n', True),
        ('ssh-rsa AAAA\n  restrict,pty,Command="x y" ssh-rsa BBBB\n', True),
        ('# command="backup" ssh-ed25519 AAAA\nssh-ed25519 AAAA\n', False),
        ("ssh-ed25519 AAAA the command= of old\n", False),
        ("", False),
    ],
)
def test_such_keys_are_told_from_others(tmp_path: Path, keys: Path, text: str, found: bool) -> None:
    keys.write_text(text)
    expected = {"alice": ("/home/alice/.ssh/authorized_keys",)} if found else {}
    assert keys_with_commands(Host(tmp_path), [ALICE], ()) == expected


def test_they_are_looked_for_where_sshd_looks(tmp_path: Path) -> None:
    for name in ("etc/keys/alice", "home/alice/k"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('command="x" ssh-rsa AAAA\n')
    sshd = Sshd("/etc/x", True, {"alice": ({"authorizedkeysfile": ("/etc/keys/%u %h/k k",)},)})
    assert keys_with_commands(Host(tmp_path), [ALICE], [sshd]) == {
        "alice": ("/etc/keys/alice", "/home/alice/k")
    }


def test_what_is_no_plain_file_is_passed_over(tmp_path: Path, keys: Path) -> None:
    os.mkfifo(keys)
    keys.with_name("authorized_keys2").symlink_to("/dev/zero")
    assert keys_with_commands(Host(tmp_path), [ALICE], ()) == {}
