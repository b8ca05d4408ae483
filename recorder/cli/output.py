"""What commands write: lines, paged where they are long; JSON for programs; facts in common units."""

import json
import math
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

import click

from recorder.cli.settings import Settings

_UNSAFE = re.compile(
    "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]|[\U000e0000-\U000e007f]"
)
_UNITS = ("KiB", "MiB", "GiB", "TiB")


def write_lines(lines: Iterable[str], settings: Settings) -> None:
    """To stdout; through a pager where it is a terminal and the lines do not fit on it."""
    rows = (settings.signs(line) for line in lines)
    if not (settings.pager and settings.interactive and sys.stdout.isatty()) or not _pager():
        _write_all(rows)
        return
    height = shutil.get_terminal_size().lines
    first = list(islice(rows, height))
    if len(first) < height:
        _write_all(first)
        return
    os.environ["PAGER"] = _pager()
    os.environ.setdefault("LESS", "FRX")
    color = settings.colored(sys.stdout)
    click.echo_via_pager((f"{row}\n" for row in chain(first, rows)), color=color)


def _pager() -> str:
    """SEALCAST_PAGER, which may be empty to say none, else PAGER, else less."""
    return os.environ.get("SEALCAST_PAGER", os.environ.get("PAGER", "less"))


def _write_all(rows: Iterable[str]) -> None:
    write = sys.stdout.write
    for row in rows:
        write(f"{row}\n")
    sys.stdout.flush()


def write_json(document: Mapping[str, Any], *, one_line: bool = False) -> None:
    click.echo(json_text(document, one_line=one_line))


def write_json_items(
    head: Mapping[str, Any],
    items: Iterable[Mapping[str, Any]],
    tail: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """The document `{**head, "items": [...], **tail()}`, written as the items come: memory does not grow with
    them. `tail` is asked after the last one.
    """
    write = sys.stdout.write
    write(json_text(head).removesuffix("\n}") + ',\n  "items": [')
    separator = end = ""
    for item in items:
        write(f"{separator}\n    ")
        write(json_text(item).replace("\n", "\n    "))
        separator, end = ",", "\n  "
    write(f"{end}]")
    if last := tail():
        write("," + json_text(last).removeprefix("{").removesuffix("\n}"))
    write("\n}\n")
    sys.stdout.flush()


def json_text(document: Mapping[str, Any], *, one_line: bool = False) -> str:
    """JSON in which whatever could act on a terminal or deceive a reader stands as a `\\u` escape."""
    text = json.dumps(document, ensure_ascii=False, indent=None if one_line else 2, allow_nan=False)
    return _UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text)


def rfc3339(moment: datetime | None) -> str | None:
    """UTC with milliseconds, as every time in JSON output."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def length(seconds: float | None) -> str:
    """`0.4s`, `42s`, `17m41s`, `2h05m`; `?` where it is not known."""
    if seconds is None:
        return "?"
    if seconds < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    if not minutes:
        return f"{rest}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s"


def offset(seconds: float) -> str:
    """A place in a recording: `04:11`, `1:05:00`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def size(count: int) -> str:
    """`512 B`, `1.2 MiB`."""
    if count < 1024:
        return f"{count} B"
    power = min(int(math.log(count, 1024)), len(_UNITS))
    return f"{count / 1024**power:.1f} {_UNITS[power - 1]}"


def table(rows: Iterable[list[str]], right: frozenset[int] = frozenset()) -> Iterator[str]:
    """Rows as aligned columns, two spaces apart; the last column takes what it needs."""
    kept = list(rows)
    widths = _widths(kept)
    for row in kept:
        cells = [_pad(cell, widths[place], place in right) for place, cell in enumerate(row)]
        yield "  ".join(cells).rstrip()


def table_width(rows: list[list[str]]) -> int:
    """Columns on a terminal that a table of them takes."""
    widths = _widths(rows)
    return sum(widths) + 2 * (len(widths) - 1)


def _widths(rows: list[list[str]]) -> list[int]:
    return [max(map(_width, column)) for column in zip(*rows, strict=True)]


def _pad(cell: str, width: int, right: bool) -> str:
    blank = " " * (width - _width(cell))
    return blank + cell if right else cell + blank


def _width(text: str) -> int:
    """Columns on a terminal; escape sequences of our own colours take none."""
    plain = click.unstyle(text)
    return len(plain) if plain.isascii() else _wide_width(plain)


def _wide_width(text: str) -> int:
    from recorder.terminal.widths import char_width  # noqa: PLC0415  most tables are ASCII

    return sum(max(0, char_width(character)) for character in text)


def cut(text: str, width: int) -> str:
    """At most `width` columns, with `…` where something is missing."""
    if _width(text) <= width:
        return text
    kept = text[: max(0, width - 1)]
    while kept and _width(kept) > width - 1:
        kept = kept[:-1]
    return f"{kept}…"
