"""Only a program that nobody but root could have put there is executed for a transfer."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from recorder.capture.trusted import trusted_program

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="missing: root, to own programs")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of root's, all the way from `/`."""
    folder = Path(mkdtemp(dir="/var/lib"))
    folder.chmod(0o755)
    yield folder
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    folder.rmdir()


def program(path: Path, mode: int = 0o755) -> str:
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return str(path)


def test_a_program_of_roots_is_trusted(place: Path) -> None:
    path = program(place / "program")
    assert trusted_program((path,)) == path
    assert trusted_program(("/no/such/program", path, "/bin/sh")) == path


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o644, 0o4775])
def test_one_that_others_may_write_or_none_may_execute_is_not(place: Path, mode: int) -> None:
    assert trusted_program((program(place / "program", mode),)) is None


def test_one_of_another_owner_is_not(place: Path) -> None:
    path = program(place / "program")
    os.chown(path, 12345, 0)
    assert trusted_program((path,)) is None


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_one_in_a_directory_that_others_may_write_is_not(place: Path, mode: int) -> None:
    folder = place / "folder"
    folder.mkdir()
    path = program(folder / "program")
    assert trusted_program((path,)) == path
    folder.chmod(mode)
    assert trusted_program((path,)) is None


def test_links_of_roots_are_followed_and_what_they_lead_to_is_looked_at(place: Path) -> None:
    folder = place / "folder"
    folder.mkdir()
    program(folder / "program")
    (place / "link").symlink_to("folder")
    (place / "relative").symlink_to("link/../folder/program")
    (place / "absolute").symlink_to(place / "link" / "program")
    (place / "loop").symlink_to("loop")
    path = str(place / "link" / "program")
    assert trusted_program((path,)) == path
    assert trusted_program((str(place / "absolute"),)) is not None
    assert trusted_program((str(place / "relative"),)) is not None
    assert trusted_program((str(place / "loop"),)) is None
    folder.chmod(0o777)
    for name in ("link/program", "relative", "absolute"):
        assert trusted_program((str(place / name),)) is None


def test_a_link_of_another_owner_is_not_followed(place: Path) -> None:
    program(place / "program")
    (place / "link").symlink_to("program")
    os.lchown(place / "link", 12345, 0)
    assert trusted_program((str(place / "link"),)) is None


def test_only_files_and_only_absolute_paths(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(place / "program")
    monkeypatch.chdir(place)
    assert trusted_program(("program",)) is None
    assert trusted_program(("",)) is None
    assert trusted_program((str(place),)) is None
    assert trusted_program((str(place / "not-there"),)) is None
    assert trusted_program(()) is None
