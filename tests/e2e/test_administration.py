"""Administration of a bastion: who is there, the sight and the end of a session, limits, leftovers."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recorder.cast import events
from recorder.log import entries
from recorder.store.state import State
from tests.e2e.bastion import SYSTEM_PYTHON, Bastion, bastion
from tests.e2e.corpus import NEEDS_BASTION, PROMPT
from tests.e2e.sessions import end, run_line, terminal, wait_for

pytestmark = NEEDS_BASTION


@pytest.fixture
def host() -> Iterator[Bastion]:
    with bastion() as host:
        yield host


def sealcast(host: Bastion, *arguments: str, user: str = "root") -> "subprocess.CompletedProcess[str]":
    """A command about this bastion, as that user would run it."""
    command = _command(host, *arguments, user=user)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd="/")


def _command(host: Bastion, *arguments: str, user: str = "root") -> list[str]:
    become = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
    path = ["env", f"PYTHONPATH={host.base / 'program'}", f"HOME={host.base}"]
    verb, *rest = arguments
    program = [SYSTEM_PYTHON, "-P", "-m", "recorder.cli", verb, "--socket", str(host.socket)]
    return [*become, *path, *program, *rest]


def live(host: Bastion) -> list[dict[str, Any]]:
    done = sealcast(host, "sessions", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["total"] == len(found["items"])
    return list(found["items"])


def logged(host: Bastion, kind: str) -> list[entries.Document]:
    """All entries of this kind."""
    log = host.store.log
    documents = (entries.decode(entry, "log") for entry in log.entries(0, log.checkpoint().size))
    return [document for document in documents if entries.action(document) == kind]


def the_only(host: Bastion, kind: str) -> entries.Document:
    """The entry of this kind, once it is there."""
    wait_for(lambda: len(logged(host, kind)) == 1, f"one entry {kind}, not {logged(host, kind)}")
    return logged(host, kind)[0]


def configure(host: Bastion, text: str) -> None:
    """Add to the policy, and start the daemon anew."""
    with (host.base / "config.toml").open("a") as file:
        file.write(text)
    host.stop_daemon()
    host.start_daemon()


def test_live_sessions_are_listed_and_ended_for_a_reason(host: Bastion) -> None:
    assert live(host) == []
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        (session,) = live(host)
        assert (session["user"], session["from"], session["interactive"]) == (host.user, "127.0.0.1", True)
        assert 0 <= session["idle_s"] < 60
        host.stop_daemon()
        host.start_daemon()
        done = sealcast(host, "end", session["id"][-8:], "--reason", "the \x1b[31mwindow closes")
        assert done.returncode == 0, done.stderr
        child.expect_exact("this session was ended by root: the \u241b[31mwindow closes\r\n".encode())
        end(child)
    found = host.recorded()
    assert found.verdict.state is State.VERIFIED
    assert found.data(events.MARKER) == ["this session was ended by root: the \u241b[31mwindow closes"]
    ordered = the_only(host, entries.TERMINATED)
    assert ordered["user"] == {"id": "0", "name": "root"}
    assert ordered["sealcast"] == {"session": session["id"], "reason": "the \x1b[31mwindow closes"}
    closed = the_only(host, entries.CLOSED)
    assert closed["sealcast"].get("ended", {}).get("cause") in {"ended", None}
    assert sealcast(host, "end", session["id"], "--reason", "again").returncode == 3


def test_the_closing_entry_says_who_ended_the_session(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        child.send("trap '' HUP; echo de\"\"af; exec sleep 1000\r")
        child.expect_exact("deaf")
        assert sealcast(host, "end", live(host)[0]["id"], "--reason", "enough").returncode == 0
        assert end(child) == 9, "a shell that hears nothing is killed"
    host.recorded()
    ended = the_only(host, entries.CLOSED)["sealcast"]["ended"]
    assert ended == {"cause": "ended", "by": {"user": "root", "uid": 0}, "reason": "enough"}


def test_only_root_and_administrators_may_ask(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        refused = sealcast(host, "sessions", user=host.user)
        assert (refused.returncode, refused.stdout) == (3, "")
        assert "may not look" in refused.stderr
        configure(host, f'[admins]\ngroup = "{host.user}"\n')
        assert host.user in sealcast(host, "sessions", "--plain", user=host.user).stdout
        assert b"unmoved" in run_line(child, "echo unmoved")


def test_a_live_session_is_watched_without_being_touched(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        run_line(child, "printf '\\e]0;title\\a\\e[6n\\e[31mred\\e[0m\\n'")
        watch = _command(host, "watch", live(host)[0]["id"])
        with terminal(*watch, size=(30, 100)) as viewer:
            viewer.expect_exact("red")
            viewer.send("exit\r")
            assert b"unmoved" in run_line(child, "echo un''moved")
            viewer.expect_exact("unmoved")
            child.send("exit 3\r")
            assert end(child) == 3
            shown = viewer.before or b""
            assert end(viewer) == 0
            assert b"title" not in shown + (viewer.before or b"")
            assert b"\x1b[6n" not in shown + (viewer.before or b"")
    assert the_only(host, entries.VIEWED)["user"]["name"] == "root"


def test_one_cannot_watch_the_session_one_is_in(host: Bastion) -> None:
    configure(host, f'[admins]\ngroup = "{host.user}"\n')
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        session = live(host)[0]["id"]
        command = f"PYTHONPATH={host.base / 'program'} {SYSTEM_PYTHON} -P -m recorder.cli"
        shown = run_line(child, f"cd /; {command} watch --socket {host.socket} {session}; stty sane")
        assert b"the session you are in" in shown


def test_an_idle_session_is_warned_and_ended(host: Bastion) -> None:
    configure(host, '[limits]\nidle = "2s"\n')
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        child.expect_exact("nothing was typed for a while; this session ends in 1s unless something is\r\n")
        child.expect_exact("nothing was typed for 2s: this session ends here\r\n")
        end(child)
    assert host.recorded().verdict.state is State.VERIFIED
    reached = the_only(host, entries.LIMIT_REACHED)
    assert (reached["user"]["name"], reached["sealcast"]["limit"]) == (host.user, "idle")
    assert the_only(host, entries.CLOSED)["sealcast"]["ended"] == {"cause": "idle"}


def test_a_busy_session_is_ended_after_its_longest_duration(host: Bastion) -> None:
    configure(host, '[limits]\nduration = "2s"\n')
    with terminal(*host.ssh("-tt", "while :; do echo busy; sleep 0.1; done")) as child:
        child.expect_exact("this session has lasted 2s")
        end(child)
    assert host.recorded().verdict.state is State.VERIFIED
    assert the_only(host, entries.LIMIT_REACHED)["sealcast"]["limit"] == "duration"


def test_what_is_left_running_is_named_in_the_closing_entry(host: Bastion, tmp_path: Path) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        shown = run_line(child, "(trap '' HUP; exec sleep 1000) & echo pid=$!.")
        left = int(shown.split(b"pid=")[-1].split(b".")[0])
        try:
            child.send("exit\r")
            assert end(child) == 0
            host.recorded()
            closed = the_only(host, entries.CLOSED)
            assert closed["sealcast"]["left_running"] == [{"pid": left, "name": "sleep"}]
        finally:
            os.kill(left, signal.SIGKILL)


def test_a_request_that_is_none_drops_its_sender_and_nobody_else(host: Bastion) -> None:
    code = (
        "import os, socket, sys\n"
        "for number in range(500):\n"
        "    peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        "    peer.connect(sys.argv[1])\n"
        "    text = [b'', b'{', b'[]', b'{}', b'{\"verb\":\"end\"}', b'{\"verb\":1}', b'{\"verb\":\"x\"}',\n"
        '            b\'[\' * 9000, b\'{"verb":"watch","session":"../x"}\', os.urandom(number)]\n'
        "    peer.send(b'sealcast-admin/1\\0' + text[number % len(text)])\n"
        "    peer.close()\n"
    )
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        for user in (["setpriv", f"--reuid={host.user}", "--clear-groups"], []):
            command = [*user, SYSTEM_PYTHON, "-c", code, str(host.socket)]
            subprocess.run(command, check=True, cwd="/", timeout=60)
        assert b"unmoved" in run_line(child, "echo unmoved")
        with terminal(*_command(host, "watch", "nobody")) as viewer:
            assert end(viewer) == 3
            assert b"no live session" in (viewer.before or b"")
