"""Is the recorder there, out of reach, and fit to go on?"""

import stat
from collections.abc import Iterator

from recorder.capture.login import SPOOL
from recorder.host import places
from recorder.host.evidence import Evidence, Pythons, Recorder
from recorder.host.findings import Finding, State, or_closed
from recorder.host.interpreter import MODE
from recorder.policy.model import Policy
from recorder.policy.quantities import size_text

_FEW_INODES = 10_000


def check_permissions(evidence: Evidence) -> Iterator[Finding]:
    """What the recorder is made of, and every directory above it, can be changed by root alone."""
    check = "permissions"

    def found() -> Iterator[Finding]:
        for path, entry in evidence.entries.items():
            if entry is None:
                yield Finding(check, State.OPEN, f"{path} is missing", "sealcast install")
            elif entry.uid != 0 or entry.mode & 0o022:
                says = f"{path} can be changed by others than root"
                yield Finding(check, State.OPEN, says, f"chown root {path} && chmod go-w {path}")

    yield from or_closed(check, found(), "what the recorder is made of can be changed by root alone")


def check_interpreter(evidence: Evidence) -> Iterator[Finding]:
    """Nobody reads, traces, or takes descriptors from the login shell before it has become the real one."""
    check = "interpreter"

    def found() -> Iterator[Finding]:
        entry = evidence.entries.get(places.INTERPRETER)
        if entry is not None and entry.mode & 0o7777 != MODE:
            says = f"{places.INTERPRETER} has mode {entry.mode & 0o7777:04o}: its users can trace it"
            yield Finding(check, State.OPEN, says, f"chmod {MODE:04o} {places.INTERPRETER}")
        if evidence.kernel.suid_dumpable == 1:
            says = "fs.suid_dumpable is 1: users can trace programs that they cannot read"
            yield Finding(check, State.OPEN, says, "sysctl fs.suid_dumpable=0, and in /etc/sysctl.d")

    yield from or_closed(check, found(), "the login shell cannot be traced")
    if not evidence.kernel.ptrace_scope:
        says = "yama does not keep processes of one user from tracing each other"
        yield Finding(check, State.NOTE, says, "sysctl kernel.yama.ptrace_scope=1, and in /etc/sysctl.d")


def check_python(evidence: Evidence) -> Iterator[Finding]:
    """Will there be a Python for the recorder tomorrow? A new release of the system brings another one."""
    check, pythons = "python", evidence.pythons
    again = "run sealcast install where it was first run from, with the system's Python"
    if pythons is None:
        return
    if not pythons.of_program:
        says = f"what {places.PROGRAM_PYTHON} leads to is gone: covered logins are refused"
        yield Finding(check, State.OPEN, says, again)
    elif not pythons.copy_is_current:
        says = f"{places.INTERPRETER} is no copy of {pythons.of_program}, which has changed"
        yield Finding(check, State.NOTE, says, "sealcast install")
    elif pythons.of_system and _may_be_removed(pythons):
        says = f"the recorder runs on {pythons.of_program}, and the system on {pythons.of_system}"
        refused = "covered logins are refused once the first is removed"
        yield Finding(check, State.NOTE, f"{says}: {refused}", again)


def _may_be_removed(pythons: Pythons) -> bool:
    """Packages of the system own what lies beside its own Python, and none may need this one any more."""
    places_of = {path.rpartition("/")[0] for path in (pythons.of_program, pythons.of_system)}
    return len(places_of) == 1 and pythons.of_program != pythons.of_system


def check_recorder(evidence: Evidence) -> Iterator[Finding]:
    """Does the daemon answer, and is it the recorder's own account that does?"""
    check, recorder = "recorder", evidence.recorder
    if evidence.policy is None:
        return
    user, socket = evidence.policy.daemon.user, evidence.policy.daemon.socket
    if recorder.uid is None:
        yield Finding(check, State.OPEN, f"there is no account {user}", "sealcast install")
    elif recorder.socket_problem:
        says = f"nobody answers at {socket} ({recorder.socket_problem}): covered logins are refused"
        yield Finding(check, State.OPEN, says, "systemctl restart sealcast, or run: sealcast daemon")
    elif recorder.listener_uid not in {recorder.uid, 0}:
        says = f"user {recorder.listener_uid} listens at {socket} in the place of {user}"
        yield Finding(check, State.OPEN, says, "stop that process, then: systemctl restart sealcast")
    else:
        yield Finding(check, State.CLOSED, f"{user} answers at {socket}")
    yield from _privilege(evidence.policy, recorder)


