"""What a person sees when something fails: a line with the fact, a line with what to do, and an exit code."""

import errno
import os
import platform
import re
import sys
import time
import traceback
from contextlib import suppress

import click

from recorder import VERSION
from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe

_QUOTED = re.compile(r"'([^']*)'")
_LINE_END = re.compile(r"\s*\n\s*")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PIPE_CLOSED = 141


def report(error: BaseException, verbosity: int = 0) -> int:
    """Tells the person about `error` on stderr and answers the exit code. Never a traceback, unless -vv."""
    if isinstance(error, SealcastError):
        _tell(error.message, error.hint)
        return int(error.code)
    if isinstance(error, click.ClickException):
        return _report_usage(error)
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return ExitCode.INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return _PIPE_CLOSED
    if isinstance(error, OSError) and error.errno:
        _tell(f"{_subject(error)}: {(error.strerror or str(error)).lower()}")
        return ExitCode.TARGET
    return _report_bug(error, verbosity)


def _subject(error: OSError) -> str:
    """The file that failed. Room that lacks without a name lacks where the output goes: files are named."""
    if error.filename is not None:
        return os.fsdecode(error.filename)
    return "cannot write to standard output" if error.errno in _NO_ROOM else "cannot go on"


def _tell(message: str, hint: str | None = None) -> None:
    """A message of several lines keeps them; what it quotes from outside is made safe line by line.

    Where nobody can be told, the exit code still is.
    """
    lines = [*message.split("\n"), *(hint.split("\n") if hint else ())]
    first, *rest = (safe(line) for line in lines)
    with suppress(OSError):
        click.echo(f"sealcast: {first}", err=True)
        for line in rest:
            click.echo(f"  {line}", err=True)


def _report_usage(error: click.ClickException) -> int:
    """Click's sentences in the words of this program."""
    message = _usage_message(error)
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context is not None else "sealcast"
    _tell(message, None if isinstance(error, click.exceptions.NoSuchCommand) else f"usage: {path} --help")
    return ExitCode.USAGE


def _usage_message(error: click.ClickException) -> str:
    if isinstance(error, click.exceptions.NoSuchCommand):
        return f'no command "{error.command_name}"{_guess(error.possibilities)}'
    if isinstance(error, click.NoSuchOption):
        return f'no option "{error.option_name}"{_guess(error.possibilities)}'
    text = _LINE_END.sub(" ", _QUOTED.sub(r'"\1"', error.format_message()).strip()).removesuffix(".")
    return text[:1].lower() + text[1:]


def _guess(possibilities: list[str] | None) -> str:
    return f'. Did you mean "{possibilities[0]}"?' if possibilities else ""


def _report_bug(error: BaseException, verbosity: int) -> int:
    text = "".join(traceback.format_exception(error))
    kind = safe(f"{type(error).__name__}: {error}", 300)
    path = _write_report(text)
    where = f"the report is in {path}; -vv prints it" if path else "no report could be written; -vv prints it"
    _tell(f"unexpected failure, {kind}", where)
    if verbosity >= 2:
        for line in text.splitlines():
            click.echo(safe(line), err=True)
    return ExitCode.BUG


def _write_report(text: str) -> str | None:
    """A file that only its owner can read: it may quote command lines and paths."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    folder = os.path.join(state, "sealcast")
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    path = os.path.join(folder, f"report-{stamp}-{os.getpid()}.txt")
    about = f"sealcast {VERSION}, Python {sys.version}, {platform.platform()}\n{sys.argv!r}\n\n"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", errors="backslashreplace") as file:
            file.write(about + text)
    except OSError:
        return None
    return path
