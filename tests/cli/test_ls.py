"""`sealcast ls` over real recordings."""

import io
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
import pexpect
import pytest

from recorder.cli import output
from recorder.errors import ExitCode
from recorder.index.listing import current_listing
from recorder.store.layout import Store
from tests.cli.conftest import COMMAND, Run


def test_newest_first_with_ids_in_full_off_a_terminal(cli: Run, ids: list[str]) -> None:
    result = cli("ls")
    lines = result.out.splitlines()
    assert result.code == 0
    assert lines[0].split() == ["START", "(UTC)", "USER", "HOST", "LENGTH", "EXIT", "ID", "ABOUT"]
    assert len(lines) == 4
    assert all(session in line for session, line in zip(reversed(ids), lines[1:], strict=True))
    assert result.err == ""


def test_recorded_control_bytes_are_pictures(cli: Run, store: Path) -> None:
    result = cli("ls")
    assert "Web upgrade␛[31m" in result.out
    assert "\x1b" not in result.out


def test_query_limit_sort_and_count(cli: Run, ids: list[str]) -> None:
    assert cli("ls", "exit:7", "-0").out == f"{ids[0]}\0"
    assert cli("ls", "-n", "1", "--sort", "start", "-0").out == f"{ids[0]}\0"
    assert cli("ls", "--sort", "-exit,start", "-0").out.split("\0")[:2] == [ids[0], ids[2]]
    assert cli("ls", "--count").out == "3\n"
    nothing = cli("ls", "--count", "user:nobody-here")
    assert (nothing.code, nothing.out) == (ExitCode.NO, "0\n")


def test_check_in_a_query_verifies(cli: Run, store: Path, ids: list[str]) -> None:
    damage(store, ids[1])
    assert cli("ls", "check:bad", "-0").out == f"{ids[1]}\0"
    assert cli("ls", "-check:ok", "--columns", "check,id").out.splitlines()[1] == f"✗  {ids[1]}"


def test_a_recording_that_cannot_be_read_does_not_hide_the_others(
    cli: Run, store: Path, ids: list[str]
) -> None:
    (path,) = store.glob(f"sealed/**/{ids[1]}.cast.zst")
    path.rename(path.with_suffix(".kept"))
    path.symlink_to(path.with_suffix(".kept"))
    result = cli("ls", "-check:bad", "--columns", "check,id")
    assert (result.code, len(result.out.splitlines())) == (0, 4)
    assert f"✗  {ids[1]}" in result.out


def damage(store: Path, session: str) -> None:
    """Takes the recording's file out of the log's words: another recording in its place."""
    files = sorted(store.glob("sealed/**/*.cast.zst"))
    target = next(path for path in files if path.name.startswith(session))
    other = next(path for path in files if path != target)
    target.write_bytes(other.read_bytes())


def test_json_is_one_document_with_every_field(cli: Run, ids: list[str]) -> None:
    document = json.loads(cli("ls", "--json", "-n", "2").out)
    assert {key: document[key] for key in ("schema", "total", "returned", "complete", "reason")} == {
        "schema": "sealcast.sessions/1",
        "total": 3,
        "returned": 2,
        "complete": False,
        "reason": "limit",
    }
    newest = document["items"][0]
    assert (newest["id"], newest["link"]) == (ids[2], f"sealcast://{ids[2]}")
    assert (newest["title"], newest["exit_status"], newest["live"]) == ("In a terminal", 3, False)
    assert (newest["columns"], newest["rows"]) == (40, 10)
    assert newest["reason"] is None
    assert newest["start"].endswith("Z")


def test_items_are_written_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stdout", written)
    head = {"schema": "x/1", "total": 2}
    objects: list[dict[str, object]] = [
        {"id": "one", "text": "a\nb\x9b", "check": {"state": None}},
        {"id": "two"},
    ]

    def items() -> Iterator[dict[str, object]]:
        for place, item in enumerate(objects):
            assert all(str(earlier["id"]) in written.getvalue() for earlier in objects[:place])
            yield item

    for some in (items(), iter([])):
        written.truncate(0)
        written.seek(0)
        output.write_json_items(head, some)
        found = json.loads(written.getvalue())
        assert written.getvalue() == output.json_text(found) + "\n"
        assert found == {**head, "items": found["items"]}
    assert found["items"] == []


