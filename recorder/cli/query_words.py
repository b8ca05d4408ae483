"""A query on a command line: completed to its fields, and to the values that an index knows."""

import re
import time
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem

from recorder.cli.settings import settings_of
from recorder.cli.stores import find_store
from recorder.errors import SealcastError
from recorder.index.database import NAME, damage_told, open_index
from recorder.index.terms import CHECK_NAMES, FIELDS, FLAGS, SEVERITIES
from recorder.store.layout import Store

_MOST = 50
_WITHIN_S = 0.1
"""Whoever completes waits for it: after so long there are no values."""
_STEPS = 1000
_PLAIN = re.compile(r"[\w.@+-]+", re.ASCII)
"""Values that no shell and no query reads otherwise; others are foreign text, and not offered."""
_FIXED: dict[str, Sequence[str]] = {
    "is": tuple(FLAGS),
    "check": tuple(CHECK_NAMES),
    "state": tuple(CHECK_NAMES),
    "alert": ("any", *SEVERITIES),
    "live": ("yes", "no"),
}
_COLUMNS = {"user": "user", "host": "host", "from": "source_ip"}


class QueryType(click.ParamType[str]):
    """One word of a query."""

    name = "query"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Bash makes `user`, `:` and `al` of `user:al`, and wants the part after the colon; others do not."""
        before = [str(word) for word in ctx.params.get(param.name or "") or ()]
        if incomplete == ":" and before:
            return _values(ctx, before[-1], "", "")
        if before[-1:] == [":"] and len(before) > 1:
            return _values(ctx, before[-2], incomplete, "")
        field, colon, value = incomplete.partition(":")
        return _values(ctx, field, value, f"{field}:") if colon else _fields(incomplete)


def _fields(begun: str) -> list[CompletionItem]:
    """Each with an example: a shell ends a lone candidate with a blank, and no field ends there."""
    sign = begun[: len(begun) - len(begun.lstrip("-!"))]
    names = [name for name in FIELDS if name.startswith(begun[len(sign) :].lower())]
    if len(names) != 1:
        return [CompletionItem(f"{sign}{name}:", help=FIELDS[name].about) for name in names]
    field = FIELDS[names[0]]
    examples = [CompletionItem(f"{sign}{one}", help="for example") for one in field.examples[:1]]
    return [CompletionItem(f"{sign}{names[0]}:", help=field.about), *examples]


def _values(ctx: click.Context, field: str, begun: str, prefix: str) -> list[CompletionItem]:
    name = field.lstrip("-!").lower()
    done, comma, last = begun.rpartition(",")
    if name in _FIXED:
        found = [(value, "") for value in _FIXED[name] if value.startswith(last)]
    elif name in _COLUMNS:
        found = _known(find_store(settings_of(ctx)), _COLUMNS[name], last)
    else:
        return []
    return [CompletionItem(f"{prefix}{done}{comma}{value}", help=count or None) for value, count in found]


def _known(store: Store, column: str, begun: str) -> list[tuple[str, str]]:
    """Values of the index, the most frequent first, each with how many sessions have it."""
    statement = f"""SELECT {column}, count(*) FROM sessions WHERE substr({column}, 1, ?) = ?
        GROUP BY 1 ORDER BY 2 DESC, 1"""  # noqa: S608  names of our own
    deadline = time.monotonic() + _WITHIN_S
    try:
        with damage_told():
            connection = open_index(store.root / NAME)
            try:
                connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
                found = connection.execute(statement, (len(begun), begun))
                plain = [(value, _sessions(count)) for value, count in found if _PLAIN.fullmatch(value)]
            finally:
                connection.close()
    except (SealcastError, OSError):
        return []
    return plain[:_MOST]


def _sessions(count: int) -> str:
    return f"{count:,} session{'' if count == 1 else 's'}"
