"""The unit."""

from dataclasses import replace
from pathlib import Path

from recorder.host import places
from recorder.host.service import indexer_unit, may_kill, unit
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


def test_the_indexer_is_a_service_of_its_own_that_writes_the_store_only() -> None:
    policy = replace(Policy(), store=StorePolicy(Path("/srv/rec")))
    text = indexer_unit(policy)
    assert f"ExecStart={places.COMMAND_SCRIPT} index build --output --follow --store /srv/rec\n" in text
    assert [line for line in text.splitlines() if line.startswith("ReadWritePaths=")] == [
        "ReadWritePaths=/srv/rec"
    ]
    assert "ProtectSystem=strict" in text


def test_only_who_asks_for_it_gets_the_privilege_to_end_what_sessions_leave() -> None:
    policy = replace(Policy(), daemon=DaemonPolicy(end_survivors=True))
    found = settings(policy)
    assert (found["CapabilityBoundingSet"], found["AmbientCapabilities"]) == ("CAP_KILL", "CAP_KILL")
    assert "SystemCallFilter=~@privileged\nSystemCallFilter=capset\n" in unit(policy)
    assert may_kill(unit(policy))
    assert not may_kill(unit(Policy()))
    assert not may_kill(indexer_unit(policy))
    assert indexer_unit(policy) == indexer_unit(Policy())
