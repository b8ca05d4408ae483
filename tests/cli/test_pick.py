"""`sealcast pick` in a terminal, with its output in a pipe."""

import os
from pathlib import Path

import pexpect
import pytest

from recorder.errors import ExitCode
from tests.cli.conftest import COMMAND, Run


@pytest.mark.slow
def test_the_screen_is_on_stderr_and_the_ids_on_stdout(ids: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    child: pexpect.spawn[str] = pexpect.spawn(
        "/bin/sh",
        ["-c", f'"$@" >{out}', "sh", *COMMAND, "pick", "exit:7"],
        env=dict(os.environ),
        dimensions=(24, 80),
        encoding="utf-8",
        timeout=120,
    )
    child.expect("Web upgrade")
    child.send("\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == ExitCode.OK
    assert out.read_text() == f"{ids[0]}\n"


def test_without_a_terminal_it_says_what_does_the_job(program: Run, store: Path) -> None:
    result = program("pick")
    assert (result.code, result.out) == (ExitCode.USAGE, "")
    assert "sealcast ls" in result.err


def test_a_bad_query_is_told_before_the_screen_opens(program: Run, store: Path) -> None:
    assert 'no field "usr" (at 1). Did you mean user:x?' in program("pick", "usr:x").err
