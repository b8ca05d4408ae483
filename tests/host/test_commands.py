"""`sealcast config`, `install` and `doctor` as a person meets them."""

import json
import os
from pathlib import Path

import pytest

from recorder.cli.main import run
from recorder.errors import ExitCode
from recorder.policy.loading import CONFIG
from tests.host.hosts import as_root, make_root


def cli(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "new.toml"
    path.write_text('[cover]\nusers = ["alice"]\n[limits]\nidle = "90m"\n')
    return path


def test_a_good_policy_is_named_by_its_digest(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = cli(capsys, "config", "check", str(policy))
    assert (code, "is a good policy, sha256:" in err) == (0, True)


def test_a_mistake_has_its_line_and_a_suggestion(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy.write_text("[limits]\nidel = 5\n")
    code, _, err = cli(capsys, "config", "check", str(policy))
    assert code == ExitCode.FORMAT
    assert "new.toml line 2: no setting idel in [limits]" in err
    assert "did you mean idle?" in err


def test_every_setting_is_shown_as_it_is_in_force(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = cli(capsys, "config", "show", str(policy))
    assert 'limits.idle = "90m"\n' in out
    assert 'disk.low = "1GiB"\n' in out
    again = policy.with_name("again.toml")
    again.write_text(out)
    assert cli(capsys, "config", "show", str(again))[1] == out, "what is shown is a policy itself"
    document = json.loads(cli(capsys, "config", "show", "--json", str(policy))[1])
    assert document["settings"]["limits.idle"] == '"90m"'


def test_the_path_and_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(capsys, "config", "path") == (0, f"{CONFIG}\n", "")
    code, _, err = cli(capsys, "config", "check", str(tmp_path / "none"))
    assert (code, "no policy in" in err) == (ExitCode.TARGET, True)


@pytest.mark.parametrize("verb", ["install", "doctor"])
def test_only_root_may(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    code, _, err = cli(capsys, verb)
    assert (code, f"sudo sealcast {verb}" in err) == (ExitCode.USAGE, True)


@as_root
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--cover", "alice"), ExitCode.USAGE, "write user:NAME or group:NAME"),
        (("--cover", "user:alcie"), ExitCode.TARGET, "did you mean alice?"),
        (("--cover", "user:root"), ExitCode.USAGE, "who can stop the recorder"),
        (("--cover", "user:alice", "--shell", "zsh"), ExitCode.USAGE, "must be an absolute path"),
        (("--cover", "user:alice", "--shell", "/no/such"), ExitCode.TARGET, "is no program of this host"),
        (("--uninstall", "--cover", "user:alice"), ExitCode.USAGE, "takes no accounts"),
        ((), ExitCode.USAGE, "nobody is covered yet"),
    ],
)
def test_wrong_usage_of_install(
    arguments: tuple[str, ...], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_root(tmp_path / "root")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    found, _, err = cli(capsys, "install", "--root", str(root), *arguments)
    assert (found, said in err) == (code, True), err
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


@as_root
def test_doctor_of_an_empty_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_root(tmp_path / "root")
    code, out, err = cli(capsys, "doctor", "--root", str(root))
    assert (code, out.startswith("✗ policy")) == (ExitCode.NO, True)
    assert "this host is open: " in err
    assert cli(capsys, "doctor", "--root", str(root), "-q") == (ExitCode.NO, "", "")
    document = json.loads(cli(capsys, "doctor", "--root", str(root), "--json")[1])
    assert (document["schema"], document["closed"]) == ("sealcast.doctor/1", False)
