"""Measures searches over a store: `scripts/bench search --store DIR`, best with the fixture store `big`.

Each query is asked of the index by the product's own code until its first page is there, warm and cold (the
index thrown out of the page cache before). Beside it, in the same rounds: what people would use otherwise,
zstdcat and grep, or rg, over the recordings of the same store. They see bytes, and tell neither who nor when.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from recorder.errors import SealcastError
from recorder.index.database import NAME, open_index
from recorder.index.query import Scope, parse
from recorder.index.search import Search
from scripts.benchmarks import report
from scripts.benchmarks.statistics import percentile

_NOW = datetime(2026, 9, 12, 15, 0, tzinfo=UTC)
"""When the fixture stores are looked at."""


@dataclass(frozen=True, slots=True)
class Case:
    """A query of some kind, with the goal for its first page in milliseconds, and grep's pattern for it."""

    kind: str
    query: str
    goal_ms: int
    grep: str = ""


CASES = (
    Case("selective word", "cmd:d4c5b7", 50, "d4c5b7"),
    Case("selective word and facts", "user:alice host:web-2* cmd:chown", 50),
    Case("substring", "cmd:heckout-a1b", 300, "heckout-a1b"),
    Case("pattern", r"cmd:/images-[0-9a-f]{6}77/", 300, r"images-[0-9a-f]{6}77"),
    Case("pattern without a word", "cmd:/x[0-9]y/", 300, "x[0-9]y"),
    Case("one letter", "cmd:a", 100),
    Case("unselective word", "cmd:kubectl", 100, "kubectl"),
    Case("unselective, or output", "error", 100),
    Case("same command, rare", "cmd:kubectl exit:137", 300),
    Case("in order", "cmd:psql THEN cmd:ssh THEN cmd:vi", 300),
    Case("output, selective word", "out:deadbeef", 200, "deadbeef"),
    Case("output, common word", "out:error", 200, "ERROR"),
    Case("output, rare word", "out:lambdas", 200, "[Ll]ambdas"),
    Case("output, phrase", 'out:"does not exist"', 200, "does not exist"),
    Case("output, pattern", "out:/Lamb[a-z]as/", 200, "Lamb[a-z]as"),
)


@dataclass(slots=True)
class Figures:
    """Milliseconds of one case."""

    warm: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    grep: list[float] = field(default_factory=list)
    matches: int = 0
    """On the first page."""


def main(argv: Sequence[str]) -> int:
    """Measure and print; 1 where there is no index to measure."""
    given = _parser().parse_args(argv)
    try:
        figures = _measure(given.store, given.rounds, given.page, greps=given.grep)
    except SealcastError as error:
        sys.stderr.write(f"scripts/bench search: {error.message}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    sys.stdout.write((_as_json if given.json else _as_markdown)(figures, given.store) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench search", description=(__doc__ or "").partition("\n\n")[2], allow_abbrev=False
    )
    parser.add_argument("--store", type=Path, required=True, metavar="DIR", help="the store, with its index")
    parser.add_argument(
        "--rounds", type=int, default=7, metavar="N", help="how often each query is asked (7)"
    )
    parser.add_argument(
        "--page", type=int, default=20, metavar="N", help="matches that are a first page (20)"
    )
    parser.add_argument(
        "--no-grep", dest="grep", action="store_false", help="without the run over all recordings"
    )
    parser.add_argument("--json", action="store_true", help="every sample, as JSON")
    return parser


def _measure(store: Path, rounds: int, page: int, *, greps: bool) -> dict[str, Figures]:
    figures = {case.kind: Figures() for case in CASES}
    index = store / NAME
    open_index(index).close()
    for number in range(rounds):
        sys.stderr.write(f"scripts/bench search: round {number + 1} of {rounds}\n")
        for case in CASES:
            _forget(index)
            found, took = _first_page(index, case.query, page)
            figures[case.kind].cold.append(took)
            figures[case.kind].matches = found
            figures[case.kind].warm.append(_first_page(index, case.query, page)[1])
            if greps and case.grep and number == 0 and (store / "sealed").exists():
                figures[case.kind].grep.append(_grep(store, case.grep))
    return figures


def _forget(path: Path) -> None:
    """Out of the page cache, as far as the kernel lets go of it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _first_page(index: Path, query: str, page: int) -> tuple[int, float]:
    """Matches with all that is shown of them, and the milliseconds from opening the index on."""
    begun = time.perf_counter()
    connection = open_index(index)
    try:
        search = Search(connection, parse(query, _NOW, scope=Scope.MOMENTS), lambda _: "verified")
        found = 0
        for match in islice(search.matches(), page):
            search.matching_lines(match)
            search.moment_s(match)
            found += 1
        return found, (time.perf_counter() - begun) * 1000
    finally:
        connection.close()


def _grep(store: Path, pattern: str) -> float:
    """Milliseconds until all recordings are gone through: nothing tells it where the newest match is."""
    searcher = ["rg", "-c"] if shutil.which("rg") else ["grep", "-cE"]
    line = 'find "$1" -name "*.cast.zst" -print0 | xargs -0 zstdcat | "$2" "$3" -e "$4"'
    begun = time.perf_counter()
    command = ["/bin/sh", "-c", line, "sh", str(store / "sealed"), *searcher, pattern]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)  # noqa: S603  a command of our own
    return (time.perf_counter() - begun) * 1000


def _as_json(figures: dict[str, Figures], store: Path) -> str:
    cases = {
        case.kind: {"query": case.query, "goal_ms": case.goal_ms}
        | {name: getattr(figures[case.kind], name) for name in Figures.__slots__}
        for case in CASES
    }
    return json.dumps({"machine": report.machine(), "store": _about(store), "cases": cases}, indent=1)


def _about(store: Path) -> dict[str, int]:
    connection = open_index(store / NAME)
    try:
        counts = {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608  names of ours
            for name in ("sessions", "commands")
        }
        text = connection.execute("SELECT coalesce(sum(size), 0) FROM output_blocks").fetchone()[0]
    finally:
        connection.close()
    return counts | {"output_bytes": text, "index_bytes": (store / NAME).stat().st_size}


def _as_markdown(figures: dict[str, Figures], store: Path) -> str:
    about = _about(store)
    lines = [
        f"{about['sessions']:,} sessions, {about['commands']:,} commands, "
        f"{about['output_bytes'] / 1e6:,.0f} MB of output, index {about['index_bytes'] / 1e6:,.0f} MB; "
        "milliseconds to the first page.",
        "",
        "| what | query | goal | warm p50 | warm p95 | cold p50 | cold p95 | zstdcat and grep, all |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    return "\n".join([*lines, *(_row(case, figures[case.kind]) for case in CASES)])


def _row(case: Case, measured: Figures) -> str:
    query = case.query.replace("|", "\\|")
    cells = (
        case.kind,
        f"`{query}`",
        f"< {case.goal_ms}",
        f"**{_figure(measured.warm, 50)}**",
        _figure(measured.warm, 95),
        _figure(measured.cold, 50),
        _figure(measured.cold, 95),
        _figure(measured.grep, 50),
    )
    return f"| {' | '.join(cells)} |"


def _figure(samples: list[float], percent: float) -> str:
    return f"{percentile(samples, percent):,.1f}" if samples else ""
