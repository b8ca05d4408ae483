"""The program as a whole: what it loads, what it says, how it ends."""

import os
import re
import shlex
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from recorder.cli import main as main_module
from recorder.cli.failures import report
from recorder.cli.main import VERBS, run, sealcast
from recorder.cli.pages import CODES, Verb
from recorder.cli.settings import MachineZone
from recorder.errors import ExitCode, SealcastError
from tests.cli.conftest import COMMAND, Run


def test_without_arguments_and_terminal_it_shows_help_and_exits_2(program: Run) -> None:
    result = program()
    assert (result.code, result.out) == (2, "")
    assert "sealcast rec" in result.err
    assert "\x1b" not in result.err


def test_help_names_every_command_and_answers_on_stdout(program: Run) -> None:
    result = program("--help")
    assert result.code == 0
    for name, entry in VERBS.items():
        assert (f"  {name} " in result.out) is not entry.hidden


@pytest.mark.parametrize("name", [name for name, entry in VERBS.items() if not entry.hidden])
def test_every_command_has_a_page_whose_first_line_is_its_summary(cli: Run, name: str) -> None:
    result = cli(name, "-h")
    assert result.code == 0
    assert result.out.splitlines()[0] == VERBS[name].summary


def _verbs() -> list[Verb]:
    context = click.Context(sealcast)
    found: list[click.Command | None] = [sealcast.get_command(context, name) for name in VERBS]
    for command in list(found):
        if isinstance(command, click.Group):
            found += list(command.commands.values())
    return [command for command in found if isinstance(command, Verb)]


_OTHER_COMMANDS = re.compile(r" \|\|? | >")
_EMBEDDED = re.compile(r"\$\(.*\)")


def _example_lines() -> list[str]:
    lines = [line for verb in _verbs() for line, _about in verb.examples if line.startswith("sealcast ")]
    return [_EMBEDDED.sub("k7f3q9xw", _OTHER_COMMANDS.split(line)[0]) for line in lines]


@pytest.mark.parametrize("line", _example_lines())
def test_examples_parse(line: str) -> None:
    context = sealcast.make_context("sealcast", shlex.split(line)[1:])
    words = [*context._protected_args, *context.args]
    command: click.Command = sealcast
    while isinstance(command, click.Group) and words:
        _name, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    command.make_context(command.name, words, parent=context)


@pytest.mark.parametrize("verb", _verbs(), ids=lambda verb: str(verb.name))
def test_pages_start_with_examples(verb: Verb) -> None:
    assert verb.examples
    assert all(code in CODES for code in verb.codes)


def test_options_of_the_program_go_before_and_after_the_command(store: Path, cli: Run) -> None:
    before, after = cli("--tz", "Asia/Tokyo", "ls", "--wide"), cli("ls", "--wide", "--tz", "Asia/Tokyo")
    assert before.out == after.out
    assert "START (JST)" in after.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("paly", "3f2a"), 'sealcast: no command "paly". Did you mean "play"?\n'),
        (
            ("ls", "--jsonx"),
            'sealcast: no option "--jsonx". Did you mean "--json"?\n  usage: sealcast ls --help\n',
        ),
        (("play",), 'sealcast: missing argument "TARGET[@TIME]"\n  usage: sealcast play --help\n'),
        (("ls", "usr:alice"), 'sealcast: query: no field "usr" (at 1). Did you mean user:alice?\n'),
        (("usr:alice",), 'sealcast: query: no field "usr" (at 1). Did you mean user:alice?\n'),
        (("ls", "--tz", "Mars"), None),
        (
            ("verify",),
            "sealcast: name what to verify: TARGET…, or --all, or --query\n  sealcast verify --all\n",
        ),
        (("help", "nothing"), None),
        (("rec", "--idle-limit", "nan", "--", "true"), None),
        (("rec", "--", ""), "sealcast: the command is empty\n  name a program, or nothing for your shell\n"),
        (
            ("export", "x"),
            'sealcast: missing option "--format". Choose from: cast, cast3, md, txt\n'
            "  usage: sealcast export --help\n",
        ),
    ],
)
def test_wrong_usage_is_one_fact_and_a_next_step(
    cli: Run, arguments: tuple[str, ...], message: str | None
) -> None:
    result = cli(*arguments)
    assert result.code == ExitCode.USAGE
    assert result.out == ""
    assert message is None or result.err == message
    assert result.err.startswith("sealcast: ")


