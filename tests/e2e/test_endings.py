"""However a session ends, its record ends in order, or verifies as far as it goes."""

import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pexpect
import pytest

from recorder.store.catalog import Session, list_sessions
from recorder.store.layout import Store
from recorder.store.sealing import seal_orphans
from recorder.store.state import State
from tests.e2e.sessions import (
    PROMPT,
    Recorded,
    children,
    end,
    is_running,
    only_session,
    pid_of,
    read,
    recorded,
    recorded_bash,
    run_line,
    wait_for,
)

KILLS = 200
AT_ONCE = 4


def test_a_background_job_that_ignores_hangup_does_not_hold_the_end(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with recorded_bash() as child:
        run_line(child, f"(trap '' HUP; echo $BASHPID > {pid_file}; exec sleep 1000) &")
        wait_for(lambda: pid_file.exists() and pid_file.read_text().strip(), "the job started")
        child.send("exit 3\r")
        try:
            assert end(child) == 3
        finally:
            os.kill(int(pid_file.read_text()), signal.SIGKILL)
    assert only_session().verdict.state is State.VERIFIED


def test_output_just_before_the_end_is_not_lost() -> None:
    with recorded("sh", "-c", "seq 20000; printf 'last words'") as child:
        assert end(child) == 0
        found = only_session()
    assert found.output.endswith(b"20000\r\nlast words")


def test_a_closed_terminal_hangs_the_session_up_and_closes_the_record() -> None:
    with recorded_bash() as child:
        run_line(child, "trap 'exit 5' HUP")
        with open(os.devnull, "rb") as null:
            os.dup2(null.fileno(), child.child_fd)  # closes the master, and nothing else: no signal is sent
        wait_for(
            lambda: not Store.default().live_ids() and list_sessions(Store.default()), "the recording sealed"
        )
    found = only_session()
    assert found.verdict.state is State.VERIFIED
    assert found.exit_status in {0, 5, 129}, "whichever of end of file and SIGHUP the shell saw first"


def test_sigterm_to_the_recorder_hangs_the_session_up_in_order() -> None:
    with recorded_bash() as child:
        os.kill(pid_of(child), signal.SIGTERM)
        assert end(child) == 143
    assert only_session().verdict.state is State.VERIFIED


def test_killing_the_supervisor_ends_the_session_and_the_next_command_seals_it() -> None:
    with recorded_bash() as child:
        worker, shell = children(pid_of(child))
        os.kill(pid_of(child), signal.SIGKILL)
        wait_for(lambda: not is_running(worker), "the worker ended")
        wait_for(lambda: not is_running(shell), "the shell ended")
        end(child)
    (sealed,) = seal_orphans(Store.default())
    assert sealed.verdict == "closed"
    assert only_session().verdict.state is State.VERIFIED


def test_killing_the_worker_ends_the_session_with_one_clear_line() -> None:
    with recorded_bash() as child:
        run_line(child, "trap '' HUP")  # a shell that will not go by itself
        worker, shell = children(pid_of(child))
        os.kill(worker, signal.SIGKILL)
        child.expect_exact("the recorder was killed; the session ended with it")
        assert end(child) == 9
        assert not is_running(shell)
    found = only_session()
    assert found.verdict.state is State.TRUNCATED
    assert PROMPT.encode() in found.output


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killing_worker_or_everything_at_any_moment_leaves_a_verifiable_record() -> None:
    """Every file verifies as interrupted, and less than a second of it is unsealed."""
    seed = random.randrange(2**32)
    draw = random.Random(seed)
    moments = [draw.uniform(0, 0.4) for _ in range(KILLS - 20)] + [draw.uniform(1, 2.5) for _ in range(20)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(_kill_after, moments, [draw.random() < 0.5 for _ in moments]))
    seal_orphans(Store.default())
    sessions = list_sessions(Store.default())
    assert len(sessions) == KILLS
    for item in _with_files(sessions):
        assert item.verdict.state is State.TRUNCATED, (seed, item.verdict)
        sealed_to = item.verdict.verified_to_s
        assert sealed_to is not None, (seed, item.session.id)
        assert item.events[-1].time - sealed_to < 1.1, (seed, item.session.id)


def _with_files(sessions: list[Session]) -> Iterator[Recorded]:
    for session in sessions:
        yield read(session)


def _kill_after(seconds: float, supervisor_too: bool) -> None:
    with recorded("sh", "-c", "while :; do echo tick; sleep 0.01; done") as child:
        child.expect_exact("tick")
        worker, _ = children(pid_of(child))
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            child.expect([pexpect.TIMEOUT], timeout=left)
        os.kill(worker, signal.SIGKILL)
        if supervisor_too:
            os.kill(pid_of(child), signal.SIGKILL)
        end(child)
