"""The store `big`: 100,000 sessions with 2 million commands of several users, over three years.

Each one is recorded, signed, sealed and logged as every session is. Two processes work on handfuls of
sessions, in the order of their time; what a handful holds depends on its number alone.
"""

import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from recorder.cast.events import KEY, OUTPUT
from recorder.log.notary import SessionRequest
from scripts.fixture_stores.clock import FOUNDED_MS, NOW_MS
from scripts.fixture_stores.studio import Step, Studio, Take, random_name
from scripts.fixture_stores.words import SERVICES, Prose

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
_TOGETHER = 0.55
"""How often a command follows within the second: pasted, or recalled and sent off at once."""
_LONGEST_PAUSE_S = 240.0
_FAILS = 0.06
_KILLED = 0.004
_MOST_COMMANDS = 160
_REASONS = (None, None, None, "INC-{}", "CHG-{}", "nightly release {}")
_ON, _OFF = "\x1b[?2004h", "\x1b[?2004l"

Spoken = Callable[["_Voice"], tuple[str, str]]


def build(root: Path, sessions: int, said: Callable[[int], None]) -> None:
    """Build the store in `root`, which is best in memory; `said` hears how many sessions are done."""
    Studio(root, HOST)
    handfuls = range(-(-sessions // HANDFUL))
    jobs = os.cpu_count() or 1
    done = 0
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        for count in pool.map(
            _build_handful, *zip(*((root, number, sessions) for number in handfuls), strict=True)
        ):
            done += count
            said(done)


@cache
def _studio(root: Path) -> tuple[Studio, Prose]:
    """One for each process."""
    return Studio(root, HOST), Prose(random.Random(_SEED))


def _build_handful(root: Path, number: int, sessions: int) -> int:
    studio, prose = _studio(root)
    count = min(HANDFUL, sessions - number * HANDFUL)
    studio.record(*_takes(random.Random(_SEED * 1000 + number), prose, number * HANDFUL, count, sessions))
    return count


def _takes(source: random.Random, prose: Prose, first: int, count: int, sessions: int) -> list[Take]:
    """The sessions from `first` on, evenly spread over the time before now."""
    span = NOW_MS - FOUNDED_MS - 6 * 3600 * 1000
    return [
        _take(source, prose, FOUNDED_MS + 3_600_000 + span * number // sessions)
        for number in range(first, first + count)
    ]


def _take(source: random.Random, prose: Prose, start_ms: int) -> Take:
    voice = _Voice(source, prose, start_ms)
    user = source.choice(_USERS)
    count = min(_MOST_COMMANDS, 1 + int(source.expovariate(1 / (COMMANDS - 0.5))))
    now, steps = voice.session(user, count)
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
    )
    status = 0 if source.random() > _FAILS else source.choice((1, 1, 2, 126, 127, 130, 137))
    closed = source.random() > _KILLED
    return Take(random_name(source), start_ms, request, steps, now + 0.2, status, closed)


class _Voice:
    """What one person types and sees in one session."""

    def __init__(self, source: random.Random, prose: Prose, start_ms: int) -> None:
        self.source = source
        self.prose = prose
        self.day = f"{datetime.fromtimestamp(start_ms / 1000, UTC):%Y-%m-%d}"
        self.service = source.choice(SERVICES)
        self.host = f"web-{source.randint(1, 40):02d}"

    def session(self, user: str, count: int) -> tuple[float, list[Step]]:
        """When it ends, and its steps: `count` commands, the last of them `exit`."""
        directory, now = "~", 0.3 + self.source.random()
        steps: list[Step] = [(now, OUTPUT, f"{_ON}{user}@{self.host}:~$ ")]
        for _ in range(count - 1):
            command, output = self.source.choice(_SPOKEN)(self)
            directory = command[3:] if command.startswith("cd ") else directory
            now = _run(steps, now, command, output)
            steps.append((now, OUTPUT, f"{_ON}{user}@{self.host}:{directory}$ "))
            if self.source.random() > _TOGETHER:
                now += min(_LONGEST_PAUSE_S, 1.5 + self.source.expovariate(1 / 12))
        return _run(steps, now, "exit", "logout\r\n"), steps

    def path(self) -> str:
        """A place on a server."""
        return f"/srv/{self.service}/{self.word()}"

    def word(self) -> str:
        """A frequent word, or a rare one."""
        return self.source.choice(self.prose.words[: self.source.choice((60, 600, 6000))]).lower()

    def lines(self, most: int) -> int:
        """How long an output is: mostly short, sometimes long."""
        return min(most, 1 + int(self.source.expovariate(4 / most)))


def _run(steps: list[Step], now: float, command: str, output: str) -> float:
    """The command at the prompt, and what came of it; when the next prompt comes."""
    steps.append((now + 0.06, OUTPUT, command))
    steps.append((now + 0.12, KEY, "enter noecho raw"))
    steps.append((now + 0.13, OUTPUT, f"\r\n{_OFF}\r{output}"))
    return now + 0.17


def _ls(voice: _Voice) -> tuple[str, str]:
    return f"ls -la {voice.path()}", voice.prose.table(voice.lines(24))


def _cd(voice: _Voice) -> tuple[str, str]:
    return f"cd {voice.path()}", ""


def _journal(voice: _Voice) -> tuple[str, str]:
    count = voice.lines(60)
    return f"journalctl -u {voice.service} -n {count} --no-pager", voice.prose.log_lines(count, voice.day)


def _logs(voice: _Voice) -> tuple[str, str]:
    pod = f"{voice.service}-{voice.source.getrandbits(32):08x}"
    return f"kubectl -n shop logs {pod} --tail=50", voice.prose.log_lines(voice.lines(50), voice.day)


def _pods(voice: _Voice) -> tuple[str, str]:
    return "kubectl -n shop get pods", voice.prose.table(voice.lines(20))


def _cat(voice: _Voice) -> tuple[str, str]:
    return f"cat {voice.path()}.conf", voice.prose.paragraph(voice.lines(30))


def _grep(voice: _Voice) -> tuple[str, str]:
    return f"grep -rn {voice.word()} {voice.path()}", voice.prose.paragraph(voice.lines(20))


def _restart(voice: _Voice) -> tuple[str, str]:
    return f"sudo systemctl restart {voice.service}", ""


def _status(voice: _Voice) -> tuple[str, str]:
    state = "   Active: \x1b[32mactive (running)\x1b[0m"
    head = f"● {voice.service}.service - {voice.prose.phrase(3)}\r\n{state}\r\n"
    return f"systemctl status {voice.service}", head + voice.prose.log_lines(10, voice.day)


def _remove(voice: _Voice) -> tuple[str, str]:
    return f"rm -rf /tmp/{voice.word()}-{voice.source.getrandbits(24):06x}", ""


def _query(voice: _Voice) -> tuple[str, str]:
    table = voice.word()
    if voice.source.random() < 0.3:
        return (
            f"psql -h db-main.prod -c 'select * from {table}'",
            f'ERROR:  relation "{table}" does not exist\r\n',
        )
    return f"psql -h db-main.prod -c 'select * from {table} limit 9'", voice.prose.table(9)


def _git(voice: _Voice) -> tuple[str, str]:
    commit = f"\x1b[33mcommit {voice.source.getrandbits(160):040x}\x1b[0m\r\n    {voice.prose.phrase(6)}\r\n"
    return f"git log -1 {voice.word()}", commit


def _failure(voice: _Voice) -> tuple[str, str]:
    word = voice.word()
    return f"{word} --{voice.word()}", f"-bash: {word}: command not found\r\n"


def _disk(voice: _Voice) -> tuple[str, str]:
    return "df -h", voice.prose.table(7)


def _fetch(voice: _Voice) -> tuple[str, str]:
    url = f"https://{voice.service}.prod/{voice.word()}/{voice.source.getrandbits(32):08x}"
    return (
        f"curl -fsS {url}",
        f"curl: (22) The requested URL returned error: {voice.source.choice((403, 404, 502))}\r\n",
    )


def _uptime(voice: _Voice) -> tuple[str, str]:
    load = voice.source.random()
    return "uptime", f" 12:00:00 up 41 days,  3:12,  2 users,  load average: {load:.2f}, {load:.2f}, 0.35\r\n"


_OFTEN: tuple[tuple[int, Spoken], ...] = (
    (8, _ls),
    (6, _cd),
    (5, _journal),
    (4, _logs),
    (4, _pods),
    (4, _cat),
    (3, _grep),
    (2, _restart),
    (3, _status),
    (1, _remove),
    (2, _query),
    (2, _git),
    (2, _failure),
    (2, _disk),
    (1, _fetch),
    (2, _uptime),
)
_SPOKEN: tuple[Spoken, ...] = tuple(spoken for count, spoken in _OFTEN for _ in range(count))


def takes(sessions: int) -> Iterator[Take]:
    """All sessions of a store of that size, as they are to be recorded."""
    prose = Prose(random.Random(_SEED))
    for first in range(0, sessions, HANDFUL):
        count = min(HANDFUL, sessions - first)
        yield from _takes(random.Random(_SEED * 1000 + first // HANDFUL), prose, first, count, sessions)
