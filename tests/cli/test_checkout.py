"""`scripts/sealcast`: the environment it makes. Against a small checkout whose lock names no package."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent.parent / "scripts"
_PROGRAM = "import sys, os; print('ran', sys.argv[1:], os.getcwd())\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a program that says that it ran."""
    root = tmp_path / "a checkout"
    (root / "scripts").mkdir(parents=True)
    for name in ("sealcast", "venv.sh"):
        shutil.copy(SCRIPTS / name, root / "scripts" / name)
    (root / "scripts" / "requirements.lock").write_text("# nothing\n")
    (root / "recorder" / "cli").mkdir(parents=True)
    for package in ("recorder", "recorder/cli"):
        (root / package / "__init__.py").write_text("")
    (root / "recorder" / "cli" / "__main__.py").write_text(_PROGRAM)
    return root


def start(script: Path, *arguments: str, cwd: Path | None = None, **extra: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [script, *arguments],
        cwd=cwd,
        env=os.environ | extra,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


@pytest.mark.slow
def test_first_use_makes_the_environment_and_says_so(checkout: Path, home: Path) -> None:
    link = home / "link"
    link.symlink_to(checkout / "scripts" / "sealcast")
    code, out, err = finish(start(link, "a b", "--x", cwd=home))
    assert (code, out) == (0, f"ran ['a b', '--x'] {home}\n")
    assert err.startswith(f"sealcast: making .venv in {checkout} with Python 3.")
    assert finish(start(link, cwd=home)) == (0, f"ran [] {home}\n", "")

    (checkout / "scripts" / "requirements.lock").write_text("# changed\n")
    code, _out, err = finish(start(link))
    assert code == 0
    assert "making .venv" not in err
    assert "installing the packages" in err

    (checkout / ".venv" / ".sealcast-building").touch()
    code, _out, err = finish(start(link))
    assert code == 0
    assert "making .venv" in err
    assert not (checkout / ".venv" / ".sealcast-building").exists()

    moved = checkout.rename(checkout.with_name("moved"))
    code, out, _err = finish(start(moved / "scripts" / "sealcast", cwd=home))
    assert (code, out) == (0, f"ran [] {home}\n")


@pytest.mark.slow
def test_two_at_once_make_one_environment(checkout: Path) -> None:
    both = [start(checkout / "scripts" / "sealcast") for _ in range(2)]
    results = [finish(process) for process in both]
    assert [code for code, _out, _err in results] == [0, 0]
    assert sum("making .venv in" in err for _code, _out, err in results) == 1


def test_a_python_without_venv_is_named_with_its_package(checkout: Path, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncase $2 in *ensurepip*) exit 1;; esac\nexec python3 "$@"\n')
    python.chmod(0o755)
    code, out, err = finish(start(checkout / "scripts" / "sealcast", SEALCAST_PYTHON=str(python)))
    assert (code, out) == (1, "")
    assert "apt install python3-venv" in err
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_too_old_is_passed_over(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "readlink", "dirname", "cat", "flock"):
        (tools / name).symlink_to(shutil.which(name) or name)
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tools / "python3").chmod(0o755)
    code, _out, err = finish(start(checkout / "scripts" / "sealcast", PATH=str(tools)))
    assert code == 1
    assert "Python 3.11 or newer is needed" in err
    assert "apt install python3 python3-venv" in err
