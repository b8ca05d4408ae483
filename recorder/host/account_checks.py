"""Do covered accounts start in the recorder, and have they another way out?"""

from collections.abc import Iterator

from recorder.host import places
from recorder.host.evidence import Evidence
from recorder.host.findings import Finding, State, names, or_closed
from recorder.policy.shell_lines import shell_lines
from recorder.safe_text import safe

_MIGHTY = ("root", "sudo", "wheel", "admin", "docker", "lxd", "incus", "libvirt", "disk", "shadow")
"""Groups whose members can become root, or read and write past it."""


def check_policy(evidence: Evidence) -> Iterator[Finding]:
    """Is there a policy that only root can have written, and is anybody covered by it?"""
    check = "policy"
    if evidence.policy is None:
        yield Finding(check, State.OPEN, evidence.policy_problem, "sealcast install --cover user:NAME")
    elif not evidence.covered:
        fix = "sealcast install --cover user:NAME"
        yield Finding(check, State.OPEN, f"{places.CONFIG} covers no account of this host", fix)
    else:
        yield Finding(check, State.CLOSED, f"{places.CONFIG} covers {names(_users(evidence))}")
        yield from _weak_policy(evidence)


def _weak_policy(evidence: Evidence) -> Iterator[Finding]:
    policy = evidence.policy
    if policy is None:
        return
    unknown = set(policy.cover.users) - set(_users(evidence))
    if unknown:
        yield Finding("policy", State.NOTE, f"there is no account {names(unknown)} that lets anybody in")
    if policy.recording.on_failure.value == "open":
        says = "sessions go on unrecorded where the record cannot be written"
        yield Finding("policy", State.NOTE, says, f'on_failure = "closed" in {places.CONFIG}')
    if policy.noninteractive.mode.value == "allow":
        says = "sessions without a terminal are not recorded"
        yield Finding("policy", State.OPEN, says, f'mode = "record" or "refuse" in {places.CONFIG}')
    if policy.break_glass.users:
        says = f"{names(policy.break_glass.users)} may log in unrecorded while the recorder is down"
        yield Finding("policy", State.NOTE, says)


def _users(evidence: Evidence) -> list[str]:
    return [account.name for account in evidence.covered]


def check_login_shells(evidence: Evidence) -> Iterator[Finding]:
    """Does every covered account start in the recorder, whatever starts it: sshd, su -, a console?"""

    def found() -> Iterator[Finding]:
        for account in evidence.covered:
            if account.shell != places.SHELL:
                files = evidence.startup_files.get(account.name, ())
                first = f", which runs {', '.join(files)} first" if files else ""
                shell = safe(account.shell or "/bin/sh", 100)
                says = f"the login shell of {account.name} is {shell}{first}"
                elsewhere = f"make it {places.SHELL} in the directory that {account.name} comes from"
                fix = "sealcast install" if account.local else elsewhere
                yield Finding("login shells", State.OPEN, says, fix)

    if evidence.covered:
        yield from or_closed("login shells", found(), "all covered accounts start in the recorder")


def check_real_shells(evidence: Evidence) -> Iterator[Finding]:
    """What the recorder starts: programs of root's, and the file that names them is up to date."""
    if evidence.policy is None:
        return
    check = "real shells"

    def found() -> Iterator[Finding]:
        if evidence.policy is not None and evidence.shell_lines != shell_lines(evidence.policy):
            says = f"{places.SHELLS} is not what {places.CONFIG} says"
            yield Finding(check, State.OPEN, says, "sealcast install")
        for path, entry in evidence.real_shells.items():
            if entry is None:
                yield Finding(
                    check, State.OPEN, f"{path} is missing", f"install it, or change {places.CONFIG}"
                )
            elif entry.uid != 0 or entry.mode & 0o022 or not entry.mode & 0o111:
                fix = f"chown root {path} && chmod 755 {path}"
                yield Finding(check, State.OPEN, f"{path} is not a program that only root can change", fix)

    yield from or_closed(check, found(), "the shells behind the recorder are root's")


def check_chsh(evidence: Evidence) -> Iterator[Finding]:
    """Can somebody who is covered choose another login shell?"""
    if evidence.chsh_open:
        fix = f'sealcast install, or as first line of {places.CHSH_PAM}: "{places.CHSH_LINE}"'
        says = "covered accounts can give themselves another login shell with chsh"
        yield Finding("chsh", State.OPEN, says, fix)
    else:
        yield Finding("chsh", State.CLOSED, "covered accounts cannot change their login shell")


def check_power(evidence: Evidence) -> Iterator[Finding]:
    """Who is covered and can become root: root can stop the recorder, though not forge what it has sealed."""
    for group in _MIGHTY:
        members = [name for name in _users(evidence) if group in evidence.groups.get(name, ())]
        if members:
            says = f"{names(members)} can become root as a member of {group}; root can stop the recorder"
            yield Finding("privileges", State.NOTE, says, f"gpasswd -d NAME {group}")


def check_timers(evidence: Evidence) -> Iterator[Finding]:
    """What runs for covered accounts without a login is not recorded."""
    for user, ways in sorted(evidence.timers.items()):
        says = f"{user} has {' and '.join(ways)}: what that starts is not recorded"
        yield Finding(
            "without login", State.NOTE, says, f"crontab -r -u {user}; loginctl disable-linger {user}"
        )


def check_startup(evidence: Evidence) -> Iterator[Finding]:
    """What sshd has `sh` run as the user before the login shell, whatever PermitUserRC says (sshd(8))."""
    check, entry = "startup files", evidence.sshrc
    if entry is None:
        yield Finding(check, State.CLOSED, "sshd runs nothing for a user before the recorder")
    elif entry.uid != 0 or entry.mode & 0o022:
        says = f"{places.SSHRC} runs before the recorder, and others than root can change it"
        yield Finding(check, State.OPEN, says, f"rm {places.SSHRC}")
    elif "sshd" in evidence.pam_environment:
        says = (
            f"{places.SSHRC} runs before the recorder, and LD_PRELOAD in ~/.pam_environment acts on its shell"
        )
        yield Finding(
            check, State.OPEN, says, f"rm {places.SSHRC}, or remove user_readenv=1 in /etc/pam.d/sshd"
        )
    else:
        says = f"{places.SSHRC} runs before the recorder, as the user"
        yield Finding(check, State.NOTE, says, f"rm {places.SSHRC}")


def check_environment(evidence: Evidence) -> Iterator[Finding]:
    """Variables that the user sets through PAM, and whether they act on the login shell."""
    check = "environment"
    if evidence.interpreter_capability is False:
        services = (
            f" (read by PAM for {', '.join(evidence.pam_environment)})" if evidence.pam_environment else ""
        )
        state = State.OPEN if evidence.pam_environment else State.NOTE
        says = f"LD_PRELOAD in ~/.pam_environment{services} would act on the login shell's interpreter"
        yield Finding(
            check,
            state,
            says,
            f"sealcast install, with {places.PREFIX} on a file system that is not mounted nosuid",
        )
    elif evidence.interpreter_capability is None and evidence.pam_environment:
        says = f"~/.pam_environment is read for {', '.join(evidence.pam_environment)}, and LD_PRELOAD acts"
        yield Finding(check, State.OPEN, says, "remove user_readenv=1 in /etc/pam.d")
    else:
        yield Finding(check, State.CLOSED, "the loader's variables do not act on the login shell")
