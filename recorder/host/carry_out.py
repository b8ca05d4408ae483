"""Making the steps of a plan so. Each step can tell whether it is done, so a second run changes nothing."""

import functools
import os
import pwd
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from recorder.errors import ExitCode, SealcastError
from recorder.host import interpreter, program
from recorder.host.accounts import parse_accounts
from recorder.host.machine import Host, write_file
from recorder.host.sshd_service import reload_sshd
from recorder.host.steps import (
    Absent,
    Command,
    Directory,
    File,
    Interpreter,
    Line,
    Link,
    LoginShell,
    Module,
    NoLine,
    Program,
    ReloadSshd,
    SshdDropIn,
    SshdInclude,
    Step,
    SystemGroup,
    SystemUser,
)
from recorder.safe_text import safe


def pending(steps: Iterable[Step], host: Host) -> list[Step]:
    """The steps that are not so yet, with the commands that would follow them. Changes nothing."""
    found: list[Step] = []
    seen = Host(host.root)
    for step in steps:
        if not is_done(step, seen):
            found.append(step)
            seen.changed.add(getattr(step, "path", ""))
    return found


def carry_out(steps: Iterable[Step], host: Host, report: Callable[[Step], None]) -> int:
    """Make every step so, in order; `report` hears of each change. The answer is their number."""
    count = 0
    for step in steps:
        if is_done(step, host):
            continue
        try:
            make_so(step, host)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise SealcastError(
                f"cannot make {safe(str(step), 300)}: {reason}", code=ExitCode.TARGET
            ) from error
        host.changed.add(getattr(step, "path", ""))
        report(step)
        count += 1
    return count


@functools.singledispatch
def is_done(step: Step, host: Host) -> bool:  # noqa: ARG001  the signature of all that are registered
    """Whether the host is as the step says."""
    raise TypeError(f"no such step: {step!r}")


@functools.singledispatch
def make_so(step: Step, host: Host) -> None:  # noqa: ARG001  the signature of all that are registered
    """Make the host as the step says."""
    raise TypeError(f"no such step: {step!r}")


@is_done.register
def _(step: SystemUser, host: Host) -> bool:
    return step.name in parse_accounts(host.at("/etc/passwd").read_text(), "").users or (
        host.is_this and _is_known(step.name)
    )


def _is_known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


@make_so.register
def _(step: SystemUser, host: Host) -> None:
    options = ("--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin")
    host.accounts_command("useradd", [*options, "--home-dir", step.home, step.name])


@is_done.register
def _(step: SystemGroup, host: Host) -> bool:
    return step.name in parse_accounts("", host.at("/etc/group").read_text()).groups


@make_so.register
def _(step: SystemGroup, host: Host) -> None:
    host.accounts_command("groupadd", ["--system", step.name])


@is_done.register
def _(step: Directory, host: Host) -> bool:
    try:
        status = host.at(step.path).lstat()
        owner = (0, 0) if step.owner == "root" else (host.uid(step.owner), host.gid(step.owner))
    except (OSError, KeyError):
        return False
    return status.st_mode == 0o40000 | step.mode and (status.st_uid, status.st_gid) == owner


@make_so.register
def _(step: Directory, host: Host) -> None:
    path = host.at(step.path)
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise SealcastError(f"{safe(step.path)} is no directory", "move it away", ExitCode.TARGET)
    path.mkdir(parents=True, exist_ok=True)
    owner = (0, 0) if step.owner == "root" else (host.uid(step.owner), host.gid(step.owner))
    os.chown(path, *owner)
    path.chmod(step.mode)


@is_done.register
def _(step: File, host: Host) -> bool:
    return _is_file(host.at(step.path), step.data, step.mode)


def _is_file(path: Path, data: bytes, mode: int) -> bool:
    try:
        status = path.lstat()
        return status.st_mode == 0o100000 | mode and status.st_uid == 0 and path.read_bytes() == data
    except OSError:
        return False


@make_so.register
def _(step: File, host: Host) -> None:
    write_file(host.at(step.path), step.data, step.mode)


@is_done.register
def _(step: Module, host: Host) -> bool:
    path = host.at(step.path)
    return _is_file(path, step.data, 0o644) and program.is_compiled(path, step.interpreter)


@make_so.register
def _(step: Module, host: Host) -> None:
    path = host.at(step.path)
    write_file(path, step.data, 0o644)
    program.compile_module(path, step.interpreter)


@is_done.register
def _(step: SshdDropIn, host: Host) -> bool:
    path = host.at(step.path)
    return not os.path.lexists(path) if step.data is None else _is_file(path, step.data, 0o644)


