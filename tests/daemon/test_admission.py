"""Which logins may start, by policy, numbers and room."""

from dataclasses import replace
from pathlib import Path

import pytest

from recorder.capture.peer import Peer
from recorder.capture.request import Request
from recorder.daemon.admission import Admission, Verdict
from recorder.daemon.disk import DiskWatch
from recorder.log import entries
from recorder.policy.model import (
    DiskPolicy,
    LimitPolicy,
    Noninteractive,
    NoninteractivePolicy,
    OnFailure,
    Policy,
    RecordingPolicy,
)

PEER = Peer(1, 1000, 1000, "alice", 1, "sshd", None, None)
SHELL = Request(with_terminal=True)
COMMAND = Request(with_terminal=False)
STORE = Path("/")


def verdict(policy: Policy, request: Request = SHELL, *, opened: int = 0, free: int = 2**40) -> Verdict:
    return Admission(policy, STORE, free=lambda _: free).decide(PEER, request, opened).verdict


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        (Noninteractive.RECORD, Verdict.RECORD),
        (Noninteractive.ALLOW, Verdict.ALLOW),
        (Noninteractive.REFUSE, Verdict.REFUSE),
    ],
)
def test_logins_without_a_terminal_follow_their_mode(mode: Noninteractive, wanted: Verdict) -> None:
    policy = replace(Policy(), noninteractive=NoninteractivePolicy(mode))
    assert verdict(policy, COMMAND) is wanted
    assert verdict(policy, SHELL) is Verdict.RECORD


def test_a_user_has_so_many_sessions_and_no_more_even_unrecorded() -> None:
    limits = LimitPolicy(sessions_per_user=3)
    policy = replace(Policy(), limits=limits)
    assert verdict(policy, opened=2) is Verdict.RECORD
    assert verdict(policy, opened=3) is Verdict.REFUSE
    lax = replace(policy, noninteractive=NoninteractivePolicy(Noninteractive.ALLOW))
    assert verdict(lax, COMMAND, opened=3) is Verdict.REFUSE


def test_new_sessions_are_counted_by_the_minute_and_by_user() -> None:
    now = 0.0
    policy = replace(Policy(), limits=LimitPolicy(new_sessions_per_minute=2))
    admission = Admission(policy, STORE, lambda: now, lambda _: 2**40)
    found = [admission.decide(PEER, SHELL, 0).verdict for _ in range(3)]
    assert found == [Verdict.RECORD, Verdict.RECORD, Verdict.REFUSE]
    assert admission.decide(replace(PEER, uid=1001), SHELL, 0).verdict is Verdict.RECORD
    now = 60.1
    assert admission.decide(PEER, SHELL, 0).verdict is Verdict.RECORD


def test_a_disk_that_is_nearly_full_keeps_people_out_unless_recording_may_fail() -> None:
    assert verdict(Policy(), free=2**30 - 1) is Verdict.REFUSE
    lax = replace(Policy(), recording=RecordingPolicy(on_failure=OnFailure.OPEN))
    assert verdict(lax, free=0) is Verdict.RECORD


def test_every_change_of_the_disk_is_told_once() -> None:
    free = [2**40, 1000, 999, 998, 100, 99, 0, 99, 500, 400, 1000, 2000]
    watch = DiskWatch(DiskPolicy(low=1000, critical=100), STORE, lambda _: free.pop(0))
    told = []
    while free:
        facts = watch.look()
        if facts is not None:
            told.append((watch.kind, facts["free_bytes"]))
    assert told == [
        (entries.DISK_LOW, 999),
        (entries.DISK_CRITICAL, 99),
        (entries.DISK_LOW, 500),
        (entries.DISK_RECOVERED, 1000),
    ]
