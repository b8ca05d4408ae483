"""`sealcast search`, and `ls` with commands in its query, over real recordings."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from recorder.cli.search_rows import place
from recorder.errors import ExitCode
from recorder.store.layout import Store
from recorder.store.targets import parse_time
from tests.cli.conftest import Run
from tests.cli.test_terminal import in_terminal
from tests.index.casts import session, show
from tests.index.recorded import record
from tests.store.recordings import Worker

_SEQ = 'cmd:"seq 1"'


def test_a_first_search_makes_the_index_and_answers_with_links(cli: Run, ids: list[str]) -> None:
    result = cli("search", _SEQ)
    line, *more = result.out.splitlines()
    assert (result.code, more) == (ExitCode.OK, [])
    assert re.match(
        rf"{ids[2]}@[0-9.]+s +\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  \S+ +\S+ +exit \S+ +seq 1 30$", line
    )
    assert result.err == ""


def test_the_link_opens_at_the_moment(cli: Run, ids: list[str]) -> None:
    found = json.loads(cli("search", "--jsonl", _SEQ).out)
    moment = float(found["link"].rpartition("@")[2].removesuffix("s"))
    assert found["t_s"] <= moment < found["t_s"] + 0.1
    assert found["id"] == ids[2]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (4.25, "4.3s"),
        (59.99, "1m00s"),
        (905.0, "15m05s"),
        (905.01, "15m05.1s"),
        (3723.5, "1h02m03.5s"),
    ],
)
def test_places_are_read_back_at_or_just_after_the_moment(seconds: float, text: str) -> None:
    assert place(seconds) == text
    assert 0 <= parse_time(text) - seconds < 0.1


def test_output_is_found_with_the_lines_that_match(cli: Run, store: Path) -> None:
    result = cli("search", "out:after")
    assert result.out.splitlines()[1].strip() == "after"
    assert [line.strip() for line in cli("search", "-C", "2", _SEQ).out.splitlines()[1:]] == ["1", "2"]


def test_what_no_command_wrote_is_found_with_its_moment(cli: Run, store: Path) -> None:
    session = record(Store(store), [("true", "")])
    link, *more = cli("search", "welcome").out.splitlines()
    assert re.match(rf"{session}@[0-9.]+s .* -  +\(no command\)$", link)
    assert [line.strip() for line in more] == ["Welcome to web"]
    (item,) = json.loads(cli("search", "--json", "out:welcome").out)["items"]
    assert (item["text"], item["exit_status"], item["link"].startswith(f"sealcast://{session}@")) == (
        None,
        None,
        True,
    )
    assert cli("search", "out:welcome", "exit:?").code == ExitCode.NO
    assert cli("search", "--plain", "welcome").out.splitlines()[1].endswith("\t")
    assert session[-8:] in cli("ls", "out:welcome").out


def test_no_match_is_exit_code_1(cli: Run, store: Path) -> None:
    result = cli("search", "zzz-nothing")
    assert (result.code, result.out) == (ExitCode.NO, "")
    assert cli("search", "--count", "zzz-nothing").out == "0\n"


def test_a_bad_query_is_exit_code_2(cli: Run, store: Path) -> None:
    result = cli("search", "usr:alice")
    assert result.code == ExitCode.USAGE
    assert result.err == 'sealcast: query: no field "usr" (at 1). Did you mean user:alice?\n'


def test_without_update_a_store_without_index_is_exit_code_3(cli: Run, store: Path) -> None:
    result = cli("search", "--no-update", "seq")
    assert result.code == ExitCode.TARGET
    assert "sealcast index build" in result.err


def test_a_damaged_index_is_exit_code_7(cli: Run, store: Path) -> None:
    (store / "index.db").write_bytes(b"SQLite format 3\0" + b"x" * 8192)
    result = cli("search", "seq")
    assert result.code == ExitCode.FORMAT
    assert "sealcast index rebuild" in result.err


def test_an_index_that_lacks_a_table_is_exit_code_7(cli: Run, store: Path) -> None:
    cli("index", "build", "--output")
    with closing(sqlite3.connect(store / "index.db")) as connection:
        connection.execute("DROP TABLE outputs_fts")
    for command in ("search", "ls"):
        result = cli(command, "out:after")
        assert (result.code, result.out) == (ExitCode.FORMAT, "")
        assert "the index is damaged: no such" in result.err
        assert "make it anew: sealcast index rebuild" in result.err


def test_a_newer_index_is_exit_code_7(cli: Run, store: Path) -> None:
    cli("search", "seq")
    connection = sqlite3.connect(store / "index.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert cli("search", "seq").code == ExitCode.FORMAT


_WITHOUT_A_BYTE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from recorder.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def test_a_full_disk_does_not_keep_from_searching(store: Path, program: Run) -> None:
    """Where no byte can be written, the files that SQLite's readers share cannot be made."""
    program("index", "build", "--output")
    command = [sys.executable, "-P", "-c", _WITHOUT_A_BYTE, "search", "--count", _SEQ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1\n", "")


def test_json_is_one_document_with_honest_counts(cli: Run, ids: list[str]) -> None:
    document = json.loads(cli("search", "--json", "-n", "1", "host:*").out)
    assert {key: document[key] for key in ("schema", "returned", "sessions", "complete", "reason")} == {
        "schema": "sealcast.matches/1",
        "returned": 1,
        "sessions": 3,
        "complete": False,
        "reason": "limit",
    }
    assert document["items"][0]["id"] == ids[2]
    assert list(document)[:3] == ["schema", "query", "items"]  # written as they come, the counts behind them
    whole = json.loads(cli("search", "--json", _SEQ).out)
    assert (whole["total"], whole["complete"], whole["searched"]) == (1, True, 3)


def test_plain_and_sessions_and_limit(cli: Run, ids: list[str]) -> None:
    lines = cli("search", "--plain", _SEQ).out.splitlines()
    assert lines[0].split("\t")[:2] == ["link", "started"]
    assert lines[1].split("\t")[-1] == "seq 1 30"
    sessions = cli("search", "--sessions", "host:*").out.splitlines()
    assert any(line.startswith(ids[2]) and line.endswith(" matches") for line in sessions)
    assert len(cli("search", "--sessions", "-n", "1", "host:*").out.splitlines()) == 1


def test_sessions_in_every_form(cli: Run, ids: list[str]) -> None:
    header, *lines = cli("search", "--sessions", "--plain", "host:*").out.splitlines()
    assert header.split("\t") == ["link", "start", "user", "host", "matches"]
    assert [line.partition("@")[0] for line in lines] == [ids[2], ids[1], ids[0]]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", lines[0].split("\t")[1])
    document = json.loads(cli("search", "--sessions", "--json", "host:*").out)
    assert (document["total"], document["returned"], document["complete"]) == (3, 3, True)
    assert cli("search", "--sessions", "--count", "host:*").out == "3\n"


def test_sessions_up_to_a_limit_are_called_cut(cli: Run, ids: list[str]) -> None:
    document = json.loads(cli("search", "--sessions", "--json", "-n", "2", "host:*").out)
    assert [item["id"] for item in document["items"]] == [ids[2], ids[1]]
    assert (document["total"], document["complete"], document["reason"]) == (None, False, "limit")
    every = json.loads(cli("search", "--sessions", "--json", "-n", "3", "host:*").out)
    assert (every["total"], every["complete"], every["reason"]) == (3, True, None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--json", "--jsonl"), "--json and --jsonl do not go together"),
        (("--plain", "--json"), "--plain and --json do not go together"),
        (("--count", "--json"), "--json and --count do not go together"),
        (("--count", "-n", "3"), "--limit and --count do not go together"),
        (("--count", "-C", "3"), "--context and --count do not go together"),
        (("--sessions", "-C", "3"), "--context and --sessions do not go together"),
    ],
)
def test_no_option_is_ignored_for_another(cli: Run, store: Path, options: tuple[str, ...], said: str) -> None:
    result = cli("search", *options, "host:*")
    assert (result.code, result.out) == (ExitCode.USAGE, "")
    assert said in result.err


