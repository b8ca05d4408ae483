"""A recording named on a command line: found, opened, and checked before it is shown."""

from dataclasses import dataclass
from typing import BinaryIO

from recorder.cast.header import Header
from recorder.cli.progress import Progress
from recorder.cli.settings import Settings
from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe
from recorder.store.checking import Verdict, check
from recorder.store.layout import Store
from recorder.store.reading import open_file, open_stored
from recorder.store.state import State
from recorder.store.targets import Target


@dataclass(frozen=True, slots=True)
class Names:
    """How a recording is called: `short` for people, `full` where it can be used again."""

    short: str
    full: str


def names_of(target: Target) -> Names:
    if target.session is not None:
        return Names(safe(target.session.id.rpartition("-")[2]), safe(target.session.id))
    path = safe(str(target.path))
    return Names(path, path)


def open_target(target: Target) -> BinaryIO:
    """The text of the recording; an error that says so where its file is gone."""
    if target.path is None:
        message = f"the recording {names_of(target).full} has no file"
        hint = f"what the log says about it: sealcast show {names_of(target).short}"
        raise SealcastError(message, hint, ExitCode.TARGET)
    return open_file(target.path) if target.session is None else open_stored(target.path)


def check_before_showing(store: Store, target: Target, settings: Settings) -> Verdict:
    """Verifies, and says on stderr what is wrong before anything of the recording is shown."""
    size = target.session.size_bytes if target.session is not None else None
    with Progress("verifying", size or 0, settings, unit="bytes") as progress:
        verdict = check(store, target, progress.update)
    if verdict.state is not State.VERIFIED:
        settings.note(f"{verdict.state.sign} {verdict.word}: {safe(verdict.integrity)}")
        if verdict.completeness != verdict.integrity:
            settings.note(f"  {safe(verdict.completeness)}")
    return verdict


def is_without_terminal(header: Header) -> bool:
    """A session of pipes: no terminal turned its line feeds into line ends, so whoever shows it has to."""
    return header.session is not None and header.session.terminal == (0, 0)
