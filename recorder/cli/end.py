"""`sealcast end`: the end of a live session, for a reason."""

from pathlib import Path

import click

from recorder.cli.administered import recorder_socket, socket_option
from recorder.cli.pages import Verb
from recorder.cli.settings import settings_of
from recorder.daemon.administration import MAX_REASON, Wish
from recorder.daemon.client import answers
from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe


@click.command(
    cls=Verb,
    examples=[
        ('sealcast end k7f3q9xw --reason "maintenance at 18:00"', "end a session; its user sees why"),
    ],
    codes=[ExitCode.OK, ExitCode.USAGE, ExitCode.TARGET, ExitCode.SOURCE],
)
@click.argument("session", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Shown to the user, and kept in the log.")
@socket_option
@click.pass_context
def end(context: click.Context, *, session: str, reason: str, socket: Path | None) -> None:
    """End a live session of a bastion host.

    Its user sees one line with your name and the reason. Both are in the recording and in the log. For root
    and the administrators that the policy names.
    """
    if not reason.strip() or len(reason) > MAX_REASON:
        raise SealcastError(f"a reason has 1 to {MAX_REASON} characters")
    settings = settings_of(context)
    path = recorder_socket(settings, socket)
    if path is None:
        raise SealcastError(
            "no recorder runs on this host", "a session of your own: leave its shell", ExitCode.SOURCE
        )
    (ended,) = answers(path, Wish("end", session, reason))
    settings.note(f"{safe(str(ended['id']))} is being ended")
