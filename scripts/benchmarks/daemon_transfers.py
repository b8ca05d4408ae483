"""Files through sshd, with the recorder in the way and without: one account is covered, one is not."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.benchmarks.contestants import BARE
from scripts.benchmarks.errors import BenchError
from scripts.benchmarks.results import OURS, Measure, Results
from tests.e2e.bastion import Bastion, plain_account

_SECONDS = 300.0
_CHUNK = 1 << 20

Way = Callable[[list[str], Path], None]
"""One transfer: an ssh command line up to the account, and the file."""


def measure_transfers(results: Results, host: Bastion, mebibytes: int) -> None:
    """One round: each way without the recorder, then with it. Connecting is part of it."""
    with plain_account(host) as plain, _file(host.base / "home" / "transfer", mebibytes) as path:
        for label, way in _WAYS.items():
            measure = Measure(
                f"{label}, through sshd", "MB/s", more_is_better=True, digits=0, group="transfer"
            )
            for name, ssh in ((BARE, plain), (OURS, host.ssh())):
                started = time.monotonic()
                way(ssh, path)
                results.add(measure, name, (mebibytes << 20) / 1e6 / (time.monotonic() - started))


@contextmanager
def _file(path: Path, mebibytes: int) -> Iterator[Path]:
    """That nothing can compress, and that both accounts can read."""
    with path.open("wb") as file:
        for _ in range(mebibytes):
            file.write(os.urandom(_CHUNK))
    path.chmod(0o644)
    path.parent.chmod(0o755)
    try:
        yield path
    finally:
        path.unlink()


def _cat_up(ssh: list[str], path: Path) -> None:
    with path.open("rb") as file:
        _run([*ssh, "cat >/dev/null"], stdin=file.fileno())


def _cat_down(ssh: list[str], path: Path) -> None:
    _run([*ssh, f"cat {path}"])


def _scp_up(ssh: list[str], path: Path) -> None:
    *options, account = ssh[1:]
    _run(["scp", "-q", *_for_scp(options), str(path), f"{account}:/dev/null"])


def _scp_down(ssh: list[str], path: Path) -> None:
    *options, account = ssh[1:]
    _run(["scp", "-q", *_for_scp(options), f"{account}:{path}", "/dev/null"])


_WAYS: dict[str, Way] = {
    "ssh host cat, up": _cat_up,
    "ssh host cat, down": _cat_down,
    "scp, up": _scp_up,
    "scp, down": _scp_down,
}


def _for_scp(options: list[str]) -> list[str]:
    return ["-P" if option == "-p" else option for option in options]


def _run(command: list[str], stdin: int = subprocess.DEVNULL) -> None:
    """With its output thrown away; BenchError where it fails."""
    done = subprocess.run(  # noqa: S603 -- words of ours, no shell here
        command,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"{command[0]} failed: {done.stderr.decode(errors='replace').strip()[:200]}")
