"""The copy of the program that a host runs: ours, and every distribution that it imports.

A service cannot run from a checkout or a home directory, and nothing is fetched: what is installed is what
the person who installs it runs.
"""

import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import recorder
from recorder.errors import ExitCode, SealcastError

_ROOMS = ("recorder", "tui")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_DIGEST = "SEALCAST-DIGEST"
_SKIPPED = {"__pycache__"}
_NOT_RUN = {"pip", "setuptools"}
"""Of no use once installed: sqlite-utils asks for pip to install plugins of its own."""


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A file to install, and its path below site-packages."""

    target: str
    path: Path


def sources() -> list[Source]:
    """Every file of the program and of what it needs, sorted."""
    base = Path(recorder.__file__).parent.parent
    found = {one.target: one for room in _ROOMS for one in _tree(base, base / room)}
    for distribution in _needed(base):
        found |= {one.target: one for one in _files(distribution)}
    return sorted(found.values())


def _tree(base: Path, directory: Path) -> Iterator[Source]:
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not _SKIPPED & set(path.parts):
            yield Source(str(path.relative_to(base)), path)


def _needed(base: Path) -> list[importlib.metadata.Distribution]:
    """What ours requires, and what that requires; what is not installed is not needed."""
    waiting, found = _requirements(base), {}
    while waiting:
        name = _normal(waiting.pop())
        if name in found or name in _NOT_RUN:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        waiting += [_requirement(line) for line in found[name].requires or () if "extra ==" not in line]
    return list(found.values())


def _requirements(base: Path) -> list[str]:
    """Of a checkout from its pyproject.toml, else of the installed distribution."""
    project = base / "pyproject.toml"
    if project.is_file():
        lines = tomllib.loads(project.read_text())["project"]["dependencies"]
    else:
        lines = _installed_requirements()
    return [_requirement(line) for line in lines if "extra ==" not in line]


def _installed_requirements() -> list[str]:
    try:
        return importlib.metadata.requires("sealcast") or []
    except importlib.metadata.PackageNotFoundError:
        hint = "run install from a checkout, or from where pip or pipx put sealcast"
        raise SealcastError("cannot tell what this program needs", hint, ExitCode.TARGET) from None


def _requirement(line: str) -> str:
    found = _NAME.match(line)
    return found[0] if found else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _files(distribution: importlib.metadata.Distribution) -> Iterator[Source]:
    for file in distribution.files or ():
        path = Path(str(distribution.locate_file(file)))
        inside = ".." not in file.parts and not file.is_absolute()
        if inside and not _SKIPPED & set(file.parts) and path.is_file():
            yield Source(str(file), path)


def digest(files: list[Source]) -> str:
    """Names the contents and the places of all files."""
    total = hashlib.sha256()
    for one in files:
        total.update(f"{one.target}\0".encode() + hashlib.sha256(one.path.read_bytes()).digest())
    return total.hexdigest()


def wanted_digest(path: Path) -> str:
    """Of what `install` would put into `path`; where that program runs this, its own."""
    if Path(recorder.__file__).is_relative_to(path):
        return (path / _DIGEST).read_text()
    return digest(sources())


def is_installed(path: Path, wanted: str) -> bool:
    """Whether the program in `path` is complete and has this digest: the mark is written last."""
    try:
        return (path / _DIGEST).read_text() == wanted
    except OSError:
        return False


def install(path: Path, interpreter: str, wanted: str) -> None:
    """Build the program beside `path` and put it in its place in one step."""
    new, old = path.with_name(f".{path.name}.new"), path.with_name(f".{path.name}.old")
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    packages = _make_environment(new, interpreter)
    for one in sources():
        target = packages / one.target
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(one.path, target)
    _compile(new, packages)
    _open_to_all(new)
    (new / _DIGEST).write_text(wanted)
    if path.exists():
        os.rename(path, old)
    os.rename(new, path)
    shutil.rmtree(old, ignore_errors=True)


def _make_environment(path: Path, interpreter: str) -> Path:
    """What `python -m venv --without-pip` would make; the answer is its site-packages."""
    version = _run([interpreter, "-ISc", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]).strip()
    packages = path / "lib" / f"python{version.rpartition('.')[0]}" / "site-packages"
    packages.mkdir(parents=True)
    (path / "bin").mkdir()
    (path / "bin" / "python").symlink_to(interpreter)
    home = Path(interpreter).parent
    lines = (f"home = {home}", "include-system-site-packages = false", f"version = {version}")
    (path / "pyvenv.cfg").write_text("\n".join(lines) + "\n")
    return packages


def _compile(path: Path, packages: Path) -> None:
    """Byte code now: those who run the program cannot write it beside the sources."""
    quiet = ["-q", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    _run([str(path / "bin" / "python"), "-I", "-m", "compileall", *quiet, str(packages)], failing=True)


def compile_module(path: Path, interpreter: str) -> None:
    """Byte code beside one file. It holds the source's hash, so it is never taken for another source's."""
    cache = path.parent / "__pycache__"
    shutil.rmtree(cache, ignore_errors=True)
    _run([interpreter, "-I", "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", str(path)])
    _open_to_all(cache)


def is_compiled(path: Path, interpreter: str) -> bool:
    """Whether there is byte code beside the file that this interpreter takes."""
    tag = _run([interpreter, "-I", "-c", "import sys; print(sys.implementation.cache_tag)"]).strip()
    return (path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc").exists()


def _open_to_all(path: Path) -> None:
    """Whatever the umask of the person who installs it."""
    for directory, _, files in os.walk(path):
        os.chmod(directory, 0o755)  # noqa: S103  everybody runs what is in it
        for name in files:
            target = os.path.join(directory, name)
            if not os.path.islink(target):
                os.chmod(target, 0o644)


def _run(arguments: list[str], *, failing: bool = False) -> str:
    """`failing` programs may end with any status: a file that does not compile is never imported."""
    done = subprocess.run(  # noqa: S603  the interpreter that was chosen, and arguments of ours
        arguments, capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode and not failing:
        raise SealcastError(f"cannot run {arguments[0]}", code=ExitCode.TARGET)
    return done.stdout
