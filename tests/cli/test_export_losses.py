"""What an export cannot show is said in it: transfers, what was left out, input, unreadable lines."""

import io
import json
from pathlib import Path

import pytest

from recorder.cast.events import MARKER
from recorder.cast.reader import iter_input, iter_output, open_events
from recorder.cast.v2 import encode_event
from recorder.errors import ExitCode
from recorder.store.layout import Store
from recorder.store.reading import open_file
from recorder.store.sealing import seal
from tests.cli.conftest import Run
from tests.store.recordings import Worker

DIGEST = "cd" * 32
LEFT_OUT = f"1,048,576 bytes of output are not stored; their SHA-256 is {DIGEST}"
TRANSFER = {
    "protocol": "sftp",
    "direction": "both ways",
    "program": "/x/sftp-server",
    "arguments": ["sftp-server", "-e"],
}
OPERATIONS = [
    *({"action": "write", "path": f"/up/{n}", "size": n * 1000, "outcome": "ok"} for n in range(12)),
    {
        "action": "read",
        "path": "/\ufffd\x1b]0;t\x07",
        "path_base64": "L+kbXTA7dAc=",
        "outcome": "ok",
        "size": 1,
    },
    {"action": "rename", "path": "a`b", "target": "| c |", "outcome": "permission denied"},
    {"problem": "not followed any further: no SFTP"},
]


def recorded(*events: tuple[str, object]) -> str:
    """A sealed session without a terminal, with these events."""
    store = Store.default()
    worker = Worker(store)
    for code, data in events:
        worker.put(encode_event(0.1, code, data if isinstance(data, str) else json.dumps(data)))
    worker.finish()
    worker.close()
    seal(store, worker.id)
    return worker.id


@pytest.fixture
def transfer(home: Path) -> str:
    """Of files, over SFTP."""
    operations = [("F", operation) for operation in OPERATIONS]
    left_out = {"stream": "output", "bytes": 2**20, "sha256": DIGEST}
    return recorded(("T", TRANSFER), *operations, ("L", left_out))


@pytest.fixture
def piped(home: Path) -> str:
    """What `ssh host sh < script` is: input, output, standard error, and bytes that are no text."""
    session = recorded(
        ("i", "echo one\necho caf\ufffd"),
        ("B", "ZWNobyBvbmUKZWNobyBjYWbp"),
        ("o", "one\n"),
        ("o", "wrong\n"),
        ("E", ""),
        ("o", "caf\ufffd\n"),
        ("B", "Y2Fm6Qo="),
    )
    with open_file(Store.default().sealed_path(session)) as file:
        text = file.read()
    path = home / "piped.cast"
    path.write_bytes(text.replace(b'"terminal": [80, 24]', b'"terminal": [0, 0]'))
    return str(path)


def test_markdown_lists_every_operation_with_path_size_and_outcome(cli: Run, transfer: str) -> None:
    lines = cli("export", transfer, "--format", "md").out.splitlines()
    assert "- Transfer: `sftp, both ways`" in lines
    assert "- Executed: `/x/sftp-server -e`" in lines
    assert f"- Not in this document: `{LEFT_OUT}`" in lines
    listed = [
        line.partition(") ")[2] for line in lines[lines.index("## Operations on files") :] if ") " in line
    ]
    assert listed[11:] == [
        "`write` `/up/11`, 11,000 bytes: `ok`",
        "`read` `/\\xe9␛]0;t␇`, 1 bytes: `ok`",
        "`rename` ``a`b`` to `| c |`: `permission denied`",
        "`file: not followed any further: no SFTP`",
    ]


def test_text_tells_all_of_it_behind_the_transcript(cli: Run, transfer: str) -> None:
    done = cli("export", transfer, "--format", "txt")
    lines = done.out.splitlines()
    assert lines[0] == "[transfer: sftp, both ways, by /x/sftp-server -e]"
    assert len([line for line in lines if line.startswith("[file: ")]) == len(OPERATIONS)
    assert lines[-1] == f"[not in this file: {LEFT_OUT}]"
    assert LEFT_OUT in done.err


@pytest.mark.parametrize("arguments", [("cast", "--markers"), ("cast3",)])
def test_copies_have_all_events_and_markers_that_say_them(
    cli: Run, transfer: str, home: Path, arguments: tuple[str, ...]
) -> None:
    path = home / "copy.cast"
    done = cli("export", transfer, "--format", *arguments, "-o", str(path))
    assert "an unsigned copy: its" in done.err
    events = list(open_events(io.BytesIO(path.read_bytes()), "copy")[1])
    labels = [event.data for event in events if event.code == MARKER]
    assert labels[0] == "transfer: sftp, both ways, by /x/sftp-server -e"
    assert labels[13] == "file: read /\\xe9␛]0;t␇, 1 bytes: ok"
    assert labels[-1] == f"not in this file: {LEFT_OUT}"
    codes = [event.code for event in events]
    assert [codes.count(code) for code in "TFLSX"] == [1, len(OPERATIONS), 1, 0, 1]


def test_a_session_of_pipes_as_text_and_markdown(cli: Run, piped: str) -> None:
    assert cli("export", piped, "--format", "txt").out.splitlines() == [
        "one",
        "wrong",
        "caf\ufffd",
        "[18 bytes of input are recorded: sealcast cat --input shows them]",
    ]
    text = cli("export", piped, "--format", "md").out
    assert "## Output\n\n```text\none\nwrong\ncaf\ufffd\n```\n" in text
    assert text.endswith("## Input\n\n```text\necho one\necho caf\ufffd\n```\n")
    assert "No commands in this recording." in text


def test_markdown_counts_the_lines_it_leaves_out(cli: Run, piped: str) -> None:
    text = cli("export", piped, "--format", "md", "--max-lines", "1").out
    assert "```text\none\n```\n\n2 more lines are left out.\n" in text
    assert "```text\necho one\n```\n\n1 more lines are left out.\n" in text


def test_copies_keep_the_exact_bytes(cli: Run, piped: str, home: Path) -> None:
    for form in (["cast", "--markers"], ["cast3"]):
        path = home / f"{form[0]}.cast"
        assert cli("export", piped, "--format", *form, "-o", str(path)).code == ExitCode.OK
        events = list(open_events(io.BytesIO(path.read_bytes()), "copy")[1])
        assert b"".join(data for _, data in iter_output(events)) == b"one\nwrong\ncaf\xe9\n"
        assert b"".join(data for _, data in iter_input(events)) == b"echo one\necho caf\xe9"


def test_lines_that_cannot_be_read_are_said(cli: Run, home: Path) -> None:
    path = home / "broken.cast"
    path.write_text('{"version": 2, "width": 80, "height": 24}\n[0.1, "o", "x"]\nnonsense\n[0.2, "o", "y"]\n')
    sentence = "1 lines of the recording could not be read"
    for form in (["txt"], ["md"], ["cast3"], ["cast", "--markers"]):
        done = cli("export", str(path), "--format", *form)
        assert done.code == ExitCode.OK
        assert f": {sentence}" in done.out.replace("`", "")
        assert sentence in done.err
    assert sentence in cli("cat", str(path)).err
    assert sentence in cli("cat", "--raw", str(path)).err
    assert sentence in cli("commands", "--jsonl", str(path)).err
