"""Runs the scenarios and prints how much was found: precision, recall, exact texts, and every miss."""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.accuracy.driver import Run, run
from tests.accuracy.measure import Score, score, total
from tests.accuracy.scenario import Scenario, load_all

Variant = tuple[Scenario, str, str]


def main() -> int:
    """Exit status 1 if the goal is missed."""
    options = _options()
    chosen = [
        one for one in load_all() if not options.names or any(name in one.name for name in options.names)
    ]
    variants = [
        (one, *pair) for one in chosen for pair in list(one.variants())[: 1 if options.quick else None]
    ]
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda variant: _measured(variant, options.keep), variants))
    by_scenario: dict[str, Score] = {}
    for (scenario, _, _), (result, _) in zip(variants, results, strict=True):
        by_scenario[scenario.name] = by_scenario.get(scenario.name, Score()) + result
    foreign = total(result for _, result in results)
    return _report(by_scenario, foreign, len(variants), options.goal)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/accuracy", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names of scenarios (all)")
    parser.add_argument("--quick", action="store_true", help="one size and one prompt each")
    parser.add_argument("--jobs", type=int, default=4, help="recordings at a time (4)")
    parser.add_argument("--keep", type=Path, help="a folder for the recordings and what was run")
    parser.add_argument("--goal", type=float, default=0.98, help="least precision and recall (0.98)")
    return parser.parse_args()


def _measured(variant: Variant, keep: Path | None) -> tuple[Score, Score]:
    """With the keys that the recorder tells, and without them."""
    scenario, size, prompt = variant
    try:
        result = run(scenario, size, prompt)
    except Exception as error:  # one broken run must not hide the others
        failed = Score(run=1, misses=[f"{scenario.name}.{size}.{prompt}: not recorded: {error!r:.200}"])
        return failed, Score(run=1)
    if keep is not None:
        _keep(result, keep)
    return score(result), score(result, keys=False)


def _keep(result: Run, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{result.name}.cast").write_bytes(result.recording)
    (folder / f"{result.name}.truth").write_text("\0".join(result.truth))


def _report(by_scenario: dict[str, Score], foreign: Score, runs: int, goal: float) -> int:
    write = sys.stdout.write
    write(f"{'scenario':36} {'run':>5} {'precision':>9} {'recall':>7} {'exact':>7}\n")
    for name, result in sorted(by_scenario.items()):
        write(_row(name, result))
    everything = total(by_scenario.values())
    for miss in everything.misses:
        write(f"  miss: {miss}\n")
    write(f"{len(by_scenario)} scenarios, {runs} recordings\n")
    write(_row("all", everything))
    write(_row("all, without the keys", foreign))
    return int(min(everything.precision, everything.recall) < goal)


def _row(name: str, result: Score) -> str:
    return f"{name:36} {result.run:5} {result.precision:9.3f} {result.recall:7.3f} {result.exact_rate:7.3f}\n"


if __name__ == "__main__":
    sys.exit(main())
