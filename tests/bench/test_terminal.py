import os
from pathlib import Path

import pytest

from scripts.benchmarks.errors import BenchError
from scripts.benchmarks.neighbours import neighbours
from scripts.benchmarks.processes import members, proportional_memory, session_of
from scripts.benchmarks.terminal import COLUMNS, ROWS, OuterTerminal
from tests.leaks import child_processes


def outer(text: str, tmp_path: Path, seconds: float = 20.0) -> OuterTerminal:
    environment = {"PATH": os.environ["PATH"]}
    return OuterTerminal(["/bin/sh", "-c", text], environment, ("SEALCAST_BENCH", str(tmp_path)), seconds)


def test_the_size_stands_before_the_program_starts(tmp_path: Path) -> None:
    with outer("stty size", tmp_path) as terminal:
        assert terminal.finish() == f"{ROWS} {COLUMNS}\r\n".encode()
    assert 0 < terminal.ended - terminal.started < 20


def test_output_is_counted_to_the_byte(tmp_path: Path) -> None:
    with outer("printf START; yes | head -c 300000; printf END; read answer", tmp_path) as terminal:
        came = terminal.read_until(b"START")
        rest = terminal.skip(450_000 - len(came))  # each line end becomes two bytes
        assert rest + terminal.read_exactly(3 - len(rest)) == b"END"
        terminal.write(b"\n")
        terminal.finish()


def test_a_program_that_fails_or_ends_early_is_no_measurement(tmp_path: Path) -> None:
    with (
        outer("printf oops; exit 3", tmp_path) as terminal,
        pytest.raises(BenchError, match="with 3: 'oops'"),
    ):
        terminal.finish()
    with outer("printf oops", tmp_path) as terminal, pytest.raises(BenchError, match="ended early: 'oops'"):
        terminal.read_until(b"START")


def test_a_program_that_takes_too_long_is_ended_with_all_its_children(tmp_path: Path) -> None:
    with outer("printf START; sleep 600 & wait", tmp_path, 0.5) as terminal:
        terminal.read_until(b"START")
        session = terminal.pid
        assert len(members(session)) >= 1
        with pytest.raises(BenchError, match="more than"):
            terminal.finish()
    assert members(session) == []


def test_memory_and_session_of_this_very_process() -> None:
    assert session_of(os.getpid()) == os.getsid(0)
    assert 1_000_000 < proportional_memory(os.getpid()) < 10_000_000_000


def test_neighbours_are_gone_afterwards() -> None:
    before = child_processes()
    with neighbours(2):
        assert len(child_processes() - before) == 2
    assert child_processes() == before
