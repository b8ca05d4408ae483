"""What a test may leave behind: no child, no descriptor, no temporary file."""

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_Found = TypeVar("_Found", set[int], dict[int, str])
SETTLE_VARIABLE = "SEALCAST_TEST_SETTLE"
_SETTLE_S = float(os.environ.get(SETTLE_VARIABLE, "60"))
"""Only what is left waits so long; on a busy machine things take their time to end."""
RUN_VARIABLE = "SEALCAST_TEST_RUN"


def open_descriptors() -> dict[int, str]:
    """Every descriptor of this process with what it stands for, the listing's own left out."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            continue
    return found


def child_processes() -> set[int]:
    """The children of this process, dead ones nobody waited for included."""
    found: set[int] = set()
    for thread in os.listdir("/proc/self/task"):
        try:
            text = Path(f"/proc/self/task/{thread}/children").read_text()
        except FileNotFoundError:
            continue
        found.update(int(pid) for pid in text.split())
    return found


def processes_of_run(run: str) -> dict[int, str]:
    """Processes anywhere that carry this run's mark in their environment, with the test that started them."""
    mark = f"{RUN_VARIABLE}={run}".encode()
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        if int(name) == os.getpid():
            continue
        try:
            entries = Path(f"/proc/{name}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark in entries:
            found[int(name)] = _describe(int(name), entries)
    return found


def _describe(pid: int, environment: list[bytes]) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        command = "?"
    tests = [entry for entry in environment if entry.startswith(b"PYTEST_CURRENT_TEST=")]
    return f"pid {pid} ({command.strip()[:80]}) {tests[0].decode(errors='replace') if tests else ''}"


def settled(look: Callable[[], _Found]) -> _Found:
    """What `look` still finds after things had time to end; empty at once when nothing is left."""
    deadline = time.monotonic() + _SETTLE_S
    found = look()
    while found and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
        found = look()
    return found