def _privilege(policy: Policy, recorder: Recorder) -> Iterator[Finding]:
    """Policy, service and the running recorder agree on who may end what sessions leave."""
    check, wanted = "recorder", policy.daemon.end_survivors
    fix = "sealcast install, which makes the service anew"
    if recorder.unit_may_kill is not None and recorder.unit_may_kill != wanted:
        has = "does not give" if wanted else "gives"
        asks = "asks for it" if wanted else "does not ask for it"
        says = f"{places.UNIT_NAME} {has} the recorder CAP_KILL, and the policy {asks}"
        yield Finding(check, State.OPEN if wanted else State.NOTE, says, fix)
    elif wanted and recorder.ender_problem:
        says = f"nobody ends what sessions leave running ({recorder.ender_problem})"
        yield Finding(check, State.OPEN, says, "systemctl restart sealcast, or run: sealcast daemon")


def check_store(evidence: Evidence) -> Iterator[Finding]:
    """Is the store the recorder's alone, with its key, and with room for more?"""
    if evidence.policy is None:
        return
    recorder, path, user = evidence.recorder, evidence.policy.store.path, evidence.policy.daemon.user
    if recorder.store is None:
        yield Finding("store", State.OPEN, f"{path} is missing", "sealcast install")
        return
    if recorder.store.uid != recorder.uid or recorder.store.mode & 0o077:
        fix = f"chown -R {user}: {path} && chmod 700 {path}"
        yield Finding("store", State.OPEN, f"{path} is not {user}'s alone", fix)
    else:
        yield Finding("store", State.CLOSED, f"{path} is {user}'s alone")
    if recorder.key_problem:
        fix = "start the recorder, which makes a missing key; put a lost one back from a backup"
        yield Finding("host key", State.OPEN, recorder.key_problem, fix)
    else:
        yield Finding("host key", State.CLOSED, "the host key is in its place")
    yield from _spool(evidence)
    yield from _disk(evidence)


def _spool(evidence: Evidence) -> Iterator[Finding]:
    """Whoever can list the notes of break-glass logins, or remove those of others, can hide one."""
    check, spool = "spool", evidence.recorder.spool
    if spool is None:
        says = f"{SPOOL} is missing: break-glass accounts cannot log in while the recorder is down"
        yield Finding(check, State.OPEN, says, "sealcast install")
    elif spool.uid != evidence.recorder.uid or spool.mode != stat.S_IFDIR | places.SPOOL_MODE:
        says = f"{SPOOL} is not a directory of the recorder's with mode {places.SPOOL_MODE:04o}"
        yield Finding(
            check, State.OPEN, f"{says}: notes of break-glass logins can be taken away", "sealcast install"
        )
    else:
        yield Finding(check, State.CLOSED, f"notes of break-glass logins in {SPOOL} are the recorder's")


def _disk(evidence: Evidence) -> Iterator[Finding]:
    free, policy = evidence.recorder.free_bytes, evidence.policy
    if policy is None or free is None:
        return
    left = f"{size_text(free // 2**20 * 2**20)} free in {policy.store.path}"
    fix = "free space there, or change [disk] in the policy"
    if free < policy.disk.critical:
        yield Finding("disk", State.OPEN, f"{left}, less than disk.critical: no session can start", fix)
    elif free < policy.disk.low:
        yield Finding("disk", State.OPEN, f"{left}, less than disk.low: no session can start", fix)
    else:
        yield Finding("disk", State.CLOSED, left)
    inodes = evidence.recorder.free_inodes
    if inodes is not None and inodes < _FEW_INODES:
        says = f"room for {inodes} more files in {policy.store.path}, whatever their size"
        yield Finding("disk", State.NOTE if inodes else State.OPEN, says, "remove files there (df -i)")


def check_clock(evidence: Evidence) -> Iterator[Finding]:
    """Recordings are dated by this clock."""
    if evidence.kernel.clock_synchronised:
        yield Finding("clock", State.CLOSED, "the clock is synchronised")
    elif evidence.kernel.clock_synchronised is None:
        yield Finding("clock", State.NOTE, "the kernel does not say whether the clock is synchronised")
    else:
        fix = "apt install systemd-timesyncd, or another NTP client"
        yield Finding(
            "clock", State.NOTE, "the clock is not synchronised: times are only this host's word", fix
        )
