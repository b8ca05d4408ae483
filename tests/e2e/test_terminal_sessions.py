"""Interactive sessions behave as if no recorder were there, and all of them is in the record."""

import hashlib
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

import pexpect
import pytest

from recorder.cast import events
from recorder.store.catalog import list_sessions
from recorder.store.layout import Store
from recorder.store.state import State
from tests.e2e.sessions import (
    DEADLINE_SECONDS,
    PROMPT,
    Recorded,
    end,
    only_session,
    read,
    recorded,
    recorded_bash,
    run_line,
    terminal,
    wait_for,
)
from tests.marks import needs


def finished(child: "pexpect.spawn[bytes]", status: int = 0) -> Recorded:
    """The session's record, after the session ended with `status` and verified."""
    assert end(child) == status
    found = only_session()
    assert found.verdict.state is State.VERIFIED, found.verdict
    assert found.exit_status == status
    return found


def test_interrupt_stop_and_resume_work_and_ctrl_d_ends_the_shell() -> None:
    with recorded_bash() as child:
        child.send("sh -c 'echo st\"\"arted; exec sleep 1000'\r")
        child.expect_exact("started\r\n")
        child.send("\x03")
        child.expect_exact(PROMPT)
        assert b"130" in run_line(child, "echo status $?")
        child.send("echo up''on; cat\r")  # before bash says this its line editor has let go of the terminal
        child.expect_exact("upon\r\n")
        child.send("reading\r")
        child.expect_exact("reading\r\nreading\r\n")
        child.send("\x1a")
        child.expect_exact("Stopped")
        child.expect_exact(PROMPT)
        child.send("fg\r")
        child.expect_exact("fg\r\n")
        child.expect_exact("cat\r\n")
        child.send("typed\r")
        child.expect_exact("typed\r\ntyped\r\n")
        child.send("\x04")
        child.expect_exact(PROMPT)
        child.send("\x04")
        found = finished(child)
    keys = [key.split()[0] for key in found.data(events.KEY)]
    assert keys.count("ctrl-c") == 1
    assert keys.count("ctrl-d") == 2
    assert b"typed\r\ntyped" in found.output


@pytest.mark.parametrize(("command", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)])
def test_the_exit_status_of_the_shell_is_passed_on_and_recorded(command: str, status: int) -> None:
    with recorded_bash() as child:
        child.send(command + "\r")
        finished(child, status)


def test_what_is_shown_equals_what_is_recorded() -> None:
    with recorded("bash", "--norc", "--noprofile") as child:
        shown = []
        for line in ("echo one; printf '\\xff\\xfe'", "printf '\\xe2\\x82'; printf '\\xac\\n'", "ls -la /"):
            child.expect_exact(PROMPT)
            shown.append((child.before or b"") + PROMPT.encode())
            child.send(line + "\r")
        child.expect_exact(PROMPT)
        shown.append((child.before or b"") + PROMPT.encode())
        child.send("exit\r")
        child.expect(pexpect.EOF)
        shown.append(child.before or b"")
        found = finished(child)
    sealed_note = b"".join(shown).index(b"sealcast: sealed")
    greeting = b"".join(shown).index(b"\r\n") + 2
    assert b"".join(shown)[greeting:sealed_note] == found.output


@needs("vim")
def test_a_resize_reaches_a_full_screen_program_and_the_record() -> None:
    with recorded("vim", "-u", "NONE", "-N", size=(24, 80)) as child:
        child.expect_exact("\x1b[?1049h")
        child.setwinsize(40, 120)

        def has_the_size() -> bool:
            child.send("\x1b:echo 'size' &columns &lines\r")
            return child.expect([pexpect.TIMEOUT, b"size 120 40"], timeout=0.5) == 1

        wait_for(has_the_size, "vim takes up the new size when it is ready to")
        child.send("\x1b:q!\r")
        found = finished(child)
    assert found.data(events.RESIZE) == ["120x40"]
    assert found.header.width == 80


@needs("less", "top", "tmux")
@pytest.mark.parametrize(
    ("command", "sign", "leave"),
    [
        (["less", "/etc/services"], b"ftp", b"q"),
        (["top", "-d", "100"], b"PID", b"q"),
        (["tmux", "-L", "inner", "-f", "/dev/null", "new-session", "sh"], b"[0]", b"exit\r"),
    ],
    ids=["less", "top", "tmux"],
)
def test_full_screen_programs_run_inside(command: list[str], sign: bytes, leave: bytes) -> None:
    with recorded(*command, TMUX_TMPDIR=os.environ["TMPDIR"]) as child:
        child.expect_exact(sign)
        child.send(leave)
        found = finished(child)
    assert sign in found.output


