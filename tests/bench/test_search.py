"""`scripts/bench search` over a small store."""

import json
import subprocess
from pathlib import Path

import pytest

from recorder.index.extraction import EXTRACTOR, CommandRow, Extracted
from recorder.index.writing import IndexWriter
from scripts.benchmarks.search import CASES

BENCH = Path(__file__).parents[2] / "scripts" / "bench"


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([BENCH, "search", *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An index with one session of one command."""
    session = {"id": "20260912T140211-k7f3q9xw", "user": "alice", "host": "web-3", "origin": "sshd"}
    row = {**session, "started": 1789221731.0, "columns": 80, "rows": 24, "state": "verified"}
    command = CommandRow(0, 1.0, 2.0, "kubectl get pods", 0, None, 0, None, "screen", "")
    with IndexWriter(tmp_path / "index.db") as writer:
        writer.begin_session(row)
        writer.add(session["id"], Extracted([command]))
        writer.end_session(session["id"], {"extractor": EXTRACTOR})
    return tmp_path


def test_every_case_is_measured_warm_and_cold(store: Path) -> None:
    done = bench("--store", str(store), "--rounds", "2", "--json")
    document = json.loads(done.stdout)
    assert list(document["cases"]) == [case.kind for case in CASES]
    assert all(len(case["warm"]) == len(case["cold"]) == 2 for case in document["cases"].values())
    assert document["cases"]["unselective word"]["matches"] == 1
    assert document["store"]["commands"] == 1


def test_the_table_names_the_goals(store: Path) -> None:
    out = bench("--store", str(store), "--rounds", "1").stdout
    assert "1 sessions, 1 commands" in out
    assert "| unselective word | `cmd:kubectl` | < 100 | **" in out


def test_without_an_index_it_says_so(tmp_path: Path) -> None:
    done = bench("--store", str(tmp_path))
    assert done.returncode == 1
    assert "there is no index" in done.stderr