def test_a_query_as_first_word_asks_for_the_library(program: Run) -> None:
    result = program("user:alice", "host:web-*")
    assert result.code == ExitCode.USAGE
    assert result.err == "sealcast: this needs a terminal\n  without one: sealcast ls\n"


def test_a_file_as_first_word_is_not_taken_for_a_query(program: Run, home: Path) -> None:
    (home / "x.cast").write_text("{}")
    result = program("./x.cast")
    assert result.code == ExitCode.USAGE
    assert "sealcast play ./x.cast" in result.err


def test_rec_loads_no_tui_no_index_and_no_database() -> None:
    """A session must start fast."""
    script = (
        "import sys; from recorder.cli.main import sealcast; import click;"
        "assert sealcast.get_command(click.Context(sealcast), 'rec');"
        "slow = ('textual', 'rich', 'sqlite3', 'sqlite_utils', 'pexpect', 'tui', 'recorder.index');"
        "print([name for name in sys.modules if name.startswith(slow)])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_loads_no_command(program: Run) -> None:
    script = (
        "import sys; from recorder.cli.main import run; run(['--help']);"
        "print([name for name in sys.modules if name.startswith('recorder.store')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_a_reader_that_goes_away_ends_it_quietly(store: Path) -> None:
    script = f"{' '.join(COMMAND)} help query | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 141)
    assert done.stderr == ""


def test_output_that_nobody_can_take_is_an_error_not_a_traceback() -> None:
    script = f"{' '.join(COMMAND)} help query > /dev/full"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.TARGET
    assert done.stderr == "sealcast: cannot write to standard output: no space left on device\n"


def test_where_nobody_can_be_told_the_exit_code_still_is() -> None:
    script = f"{' '.join(COMMAND)} nosuch 2> /dev/full"
    assert (
        subprocess.run(["bash", "-c", script], capture_output=True, check=False).returncode == ExitCode.USAGE
    )


def test_local_times_have_the_offset_that_was_in_force_then(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        moments = [
            datetime(2026, 7, 1, 12, tzinfo=UTC),
            datetime(2026, 11, 1, 12, tzinfo=UTC),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        ]
        shown = [f"{moment.astimezone(MachineZone()):%H:%M %Z %z}" for moment in moments]
        again = [moment.astimezone(MachineZone()).astimezone(UTC) for moment in moments]
    time.tzset()
    assert shown == ["14:00 CEST +0200", "13:00 CET +0100", "02:30 CEST +0200", "02:30 CET +0100"]
    assert again == moments


def _broken(*_arguments: object, **_options: object) -> None:
    raise ZeroDivisionError("for\x1b[2J this test")


def test_a_bug_ends_with_a_report_and_no_traceback(
    cli: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_module.sealcast, "main", _broken)
    result = cli("ls")
    reports = list((home / ".local/state/sealcast").glob("report-*.txt"))
    assert result.code == ExitCode.BUG
    assert [oct(path.stat().st_mode & 0o777) for path in reports] == ["0o600"]
    assert "ZeroDivisionError" in reports[0].read_text()
    assert result.err.splitlines() == [
        "sealcast: unexpected failure, ZeroDivisionError: for␛[2J this test",
        f"  the report is in {reports[0]}; -vv prints it",
    ]


def test_vv_prints_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ZeroDivisionError("x"), verbosity=2) == ExitCode.BUG
    assert "ZeroDivisionError: x" in capsys.readouterr().err.splitlines()[-1]


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main_module.sealcast, "main", interrupted)
    assert run(["ls"]) == ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (SealcastError("a fact", "a step", ExitCode.BAD), 4, "sealcast: a fact\n  a step\n"),
        (SealcastError("one\n  two\x1b[2J"), 2, "sealcast: one\n    two␛[2J\n"),
        (PermissionError(13, "Permission denied", "/x/\x1b[2J"), 3, "sealcast: /x/␛[2J: permission denied\n"),
        (BrokenPipeError(32, "Broken pipe"), 141, ""),
        (click.Abort(), 130, ""),
    ],
)
def test_errors_become_lines_and_exit_codes(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int, text: str
) -> None:
    assert report(error) == code
    assert capsys.readouterr().err == text


def test_version(cli: Run) -> None:
    assert cli("--version").out.startswith("sealcast 0.1.0 (Python 3.")
    assert cli("ls", "--version").code == 0


def test_modules_of_the_current_directory_are_not_imported(program: Run, home: Path) -> None:
    (home / "click.py").write_text("raise SystemExit(99)")
    assert program("--version").code == 0
    assert os.listdir(home) == ["click.py"]
