"""`sealcast rec`: a shell or a command in this terminal, recorded, sealed and logged."""

import os
import pwd
import shlex
import signal
import time
from dataclasses import dataclass

import click

from recorder.capture.local import Admitted, Outcome, has_terminal, record
from recorder.capture.terminal import window_size
from recorder.capture.worker import Files
from recorder.cast.v2 import encode_header
from recorder.cli import output
from recorder.cli.failures import report
from recorder.cli.pages import Verb
from recorder.cli.settings import Finite, Settings, settings_of
from recorder.cli.stores import find_store, open_store
from recorder.errors import ExitCode, SealcastError
from recorder.log.notary import SessionRequest
from recorder.safe_text import safe
from recorder.shell.launch import with_marks
from recorder.shell.secret import SCRIPTS, digest, new_secret, pipe_with
from recorder.store.hostkey import current_user
from recorder.store.layout import Store
from recorder.store.opening import recording_header
from recorder.store.sealing import Sealed, seal

SESSION_VARIABLE = "SEALCAST_SESSION"
MAX_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked to have recorded, and what to say about it."""

    command: tuple[str, ...]
    title: str | None
    reason: str | None
    idle_limit: float | None
    shell_marks: bool = True


@click.command(
    cls=Verb,
    examples=[
        ("sealcast rec", "record your shell until it exits"),
        ("sealcast rec --title 'db failover' --reason INC-4121", "say what it is and why"),
        ("sealcast rec -- make test", "record one command; its exit status is passed on"),
    ],
    codes=[ExitCode.USAGE, ExitCode.RECORDING],
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--title", metavar="TEXT", help="What the recording is called.")
@click.option("--reason", metavar="TEXT", help="Why: a ticket, an incident. It is in the host's log.")
@click.option(
    "--idle-limit",
    metavar="SECONDS",
    type=Finite(min=0, min_open=True, max=1e6),
    help="Have players shorten pauses to this; the recording keeps its real times.",
)
@click.option("--no-shell-marks", is_flag=True, help="Do not have the shell report what it runs.")
@click.pass_context
def rec(
    context: click.Context,
    *,
    command: tuple[str, ...],
    title: str | None,
    reason: str | None,
    idle_limit: float | None,
    no_shell_marks: bool,
) -> int:
    """Record a shell or a command in this terminal.

    The session is written as a signed asciicast while it runs; whatever happens, what was written until
    then can be verified. Ends with the exit status of the shell or the command (128+n for signal n), or
    with 9 where it could not be recorded.

    A bash, zsh or fish of yours is started with hooks by which it reports, besides what the screen shows, the
    text, the exit status and the directory of every command; your startup files are read as ever.
    """
    if command and not command[0]:
        raise SealcastError("the command is empty", "name a program, or nothing for your shell")
    wish = Wish(
        command, _checked(title, "--title"), _checked(reason, "--reason"), idle_limit, not no_shell_marks
    )
    settings = settings_of(context)
    find_store(settings).prepare()
    return _Rec(settings, open_store(settings), wish).run()


def _checked(text: str | None, option: str) -> str | None:
    if text is not None and len(text) > MAX_TEXT:
        raise SealcastError(f"{option} has {len(text)} characters; the limit is {MAX_TEXT}", "shorten it")
    return text


class _Rec:
    """One `sealcast rec`."""

    def __init__(self, settings: Settings, store: Store, wish: Wish) -> None:
        self._settings = settings
        self._store = store
        self._wish = wish
        self._session = ""
        self._marks: str | None = None

    def run(self) -> int:
        files = Files(self._store.create_live, self._store.write_signature)
        argv, environment, pipe = self._start()
        try:
            outcome = record(argv, environment, self._admit, files)
        finally:
            if pipe >= 0:
                os.close(pipe)
            sealed = self._seal()
        if outcome.failure is not None:
            report(outcome.failure)
        if sealed is not None:
            self._settings.note(_summary(sealed, outcome))
        return outcome.status

    def _start(self) -> tuple[list[str], dict[str, str], int]:
        """Command line and environment, and the pipe that the shell's marks take their secret from, or -1."""
        if self._wish.command or not self._wish.shell_marks or not has_terminal():
            return [*(self._wish.command or (_own_shell(),))], dict(os.environ), -1
        shell, environment, secret = os.fsencode(_own_shell()), dict(os.environb), new_secret()
        pipe = pipe_with(secret)
        arguments = with_marks(shell, [shell], environment, os.fsencode(SCRIPTS), pipe)
        if b"SEALCAST_MARKS" in environment:
            self._marks = digest(secret)
        names = {os.fsdecode(name): os.fsdecode(value) for name, value in environment.items()}
        return [os.fsdecode(argument) for argument in arguments], names, pipe

    def _admit(self, session_public: bytes) -> Admitted:
        columns, rows = window_size(0) if has_terminal() else (0, 0)
        request = self._request((columns, rows))
        admission = self._store.notary.admit(request, session_public)
        self._session = admission.session_id
        started = time.monotonic()
        header = recording_header(admission, request, started, self._wish.idle_limit)
        self._greet()
        return Admitted(
            admission.session_id, admission.host, started, encode_header(header), admission.certificate
        )

    def _request(self, terminal: tuple[int, int]) -> SessionRequest:
        user, uid = current_user()
        return SessionRequest(
            user=user,
            uid=uid,
            origin="local",
            terminal=terminal,
            command=shlex.join(self._wish.command) if self._wish.command else None,
            title=self._wish.title,
            reason=self._wish.reason,
            interactive=has_terminal(),
            env={name: os.environ[name] for name in ("SHELL", "TERM") if name in os.environ},
            marks=self._marks,
        )

    def _greet(self) -> None:
        outer = os.environ.get(SESSION_VARIABLE)
        if outer:
            self._settings.note(f"this terminal is already recorded as {safe(outer, 80)}; now it is twice")
        if has_terminal():
            how = "it ends with the command" if self._wish.command else "end with exit or Ctrl-D"
            self._settings.note(f"recording {self._session}; {how}")

    def _seal(self) -> Sealed | None:
        """What cannot be sealed now stays in live/ as it is, and the next command seals it."""
        if not self._session:
            return None
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that was closed has just sent it
        try:
            return seal(self._store, self._session)
        except SealcastError as error:
            report(error)
            return None


def _own_shell() -> str:
    shell = os.environ.get("SHELL")
    if shell:
        return shell
    try:
        return pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
    except KeyError:
        return "/bin/sh"


def _summary(sealed: Sealed, outcome: Outcome) -> str:
    state = "sealed" if sealed.verdict == "closed" else "kept as interrupted"
    size = output.size(sealed.size_bytes)
    facts = f"{state} {outcome.session} ({output.length(sealed.duration_s)}, {size})"
    return f"{facts}; replay it: sealcast play {outcome.session}"
