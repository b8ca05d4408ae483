"""The search index of a store, as commands use it: opened for reading, brought up to date first."""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property

import click

from recorder.cli.progress import Progress
from recorder.cli.settings import Settings
from recorder.errors import ExitCode, SealcastError
from recorder.index.database import NAME, damage_told, is_written, open_index
from recorder.index.facts import read_facts
from recorder.index.indexing import Wish, build
from recorder.index.sessions import SessionLog, continues, file_state, ids_in_log
from recorder.store.catalog import Files, Session
from recorder.store.checking import Checker
from recorder.store.layout import Store
from recorder.store.state import State
from recorder.store.verdict import Verdict

_FEW = 200
_FEW_BYTES = 64 * 1024 * 1024
"""Up to so many recordings, of so many bytes together, are indexed without being asked for: seconds."""

_FOLLOWED = 20_000
"""In stores of up to so many sessions a search reads again what is being recorded: a pass takes 0.2 s."""

_TAKEN_IN = "SELECT id FROM sessions WHERE extractor > 0 AND NOT live"

update_option = click.option(
    "--update/--no-update",
    default=None,
    help="Index what is new first, always or never; unasked where it is little or you can watch it.",
)


def has_index(store: Store) -> bool:
    return (store.root / NAME).exists()


@contextmanager
def indexed(
    store: Store, settings: Settings, *, update: bool | None, lacks: Callable[[str], object] = bool
) -> Iterator[sqlite3.Connection]:
    """A connection to the store's index, after it was brought up to date where `update` says so.

    Unasked (None), that happens where little is missing, or where somebody at a terminal sees how it goes
    on. What is missing after that is told, and handed to `lacks`. `SealcastError` where there is no index
    to read.
    """
    with damage_told():
        missing = _missing(store)
    if (
        missing
        and _is_wanted(store, missing, update, settings)
        and _bring_up_to_date(store, missing, settings)
    ):
        missing = {}
    connection = open_index(store.root / NAME)
    try:
        if missing:
            count = len(missing)
            said = f"{count:,} {_sessions(count)} not indexed"
            lacks(said)
            settings.note(f"{said}: sealcast index build")
        with damage_told():
            yield connection
    finally:
        connection.close()


def _missing(store: Store) -> Mapping[str, int]:
    """The sessions that began or ended since the index was made, and those that go on; bytes by ids."""
    if not store.exists():
        return {}
    if not has_index(store):
        return _all_sessions(store)
    with closing(open_index(store.root / NAME)) as connection:
        facts = read_facts(connection)
        (count,) = connection.execute("SELECT count(*) FROM sessions").fetchone()
        known = set() if facts.whole else {row[0] for row in connection.execute(_TAKEN_IN)}
    if not continues(store.log, facts.log_size, facts.log_root):
        return _all_sessions(store)
    passed_over = {} if facts.whole else _sizes(store, set(ids_in_log(store)) - known)
    live = _live(store) if count <= _FOLLOWED and not is_written(store.root) else {}
    if facts.log_size == store.log.checkpoint().size:
        return passed_over | live
    there = set() if facts.log_size else known  # by a build that was never finished
    news = SessionLog(store, facts.log_size).read()
    ended = (session for session in news if not session.live and session.id not in there)
    return passed_over | live | {session.id: session.size_bytes or 0 for session in ended}


def _all_sessions(store: Store) -> dict[str, int]:
    """The log is read a stretch at a time."""
    files, log = Files.of(store), SessionLog(store)
    known = {session.id: session.size_bytes or 0 for session in log.read(files)}
    return {session.id: 0 for session in log.strangers(known, files)} | known | _live(store)


def _live(store: Store) -> dict[str, int]:
    """What is being recorded."""
    return _sizes(store, filter(store.is_live, store.live_ids()))


def _sizes(store: Store, ids: Iterable[str]) -> dict[str, int]:
    """Of the files."""
    found = ((one, file_state(store.live_path(one)) or file_state(store.sealed_path(one))) for one in ids)
    return {one: state.size if state is not None else 0 for one, state in found}


def _is_wanted(store: Store, missing: Mapping[str, int], update: bool | None, settings: Settings) -> bool:
    if update is not None:
        return update
    if is_written(store.root):
        return False  # by the indexer of a bastion, or by a build: either comes to what is missing
    is_little = len(missing) <= _FEW and sum(missing.values()) <= _FEW_BYTES
    return is_little or (sys.stderr.isatty() and settings.verbosity >= 0)


def _bring_up_to_date(store: Store, missing: Mapping[str, int], settings: Settings) -> bool:
    """Whether it is; what stands in the way is told, and the search goes on with what there is."""
    if len(missing) > _FEW:
        settings.note(f"indexing {len(missing):,} sessions first; --no-update searches what is indexed")
    wish = Wish(with_output=not has_index(store), jobs=os.cpu_count() or 1)
    try:
        with Progress("indexing", 0 if has_index(store) else len(missing), settings) as progress:
            build(store, wish, lambda done, _total: progress.update(done))
    except SealcastError as error:
        if not has_index(store) or error.code is ExitCode.FORMAT:
            raise
        settings.note(f"the index is not brought up to date: {error.message}")
        return False
    return True


def _sessions(count: int) -> str:
    return "session is" if count == 1 else "sessions are"


class States:
    """The check states of sessions, each verified when it is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.verdicts: dict[str, Verdict] = {}

    @cached_property
    def _checker(self) -> Checker:
        return Checker(self._store)

    @cached_property
    def _sessions(self) -> dict[str, Session]:
        return {session.id: session for session in self._checker.sessions}

    def __call__(self, session_id: str) -> str:
        session = self._sessions.get(session_id)
        if session is None:
            return str(State.MISSING)
        verdict = self._checker.verdict_of(session)
        self.verdicts[session_id] = verdict
        return str(verdict.state)
