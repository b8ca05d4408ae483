"""How fast output passes a recorded terminal, how long the end takes, and how large the recording is."""

import time
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarks.contestants import BARE, Contestant
from scripts.benchmarks.data import END, START, Data
from scripts.benchmarks.errors import BenchError
from scripts.benchmarks.recordings import digest
from scripts.benchmarks.results import Measure, Results
from scripts.benchmarks.runs import Runs

_SLOWEST = 1e6
"""Bytes per second; who is slower is stopped."""
_GRACE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Flow:
    """One run: seconds from the first byte shown to the last, from there to the end, and bytes in files."""

    seconds: float
    ending: float
    live: int
    stored: int


def flow(runs: Runs, contestant: Contestant, data: Data, *, check: bool) -> Flow:
    """Show `data`; with `check` the recording is read back and must hold every byte (BenchError)."""
    with runs.folder(contestant) as folder:
        seconds = data.shown / _SLOWEST + _GRACE_SECONDS
        with runs.terminal(contestant, data.script, folder, seconds) as terminal:
            came = terminal.read_until(START)
            first = time.monotonic()
            rest = terminal.skip(data.shown - len(came)) if len(came) < data.shown else came[data.shown :]
            last = time.monotonic()
            live = contestant.size(folder, live=True)
            if rest + terminal.read_exactly(len(END) - len(rest)) != END:
                raise BenchError(f"{contestant.name} showed something else than was written")
            terminal.write(b"\n")
            terminal.finish()
        if check and contestant.name != BARE:
            check_recording(contestant, folder, data)
        return Flow(last - first, terminal.ended - last, live, contestant.size(folder))


def check_recording(contestant: Contestant, folder: Path, data: Data) -> None:
    """Every byte that was shown must be in the recording (BenchError)."""
    files = [path for path in contestant.files(folder) if path.suffix != ".sig"]
    if len(files) != 1:
        raise BenchError(f"{contestant.name} left {len(files)} recordings")
    if digest(contestant.output(files[0])) != data.digest:
        raise BenchError(f"{contestant.name}: the recording is not what was shown")


def measure(results: Results, runs: Runs, contestant: Contestant, data: Data, where: str) -> None:
    """One round on a machine that is `where`: `idle` or `busy`."""
    kind = f"{data.name}, {where}"
    first = contestant.name not in results.samples.get(_speed(kind), {})
    found = flow(runs, contestant, data, check=first)
    results.add(_speed(kind), contestant.name, data.shown / found.seconds / 1e6)
    results.add(Measure(f"end: {kind}", "s", digits=2), contestant.name, found.ending)
    if where == "idle" and contestant.name != BARE:
        live, stored = (part / data.shown for part in (found.live, found.stored))
        unit = "bytes per byte of output"
        results.add(Measure(f"size live: {data.name}", unit, digits=3), contestant.name, live)
        results.add(Measure(f"size finished: {data.name}", unit, digits=3), contestant.name, stored)


def _speed(kind: str) -> Measure:
    return Measure(f"throughput: {kind}", "MB/s", more_is_better=True)
