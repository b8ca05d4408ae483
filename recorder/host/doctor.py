"""`sealcast doctor`: every check over the evidence of one host."""

from collections.abc import Callable, Iterator

from recorder.host.account_checks import (
    check_chsh,
    check_environment,
    check_login_shells,
    check_policy,
    check_power,
    check_real_shells,
    check_startup,
    check_timers,
)
from recorder.host.evidence import Evidence
from recorder.host.findings import Finding
from recorder.host.sshd_checks import check_keys, check_other_servers, check_sshd
from recorder.host.system_checks import (
    check_clock,
    check_interpreter,
    check_permissions,
    check_python,
    check_recorder,
    check_store,
)

CHECKS: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    check_policy,
    check_login_shells,
    check_real_shells,
    check_chsh,
    check_sshd,
    check_keys,
    check_other_servers,
    check_startup,
    check_environment,
    check_permissions,
    check_interpreter,
    check_python,
    check_recorder,
    check_store,
    check_clock,
    check_power,
    check_timers,
)


def examine(evidence: Evidence) -> list[Finding]:
    """All findings, in the order of the checks."""
    return [finding for check in CHECKS for finding in check(evidence)]
