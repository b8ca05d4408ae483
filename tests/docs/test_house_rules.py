"""The rules that tests/conftest.py enforces are themselves enforced: a test that leaves something fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.leaks import SETTLE_VARIABLE

ROOT = Path(__file__).parent.parent.parent
_HEADER = "import os, subprocess, tempfile\nfrom tests.marks import needs\n"


def outcome(folder: Path, body: str, **environment: str) -> str:
    """The output of a pytest of its own over one test module, under the rules of this project."""
    (folder / "test_it.py").write_text(_HEADER + body)
    options = ["-q", "-p", "no:cacheprovider", "-p", "tests.conftest"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-c", "pyproject.toml", str(folder / "test_it.py")],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder), SETTLE_VARIABLE: "1"} | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def test_it(): subprocess.Popen(['sleep', '60'])", "left behind: child process"),
        ("def test_it(): os.open('/dev/null', os.O_RDONLY)", "(/dev/null)"),
        ("def test_it(): tempfile.mkdtemp()", "/sc-"),
        (
            "def test_it(): os.makedirs(os.environ['XDG_DATA_HOME'] + '/sealcast')",
            "a store outside SEALCAST_HOME",
        ),
        (
            # what it says comes when it is this program: while it becomes it, it has no environment
            "def test_it(): subprocess.run("
            "'{ setsid sh -c \"echo; exec >/dev/null; sleep 60; :\" & } | head -n 1', shell=True)",
            "still running: pid",
        ),
        ("@needs('no-such-tool')\ndef test_it(): pass", "not in debian-packages"),
    ],
)
def test_what_is_left_behind_fails(tmp_path: Path, body: str, said: str) -> None:
    text = outcome(tmp_path, body)
    assert said in text
    assert " 1 passed in" not in text


@pytest.mark.slow
def test_a_missing_tool_skips_and_counts_and_fails_in_ci(tmp_path: Path) -> None:
    body = "import shutil\nshutil.which = lambda name: None\n@needs('tmux')\ndef test_it(): pass"
    outside = outcome(tmp_path, body, CI="")
    assert "tests not run because a program is missing: tmux (1)" in outside
    assert "1 skipped" in outside
    assert "1 error" in outcome(tmp_path, body, CI="true")


@pytest.mark.slow
def test_a_clean_test_passes(tmp_path: Path) -> None:
    assert "1 passed" in outcome(tmp_path, "def test_it(): subprocess.run(['true'])")