def test_what_is_not_indexed_makes_the_answer_incomplete(cli: Run, ids: list[str], program: Run) -> None:
    assert cli("search", "--count", _SEQ).out == "1\n"
    program("rec", "-q", "--", "echo", "third")
    document = json.loads(cli("search", "--no-update", "--json", _SEQ).out)
    assert (document["total"], document["complete"]) == (None, False)
    assert document["reason"] == "1 session is not indexed"


def test_sessions_without_output_make_the_answer_incomplete(cli: Run, ids: list[str]) -> None:
    assert cli("index", "build").code == ExitCode.OK
    assert json.loads(cli("search", "--json", _SEQ).out)["complete"]
    document = json.loads(cli("search", "--json", "out:after").out)
    assert (document["complete"], document["reason"]) == (False, "3 sessions have no output in the index")


def test_what_a_killed_build_has_taken_in_is_not_called_missing(
    cli: Run, store: Path, ids: list[str]
) -> None:
    cli("index", "build", "--output")
    with closing(sqlite3.connect(store / "index.db")) as connection:
        connection.execute("DELETE FROM meta WHERE key <> 'output'")
        connection.execute("UPDATE sessions SET extractor = 0 WHERE id = ?", (ids[0],))
        connection.commit()
    result = cli("search", "--no-update", "--count", _SEQ)
    assert (result.out, result.err) == ("1\n", "sealcast: 1 session is not indexed: sealcast index build\n")


