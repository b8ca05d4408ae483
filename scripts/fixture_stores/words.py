"""Text with the statistics of real text: words as often as Python's own manual has them, and rare ids.

The manual ships with every Python, so the same seed gives the same text on every machine with that version.
"""

import random
import re
from collections import Counter
from copy import copy
from itertools import accumulate
from pydoc_data.topics import topics

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*[A-Za-z0-9_]|[A-Za-z]")
_LEVELS = ("INFO", "INFO", "INFO", "INFO", "DEBUG", "DEBUG", "WARN", "ERROR")
_COLORS = {"INFO": "", "DEBUG": "\x1b[2m", "WARN": "\x1b[33m", "ERROR": "\x1b[31m"}
SERVICES = (
    "checkout",
    "payments",
    "search",
    "gateway",
    "mailer",
    "auth",
    "stock",
    "billing",
    "cron",
    "images",
    "export",
    "sshd",
)
_PHRASES = 20_000
_TABLES = 4_000


class Prose:
    """Lines of output, drawn from phrases made once; what is rare in real logs is made anew each time."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        counts = Counter(word for text in topics.values() for word in _WORD.findall(text))
        words, weights = zip(*counts.most_common(), strict=True)
        self.words: list[str] = list(words)
        self._sums = list(accumulate(weights))
        self._phrases = [self.phrase(source.randint(3, 11)) for _ in range(_PHRASES)]
        self._rows = [self._row() for _ in range(_TABLES)]

    def drawn_by(self, source: random.Random) -> "Prose":
        """The same phrases, in the order in which this source draws them."""
        other = copy(self)
        other._source = source  # noqa: SLF001  a copy of its own
        return other

    def phrase(self, count: int) -> str:
        """So many words, as often as they are in the manual."""
        return " ".join(self._source.choices(self.words, cum_weights=self._sums, k=count))

    def log_lines(self, count: int, day: str) -> str:
        """Lines of a service's log of that day: `2026-09-12`."""
        bits = self._source.getrandbits
        phrases, levels = self._phrases, _LEVELS
        service = SERVICES[bits(16) % len(SERVICES)]
        second, host = bits(16), bits(8)
        lines = []
        for _ in range(count):
            chance = bits(40)
            second = (second + (chance & 7)) % 86_400
            level = levels[chance >> 3 & 7]
            clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            said = f"{_COLORS[level]}{level}\x1b[0m {service}[{host}]: {phrases[(chance >> 6) % _PHRASES]}"
            if chance & 0x30 == 0:
                address = chance >> 16
                said += f" id={bits(32):08x} from 10.{address >> 16}.{address >> 8 & 255}.{address & 255}"
            lines.append(f"{day}T{clock}Z {said}")
        lines.append("")
        return "\r\n".join(lines)

    def table(self, count: int) -> str:
        """Rows as `ls -l` and `kubectl get` write them."""
        start = self._source.getrandbits(20) % (_TABLES - count)
        return "\r\n".join([*self._rows[start : start + count], ""])

    def paragraph(self, count: int) -> str:
        """Lines of prose, as in a file."""
        start = self._source.getrandbits(24) % (_PHRASES - count)
        return "\r\n".join([*self._phrases[start : start + count], ""])

    def _row(self) -> str:
        source = self._source
        name = "-".join(source.choices(self.words, cum_weights=self._sums, k=source.randint(1, 3))).lower()
        owner = source.choice(("root root    ", "deploy deploy", "www-data adm "))
        month, day = source.choice(("Jan", "Apr", "Jul", "Sep", "Nov")), source.randint(1, 28)
        date = f"{month} {day:2d} 12:{source.randint(0, 59):02d}"
        return f"-rw-r--r-- 1 {owner} {source.randint(20, 9_999_999):8d} {date} {name}"
