"""Administration of a bastion: who is there, the sight and the end of a session, limits, leftovers."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from recorder.cast import events
from recorder.log import entries
from recorder.store.state import State
from tests.e2e.bastion import SYSTEM_PYTHON, Bastion, bastion, processes_of
from tests.e2e.corpus import NEEDS_BASTION, PROMPT
from tests.e2e.sessions import (
    DEADLINE_SECONDS,
    SEALCAST,
    arguments,
    end,
    read,
    recorded_bash,
    run_line,
    terminal,
    wait_for,
    wait_to_see,
)

pytestmark = NEEDS_BASTION


@pytest.fixture
def host() -> Iterator[Bastion]:
    with bastion() as host:
        yield host


def sealcast(host: Bastion, *arguments: str, user: str = "root") -> "subprocess.CompletedProcess[str]":
    """A command about this bastion, as that user would run it."""
    command = _command(host, *arguments, user=user)
    return subprocess.run(
        command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False, cwd="/"
    )


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
    wait_for(lambda: len(logged(host, kind)) == 1, lambda: f"one entry {kind}, not {logged(host, kind)}")
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
    assert closed["sealcast"]["ended"]["by"] == {"user": "root", "uid": 0}, "though its notary was replaced"
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
        assert b"unmoved" in run_line(child, "echo un''moved")


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
    with terminal(*host.ssh("-tt")) as child:  # whose prompt may come later than the warning
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


def test_a_limit_that_ends_a_session_after_a_restart_is_in_the_log(host: Bastion) -> None:
    configure(host, '[limits]\nduration = "5s"\n')
    with terminal(*host.ssh("-tt", "(trap '' HUP; exec sleep 1000) & echo begun; sleep 1000")) as child:
        child.expect_exact("begun")
        host.stop_daemon(signal.SIGKILL)
        child.expect_exact("this session has lasted 5s")
        host.start_daemon()
        end(child)
    host.recorded()
    try:
        assert the_only(host, entries.LIMIT_REACHED)["sealcast"]["limit"] == "duration"
        closed = the_only(host, entries.CLOSED)["sealcast"]
        assert closed["ended"]["cause"] == "duration"
        assert "sleep" in {one["name"] for one in closed["left_running"]}
    finally:
        for pid in processes_of(host.user):
            os.kill(pid, signal.SIGKILL)


def test_what_is_left_running_is_named_in_the_closing_entry(host: Bastion, tmp_path: Path) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        shown = run_line(child, "(trap '' HUP; exec sleep 1000) & echo le''ft=$!.")
        left = int(shown.split(b"left=")[-1].split(b".")[0])
        try:
            wait_to_see(["sleep", "1000"], lambda: arguments(left), "the process that is left")
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
            subprocess.run(command, check=True, cwd="/", timeout=DEADLINE_SECONDS)
        assert b"unmoved" in run_line(child, "echo un''moved")
        with terminal(*_command(host, "watch", "nobody")) as viewer:
            assert end(viewer) == 3
            assert b"no live session" in (viewer.before or b"")


def test_a_command_without_a_terminal_is_ended_like_a_shell(host: Bastion) -> None:
    with subprocess.Popen(host.ssh("cat"), stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        wait_for(lambda: live(host), "the session is live")
        assert sealcast(host, "end", live(host)[0]["id"], "--reason", "enough").returncode == 0
        assert process.stderr.read() == b"sealcast: this session was ended by root: enough\n"
    assert host.recorded().verdict.state is State.VERIFIED
    assert the_only(host, entries.TERMINATED)["sealcast"]["reason"] == "enough"


def test_below_the_second_watermark_the_longest_idle_session_is_ended(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as idle:
        idle.expect_exact(PROMPT)
        text = (host.base / "config.toml").read_text()
        (host.base / "config.toml").write_text(text.replace('"1MiB"', '"1000TiB"'))
        reload(host)
        idle.expect_exact("the recorder's disk is nearly full: this session ends here\r\n")
        end(idle)
    refused = host.run("echo must-not-run")
    assert (refused.returncode, refused.stdout) == (9, b"")
    assert b"disk is nearly full" in refused.stderr
    host.run("echo again")
    assert host.recorded().verdict.state is State.VERIFIED
    assert the_only(host, entries.DISK_CRITICAL)["sealcast"]["critical"] == "1000TiB"
    assert the_only(host, entries.CLOSED)["sealcast"]["ended"] == {"cause": "disk"}
    assert the_only(host, entries.LOGIN_REFUSED)["user"]["name"] == host.user


def reload(host: Bastion) -> None:
    """Have the daemon read its policy again, and see that it did."""
    assert host.daemon is not None
    before = len(logged(host, entries.CONFIGURATION_CHANGED))
    host.daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: len(logged(host, entries.CONFIGURATION_CHANGED)) > before, "the policy was read again")


def digest(policy: bytes) -> str:
    """As the log names a policy."""
    return "sha256:" + hashlib.sha256(policy).hexdigest()


def test_a_policy_that_a_restart_brings_into_force_is_in_the_log_once(host: Bastion) -> None:
    config = host.base / "config.toml"
    wait_for(lambda: logged(host, entries.CONFIGURATION_CHANGED), "the first policy")
    before = config.read_bytes()
    configure(host, "[limits]\nsessions_per_user = 7\n")
    wait_for(lambda: len(logged(host, entries.CONFIGURATION_CHANGED)) == 2, "the second one")
    host.stop_daemon()
    host.start_daemon()
    assert host.run("true").returncode == 0
    first, second = (entry["sealcast"] for entry in logged(host, entries.CONFIGURATION_CHANGED))
    assert first == {"policy": digest(before)}
    assert second == {"policy": digest(config.read_bytes()), "before": digest(before)}
    assert host.recorded().header.session is not None


def test_a_changed_policy_is_read_on_sighup_and_a_bad_one_is_not(host: Bastion) -> None:
    config = host.base / "config.toml"
    good = config.read_text()
    assert live(host) == [], "it has started"
    config.write_text(good + "[limits]\nidle = 3\n")
    assert host.daemon is not None
    host.daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: "policy-refused" in (host.base / "daemon.log").read_text(), "the mistake is told")
    assert host.run("echo works").stdout == b"works\n"
    config.write_text(good + '[noninteractive]\nmode = "refuse"\n')
    reload(host)
    assert b"interactive logins only" in host.run("echo no").stderr
    first, changed = (entry["sealcast"] for entry in logged(host, entries.CONFIGURATION_CHANGED))
    assert changed == {"policy": digest(config.read_bytes()), "before": digest(good.encode())}
    assert first == {"policy": digest(good.encode())}
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        child.send("exit\r")
        end(child)
    header = read(host.sessions(2)[0], host.store).header.session
    assert header is not None
    assert header.policy == changed["policy"]


def test_logins_without_a_terminal_may_be_let_in_unrecorded(host: Bastion) -> None:
    configure(host, '[noninteractive]\nmode = "allow"\n')
    done = host.run("cat; exit 3", stdin=b"typed\n")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"typed\n", b"")
    entry = the_only(host, entries.LOGIN_UNRECORDED)
    assert entry["sealcast"] == {
        "cause": "noninteractive",
        "command": "cat; exit 3",
        "interactive": False,
        "origin": "sshd",
    }
    assert host.sessions_so_far() == []


def test_break_glass_accounts_get_in_while_the_recorder_is_down_and_only_then(host: Bastion) -> None:
    host.run("true")
    (host.base / "shells").write_text(f"*\t/bin/bash\n{host.user}\t/bin/bash\tbreak-glass\n")
    assert b"NOT RECORDED" not in host.run("echo up").stderr
    host.stop_daemon()
    done = host.run("echo in; ls " + str(host.base / "spool"))
    assert done.stdout == b"in\n"
    assert b"NOT RECORDED" in done.stderr
    assert b"denied" in done.stderr.lower(), "the spool cannot be listed"
    (host.base / "shells").write_text("*\t/bin/bash\n")
    assert host.run("echo must-not-run").stdout == b""
    forged = f"ln -s /etc/passwd {host.base}/spool/link; mkfifo {host.base}/spool/pipe"
    subprocess.run(["su", "-s", "/bin/sh", host.user, "-c", forged], check=True)
    host.start_daemon()
    entry = the_only(host, entries.LOGIN_UNRECORDED)
    assert entry["user"]["name"] == host.user
    assert entry["sealcast"]["cause"] == "break-glass"
    assert entry["sealcast"]["claimed"]["command"].startswith("echo in")
    wait_to_see([], lambda: list((host.base / "spool").iterdir()), "what is left in the spool")


def test_a_daemon_that_starts_anew_knows_the_sessions_there_are(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        configure(host, "[limits]\nsessions_per_user = 1\n")
        run_line(child, str(host.login_shell))
        assert b"inner" in run_line(child, "echo inn''er"), (
            "a shell in a recorded session is in its recording"
        )
        assert b"as many sessions open" in host.run("echo must-not-run").stderr
        child.send("exit\r")
        child.expect_exact(PROMPT)
        child.send("exit\r")
        end(child)
    assert b"inner" in host.recorded().output
    wait_for(lambda: host.run("echo free").stdout == b"free\n", "the place is free again")


@pytest.fixture
def small(host: Bastion) -> Iterator[Path]:
    """A file that takes half of a store that is nearly full; without it there is room again."""
    host.stop_daemon()
    store = host.store.root
    shutil.rmtree(store)
    store.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(store)], check=True)
    (store / "filler").write_bytes(bytes(1024 * 1024))
    host.start_daemon()
    try:
        yield store / "filler"
    finally:
        host.stop_daemon()
        subprocess.run(["umount", "--lazy", str(store)], check=True)


def test_a_policy_may_let_sessions_go_on_when_they_cannot_be_recorded(host: Bastion, small: Path) -> None:
    configure(host, '[recording]\non_failure = "open"\n')
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        child.send("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo go''es on\r")
        child.expect_exact("the recording cannot be written any more; this session goes on without it")
        child.expect_exact("goes on\r\n")
        done = host.run("echo unrecorded")
        assert done.stdout == b"unrecorded\n"
        assert b"cannot be recorded" in done.stderr
        small.unlink()
        child.send("exit 4\r")
        assert end(child) == 4
    wait_for(lambda: logged(host, entries.RECORDING_FAILED), "the failure is logged")
    entry = logged(host, entries.RECORDING_FAILED)[0]
    assert entry["sealcast"]["goes_on"] is True
    assert entry["user"]["name"] == host.user
    assert the_only(host, entries.LOGIN_UNRECORDED)["sealcast"]["cause"] == "recording-failed"
    assert host.sessions_so_far()[-1].interrupted


def test_input_is_recorded_where_the_terminal_shows_it(host: Bastion) -> None:
    configure(host, "[recording]\ninput = true\n")
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        child.send("echo ta''ken; cat > /dev/null; stty -echo; echo ne''xt; read secret; stty echo\r")
        child.expect_exact("taken\r\n")  # by now the line editor has let go of the terminal
        child.send("visible line\r")
        child.expect_exact("visible line\r\n")
        child.send("\x04")
        child.expect_exact("next\r\n")
        child.send("hunter2\r")
        child.expect_exact(PROMPT)
        child.send("exit\r")
        end(child)
    typed = host.recorded().data(events.INPUT)
    assert "visible line\r" in "".join(typed)
    assert "hunter2" not in "".join(typed)
    assert "" in typed


def test_two_hundred_logins_at_once_are_all_admitted_and_recorded(host: Bastion) -> None:
    configure(host, "[limits]\nsessions_per_user = 1000\n")
    with ExitStack() as stack:
        logins = [stack.enter_context(_login(host)) for _ in range(200)]
        words = [connection.recv(4096).partition(b"\0")[0] for connection, _ in logins]
        assert words == [b"admitted"] * 200
        for connection, pipes in logins:
            for fd in pipes:
                os.close(fd)
            connection.send(b"exited\0000")
        found = host.sessions(200)
    assert sorted(session.number for session in found) == list(range(1, 201))
    assert not any(session.interrupted for session in found)
    assert {session.exit_status for session in found} == {0}


@contextmanager
def _login(host: Bastion) -> Iterator[tuple[socket.socket, list[int]]]:
    """What `sealcast-shell` says for a command without a terminal, and its ends of the pipes."""
    packet = b"sealcast/1\0kind=streams\0waits=yes\0shell=bash\0command=true\0"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(DEADLINE_SECONDS)
        connection.connect(str(host.socket))
        null = os.open(os.devnull, os.O_RDWR)
        pipes = [os.pipe() for _ in range(3)]
        given = [null, null, null, pipes[0][1], pipes[1][0], pipes[2][0]]
        rights = array("i", given)
        connection.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        for fd in given[2:]:
            os.close(fd)
        yield connection, [pipes[0][0], pipes[1][1], pipes[2][1]]


def test_live_sessions_of_a_store_of_ones_own_are_listed_and_watched(home: Path) -> None:
    store = str(home.parent / "store")
    with recorded_bash() as child:
        run_line(child, "echo un''moved")
        done = subprocess.run(
            [*SEALCAST, "sessions", "--store", store, "--jsonl"], capture_output=True, text=True, check=True
        )
        session = json.loads(done.stdout)
        assert session["idle_s"] >= 0
        with terminal(*SEALCAST, "watch", "--store", store, session["id"][-8:]) as viewer:
            viewer.expect_exact("unmoved")
            viewer.send("q")
            assert end(viewer) == 0
        with terminal(*SEALCAST, "watch", "--store", store, session["id"]) as viewer:
            viewer.expect_exact("unmoved")
            child.send("exit\r")
            assert end(child) == 0
            assert end(viewer) == 0
    done = subprocess.run(
        [*SEALCAST, "sessions", "--store", store], capture_output=True, text=True, check=True
    )
    assert (done.stdout, "no session is being recorded" in done.stderr) == ("", True)