def test_what_cannot_be_read_makes_the_answer_incomplete(cli: Run, store: Path, ids: list[str]) -> None:
    Store(store).sealed_path(ids[0]).write_bytes(b"no recording")
    result = cli("search", "--json", _SEQ)
    document = json.loads(result.out)
    assert (document["complete"], document["reason"]) == (False, "1 recording could not be read to the end")
    assert "1 recording could not be read to the end: sealcast index status" in result.err


def test_a_small_operator_is_pointed_out_where_nothing_is_found(cli: Run, store: Path) -> None:
    result = cli("search", "nothing and nowhere")
    assert result.code == ExitCode.NO
    assert '"and" was looked for as a word; the operator is AND' in result.err
    assert "operator" not in cli("search", 'nothing "and" nowhere').err


def test_a_full_disk_behind_the_output_is_one_sentence(store: Path, program: Run) -> None:
    program("index", "build", "--output")
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-P", "-m", "recorder.cli", "search", "--jsonl", "host:*"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == ExitCode.TARGET
    assert ended.stderr.splitlines() == ["sealcast: cannot write to standard output: no space left on device"]


def test_on_a_terminal_counts_stand_below(ids: list[str]) -> None:
    code, text = in_terminal("search", _SEQ)
    assert code == ExitCode.OK
    assert ids[2].rpartition("-")[2] + "@" in text
    assert "1 match in 1 session of 3 searched." in text
    text = in_terminal("search", _SEQ, "after:2020-01-02T03:04+01:00")[1]
    assert "1 match in 1 session of 3 searched (after 2020-01-02 02:04 UTC)." in text
    text = in_terminal("search", "-n", "1", "host:*")[1]
    assert re.search(
        r"\d+ match(es)? in [123] sessions? of [123] searched.* The first is shown; more: -n 100", text
    )
    text = in_terminal("search", "nowhere-to-be-found")[1]
    assert "no match for nowhere-to-be-found in 3 sessions: commands and output were searched" in text


def test_recorded_control_bytes_are_pictures(cli: Run, store: Path) -> None:
    assert "\x1b" not in cli("search", "host:*").out
    assert "\x1b" not in cli("search", "--jsonl", "-C", "5", "host:*").out


