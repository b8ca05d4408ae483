"""The store `big`: 100,000 sessions with 2 million commands of several users, over three years.

Each one is recorded, signed, sealed and logged as every session is. Two processes work on handfuls of
sessions, in the order of their time; what a handful holds depends on its number alone.
"""

import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from recorder.cast.events import KEY, OUTPUT
from recorder.errors import SealcastError
from recorder.log.entries import Occasion
from recorder.log.notary import SessionRequest
from recorder.shell.secret import digest
from recorder.store.import_sources import find_sources
from recorder.store.importing import importing, told_otherwise
from scripts.fixture_stores.clock import FOUNDED_MS, NOW_MS
from scripts.fixture_stores.shell import prompt_marks, start_marks
from scripts.fixture_stores.spoken import SPOKEN, Said, Voice
from scripts.fixture_stores.studio import Step, Studio, Take, random_name
from scripts.fixture_stores.words import Prose

HOST = "bastion-eu1.prod"
SESSIONS = 100_000
COMMANDS = 20
"""In a session, on average."""
HANDFUL = 100
"""Sessions that are opened and sealed together."""

_SEED = 20260912
_USERS = (
    "alice",
    "bob",
    "carol",
    "deploy",
    "erin",
    "frank",
    "grace",
    "heidi",
    "ivan",
    "mallory",
    "svc-backup",
    "yuki",
)
_TOGETHER = 0.65
"""How often a command follows within the second: pasted, or recalled and sent off at once."""
_LONGEST_PAUSE_S = 240.0
_FAILS = 0.06
_KILLED = 0.004
_IMPORTED = 50
_OLD_HOSTS = tuple(f"web-{number:02d}.prod" for number in range(1, 9))
_REPORTS = 0.33
"""How many sessions have a shell that reports its commands: theirs have exit statuses."""
_MOST_COMMANDS = 160
_REASONS = (None, None, None, "INC-{}", "CHG-{}", "nightly release {}")
_ON, _OFF = "\x1b[?2004h", "\x1b[?2004l"


