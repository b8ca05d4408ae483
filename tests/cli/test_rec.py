"""`sealcast rec` where nothing can be recorded."""

import os
from pathlib import Path

from recorder.errors import ExitCode
from tests.cli.conftest import Run


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
