"""What is to be done is told from what is new, and is what a look at the whole log and every file tells."""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from recorder.index.changes import Comparison, Kind
from recorder.index.database import NAME
from recorder.index.indexing import Building, Wish, build, rebuild
from recorder.index.status import status_of
from recorder.index.workers import Pool
from recorder.index.writing import IndexWriter
from recorder.log.journal import Log
from recorder.store.importing import Importer, Source
from recorder.store.layout import Store
from recorder.store.sealing import seal_orphans
from tests.index.recorded import ALONE, check_whole, record, rows, texts
from tests.store.recordings import Worker
from tests.store.test_importing import take, ttyrec

Change = Callable[[Store, list[str]], object]


def changes(store: Store, *, with_output: bool = True) -> dict[str, Kind]:
    """Kinds by ids."""
    comparison = Comparison(store, store.root / NAME, with_output=with_output)
    return {change.id: change.kind for change in comparison.changes()}


def execute(path: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql, values)


def set_fact(store: Store, key: str, value: str) -> None:
    execute(store.root / NAME, "UPDATE meta SET value = ? WHERE key = ?", value, key)


def content(path: Path) -> list[list[tuple[Any, ...]]]:
    """Everything that an index says, but for when it was made and the numbers of rows."""
    sessions = f"SELECT {_COLUMNS} FROM sessions ORDER BY id"
    commands = """SELECT s.id, c.ordinal, c.start, c.text, c.exit_status FROM commands c
        JOIN sessions s ON s.key = c.session ORDER BY 1, 2"""
    output = """SELECT s.id, sum(o.size) FROM output_blocks o JOIN sessions s ON s.key = o.session
        GROUP BY s.id ORDER BY 1"""
    broken = "SELECT id, file, file_size, reason FROM broken ORDER BY id"
    with closing(sqlite3.connect(path)) as connection:
        return [connection.execute(sql).fetchall() for sql in (sessions, commands, output, broken)]


_COLUMNS = """id, number, user, uid, host, origin, source_ip, title, reason, command, started, ended,
    duration, active, columns, rows, state, exit_status, command_count, failed_count, last_command, live,
    file, file_size, file_mtime, skipped_lines, has_output, extractor, text_size"""


