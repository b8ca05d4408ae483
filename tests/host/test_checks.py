"""Doctor's judgement of evidence."""

from dataclasses import replace
from pathlib import Path

import pytest

from recorder.host import places
from recorder.host.accounts import Account
from recorder.host.doctor import examine
from recorder.host.evidence import Entry, Evidence, Kernel, Process, Pythons, Recorder, Settings, Sshd
from recorder.host.findings import State, is_closed, names
from recorder.host.inspection import inspect
from recorder.host.machine import Host
from recorder.host.sshd_drop_in import GLOBAL, WANTED
from recorder.policy.model import (
    CoverPolicy,
    DaemonPolicy,
    Noninteractive,
    NoninteractivePolicy,
    OnFailure,
    Policy,
    RecordingPolicy,
)
from recorder.policy.shell_lines import shell_lines
from tests.host.hosts import as_root, make_root

POLICY = Policy(cover=CoverPolicy(("alice",), ()))
ALICE = Account("alice", 1000, 1000, "/home/alice", places.SHELL)
SETTINGS: Settings = {wanted.keyword.lower(): (wanted.value,) for wanted in (*WANTED, GLOBAL)}
SSHD = Sshd(places.SSHD_CONFIG, True, {"alice": (SETTINGS,)})
CLOSED = Evidence(
    policy=POLICY,
    covered=(ALICE,),
    groups={"alice": frozenset({"alice"})},
    sshds=(SSHD,),
    shell_lines=shell_lines(POLICY),
    real_shells={"/bin/bash": Entry(0, 0o100755)},
    entries={"/opt": Entry(0, 0o40755), places.INTERPRETER: Entry(0, 0o100711)},
    recorder=Recorder(
        uid=999,
        listener_uid=999,
        store=Entry(999, 0o40700),
        spool=Entry(999, 0o43733),
        free_bytes=2**40,
        free_inodes=10**6,
        unit_may_kill=False,
    ),
)
OLDER, NEWER = "/usr/bin/python3.11", "/usr/bin/python3.13"
MAY_KILL = replace(POLICY, daemon=DaemonPolicy(end_survivors=True))


def spoiled(keyword: str, value: str, number: int = 1) -> Sshd:
    """An sshd that says something else for one of two addresses."""
    tried = [dict(SETTINGS), dict(SETTINGS)]
    tried[number][keyword.lower()] = (value,)
    return replace(SSHD, settings={"alice": tuple(tried)})


def test_a_host_where_all_is_well_is_closed_in_every_respect() -> None:
    findings = examine(CLOSED)
    assert {finding.state for finding in findings} == {State.CLOSED}
    assert is_closed(findings)


OPEN: list[tuple[dict[str, object], str, str]] = [
    ({"policy": None, "policy_problem": "no policy in /etc/x"}, "policy", "no policy in /etc/x"),
    ({"covered": ()}, "policy", "covers no account of this host"),
    (
        {"policy": replace(POLICY, noninteractive=NoninteractivePolicy(Noninteractive.ALLOW))},
        "policy",
        "sessions without a terminal are not recorded",
    ),
    (
        {"covered": (replace(ALICE, shell="/bin/bash"),), "startup_files": {"alice": ("~/.bashrc",)}},
        "login shells",
        "the login shell of alice is /bin/bash, which runs ~/.bashrc first",
    ),
    ({"covered": (replace(ALICE, shell=""),)}, "login shells", "the login shell of alice is /bin/sh"),
    ({"shell_lines": b""}, "real shells", "is not what /etc/sealcast/config.toml says"),
    ({"shell_lines": None}, "real shells", "is not what /etc/sealcast/config.toml says"),
    ({"real_shells": {"/bin/zsh": None}}, "real shells", "/bin/zsh is missing"),
    ({"real_shells": {"/bin/zsh": Entry(1000, 0o100755)}}, "real shells", "only root can change"),
    ({"real_shells": {"/bin/zsh": Entry(0, 0o100644)}}, "real shells", "not a program"),
    ({"chsh_open": True}, "chsh", "with chsh"),
    ({"sshds": (spoiled("PermitUserRC", "yes"),)}, "sshd", "PermitUserRC is yes for alice"),
    ({"sshds": (SSHD, replace(spoiled("ForceCommand", "none"), config="/srv/b"))}, "sshd", "in /srv/b"),
    ({"sshds": (replace(SSHD, settings={}, problem="no such file"),)}, "sshd", "no such file"),
    ({"processes": (Process(7, "dropbear"),)}, "entry points", "dropbear (process 7)"),
    ({"interpreter_capability": False, "pam_environment": ("sshd",)}, "environment", "read by PAM for sshd"),
    ({"interpreter_capability": None, "pam_environment": ("sshd",)}, "environment", "LD_PRELOAD acts"),
    ({"entries": {"/opt": Entry(0, 0o40775)}}, "permissions", "/opt can be changed by others"),
    ({"entries": {"/opt": Entry(1000, 0o40755)}}, "permissions", "/opt can be changed by others"),
    ({"entries": {"/opt": None}}, "permissions", "/opt is missing"),
    ({"entries": {places.INTERPRETER: Entry(0, 0o100755)}}, "interpreter", "has mode 0755"),
    ({"pythons": Pythons("", NEWER)}, "python", "covered logins are refused"),
    ({"kernel": Kernel(suid_dumpable=1)}, "interpreter", "fs.suid_dumpable is 1"),
    ({"recorder": replace(CLOSED.recorder, uid=None)}, "recorder", "there is no account sealcast"),
    ({"recorder": replace(CLOSED.recorder, socket_problem="connection refused")}, "recorder", "refused"),
    ({"recorder": replace(CLOSED.recorder, listener_uid=1000)}, "recorder", "user 1000 listens"),
    ({"recorder": replace(CLOSED.recorder, store=None)}, "store", "/var/lib/sealcast is missing"),
    ({"recorder": replace(CLOSED.recorder, store=Entry(999, 0o40750))}, "store", "is not sealcast's alone"),
    ({"recorder": replace(CLOSED.recorder, store=Entry(0, 0o40700))}, "store", "is not sealcast's alone"),
    ({"recorder": replace(CLOSED.recorder, key_problem="gone")}, "host key", "gone"),
    ({"recorder": replace(CLOSED.recorder, free_bytes=2**29)}, "disk", "512MiB free"),
    ({"recorder": replace(CLOSED.recorder, free_bytes=2**20)}, "disk", "less than disk.critical"),
    ({"recorder": replace(CLOSED.recorder, free_inodes=0)}, "disk", "room for 0 more files"),
    ({"recorder": replace(CLOSED.recorder, spool=None)}, "spool", "/var/spool/sealcast is missing"),
    ({"recorder": replace(CLOSED.recorder, spool=Entry(999, 0o43777))}, "spool", "with mode 3733"),
    ({"recorder": replace(CLOSED.recorder, spool=Entry(999, 0o42733))}, "spool", "with mode 3733"),
    ({"recorder": replace(CLOSED.recorder, spool=Entry(1000, 0o43733))}, "spool", "can be taken away"),
    ({"policy": MAY_KILL}, "recorder", "sealcast.service does not give the recorder CAP_KILL"),
    (
        {
            "policy": MAY_KILL,
            "recorder": replace(CLOSED.recorder, unit_may_kill=True, ender_problem="connection refused"),
        },
        "recorder",
        "nobody ends what sessions leave running (connection refused)",
    ),
    ({"sshrc": Entry(1000, 0o100644)}, "startup files", "others than root can change it"),
    ({"sshrc": Entry(0, 0o100664)}, "startup files", "others than root can change it"),
    ({"sshrc": Entry(0, 0o100644), "pam_environment": ("sshd",)}, "startup files", "LD_PRELOAD"),
]


