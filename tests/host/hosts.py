"""Hosts for tests: small ones below a temporary root, with two people and a group."""

import os
from pathlib import Path

import pytest

from recorder.host.accounts import Accounts, parse_accounts
from recorder.host.plan import HostFacts

PASSWD = """\
root:x:0:0:root:/root:/bin/bash
alice:x:61001:61001::/home/alice:/bin/zsh
bob:x:61002:61002::/home/bob:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:
"""
GROUP = "root:x:0:\nalice:x:61001:\nbob:x:61002:\nops:x:61003:bob,root\nempty:x:61004:\nnogroup:x:65534:\n"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other accounts: root only")


def accounts() -> Accounts:
    return parse_accounts(PASSWD, GROUP)


def facts(**changed: object) -> HostFacts:
    """A host with sshd, as Debian sets it up, that was never installed on."""
    known: dict[str, object] = {
        "accounts": accounts(),
        "sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\n",
        "ssh_unit": "ssh.service",
        "has_chsh": True,
        "interpreter": "/usr/bin/python3.11",
        "digest": "d" * 64,
        "login_script": b'SOCKET = "/run/x"\nprint()\n',
    }
    return HostFacts(**(known | changed))  # type: ignore[arg-type]  # named as the fields are


def make_root(path: Path) -> Path:
    """The files of such a host."""
    for directory in ("etc/ssh", "etc/pam.d", "usr/bin", "home/alice", "home/bob"):
        (path / directory).mkdir(parents=True)
    (path / "etc/passwd").write_text(PASSWD)
    (path / "etc/group").write_text(GROUP)
    (path / "etc/shells").write_text("/bin/sh\n/bin/bash")
    (path / "etc/pam.d/chsh").write_text("# rules\nauth required pam_shells.so\n")
    (path / "usr/bin/chsh").touch()
    include = f"Include {path}/etc/ssh/sshd_config.d/*.conf\n"
    (path / "etc/ssh/sshd_config").write_text(f"{include}HostKey {path}/etc/ssh/key\nX11Forwarding yes\n")
    return path
