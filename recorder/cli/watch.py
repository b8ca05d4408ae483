"""`sealcast watch`: a live session, as it goes on."""

import io
import os
import select
import shutil
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from recorder.cli.administered import own_store, recorder_socket, socket_option
from recorder.cli.pages import Verb
from recorder.cli.settings import settings_of
from recorder.cli.watching import Picture
from recorder.daemon.administration import LOOK_SECONDS, Wish
from recorder.daemon.client import answer, connected
from recorder.daemon.live import find_live
from recorder.errors import ExitCode, SealcastError
from recorder.store.layout import Store

_CHUNK = 64 * 1024
_QUIT = frozenset(b"qQ\x03\x04")
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"
_LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l"


@click.command(
    cls=Verb,
    examples=[("sealcast watch k7f3q9xw", "follow a live session until it ends; q leaves")],
    codes=[ExitCode.OK, ExitCode.USAGE, ExitCode.TARGET, ExitCode.SOURCE],
)
@click.argument("session", metavar="ID")
@socket_option
@click.pass_context
def watch(context: click.Context, *, session: str, socket: Path | None) -> None:
    """Follow a live session in this terminal.

    What is drawn is a picture of its screen: nothing recorded reaches your terminal, and nothing you type
    reaches the session. q leaves. On a bastion host this is for root and the administrators that the policy
    names, and the log tells who looked.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise SealcastError("watch draws on a terminal", f"as text, so far: sealcast cat {session}")
    settings = settings_of(context)
    path = recorder_socket(settings, socket)
    if path is not None:
        _watch_daemon(path, session)
    else:
        _watch_store(own_store(settings), session)
    settings.note("the session has ended, or you left it")


def _watch_daemon(path: Path, session: str) -> None:
    with connected(path, Wish("watch", session)) as connection:
        found = answer(connection)
        if isinstance(found, bytes):
            raise SealcastError("the recorder sent no session", code=ExitCode.SOURCE)
        connection.settimeout(None)
        with _screen(str(found["id"])) as picture:
            while not _quits(connection.fileno(), None):
                packet = answer(connection)
                if not isinstance(packet, bytes):
                    return
                picture.feed(packet)
                if not select.select([connection], [], [], 0)[0]:
                    picture.draw(shutil.get_terminal_size())


def _watch_store(store: Store, name: str) -> None:
    if not store.exists():
        raise SealcastError("no session is being recorded", code=ExitCode.TARGET)
    session = find_live(store, name)
    if os.environ.get("SEALCAST_SESSION") == session:
        raise SealcastError("this is the session you are in", "watch it from another one")
    with store.live_path(session).open("rb", buffering=0) as file, _screen(session) as picture:
        while _read_on(file, picture, live=store.is_live(session)):
            if _quits(-1, LOOK_SECONDS):
                return


def _read_on(file: io.FileIO, picture: Picture, *, live: bool) -> bool:
    """Draw what has come; whether there may be more."""
    while chunk := file.read(_CHUNK):
        picture.feed(chunk)
    picture.draw(shutil.get_terminal_size())
    return live


@contextmanager
def _screen(session: str) -> Iterator[Picture]:
    """The alternate screen, with keys that are neither echoed nor waited for."""
    modes = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSADRAIN)
    _write(_ENTER)
    try:
        yield Picture(session, _write)
    finally:
        _write(_LEAVE)
        termios.tcsetattr(0, termios.TCSADRAIN, modes)


def _write(text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(1, data) :]


def _quits(source: int, seconds: float | None) -> bool:
    """Wait for `source`, or so long; whether a key says that it is enough."""
    waited = [0] if source < 0 else [0, source]
    ready = select.select(waited, [], [], seconds)[0]
    while ready == [0]:
        if _QUIT.intersection(os.read(0, 1024) or b"q"):
            return True
        ready = select.select(waited, [], [], seconds)[0]
    return 0 in ready and bool(_QUIT.intersection(os.read(0, 1024) or b"q"))
