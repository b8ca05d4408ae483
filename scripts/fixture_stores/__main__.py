"""Builds fixture stores: `python -m scripts.fixture_stores`, or scripts/fixtures."""

import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from recorder.errors import SealcastError
from scripts.fixture_stores import big, demo, zoo
from scripts.fixture_stores.studio import Studio, in_memory

_DESCRIPTION = """\
Builds the stores that the acceptance list looks at, with the product's own recorder, notary and sealer, under
a clock that says 2026-09-12T15:00Z. Each becomes a directory DIR/NAME; look at it with --store DIR/NAME.
"""
_NAMES = {
    "empty": "a store without a recording",
    "demo": "one session: 17m41s, 15 commands, of which two fail, with long pauses",
    "zoo": "one session of each kind that makes trouble: bad, truncated, unsigned, hostile, long, …",
    "big": "100,000 sessions with 2 million commands, and their index",
}
_LONGEST_S = 1_000_000
_BYTES_EACH = 32 * 1024
"""Room for one session of `big` while it is built."""


def main(argv: Sequence[str]) -> int:
    """Build what is named; 1 where something could not be built."""
    given = _parser().parse_args(argv)
    try:
        for name in dict.fromkeys(given.names):
            _build(name, given)
        if given.live is not None:
            _go_live(given.out / "zoo", given.live)
    except OSError as error:
        sys.stderr.write(f"scripts/fixtures: cannot write {error.filename}: {error.strerror}\n")
        return 1
    except (SealcastError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"scripts/fixtures: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:6} {text}" for name, text in _NAMES.items())
    parser = argparse.ArgumentParser(
        prog="scripts/fixtures",
        description=f"{_DESCRIPTION}\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("names", nargs="+", choices=list(_NAMES), metavar="NAME", help="what to build")
    parser.add_argument("--out", type=Path, default=Path("fixtures"), metavar="DIR", help="where (fixtures)")
    parser.add_argument(
        "--sessions", type=_counted, default=big.SESSIONS, metavar="N", help="in big (100000)"
    )
    parser.add_argument("--no-index", dest="index", action="store_false", help="do not build big's index")
    parser.add_argument(
        "--live",
        type=_seconds,
        metavar="SECONDS",
        help="when all is built, be the recorder of a session in zoo for so long; 0 is until Ctrl-C",
    )
    return parser


def _counted(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to 10,000,000")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds from 0 to {_LONGEST_S:,}")
    return seconds


def _build(name: str, given: argparse.Namespace) -> None:
    root: Path = given.out / name
    if root.exists():
        raise SealcastError(f"{root} is there already: remove it, or name another place with --out")
    begun = time.monotonic()
    root.parent.mkdir(parents=True, exist_ok=True)
    if name == "empty":
        Studio(root, demo.HOST)
    elif name == "demo":
        demo.build(Studio(root, demo.HOST))
    elif name == "zoo":
        zoo.build(root)
    else:
        _build_big(root, given.sessions, given.index)
    _say(f"built {root} in {time.monotonic() - begun:.1f} s")


def _go_live(root: Path, seconds: float) -> None:
    if not root.exists():
        raise SealcastError(f"there is no {root} to record in: name zoo, too")
    zoo.go_live(root, seconds, _say)


def _build_big(root: Path, sessions: int, index: bool) -> None:
    with _workshop(root, sessions * _BYTES_EACH) as workshop:
        begun = time.monotonic()
        big.build(workshop, sessions, _progress(sessions, begun))
        _say(f"recorded {sessions:,} sessions in {time.monotonic() - begun:.1f} s")
        if index:
            _index(workshop)


@contextmanager
def _workshop(root: Path, room: int) -> Iterator[Path]:
    """Where `root` is built: in memory, where there is room. There the syncs of each session cost nothing."""
    memory = in_memory(room)
    if memory is None or root.absolute().is_relative_to(memory):
        yield root
        return
    folder = Path(tempfile.mkdtemp(prefix="sealcast-fixtures-", dir=memory))
    try:
        yield folder / root.name
        begun = time.monotonic()
        shutil.copytree(folder / root.name, root, symlinks=True)
        os.sync()
        _say(f"copied it to {root} in {time.monotonic() - begun:.1f} s")
    finally:
        shutil.rmtree(folder)


def _index(root: Path) -> None:
    begun = time.monotonic()
    command = [sys.executable, "-P", "-m", "recorder.cli", "--store", str(root), "index", "build", "--output"]
    subprocess.run(command, check=True)
    _say(f"built its index in {time.monotonic() - begun:.1f} s")


def _progress(total: int, begun: float) -> Callable[[int], None]:
    """One line per tenth of the work."""
    tenths = 0

    def said(done: int) -> None:
        nonlocal tenths
        if done * 10 // total > tenths:
            tenths = done * 10 // total
            rate = done / (time.monotonic() - begun)
            _say(f"{done:,} of {total:,} sessions, {rate:,.0f} in a second")

    return said


def _say(text: str) -> None:
    sys.stderr.write(f"scripts/fixtures: {text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
