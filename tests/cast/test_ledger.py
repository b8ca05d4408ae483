"""What a recording says of bytes it does not hold; hostile lines are passed over."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.cast.events import ELISION, FILE, OUTPUT, TRANSFER, Event
from recorder.cast.ledger import MAX_FILES, Ledger
from recorder.cast.v2 import encode_event

DIGEST = "ab" * 32


def ledger(*events: tuple[str, object]) -> Ledger:
    found = Ledger()
    for code, data in events:
        found.note(encode_event(1.0, code, json.dumps(data)))
    return found


def test_the_last_elision_of_a_stream_counts() -> None:
    found = ledger(
        (ELISION, {"stream": "input", "bytes": 1, "sha256": "00" * 32}),
        (ELISION, {"stream": "output", "bytes": 5, "sha256": DIGEST}),
        (ELISION, {"stream": "input", "bytes": 1234, "sha256": DIGEST}),
    )
    assert list(found.sentences()) == [
        ("left out", f"1,234 bytes of input are not stored; their SHA-256 is {DIGEST}"),
        ("left out", f"5 bytes of output are not stored; their SHA-256 is {DIGEST}"),
    ]


def test_a_transfer_names_its_files_up_to_a_limit() -> None:
    one = {"action": "write", "path": "/a", "size": 7, "outcome": "ok"}
    found = ledger(
        (TRANSFER, {"protocol": "sftp", "direction": "both ways", "program": "/bin/s"}), *[(FILE, one)] * 30
    )
    assert list(found.sentences()) == [("transfer", "sftp both ways by /bin/s, 30 operations on files")]
    lines = list(found.file_lines())
    assert lines[0] == "write /a 7 bytes: ok"
    assert lines[-1] == f"and {30 - MAX_FILES} more"
    document = found.as_document()
    assert document is not None
    assert document["operations"] == 30
    assert document["files"] == [one] * MAX_FILES


def test_a_rename_says_where_to() -> None:
    found = ledger((FILE, {"action": "rename", "path": "a", "target": "b", "outcome": "ok"}))
    assert list(found.file_lines()) == ["rename a to b: ok"]


def test_the_longest_names_fit_an_entry_of_the_log() -> None:
    nasty = "\0" * 5000
    one = {"action": nasty, "path": nasty, "target": nasty, "outcome": nasty, "size": 2**63 - 1}
    found = ledger((TRANSFER, {"protocol": nasty, "program": nasty}), *[(FILE, one)] * 50)
    assert len(orjson.dumps(found.as_document())) < 48 * 1024


def test_a_recording_that_holds_everything_says_nothing() -> None:
    assert ledger((OUTPUT, "text")).as_document() is None


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        "text",
        {"stream": "input", "bytes": -1, "sha256": DIGEST},
        {"stream": "input", "bytes": True, "sha256": DIGEST},
        {"stream": "other", "bytes": 1, "sha256": DIGEST},
        {"stream": ["input"], "bytes": 1, "sha256": DIGEST},
        {"stream": "input", "bytes": 1, "sha256": "short"},
    ],
)
def test_malformed_lines_are_passed_over(data: object) -> None:
    assert ledger((ELISION, data), (TRANSFER, data), (FILE, data)).as_document() is None


@given(st.sampled_from([ELISION, TRANSFER, FILE]), st.text())
def test_nothing_in_a_line_is_an_error(code: str, data: str) -> None:
    Ledger().add(Event(0.0, code, data))