def build(root: Path, sessions: int, said: Callable[[int], None]) -> None:
    """Build the store in `root`, which is best in memory; `said` hears how many sessions are done.

    One session in fifty was recorded by another program on another host, and is imported.
    """
    imported = sessions // _IMPORTED
    _import(Studio(root, HOST), imported)
    sessions -= imported
    handfuls = range(-(-sessions // HANDFUL))
    jobs = os.cpu_count() or 1
    done = imported
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        for count in pool.map(
            _build_handful, *zip(*((root, number, sessions) for number in handfuls), strict=True)
        ):
            done += count
            said(done)


@cache
def _studio(root: Path) -> Studio:
    """One for each process."""
    return Studio(root, HOST)


@cache
def _prose() -> Prose:
    """Made before the processes part, so only once."""
    return Prose(random.Random(_SEED))


def _build_handful(root: Path, number: int, sessions: int) -> int:
    made = _takes(number, sessions)
    _studio(root).record(*made)
    return len(made)


def _takes(number: int, sessions: int) -> list[Take]:
    """A handful of sessions, all of them evenly spread over the time before now."""
    source, first = random.Random(_SEED * 1000 + number), number * HANDFUL
    prose = _prose().drawn_by(source)
    span = NOW_MS - FOUNDED_MS - 6 * 3600 * 1000
    starts = (
        FOUNDED_MS + 3_600_000 + span * place // sessions
        for place in range(first, min(first + HANDFUL, sessions))
    )
    return [_take(source, prose, start_ms) for start_ms in starts]


def _take(source: random.Random, prose: Prose, start_ms: int) -> Take:
    voice = Voice(source, prose, start_ms)
    user = source.choice(_USERS)
    count = min(_MOST_COMMANDS, 1 + int(source.expovariate(1 / (COMMANDS - 0.5))))
    secret = f"{source.getrandbits(128):032x}" if source.random() < _REPORTS else None
    steps = _session(voice, user, count, secret)
    reason = source.choice(_REASONS)
    request = SessionRequest(
        user,
        1000 + _USERS.index(user),
        "sshd",
        source.choice(((80, 24), (120, 40), (100, 30), (200, 60), (132, 43))),
        reason=reason and reason.format(source.randint(1000, 9999)),
        source={
            "ip": f"10.9.{source.randint(0, 3)}.{source.randint(2, 254)}",
            "port": source.randint(1024, 65_000),
        },
        env={"TERM": "xterm-256color", "SHELL": "/bin/bash"},
        marks=None if secret is None else digest(secret),
    )
    status = 0 if source.random() > _FAILS else source.choice((1, 1, 2, 126, 127, 130, 137))
    closed = source.random() > _KILLED
    return Take(random_name(source), start_ms, request, steps, steps[-1][0] + 0.2, status, closed)


def _import(studio: Studio, count: int) -> None:
    """Old recordings of asciinema's kind, from eight hosts."""
    source = random.Random(_SEED + 1)
    prose = _prose().drawn_by(source)
    span = NOW_MS - FOUNDED_MS
    occasion = Occasion(studio.store.host, FOUNDED_MS + 60_000, "carol", 1001)
    with tempfile.TemporaryDirectory() as folder, importing(studio.store, occasion) as importer:
        for number in range(count):
            take = _take(source, prose, FOUNDED_MS + span * number // count)
            path = Path(folder, f"old-{number}.cast")
            path.write_text(_as_asciicast(take))
            (found,) = find_sources([str(path)], "asciicast")
            if isinstance(found, SealcastError):
                raise found
            importer.take(told_otherwise(found, take.request.user, source.choice(_OLD_HOSTS), take.start_ms))
            path.unlink()


def _as_asciicast(take: Take) -> str:
    """What another program would have recorded: output alone."""
    columns, rows = take.request.terminal
    header = {"version": 2, "width": columns, "height": rows, "timestamp": take.start_ms // 1000}
    lines = [header, *([time, code, data] for time, code, data in take.steps if code == OUTPUT)]
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def _session(voice: Voice, user: str, count: int, secret: str | None) -> list[Step]:
    """The steps: `count` commands, the last of them `exit`. With a secret, the shell reports what it runs."""
    source = voice.source
    directory, now = "~", 0.3 + source.random()
    steps: list[Step] = [(now, OUTPUT, _prompt(voice, user, directory, secret, None))]
    for _ in range(count - 1):
        said = source.choice(SPOKEN)(voice)
        now = _run(steps, now, said, secret)
        directory = said.command[3:] if said.command.startswith("cd ") else directory
        steps.append((now, OUTPUT, _prompt(voice, user, directory, secret, said.status)))
        if source.random() > _TOGETHER:
            now += min(_LONGEST_PAUSE_S, 1.5 + source.expovariate(1 / 12))
    _run(steps, now, Said("exit", "logout\r\n"), secret)
    return steps


def _prompt(voice: Voice, user: str, directory: str, secret: str | None, status: int | None) -> str:
    place = f"/home/{user}" if directory == "~" else directory
    marks = "" if secret is None else prompt_marks(secret, status, place)
    return f"{marks}{_ON}{user}@{voice.host}:{directory}$ "


def _run(steps: list[Step], now: float, said: Said, secret: str | None) -> float:
    """The command at the prompt, and what came of it; when the next prompt comes."""
    marks = "" if secret is None else start_marks(secret, said.command)
    steps.append((now + 0.06, OUTPUT, said.command))
    steps.append((now + 0.12, KEY, "enter noecho raw"))
    steps.append((now + 0.13, OUTPUT, f"\r\n{_OFF}\r{marks}{said.output}"))
    return now + 0.17


def takes(sessions: int) -> Iterator[Take]:
    """The recorded sessions of a store with so many of them, as they are to be."""
    for number in range(-(-sessions // HANDFUL)):
        yield from _takes(number, sessions)
