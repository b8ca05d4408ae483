"""What people type in the sessions of the store `big`, and what they see."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from scripts.fixture_stores.words import SERVICES, Prose


class Said(NamedTuple):
    """A command, what it writes, and its exit status."""

    command: str
    output: str
    status: int = 0


class Voice:
    """What one person types and sees in one session."""

    def __init__(self, source: random.Random, prose: Prose, start_ms: int) -> None:
        self.source = source
        self.prose = prose
        self.day = f"{datetime.fromtimestamp(start_ms / 1000, UTC):%Y-%m-%d}"
        self.service = source.choice(SERVICES)
        self.host = f"web-{source.randint(1, 40):02d}"

    def path(self) -> str:
        """A place on a server."""
        return f"/srv/{self.service}/{self.word()}"

    def word(self) -> str:
        """A frequent word, or a rare one."""
        return self.source.choice(self.prose.words[: self.source.choice((60, 600, 6000))]).lower()

    def lines(self, most: int) -> int:
        """How long an output is: mostly short, sometimes long."""
        return min(most, 1 + int(self.source.expovariate(4 / most)))


Spoken = Callable[[Voice], Said]


def _ls(voice: Voice) -> Said:
    return Said(f"ls -la {voice.path()}", voice.prose.table(voice.lines(24)))


def _cd(voice: Voice) -> Said:
    return Said(f"cd {voice.path()}", "")


def _journal(voice: Voice) -> Said:
    count = voice.lines(60)
    return Said(
        f"journalctl -u {voice.service} -n {count} --no-pager", voice.prose.log_lines(count, voice.day)
    )


def _logs(voice: Voice) -> Said:
    pod = f"{voice.service}-{voice.source.getrandbits(32):08x}"
    return Said(f"kubectl -n shop logs {pod} --tail=50", voice.prose.log_lines(voice.lines(50), voice.day))


def _pods(voice: Voice) -> Said:
    return Said("kubectl -n shop get pods", voice.prose.table(voice.lines(20)))


def _cat(voice: Voice) -> Said:
    return Said(f"cat {voice.path()}.conf", voice.prose.paragraph(voice.lines(30)))


def _grep(voice: Voice) -> Said:
    return Said(f"grep -rn {voice.word()} {voice.path()}", voice.prose.paragraph(voice.lines(20)))


def _restart(voice: Voice) -> Said:
    return Said(f"sudo systemctl restart {voice.service}", "")


def _status(voice: Voice) -> Said:
    state = "   Active: \x1b[32mactive (running)\x1b[0m"
    head = f"● {voice.service}.service - {voice.prose.phrase(3)}\r\n{state}\r\n"
    return Said(f"systemctl status {voice.service}", head + voice.prose.log_lines(10, voice.day))


def _remove(voice: Voice) -> Said:
    return Said(f"rm -rf /tmp/{voice.word()}-{voice.source.getrandbits(24):06x}", "")


def _query(voice: Voice) -> Said:
    table = voice.word()
    if voice.source.random() < 0.3:
        error = f'ERROR:  relation "{table}" does not exist\r\n'
        return Said(f"psql -h db-main.prod -c 'select * from {table}'", error, 1)
    return Said(f"psql -h db-main.prod -c 'select * from {table} limit 9'", voice.prose.table(9))


def _git(voice: Voice) -> Said:
    commit = f"\x1b[33mcommit {voice.source.getrandbits(160):040x}\x1b[0m\r\n    {voice.prose.phrase(6)}\r\n"
    return Said(f"git log -1 {voice.word()}", commit)


def _failure(voice: Voice) -> Said:
    word = voice.word()
    return Said(f"{word} --{voice.word()}", f"-bash: {word}: command not found\r\n", 127)


def _disk(voice: Voice) -> Said:
    return Said("df -h", voice.prose.table(7))


def _fetch(voice: Voice) -> Said:
    url = f"https://{voice.service}.prod/{voice.word()}/{voice.source.getrandbits(32):08x}"
    error = f"curl: (22) The requested URL returned error: {voice.source.choice((403, 404, 502))}\r\n"
    return Said(f"curl -fsS {url}", error, 22)


def _uptime(voice: Voice) -> Said:
    load = voice.source.random()
    return Said(
        "uptime", f" 12:00:00 up 41 days,  3:12,  2 users,  load average: {load:.2f}, {load:.2f}, 0.35\r\n"
    )


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
SPOKEN: tuple[Spoken, ...] = tuple(spoken for count, spoken in _OFTEN for _ in range(count))
