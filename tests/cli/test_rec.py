"""`sealcast rec` where nothing can be recorded."""

import os
import subprocess
from pathlib import Path

import pytest

from recorder.errors import ExitCode
from tests.cli.conftest import COMMAND, Run


def test_a_session_that_is_not_admitted_says_why_in_one_line(
    program: Run, store: Path, tmp_path: Path
) -> None:
    (store / "log/checkpoint").write_text("no checkpoint\n")
    result = program("rec", "--", "touch", str(tmp_path / "ran"))
    assert result.code == ExitCode.BAD
    assert result.err.startswith(f"sealcast: {store}/log")
    assert "Traceback" not in result.err
    assert not (tmp_path / "ran").exists()
    assert os.listdir(store / "live") == []


@pytest.mark.parametrize(("status", "code"), [(0, 1), (7, 7)])
def test_output_that_cannot_be_passed_on_is_recorded_and_no_success(
    program: Run, home: Path, status: int, code: int
) -> None:
    script = f"{' '.join(COMMAND)} rec -q -- sh -c 'echo precious; exit {status}' >/dev/full"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stderr == (
        "sealcast: the output could not be passed on: no space left on device\n"
        "  what was written until then is in the recording\n"
    )
    assert program("cat", program("ls", "-0").out.rstrip("\0")).out == "precious\n"


def test_a_reader_that_goes_away_is_none_of_it(home: Path) -> None:
    script = f"{' '.join(COMMAND)} rec -q -- sh -c 'seq 100000; exit 3' | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1\n", "")
