"""docs/format.md: its examples are what the code writes, and its commands say what it says they say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from recorder.seal import certificate
from recorder.seal.merkle import leaf_hash
from tests.marks import needs
from tests.seal.format_examples import (
    DOCUMENT,
    allowed_signers,
    examples,
    first_seal,
    marked_names,
    recording,
    with_examples,
)
from tests.seal.recordings import check, session_header

_COMMAND = re.compile(
    r"<!-- run: (?P<name>[a-z]+) -->\n```(?P<language>sh|python)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COMMANDS = {
    match["name"]: (match["language"], match["text"]) for match in _COMMAND.finditer(DOCUMENT.read_text())
}


def test_the_examples_are_what_the_code_writes() -> None:
    document = DOCUMENT.read_text()
    assert with_examples(document) == document, "run: python -m tests.seal.format_examples"


def test_every_example_stands_in_the_document() -> None:
    assert sorted(marked_names(DOCUMENT.read_text())) == sorted(name for name, _ in examples())


def test_the_example_verifies() -> None:
    assert check(recording().lines).findings == ()


@pytest.fixture
def folder(home: Path) -> Path:
    """A directory with the files that the document's commands work on."""
    cast = recording()
    certified = certificate.parse(session_header().certificate, "example")
    (home / "example.cast").write_bytes(cast.bytes)
    (home / "example.cast.sig").write_text(cast.signature(certified))
    (home / "allowed_signers").write_text(allowed_signers())
    return home


def run(name: str, folder: Path) -> str:
    language, text = COMMANDS[name]
    command = ["sh", "-ec", text] if language == "sh" else [sys.executable, "-I", "-c", text]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_every_command_is_run_here() -> None:
    assert set(COMMANDS) == {"leaf", "list", "whole", "seal", "openssl", "roots"}


def test_a_leaf_by_hand(folder: Path) -> None:
    assert run("leaf", folder).split()[0] == leaf_hash(recording().lines[1]).hex()


@needs("ssh-keygen")
def test_the_certificate_and_the_file_by_openssh(folder: Path) -> None:
    assert "Principals: \n                web-1\n" in run("list", folder)
    assert run("whole", folder).startswith('Good "sealcast" signature for web-1 with ED25519-CERT key')


@needs("openssl")
def test_a_seal_by_openssl(folder: Path) -> None:
    run("seal", folder)
    assert run("openssl", folder).strip() == "Signature Verified Successfully"
    assert (folder / "text").read_text() == first_seal(recording()).rpartition("\n\n")[0] + "\n"


def test_the_roots_by_the_standard_library(folder: Path) -> None:
    assert run("roots", folder) == "line 6 seals 5 lines: good\nline 9 seals 8 lines: good\n"
    path = folder / "example.cast"
    path.write_bytes(path.read_bytes().replace(b"100x30", b"100x31"))
    assert run("roots", folder) == "line 6 seals 5 lines: good\nline 9 seals 8 lines: BAD\n"
