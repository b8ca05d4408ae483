"""`sealcast config`: the policy of this host."""

from pathlib import Path

import click

from recorder.cli.output import json_text, write_lines
from recorder.cli.pages import Verb, Verbs
from recorder.cli.settings import settings_of
from recorder.errors import ExitCode
from recorder.host import places
from recorder.host.service import may_kill
from recorder.policy.loading import CONFIG, load_policy, read_trusted
from recorder.policy.model import Policy
from recorder.policy.parsing import parse_policy
from recorder.policy.schema import SETTINGS, toml_value
from recorder.safe_text import safe

SCHEMA = "sealcast.policy/1"
_CODES = [ExitCode.OK, ExitCode.TARGET, ExitCode.FORMAT]


@click.group(cls=Verbs)
def config() -> None:
    """Check and show the policy of a bastion host.

    Who is covered, how they are recorded, what happens when that fails: /etc/sealcast/config.toml. It is
    read by the daemon when it starts, and on SIGHUP; no environment variable and no file of a user's
    changes it.
    """


@config.command(
    "check",
    cls=Verb,
    examples=[
        ("sealcast config check", "the policy of this host"),
        ("sealcast config check ./new.toml", "a file that is to become it"),
    ],
    codes=_CODES,
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.pass_context
def check_config(context: click.Context, file: Path | None) -> None:
    """Check a policy: the one in force, with its owner and mode, or any file."""
    policy = _read(file)
    settings = settings_of(context)
    settings.note(f"{safe(str(file or CONFIG))} is a good policy, {policy.digest}")
    unit = Path(places.UNIT)
    if policy.daemon.end_survivors and unit.exists() and not may_kill(unit.read_text(errors="replace")):
        settings.note("daemon.end_survivors: the service has not got CAP_KILL yet; sealcast install gives it")


@config.command(
    "path", cls=Verb, examples=[("sealcast config path", "to edit it, for example")], codes=[ExitCode.OK]
)
def show_path() -> None:
    """Print where the policy lies."""
    click.echo(str(CONFIG))


@config.command(
    "show",
    cls=Verb,
    examples=[
        ("sealcast config show", "every setting as it is in force"),
        ("sealcast config show --json ./new.toml", "of another file, for a program"),
    ],
    codes=_CODES,
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def show_config(context: click.Context, *, file: Path | None, as_json: bool) -> None:
    """Print every setting, defaults included, as TOML that means the same."""
    policy = _read(file)
    values = {
        one.name: toml_value(getattr(getattr(policy, one.table), one.key), one.kind) for one in SETTINGS
    }
    if as_json:
        click.echo(json_text({"schema": SCHEMA, "digest": policy.digest, "settings": values}))
        return
    write_lines((f"{name} = {value}" for name, value in values.items()), settings_of(context))


def _read(file: Path | None) -> Policy:
    """The policy in force must be root's; a file that is only tried out may be anybody's."""
    if file is None:
        return load_policy(CONFIG)
    data = read_trusted(file, None)
    return parse_policy(data, safe(str(file)))
