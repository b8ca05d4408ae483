"""`sealcast doctor`: is this host closed?"""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from recorder.cli.output import write_json, write_lines
from recorder.cli.pages import Verb
from recorder.cli.settings import settings_of
from recorder.errors import ExitCode, SealcastError
from recorder.host.doctor import examine
from recorder.host.evidence import Evidence
from recorder.host.findings import Finding, State, is_closed
from recorder.host.inspection import inspect
from recorder.host.machine import Host
from recorder.host.probe import probe_host
from recorder.host.survey import ssh_unit
from recorder.safe_text import safe

SYSTEMD = "/run/systemd/system"
"""There where systemd runs: sd_booted(3)."""
SCHEMA = "sealcast.doctor/1"
_SIGNS = {State.CLOSED: "✓", State.NOTE: "–", State.UNKNOWN: "?", State.OPEN: "✗"}


@click.command(
    cls=Verb,
    examples=[
        ("sealcast doctor", "what is open on this host, and how to close it"),
        ("sealcast doctor --probe", "and try the known escapes for real"),
        ("sealcast doctor --json", "for a program"),
        ("sealcast doctor -q", "only the exit code, for monitoring"),
    ],
    codes=[ExitCode.OK, ExitCode.NO, ExitCode.USAGE, ExitCode.TARGET],
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--probe", is_flag=True, help="Try the known escapes with a throw-away account, too.")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), hidden=True)
@click.pass_context
def doctor(context: click.Context, *, as_json: bool, probe: bool, root: Path | None) -> int:
    """Say whether covered accounts can get around the recorder.

    As root. Looks at login shells, at what sshd would do for each covered account, at other ways in, at
    permissions, the recorder, its store and its key; every finding comes with its fix. The exit code is 0
    where the host is closed and 1 where it is open, or could not be looked at. With --probe an account
    sealcast-probe is made, covered like the others, logs in through sshd, and is removed.
    """
    if os.geteuid() != 0:
        raise SealcastError("only root can ask sshd", "sudo sealcast doctor")
    host = Host((root or Path("/")).absolute())
    evidence = inspect(host)
    findings = examine(evidence)
    if probe:
        findings += _probed(host, evidence)
    closed = is_closed(findings)
    if as_json:
        write_json({"schema": SCHEMA, "closed": closed, "items": [_item(finding) for finding in findings]})
    else:
        settings = settings_of(context)
        if settings.verbosity >= 0:
            write_lines(_lines(findings), settings)
        count = sum(finding.state in {State.OPEN, State.UNKNOWN} for finding in findings)
        settings.note("this host is closed" if closed else f"this host is open: {count} findings")
    return ExitCode.OK if closed else ExitCode.NO


def _probed(host: Host, evidence: Evidence) -> list[Finding]:
    running = [sshd for sshd in evidence.sshds if sshd.running]
    if not host.is_this or evidence.policy is None or not running:
        raise SealcastError("there is no sshd to probe", "start sshd, and install first", ExitCode.TARGET)
    unit = ssh_unit(host) if Path(SYSTEMD).is_dir() else None
    return probe_host(host, evidence.policy, running[0], unit)


def _item(finding: Finding) -> dict[str, str | None]:
    return {
        "check": finding.check,
        "state": finding.state.value,
        "says": finding.says,
        "fix": finding.fix or None,
    }


def _lines(findings: list[Finding]) -> Iterator[str]:
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        yield f"{_SIGNS[finding.state]} {finding.check:{width}}  {safe(finding.says, 1000)}"
        if finding.fix:
            yield f"  {'':{width}}  fix: {safe(finding.fix, 1000)}"