@pytest.mark.parametrize(("changed", "check", "says"), OPEN)
def test_each_thing_that_is_open_is_found_with_its_fix(
    changed: dict[str, object], check: str, says: str
) -> None:
    findings = examine(replace(CLOSED, **changed))  # type: ignore[arg-type]  # named as the fields are
    wrong = [one for one in findings if one.state in {State.OPEN, State.UNKNOWN} and one.check == check]
    assert not is_closed(findings)
    assert any(says in finding.says for finding in wrong), wrong
    assert all(finding.fix for finding in wrong)


@pytest.mark.parametrize(
    "pythons", [Pythons(NEWER, NEWER), Pythons("/usr/local/bin/python3.14", NEWER), Pythons(NEWER, "")]
)
def test_a_python_that_stays_is_nothing_to_speak_of(pythons: Pythons) -> None:
    assert not [one for one in examine(replace(CLOSED, pythons=pythons)) if one.check == "python"]


NOTES: list[tuple[dict[str, object], str]] = [
    ({"policy": replace(POLICY, recording=RecordingPolicy(on_failure=OnFailure.OPEN))}, "go on unrecorded"),
    (
        {"policy": replace(POLICY, cover=CoverPolicy(("alice", "gone"), ()))},
        "no account gone that lets anybody in",
    ),
    ({"groups": {"alice": frozenset({"docker"})}}, "alice can become root as a member of docker"),
    ({"timers": {"alice": ("a crontab",)}}, "alice has a crontab"),
    ({"processes": (Process(7, "telnetd"),)}, "telnetd"),
    ({"pythons": Pythons(OLDER, NEWER)}, f"the recorder runs on {OLDER}, and the system on {NEWER}"),
    ({"pythons": Pythons(OLDER, OLDER, copy_is_current=False)}, f"is no copy of {OLDER}"),
    ({"kernel": Kernel(ptrace_scope=None)}, "yama"),
    ({"kernel": Kernel(ptrace_scope=0)}, "yama"),
    ({"kernel": Kernel(clock_synchronised=False)}, "not synchronised"),
    ({"interpreter_capability": False}, "LD_PRELOAD"),
    ({"sshrc": Entry(0, 0o100644)}, "/etc/ssh/sshrc runs before the recorder"),
    (
        {"keys_with_commands": {"alice": ("/k",)}},
        "keys of alice for one command (command= in /k) now run any",
    ),
    ({"recorder": replace(CLOSED.recorder, free_inodes=9)}, "room for 9 more files"),
    ({"recorder": replace(CLOSED.recorder, unit_may_kill=True)}, "gives the recorder CAP_KILL"),
    ({"sshds": (spoiled("Subsystem", "sftp internal-sftp", 0),)}, "sftp does not work"),
]


@pytest.mark.parametrize(("changed", "says"), NOTES)
def test_what_opens_nothing_is_a_note(changed: dict[str, object], says: str) -> None:
    findings = examine(replace(CLOSED, **changed))  # type: ignore[arg-type]  # named as the fields are
    assert is_closed(findings)
    assert [finding for finding in findings if finding.state is State.NOTE and says in finding.says]


def test_many_names_are_counted() -> None:
    assert names(f"user{n}" for n in range(9)) == "user0, user1, user2, user3, user4 and 4 more"


@as_root
def test_a_host_without_anything_of_ours_is_open_and_does_not_fail(tmp_path: Path) -> None:
    findings = examine(inspect(Host(make_root(tmp_path / "root"))))
    assert not is_closed(findings)
    assert "no policy in" in findings[0].says
