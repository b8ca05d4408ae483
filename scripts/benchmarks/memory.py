"""What a recorder holds in memory while a session idles."""

import time
from contextlib import ExitStack

from scripts.benchmarks.contestants import BARE, Contestant
from scripts.benchmarks.data import START
from scripts.benchmarks.processes import members, proportional_memory
from scripts.benchmarks.results import Measure, Results
from scripts.benchmarks.runs import Runs

_SECONDS = 60.0
_SETTLE_SECONDS = 1.5
"""A recording is sealed a second after its last byte; what that takes belongs to an idle session."""
_TEXT = f"printf {START.decode()}; read answer"


def measure(results: Results, runs: Runs, contestant: Contestant, sessions: int) -> None:
    """One round: PSS per session, of `sessions` at the same time, without what they record."""
    if contestant.name == BARE:
        return
    with ExitStack() as stack:
        terminals = []
        for _ in range(sessions):
            folder = stack.enter_context(runs.folder(contestant))
            terminals.append(stack.enter_context(runs.terminal(contestant, _TEXT, folder, _SECONDS)))
        for terminal in terminals:
            terminal.read_until(START)
        time.sleep(_SETTLE_SECONDS)
        pids = [pid for terminal in terminals for pid in members(terminal.pid)]
        total = sum(proportional_memory(pid) for pid in pids)
        for terminal in terminals:
            terminal.write(b"\n")
            terminal.finish()
    unit = Measure(f"memory per session (PSS, {sessions} at once)", "MB", digits=2)
    results.add(unit, contestant.name, total / sessions / 1e6)
