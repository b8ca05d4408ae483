"""The unit."""

from dataclasses import replace
from pathlib import Path

from recorder.host import places
from recorder.host.service import unit
from recorder.policy.model import DaemonPolicy, Policy, StorePolicy


def settings(policy: Policy) -> dict[str, str]:
    return dict(line.split("=", 1) for line in unit(policy).splitlines() if "=" in line and line[0] != "#")


def test_it_runs_unprivileged_and_outlives_a_restart() -> None:
    found = settings(Policy())
    assert found["ExecStart"] == f"{places.COMMAND_SCRIPT} daemon"
    assert (found["User"], found["CapabilityBoundingSet"], found["NoNewPrivileges"]) == (
        "sealcast",
        "",
        "yes",
    )
    assert (found["KillMode"], found["Type"], found["RuntimeDirectoryPreserve"]) == (
        "process",
        "notify",
        "yes",
    )
    assert "setrlimit" not in found["SystemCallFilter"]


def test_only_the_store_can_be_written() -> None:
    assert settings(Policy())["StateDirectory"] == "sealcast"
    policy = replace(Policy(), store=StorePolicy(Path("/srv/rec")), daemon=DaemonPolicy(user="rec"))
    found = settings(policy)
    assert (found["ReadWritePaths"], found["User"], "StateDirectory" in found) == (
        "/srv/rec -/var/spool/sealcast",
        "rec",
        False,
    )
