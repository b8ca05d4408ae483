"""`sealcast install`: make this host a bastion, or take it back."""

import os
from pathlib import Path

import click

from recorder.cli.pages import Verb
from recorder.cli.settings import Settings, settings_of
from recorder.errors import ExitCode, SealcastError
from recorder.host import places
from recorder.host.carry_out import carry_out, pending
from recorder.host.machine import Host
from recorder.host.plan import Wish, covered_elsewhere, parse_cover, plan_install, plan_uninstall
from recorder.host.survey import look
from recorder.policy.schema import program_path
from recorder.safe_text import safe


@click.command(
    cls=Verb,
    examples=[
        (
            "sealcast install --cover user:alice --cover group:ops",
            "record them from the next login on",
        ),
        ("sealcast install --cover group:ops --dry-run", "only say what would be done"),
        ("sealcast install", "after a change of the policy"),
        ("sealcast install --uninstall", "give everybody their shell back; recordings stay"),
    ],
    codes=[ExitCode.OK, ExitCode.USAGE, ExitCode.TARGET, ExitCode.FORMAT],
)
@click.option(
    "--cover",
    "first",
    multiple=True,
    metavar="WHO",
    help="Whom to record: user:NAME or group:NAME; repeatable.",
)
@click.argument("more", nargs=-1, metavar="[WHO]...")
@click.option("--shell", metavar="PATH", help="The real shell of the accounts named; else the one they have.")
@click.option("--no-systemd", is_flag=True, help="Make no service: you start `sealcast daemon` yourself.")
@click.option("--dry-run", is_flag=True, help="Print the steps and change nothing.")
@click.option("--uninstall", is_flag=True, help="Take it all back but recordings, keys and policy.")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), hidden=True)
@click.pass_context
def install(
    context: click.Context,
    *,
    first: tuple[str, ...],
    more: tuple[str, ...],
    shell: str | None,
    no_systemd: bool,
    dry_run: bool,
    uninstall: bool,
    root: Path | None,
) -> int:
    """Make this host a bastion, or take it back.

    As root. From then on every login of the accounts you name is recorded. It copies the program to
    /opt/sealcast, adds the recorder's own system user and service, makes sealcast-shell the login shell of
    the accounts (their old ones become the shells it starts), and closes in sshd what passes by a login
    shell. A second run changes only what is not so yet. Afterwards `sealcast doctor` says whether the host
    is closed.
    """
    host = Host((root or Path("/")).absolute())
    covers = tuple(parse_cover(text) for one in (*first, *more) for text in one.split(","))
    wish = Wish(covers, program_path(shell) if shell is not None else None, not no_systemd)
    _refuse_what_cannot_be(host, wish, uninstall=uninstall)
    facts = look(host, wish, with_program=not uninstall)
    steps = plan_uninstall(facts, wish) if uninstall else plan_install(facts, wish)
    settings = settings_of(context)
    if dry_run:
        for step in pending(steps, host):
            click.echo(safe(str(step), 500))
        return ExitCode.OK
    count = carry_out(steps, host, lambda step: settings.note(safe(str(step), 500)))
    _say_what_next(settings, count, wish, uninstall=uninstall)
    for name in [] if uninstall else covered_elsewhere(facts, wish):
        settings.note(
            f"{safe(name)} is no account of /etc/passwd: make {places.SHELL} its shell where it is one"
        )
    return ExitCode.OK


def _refuse_what_cannot_be(host: Host, wish: Wish, *, uninstall: bool) -> None:
    if os.geteuid() != 0:
        raise SealcastError("only root can install", "sudo sealcast install ...")
    if uninstall and (wish.cover or wish.shell):
        raise SealcastError("--uninstall is for everybody and takes no accounts")
    if wish.shell is not None and not os.access(host.at(wish.shell), os.X_OK):
        raise SealcastError(f"{safe(wish.shell)} is no program of this host", code=ExitCode.TARGET)


def _say_what_next(settings: Settings, count: int, wish: Wish, *, uninstall: bool) -> None:
    if count == 0:
        settings.note("nothing to do")
    elif uninstall:
        settings.note(f"uninstalled; recordings, keys and {places.CONFIG} stay")
    elif wish.systemd:
        settings.note("installed; is the host closed? sealcast doctor")
    else:
        settings.note("installed; covered logins are refused until you start: sealcast daemon")
