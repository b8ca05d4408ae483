"""Only a file that root alone can have written is a policy."""

import os
from pathlib import Path

import pytest

from recorder.errors import ExitCode, FormatError, SealcastError
from recorder.policy.loading import MAX_FILE, load_policy

ME = os.getuid()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text('[cover]\nusers = ["alice"]\n')
    path.chmod(0o644)
    return path


def refusal(path: Path, owner: int = ME) -> SealcastError:
    with pytest.raises(SealcastError) as caught:
        load_policy(path, owner)
    return caught.value


def test_a_good_file_is_read(config: Path) -> None:
    assert load_policy(config, ME).covers("alice", [])


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o622])
def test_a_file_that_others_can_write_is_refused(config: Path, mode: int) -> None:
    config.chmod(mode)
    assert (refusal(config).hint or "").startswith("chmod go-w ")


def test_a_file_of_another_owner_is_refused(config: Path) -> None:
    assert "does not belong to root" in refusal(config, ME + 1).message


def test_a_link_is_refused(config: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(config)
    assert "cannot read" in refusal(link).message


def test_a_pipe_and_a_directory_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refusal(tmp_path / "pipe").message
    assert "not a regular file" in refusal(tmp_path).message


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    error = refusal(tmp_path / "none")
    assert (error.code, "sealcast install" in (error.hint or "")) == (ExitCode.TARGET, True)


def test_a_huge_file_is_refused(config: Path) -> None:
    with config.open("ab") as file:
        file.truncate(MAX_FILE + 1)
    assert refusal(config).code == ExitCode.FORMAT


def test_errors_name_the_file(config: Path) -> None:
    config.write_text("[covr]\n")
    with pytest.raises(FormatError, match=r"config\.toml line 1: no table \[covr\]"):
        load_policy(config, ME)
