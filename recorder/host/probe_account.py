"""A throw-away account to try escapes with: covered like the others, with a key, gone afterwards."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from recorder.errors import ExitCode, SealcastError
from recorder.host import places
from recorder.host.carry_out import carry_out
from recorder.host.machine import Host, system_environment
from recorder.host.sshd_drop_in import drop_in
from recorder.host.steps import ReloadSshd, SshdDropIn, Step
from recorder.policy.model import CoverPolicy, Policy

NAME = "sealcast-probe"
_DROP_IN = "/etc/ssh/sshd_config.d/00-sealcast-probe.conf"
_SECONDS = 20
_OPTIONS = (
    *("-F", "none", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes"),
    *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectionAttempts=5"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What an ssh said: status 255 is ssh's own, -1 that it did not end."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Probe:
    """The account's home, and where sshd listens."""

    home: Path
    address: str
    port: int

    @property
    def target(self) -> str:
        """sshd itself, as a forwarding names it."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def ssh(self, *words: str, stdin: str = "", options: Sequence[str] = ()) -> Told:
        """An ssh to this host as the account; `words` are the command."""
        try:
            done = subprocess.run(  # noqa: S603  no shell here; words of ours
                [*self._command(options), *words],
                input=stdin,
                capture_output=True,
                text=True,
                errors="replace",
                env=system_environment(),
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Told(-1, "", "it did not end")
        return Told(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def connection(self) -> Iterator[tuple[str, ...]]:
        """One connection that several sessions can go over: the options for them."""
        path = self.home / "mux"
        shared = ("-o", f"ControlPath={path}")
        master = subprocess.Popen(  # noqa: S603  as above
            [*self._command(("-N", "-M", *shared))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=system_environment(),
        )
        try:
            _wait_for(path.exists)
            yield (*shared, "-o", "ControlMaster=no")
        finally:
            master.terminate()
            master.wait()

    def _command(self, options: Sequence[str]) -> list[str]:
        key = str(self.home / "key")
        return ["ssh", *_OPTIONS, "-i", key, "-p", str(self.port), *options, f"{NAME}@{self.address}"]

    def write(self, name: str, text: str) -> None:
        """A file of the account's own."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        account = pwd.getpwnam(NAME)
        for place in (path, path.parent):
            os.chown(place, account.pw_uid, account.pw_gid)


_REMOVAL_SECONDS = 10.0


@contextmanager
def probe_account(host: Host, policy: Policy, unit: str | None, listens: tuple[str, int]) -> Iterator[Probe]:
    """The account for the time of the block. Where no group is covered, a drop-in tells sshd about it."""
    _refuse_if_there()
    home = Path(tempfile.mkdtemp(prefix="sealcast-probe-", dir="/var/tmp"))
    groups = [name for name in policy.cover.groups if _is_group(name)]
    text = drop_in(CoverPolicy((NAME,), ())).encode()
    told: list[Step] = [SshdDropIn(_DROP_IN, text, places.SSHD_CONFIG), ReloadSshd(unit, (_DROP_IN,))]
    forgotten: list[Step] = [SshdDropIn(_DROP_IN, None, places.SSHD_CONFIG), ReloadSshd(unit, (_DROP_IN,))]
    try:
        probe = _make(host, home, groups[:1], listens)
        if not groups:
            carry_out(told, Host(host.root), lambda _step: None)
            _wait_for_sshd(probe)
        yield probe
    finally:
        try:
            _remove_account(host)
        finally:
            shutil.rmtree(home, ignore_errors=True)
            carry_out(forgotten, Host(host.root), lambda _step: None)


def _remove_account(host: Host) -> None:
    """userdel refuses while the account has a process, and what a probe started may not be gone yet.

    It counts processes of containers with the same number too, which are not ours to end: it is forced then.
    """
    try:
        uid = pwd.getpwnam(NAME).pw_uid
    except KeyError:
        return
    deadline = time.monotonic() + _REMOVAL_SECONDS
    while True:
        for pid in _processes_of(uid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            host.run(["userdel", NAME])
        except SealcastError:
            if time.monotonic() > deadline:
                host.run(["userdel", "--force", NAME])
                return
            time.sleep(0.05)
        else:
            return


def _processes_of(uid: int) -> list[int]:
    """By the real uid: /proc/PID of a process that may not be read belongs to root.

    Only of this pid namespace: in a container the same number is somebody else.
    """
    ours = os.readlink("/proc/self/ns/pid")
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            status = Path(f"/proc/{name}/status").read_text(errors="replace")
            if f"\nUid:\t{uid}\t" in status and os.readlink(f"/proc/{name}/ns/pid") == ours:
                found.append(int(name))
    return found


def _refuse_if_there() -> None:
    with suppress(KeyError):
        pwd.getpwnam(NAME)
        raise SealcastError(f"there is an account {NAME} already", f"userdel {NAME}", ExitCode.TARGET)


def _is_group(name: str) -> bool:
    return any(line.startswith(f"{name}:") for line in Path("/etc/group").read_text().splitlines())


def _make(host: Host, home: Path, groups: list[str], listens: tuple[str, int]) -> Probe:
    extra = ["--groups", groups[0]] if groups else []
    options = ["--no-create-home", "--home-dir", str(home), "--user-group", "--password", "*", *extra]
    host.run(["useradd", *options, "--shell", places.SHELL, NAME])
    host.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / "key")])
    account = pwd.getpwnam(NAME)
    os.chown(home, account.pw_uid, account.pw_gid)
    home.chmod(0o755)
    probe = Probe(home, *listens)
    probe.write(".ssh/authorized_keys", (home / "key.pub").read_text())
    return probe


def _wait_for_sshd(probe: Probe) -> None:
    """Until sshd has read its configuration again: before, it forwards for this account."""
    _wait_for(lambda: "SSH-2.0" not in probe.ssh(options=("-W", probe.target)).out)


def _wait_for(condition: Callable[[], bool]) -> None:
    """Not for ever: what is not so by then is found by the trials."""
    deadline = time.monotonic() + _SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
