"""`sealcast commands`, `cat --commands-only`, and the count of `show`."""

import json
from pathlib import Path

import pytest

from recorder.errors import ExitCode
from tests.cli.conftest import Run

GOLDEN = Path(__file__).parents[1] / "golden" / "commands"
NESTED = str(GOLDEN / "bash-nested_80x24_user.cast")
RAN = ["seq 1 30", "printf 'x%.0s' $(seq 90); echo", r"printf '\033[?1049h\033[Hinside\033[?1049l'"]
RAN += [r"echo kept; printf '\033[H\033[2J'; echo after", "exit 3"]


def test_a_recorded_session(cli: Run, ids: list[str]) -> None:
    result = cli("commands", ids[2], "--json")
    document = json.loads(result.out)
    assert (result.code, document["schema"], document["session"]) == (0, "sealcast.commands/1", ids[2])
    assert [item["text"] for item in document["items"]] == RAN
    assert (document["total"], document["complete"], document["reason"]) == (5, True, None)
    assert document["items"][2]["flags"] == ["full-screen"]
    assert document["items"][0]["exit_status"] is None


def test_nothing_was_typed(cli: Run, ids: list[str]) -> None:
    result = cli("commands", ids[1])
    assert (result.code, result.out) == (ExitCode.NO, "")
    assert "no commands in this recording" in result.err


def test_table_is_indented_by_level(cli: Run, home: Path) -> None:
    lines = cli("commands", NESTED).out.splitlines()
    assert lines[0].split() == ["AT", "LENGTH", "EXIT", "COMMAND"]
    assert [line[line.index("?") + 3 :] for line in lines[1:6]] == [
        "echo out",
        "bash --rcfile $RC",
        "  echo in",
        "  bash --rcfile $RC",
        "    echo deeper",
    ]


def test_lines_for_programs(cli: Run, home: Path) -> None:
    plain = [line.split("\t") for line in cli("commands", NESTED, "--plain").out.splitlines()]
    assert len({len(row) for row in plain}) == 1
    assert (plain[0][0], plain[0][-1], plain[3][-1]) == ("start_s", "command", "echo in")
    items = [json.loads(line) for line in cli("commands", NESTED, "--jsonl").out.splitlines()]
    assert sorted(item["text"] for item in items) == sorted(row[-1] for row in plain[1:])


def test_text_cannot_act_on_the_terminal(cli: Run, home: Path) -> None:
    path = home / "hostile.cast"
    path.write_text(
        '{"version": 2, "width": 80, "height": 24}\n'
        '[0.1, "o", "\\u001b[?2004h$ "]\n[0.5, "o", "echo \\u202e\\u009b31m\\r\\n\\u001b[?2004l"]\n'
    )
    for arguments in (
        ["commands"],
        ["commands", "--plain"],
        ["commands", "--json"],
        ["cat", "--commands-only"],
    ):
        out = cli(*arguments, str(path)).out
        assert "echo" in out
        assert not set(out) & {"\u202e", "\x9b", "\x1b"}


def test_a_part(cli: Run, ids: list[str]) -> None:
    items = json.loads(cli("commands", ids[2], "--json").out)["items"]
    start = items[3]["start_s"]
    assert len(cli("commands", f"{ids[2]}@{start - 0.0001:.6f}", "--plain").out.splitlines()) == 3


def test_cat_and_show(cli: Run, ids: list[str]) -> None:
    assert cli("cat", ids[2], "--commands-only").out.splitlines() == RAN
    assert json.loads(cli("show", ids[2], "--json").out)["commands"] == 5
    assert "commands  5" in cli("show", ids[2]).out


def test_broken_lines_are_said(cli: Run, home: Path) -> None:
    path = home / "broken.cast"
    path.write_text(Path(NESTED).read_text() + "not an event\n")
    result = cli("commands", str(path), "--json")
    document = json.loads(result.out)
    assert (document["complete"], document["reason"]) == (False, "1 unreadable lines")
    assert "1 lines of the recording could not be read" in result.err


@pytest.mark.parametrize(
    ("timestamp", "code"),
    [(252_400_000_000, ExitCode.OK), (253_402_300_799, ExitCode.FORMAT), (2**53, ExitCode.FORMAT)],
)
def test_times_that_no_calendar_has(cli: Run, home: Path, timestamp: int, code: ExitCode) -> None:
    """The header is refused with its line, and a date is found for the latest event of all others."""
    path = home / "late.cast"
    header = {"version": 2, "width": 80, "height": 24, "timestamp": timestamp}
    events = [
        (0.1, "\x1b[?2004h$ "),
        (0.5, "a\r\n\x1b[?2004l"),
        (1e9, "\x1b[?2004h$ "),
        (1e9, "b\r\n\x1b[?2004l"),
    ]
    lines = [header, *([time, "o", text] for time, text in events)]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    for arguments in (
        ["commands", "--plain"],
        ["commands", "--json"],
        ["show"],
        ["export", "--format", "md"],
    ):
        result = cli(*arguments, str(path))
        assert result.code == code
        assert (f"{path}:1: timestamp is not" in result.err) == (code != ExitCode.OK)
    shown = cli("commands", "--plain", str(path)).out.splitlines()[1:]
    assert [line.split("\t")[2][:5] for line in shown] == ["9968-", "9999-"] * (code == ExitCode.OK)
