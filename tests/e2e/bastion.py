"""A bastion in miniature: a real sshd on loopback, throw-away accounts, the recorder under its own uid."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from recorder.capture import login
from recorder.host.plan import login_script
from recorder.host.program import compile_module
from recorder.store.catalog import Session, list_sessions
from recorder.store.layout import Store
from tests.e2e.sessions import Recorded, read, tool, wait_for

PROJECT = Path(__file__).parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"
_FIRST_UID = 30_000
"""Far from what useradd gives: other tests make accounts in namespaces, where the same number is another."""
_IMPORTED = ("click", "cryptography", "cffi", "pycparser", "orjson", "backports", "_cffi_backend*.so")


@dataclass
class Bastion:
    """Paths and processes of one bastion; `user` is the covered account."""

    base: Path
    user: str
    recorder: str
    port: int
    sshd: "subprocess.Popen[bytes] | None" = None
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
        wait_for(self._answers, f"the daemon: {(self.base / 'daemon.log').read_text()}")

    def _answers(self) -> bool:
        """Whether somebody listens: the socket's name is there a moment before that."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def stop_daemon(self, number: int = signal.SIGTERM) -> None:
        """End the daemon's main process, and see its notary end with it."""
        if self.daemon is not None:
            self.daemon.send_signal(number)
            self.daemon.wait(30)
            self.daemon = None
        wait_for(lambda: processes_of(self.recorder) == self.workers(), "the notary ended")

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
        self, *arguments: str, stdin: bytes | None = None, timeout: float = 60
    ) -> "subprocess.CompletedProcess[bytes]":
        """`ssh host arguments`; without `stdin` as `ssh -n`."""
        command = self.ssh(*arguments)
        if stdin is None:
            null = subprocess.DEVNULL
            return subprocess.run(command, stdin=null, capture_output=True, timeout=timeout, check=False)
        return subprocess.run(command, input=stdin, capture_output=True, timeout=timeout, check=False)

    def sessions(self, count: int) -> list[Session]:
        """The store's sessions, once there are this many and all of them are sealed."""

        def settled() -> bool:
            return not self.store.live_ids() and len(list_sessions(self.store)) == count

        wait_for(settled, f"{count} sealed sessions, not {[s.id for s in list_sessions(self.store)]}")
        return list_sessions(self.store)

    def sessions_so_far(self) -> list[Session]:
        """The store's sessions, once all of them are sealed."""
        wait_for(lambda: not self.store.live_ids(), "every session is sealed")
        return list_sessions(self.store)

    def recorded(self) -> Recorded:
        """The only session."""
        (session,) = self.sessions(1)
        return read(session, self.store)


def processes_of(user: str) -> list[int]:
    """The pids of all processes of an account."""
    uid = pwd.getpwnam(user).pw_uid
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{name}").st_uid == uid or _real_uid(name) == uid:
                found.append(int(name))
    return found


def _real_uid(pid: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Uid:")).split()[1])


def _writes(pid: int, directory: Path) -> bool:
    with contextlib.suppress(OSError):
        links = (os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
        return any(link.startswith(str(directory)) and link.endswith(".cast") for link in links)
    return False


@contextmanager
def bastion() -> Iterator[Bastion]:
    """A fresh bastion, with sshd and the daemon running; everything is removed at the end."""
    base = Path(tempfile.mkdtemp(prefix="scb-", dir=os.environ["PYTEST_DEBUG_TEMPROOT"]))
    base.chmod(0o755)
    number = os.getpid() % 100_000
    host = Bastion(base, f"scu{number}", f"scr{number}", _free_port())
    try:
        _make_accounts(host)
        _make_program(host)
        _start_sshd(host)
        host.start_daemon()
        yield host
    finally:
        _tear_down(host)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _make_accounts(host: Bastion) -> None:
    home = host.base / "home"
    uid = _FIRST_UID + 2 * (os.getpid() % 10_000)
    recorder = ["useradd", "--system", "--no-create-home", "--uid", str(uid), host.recorder]
    subprocess.run(recorder, check=True, stderr=subprocess.DEVNULL)
    _add_user(host.user, home, str(host.login_shell), uid + 1)


def _add_user(name: str, home: Path, shell: str, uid: int) -> None:
    place = ["--create-home", "--home-dir", str(home), "--shell", shell, "--uid", str(uid)]
    command = ["useradd", *place, "--password", "*", name]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
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


def _start_sshd(host: Bastion) -> None:
    Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host-key", "user-key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host.base / name)], check=True
        )
    shutil.copy(host.base / "user-key.pub", host.base / "authorized")
    config = host.base / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1\nPort {host.port}\nHostKey {host.base}/host-key\nPidFile none\n"
        f"AuthorizedKeysFile {host.base}/authorized\nStrictModes no\nUsePAM no\nMaxStartups 300\n"
        f"ExposeAuthInfo yes\nForceCommand {host.login_shell}\nDisableForwarding yes\nPermitUserRC no\n"
        "PermitUserEnvironment no\nSubsystem sftp /usr/lib/openssh/sftp-server\n"
    )
    log = host.base / "sshd.log"
    host.sshd = subprocess.Popen([tool("sshd"), "-D", "-f", str(config), "-E", str(log)])
    wait_for(lambda: log.exists() and "listening" in log.read_text(), "sshd listens")


@contextmanager
def plain_account(host: Bastion) -> Iterator[list[str]]:
    """An account that nothing covers, with an sshd of its own: the beginning of an ssh command line."""
    name, port, home = f"scp{os.getpid() % 100_000}", _free_port(), host.base / "plain"
    uid = _FIRST_UID - 10_000 + os.getpid() % 10_000
    _add_user(name, home, "/bin/bash", uid)
    lines = (
        (host.base / "sshd_config").read_text().replace(f"Port {host.port}\n", f"Port {port}\n").splitlines()
    )
    config, log = host.base / "plain_config", host.base / "plain.log"
    config.write_text("".join(f"{line}\n" for line in lines if not line.startswith("ForceCommand")))
    sshd = subprocess.Popen([tool("sshd"), "-D", "-f", str(config), "-E", str(log)])
    try:
        wait_for(lambda: log.exists() and "listening" in log.read_text(), "sshd listens")
        covered = host.ssh()
        yield [*covered[:-3], "-p", str(port), f"{name}@127.0.0.1"]
    finally:
        sshd.terminate()
        sshd.wait(30)
        _remove_account(name)


def _tear_down(host: Bastion) -> None:
    for process in (host.sshd, host.daemon):
        if process is not None:
            process.terminate()
            process.wait(30)
    for account in (host.user, host.recorder):
        with contextlib.suppress(KeyError):
            _remove_account(account)
    shutil.rmtree(host.base, ignore_errors=True)
    shutil.rmtree(
        f"/tmp/fish.{host.user}", ignore_errors=True
    )  # what fish leaves of a user without a runtime directory


def _remove_account(account: str) -> None:
    wait_for(lambda: not _killed(account), f"{account} has no process left")
    subprocess.run(["userdel", account], check=True, stderr=subprocess.DEVNULL)


def _killed(account: str) -> list[int]:
    """The processes that had to be killed: one may be starting while the others are found."""
    found = processes_of(account)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return found


def same_python() -> bool:
    """Whether the system's Python can use what the test's own Python imports."""
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([SYSTEM_PYTHON, "-c", asked], capture_output=True, text=True, check=True)
    return done.stdout.strip() == f"{sys.version_info[0]}.{sys.version_info[1]}"
