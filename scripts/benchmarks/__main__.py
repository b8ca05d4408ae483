"""Runs the benchmark: `python -m scripts.benchmarks`, or scripts/bench."""

import sys
from collections.abc import Callable, Iterator, Sequence

from scripts.benchmarks import (
    commands,
    daemon,
    daemon_subjects,
    latency,
    memory,
    options,
    report,
    search,
    startup,
    throughput,
    utmp,
    verification,
)
from scripts.benchmarks.contestants import Contestant, installed, versions
from scripts.benchmarks.data import Data, make_data
from scripts.benchmarks.errors import BenchError
from scripts.benchmarks.neighbours import neighbours
from scripts.benchmarks.options import Options
from scripts.benchmarks.results import OURS, Results
from scripts.benchmarks.runs import Runs, temporary_runs

_TLOG = "tlog-rec"
_TRIAL_BYTES = 1_000_000
Turn = Callable[[Results, Contestant], None]
_ALONE = {"verification", "commands"}
"""Subjects without other contestants."""
_FORMS = {"json": report.as_json, "markdown": report.as_markdown, "text": report.as_text}


def main(argv: Sequence[str]) -> int:
    """Measure and print; 1 where something could not be measured truly."""
    if argv[:1] == ["search"]:
        return search.main(argv[1:])
    wanted = options.parse(argv)
    if _TLOG in wanted.contestants and utmp.is_missing():
        utmp.enter_private_run(argv)
    try:
        sys.stdout.write(_run(wanted) + "\n")
    except BenchError as error:
        sys.stderr.write(f"scripts/bench: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(wanted: Options) -> str:
    results = Results()
    about = {**report.machine(), "rounds": wanted.rounds}
    with temporary_runs() as runs:
        contestants = [] if wanted.subjects <= _ALONE else list(_able(runs, wanted, results))
        about["versions"] = dict(versions(contestants))
        _rounds(runs, wanted, contestants, results)
        if "verification" in wanted.subjects:
            _verify(runs, wanted, results)
        if "commands" in wanted.subjects:
            _extract(wanted, results)
        if "daemon" in wanted.subjects:
            _logins(wanted, results)
    return _FORMS[wanted.form](results, about)


def _able(runs: Runs, wanted: Options, results: Results) -> Iterator[Contestant]:
    """Those that record a first session completely (a note for each that does not); it warms them up, too."""
    trial = make_data("screens", runs.store, _TRIAL_BYTES)
    for contestant in installed():
        if contestant.name not in wanted.contestants:
            continue
        _say(f"trying {contestant.name}")
        try:
            throughput.flow(runs, contestant, trial, check=True)
        except BenchError as error:
            if contestant.name == OURS:
                raise
            results.notes.append(f"{contestant.name} was not measured: {error}")
            continue
        yield contestant


def _rounds(runs: Runs, wanted: Options, contestants: list[Contestant], results: Results) -> None:
    idle, busy = _turns(runs, wanted)
    for number in range(wanted.rounds):
        _say(f"round {number + 1} of {wanted.rounds}")
        _one_round(idle, contestants, results)
        if busy:
            _say(f"round {number + 1}, busy")
            with neighbours(wanted.neighbours):
                _one_round(busy, contestants, results)


def _one_round(turns: list[Turn], contestants: list[Contestant], results: Results) -> None:
    for turn in turns:
        for contestant in contestants:
            try:
                turn(results, contestant)
            except BenchError as error:
                if contestant.name == OURS:
                    raise
                results.notes.append(f"a run of {contestant.name} was left out: {error}")


def _turns(runs: Runs, wanted: Options) -> tuple[list[Turn], list[Turn]]:
    """What every contestant does in each round, on the machine as it is and on a busy one."""
    subjects = wanted.subjects
    data = [make_data(name, runs.root, wanted.megabytes * 1_000_000) for name in ("bulk", "screens")]
    idle: list[Turn] = []
    if "throughput" in subjects:
        idle += [_throughput(runs, item, "idle") for item in data]
    if "echo" in subjects:
        idle.append(_echo(runs, wanted, "idle"))
    if "start" in subjects:
        idle.append(lambda results, contestant: startup.measure(results, runs, contestant))
    if "memory" in subjects:
        idle.append(lambda results, contestant: memory.measure(results, runs, contestant, wanted.sessions))
    busy: list[Turn] = []
    if "busy" in subjects and wanted.neighbours:
        busy += [_throughput(runs, data[0], "busy"), _echo(runs, wanted, "busy")]
    return idle, busy


def _throughput(runs: Runs, data: Data, where: str) -> Turn:
    return lambda results, contestant: throughput.measure(results, runs, contestant, data, where)


def _echo(runs: Runs, wanted: Options, where: str) -> Turn:
    return lambda results, contestant: latency.measure(results, runs, contestant, wanted.keys, where)


def _verify(runs: Runs, wanted: Options, results: Results) -> None:
    _say("verification")
    size = wanted.verified_megabytes * 1_000_000
    prepared = [verification.Prepared.make(name, runs.root, size) for name in verification.KINDS]
    for _ in range(wanted.rounds):
        for item in prepared:
            verification.measure(results, item)


def _extract(wanted: Options, results: Results) -> None:
    for number in range(wanted.rounds):
        _say(f"round {number + 1} of {wanted.rounds}, commands")
        commands.measure(results, wanted.extracted_megabytes * 1_000_000)


def _logins(wanted: Options, results: Results) -> None:
    """Over the daemon; a note where that cannot be."""
    amount = daemon_subjects.QUICK if wanted.quick else daemon_subjects.Amount()
    size = wanted.megabytes * 1_000_000 // amount.streams
    try:
        with daemon.logins() as logins:
            data = make_data("bulk", logins.host.base, size)
            for number in range(wanted.rounds):
                _say(f"round {number + 1} of {wanted.rounds}, over the daemon")
                names = daemon.contestants(wanted.contestants)
                daemon_subjects.measure(results, logins, names, data, amount)
    except BenchError as error:
        results.notes.append(str(error))


def _say(text: str) -> None:
    sys.stderr.write(f"scripts/bench: {text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
