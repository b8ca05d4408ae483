"""`sealcast sessions`: what is being recorded now."""

import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from recorder.cli import output
from recorder.cli.administered import own_sessions, own_store, recorder_socket, socket_option
from recorder.cli.pages import Verb
from recorder.cli.settings import Settings, settings_of
from recorder.daemon.administration import Wish
from recorder.daemon.client import answers
from recorder.errors import ExitCode
from recorder.safe_text import safe

SCHEMA = "sealcast.live/1"
_FIELDS = ("id", "user", "from", "since", "idle_s", "command")


@click.command(
    cls=Verb,
    examples=[
        ("sealcast sessions", "who is being recorded on this host"),
        ("sealcast sessions --jsonl | jq -r 'select(.idle_s > 3600).id'", "ids for a program"),
    ],
    codes=[ExitCode.OK, ExitCode.TARGET, ExitCode.SOURCE],
    topics=["json"],
)
@click.option("--json", "form", flag_value="json", help="One JSON document.")
@click.option("--jsonl", "form", flag_value="jsonl", help="One JSON object per line.")
@click.option("--plain", "form", flag_value="plain", help="Tab-separated with one header line.")
@socket_option
@click.pass_context
def sessions(context: click.Context, *, form: str | None, socket: Path | None) -> None:
    """List the sessions that are being recorded now.

    On a bastion host those of everybody, for root and the administrators that the policy names; with
    --store, and where no recorder runs, those of one's own store.
    """
    settings = settings_of(context)
    path = recorder_socket(settings, socket)
    found = own_sessions(own_store(settings)) if path is None else answers(path, Wish("sessions"))
    if form == "json":
        output.write_json({"schema": SCHEMA, "total": len(found), "items": found})
    elif form == "jsonl":
        for item in found:
            output.write_json(item, one_line=True)
    elif form == "plain":
        output.write_lines(_plain(found), settings)
    else:
        _write_table(found, settings)


def _plain(found: list[dict[str, Any]]) -> Iterator[str]:
    yield "\t".join(_FIELDS)
    for item in found:
        values = (item.get(name) for name in _FIELDS)
        yield "\t".join("" if value is None else safe(str(value)) for value in values)


def _write_table(found: list[dict[str, Any]], settings: Settings) -> None:
    if not found:
        settings.note("no session is being recorded")
        return
    titles = ["ID", "USER", "FROM", f"SINCE ({settings.zone_name()})", "IDLE", "COMMAND"]
    lines = list(output.table([titles, *(_row(item, settings) for item in found)], frozenset([4])))
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        lines = [output.cut(line, width) for line in lines]
    output.write_lines(lines, settings)


def _row(item: dict[str, Any], settings: Settings) -> list[str]:
    since = datetime.fromisoformat(str(item["since"]))
    idle = item.get("idle_s")
    return [
        safe(str(item["id"])),
        safe(str(item.get("user") or ""), 64),
        safe(str(item.get("from") or item.get("origin") or ""), 64),
        settings.stamp(since, seconds=True),
        "" if idle is None else output.length(float(idle)),
        safe(str(item.get("command") or item.get("title") or "")),
    ]
