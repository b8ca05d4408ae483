"""Documents and lists of the project that must agree with the program."""

import re
from pathlib import Path

import pytest

from scripts import generate_docs

ROOT = Path(__file__).parent.parent.parent
_PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
LOCKS = ("requirements.lock", "requirements-dev.lock")


def test_generated_documents_say_what_the_program_says() -> None:
    for path, text in generate_docs.wanted().items():
        assert path.read_text() == text, f"{path.name}: run scripts/check --write"


def test_a_stale_block_is_found_and_replaced() -> None:
    text = "before\n<!-- help: ls -->\nold\n<!-- end -->\nafter\n"
    new = generate_docs.with_blocks(text)
    assert "Usage: sealcast ls" in new
    assert (new.startswith("before\n"), new.endswith("<!-- end -->\nafter\n")) == (True, True)
    assert generate_docs.with_blocks(new) == new


@pytest.mark.parametrize("name", LOCKS)
def test_locks_pin_every_package_with_hashes_and_name_no_index(name: str) -> None:
    text = (ROOT / "scripts" / name).read_text()
    entries = re.split(r"\n(?=[a-z])", text.strip())
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links|--trusted-host", text)
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_locks_agree_with_each_other_and_hold_what_pyproject_asks_for() -> None:
    pins = [
        dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "scripts" / name).read_text(), re.MULTILINE))
        for name in LOCKS
    ]
    assert all(pins[1].get(name, version) == version for name, version in pins[0].items())
    declared = re.search(
        r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL
    )
    assert declared is not None
    wanted = re.findall(r'"([a-z0-9.-]+)', declared[1])
    assert wanted
    assert [name for name in wanted if name.replace(".", "-") not in pins[0]] == []


def test_tools_are_listed_once_each_with_their_package() -> None:
    lines = (ROOT / "scripts" / "debian-packages").read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    assert all(len(row) == 2 for row in rows)
    assert len({row[0] for row in rows}) == len(rows)


def test_no_file_of_the_project_is_over_500_lines() -> None:
    files = [
        path for folder in ("recorder", "tui", "tests", "scripts") for path in (ROOT / folder).rglob("*.py")
    ]
    assert files
    assert [path.name for path in files if len(path.read_text().splitlines()) > 500] == []
