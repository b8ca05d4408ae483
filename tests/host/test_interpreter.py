"""The login shell's interpreter."""

import os
from pathlib import Path

import pytest

from recorder.errors import SealcastError
from recorder.host.interpreter import (
    find_interpreter,
    has_capability,
    is_copy,
    is_outdated,
    is_roots,
    make_copy,
)
from tests.host.hosts import as_root

pytestmark = as_root


def test_it_is_a_python_of_roots() -> None:
    path = find_interpreter()
    assert is_roots(Path(path))
    assert not Path(path).is_symlink()


def test_a_copy_runs_without_being_readable(tmp_path: Path) -> None:
    source, path = find_interpreter(), tmp_path / "python"
    assert not is_copy(source, path)
    make_copy(source, path)
    assert is_copy(source, path)
    assert path.stat().st_mode & 0o7777 == 0o711
    assert has_capability(path) is not False
    assert os.listdir(tmp_path) == ["python"]


@pytest.mark.parametrize("mode", [0o755, 0o4711])
def test_another_mode_is_no_copy(tmp_path: Path, mode: int) -> None:
    source, path = find_interpreter(), tmp_path / "python"
    make_copy(source, path)
    path.chmod(mode)
    assert not is_copy(source, path)


def test_a_copy_of_what_was_updated_is_outdated(tmp_path: Path) -> None:
    source, path = tmp_path / "source", tmp_path / "python"
    source.write_bytes(b"3.13.5")
    assert not is_outdated(str(source), path), "there is none"
    path.write_bytes(source.read_bytes())
    assert not is_outdated(str(source), path)
    source.write_bytes(b"3.13.6")
    assert is_outdated(str(source), path)


def test_what_does_not_run_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(SealcastError, match="does not run"):
        make_copy("/bin/true", tmp_path / "python")
    assert os.listdir(tmp_path) == []


def test_what_others_can_change_is_not_roots(tmp_path: Path) -> None:
    assert is_roots(Path("/usr/bin"))
    assert not is_roots(tmp_path / ".." / "..")
    (tmp_path / "file").touch()
    assert not is_roots(tmp_path / "file"), "everybody writes in /tmp"
