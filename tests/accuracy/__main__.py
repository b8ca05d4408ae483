"""Runs the scenarios and prints how much was found: precision, recall, exact texts, and every miss."""

import argparse
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

from tests.accuracy.driver import Run, run
from tests.accuracy.measure import Score, score
from tests.accuracy.scenario import Scenario, load_all

Variant = tuple[Scenario, str, str]


@dataclass
class Scores:
    """Of the same recordings: by the screen, with the shell's marks, and as if nobody had told the keys."""

    screen: Score = field(default_factory=Score)
    marks: Score = field(default_factory=Score)
    keyless: Score = field(default_factory=Score)
    recordings: int = 0

    def __add__(self, other: "Scores") -> "Scores":
        return Scores(
            self.screen + other.screen,
            self.marks + other.marks,
            self.keyless + other.keyless,
            self.recordings + other.recordings,
        )


def main() -> int:
    """Exit status 1 if a goal is missed."""
    options = _options()
    chosen = [
        one for one in load_all() if not options.names or any(name in one.name for name in options.names)
    ]
    variants = [
        (one, *pair) for one in chosen for pair in list(one.variants())[: 1 if options.quick else None]
    ]
    with ProcessPoolExecutor(options.jobs, get_context("fork")) as pool:  # no threads: each forks
        results = list(pool.map(_measured, variants, repeat(options)))
    pairs = [(scenario, result) for (scenario, _, _), result in zip(variants, results, strict=True)]
    _report_scenarios(_grouped((one.name, result) for one, result in pairs))
    programs = _grouped((one.remote_program, result) for one, result in pairs)
    everything = sum(results, Scores())
    _report_programs({**programs, "**all**": everything})
    return int(
        min(everything.screen.precision, everything.screen.recall) < options.goal
        or min(everything.marks.precision, everything.marks.recall) < options.marks_goal
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/accuracy", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names of scenarios (all)")
    parser.add_argument("--quick", action="store_true", help="one size and one prompt each")
    parser.add_argument("--jobs", type=int, default=4, help="recordings at a time (4)")
    parser.add_argument("--keep", type=Path, help="a folder for the recordings and what was run")
    parser.add_argument("--again", type=Path, help="judge what was kept in a folder, and record nothing")
    parser.add_argument("--goal", type=float, default=0.98, help="least precision and recall (0.98)")
    parser.add_argument("--marks-goal", type=float, default=0.995, help="the same with marks (0.995)")
    return parser.parse_args()


def _measured(variant: Variant, options: argparse.Namespace) -> Scores:
    scenario, size, prompt = variant
    try:
        result = _kept(variant, options.again) if options.again else run(scenario, size, prompt)
    except Exception as error:  # one broken run must not hide the others
        miss = f"{scenario.name}.{size}.{prompt}: not recorded: {error!r:.900}"
        return Scores(Score(run=1, misses=[miss]), Score(run=1, misses=[miss]), Score(run=1), 1)
    if options.keep is not None:
        _keep(result, options.keep)
    return Scores(score(result), score(result, marks=True), score(result, keys=False), 1)


def _keep(result: Run, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{result.name}.cast").write_bytes(result.recording)
    (folder / f"{result.name}.truth").write_text("\0".join(result.truth))


def _kept(variant: Variant, folder: Path) -> Run:
    run = Run(*variant, b"", [])
    texts = (folder / f"{run.name}.truth").read_text()
    recording = (folder / f"{run.name}.cast").read_bytes()
    return replace(run, recording=recording, truth=texts.split("\0") if texts else [])


def _grouped(results: Iterable[tuple[str, Scores]]) -> dict[str, Scores]:
    groups: dict[str, Scores] = {}
    for name, result in results:
        groups[name] = groups.get(name, Scores()) + result
    return dict(sorted(groups.items()))


def _report_scenarios(by_scenario: dict[str, Scores]) -> None:
    write = sys.stdout.write
    write(f"{'':36} {'':>5} {'screen alone':^25} {'with marks':^25}\n")
    titles = f"{'precision':>9} {'recall':>7} {'exact':>7}"
    write(f"{'scenario':36} {'run':>5} {titles} {titles}\n")
    for name, one in by_scenario.items():
        write(f"{name:36} {one.screen.run:5} {_rates(one.screen)} {_rates(one.marks)}\n")
    for one in by_scenario.values():
        for miss in one.screen.misses:
            write(f"  miss on the screen: {miss}\n")
        for miss in one.marks.misses:
            write(f"  miss with marks: {miss}\n")


def _rates(one: Score) -> str:
    return f"{one.precision:9.3f} {one.recall:7.3f} {one.exact_rate:7.3f}"


def _report_programs(by_program: dict[str, Scores]) -> None:
    """The table of docs/extraction.md."""
    write = sys.stdout.write
    write("\n| program | recordings | commands | screen | with marks | without `K` |\n")
    write("|---|---|---|---|---|---|\n")
    for name, one in by_program.items():
        cells = [" / ".join(f"{rate:.4f}" for rate in _three(score)) for score in (one.screen, one.marks)]
        cells.append(" / ".join(f"{rate:.4f}" for rate in _three(one.keyless)[:2]))
        write(f"| {name} | {one.recordings} | {one.screen.run} | {' | '.join(cells)} |\n")


def _three(one: Score) -> tuple[float, float, float]:
    return one.precision, one.recall, one.exact_rate


if __name__ == "__main__":
    sys.exit(main())
