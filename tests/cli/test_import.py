"""`sealcast import` with files that the real programs made, just now."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from recorder.cli.main import run as run_main
from recorder.cli.main import sealcast
from recorder.cli.settings import Settings
from tests.host.namespaces import needs_namespaces
from tests.marks import needs

TEXT = r"stty cols 90 rows 20 2>/dev/null; printf 'h\303\251llo \377\n'; sleep 0.1; echo the-end"


def imported(capsys: pytest.CaptureFixture[str], *names: str) -> list[dict[str, Any]]:
    """Import what should go well; the sessions that are there now."""
    assert run_main(["import", *names]) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert run_main(["ls", "--json"]) == 0
    return list(json.loads(capsys.readouterr().out)["items"])


def text_of(capsys: pytest.CaptureFixture[str], session: dict[str, Any]) -> str:
    capsys.readouterr()
    assert run_main(["cat", str(session["id"])]) == 0
    return capsys.readouterr().out


def words_of(capsys: pytest.CaptureFixture[str], session: dict[str, Any]) -> list[str]:
    """What it shows, but for the end of input that script types and the terminal may echo."""
    return re.sub(r"\^[@D]", "", text_of(capsys, session)).split()


def is_unsigned(capsys: pytest.CaptureFixture[str], session: dict[str, Any]) -> bool:
    capsys.readouterr()
    assert run_main(["verify", session["id"], "--json"]) == 5
    item = json.loads(capsys.readouterr().out)["items"][0]
    return bool(item["check"]["state"] == "unsigned")


def on_a_terminal(command: Sequence[str], folder: Path) -> None:
    """Run it with a terminal of its own, which script makes."""
    line = " ".join(f"'{word}'" for word in command)
    subprocess.run(
        ["script", "-qec", line, "/dev/null"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env=os.environ | {"SHELL": "/bin/sh"},
    )


@needs("ttyrec", "script")
def test_ttyrec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "do").write_text(TEXT)
    on_a_terminal(["ttyrec", "-e", "sh do", "old.ttyrec"], tmp_path)
    (session,) = imported(capsys, str(tmp_path / "old.ttyrec"), "--user", "alice", "--host", "web-03")
    assert (session["user"], session["host"]) == ("alice", "web-03")
    assert 0.05 < session["duration_s"] < 5
    assert words_of(capsys, session) == ["héllo", "\ufffd", "the-end"]
    assert is_unsigned(capsys, session)


@needs("script")
@pytest.mark.parametrize("form", ["classic", "advanced"])
def test_script(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    (tmp_path / "do").write_text(f"{TEXT}; exit 3")
    command = ["script", "-q", "-m", form, "-T", "times.tm", "-c", "sh do", "times.ts"]
    subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    (session,) = imported(capsys, str(tmp_path / "times.ts"))
    assert (session["exit_status"], session["command"]) == (3, "sh do")
    assert 0.05 < session["duration_s"] < 5
    assert words_of(capsys, session) == ["héllo", "\ufffd", "the-end"]
    assert is_unsigned(capsys, session)


@needs("script")
@pytest.mark.parametrize("logs", [["-I", "typed", "-O", "shown"], ["-B", "both"]])
def test_script_with_input(tmp_path: Path, capsys: pytest.CaptureFixture[str], logs: list[str]) -> None:
    command = ["script", "-q", *logs, "-T", "times", "-c", "cat"]
    subprocess.run(command, cwd=tmp_path, input=b"typed text\n\x04", capture_output=True, check=False)
    names = [str(tmp_path / name) for name in ("times", *logs[1::2])]
    (session,) = imported(capsys, *names)
    assert "typed text" in text_of(capsys, session)
    assert run_main(["import", *names]) == 0
    assert "is here already" in capsys.readouterr().err


@needs("tlog-rec")
def test_tlog(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "do").write_text(TEXT)
    command = ["tlog-rec", "--writer=file", "--file-path=log.json", "--", "sh", "do"]
    subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    (session,) = imported(capsys, str(tmp_path / "log.json"))
    message = json.loads((tmp_path / "log.json").read_text().splitlines()[0])
    assert (session["user"], session["host"]) == (message["user"], message["host"])
    assert words_of(capsys, session) == ["héllo", "\ufffd", "the-end"]
    assert is_unsigned(capsys, session)


OWN_UTMP = """\
mount -t tmpfs -o mode=755 tmpfs /run
: > /run/utmp
chgrp utmp /run/utmp
chmod 664 /run/utmp
script -qec 'stty cols 90 rows 20; tlog-rec --writer=file --file-path=log.json sh do' /dev/null
"""
"""tlog does not record on a terminal where logins are not kept, as in containers."""


@needs("tlog-rec", "script")
@needs_namespaces
def test_tlog_on_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "do").write_text("stty cols 100 rows 30; sleep 0.1; echo the-end")
    subprocess.run(
        ["unshare", "--mount", "sh", "-ec", OWN_UTMP],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        env=os.environ | {"SHELL": "/bin/sh"},
    )
    (session,) = imported(capsys, str(tmp_path / "log.json"))
    assert session["duration_s"] > 0.05
    assert words_of(capsys, session) == ["the-end"]


@needs("asciinema")
def test_asciinema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "do").write_text("echo héllo; sleep 0.1; echo the-end")
    command = ["asciinema", "rec", "-q", "-t", "Old one", "-c", "sh do", "old.cast"]
    subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    (session,) = imported(capsys, str(tmp_path / "old.cast"))
    assert session["title"] == "Old one"
    assert words_of(capsys, session) == ["héllo", "the-end"]
    assert is_unsigned(capsys, session)


SUDOERS = """\
Defaults log_output, log_input, !fqdn, iolog_dir={folder}/io, {more}
root ALL=(ALL:ALL) NOPASSWD: ALL
"""


@needs("sudo", "script")
@needs_namespaces
@pytest.mark.parametrize("more", ["compress_io", "!compress_io"])
def test_sudo(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str) -> None:
    """With a sudoers file that only these processes see."""
    (tmp_path / "sudoers").write_text(SUDOERS.format(folder=tmp_path, more=more))
    (tmp_path / "sudoers").chmod(0o440)
    (tmp_path / "do").write_text(TEXT)
    lines = (
        f"mount --bind {tmp_path}/sudoers /etc/sudoers",
        "script -qec 'sudo sh do' /dev/null",
        "echo from-a-pipe | sudo cat | cat",
    )
    subprocess.run(
        ["unshare", "--mount", "sh", "-ec", "\n".join(lines)],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        env=os.environ | {"SHELL": "/bin/sh"},
    )
    folders = sorted(str(path.parent) for path in (tmp_path / "io").rglob("timing"))
    piped, shown = sorted(imported(capsys, *folders), key=lambda session: str(session["command"]))
    assert (shown["user"], shown["command"].split()[1:]) == ("root", ["do"])
    assert words_of(capsys, shown) == ["héllo", "\ufffd", "the-end"]
    assert words_of(capsys, piped) == ["from-a-pipe"]
    assert is_unsigned(capsys, shown)
    shutil.copy(tmp_path / "sudoers", tmp_path / "io" / "ttyout")
    assert run_main(["import", str(tmp_path / "io")]) == 7
    assert "name the directories that have a file called timing" in capsys.readouterr().err


@pytest.fixture
def cast(tmp_path: Path) -> Path:
    path = tmp_path / "old.cast"
    path.write_text('{"version": 2, "width": 80, "height": 24}\n[0.5, "o", "$ make all\\r\\n"]\n')
    os.utime(path, (1_788_264_005, 1_788_264_005))
    return path


def test_what_is_damaged_keeps_out_nothing_else(
    cast: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad").write_text("nothing of use\n")
    assert run_main(["import", str(tmp_path / "bad"), str(cast), str(tmp_path / "gone")]) == 6
    captured = capsys.readouterr()
    assert f"{tmp_path}/bad: is not a tlog" in captured.err
    assert "if you know what it is: --format" in captured.err
    assert f"cannot read {tmp_path}/gone: no such file" in captured.err
    assert len(captured.out.splitlines()) == 1


@pytest.mark.parametrize(("name", "code"), [("bad", 7), ("gone", 3)])
def test_a_lone_failure_keeps_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, code: int
) -> None:
    (tmp_path / "bad").write_text("nothing of use\n")
    assert run_main(["import", str(tmp_path / name)]) == code
    assert not capsys.readouterr().out
    assert not os.path.exists(os.environ["SEALCAST_HOME"])


def test_a_dry_run_makes_no_store(cast: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(["import", "--dry-run", str(cast)]) == 0
    assert capsys.readouterr().out == f"not imported  asciicast  ?@?  2026-09-01 12:00  0.5s  {cast}\n"
    assert not os.path.exists(os.environ["SEALCAST_HOME"])


def test_what_the_person_knows_better(cast: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (session,) = imported(
        capsys, str(cast), "--user", "bob\x1b[31m", "--host", "db-1", "--start", "2025-01-02T03:04:05+01:00"
    )
    assert (session["host"], session["start"]) == ("db-1", "2025-01-02T02:04:05.000Z")
    capsys.readouterr()
    assert run_main(["ls"]) == 0
    listed = capsys.readouterr().out.splitlines()[1]
    assert listed.startswith("–")
    assert "\x1b" not in listed


def test_a_start_that_is_none(cast: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(["import", str(cast), "--start", "yesterday"]) == 2
    assert '--start "yesterday" is no date' in capsys.readouterr().err


def test_a_start_that_is_yet_to_come(cast: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(["import", "--start", "9998-05-06T07:08", str(cast)]) == 7
    said = capsys.readouterr().err
    assert said.startswith(
        f"sealcast: {cast}: starts on 9998-05-06, which is yet to come\n  say when it was: "
    )
    assert imported(capsys, "--start", "2024-05-06T07:08", str(cast))


def test_a_typescript_without_times_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "typescript").write_text("Script started on 2026-09-01 14:00:05+02:00\nhello\r\n")
    (session,) = imported(capsys, str(tmp_path / "typescript"))
    assert text_of(capsys, session).strip() == "hello"
    assert (session["start"], session["duration_s"]) == ("2026-09-01T12:00:05.000Z", 0.0)
    result = CliRunner().invoke(
        sealcast, ["import", "--dry-run", str(tmp_path / "typescript")], obj=Settings()
    )
    assert "there are no times for it" in result.stderr


@needs("script")
def test_what_was_typed_leads_to_what_was_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "do").write_text(TEXT)
    logs = ["--log-out", "a.out", "--log-in", "a.in", "--log-timing", "a.tm"]
    subprocess.run(
        ["script", "-q", *logs, "-c", "sh do"],
        cwd=tmp_path,
        input=b"typed\n",
        capture_output=True,
        check=False,
    )
    (session,) = imported(capsys, str(tmp_path / "a.in"))
    assert words_of(capsys, session)[-1] == "the-end"
    assert run_main(["import", str(tmp_path / "a.out")]) == 0
    assert "a.out is here already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "{}: is empty"),
        (b"BZh91AY&SY", "unpack it: bunzip2 -k {}"),
        (b"\xfd7zXZ\0\0\4", "unpack it: unxz -k {}"),
        (b"PK\3\4\x14\0", "unpack it: unzip {}"),
    ],
)
def test_what_is_no_recording_is_told_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    path = tmp_path / "old"
    path.write_bytes(content)
    assert run_main(["import", str(path)]) == 7
    assert said.format(path) in capsys.readouterr().err


def test_standard_input_is_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(["import", "-"]) == 3
    assert "import reads files, not standard input\n  write it into a file first" in capsys.readouterr().err


def test_what_is_here_already_is_not_changed(cast: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (session,) = imported(capsys, str(cast))
    capsys.readouterr()
    assert run_main(["import", str(cast), "--user", "bob", "--start", "2025-01-02"]) == 0
    assert capsys.readouterr().err.endswith(
        f"{cast} is here already: {session['id']}; --user and --start changed nothing\n"
    )


@pytest.mark.parametrize("option", ["--user", "--host"])
def test_names_have_a_length(cast: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert run_main(["import", str(cast), option, "a" * 256]) == 2
    assert f"{option} is longer than 255 characters" in capsys.readouterr().err


def test_a_start_before_time(cast: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(["import", str(cast), "--start", "1960-01-01"]) == 7
    assert f"{cast}: starts before 1970" in capsys.readouterr().err
