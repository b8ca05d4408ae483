"""A real shell that lets its user do little lets them do no more when they are recorded."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from recorder.cast import events
from tests.e2e.bastion import Bastion, bastion
from tests.e2e.corpus import NEEDS_BASTION, NewSessions
from tests.marks import needs

pytestmark = [*NEEDS_BASTION, needs("sftp", "git")]
SFTP = "/usr/lib/openssh/sftp-server"


@pytest.fixture(scope="module")
def host() -> Iterator[Bastion]:
    with bastion() as host:
        yield host


def sftp(host: Bastion) -> "subprocess.CompletedProcess[bytes]":
    """The subsystem, asked for the directory it is in."""
    ssh = host.ssh()
    command = ["sftp", "-b", "-", *("-P" if word == "-p" else word for word in ssh[1:])]
    return subprocess.run(command, input=b"pwd\n", capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("shell", "works"),
    [("/bin/bash", True), ("/bin/sh", True), ("/usr/sbin/nologin", False), ("/bin/false", False)],
)
def test_files_go_where_the_real_shell_would_let_them(host: Bastion, shell: str, works: bool) -> None:
    (host.base / "shells").write_text(f"*\t{shell}\n")
    new = NewSessions(host)
    done = sftp(host)
    assert (done.returncode == 0) is works, done.stderr
    found = new.one()
    assert bool(found.data(events.TRANSFER)) is works
    assert found.header.session is not None
    assert found.header.session.command is not None, "it is recorded in any case"
    assert found.header.session.command.rstrip() == SFTP, "sshd 9.6 adds a space"


@pytest.mark.parametrize("command", [SFTP, "scp -t /tmp", "rsync --server . /tmp"])
def test_a_shell_that_serves_git_only_serves_nothing_else(host: Bastion, command: str) -> None:
    (host.base / "shells").write_text(f"*\t{shutil.which('git-shell')}\n")
    new = NewSessions(host)
    done = host.run(command)
    assert done.returncode == 128
    assert b"unrecognized command" in done.stderr
    assert new.one().data(events.TRANSFER) == []
