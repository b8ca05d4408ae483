"""How long it takes until a command's first byte is shown, and until the prompt is back."""

import time

from scripts.benchmarks.contestants import Contestant
from scripts.benchmarks.data import START
from scripts.benchmarks.results import Measure, Results
from scripts.benchmarks.runs import Runs

_SECONDS = 60.0
FIRST_BYTE = Measure("start to first byte", "ms")
WHOLE_RUN = Measure("run of true", "ms")


def measure(results: Results, runs: Runs, contestant: Contestant) -> None:
    """One round."""
    with runs.folder(contestant) as folder:
        text = f"printf {START.decode()}; read answer"
        with runs.terminal(contestant, text, folder, _SECONDS) as terminal:
            terminal.read_until(START)
            elapsed = time.monotonic() - terminal.started
            terminal.write(b"\n")
            terminal.finish()
    results.add(FIRST_BYTE, contestant.name, elapsed * 1e3)
    with runs.folder(contestant) as folder:
        with runs.terminal(contestant, "true", folder, _SECONDS) as terminal:
            terminal.finish()
        results.add(WHOLE_RUN, contestant.name, (terminal.ended - terminal.started) * 1e3)