@make_so.register
def _(step: SshdDropIn, host: Host) -> None:
    _put_if_accepted(host, step.path, step.data, step.main)


@is_done.register
def _(step: SshdInclude, host: Host) -> bool:
    return _first_rule(_lines(host.at(step.path))) == step.line


@make_so.register
def _(step: SshdInclude, host: Host) -> None:
    lines = _first(step.line, _lines(host.at(step.path)))
    _put_if_accepted(host, step.path, _joined(lines), step.path)


def _put_if_accepted(host: Host, name: str, data: bytes | None, main: str) -> None:
    """sshd that does not start again locks everybody out: the old state comes back where -t fails."""
    path = host.at(name)
    before = path.read_bytes() if path.exists() else None
    mode = path.stat().st_mode & 0o7777 if path.exists() and name == main else 0o644
    _put(path, data, mode)
    host.at("/run/sshd").mkdir(0o755, parents=True, exist_ok=True)
    try:
        host.run(["sshd", "-t", "-f", str(host.at(main))])
    except SealcastError as error:
        _put(path, before, mode)
        hint = f"nothing was changed in {name}; put sshd's configuration right, then run this again"
        raise SealcastError(error.message, hint, error.code) from error


def _put(path: Path, data: bytes | None, mode: int) -> None:
    if data is None:
        path.unlink(missing_ok=True)
    else:
        write_file(path, data, mode)


@is_done.register
def _(step: Line, host: Host) -> bool:
    lines = _lines(host.at(step.path))
    return _first_rule(lines) == step.line if step.first else step.line in lines


@is_done.register
def _(step: NoLine, host: Host) -> bool:
    return step.line not in _lines(host.at(step.path))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return []


@make_so.register
def _(step: Line, host: Host) -> None:
    lines = _lines(host.at(step.path)) if host.at(step.path).exists() else list(step.otherwise)
    _write_lines(host.at(step.path), _first(step.line, lines) if step.first else [*lines, step.line])


@make_so.register
def _(step: NoLine, host: Host) -> None:
    path = host.at(step.path)
    _write_lines(path, [line for line in _lines(path) if line != step.line])


def _write_lines(path: Path, lines: list[str]) -> None:
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o644
    write_file(path, _joined(lines), mode)


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")


def _first(line: str, lines: list[str]) -> list[str]:
    """The lines with this one before all others, once."""
    return [line, *(other for other in lines if other != line)]


def _first_rule(lines: list[str]) -> str:
    """The first line that says something."""
    return next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")


@is_done.register
def _(step: Link, host: Host) -> bool:
    path = host.at(step.path)
    return path.is_symlink() and os.readlink(path) == step.target


@make_so.register
def _(step: Link, host: Host) -> None:
    path = host.at(step.path)
    if os.path.lexists(path) and not path.is_symlink():
        raise SealcastError(f"{step.path} is there and no link of ours", "move it away", ExitCode.TARGET)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(step.target)
    os.replace(temporary, path)


@is_done.register
def _(step: Absent, host: Host) -> bool:
    return not os.path.lexists(host.at(step.path))


@make_so.register
def _(step: Absent, host: Host) -> None:
    path = host.at(step.path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


@is_done.register
def _(step: Program, host: Host) -> bool:
    return program.is_installed(host.at(step.path), step.digest)


@make_so.register
def _(step: Program, host: Host) -> None:
    program.install(host.at(step.path), step.interpreter, step.digest)


@is_done.register
def _(step: Interpreter, host: Host) -> bool:
    return interpreter.is_copy(step.source, host.at(step.path))


@make_so.register
def _(step: Interpreter, host: Host) -> None:
    interpreter.make_copy(step.source, host.at(step.path))


@is_done.register
def _(step: LoginShell, host: Host) -> bool:
    known = parse_accounts(host.at("/etc/passwd").read_text(), "").users.get(step.user)
    if known is None and host.is_this:
        return pwd.getpwnam(step.user).pw_shell == step.shell
    return known is not None and known.shell == step.shell


@make_so.register
def _(step: LoginShell, host: Host) -> None:
    host.accounts_command("usermod", ["--shell", step.shell, step.user])


@is_done.register
def _(step: Command, host: Host) -> bool:
    if not host.is_this:
        return True
    is_due = not step.after or not host.changed.isdisjoint(step.after)
    return not is_due and (not step.unless or host.succeeds(step.unless))


@make_so.register
def _(step: Command, host: Host) -> None:
    host.run(step.arguments)


@is_done.register
def _(step: ReloadSshd, host: Host) -> bool:
    return not host.is_this or host.changed.isdisjoint(step.after)


@make_so.register
def _(step: ReloadSshd, host: Host) -> None:
    reload_sshd(host, step.unit)