def content_of_the_log(store: Store) -> list[list[tuple[Any, ...]]]:
    """The same of an index that is made from the beginning."""
    path = store.root / "other.db"
    with IndexWriter(path) as writer, Pool(1) as pool:
        Building(store, writer, pool, ALONE).run(path, lambda _done, _total: None)
    found = content(path)
    for item in store.root.glob("other.db*"):
        item.unlink()
    return found


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The places from which the log was read on."""
    found: list[int] = []
    entries = Log.entries

    def noted(log: Log, start: int, end: int) -> object:
        found.append(start)
        return entries(log, start, end)

    monkeypatch.setattr(Log, "entries", noted)
    return found


def _touch(store: Store, ids: list[str]) -> None:
    os.utime(store.sealed_path(ids[0]), (1, 1))


def _remove(store: Store, ids: list[str]) -> None:
    store.sealed_path(ids[1]).unlink()


def _record(store: Store, _ids: list[str]) -> None:
    record(store, [("true", "")])


def _make_old(store: Store, _ids: list[str]) -> None:
    execute(store.root / NAME, "UPDATE sessions SET extractor = 1 WHERE key = 2")


def _leave_half(store: Store, _ids: list[str]) -> None:
    execute(store.root / NAME, "UPDATE sessions SET extractor = 0 WHERE key = 3")


def _stranger(store: Store, ids: list[str]) -> None:
    strange = f"20260101T000000-{ids[0][-8:]}"
    shutil.copy(store.sealed_path(ids[0]), store.make_sealed_directory(strange) / f"{strange}.cast.zst")


def _misplace(store: Store, ids: list[str]) -> None:
    path = store.sealed_path(ids[1])
    path.rename(store.make_sealed_directory("20260101T000000-aaaaaaaa") / path.name)


_CHANGES: list[tuple[Change, list[Kind]]] = [
    (_touch, [Kind.CHANGED]),
    (_remove, [Kind.CHANGED]),
    (_record, [Kind.NEW]),
    (_make_old, [Kind.CHANGED]),
    (_leave_half, [Kind.CHANGED]),
    (_stranger, [Kind.NEW]),
    (_misplace, [Kind.CHANGED]),
]


def test_where_nothing_has_happened_the_log_is_not_read(
    store: Store, ids: list[str], starts: list[int]
) -> None:
    assert changes(store) == {}
    outcome = build(store, ALONE)
    assert (outcome.total, outcome.indexed, outcome.gone) == (3, 0, 0)
    assert not status_of(store).stale
    assert starts == []


@pytest.mark.parametrize(("change", "expected"), _CHANGES)
def test_what_has_happened_is_found_and_done(
    store: Store, ids: list[str], change: Change, expected: list[Kind]
) -> None:
    change(store, ids)
    found = changes(store)
    assert list(found.values()) == expected
    for fact in ("whole", "log_root"):  # then all of the log is read
        set_fact(store, fact, "0" * (64 if fact == "log_root" else 1))
        assert changes(store) == found
    rebuild(store, ALONE)
    assert changes(store) == {}


@pytest.mark.parametrize("change", [change for change, _ in _CHANGES])
def test_a_build_of_what_is_new_comes_to_what_a_whole_one_comes_to(
    store: Store, ids: list[str], change: Change
) -> None:
    change(store, ids)
    outcome = build(store, ALONE)
    assert outcome.indexed == 1
    assert outcome.total == len(rows(store, "SELECT 1 FROM sessions"))
    assert content(store.root / NAME) == content_of_the_log(store)
    assert changes(store) == {}
    check_whole(store)


def test_only_what_is_new_in_the_log_is_read(store: Store, ids: list[str], starts: list[int]) -> None:
    size = store.log.checkpoint().size
    worker = Worker(store)
    build(store, ALONE)
    assert changes(store) == {worker.id: Kind.LIVE}
    worker.finish()
    worker.close()
    seal_orphans(store)
    starts.clear()  # of sealing
    assert build(store, ALONE).indexed == 1
    assert starts == [size + 1]
    assert rows(store, "SELECT state, number FROM sessions WHERE id = ?", worker.id) == [("closed", 4)]
    assert content(store.root / NAME) == content_of_the_log(store)


def test_output_that_is_not_indexed_yet_is_something_to_do(store: Store) -> None:
    one = record(store, [("echo alpha", "alpha\r\n")])
    build(store, Wish())
    assert changes(store, with_output=False) == {}
    assert changes(store) == {one: Kind.CHANGED}
    build(store, ALONE)
    assert changes(store) == changes(store, with_output=False) == {}


def test_a_new_extractor_makes_all_rows_anew_without_the_log(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch, starts: list[int]
) -> None:
    for module in ("changes", "indexing"):
        monkeypatch.setattr(f"recorder.index.{module}.EXTRACTOR", 99)
    assert build(store, ALONE).indexed == 3
    assert rows(store, "SELECT DISTINCT extractor FROM sessions") == [(99,)]
    assert starts == []
    assert changes(store) == {}
    assert content(store.root / NAME) == content_of_the_log(store)


def test_a_recorder_that_was_killed_and_its_session_that_was_sealed_later(
    store: Store, ids: list[str]
) -> None:
    worker = Worker(store)
    build(store, ALONE)
    worker.close()
    assert changes(store) == {worker.id: Kind.CHANGED}
    build(store, ALONE)
    assert rows(store, "SELECT state, ended FROM sessions WHERE id = ?", worker.id) == [("open", None)]
    assert changes(store) == {}
    seal_orphans(store)
    build(store, ALONE)
    assert rows(store, "SELECT state FROM sessions WHERE id = ?", worker.id) == [("interrupted",)]
    assert content(store.root / NAME) == content_of_the_log(store)


def test_what_came_back_is_what_it_was(store: Store, ids: list[str]) -> None:
    worker = Worker(store)
    worker.close()
    seal_orphans(store)
    paths = [store.sealed_path(name) for name in (ids[0], worker.id)]
    build(store, ALONE)
    for path in paths:
        path.rename(store.root / path.name)
    build(store, ALONE)
    assert rows(store, "SELECT count(*) FROM sessions WHERE state = 'missing'") == [(2,)]
    for path in paths:
        (store.root / path.name).rename(path)
    assert changes(store) == dict.fromkeys([ids[0], worker.id], Kind.CHANGED)
    build(store, ALONE)
    assert rows(store, "SELECT state FROM sessions WHERE id = ?", worker.id) == [("interrupted",)]
    assert content(store.root / NAME) == content_of_the_log(store)
    assert changes(store) == {}


def test_the_end_of_a_session_without_a_file_is_taken_in(store: Store, ids: list[str]) -> None:
    worker = Worker(store)
    worker.close()
    kept = store.live_path(worker.id).rename(store.root / "kept")
    build(store, ALONE)
    assert rows(store, "SELECT state, ended FROM sessions WHERE id = ?", worker.id) == [("missing", None)]
    kept.rename(store.live_path(worker.id))
    seal_orphans(store)
    store.sealed_path(worker.id).unlink()
    build(store, ALONE)
    assert content(store.root / NAME) == content_of_the_log(store)


def test_an_import_that_was_looked_at_before_its_file_was_there(
    store: Store, ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = Importer._enter

    def and_look(importer: Importer, source: Source, written: object) -> None:
        enter(importer, source, written)  # type: ignore[arg-type]
        build(store, ALONE)

    monkeypatch.setattr(Importer, "_enter", and_look)
    source = tmp_path / "old.ttyrec"
    source.write_bytes(ttyrec((0, b"$ make\r\n"), (1.5, b"done\r\n")))
    (imported,) = take(store, source)
    state = "SELECT state FROM sessions WHERE id = ?"
    assert rows(store, state, imported.session_id) == [("missing",)]
    monkeypatch.setattr(Log, "entries", None)
    build(store, ALONE)
    monkeypatch.undo()
    assert rows(store, state, imported.session_id) == [("imported",)]
    assert content(store.root / NAME) == content_of_the_log(store)


# ── sessions that were passed over ────────────────────────────────────────────


def test_what_was_passed_over_is_taken_in_later(store: Store, ids: list[str]) -> None:
    new = record(store, [("true", "")])
    assert build(store, Wish(with_output=True, since=4e9)).indexed == 0
    assert changes(store) == {new: Kind.NEW}
    build(store, ALONE)
    assert content(store.root / NAME) == content_of_the_log(store)


def test_an_end_that_was_passed_over_is_taken_in_later(store: Store, ids: list[str]) -> None:
    worker = Worker(store)
    build(store, ALONE)
    worker.finish(3)
    worker.close()
    seal_orphans(store)
    build(store, Wish(with_output=True, since=4e9))
    assert rows(store, "SELECT ended FROM sessions WHERE id = ?", worker.id) == [(None,)]
    assert changes(store) == {worker.id: Kind.CHANGED}
    build(store, ALONE)
    assert rows(store, "SELECT exit_status FROM sessions WHERE id = ?", worker.id) == [(3,)]
    assert content(store.root / NAME) == content_of_the_log(store)


def test_passing_over_what_goes_on_keeps_the_index_whole(
    store: Store, ids: list[str], starts: list[int]
) -> None:
    worker = Worker(store)
    build(store, ALONE)
    _touch(store, ids)
    starts.clear()
    build(store, Wish(with_output=True, since=4e9))
    assert rows(store, "SELECT value FROM meta WHERE key = 'whole'") == [("1",)]
    build(store, ALONE)
    assert starts == []
    worker.close()


# ── another log ───────────────────────────────────────────────────────────────


def _make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _put_back(store: Store, kept: Path) -> None:
    shutil.rmtree(store.log.directory)
    shutil.copytree(kept, store.log.directory)


@pytest.mark.parametrize("goes_on", [False, True], ids=["shorter", "as long, and another"])
def test_a_log_that_was_put_back_is_read_from_its_beginning(
    store: Store, ids: list[str], tmp_path: Path, goes_on: bool
) -> None:
    kept = shutil.copytree(store.log.directory, tmp_path / "log")
    lost = record(store, [("echo lost", "")])
    build(store, ALONE)
    _put_back(store, kept)
    if goes_on:
        record(store, [("echo other", "")])
        record(store, [("echo more", "")])
    assert lost in changes(store)
    build(store, ALONE)
    assert rows(store, "SELECT state FROM sessions WHERE id = ?", lost) == [("unlogged",)]
    assert content(store.root / NAME) == content_of_the_log(store)
    assert changes(store) == {}


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"x"), _make_directory])
def test_where_the_hashes_cannot_be_read_the_log_is_read_from_its_beginning(
    store: Store, ids: list[str], damage: Callable[[Path], object], starts: list[int]
) -> None:
    for path in list((store.log.directory / "tile" / "0").rglob("*")):
        if path.is_file():
            damage(path)
    assert build(store, ALONE).indexed == 0
    assert starts == [0]


def test_an_index_that_notes_no_root_is_believed(store: Store, ids: list[str], starts: list[int]) -> None:
    execute(store.root / NAME, "DELETE FROM meta WHERE key = 'log_root'")
    build(store, ALONE)
    assert starts == []
    root = store.log.checkpoint().root.hex()
    assert rows(store, "SELECT value FROM meta WHERE key = 'log_root'") == [(root,)]


# ── whatever happens ──────────────────────────────────────────────────────────


class _Life:
    """A store to which things happen."""

    def __init__(self, store: Store, seed: int) -> None:
        self._store = store
        self._random = random.Random(seed)
        self._workers: list[Worker] = []
        self._kept: list[Path] = []

    def go_on(self) -> None:
        self._random.choice(
            [
                self._record,
                self._open,
                self._end,
                self._kill,
                self._seal,
                self._remove,
                self._bring,
                self._touch,
            ]
        )()

    def close(self) -> None:
        for worker in self._workers:
            worker.close()

    def _some(self) -> Path:
        return self._random.choice(sorted(self._store.sealed_directory.rglob("*.zst")))

    def _record(self) -> None:
        record(self._store, [("true", "")])

    def _open(self) -> None:
        self._workers.append(Worker(self._store))

    def _end(self) -> None:
        if self._workers:
            self._workers[0].finish()
            self._kill()
            self._seal()

    def _kill(self) -> None:
        if self._workers:
            self._workers.pop(0).close()

    def _seal(self) -> None:
        seal_orphans(self._store)

    def _remove(self) -> None:
        path = self._some()
        path.rename(self._store.root / path.name)
        self._kept.append(path)

    def _bring(self) -> None:
        if self._kept:
            path = self._kept.pop()
            (self._store.root / path.name).rename(path)

    def _touch(self) -> None:
        with suppress(OSError):
            os.utime(self._some(), (self._random.random(), 1))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_it_comes_to_what_a_whole_build_comes_to(
    store: Store, ids: list[str], seed: int
) -> None:
    life = _Life(store, seed)
    for number in range(40):
        life.go_on()
        if number % 2:
            found = changes(store)
            set_fact(store, "whole", "0")
            assert changes(store) == found
            set_fact(store, "whole", "1")
            build(store, ALONE)
            assert content(store.root / NAME) == content_of_the_log(store), number
    life.close()
    check_whole(store)
    assert len(texts(store)) >= 3
