"""Which files make up the program on a host."""

import importlib.metadata
from pathlib import Path

import pytest

import recorder
from recorder.errors import SealcastError
from recorder.host import program
from tests.host.hosts import as_root


def test_everything_imported_is_there_and_no_test_tool() -> None:
    files = {one.target for one in program.sources()}
    for wanted in (
        "recorder/capture/login.py",
        "tui/app.py",
        "click/core.py",
        "textual/app.py",
        "orjson/__init__.py",
    ):
        assert wanted in files
    assert any(name.startswith("_cffi_backend") for name in files), "what a dependency depends on"
    assert not [
        name for name in files if name.startswith(("pytest", "mypy", "ruff", "pip/", "tests/", "../"))
    ]
    assert not [name for name in files if "__pycache__" in name]


def test_the_digest_names_contents_and_places(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    one = program.digest([program.Source("a", tmp_path / "a")])
    assert one != program.digest([program.Source("b", tmp_path / "a")])
    (tmp_path / "a").write_text("2")
    assert one != program.digest([program.Source("a", tmp_path / "a")])


def test_an_installed_program_is_its_own_measure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "SEALCAST-DIGEST").write_text("abc")
    monkeypatch.setattr(recorder, "__file__", str(tmp_path / "lib/recorder/__init__.py"))
    assert program.wanted_digest(tmp_path) == "abc"
    assert program.is_installed(tmp_path, "abc")
    assert not program.is_installed(tmp_path / "elsewhere", "abc")


def test_without_any_list_of_requirements_nothing_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "__file__", str(tmp_path / "recorder/__init__.py"))

    def nothing(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", nothing)
    with pytest.raises(SealcastError, match="cannot tell what this program needs"):
        program.sources()


@as_root
def test_a_new_program_takes_the_place_of_the_old_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source.py"
    source.write_text("value = 1\n")
    monkeypatch.setattr(program, "sources", lambda: [program.Source("room/one.py", source)])
    target = tmp_path / "opt" / "program"
    target.mkdir(parents=True)
    (target / "old").touch()
    program.install(target, "/usr/bin/python3", "first")
    assert sorted(path.name for path in target.parent.iterdir()) == ["program"]
    packages = next(target.glob("lib/python3.*/site-packages"))
    assert (packages / "room/one.py").stat().st_mode & 0o777 == 0o644
    assert list((packages / "room/__pycache__").iterdir())
    said = program._run([str(target / "bin/python"), "-I", "-c", "import room.one; print(room.one.value)"])
    assert said == "1\n"