def test_fifty_megabytes_come_through_and_are_recorded_without_loss(tmp_path: Path) -> None:
    source = tmp_path / "bulk"
    line = b"%08d the quick brown fox jumps over the lazy dog 0123456789\n"
    source.write_bytes(b"".join(line % number for number in range(50_000_000 // len(line % 0))))
    expected = hashlib.sha256(source.read_bytes().replace(b"\n", b"\r\n"))
    with recorded("cat", str(source)) as child:
        child.expect_exact("\r\n")  # the greeting
        shown = hashlib.sha256(child.buffer)  # what came with the greeting
        left = source.stat().st_size + source.read_bytes().count(b"\n") - len(child.buffer)
        with suppress(pexpect.EOF):
            while left:
                data = child.read_nonblocking(min(65536, left), timeout=DEADLINE_SECONDS)
                shown.update(data)
                left -= len(data)
        found = finished(child)
    assert hashlib.sha256(found.output).hexdigest() == expected.hexdigest()
    assert left == 0, f"{left} bytes were recorded and not shown; the session ended with {child.exitstatus}"
    assert shown.hexdigest() == expected.hexdigest()


def test_a_character_split_over_two_reads_is_one_character_in_the_record() -> None:
    with recorded("sh", "-c", r"printf '\305'; sleep 0.3; printf '\274\n'") as child:
        found = finished(child)
    assert "".join(found.data(events.OUTPUT)).startswith("ż")
    assert found.output == "ż\r\n".encode()


def test_random_bytes_survive_exactly(tmp_path: Path) -> None:
    source = tmp_path / "random"
    source.write_bytes(os.urandom(65536))
    with recorded("sh", "-c", f"stty raw; cat {source}") as child:
        found = finished(child)
    assert found.output == source.read_bytes()


def test_a_terminal_of_no_size_is_stored_as_it_is() -> None:
    with recorded("stty", "size", size=(0, 0)) as child:
        found = finished(child)
    assert found.output == b"0 0\r\n"
    assert (found.header.width, found.header.height) == (80, 24)
    assert found.header.session is not None
    assert found.header.session.terminal == (0, 0)


def test_a_paste_of_100_kilobytes_arrives_whole(tmp_path: Path) -> None:
    target = tmp_path / "pasted"
    text = b"".join(b"%06d pasted line of text\n" % number for number in range(4000))
    with recorded_bash() as child:
        run_line(child, "bind 'set enable-bracketed-paste on'")
        child.send(f"stty -echo; cat > {target}\r")
        child.expect_exact("\r\n")
        wait_for(target.exists, "cat started")
        for start in range(0, len(text), 1000):
            child.send(text[start : start + 1000])
        child.send("\x04")
        child.expect_exact(PROMPT)
        child.send("exit\r")
        finished(child)
    assert target.read_bytes() == text


def test_a_bracketed_paste_is_marked_and_its_lines_are_not_keys() -> None:
    with recorded_bash() as child:
        child.send("\x1b[200~echo one\necho two\x1b[201~\r")
        child.expect(re.compile(rb"one\r\n.*two\r\n", re.DOTALL))
        child.expect_exact(PROMPT)
        child.send("exit\r")
        found = finished(child)
    keys = [key.split()[0] for key in found.data(events.KEY)]
    assert keys == ["paste-begin", "paste-end", "enter", "enter"]


def test_whether_echo_is_on_stands_with_each_key() -> None:
    script = "stty -echo; echo a secret; read secret; stty echo; echo no secret; read open"
    with recorded("sh", "-c", script) as child:
        child.expect_exact("a secret\r\n")
        child.send("hidden\r")
        child.expect_exact("no secret\r\n")
        child.send("seen\r")
        found = finished(child)
    states = [key.split()[1:] for key in found.data(events.KEY)]
    assert states == [["noecho", "canonical"], ["echo", "canonical"]]
    assert b"hidden" not in b"".join(event.data.encode() for event in found.events if event.code != "o")


def test_a_recording_inside_a_recording_says_so_and_works() -> None:
    with recorded_bash() as child:
        child.send("sealcast rec -- echo inner\r".replace("sealcast", f"{sys.executable} -m recorder.cli"))
        child.expect_exact("already recorded")
        child.expect_exact("inner")
        child.expect_exact(PROMPT)
        child.send("exit\r")
        assert end(child) == 0
    found = [read(session) for session in list_sessions(Store.default())]
    assert sorted(item.verdict.state for item in found) == [State.VERIFIED, State.VERIFIED]
    assert all(b"inner" in item.output for item in found)


def test_the_terminal_gets_its_modes_back() -> None:
    with terminal("bash", "--norc", "--noprofile") as child:
        child.expect_exact(PROMPT)
        before = run_line(child, "stty -a")
        run_line(child, f"{sys.executable} -m recorder.cli rec -- sh -c 'stty raw -echo; echo x'")
        assert run_line(child, "stty -a") == before
        child.send("exit\r")
        end(child)
