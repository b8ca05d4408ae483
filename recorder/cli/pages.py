"""How help looks: one line, usage, examples, options, exit codes; the same for every command."""

import inspect
import re
from collections.abc import Sequence
from typing import Any

import click

from recorder.errors import ExitCode

_NEGATED_TERM = re.compile(r"-(?=[A-Za-z_]{2,}:)")

CODES: dict[int, str] = {
    ExitCode.OK: "done; verify: everything verified",
    ExitCode.NO: "done, and the answer is no: nothing matched; doctor: the host is open",
    ExitCode.USAGE: "wrong usage: unknown option, bad query or time; no arguments without a terminal",
    ExitCode.TARGET: "a target was not found, is ambiguous, or cannot be read",
    ExitCode.BAD: "verification failed: something is BAD",
    ExitCode.UNVERIFIED: "nothing bad, but not fully verified: live, truncated, unsigned, unknown key",
    ExitCode.SOME: "some items of several failed",
    ExitCode.FORMAT: "not a recording, damaged, or a newer format",
    ExitCode.SOURCE: "a source could not be reached",
    ExitCode.RECORDING: "the session could not be recorded, or its record could not be written",
    ExitCode.BUG: "a bug; the path of the report is printed",
    ExitCode.INTERRUPTED: "stopped with Ctrl+C",
    141: "the reader of the output closed the pipe",
}


class Verb(click.Command):
    """A command whose help starts with examples and ends with its exit codes.

    `examples` are pairs of a command line and what it does; `topics` name pages of `sealcast help`.
    """

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401  handed on to click
        examples: Sequence[tuple[str, str]] = (),
        codes: Sequence[ExitCode] = (),
        topics: Sequence[str] = (),
        **attributes: Any,  # noqa: ANN401  handed on to click
    ) -> None:
        super().__init__(*arguments, **attributes)
        self.examples = examples
        self.codes = codes
        self.topics = topics

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        text = _write_start(self, ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                formatter.write_dl(self.examples, col_max=56)
        _write_indented(formatter, text)
        self.format_options(ctx, formatter)
        if self.codes:
            with formatter.section("Exit codes"):
                formatter.write_dl([(str(int(code)), CODES[code]) for code in self.codes])
        _write_more(formatter, self.topics)


class QueryVerb(Verb):
    """A command that takes a query: `-title:test` there is a term, not an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_negated(argument) for argument in args])


class Verbs(click.Group):
    """A command with commands below it, in the order they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(self.commands)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        text = _write_start(self, ctx, formatter)
        self.format_commands(ctx, formatter)
        _write_indented(formatter, text)
        _write_more(formatter, ())


def _write_start(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> str:
    """Writes the first line of the help and the usage; answers the rest of the help."""
    summary, _, text = inspect.cleandoc(command.help or "").partition("\n")
    formatter.write_text(summary)
    formatter.write_paragraph()
    command.format_usage(ctx, formatter)
    return text.strip()


def _write_indented(formatter: click.HelpFormatter, text: str) -> None:
    if text:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(text)


def _write_more(formatter: click.HelpFormatter, topics: Sequence[str]) -> None:
    formatter.write_paragraph()
    pages = [f"sealcast help {topic}" for topic in topics]
    formatter.write_text(", ".join(["Options of every command: sealcast --help", *pages]))


def _negated(argument: str) -> str:
    return f"!{argument[1:]}" if _NEGATED_TERM.match(argument) else argument
