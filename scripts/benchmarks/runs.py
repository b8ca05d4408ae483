"""One run of one contestant: a fresh folder, an outer terminal, and nothing left behind."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from scripts.benchmarks.contestants import Contestant, copy_store, environment, make_store
from scripts.benchmarks.results import OURS
from scripts.benchmarks.terminal import OuterTerminal

_MARK = "SEALCAST_BENCH"


@dataclass(slots=True)
class Runs:
    """Makes runs in folders below `root`."""

    root: Path
    store: Path = field(init=False)
    _number: int = 0

    def __post_init__(self) -> None:
        self.store = self.root / "first"
        self.store.mkdir()
        make_store(self.store)

    @contextmanager
    def folder(self, contestant: Contestant) -> Iterator[Path]:
        """A place for one recording; the disk has nothing left to write when it is handed out."""
        self._number += 1
        folder = self.root / f"run{self._number}"
        folder.mkdir()
        try:
            if contestant.name == OURS:
                copy_store(self.store, folder)
            os.sync()
            yield folder
        finally:
            shutil.rmtree(folder)

    @contextmanager
    def terminal(
        self, contestant: Contestant, text: str, folder: Path, seconds: float
    ) -> Iterator[OuterTerminal]:
        """`text`, for `sh -c`, recorded by the contestant."""
        mark = (_MARK, str(folder))
        argv = contestant.command(text, folder)
        with OuterTerminal(argv, environment(folder), mark, seconds) as terminal:
            yield terminal


@contextmanager
def temporary_runs() -> Iterator[Runs]:
    """Runs in a temporary directory that is removed."""
    with tempfile.TemporaryDirectory(prefix="sealcast-bench-") as root:
        yield Runs(Path(root))
