"""The host that an installation works on: its files below a root, its commands, its accounts."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recorder.errors import ExitCode, SealcastError
from recorder.host.accounts import parse_accounts
from recorder.safe_text import safe

_SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"


def system_environment() -> dict[str, str]:
    """For the system's own commands: nothing of the person who runs us, messages in English."""
    return {"PATH": _SBIN, "LC_ALL": "C.UTF-8"}


@dataclass(slots=True)
class Host:
    """The host whose files lie below `root`. On any other than `/`, no service is touched."""

    root: Path = Path("/")
    changed: set[str] = field(default_factory=set)
    """Paths of the host that this run changed."""

    @property
    def is_this(self) -> bool:
        return self.root == Path("/")

    def at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def run(self, arguments: Sequence[str]) -> str:
        """What a command of the system prints; `SealcastError` with what it said where it fails."""
        try:
            done = subprocess.run(  # noqa: S603  plans are made of constants and of checked names
                arguments,
                capture_output=True,
                text=True,
                errors="replace",
                env=system_environment(),
                check=False,
                timeout=300,
            )
        except OSError as error:
            raise SealcastError(
                f"cannot run {arguments[0]}: {error.strerror}", code=ExitCode.TARGET
            ) from error
        if done.returncode:
            said = safe((done.stderr or done.stdout).strip().replace("\n", "; "), 500)
            command = safe(" ".join(arguments), 200)
            raise SealcastError(f"{command} failed: {said or done.returncode}", code=ExitCode.TARGET)
        return done.stdout

    def succeeds(self, arguments: Sequence[str]) -> bool:
        """Whether a command that only looks says yes."""
        try:
            self.run(arguments)
        except SealcastError:
            return False
        return True

    def accounts_command(self, name: str, arguments: Sequence[str]) -> None:
        prefix = [] if self.is_this else ["--prefix", str(self.root)]
        self.run([name, *prefix, *arguments])

    def uid(self, name: str) -> int:
        """Of an account that an earlier step made."""
        text = self.at("/etc/passwd").read_text()
        known = parse_accounts(text, "").users.get(name)
        return known.uid if known else pwd.getpwnam(name).pw_uid

    def gid(self, name: str) -> int:
        known = parse_accounts(self.at("/etc/passwd").read_text(), "").users.get(name)
        return known.gid if known else pwd.getpwnam(name).pw_gid


def write_file(path: Path, data: bytes, mode: int) -> None:
    """As root's, whole or not at all; what had the name is replaced, a link too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    os.replace(temporary, path)
