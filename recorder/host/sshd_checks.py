"""Is sshd closed for those who are covered?"""

from collections import defaultdict
from collections.abc import Iterator

from recorder.host import places
from recorder.host.evidence import Evidence, Settings, Sshd
from recorder.host.findings import Finding, State, names, or_closed
from recorder.host.sshd_drop_in import GLOBAL, WANTED, Wanted, forbidden_environment
from recorder.safe_text import safe

CHECK = "sshd"
_WEAKER = {"ExposeAuthInfo", "GatewayPorts"}
"""Settings whose lack is worth a note and opens nothing by itself."""


def check_sshd(evidence: Evidence) -> Iterator[Finding]:
    """Every configuration of sshd that is in use, for every covered account."""
    if not evidence.sshds:
        yield Finding(CHECK, State.CLOSED, "no sshd is installed")
    for sshd in (one for one in evidence.sshds if one.settings or one.problem):
        says = f"{sshd.config} lets {names(sshd.settings)} in through the recorder only"
        yield from or_closed(CHECK, _findings(sshd), says)


def check_keys(evidence: Evidence) -> Iterator[Finding]:
    """Keys for one command: sshd lets its own ForceCommand win, so they open the recorded shell."""
    for user, files in sorted(evidence.keys_with_commands.items()):
        says = f"keys of {user} for one command (command= in {names(files)}) now run any: ForceCommand wins"
        fix = "move such keys to an account that is not covered, or take them out"
        yield Finding("keys", State.NOTE, says, fix)


def _findings(sshd: Sshd) -> Iterator[Finding]:
    if sshd.problem:
        says = f"sshd -T says nothing about {sshd.config}: {sshd.problem}"
        yield Finding(CHECK, State.UNKNOWN, says, f"sshd -T -f {sshd.config}")
        return
    for wanted in (*WANTED, GLOBAL):
        yield from _about(sshd, wanted)
    yield from _environment(sshd)
    yield from _transfers(sshd)


def _transfers(sshd: Sshd) -> Iterator[Finding]:
    """A forced command takes the place of the sftp server inside sshd, which no shell can start."""
    subsystems = {line for tried in sshd.settings.values() for line in tried[0].get("subsystem", ())}
    if any("internal-sftp" in line for line in subsystems):
        says = f"sftp does not work for covered accounts: {sshd.config} runs it inside sshd"
        yield Finding(CHECK, State.NOTE, says, "Subsystem sftp /usr/lib/openssh/sftp-server")


def _about(sshd: Sshd, wanted: Wanted) -> Iterator[Finding]:
    """One finding for each wrong value, naming all whom it concerns."""
    wrong: defaultdict[str, set[str]] = defaultdict(set)
    for user, tried in sshd.settings.items():
        for settings in tried:
            value = _value(settings, wanted)
            if value.casefold() != wanted.value.casefold():
                wrong[value].add(user)
    state = State.NOTE if wanted.keyword in _WEAKER else State.OPEN
    for value, users in wrong.items():
        says = f"{wanted.keyword} is {safe(value, 100)} for {names(users)} in {sshd.config}: {wanted.without}"
        yield Finding(CHECK, state, says, _fix(sshd, f"{wanted.keyword} {wanted.value}"))


def _value(settings: Settings, wanted: Wanted) -> str:
    """An sshd that does not know a keyword prints nothing about it, and has not got what it switches off."""
    return " ".join(settings.get(wanted.keyword.lower(), (wanted.value,)))


def _environment(sshd: Sshd) -> Iterator[Finding]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for user, tried in sshd.settings.items():
        for settings in tried:
            patterns = [part for line in settings.get("acceptenv", ()) for part in line.split()]
            for pattern in forbidden_environment(patterns):
                found[pattern].add(user)
    for pattern, users in found.items():
        says = f"AcceptEnv takes {safe(pattern, 60)} from clients of {names(users)} in {sshd.config}"
        yield Finding(CHECK, State.OPEN, says, _fix(sshd, "AcceptEnv LANG LC_*"))


def _fix(sshd: Sshd, line: str) -> str:
    if sshd.config == places.SSHD_CONFIG:
        return f"sealcast install, and let nothing before {places.SSHD_DROP_IN} say otherwise"
    return f"{line} for these accounts in {sshd.config}, or stop that sshd"


_OTHER_SERVERS = {
    "dropbear": True,
    "tinysshd": True,
    "ttyd": True,
    "gotty": True,
    "shellinaboxd": True,
    "code-server": True,
    "tailscaled": True,
    "in.rshd": True,
    "rshd": True,
    "telnetd": False,
    "in.telnetd": False,
    "rlogind": False,
    "in.rlogind": False,
    "cockpit-ws": False,
    "xrdp": False,
}
"""Programs that let people in, and whether they do so without the login shell or with forwardings."""


def check_other_servers(evidence: Evidence) -> Iterator[Finding]:
    """Ways into the host besides sshd, as far as they are running and known."""
    check = "entry points"

    def found() -> Iterator[Finding]:
        for process in evidence.processes:
            passes_by = _OTHER_SERVERS.get(process.name)
            if passes_by is None:
                continue
            says = f"{process.name} (process {process.pid}) lets people in besides sshd"
            state = State.OPEN if passes_by else State.NOTE
            yield Finding(check, state, says, f"stop {process.name}, or keep covered accounts out of it")

    yield from or_closed(check, found(), "no other server that lets people in is running, of those known")
