"""`sealcast play`: one session, in the TUI or through the stock `asciinema` player."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from typing import IO, Any

import click

from recorder.cast.events import OUTPUT, Event
from recorder.cast.header import Header, encode_header
from recorder.cast.reader import open_events
from recorder.cast.v2 import encode_event
from recorder.cli.harmless import RESET, Harmless
from recorder.cli.library import require_terminal, start_tui
from recorder.cli.pages import Verb
from recorder.cli.recordings import check_before_showing, is_without_terminal, names_of, open_target
from recorder.cli.settings import Finite, settings_of
from recorder.cli.stores import TargetType, open_store
from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe
from recorder.store.targets import Target, parse_time, resolve

_SPEEDS = (0.25, 64.0)
_IDLE_S = 2.0
_LAST_WORDS = 4096
"""Bytes at the end of what the asciinema player says of a failure."""


class IdleType(click.ParamType[float]):
    """Seconds, or `off` for infinity."""

    name = "SECONDS|off"
    _seconds = Finite(min=0.1, max=86400)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  click's signature
        return float("inf") if value == "off" else self._seconds.convert(value, param, ctx)


@click.command(
    cls=Verb,
    examples=[
        ("sealcast play k7f3q9xw", "replay a session"),
        ("sealcast play k7f3q9xw@12m34s --paused", "open it at a moment"),
        ("sealcast play recording.cast", "any asciicast file"),
        ("sealcast play --plain --speed 2 k7f3q9xw", "in this terminal, with asciinema"),
    ],
    codes=[ExitCode.OK, ExitCode.USAGE, ExitCode.TARGET, ExitCode.FORMAT],
    topics=["keys", "time"],
)
@click.argument("target", type=TargetType(), metavar="TARGET[@TIME]")
@click.option("--at", "moment", metavar="TIME", help="Start there; the same as TARGET@TIME.")
@click.option("--paused", is_flag=True, help="Start paused, as it does where a moment is given.")
@click.option(
    "--speed",
    type=Finite(*_SPEEDS),
    default=1.0,
    metavar="X",
    help="Times as fast, 0.25 to 64 (1).",
)
@click.option("--idle", type=IdleType(), default=_IDLE_S, help="Shorten pauses longer than this (2), or off.")
@click.option("--plain", is_flag=True, help="In this terminal, through the asciinema player.")
@click.option("--force", is_flag=True, help="With --plain: pass on every recorded byte, harmless or not.")
@click.pass_context
def play(
    context: click.Context,
    *,
    target: str,
    moment: str | None,
    paused: bool,
    speed: float,
    idle: float,
    plain: bool,
    force: bool,
) -> int:
    """Replay one session.

    The player draws a picture of the recorded terminal; nothing recorded reaches your own. With --plain the
    output itself goes to your terminal, without the sequences that do more than draw: titles, clipboard,
    queries, modes of mouse and keyboard. --force passes those on too.
    """
    if force and not plain:
        raise SealcastError("--force is for --plain", "the player never passes recorded bytes on")
    settings = settings_of(context)
    store = open_store(settings)
    found = resolve(store, target)
    at = _start(found, moment)
    if plain:
        check_before_showing(store, found, settings)
        return play_plain(replace(found, at=at), speed, idle, everything=force)
    require_terminal(f"sealcast cat {safe(target, 80)}")
    limit = None if idle == float("inf") else idle
    options = {"at": at, "paused": paused or None, "speed": speed, "idle": limit}
    return start_tui("run_player", settings, store, found, **options)


def _start(target: Target, moment: str | None) -> float | None:
    if moment is None:
        return target.at
    if target.at is not None:
        raise SealcastError("the moment is given twice, as TARGET@TIME and as --at", "leave one of them out")
    session = target.session
    return parse_time(moment) if session is None else parse_time(moment, session.duration_s, session.start)


def play_plain(target: Target, speed: float = 1.0, idle: float = _IDLE_S, *, everything: bool = False) -> int:
    """Through `asciinema play`, reading a file that has no name and so is gone with its last reader."""
    player = find_asciinema()
    with tempfile.TemporaryFile() as copy:
        with open_target(target) as file:
            header, events = open_events(file, names_of(target).full, lenient=True)
            copy.write(encode_header(Header(2, header.width, header.height, header.timestamp)))
            if is_without_terminal(header):
                events = (event._replace(data=event.data.replace("\n", "\r\n")) for event in events)
            _write_events(copy, events, target.at or 0.0, everything=everything)
        copy.flush()
        return _run_player(player, copy.fileno(), speed, idle)


def find_asciinema() -> str:
    """On the path, or beside our own interpreter."""
    beside = os.path.join(os.path.dirname(sys.executable), "asciinema")
    player = shutil.which("asciinema") or shutil.which(beside)
    if player is None:
        raise SealcastError(
            "--plain needs the asciinema player, which is not installed",
            "apt install asciinema, or play without --plain",
            ExitCode.SOURCE,
        )
    return player


def _write_events(copy: IO[bytes], events: Iterable[Event], start: float, *, everything: bool) -> None:
    """What came before `start` is shown at once, so the picture is right from the first frame."""
    harmless = Harmless()
    time = 0.0
    for event in events:
        if event.code == OUTPUT:
            time = max(0.0, event.time - start)
            text = event.data if everything else harmless.filter(event.data)
            copy.write(encode_event(time, OUTPUT, text))
    copy.write(encode_event(time, OUTPUT, RESET))


def _run_player(player: str, descriptor: int, speed: float, idle: float) -> int:
    limit = [] if idle == float("inf") else ["-i", f"{idle:g}"]
    command = [player, "play", "-s", f"{speed:g}", *limit, f"/dev/fd/{descriptor}"]
    interrupts: list[int] = []
    # a handler of ours, which the player does not inherit: Ctrl-C is for the player, and then we tidy up
    before = signal.signal(signal.SIGINT, lambda number, _frame: interrupts.append(number))
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(command, pass_fds=[descriptor], stderr=said, check=False)  # noqa: S603  no shell
        finally:
            signal.signal(signal.SIGINT, before)
        if sys.stdout.isatty():
            sys.stdout.write(RESET)
            sys.stdout.flush()
        if interrupts or done.returncode == -signal.SIGINT:
            return ExitCode.INTERRUPTED
        if done.returncode:
            raise _failure(player, done.returncode, said)
    return ExitCode.OK


def _failure(player: str, status: int, said: IO[bytes]) -> BaseException:
    """Why the player failed, from the last line it said; a reader that went away is no failure."""
    said.seek(max(0, said.seek(0, os.SEEK_END) - _LAST_WORDS))
    last = said.read().decode(errors="replace").strip().rpartition("\n")[2]
    if last.startswith("BrokenPipeError"):
        return BrokenPipeError(last)
    message = f"{safe(player)} failed with exit status {status}: {safe(last, 300)}"
    return SealcastError(message, "without it: sealcast cat", ExitCode.SOURCE)
