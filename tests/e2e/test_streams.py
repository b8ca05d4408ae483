"""Recording without a terminal: three streams, each with its own end, and nothing in the way."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from recorder.cast import events
from recorder.store.state import State
from tests.e2e.sessions import DEADLINE_SECONDS, SEALCAST, killed_at_the_end, only_session


def rec(*command: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """`sealcast rec -- command` with pipes."""
    argv = [*SEALCAST, "-q", "rec", "--", *command]
    return subprocess.run(argv, input=stdin, capture_output=True, timeout=DEADLINE_SECONDS, check=False)


def test_output_error_and_status_come_out_as_without_a_recorder() -> None:
    done = rec("sh", "-c", "cat; echo problem >&2; exit 7", stdin=b"hello\n")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"hello\n", b"problem\n")
    found = only_session()
    assert found.verdict.state is State.VERIFIED
    assert found.exit_status == 7
    assert found.output == b"hello\nproblem\n"
    codes = [event.code for event in found.events if event.code in "oE"]
    assert codes == ["o", "o", "E"]


def test_megabytes_go_both_ways_unchanged() -> None:
    data = os.urandom(8 * 1024 * 1024)
    done = rec("cat", stdin=data)
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()
    assert only_session().output == data


def test_a_reader_that_goes_away_stops_the_writer() -> None:
    argv = [*SEALCAST, "-q", "rec", "--", "yes"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(2) == b"y\n"
        process.stdout.close()
        assert process.wait(DEADLINE_SECONDS) == 141


def test_a_command_that_closes_its_output_early_ends_the_stream_early(tmp_path: Path) -> None:
    marker = tmp_path / "go-on"
    os.mkfifo(marker)
    argv = [*SEALCAST, "-q", "rec", "--", "sh", "-c", f"echo out; exec >&-; read line < {marker}; exit 4"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b"out\n"  # end of file, while the command still runs
        assert process.poll() is None
        marker.write_text("go\n")
        assert process.wait(DEADLINE_SECONDS) == 4


def test_a_command_that_does_not_read_does_not_wait_for_input() -> None:
    read_end, write_end = os.pipe()
    try:
        argv = [*SEALCAST, "-q", "rec", "--", "sh", "-c", "exec <&-; echo done"]
        done = subprocess.run(
            argv, stdin=read_end, capture_output=True, timeout=DEADLINE_SECONDS, check=False
        )
        assert (done.returncode, done.stdout) == (0, b"done\n")
    finally:
        os.close(read_end)
        os.close(write_end)


def test_closed_standard_streams_do_no_harm() -> None:
    script = f"{' '.join(SEALCAST)} -q rec -- sh -c 'exit 6' <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", script], timeout=DEADLINE_SECONDS, check=False).returncode == 6


def test_a_shell_reads_its_commands_from_the_pipe() -> None:
    done = rec("bash", stdin=b"echo $((6 * 7))\nexit 2\n")
    assert (done.returncode, done.stdout) == (2, b"42\n")


@pytest.mark.parametrize(("signal_name", "status"), [("TERM", 143), ("INT", 130)])
def test_death_by_signal_is_passed_on(signal_name: str, status: int) -> None:
    done = rec("sh", "-c", f"kill -{signal_name} $$")
    assert done.returncode == status
    assert only_session().exit_status == status


def test_sigterm_reaches_the_command() -> None:
    argv = [
        *SEALCAST,
        "-q",
        "rec",
        "--",
        "sh",
        "-c",
        "trap 'echo bye; exit 8' TERM; echo up; while :; do sleep 0.05; done",
    ]
    with (
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process,
        killed_at_the_end(process),
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.terminate()
        assert process.stdout.read() == b"bye\n"
        assert process.wait(DEADLINE_SECONDS) == 8
    assert only_session().data(events.EXIT) == ["8"]


def test_a_command_that_is_not_there_is_named() -> None:
    done = rec("no-such-program")
    assert done.returncode == 127
    assert b'cannot run "no-such-program": no such file or directory' in done.stderr
