"""The command `sealcast`: the table of its verbs, each loaded only when it runs."""

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn, TextIO

import click

from recorder.cli.failures import report
from recorder.cli.settings import Settings, common_options
from recorder.errors import ExitCode, SealcastError


@dataclass(frozen=True, slots=True)
class Entry:
    """A verb: the module under `recorder.cli`, the command object in it, its line in the overview.

    `pipe` says that the verb ends like any filter when its reader goes away; a recorder and a TUI must not.
    """

    section: str
    module: str
    summary: str
    pipe: bool = True
    hidden: bool = False


VERBS: dict[str, Entry] = {
    "rec": Entry("Record", "rec", "Record a shell or a command in this terminal.", pipe=False),
    "daemon": Entry("Record", "daemon", "Record every login of a bastion host.", pipe=False),
    "sessions": Entry("Watch", "sessions", "List the sessions that are being recorded now."),
    "watch": Entry("Watch", "watch", "Follow a live session in this terminal.", pipe=False),
    "end": Entry("Watch", "end", "End a live session of a bastion host."),
    "play": Entry("Watch", "play", "Replay one session.", pipe=False),
    "demo": Entry("Watch", "demo", "Play the built-in session.", pipe=False),
    "ls": Entry("Find", "ls", "List sessions, newest first."),
    "search": Entry("Find", "search", "Find commands in all sessions, the newest session first."),
    "pick": Entry("Find", "pick", "Choose sessions in the library and print their ids.", pipe=False),
    "show": Entry("Read", "show", "Show the facts about a session."),
    "commands": Entry("Read", "commands", "Print what was run in a session."),
    "cat": Entry("Read", "cat", "Print what a session showed, as text."),
    "export": Entry("Read", "export", "Write a session in a form for others."),
    "verify": Entry("Check", "verify", "Verify signatures, seals, closing and log entry."),
    "keys": Entry("Check", "keys", "List, show and trust signing keys."),
    "import": Entry("Data", "import_", "Import recordings of other programs, unsigned."),
    "index": Entry("Data", "index", "Keep the search index."),
    "install": Entry("Setup", "install", "Make this host a bastion, or take it back."),
    "doctor": Entry("Setup", "doctor", "Say whether covered accounts can get around the recorder."),
    "config": Entry("Setup", "config", "Check and show the policy of a bastion host."),
    "completion": Entry("Setup", "completion", "Print the completion script for a shell."),
    "help": Entry("Setup", "topics", "Explain a topic or a command."),
    "library": Entry("", "library", "Open the library.", pipe=False, hidden=True),
}

_EXAMPLES = (
    ("sealcast rec", "record a shell until it exits"),
    ("sealcast", "look at what was recorded"),
    ("sealcast verify --all", "check that nothing was changed or left out"),
    ("sealcast user:alice after:-7d", "open the library with a filter"),
)


class Program(click.Group):
    """The verbs of the table; a first word that reads as a query opens the library with it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return [name for name, entry in VERBS.items() if not entry.hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        entry = VERBS.get(cmd_name)
        if entry is None:
            return None
        command = getattr(importlib.import_module(f"recorder.cli.{entry.module}"), entry.module)
        if not isinstance(command, click.Command):
            raise TypeError(f"recorder.cli.{entry.module} holds no command")
        _add_common_options(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in VERBS and not name.startswith("-"):
            _refuse_unless_query(ctx, name)
            return "library", self.get_command(ctx, "library"), args
        if name in VERBS and VERBS[name].pipe:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_text("Record shell sessions as signed asciicasts; replay, search and verify them.")
        formatter.write_paragraph()
        self.format_usage(ctx, formatter)
        with formatter.section("Examples"):
            formatter.write_dl(_EXAMPLES)
        for section in dict.fromkeys(entry.section for entry in VERBS.values() if not entry.hidden):
            rows = [
                (name.ljust(10), entry.summary) for name, entry in VERBS.items() if entry.section == section
            ]
            with formatter.section(section):
                formatter.write_dl(rows)
        self._write_options(ctx, formatter)
        formatter.write_paragraph()
        formatter.write_text("Topics: sealcast help query, time, keys, exit, json, files")

    def _write_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = [record for option in self.get_params(ctx) if (record := option.get_help_record(ctx))]
        with formatter.section("Options, before or after the command"):
            formatter.write_dl(records)


def _add_common_options(command: click.Command) -> None:
    """To the command and those below it, where they do not have such an option themselves."""
    taken = {name for parameter in command.params for name in parameter.opts}
    for option in common_options(hidden=True):
        if not taken & set(option.opts):
            command.params.append(option)
    if isinstance(command, click.Group):
        for name in command.commands:
            _add_common_options(command.commands[name])


def _refuse_unless_query(context: click.Context, word: str) -> None:
    from recorder.index.query import looks_like_query  # noqa: PLC0415  rec starts without it

    if os.path.isfile(word):
        raise SealcastError(f'"{word}" is a file, not a command', f"replay it: sealcast play {word}")
    if not looks_like_query(word):
        raise click.exceptions.NoSuchCommand(word, possibilities=VERBS, ctx=context)


@click.group(
    cls=Program,
    invoke_without_command=True,
    params=list(common_options(hidden=False)),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    subcommand_metavar="[COMMAND | QUERY]",
)
@click.pass_context
def sealcast(context: click.Context) -> int:
    """Record shell sessions as signed asciicasts; replay, search and verify them."""
    if context.invoked_subcommand is not None:
        return ExitCode.OK
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        click.echo(context.get_help(), err=True)
        return ExitCode.USAGE
    library = sealcast.get_command(context, "library")
    return int(context.invoke(library)) if library else ExitCode.BUG


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and answers its exit code."""
    settings = Settings()
    try:
        answer = sealcast.main(list(arguments), prog_name="sealcast", standalone_mode=False, obj=settings)
    except (Exception, KeyboardInterrupt) as error:  # the last place: no traceback may reach the person
        return report(error, settings.verbosity)
    return answer if isinstance(answer, int) else ExitCode.OK


def _open_standard_streams() -> None:
    """A closed descriptor 0, 1 or 2 would be given to the next file opened, and messages written into it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest free number
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  as long as the process
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  as long as the process


def _flush(stream: TextIO, number: int) -> OSError | None:
    """Write what is left, or give it up, else the interpreter tries again while it ends."""
    try:
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
        return error
    return None


def main() -> NoReturn:
    _open_standard_streams()
    code = run(sys.argv[1:])
    if error := _flush(sys.stdout, 1):
        code = code or report(error)
    _flush(sys.stderr, 2)  # Python 3.13 would end with 120
    sys.exit(code)
