"""The forms of what a command prints, and other options that contradict each other: none is ignored."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

_FLAGS = {"json": "--json", "jsonl": "--jsonl", "plain": "--plain", "ids": "-0"}


class Exclusive(click.Option):
    """`excludes` names the parameters beside which this option makes no sense."""

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401  handed on to click
        excludes: Sequence[str],
        **attributes: Any,  # noqa: ANN401  handed on to click
    ) -> None:
        super().__init__(*arguments, **attributes)
        self.excludes = frozenset(excludes)

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """`opts` holds what was given, and no defaults."""
        if self.name in opts:
            for other in ctx.command.params:
                if other is not self and other.name in self.excludes and other.name in opts:
                    message = f"{self.opts[-1]} and {other.opts[-1]} do not go together"
                    raise click.UsageError(message, ctx)
        return super().handle_parse_result(ctx, opts, args)


def form_option(form: str, about: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--json` and its like: one of them at most, and none beside `--count`, which has its own form."""
    others = ["count", *(other for other in _FLAGS if other != form)]
    return click.option(_FLAGS[form], form, cls=Exclusive, excludes=others, is_flag=True, help=about)


def form_of(given: Mapping[str, bool]) -> str | None:
    """The form that was asked for, of the flags that `form_option` made; None is the one for people."""
    return next((form for form in _FLAGS if given.get(form)), None)
