"""The login shell's own Python: a copy of the system's that its users can run and nothing else.

Two properties, both of the file and so true from the first instruction on:

- mode 0711: what cannot be read is not dumpable, so a process of the same user can neither trace it nor take
  its descriptors (ptrace(2), pidfd_getfd(2));
- a file capability: gaining one makes the kernel set AT_SECURE, so that the dynamic loader and libc ignore
  LD_PRELOAD, LD_LIBRARY_PATH, GCONV_PATH, LOCPATH and their like (ld.so(8)), wherever they came from: sshd's
  PermitUserEnvironment, or `~/.pam_environment`. The capability is harmless, not effective, gone after exec.
"""

import errno
import os
import struct
import subprocess
import sys
from pathlib import Path

from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe

MODE = 0o711
_ATTRIBUTE = "security.capability"
_NET_BIND_SERVICE = 10
"""CAP_NET_BIND_SERVICE: containers leave it in the bounding set; else it could not be gained."""
CAPABILITY = struct.pack("<IIIII", 0x02000000, 1 << _NET_BIND_SERVICE, 0, 0, 0)
"""vfs_cap_data of revision 2 (linux/capability.h): permitted, not effective."""
_MODULES = "import _signal, _socket, fcntl, posix, pwd, sys, termios"
_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"
SYSTEM_PYTHON = "/usr/bin/python3"


def find_interpreter() -> str:
    """A Python of the system, of this one's version since the packages beside it were built for that."""
    version = "{}.{}".format(*sys.version_info[:2])
    own = getattr(sys, "_base_executable", sys.executable)
    for path in (f"{SYSTEM_PYTHON}.{sys.version_info[1]}", SYSTEM_PYTHON, own):
        real = os.path.realpath(path)
        if os.path.isfile(real) and is_roots(Path(real)) and _says(real, _VERSION) == version:
            return real
    raise SealcastError(
        f"no Python {version} that belongs to root and that everybody can run",
        f"install sealcast with the system's own Python: {SYSTEM_PYTHON}",
        ExitCode.TARGET,
    )


def is_roots(path: Path) -> bool:
    """Whether only root can change what the path leads to, and everybody can get there."""
    for place in (path, *path.parents):
        status = place.lstat()
        if status.st_uid != 0 or status.st_mode & 0o022 or not status.st_mode & 0o001:
            return False
    return True


def _says(python: str, program: str) -> str:
    done = subprocess.run(  # noqa: S603  a path checked by the caller, and a program of ours
        [python, "-I", "-S", "-c", program], capture_output=True, text=True, check=False, timeout=30
    )
    return done.stdout.strip()


def make_copy(source: str, path: Path) -> None:
    """Copy the interpreter to `path`, once the copy has shown that it works from there."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.write_bytes(Path(source).read_bytes())
    temporary.chmod(MODE)
    try:
        os.setxattr(temporary, _ATTRIBUTE, CAPABILITY)
    except OSError as error:
        if error.errno not in {errno.ENOTSUP, errno.EPERM}:
            raise
    if _says(str(temporary), f"{_MODULES}; print(1)") != "1":
        temporary.unlink()
        raise SealcastError(
            f"a copy of {safe(source)} does not run", "use the system's own Python", ExitCode.TARGET
        )
    os.replace(temporary, path)


def is_copy(source: str, path: Path) -> bool:
    """Whether `path` is what `make_copy` would make."""
    try:
        status = path.lstat()
        same = status.st_mode & 0o7777 == MODE and status.st_uid == os.geteuid()
        return same and path.read_bytes() == Path(source).read_bytes() and _has_attribute(path) is not False
    except OSError:
        return False


def is_outdated(source: str, path: Path) -> bool:
    """Whether `source` has changed since `path` was copied from it; what is missing is not outdated."""
    try:
        return path.read_bytes() != Path(source).read_bytes()
    except OSError:
        return False


def has_capability(path: Path) -> bool | None:
    """Whether the loader's environment is ignored; None where the file system cannot hold capabilities.

    Mounted nosuid, it holds them and they do nothing: that is False.
    """
    try:
        without_effect = os.statvfs(path).f_flag & os.ST_NOSUID
    except OSError:
        return False
    return False if without_effect else _has_attribute(path)


def _has_attribute(path: Path) -> bool | None:
    try:
        return os.getxattr(path, _ATTRIBUTE)[4:8] == CAPABILITY[4:8]
    except OSError as error:
        return None if error.errno == errno.ENOTSUP else False
