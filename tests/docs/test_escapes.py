"""docs/escapes.md maps every row of the corpus to a test that exists, or says why there is none."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
_TEXT = (ROOT / "docs" / "escapes.md").read_text()
_ROWS = re.findall(r"^\| ([A-D]\d+) \| (.*) \| (.*) \| (.*) \|$", _TEXT, re.MULTILINE)
_LAST = {"A": 20, "B": 17, "C": 16, "D": 8}


def test_every_row_stands_there_once() -> None:
    wanted = [f"{section}{number}" for section, last in _LAST.items() for number in range(1, last + 1)]
    assert [row[0] for row in _ROWS] == wanted


@pytest.mark.parametrize(("row", "holds", "tests"), [(row[0], row[2], row[3]) for row in _ROWS])
def test_a_row_names_tests_that_exist(row: str, holds: str, tests: str) -> None:
    named = re.findall(r"`([a-z0-9_]+/test_[a-z0-9_]+\.py)(?:::(test_\w+))?`", tests)
    if not named:
        assert "no host can" in holds or "there is none" in holds or "see [" in tests, row
    for path, function in named:
        text = (ROOT / "tests" / path).read_text()
        assert not function or f"def {function}(" in text, f"{row}: {path} has no {function}"


def test_no_corpus_test_is_left_out() -> None:
    for path in (ROOT / "tests" / "e2e").glob("test_corpus_*.py"):
        for function in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE):
            assert f"`e2e/{path.name}::{function}`" in _TEXT
