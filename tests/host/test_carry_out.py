"""Steps made so below a temporary root: real files, real sshd -t, real useradd."""

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from recorder.errors import SealcastError
from recorder.host import places
from recorder.host.carry_out import carry_out, is_done, pending
from recorder.host.machine import Host
from recorder.host.steps import (
    Absent,
    Command,
    Directory,
    File,
    Line,
    Link,
    LoginShell,
    Module,
    NoLine,
    ReloadSshd,
    SshdDropIn,
    SshdInclude,
    Step,
    SystemGroup,
    SystemUser,
)
from tests.host.hosts import as_root, make_root
from tests.marks import needs

pytestmark = as_root


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(make_root(tmp_path / "root"))


def do(host: Host, *steps: Step) -> list[Step]:
    done: list[Step] = []
    assert pending(steps, Host(host.root)) == [step for step in steps if not is_done(step, host)]
    assert carry_out(steps, host, done.append) == len(done)
    assert carry_out(steps, host, lambda step: pytest.fail(f"twice: {step}")) == 0
    return done


def refusal(host: Host, step: Step) -> SealcastError:
    with pytest.raises(SealcastError) as caught:
        carry_out([step], host, lambda _step: None)
    return caught.value


@pytest.mark.parametrize(
    "step",
    [
        File("/etc/new/file", b"text\n", 0o755),
        Module("/opt/x/libexec/login.py", b"print()\n", sys.executable),
        Directory("/opt/sealcast"),
        Directory("/srv/store", 0o700, "alice"),
        Link("/usr/local/bin/x", "/opt/x"),
        Line("/etc/shells", places.SHELL),
        Absent("/etc/shells"),
        Absent("/etc/ssh"),
        SystemGroup("admins"),
        SystemUser("recorder", "/var/lib/recorder"),
        LoginShell("alice", places.SHELL),
    ],
    ids=str,
)
def test_a_step_is_made_so_once(host: Host, step: Step) -> None:
    assert do(host, step) == [step]


def test_files_belong_to_root_with_their_mode_whatever_was_there(host: Host) -> None:
    target = host.at("/etc/victim")
    target.write_text("untouched")
    host.at("/etc/file").symlink_to(target)
    do(host, File("/etc/file", b"new", 0o644))
    status = host.at("/etc/file").lstat()
    assert (stat.filemode(status.st_mode), status.st_uid) == ("-rw-r--r--", 0)
    assert target.read_text() == "untouched"


def test_a_file_changed_by_hand_is_put_right(host: Host) -> None:
    step = File("/etc/file", b"new", 0o644)
    do(host, step)
    host.at("/etc/file").write_bytes(b"old")
    assert do(host, step) == [step]
    host.at("/etc/file").chmod(0o666)
    assert do(host, step) == [step]


def test_a_module_is_compiled_for_its_interpreter_where_anyone_can_read_it(host: Host) -> None:
    step = Module("/opt/login.py", b"word = 'first'\n", sys.executable)
    mask = os.umask(0o077)
    try:
        do(host, step)
        do(host, replace(step, data=b"word = 'other'\n"))
    finally:
        os.umask(mask)
    (code,) = host.at("/opt/__pycache__").iterdir()
    modes = [path.stat().st_mode & 0o777 for path in (host.at(step.path), code.parent, code)]
    assert modes == [0o644, 0o755, 0o644]
    command = [
        sys.executable,
        "-ISv",
        "-c",
        f"import sys; sys.path[:0] = [{str(host.at('/opt'))!r}]; import login",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert f"# code object from '{code}'" in done.stderr
    code.unlink()
    assert do(host, replace(step, data=b"word = 'other'\n")), "byte code that is gone is made again"


def test_lines_come_first_or_last_and_go(host: Host) -> None:
    do(host, Line("/etc/shells", "/last"), Line("/etc/shells", "/first", first=True))
    assert host.at("/etc/shells").read_text() == "/first\n/bin/sh\n/bin/bash\n/last\n"
    do(host, NoLine("/etc/shells", "/first"))
    assert host.at("/etc/shells").read_text() == "/bin/sh\n/bin/bash\n/last\n"


def test_a_line_that_must_be_first_is_put_there_from_anywhere(host: Host) -> None:
    host.at("/etc/shells").write_text("# a comment\n\n/bin/sh\n/first\n")
    do(host, Line("/etc/shells", "/first", first=True))
    assert host.at("/etc/shells").read_text() == "/first\n# a comment\n\n/bin/sh\n"
    host.at("/etc/shells").write_text("# a comment\n/first\n/bin/sh\n")
    assert is_done(Line("/etc/shells", "/first", first=True), host)


def test_a_file_that_comes_to_be_says_what_its_absence_said(host: Host) -> None:
    host.at("/etc/shells").unlink()
    do(host, Line("/etc/shells", places.SHELL, otherwise=("/bin/sh",)))
    assert host.at("/etc/shells").read_text() == f"/bin/sh\n{places.SHELL}\n"


@needs("sshd", "ssh-keygen")
def test_an_include_that_sshd_refuses_does_not_stay(host: Host) -> None:
    """Drop-ins that were never read may hold anything: sshd would not start again."""
    main = host.at(places.SSHD_CONFIG)
    host.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host.at("/etc/ssh/key"))])
    main.write_text(f"HostKey {host.at('/etc/ssh/key')}\n")
    main.chmod(0o600)
    broken, good = host.at("/etc/broken"), host.at("/etc/good")
    broken.write_text("NoSuchKeyword yes\n")
    good.write_text("PermitTTY no\n")
    before = main.read_bytes()
    assert "NoSuchKeyword" in refusal(host, SshdInclude(places.SSHD_CONFIG, f"Include {broken}")).message
    assert main.read_bytes() == before
    do(host, SshdInclude(places.SSHD_CONFIG, f"Include {good}"))
    assert (main.read_bytes(), main.stat().st_mode) == (f"Include {good}\n".encode() + before, 0o100600)


