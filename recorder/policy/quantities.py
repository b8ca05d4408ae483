"""Durations and sizes as people write them: `90s`, `30m`, `12h`; `64KiB`, `1GiB`."""

import re

_QUANTITY = re.compile(r"([0-9]{1,15}) ?([A-Za-z]*)")
DURATION_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
"""Unit -> seconds."""
SIZE_UNITS = {
    "B": 1,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
}
"""Unit -> bytes."""


def parse_duration(text: str) -> int:
    """Seconds; `ValueError` with a sentence for anything else."""
    return _quantity(text, DURATION_UNITS, "a duration, such as 90s, 30m or 12h")


def parse_size(text: str) -> int:
    """Bytes; `ValueError` with a sentence for anything else."""
    return _quantity(text, SIZE_UNITS, "a size, such as 64KiB or 1GiB")


def _quantity(text: str, units: dict[str, int], what: str) -> int:
    found = _QUANTITY.fullmatch(text)
    if found is None or found[2] not in units:
        raise ValueError(f"must be {what}")
    return int(found[1]) * units[found[2]]


def duration_text(seconds: int) -> str:
    """The shortest way to write a duration that reads back as the same."""
    return _text(seconds, DURATION_UNITS)


def size_text(count: int) -> str:
    """The shortest way to write a size that reads back as the same, in powers of 1024."""
    return _text(count, {name: factor for name, factor in SIZE_UNITS.items() if factor & (factor - 1) == 0})


def _text(number: int, units: dict[str, int]) -> str:
    """In the largest unit that divides it."""
    fitting = [name for name, factor in units.items() if number and number % factor == 0]
    name = max(fitting, key=lambda unit: units[unit], default=next(iter(units)))
    return f"{number // units[name]}{name}"
