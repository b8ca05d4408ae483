"""`sealcast doctor --probe`: the known escapes, tried for real against the sshd that is running.

Each trial is an ssh of a throw-away account that is covered like the others. What it runs says
which session it is in; that session must be in the log, opened for this account, or it was not recorded.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from recorder.host.evidence import Sshd
from recorder.host.findings import Finding, State
from recorder.host.machine import Host
from recorder.host.probe_account import NAME, Probe, Told, probe_account
from recorder.policy.model import Policy
from recorder.safe_text import safe
from recorder.store.catalog import list_sessions
from recorder.store.layout import Store

CHECK = "probe"
_FIX = "sealcast install, then sealcast doctor: the checks say what is open"
_TELL = 'echo "session=$SEALCAST_SESSION"'
_OUTSIDE = "outside-a-session"
_MARK = f'[ -n "$SEALCAST_SESSION" ] || : >"$HOME/{_OUTSIDE}"\n'
"""In files that shells read: leaves a file where it runs outside a recorded session."""
_FISH_MARK = f'test -n "$SEALCAST_SESSION"; or touch "$HOME/{_OUTSIDE}"\n'
_PRELOADED = "/nonexistent/sealcast-probe.so"
_ANY = {"0.0.0.0": "127.0.0.1", "[::]": "::1", "::": "::1"}  # noqa: S104  what sshd says, not where we listen


def probe_host(host: Host, policy: Policy, sshd: Sshd, unit: str | None) -> list[Finding]:
    """What each trial came to."""
    listens = listening_at(sshd)
    if listens is None:
        return [Finding(CHECK, State.UNKNOWN, "sshd does not say where it listens", "sshd -T")]
    with probe_account(host, policy, unit, listens) as probe:
        return list(_trials(probe, Store(host.at(str(policy.store.path)))))


def listening_at(sshd: Sshd) -> tuple[str, int] | None:
    """An address and a port of this host on which sshd listens, by its own settings."""
    for tried in sshd.settings.values():
        for line in tried[0].get("listenaddress", ()):
            address, _, port = line.rpartition(":")
            if port.isdecimal():
                return _ANY.get(address, address.strip("[]")), int(port)
    return None


def _trials(probe: Probe, store: Store) -> Iterator[Finding]:
    _lay_traps(probe)
    first = probe.ssh(_TELL)
    if _session(first.out) is None:
        reason = safe(first.err.strip() or f"status {first.status}", 200)
        yield Finding(CHECK, State.UNKNOWN, f"the throw-away account cannot log in: {reason}", _FIX)
    else:
        yield _recorded("a command", first.out, store)
        yield _preload(first.err)
        yield _recorded("a command with variables of its client's", _with_variables(probe).out, store)
        for name, trial in _RECORDED:
            yield _recorded(name, trial(probe), store)
        yield _second_channel(probe, store)
    yield from _forwardings(probe)
    yield _traps(probe)


def _lay_traps(probe: Probe) -> None:
    """Files that a shell, sshd or PAM would take from the account's home before the recorder."""
    for name in (".bashrc", ".bash_profile", ".profile", ".zshenv", ".trap"):
        probe.write(name, _MARK)
    probe.write(".config/fish/config.fish", _FISH_MARK)
    probe.write(".ssh/rc", _MARK)
    probe.write(".ssh/environment", f"BASH_ENV={probe.home}/.trap\nENV={probe.home}/.trap\n")
    probe.write("sitecustomize.py", f"import os\nos.close(os.open('{probe.home}/{_OUTSIDE}', os.O_CREAT))\n")
    probe.write(".pam_environment", f"LD_PRELOAD DEFAULT={_PRELOADED}\n")


def _with_variables(probe: Probe) -> Told:
    """What loaders, shells, interpreters and recorders would take from a client's environment."""
    trap, home = f"{probe.home}/.trap", probe.home
    variables = (
        *(f"BASH_ENV={trap}", f"ENV={trap}", f"ZDOTDIR={home}", f"LD_PRELOAD={_PRELOADED}"),
        *(f"PYTHONPATH={home}", f"PYTHONSTARTUP={trap}", f"SEALCAST_HOME={home}/store", f"PATH={home}"),
    )
    return probe.ssh(_TELL, options=("-o", f"SetEnv={' '.join(variables)}"))


def _session(out: str) -> str | None:
    """The id that a trial printed; empty where it ran outside a session, None where nothing ran.

    It need not begin a line: scp answers with a NUL.
    """
    _, told, rest = out.partition("session=")
    return rest.partition("\n")[0].strip() if told else None


def _recorded(name: str, out: str, store: Store) -> Finding:
    session = _session(out)
    if session is None:
        return Finding(CHECK, State.CLOSED, f"{name} does not run")
    if any(one.id == session and one.user == NAME for one in list_sessions(store)):
        return Finding(CHECK, State.CLOSED, f"{name} is recorded")
    return Finding(CHECK, State.OPEN, f"{name} runs without being recorded", _FIX)


_RECORDED: tuple[tuple[str, Callable[[Probe], str]], ...] = (
    ("a shell fed through a pipe", lambda probe: probe.ssh("sh", stdin=f"{_TELL}\n").out),
    (
        "a file transfer with a command behind it",
        lambda probe: probe.ssh(f"scp -t /nonexistent/x </dev/null; {_TELL}", options=("-tt",)).out,
    ),
    (
        "a shell without its startup files",
        lambda probe: probe.ssh(f"bash --norc -c '{_TELL}'", options=("-tt",)).out,
    ),
)


def _second_channel(probe: Probe, store: Store) -> Finding:
    """A second session over one connection is a session of its own."""
    name = "a second session over one connection"
    with probe.connection() as options:
        first, second = (probe.ssh(_TELL, options=options).out for _ in range(2))
    if _session(first) and _session(first) == _session(second):
        return Finding(CHECK, State.OPEN, f"{name} is not recorded on its own", _FIX)
    return _recorded(name, second, store)


def _forwardings(probe: Probe) -> Iterator[Finding]:
    into = "SSH-2.0" in probe.ssh(options=("-W", probe.target)).out
    back = probe.ssh("true", options=("-o", "ExitOnForwardFailure=yes", "-R", f"127.0.0.1:0:{probe.target}"))
    for name, works in (("ssh -W, -L, -J and -D", into), ("ssh -R", back.status == 0)):
        if works:
            yield Finding(CHECK, State.OPEN, f"{name} gets past the recorder", _FIX)
        else:
            yield Finding(CHECK, State.CLOSED, f"{name} is refused")


def _preload(said: str) -> Finding:
    if _PRELOADED in said:
        return Finding(CHECK, State.OPEN, "~/.pam_environment loads code into the login shell", _FIX)
    return Finding(CHECK, State.CLOSED, "~/.pam_environment loads nothing into the login shell")


def _traps(probe: Probe) -> Finding:
    if Path(probe.home / _OUTSIDE).exists():
        says = "a file in the user's home (startup files, ~/.ssh) runs before the recorder"
        return Finding(CHECK, State.OPEN, says, _FIX)
    return Finding(CHECK, State.CLOSED, "no file in the user's home runs before the recorder")
