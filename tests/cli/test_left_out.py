"""What a recording does not hold is said wherever it is looked at: show, verify, cat, and the log."""

import json
import subprocess
from pathlib import Path

import pytest

from recorder.cast.v2 import encode_event
from recorder.log.entries import value_at
from recorder.log.history import read_history
from recorder.store.layout import Store
from recorder.store.sealing import seal
from tests.cli.conftest import Run
from tests.e2e.sessions import SEALCAST
from tests.store.recordings import Worker

DIGEST = "ab" * 32
SENTENCE = f"1,048,576 bytes of input are not stored; their SHA-256 is {DIGEST}"
EVENTS = [
    ("T", {"protocol": "sftp", "direction": "both ways", "program": "/x/sftp-server", "arguments": ["s"]}),
    ("L", {"stream": "input", "bytes": 5, "sha256": "00" * 32}),
    ("F", {"action": "write", "path": "/a\x1b]0;title\x07b", "size": 1_000_000, "outcome": "ok"}),
    ("F", {"action": "rename", "path": "old", "target": "new", "outcome": "permission denied"}),
    ("L", {"stream": "input", "bytes": 2**20, "sha256": DIGEST}),
]


@pytest.fixture
def session(home: Path) -> str:
    """A sealed transfer with a little input and output."""
    store = Store.default()
    worker = Worker(store)
    worker.put(encode_event(0.01, "i", "echo one\necho caf\ufffd"))
    worker.put(encode_event(0.01, "B", "ZWNobyBvbmUKZWNobyBjYWbp"))
    worker.show("shown\n")
    for code, data in EVENTS:
        worker.put(encode_event(0.1, code, json.dumps(data)))
    worker.finish()
    worker.close()
    seal(store, worker.id)
    return worker.id


def test_show_names_the_transfer_its_files_and_what_is_left_out(cli: Run, session: str) -> None:
    lines = [" ".join(line.split()) for line in cli("show", session).out.splitlines()]
    assert "– transfer sftp both ways by /x/sftp-server, 2 operations on files" in lines
    assert f"– left out {SENTENCE}" in lines
    assert "rename old to new: permission denied" in lines
    assert [line for line in lines if "write /a" in line and line.endswith("b 1,000,000 bytes: ok")]


def test_verify_has_the_same_rows_and_still_verifies(cli: Run, session: str) -> None:
    done = cli("verify", "--json", session)
    assert done.code == 0
    assert SENTENCE in done.out


def test_cat_ends_with_what_is_left_out(cli: Run, session: str) -> None:
    lines = cli("cat", session).out.splitlines()
    assert lines[0] == "shown"
    assert f"[{SENTENCE}]" in lines
    assert lines[-1] == "[rename old to new: permission denied]"


def test_raw_bytes_are_data_and_what_is_left_out_is_for_people(program: Run, session: str) -> None:
    done = program("cat", "--raw", session)
    assert done.out == "shown\n"
    assert SENTENCE in done.err


def test_input_can_be_read(cli: Run, session: str) -> None:
    lines = cli("cat", "--input", session).out.splitlines()
    assert lines[:2] == ["echo one", "echo caf\ufffd"]
    assert f"[{SENTENCE}]" in lines
    raw = subprocess.run([*SEALCAST, "cat", "--input", "--raw", session], capture_output=True, check=True)
    assert raw.stdout == b"echo one\necho caf\xe9"


@pytest.mark.parametrize("command", [("show",), ("verify",), ("cat",), ("cat", "--input"), ("cat", "--raw")])
def test_names_of_files_do_not_reach_the_terminal(cli: Run, session: str, command: tuple[str, ...]) -> None:
    done = cli(*command, session)
    assert "\x1b" not in done.out + done.err
    assert "\x07" not in done.out + done.err


def test_the_log_says_it(session: str) -> None:
    ended = read_history(Store.default().log).sessions[session].ended
    assert value_at(ended, ("sealcast", "streams")) == {
        "protocol": "sftp",
        "direction": "both ways",
        "program": "/x/sftp-server",
        "left_out": {"input": {"bytes": 2**20, "sha256": DIGEST}},
        "operations": 2,
        "files": [event for code, event in EVENTS if code == "F"],
    }
