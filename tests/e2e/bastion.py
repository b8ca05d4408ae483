"""A bastion in miniature: a real sshd on loopback, throw-away accounts, the recorder under its own uid."""

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from recorder.capture import login
from recorder.host.plan import login_script
from recorder.host.program import compile_module
from recorder.store.catalog import Session, list_sessions
from recorder.store.layout import Store
from tests.e2e.sessions import DEADLINE_SECONDS, Recorded, is_running, read, tool, wait_for, wait_to_see

PROJECT = Path(__file__).parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"
_FIRST_UID = 300_000
"""Over UID_MAX, below which useradd takes the number after the highest one that is in use: other tests make
accounts in namespaces, where the same number would be another account."""
_MAX_RUNS = 30_000
_LOWEST_PORT = 10_000
_PORTS = 20_000
"""Below what the kernel gives to clients (ip_local_port_range), of whom many connect here at any time."""
_IMPORTED = ("click", "cryptography", "cffi", "pycparser", "orjson", "backports", "_cffi_backend*.so")


@dataclass
class Bastion:
    """Paths and processes of one bastion; `user` is the covered account."""

    base: Path
    user: str
    recorder: str
    port: int = 0
    daemon: "subprocess.Popen[bytes] | None" = None
    logs: list[Path] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return Store(self.base / "store")

    @property
    def socket(self) -> Path:
        return self.base / "run" / "socket"

    @property
    def login_shell(self) -> Path:
        return self.base / "libexec" / "sealcast-shell"

    def start_daemon(self) -> None:
        """Start the recorder as root would, and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        log = (self.base / "daemon.log").open("ab")
        self.daemon = subprocess.Popen(
            [SYSTEM_PYTHON, "-P", "-m", "recorder.cli", "daemon", "--config", str(self.base / "config.toml")],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(self.base / "program")},
            stderr=log,
            cwd="/",
        )
        log.close()
        wait_for(self._answers, lambda: f"the daemon: {(self.base / 'daemon.log').read_text()}")

    def _answers(self) -> bool:
        """Whether somebody listens: the socket's name is there a moment before that."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def stop_daemon(self, number: int = signal.SIGTERM) -> None:
        """End the daemon's main process, and see its notary end with it."""
        if self.daemon is not None:
            self.daemon.send_signal(number)
            self.daemon.wait(DEADLINE_SECONDS)
            self.daemon = None
        wait_for(
            lambda: processes_of(self.recorder) == self.workers(),
            lambda: f"only workers are left: {named(processes_of(self.recorder))}, not {self.workers()}",
        )

    def workers(self) -> list[int]:
        """The workers of sessions that are being recorded."""
        return [pid for pid in processes_of(self.recorder) if _writes(pid, self.base / "store" / "live")]

    def ssh(self, *arguments: str) -> list[str]:
        """An ssh command line to the covered account."""
        options = [
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
        ]
        identity = ["-i", str(self.base / "user-key"), "-p", str(self.port)]
        return [tool("ssh"), *options, *identity, f"{self.user}@127.0.0.1", *arguments]

    def run(
        self, *arguments: str, stdin: bytes | None = None, timeout: float = DEADLINE_SECONDS
    ) -> "subprocess.CompletedProcess[bytes]":
        """`ssh host arguments`; without `stdin` as `ssh -n`."""
        command = self.ssh(*arguments)
        if stdin is None:
            null = subprocess.DEVNULL
            return subprocess.run(command, stdin=null, capture_output=True, timeout=timeout, check=False)
        return subprocess.run(command, input=stdin, capture_output=True, timeout=timeout, check=False)

    def sessions(self, count: int) -> list[Session]:
        """The store's sessions, once there are this many and all of them are sealed."""

        def unsettled() -> tuple[int, list[str]]:
            return len(list_sessions(self.store)), self.store.live_ids()

        wait_to_see((count, []), unsettled, "the number of sessions, and those that are live")
        return list_sessions(self.store)

    def sessions_so_far(self) -> list[Session]:
        """The store's sessions, once all of them are sealed."""
        wait_to_see([], self.store.live_ids, "every session is sealed")
        return list_sessions(self.store)

    def recorded(self) -> Recorded:
        """The only session."""
        (session,) = self.sessions(1)
        return read(session, self.store)


def processes_of(user: str) -> list[int]:
    """The pids of all processes of an account that have not ended."""
    uid = pwd.getpwnam(user).pw_uid
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, StopIteration):
            if (os.stat(f"/proc/{name}").st_uid == uid or _real_uid(name) == uid) and is_running(int(name)):
                found.append(int(name))
    return found