def test_what_is_known_at_the_end_stands_behind_the_items(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[int] = []

    def items() -> Iterator[dict[str, object]]:
        for number in (1, 2):
            seen.append(number)
            yield {"id": number}

    output.write_json_items({"schema": "x/1"}, items(), lambda: {"returned": len(seen), "reason": None})
    text = capsys.readouterr().out
    assert text == output.json_text(json.loads(text)) + "\n"
    assert list(json.loads(text).items())[2:] == [("returned", 2), ("reason", None)]


def test_jsonl_is_one_object_per_line_with_escapes_for_control_bytes(cli: Run, ids: list[str]) -> None:
    lines = cli("ls", "--jsonl", "--sort", "start").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids
    assert "\\u001b[31m" in lines[0]


def test_plain_is_tabs_with_times_and_seconds(cli: Run, ids: list[str]) -> None:
    lines = cli("ls", "--plain", "--columns", "id,start,length,exit", "exit:7").out.splitlines()
    assert lines[0] == "id\tstart\tlength\texit"
    session, start, length, status = lines[1].split("\t")
    assert (session, status) == (ids[0], "7")
    assert start.endswith("Z")
    assert float(length) < 60


def test_signs_in_ascii(cli: Run, store: Path, ids: list[str]) -> None:
    damage(store, ids[1])
    assert cli("ls", "--ascii", "check:bad", "--columns", "check,id").out.splitlines()[1] == f"X  {ids[1]}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--columns", "id,nope"), 'no column "nope"'),
        (("--sort", "nope"), 'no column "nope"'),
    ],
)
def test_unknown_columns_are_refused(cli: Run, store: Path, arguments: tuple[str, ...], said: str) -> None:
    result = cli("ls", *arguments)
    assert result.code == ExitCode.USAGE
    assert said in result.err


def test_an_empty_answer_says_why(cli: Run, store: Path) -> None:
    assert cli("ls", "user:nobody-here").err == "sealcast: no session matches user:nobody-here (3 sessions)\n"


@pytest.mark.parametrize("columns", [30, 44, 60, 80, 200])
def test_ids_are_in_view_on_terminals_of_any_width(ids: list[str], columns: int) -> None:
    child: pexpect.spawn[str] = pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], "ls"],
        env=dict(os.environ),
        dimensions=(24, columns),
        encoding="utf-8",
        timeout=120,
    )
    shown = [click.unstyle(line) for line in child.read().splitlines()]
    child.close()
    rows = [line for line in shown if not line.startswith("3 of 3")]
    for line, session in zip(rows[1:], reversed(ids), strict=True):
        assert session.rpartition("-")[2] in line
        assert len(line) <= columns


def test_no_store_is_no_error_and_makes_none(cli: Run, tmp_path: Path) -> None:
    result = cli("ls", "--store", str(tmp_path / "nothing"))
    assert (result.code, result.out) == (0, "")
    assert result.err == "sealcast: no recordings yet; make one: sealcast rec\n"
    assert not (tmp_path / "nothing").exists()


def test_store_by_option_and_by_environment(
    cli: Run, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    store.rename(elsewhere)
    assert cli("ls", "--count").code == ExitCode.NO
    assert cli("ls", "--count", "--store", str(elsewhere)).out == "3\n"
    monkeypatch.setenv("SEALCAST_STORE", str(elsewhere))
    assert cli("ls", "--count").out == "3\n"


QUESTIONS = [
    ("--json",),
    ("--plain", "--sort", "-length,user", "-n", "3"),
    ("--plain", "-n", "1"),
    ("--jsonl", "user:root OR len:>0s"),
    ("-0", "-is:live"),
    ("--count", "id:nothing"),
]


def test_a_list_from_the_index_is_that_from_the_log(cli: Run, store: Path, ids: list[str]) -> None:
    from_log = [cli("ls", *question).out for question in QUESTIONS]
    assert cli("index", "build").code == 0
    with current_listing(Store(store)) as listing:
        assert listing is not None
    assert [cli("ls", *question).out for question in QUESTIONS] == from_log


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_row_that_is_damaged_is_taken_from_the_log(
    cli: Run, store: Path, ids: list[str], place: int
) -> None:
    questions = [question for question in QUESTIONS if question[0] != "--count"]
    expected = [cli("ls", *question).out for question in questions]
    assert cli("index", "build").code == 0
    with closing(sqlite3.connect(store / "index.db")) as connection, connection:
        connection.execute("UPDATE sessions SET file = '/etc/passwd' WHERE number = ?", (place,))
    found = [cli("ls", *question) for question in questions]
    assert [(result.code, result.out, result.err) for result in found] == [(0, out, "") for out in expected]


def test_a_damaged_index_is_passed_over(cli: Run, store: Path, ids: list[str]) -> None:
    expected = cli("ls", "--plain").out
    assert cli("index", "build").code == 0
    index = store / "index.db"
    whole = index.read_bytes()
    for start in range(4096, len(whole), len(whole) // 8):
        index.write_bytes(whole[:start] + b"\xff" * (len(whole) - start))
        assert cli("ls", "--plain").out == expected
    index.write_bytes(whole[:1000])
    assert cli("ls", "--plain").out == expected


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--json", "-0"), "--json and -0 do not go together"),
        (("--jsonl", "--plain"), "--jsonl and --plain do not go together"),
        (("--count", "--json"), "--json and --count do not go together"),
        (("--count", "-n", "2"), "--limit and --count do not go together"),
    ],
)
def test_no_option_is_ignored_for_another(cli: Run, store: Path, options: tuple[str, ...], said: str) -> None:
    result = cli("ls", *options)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