def test_what_is_no_link_of_ours_stays(host: Host) -> None:
    host.at("/usr/bin/tool").write_text("theirs")
    assert "no link of ours" in refusal(host, Link("/usr/bin/tool", "/opt/x")).message
    assert host.at("/usr/bin/tool").read_text() == "theirs"


def test_a_directory_is_never_reached_through_a_link(host: Host, tmp_path: Path) -> None:
    host.at("/srv").symlink_to(tmp_path)
    assert "is no directory" in refusal(host, Directory("/srv", 0o700)).message


def test_accounts_are_those_of_the_root(host: Host) -> None:
    do(
        host,
        SystemUser("recorder", "/srv"),
        LoginShell("bob", places.SHELL),
        Directory("/srv", 0o700, "recorder"),
    )
    lines = host.at("/etc/passwd").read_text().splitlines()
    assert f"bob:x:61002:61002::/home/bob:{places.SHELL}" in lines
    fields = next(line for line in lines if line.startswith("recorder:")).split(":")
    assert (fields[5:], 0 < int(fields[2]) < 1000) == (["/srv", "/usr/sbin/nologin"], True)
    assert host.at("/srv").stat().st_uid == int(fields[2])


def test_commands_follow_changes_and_never_leave_a_test_root(host: Host) -> None:
    command, reload = Command(("false",), ("/etc/file",)), ReloadSshd(None, ("/etc/file",))
    do(host, File("/etc/file", b"", 0o644), command, reload)
    here = Host()
    assert is_done(command, here)
    here.changed.add("/etc/file")
    assert not is_done(command, here)
    assert not is_done(reload, here)


def test_a_failing_command_says_what_it_said(host: Host) -> None:
    error = refusal(host, LoginShell("no-such-user", "/bin/sh"))
    assert "usermod" in error.message
    assert "no-such-user" in error.message
    with pytest.raises(SealcastError, match="cannot run no-such-command"):
        host.run(["no-such-command"])


@needs("sshd", "ssh-keygen")
def test_settings_that_sshd_refuses_do_not_stay(host: Host) -> None:
    host.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host.at("/etc/ssh/key"))])
    good = SshdDropIn(places.SSHD_DROP_IN, b"X11Forwarding no\n", places.SSHD_CONFIG)
    bad = SshdDropIn(places.SSHD_DROP_IN, b"NoSuchKeyword yes\n", places.SSHD_CONFIG)
    assert "NoSuchKeyword" in refusal(host, bad).message
    assert not host.at(places.SSHD_DROP_IN).exists()
    do(host, good)
    refusal(host, bad)
    assert host.at(places.SSHD_DROP_IN).read_bytes() == b"X11Forwarding no\n"
    do(host, SshdDropIn(places.SSHD_DROP_IN, None, places.SSHD_CONFIG))
    assert not host.at(places.SSHD_DROP_IN).exists()