def named(pids: list[int]) -> dict[int, str]:
    """The name and the state of each process, for people who read what failed."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            found[pid] = Path(f"/proc/{pid}/stat").read_text(errors="replace").partition("(")[2][:30]
    return found


def _real_uid(pid: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    return int(next(line for line in lines if line.startswith("Uid:")).split()[1])


def _writes(pid: int, directory: Path) -> bool:
    """Whether it holds a live recording open to write: who looks for what is to be sealed reads only."""
    with contextlib.suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                link = os.readlink(f"/proc/{pid}/fd/{fd}")
                if link.startswith(str(directory)) and link.endswith(".cast") and _is_to_write(pid, fd):
                    return True
    return False


def _is_to_write(pid: int, fd: str) -> bool:
    lines = Path(f"/proc/{pid}/fdinfo/{fd}").read_text().splitlines()
    flags = next(line for line in lines if line.startswith("flags:"))
    return bool(int(flags.split()[1], 8) & os.O_ACCMODE)


@contextmanager
def bastion() -> Iterator[Bastion]:
    """A fresh bastion, with sshd and the daemon running; everything is removed at the end."""
    base = Path(tempfile.mkdtemp(prefix="scb-", dir=os.environ["PYTEST_DEBUG_TEMPROOT"]))
    base.chmod(0o755)
    number = os.getpid() % 100_000
    host = Bastion(base, f"scu{number}", f"scr{number}")
    try:
        _make_accounts(host)
        _make_program(host)
        _make_keys(host)
        with listening_sshd(base / "sshd", sshd_lines(host)) as host.port:
            host.start_daemon()
            yield host
    finally:
        _tear_down(host)


def free_port() -> int:
    """One that nobody listens at, and that no client gets for its own end."""
    while True:
        port = _LOWEST_PORT + random.randrange(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def listening_sshd(place: Path, lines: Sequence[str]) -> Iterator[int]:
    """An sshd with these lines in its configuration, for the time of the block; its port.

    `place` is the beginning of the names of its files. A port that is taken at the last moment costs a try.
    """
    started = None
    while started is None:
        port = free_port()
        started = _start_sshd(place.with_suffix(f".{port}"), (*lines, f"Port {port}"))
    try:
        yield port
    finally:
        stop(started)


def _start_sshd(config: Path, lines: Sequence[str]) -> "subprocess.Popen[bytes] | None":
    """Once it listens; None where another process has the port."""
    log = config.with_name(f"{config.name}.log")
    config.write_text("".join(f"{line}\n" for line in lines))
    sshd = subprocess.Popen([tool("sshd"), "-D", "-f", str(config), "-E", str(log)])
    try:
        wait_for(
            lambda: sshd.poll() is not None or "listening" in _text(log),
            lambda: f"sshd listens: {_text(log)}",
        )
    except BaseException:
        stop(sshd)
        raise
    if sshd.poll() is None:
        return sshd
    if "already in use" not in _text(log):
        raise AssertionError(f"sshd does not start: {_text(log)}")
    return None


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end, and see to it that it does."""
    process.terminate()
    try:
        process.wait(DEADLINE_SECONDS)
    finally:
        process.kill()
        process.wait()


def _make_accounts(host: Bastion) -> None:
    home = host.base / "home"
    uid = _own_uid()
    _change_accounts("useradd", "--system", "--no-create-home", "--uid", str(uid), host.recorder)
    _add_user(host.user, home, str(host.login_shell), uid + 1)


def _own_uid() -> int:
    """The first of three that no other process of these tests takes."""
    return _FIRST_UID + 3 * (os.getpid() % _MAX_RUNS)


def _change_accounts(*command: str) -> None:
    """Another process may be changing them, which then holds their lock."""
    done: list[subprocess.CompletedProcess[str]] = []

    def succeeds() -> bool:
        done[:] = [subprocess.run(command, capture_output=True, text=True, check=False)]
        return done[0].returncode == 0 or "lock" not in done[0].stderr

    wait_for(succeeds, lambda: done[0].stderr)
    if done[0].returncode:
        raise AssertionError(f"{command}: {done[0].stderr}")


def _add_user(name: str, home: Path, shell: str, uid: int) -> None:
    place = ["--create-home", "--home-dir", str(home), "--shell", shell, "--uid", str(uid)]
    _change_accounts("useradd", *place, "--password", "*", name)
    (home / ".bashrc").write_text("PS1='ready> '\n")
    (home / ".hushlogin").touch()


