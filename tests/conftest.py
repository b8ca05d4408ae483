"""Every test gets a home of its own, and must leave nothing behind.

`@needs("tmux", "vim")` names the programs a test runs. Outside CI it is skipped where one is missing, and the
end of the run counts what was not run; with CI=true a missing program is a failure.
"""

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck

from tests import leaks

IN_CI = os.environ.get("CI") == "true"
_TOOL_LIST = Path(__file__).parent.parent / "scripts" / "debian-packages"
_FOREIGN_PREFIXES = ("SEALCAST_", "XDG_", "TMUX", "LC_", "GIT_")
_FOREIGN = {
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "LANG",
    "LANGUAGE",
    "LESS",
    "PAGER",
    "EDITOR",
    "VISUAL",
    "ENV",
    "PS1",
}
_ROOM = 4 * 1024**3
_DISK = "/var/tmp"
"""As long as the other: screens that show a path are compared to the letter."""
_not_run: Counter[str] = Counter()


def _fast_directory() -> str:
    """Memory where there is enough: thousands of fsyncs on a disk take minutes, and prove nothing here."""
    try:
        room = shutil.disk_usage("/dev/shm")
    except OSError:
        return _DISK
    return "/dev/shm" if room.free > _ROOM and os.access("/dev/shm", os.W_OK | os.X_OK) else _DISK


def pytest_configure() -> None:
    hypothesis.settings.register_profile(
        "a busy machine", hypothesis.settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("a busy machine")
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _fast_directory())
    for name in list(os.environ):
        if name != "SEALCAST_VECTORS" and (name.startswith(_FOREIGN_PREFIXES) or name in _FOREIGN):
            del os.environ[name]
    os.environ |= {
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        leaks.RUN_VARIABLE: str(os.getpid()),
    }
    time.tzset()


def _listed_tools() -> set[str]:
    lines = _TOOL_LIST.read_text().splitlines()
    return {line.split()[0] for line in lines if line and not line.startswith("#")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A tool that scripts/test would not install may not be asked for."""
    listed = _listed_tools()
    for item in items:
        for marker in item.iter_markers("needs"):
            unlisted = set(marker.args) - listed
            if unlisted:
                raise pytest.UsageError(f"{item.nodeid} needs {unlisted}: not in {_TOOL_LIST.name}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    missing = {
        tool for marker in item.iter_markers("needs") for tool in marker.args if not shutil.which(tool)
    }
    if not missing:
        return
    reason = f"missing: {', '.join(sorted(missing))}"
    if IN_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason.startswith("missing: "):
            _not_run.update(reason.removeprefix("missing: ").split(", "))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _not_run:
        counts = ", ".join(f"{tool} ({count})" for tool, count in sorted(_not_run.items()))
        terminalreporter.write_line(f"tests not run because a program is missing: {counts}", yellow=True)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A private home, short so that paths of Unix sockets fit, and the check that nothing is left behind.

    `TMPDIR` lies beside it and must be empty at the end; sealcast itself may write in `SEALCAST_HOME` only.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # commands that ran in this process may have changed it
    tmp_path_factory.getbasetemp()  # made now, in the system's own directory
    descriptors, children = set(leaks.open_descriptors()), leaks.child_processes()
    base = Path(tempfile.mkdtemp(prefix="sc-", dir=_fast_directory()))
    for name in ("home", "tmp", "data", "run"):
        (base / name).mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(base / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(base / "data"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(base / "run"))
    monkeypatch.setenv("SEALCAST_HOME", str(base / "store"))
    monkeypatch.setenv("TMPDIR", str(base / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    environment = dict(os.environ)
    try:
        yield base / "home"
        os.environ.clear()  # a program that ran in this process may have set NO_COLOR and the like
        os.environ.update(environment)
        left = _left_behind(base, descriptors, children)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    if left:
        pytest.fail("left behind: " + "; ".join(left), pytrace=False)


def _left_behind(base: Path, descriptors: set[int], children: set[int]) -> list[str]:
    pids = leaks.settled(lambda: leaks.child_processes() - children)
    numbers = leaks.settled(lambda: set(leaks.open_descriptors()) - descriptors)
    opened = leaks.open_descriptors()
    left = [f"child process {pid}" for pid in sorted(pids)]
    left += [f"descriptor {number} ({opened.get(number)})" for number in sorted(numbers)]
    left += [f"file {path}" for path in (base / "tmp").iterdir() if not path.name.startswith("tmux-")]
    if (base / "data" / "sealcast").exists():
        left.append("a store outside SEALCAST_HOME")
    return left


@pytest.fixture(scope="session", autouse=True)
def no_process_outlives_the_run() -> Iterator[None]:
    """Finds what left the process tree (daemons, orphans): every process carries the run's mark."""
    yield
    run = str(os.getpid())
    left = leaks.settled(lambda: leaks.processes_of_run(run))
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if left:
        pytest.fail("still running: " + "; ".join(left.values()), pytrace=False)
