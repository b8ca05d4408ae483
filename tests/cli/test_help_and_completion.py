"""`sealcast help` and `sealcast completion`."""

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from recorder.cli.topics import TOPICS
from recorder.errors import ExitCode
from recorder.index.terms import FIELDS
from tests.cli.conftest import COMMAND, Run
from tests.marks import needs


@pytest.mark.parametrize("topic", TOPICS)
def test_topics_fit_a_terminal(cli: Run, topic: str) -> None:
    result = cli("help", topic)
    assert result.code == 0
    assert all(len(line) <= 110 for line in result.out.splitlines())


def test_the_query_topic_names_every_field(cli: Run) -> None:
    out = cli("help", "query").out
    assert all(f"  {name}:" in out for name in FIELDS if name != "state")


def test_the_exit_topic_names_every_code(cli: Run) -> None:
    out = cli("help", "exit").out
    assert all(f"{int(code):3}  " in out for code in (*ExitCode, 141))


def test_the_key_map_is_that_of_the_screens(cli: Run) -> None:
    document = json.loads(cli("help", "keys", "--json").out)
    player = document["screens"]["Player"]["Playback"]
    assert {"keys": "← →", "action": "5 seconds"} in player
    text = cli("help", "keys").out
    assert all(entry["action"] in text for entry in player)
    assert cli("help", "ls", "--json").code == ExitCode.USAGE


def test_help_of_a_command_is_its_page(cli: Run) -> None:
    assert cli("help", "ls").out == cli("ls", "--help").out


def test_help_alone_is_the_overview(cli: Run) -> None:
    assert cli("help").out == cli("--help").out


def complete(program: Run, shell: str, *words: str) -> str:
    line = " ".join(["sealcast", *words])
    extra = {"_SEALCAST_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    return program(extra=extra).out


def test_commands_and_ids_are_completed_newest_first(program: Run, ids: list[str]) -> None:
    assert complete(program, "bash", "ver") == "plain,verify\n"
    found = complete(program, "zsh", "play", "2").splitlines()
    assert found[1::3] == list(reversed(ids))
    assert "@" in found[2]


def test_ids_are_completed_the_same_with_an_index(program: Run, store: Path, ids: list[str]) -> None:
    before = complete(program, "bash", "show", "2")
    assert program("index", "build").code == 0
    assert complete(program, "bash", "show", "2") == before
    assert complete(program, "bash", "show", ids[1][:-1]) == f"plain,{ids[1]}\n"
    assert program("rec", "--", "true").code == 0
    assert len(complete(program, "bash", "show", "2").splitlines()) == len(ids) + 1
    (store / "index.db").write_bytes(b"no index" * 1000)
    assert len(complete(program, "bash", "show", "2").splitlines()) == len(ids) + 1


def test_without_a_store_files_are_completed(program: Run) -> None:
    assert complete(program, "bash", "play", "x") == "file,x\n"


@pytest.mark.parametrize(
    "shell",
    [
        "bash",
        pytest.param("zsh", marks=needs("zsh")),
        pytest.param("fish", marks=needs("fish")),
    ],
)
def test_scripts_are_valid_in_their_shell(program: Run, shell: str, tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(program("completion", shell).out)
    assert script.read_text()
    done = subprocess.run([shell, "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_completion_in_bash_itself(program: Run, tmp_path: Path, ids: list[str]) -> None:
    (tmp_path / "sealcast").write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    (tmp_path / "sealcast").chmod(0o755)
    (tmp_path / "script").write_text(program("completion", "bash").out)
    ask = (
        f"PATH={tmp_path}:$PATH; source {tmp_path}/script;"
        f" COMP_WORDS=(sealcast show {ids[0][:16]}); COMP_CWORD=2;"
        " _sealcast_completion sealcast; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert ids[0] in done.stdout.splitlines()


def test_fields_of_a_query_are_completed(program: Run) -> None:
    found = complete(program, "bash", "ls", "!us").splitlines()
    assert found == ["plain,!user:", "plain,!user:alice,bob"]
    assert "plain,took:" in complete(program, "bash", "search", "user:bob", "t").splitlines()
    assert complete(program, "bash", "ls", "nothing").strip() == ""


def test_values_of_a_query_are_completed_from_the_index(program: Run, store: Path) -> None:
    assert complete(program, "zsh", "ls", "user:").strip() == ""
    assert program("index", "build").code == 0
    with closing(sqlite3.connect(store / "index.db")) as connection:
        connection.execute("UPDATE sessions SET user = 'bob', source_ip = 'a b' WHERE number = 1")
        connection.execute("UPDATE sessions SET user = 'bo;b' WHERE number = 2")
        connection.commit()
    assert complete(program, "zsh", "search", "user:b").splitlines()[1:] == [r"user\:bob", "1 session"]
    assert complete(program, "bash", "ls", "user", ":", "b") == "plain,bob\n"
    assert "plain,bob" in complete(program, "bash", "ls", "user", ":").splitlines()
    assert complete(program, "bash", "ls", "user", ":", "alice,b") == "plain,alice,bob\n"
    assert complete(program, "bash", "ls", "from", ":", "a").strip() == ""


def test_flags_and_states_are_completed(program: Run) -> None:
    assert "plain,check:verified" in complete(program, "bash", "ls", "check:v").splitlines()
    assert "plain,is:nocommands" in complete(program, "bash", "pick", "is:n").splitlines()
    assert complete(program, "bash", "ls", "cmd:k").strip() == ""


def test_a_damaged_index_completes_nothing(program: Run, store: Path) -> None:
    (store / "index.db").write_bytes(b"no index" * 1000)
    result = complete(program, "bash", "ls", "user:a")
    assert result.strip() == ""
