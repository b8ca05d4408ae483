"""How long a typed byte takes to the program and back to the screen."""

import time

from scripts.benchmarks.contestants import Contestant
from scripts.benchmarks.data import START
from scripts.benchmarks.errors import BenchError
from scripts.benchmarks.results import Measure, Results
from scripts.benchmarks.runs import Runs
from scripts.benchmarks.statistics import percentile
from scripts.benchmarks.terminal import OuterTerminal

_WARM_UP = 200
_PAUSE_SECONDS = 0.001
"""Between two keys: nobody types the next byte the moment the last one is shown."""
_SECONDS_PER_KEY = 0.05


def measure(results: Results, runs: Runs, contestant: Contestant, keys: int, where: str) -> None:
    """One round of `keys` samples on a machine that is `where`."""
    samples = echo_times(runs, contestant, keys)
    for name, percent in (("p50", 50), ("p99", 99)):
        unit = Measure(f"echo {name}: {where}", "µs", digits=0)
        results.add(unit, contestant.name, percentile(samples, percent) * 1e6)


def echo_times(runs: Runs, contestant: Contestant, keys: int) -> list[float]:
    """Seconds from writing a byte to the outer terminal until it can be read there.

    The recorded program has the terminal in raw mode, and writes each byte it reads.
    """
    total = keys + _WARM_UP
    text = f"stty raw -echo; printf {START.decode()}; exec dd bs=1 count={total + 1} status=none"
    with (
        runs.folder(contestant) as folder,
        runs.terminal(contestant, text, folder, 60 + total * _SECONDS_PER_KEY) as terminal,
    ):
        if terminal.read_until(START):
            raise BenchError(f"{contestant.name} shows more than was written")
        times = [_echo(terminal) for _ in range(total)]
        terminal.write(b"x")  # ends the program; not every recorder shows what comes with the end
        terminal.finish()
    return times[_WARM_UP:]


def _echo(terminal: OuterTerminal) -> float:
    time.sleep(_PAUSE_SECONDS)
    start = time.perf_counter()
    terminal.write(b"x")
    shown = terminal.read()
    elapsed = time.perf_counter() - start
    if shown[:1] != b"x":
        raise BenchError(f"typed x, shown {shown!r}")
    return elapsed
