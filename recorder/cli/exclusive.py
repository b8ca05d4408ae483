"""Options that contradict others: whoever gives both is told, and neither is ignored."""

from collections.abc import Mapping, Sequence
from typing import Any

import click


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
