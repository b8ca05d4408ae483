"""The schema, and what docs/index.md says of it."""

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.errors import SealcastError
from recorder.index import database
from recorder.index.blocks import pack_text, pack_times, unpack_text, unpack_times
from recorder.index.database import open_for_writing, open_index
from recorder.index.indexing import build
from recorder.index.schema import APPLICATION_ID, MIGRATIONS, VERSION
from recorder.store.layout import Store
from tests.index.recorded import ALONE, check_whole, record, texts
from tests.marks import needs

DOCUMENT = (Path(__file__).parents[2] / "docs" / "index.md").read_text()
_OWN = {"_sqlite_migrations", "sqlite_sequence"}


@pytest.fixture
def fresh() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    for migration in MIGRATIONS:
        connection.executescript(migration.statements)
    yield connection
    connection.close()


def _names(connection: sqlite3.Connection, kind: str) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = ? ORDER BY name", (kind,))
    return [name for (name,) in found if "_fts_" not in name and name not in _OWN]


def _section(name: str) -> str:
    found = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/index.md says nothing of {name}"
    return found[1]


def test_every_table_is_described_column_by_column(fresh: sqlite3.Connection) -> None:
    tables = [name for name in _names(fresh, "table") if not name.endswith("_fts")]
    assert sorted(re.findall(r"^### (\w+)$", DOCUMENT, re.MULTILINE)) == sorted(
        tables + _names(fresh, "view")
    )
    for table in tables:
        columns = [row[1] for row in fresh.execute(f"PRAGMA table_info({table})")]
        assert re.findall(r"^\| `(\w+)` \|", _section(table), re.MULTILINE) == columns


def test_every_view_is_described(fresh: sqlite3.Connection) -> None:
    for view in _names(fresh, "view"):
        columns = [row[1] for row in fresh.execute(f"PRAGMA table_info({view})")]
        assert re.findall(r"`(\w+)`", _section(view)) == columns


def test_full_text_tables_and_numbers_are_described(fresh: sqlite3.Connection) -> None:
    for name in ("commands_fts", "outputs_fts", str(APPLICATION_ID)):
        assert name in DOCUMENT


def _answer(path: Path, sql: str) -> str:
    command = ["sqlite3", f"file:{path}?mode=ro", sql]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


@needs("sqlite3")
def test_the_queries_of_the_document_run_in_the_shell_of_sqlite(
    store: Store,
) -> None:
    record(store, [("rm -rf /tmp/x", "rm: connection refused\r\n")])
    build(store, ALONE)
    commands, output = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)
    assert "|rm -rf /tmp/x|" in _answer(store.root / "index.db", commands)
    assert _answer(store.root / "index.db", output) == "rm -rf /tmp/x|rm: connection refused\n\n"


def test_a_new_index_has_the_version_of_the_program(tmp_path: Path) -> None:
    open_for_writing(tmp_path / "index.db").close()
    connection = open_index(tmp_path / "index.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_an_older_index_is_refused_and_brought_up_to_date(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(store, [("rm -rf /tmp/x", "rm: connection refused\r\n")])
    path = store.root / "index.db"
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", MIGRATIONS[:1])
        patch.setattr(database, "VERSION", 1)
        open_for_writing(path).close()
    connection = sqlite3.connect(path)
    columns = "key, id, user, host, via, origin, started, columns, rows, state, extractor, indexed_at"
    values = "1, '20260101T000000-k7f3q9xw', 'bob', 'db', NULL, 'local', 0, 80, 24, 'closed', 2001, 0"
    connection.execute(f"INSERT INTO sessions ({columns}) VALUES ({values})")
    connection.execute("INSERT INTO commands VALUES (7, 1, 0, 0, 1, 0, 'ls', 0, '/', 0, NULL, 'screen', '')")
    connection.execute("INSERT INTO outputs VALUES (64, 7, 0, 1, 0, 1)")
    connection.commit()
    connection.close()
    with pytest.raises(SealcastError, match="made by an older sealcast") as refused:
        open_index(path)
    assert refused.value.hint == "bring it up to date: sealcast index build"
    outcome = build(store, ALONE)
    assert (outcome.indexed, outcome.gone) == (1, 1)
    assert texts(store) == ["rm -rf /tmp/x"]
    check_whole(store)


def test_blocks_come_back_as_they_were() -> None:
    text = "naïve\nwörds\n".encode()
    assert unpack_text(pack_text(text), len(text)) == text
    times = (0, 1500, 1200, 90_000_000)
    assert unpack_times(pack_times(times), 4) == [0.0, 1.5, 1.2, 90_000.0]


@pytest.mark.parametrize("size", [0, 11, 13])
def test_a_block_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="in place of"):
        unpack_text(pack_text(b"twelve bytes"), size)


def test_a_damaged_block_is_refused() -> None:
    with pytest.raises(ValueError, match=r".+"):
        unpack_text(b"no zlib", 3)
    with pytest.raises(ValueError, match="times for"):
        unpack_times(pack_times((1, 2)), 3)