def _make_program(host: Bastion) -> None:
    """What `sealcast install` makes: a program that others may read, an interpreter that they may not."""
    program, libexec = host.base / "program", host.base / "libexec"
    libexec.mkdir()
    program.mkdir()
    for name in ("recorder", "tui"):
        shutil.copytree(PROJECT / name, program / name, ignore=shutil.ignore_patterns("__pycache__"))
    site = Path(sysconfig.get_path("platlib"))
    for pattern in _IMPORTED:
        for source in site.glob(pattern):
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, program / source.name)
    interpreter = libexec / "python"
    shutil.copyfile(os.path.realpath(SYSTEM_PYTHON), interpreter)
    interpreter.chmod(0o711)
    text = Path(login.__file__).read_text()
    text = text.replace(login.SOCKET, str(host.socket)).replace(login.SHELLS, str(host.base / "shells"))
    text = text.replace(login.SPOOL, str(host.base / "spool"))
    (program / "recorder" / "capture" / "login.py").write_text(text)
    module = libexec / "login.py"
    module.write_text(text)
    compile_module(module, SYSTEM_PYTHON)
    host.login_shell.write_text(login_script(str(interpreter), str(module)))
    host.login_shell.chmod(0o755)
    (host.base / "shells").write_text("*\t/bin/bash\n")
    config = (
        f'[store]\npath = "{host.base}/store"\n[daemon]\nsocket = "{host.socket}"\nuser = "{host.recorder}"\n'
    )
    (host.base / "config.toml").write_text(config + '[disk]\nlow = "1MiB"\ncritical = "1MiB"\n')


def _make_keys(host: Bastion) -> None:
    for name in ("host-key", "user-key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host.base / name)], check=True
        )
    shutil.copy(host.base / "user-key.pub", host.base / "authorized")


def sshd_lines(host: Bastion) -> list[str]:
    """The configuration of the bastion's sshd, without its port."""
    Path("/run/sshd").mkdir(exist_ok=True)
    return [
        "ListenAddress 127.0.0.1",
        f"HostKey {host.base}/host-key",
        "PidFile none",
        f"AuthorizedKeysFile {host.base}/authorized",
        "StrictModes no",
        "UsePAM no",
        "MaxStartups 300",
        "ExposeAuthInfo yes",
        f"ForceCommand {host.login_shell}",
        "DisableForwarding yes",
        "PermitUserRC no",
        "PermitUserEnvironment no",
        "Subsystem sftp /usr/lib/openssh/sftp-server",
    ]


@contextmanager
def plain_account(host: Bastion) -> Iterator[list[str]]:
    """An account that nothing covers, with an sshd of its own: the beginning of an ssh command line."""
    name, home = f"scp{os.getpid() % 100_000}", host.base / "plain"
    _add_user(name, home, "/bin/bash", _own_uid() + 2)
    lines = [line for line in sshd_lines(host) if not line.startswith("ForceCommand")]
    try:
        with listening_sshd(host.base / "plain-sshd", lines) as port:
            covered = host.ssh()
            yield [*covered[:-3], "-p", str(port), f"{name}@127.0.0.1"]
    finally:
        _remove_account(name)


def _tear_down(host: Bastion) -> None:
    if host.daemon is not None:
        stop(host.daemon)
    for account in (host.user, host.recorder):
        with contextlib.suppress(KeyError):
            _remove_account(account)
    shutil.rmtree(host.base, ignore_errors=True)
    shutil.rmtree(
        f"/tmp/fish.{host.user}", ignore_errors=True
    )  # what fish leaves of a user without a runtime directory


def _remove_account(account: str) -> None:
    """With its processes: one may be starting while the others are found, or while the account is removed."""
    said: list[str] = []

    def is_removed() -> bool:
        _kill_processes_of(account)
        done = subprocess.run(["userdel", account], capture_output=True, text=True, check=False)
        said[:] = [done.stderr]
        return done.returncode == 0

    wait_for(is_removed, lambda: f"userdel {account}: {said[0]}: {named(processes_of(account))}")


def _kill_processes_of(account: str) -> None:
    while found := processes_of(account):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def same_python() -> bool:
    """Whether the system's Python can use what the test's own Python imports."""
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([SYSTEM_PYTHON, "-c", asked], capture_output=True, text=True, check=True)
    return done.stdout.strip() == f"{sys.version_info[0]}.{sys.version_info[1]}"
