"""`sealcast pick`: sessions chosen in the library, for the next command of a pipe."""

from collections.abc import Sequence

import click

from recorder.cli.library import require_terminal, start_tui
from recorder.cli.pages import QueryVerb
from recorder.cli.query_words import QueryType
from recorder.cli.settings import settings_of
from recorder.cli.stores import open_store
from recorder.errors import ExitCode
from recorder.index.query import parse


@click.command(
    cls=QueryVerb,
    examples=[
        ("sealcast pick | xargs -n1 sealcast commands", "what was run in the sessions chosen"),
        ("sealcast play $(sealcast pick user:alice)", "choose among alice's sessions"),
    ],
    codes=[ExitCode.OK, ExitCode.NO, ExitCode.USAGE],
    topics=["query", "keys"],
)
@click.argument("query", nargs=-1, type=QueryType())
@click.option("-0", "null", is_flag=True, help="End each id with NUL instead of a line feed.")
@click.pass_context
def pick(context: click.Context, *, query: Sequence[str], null: bool) -> int:
    """Choose sessions in the library and print their ids.

    The library is drawn on standard error, so standard output holds nothing but the ids. Space marks, Enter
    takes the marked sessions or the one under the cursor, q takes none.
    """
    settings = settings_of(context)
    text = " ".join(query)
    parse(text, zone=settings.zone)
    require_terminal("sealcast ls")
    taken: list[str] = []
    code = start_tui("run_pick", settings, open_store(settings), taken.extend, query=text)
    if code != ExitCode.OK:
        return code
    for session_id in taken:
        click.echo(f"{session_id}\0" if null else session_id, nl=not null)
    return ExitCode.OK if taken else ExitCode.NO