def test_ls_finds_sessions_by_their_commands_and_output(cli: Run, ids: list[str]) -> None:
    assert cli("ls", _SEQ, "-0").out == f"{ids[2]}\0"
    assert cli("ls", "cmd:printf out:xxx", "-0").out == f"{ids[2]}\0"
    assert cli("ls", f"{_SEQ} exit:99", "--count").code == ExitCode.NO
    assert ids[2] not in cli("ls", f"-{_SEQ}", "-0").out
    assert cli("ls", "upgrade", "-0").out == f"{ids[0]}\0"
    assert cli("ls", f"check:ok {_SEQ}", "--columns", "check,id").out.splitlines()[1] == f"✓  {ids[2]}"


def test_ls_without_an_index_says_what_it_does_not_look_at(cli: Run, ids: list[str]) -> None:
    result = cli("ls", "upgrade", "-0")
    assert result.out == f"{ids[0]}\0"
    assert "commands and output are not looked at" in result.err


def test_what_is_new_is_found_and_what_is_not_indexed_is_told(cli: Run, ids: list[str], program: Run) -> None:
    assert cli("search", "--count", _SEQ).out == "1\n"
    program("rec", "-q", "--", "echo", "third")
    stale = cli("search", "--no-update", "--count", _SEQ)
    assert stale.out == "1\n"
    assert "1 session is not indexed: sealcast index build" in stale.err
    assert cli("search", "--count", _SEQ).err == ""
    assert json.loads(cli("search", "--json", _SEQ).out)["sessions"] == 4


def test_what_goes_on_is_read_again(cli: Run, store: Path) -> None:
    worker = Worker(Store(store))
    show(worker, session([("echo first-words", "first-words\r\n")]))
    assert cli("search", "--count", "cmd:first-words").out == "1\n"
    show(worker, session([("echo second-words", "second-words\r\n")])[1:])
    assert cli("search", "--count", "cmd:second-words").out == "1\n"
    worker.finish()
    worker.close()


def test_what_was_passed_over_is_not_indexed(
    cli: Run, store: Path, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("index", "build", "--output", "--since=2099-01-01").code == 0
    told = "3 sessions are not indexed: sealcast index build"
    assert told in cli("search", "--no-update", "--count", _SEQ).err
    with monkeypatch.context() as patch:
        patch.setattr("recorder.cli.indexes._FEW", 2)
        assert told in cli("search", "--count", _SEQ).err
    assert cli("search", "--count", _SEQ).out == "1\n"
    assert cli("index", "status", "-q").code == 0


def test_an_index_of_another_log_is_not_taken_for_this_one(
    cli: Run, store: Path, ids: list[str], tmp_path: Path
) -> None:
    kept = shutil.copytree(store / "log", tmp_path / "log")
    lost = record(Store(store), [("echo lost-words", "")])
    assert cli("search", "--count", "cmd:lost-words").out == "1\n"
    shutil.rmtree(store / "log")
    shutil.copytree(kept, store / "log")
    Store(store).sealed_path(lost).unlink()
    stale = cli("search", "--no-update", "--count", "cmd:lost-words")
    assert f"{len(ids)} sessions are not indexed: sealcast index build" in stale.err
    assert cli("search", "--count", "cmd:lost-words").out == "0\n"


def test_the_time_is_bounded(cli: Run, store: Path) -> None:
    cli("search", "seq")
    connection = sqlite3.connect(store / "index.db")
    connection.executemany(
        "INSERT INTO stretches (session, ordinal, start, started, text, level, evidence) "
        "VALUES ((SELECT max(key) FROM sessions), ?, 0, 0, ?, 0, 'screen')",
        ((n + 1000, "x" * 5000) for n in range(20_000)),
    )
    connection.commit()
    connection.close()
    result = cli("search", "--no-update", "--timeout", "0.05", "cmd:/[a-w]+[0-9]q/")
    assert result.code == ExitCode.SOME
    assert "pattern too slow, add a plain word" in result.err
