"""What is measured of logins over the daemon: start, memory, many at once, and echo beside floods."""

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from scripts.benchmarks.contestants import BARE
from scripts.benchmarks.daemon import Logins
from scripts.benchmarks.daemon_transfers import measure_transfers
from scripts.benchmarks.data import START, Data
from scripts.benchmarks.errors import BenchError
from scripts.benchmarks.results import Measure, Results
from scripts.benchmarks.statistics import median, percentile
from scripts.benchmarks.terminal import OuterTerminal

_SECONDS = 60.0
_SETTLE_SECONDS = 1.5
"""A recording is sealed a second after its last byte; what that takes belongs to an idle session."""
_WAITING = f"printf {START.decode()}; read answer"
_TYPED = f"stty raw -echo; printf {START.decode()}; exec dd bs=1 status=none"
_FLOOD = "yes abcdefghijklmnopqrstuvwxyz0123456789"
_GROUP = "daemon"


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of everything one round takes."""

    starts: int = 20
    memory: tuple[int, ...] = (1, 50, 300)
    streams: int = 8
    typing: int = 100
    flooding: int = 5
    keys: int = 20
    """In each of the typing sessions."""
    transfer: int = 256
    """MiB of one file."""


QUICK = Amount(starts=2, memory=(1, 3), streams=2, typing=3, flooding=1, keys=5, transfer=1)


def measure(results: Results, logins: Logins, names: list[str], data: Data, amount: Amount) -> None:
    """One round: every contestant has its turn at every subject."""
    for name in names:
        results.add(_named("login to first byte", "ms"), name, _start(logins, name, amount.starts) * 1e3)
    for count in amount.memory:
        for name in names:
            if name != BARE:
                unit = _named(f"memory per session (PSS, {count} at once)", "MB", digits=2)
                results.add(unit, name, _memory(logins, name, count) / 1e6)
    for name in names:
        unit = _named(f"throughput of {amount.streams} sessions together", "MB/s", more_is_better=True)
        results.add(unit, name, _together(logins, name, data, amount.streams) / 1e6)
    for name in names:
        samples = _echo(logins, name, amount)
        for label, percent in (("p50", 50), ("p99", 99)):
            kind = f"echo {label}: {amount.typing} sessions type, {amount.flooding} flood"
            results.add(_named(kind, "ms", digits=2), name, percentile(samples, percent) * 1e3)
    measure_transfers(results, logins.host, amount.transfer)


def _named(name: str, unit: str, *, more_is_better: bool = False, digits: int = 1) -> Measure:
    return Measure(name, unit, more_is_better=more_is_better, digits=digits, group=_GROUP)


def _start(logins: Logins, name: str, times: int) -> float:
    """Seconds, in the middle, from starting the login shell to the first byte of what it runs."""
    samples = []
    for _ in range(times):
        with logins.terminal(name, _WAITING, _SECONDS) as terminal:
            terminal.read_until(START)
            samples.append(time.monotonic() - terminal.started)
            terminal.write(b"\n")
            terminal.finish()
    return median(samples)


def _memory(logins: Logins, name: str, count: int) -> float:
    with ExitStack() as stack:
        terminals = [stack.enter_context(logins.terminal(name, _WAITING, _SECONDS)) for _ in range(count)]
        for terminal in terminals:
            terminal.read_until(START)
        time.sleep(_SETTLE_SECONDS)
        found = logins.memory(name, terminals)
        for terminal in terminals:
            terminal.write(b"\n")
        for terminal in terminals:
            terminal.finish()
    return found / count


def _together(logins: Logins, name: str, data: Data, count: int) -> float:
    """Bytes a second of all sessions, from the first byte of the first to the last of the last."""
    text = f"printf {START.decode()}; read answer; {data.script}"
    with ExitStack() as stack:
        terminals = [stack.enter_context(logins.terminal(name, text, _SECONDS)) for _ in range(count)]
        for terminal in terminals:
            terminal.read_until(START)
        for terminal in terminals:
            terminal.write(b"\n")
        started = time.monotonic()
        _read_all({terminal.fd: data.shown for terminal in terminals})
        elapsed = time.monotonic() - started
        for terminal in terminals:
            terminal.write(b"\n")
        for terminal in terminals:
            terminal.finish()
    return data.shown * count / elapsed


def _read_all(wanted: dict[int, int]) -> None:
    """Read at least so many bytes from each descriptor; BenchError where one ends or nothing comes."""
    readable = select.poll()
    for fd in wanted:
        readable.register(fd, select.POLLIN)
    while wanted:
        ready = readable.poll(_SECONDS * 1000)
        if not ready:
            raise BenchError(f"{len(wanted)} sessions show less than was written")
        for fd, _ in ready:
            wanted[fd] -= _read_some(fd)
            if wanted[fd] <= 0:
                del wanted[fd]
                readable.unregister(fd)


def _read_some(fd: int) -> int:
    try:
        return len(os.read(fd, 65536))
    except OSError as error:  # EIO: nobody has the terminal open any more
        raise BenchError("a session ended early") from error


def _echo(logins: Logins, name: str, amount: Amount) -> list[float]:
    """Seconds from a key to its echo, of keys typed in turn while other sessions pour out text."""
    with ExitStack() as stack:
        terminals = [
            stack.enter_context(logins.terminal(name, _TYPED, _SECONDS)) for _ in range(amount.typing)
        ]
        for terminal in terminals:
            terminal.read_until(START)
        with _flooded(logins, name, amount.flooding):
            samples = [_key(terminal) for _ in range(amount.keys) for terminal in terminals]
    return samples


def _key(terminal: OuterTerminal) -> float:
    start = time.perf_counter()
    terminal.write(b"x")
    shown = terminal.read()
    if shown[:1] != b"x":
        raise BenchError(f"typed x, shown {shown!r}")
    return time.perf_counter() - start


@contextmanager
def _flooded(logins: Logins, name: str, count: int) -> Iterator[None]:
    """Sessions that pour out text, read by a process of its own."""
    with ExitStack() as stack:
        terminals = [stack.enter_context(logins.terminal(name, _FLOOD, _SECONDS)) for _ in range(count)]
        for terminal in terminals:
            terminal.read()
        reader = os.fork()
        if reader == 0:
            _read_for_ever([terminal.fd for terminal in terminals], os.getppid())
        try:
            yield
        finally:
            os.kill(reader, signal.SIGKILL)
            os.waitpid(reader, 0)


def _read_for_ever(fds: list[int], parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        while os.getppid() == parent:
            _read_all(dict.fromkeys(fds, 1 << 30))
    finally:
        os._exit(0)
