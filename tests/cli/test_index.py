"""`sealcast index` from the outside."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recorder.index.database import NAME, writer_lock
from recorder.store.layout import Store
from tests.cli.conftest import Run


def _first_line(text: str) -> str:
    return text.splitlines()[0]


def test_without_an_index_it_says_how_to_make_one(store: Path, cli: Run) -> None:
    result = cli("index", "status")
    assert result.code == 3
    assert _first_line(result.err) == f"sealcast: there is no index at {store / NAME}"
    assert "sealcast index build" in result.err


def test_without_a_store_nothing_is_made(home: Path, cli: Run) -> None:
    assert cli("index", "build").code != 0
    assert not list(home.rglob(NAME))


def test_building_says_what_was_done(store: Path, cli: Run) -> None:
    result = cli("index", "build", "--output")
    assert (result.code, result.out) == (0, "")
    assert result.err == "sealcast: indexed 3 of 3 sessions\n"
    assert cli("index", "build", "--jobs", "1").err == "sealcast: indexed 0 of 3 sessions\n"


def test_status_is_0_where_it_is_up_to_date_and_1_where_it_is_stale(
    store: Path, ids: list[str], cli: Run
) -> None:
    cli("index", "build", "--output")
    result = cli("index", "status")
    assert result.code == 0
    assert "up to date" in result.out
    Store(store).sealed_path(ids[0]).unlink()
    result = cli("index", "status")
    assert result.code == 1
    assert "stale: 1 changed" in result.out
    assert cli("index", "status", "-q").out == ""


def test_status_for_programs(store: Path, cli: Run) -> None:
    cli("index", "build", "--output")
    found = json.loads(cli("index", "status", "--json").out)
    assert (found["schema"], found["stale"], found["output"]) == ("sealcast.index/1", False, True)
    assert (found["sessions"], found["missing"], found["broken"]) == (3, 0, [])


def test_a_recording_that_cannot_be_read_is_named(store: Path, ids: list[str], cli: Run) -> None:
    Store(store).sealed_path(ids[1]).write_bytes(b"nonsense\x1b[2J\n")
    result = cli("index", "build")
    assert result.code == 6
    assert "1 could not be read" in result.err
    status = cli("index", "status")
    assert ids[1] in status.out
    assert "\x1b" not in status.out


def test_a_damaged_index_is_made_anew_on_request(store: Path, cli: Run) -> None:
    (store / NAME).write_bytes(b"x" * 10_000)
    for arguments in (("index", "status"), ("index", "build")):
        result = cli(*arguments)
        assert result.code == 7
        assert "the index is damaged" in result.err
        assert "sealcast index rebuild" in result.err
    assert cli("index", "rebuild", "--output").code == 0
    assert cli("index", "status").code == 0


def test_a_rebuild_keeps_what_was_searchable(store: Path, cli: Run) -> None:
    cli("index", "build", "--output")
    for damage in (b"", b"no database" * 1000):
        if damage:
            (store / NAME).write_bytes(damage)
        assert cli("index", "rebuild").code == 0
        assert json.loads(cli("index", "status", "--json").out)["output"]
    (store / NAME).unlink()
    cli("index", "build")
    assert cli("index", "rebuild").code == 0
    assert not json.loads(cli("index", "status", "--json").out)["output"]


@pytest.mark.parametrize("since", ["nonsense", "-7x"])
def test_a_time_that_is_none_is_refused(store: Path, cli: Run, since: str) -> None:
    result = cli("index", "build", f"--since={since}")
    assert result.code == 2
    assert "--since" in result.err


def test_since_takes_the_times_of_queries(store: Path, cli: Run) -> None:
    assert cli("index", "build", "--since=-1h").err == "sealcast: indexed 3 of 3 sessions\n"


def test_a_second_writer_is_turned_away(store: Path, cli: Run) -> None:
    with writer_lock(store):
        result = cli("index", "build")
        assert cli("index", "rebuild").code != 0
    assert result.code != 0
    assert f"written by process {os.getpid()}" in result.err


def test_recording_loads_nothing_of_the_index() -> None:
    code = "import sys, recorder.cli.rec, recorder.capture.login\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"sqlite3", "sqlite_utils", "recorder.index.writing", "recorder.index.schema"}
