"""The benchmark's command line."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.benchmarks.contestants import NAMES

SUBJECTS = ("throughput", "busy", "echo", "start", "memory", "verification", "commands", "daemon")

_DESCRIPTION = """\
Measures sealcast beside a bare terminal and those of script, ttyrec, tlog-rec and asciinema that are
installed: in interleaved rounds, with medians and ratios. docs/performance.md says what each figure is.
`scripts/bench search --help` tells how searches are measured.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure, how much of it, and how to show it."""

    rounds: int
    megabytes: int
    keys: int
    sessions: int
    verified_megabytes: int
    extracted_megabytes: int
    neighbours: int
    contestants: frozenset[str]
    subjects: frozenset[str]
    form: str
    quick: bool


def parse(argv: Sequence[str]) -> Options:
    """Options from a command line; ends the program for --help and for mistakes."""
    parser = _parser()
    given = parser.parse_args(argv)
    quick = bool(given.quick)
    only = frozenset(name.strip() for name in given.only.split(",")) if given.only else frozenset()
    unknown = only - set(NAMES) - set(SUBJECTS)
    if unknown:
        parser.error(f"--only: no {', '.join(sorted(unknown))}; there are {', '.join((*NAMES, *SUBJECTS))}")
    return Options(
        rounds=_default(given.rounds, 1 if quick else 5),
        megabytes=_default(given.size, 8 if quick else 200),
        keys=_default(given.keys, 200 if quick else 2000),
        sessions=2 if quick else 8,
        verified_megabytes=2 if quick else 64,
        extracted_megabytes=0 if quick else 4,
        neighbours=_default(given.busy, os.cpu_count() or 1),
        contestants=only & set(NAMES) or frozenset(NAMES),
        subjects=only & set(SUBJECTS) or frozenset(SUBJECTS),
        form=given.form,
        quick=quick,
    )


def _default(given: int | None, otherwise: int) -> int:
    return otherwise if given is None else given


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=_DESCRIPTION, allow_abbrev=False)
    numbers: dict[str, tuple[Any, str]] = {
        "--rounds": (_counted(1), "how often each contestant has its turn (5)"),
        "--size": (_counted(1), "megabytes of output in a throughput run (200)"),
        "--keys": (_counted(1), "typed bytes in an echo run (2000)"),
        "--busy": (
            _counted(0),
            "spinning processes in busy runs, 0 for no busy runs (one for each core)",
        ),
    }
    for name, (kind, text) in numbers.items():
        parser.add_argument(name, type=kind, metavar="N", help=text)
    names = ", ".join((*NAMES, *SUBJECTS))
    parser.add_argument("--only", metavar="NAME,…", help=f"only these contestants or subjects, of: {names}")
    parser.add_argument("--quick", action="store_true", help="one small round: does everything work?")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", help="everything as JSON")
    form.add_argument("--markdown", dest="form", action="store_const", const="markdown", help="one table")
    parser.set_defaults(form="text")
    return parser


def _counted(least: int) -> Any:  # noqa: ANN401 -- argparse's type of a type
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return number
