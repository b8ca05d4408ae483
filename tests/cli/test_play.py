"""`sealcast play --plain` and `demo --plain`, through the real asciinema player."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from recorder.cli.demo_session import TITLE
from recorder.errors import ExitCode
from recorder.store.checking import State, check
from recorder.store.layout import Store
from recorder.store.targets import resolve
from tests.cli.conftest import COMMAND, Run
from tests.marks import needs


@needs("asciinema")
def test_plain_shows_the_session_without_what_acts_on_a_terminal(program: Run, ids: list[str]) -> None:
    result = program("play", "--plain", "--speed", "64", ids[0])
    assert result.code == 0
    assert "plain " in result.out
    assert "owned" not in result.out
    assert "\x1b]" not in result.out


@needs("asciinema")
def test_force_passes_everything_on(program: Run, ids: list[str]) -> None:
    assert "\x1b]0;owned\x07" in program("play", "--plain", "--force", ids[0]).out


@needs("asciinema")
def test_a_reader_that_goes_away_is_no_failure_of_the_player(tmp_path: Path) -> None:
    lines = ['{"version": 2, "width": 80, "height": 24}', *[f'[0, "o", "{"y" * 4000}"]'] * 100]
    (tmp_path / "long.cast").write_text("\n".join(lines) + "\n")
    script = f'{" ".join(COMMAND)} play --plain {tmp_path}/long.cast | head -c 1; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (141, False)


@needs("asciinema")
def test_a_failure_of_the_player_is_one_line(ids: list[str]) -> None:
    script = f"{' '.join(COMMAND)} play --plain {ids[0]} >/dev/full"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.SOURCE
    assert "Traceback" not in done.stderr
    assert "No space left on device\n  without it: sealcast cat" in done.stderr


@needs("asciinema")
def test_a_moment_starts_with_the_picture_so_far(program: Run, ids: list[str]) -> None:
    result = program("play", "--plain", "--idle", "0.1", f"{ids[2]}@100%")
    assert result.code == 0
    assert "30" in result.out


@needs("asciinema")
def test_files_of_other_versions_play(program: Run, tmp_path: Path) -> None:
    lines = [
        '{"version": 3, "term": {"cols": 80, "rows": 24}}',
        '[0.01, "o", "three\\r\\n"]',
        '[0.01, "x", "0"]',
    ]
    (tmp_path / "three.cast").write_text("\n".join(lines) + "\n")
    result = program("play", "--plain", str(tmp_path / "three.cast"))
    assert (result.code, "three" in result.out) == (0, True)
    assert "– unsigned" in result.err


@needs("asciinema")
def test_in_a_terminal_it_ends_with_it_in_order(ids: list[str]) -> None:
    child: pexpect.spawn[str] = pexpect.spawn(
        COMMAND[0], [*COMMAND[1:], "play", "--plain", ids[2]], env=os.environ, encoding="utf-8", timeout=120
    )
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert (child.before or "").endswith("\x1b[0m\x1b[?25h\x1b[?1047l\x1b[?7h\x1b[r\x1b(B\x0f")


def test_without_the_player_it_says_how_to_get_it(
    cli: Run, ids: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    result = cli("play", "--plain", ids[0])
    assert result.code == ExitCode.SOURCE
    assert "apt install asciinema" in result.err


def test_without_a_terminal_the_player_is_refused(program: Run, ids: list[str]) -> None:
    result = program("play", ids[0])
    assert result.code == ExitCode.USAGE
    assert result.err == f"sealcast: this needs a terminal\n  without one: sealcast cat {ids[0]}\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--force",), "--force is for --plain"),
        (("--speed", "0"), "speed"),
        (("--speed", "nan"), "no number"),
        (("--idle", "nan"), "no number"),
        (("--idle", "soon"), "idle"),
        (("--plain", "--at", "12x"), '"12x" is not a time'),
    ],
)
def test_options_that_make_no_sense(cli: Run, ids: list[str], options: tuple[str, ...], said: str) -> None:
    result = cli("play", *options, ids[0])
    assert result.code == ExitCode.USAGE
    assert said in result.err


def test_a_moment_twice(cli: Run, ids: list[str]) -> None:
    result = cli("play", "--plain", "--at", "1s", f"{ids[0]}@1s")
    assert result.code == ExitCode.USAGE
    assert "given twice" in result.err


def test_raw_output_to_a_terminal_is_refused(ids: list[str]) -> None:
    child: pexpect.spawn[str] = pexpect.spawn(
        COMMAND[0], [*COMMAND[1:], "cat", "--raw", ids[0]], env=os.environ, encoding="utf-8", timeout=120
    )
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == ExitCode.USAGE
    assert "raw output can control your terminal" in (child.before or "")
    assert "\x1b]" not in (child.before or "")


@pytest.mark.slow
@needs("asciinema", "vim")
def test_the_demo_is_recorded_once_and_verifies(program: Run, home: Path) -> None:
    first = program("demo", "--plain")
    assert (first.code, first.err.count("recording the demo session")) == (0, 1)
    assert "at least 2 are needed" in first.out
    (folder,) = (home / ".cache" / "sealcast").iterdir()
    store = Store(folder)
    (session,) = json.loads(program("ls", "--json", "--store", str(folder)).out)["items"]
    assert session["title"] == TITLE
    assert session["duration_s"] > 8
    assert check(store, resolve(store, session["id"])).state is State.VERIFIED
    text = program("cat", "--store", str(folder), session["id"]).out
    assert "[full-screen program, " in text
    assert "漢字" in text
    again = program("demo", "--plain")
    assert again.err == ""
    assert [folder] == list((home / ".cache" / "sealcast").iterdir())
