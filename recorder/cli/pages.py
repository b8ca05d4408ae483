"""How help looks: one line, usage, examples, options, exit codes; the same for every command."""

import inspect
from collections.abc import Sequence
from typing import Any

import click

from recorder.errors import ExitCode

CODES: dict[int, str] = {
    ExitCode.OK: "done; verify: everything verified",
    ExitCode.NO: "done, and the answer is no: nothing matched",
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
        summary, _, text = inspect.cleandoc(self.help or "").partition("\n")
        formatter.write_text(summary)
        formatter.write_paragraph()
        self.format_usage(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                formatter.write_dl(self.examples, col_max=56)
        if text.strip():
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(text.strip())
        self.format_options(ctx, formatter)
        write_codes(formatter, self.codes)
        self._write_more(formatter)

    def _write_more(self, formatter: click.HelpFormatter) -> None:
        pages = [f"sealcast help {topic}" for topic in self.topics]
        formatter.write_paragraph()
        formatter.write_text(", ".join(["Options of every command: sealcast --help", *pages]))


class Verbs(click.Group):
    """A command with commands below it, in the order they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(self.commands)


def write_codes(formatter: click.HelpFormatter, codes: Sequence[int]) -> None:
    if codes:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), CODES[code]) for code in codes])
