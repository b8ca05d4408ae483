"""Section A of the corpus: ways to a shell of which nothing, or not everything, is recorded."""

import os
import re
import signal
from collections.abc import Iterator

import orjson
import pytest

from recorder.cast import events
from recorder.log.history import read_history
from recorder.store.state import State
from tests.e2e.bastion import Bastion, bastion, processes_of
from tests.e2e.corpus import NEEDS_BASTION, PROMPT, NewSessions, another_sshd
from tests.e2e.sessions import arguments, end, run_line, terminal, wait_to_see
from tests.marks import needs

pytestmark = NEEDS_BASTION


@pytest.fixture(scope="module")
def host() -> Iterator[Bastion]:
    with bastion() as host:
        yield host


@pytest.fixture
def new(host: Bastion) -> NewSessions:
    return NewSessions(host)


_TRAP = '[ -n "$SEALCAST_SESSION" ] || : >"$HOME/outside"\n'
_FISH_TRAP = 'test -n "$SEALCAST_SESSION"; or touch "$HOME/outside"\n'


_STARTUP = (
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshenv",
    ".zshrc",
    ".ssh/rc",
    ".config/fish/config.fish",
)


@pytest.fixture(params=["bash", "zsh", "fish", "sh"])
def trapped_shell(host: Bastion, request: pytest.FixtureRequest) -> Iterator[str]:
    """A real shell whose startup files leave a mark wherever they run outside a session."""
    home = host.base / "home"
    before = {name: (home / name).read_text() for name in _STARTUP if (home / name).exists()}
    for name in _STARTUP:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_FISH_TRAP if name.endswith("fish") else _TRAP + "PS1='ready> '\n")
        path.chmod(0o755)
    (host.base / "shells").write_text(f"*\t/bin/{request.param}\n")
    yield str(request.param)
    (host.base / "shells").write_text("*\t/bin/bash\n")
    for name in (*_STARTUP, "outside"):
        (home / name).unlink(missing_ok=True)
    for name, text in before.items():
        (home / name).write_text(text)


@needs("zsh", "fish")
def test_a2_startup_files_run_inside_the_recording_only(
    host: Bastion, new: NewSessions, trapped_shell: str
) -> None:
    assert host.run("echo without a terminal").stdout == b"without a terminal\n"
    with terminal(*host.ssh("-tt")) as child:
        child.send("echo with; exit\r")
        end(child)
    found = new.sealed(2)
    assert [item.verdict.state for item in found] == [State.VERIFIED] * 2
    assert b"without a terminal" in found[0].output
    assert not (host.base / "home" / "outside").exists()


def test_a2_a_shell_that_replaces_itself_is_still_recorded(host: Bastion, new: NewSessions) -> None:
    bashrc = host.base / "home" / ".bashrc"
    text = bashrc.read_text()
    try:
        bashrc.write_text("export PS1='escaped> '; exec bash --norc -i\n")
        with terminal(*host.ssh("-tt")) as child:
            child.expect_exact("escaped> ")
            child.send("echo $((6 * 7)); exit 3\r")
            assert end(child) == 3
    finally:
        bashrc.write_text(text)
    assert b"42\r\n" in new.one().output


def test_a5_what_a_shell_without_a_terminal_shows_is_recorded(host: Bastion, new: NewSessions) -> None:
    done = host.run("bash", stdin=b"echo $((6 * 7)); echo $((7 * 8)) >&2\n")
    assert (done.stdout, done.stderr) == (b"42\n", b"56\n")
    found = new.one()
    assert sorted(found.output.split()) == [b"42", b"56"]
    assert found.data(events.ERROR) == [""]
    assert found.header.session is not None
    assert found.header.session.command == "bash"


_DISGUISES = [
    "scp -t /tmp/x </dev/null; {}",
    "scp -t /dev/null/x </dev/null && exec {} || {}",
    "scp -t $({} >&2)",
    "sftp-server; {}",
    "/usr/lib/openssh/sftp-server </dev/null; {}",
    "rsync --server . </dev/null; {}",
    "rsync --server --sender -e.L . `{}` </dev/null",
    "git-upload-pack ';' </dev/null; {}",
    "scp -f /etc/hostname </dev/null\n{}",
    "internal-sftp; {}",
    "scp -t x </dev/null | {}",
]


@pytest.mark.parametrize("with_terminal", [False, True], ids=["streams", "terminal"])
@pytest.mark.parametrize("disguise", _DISGUISES)
def test_a6_a_command_disguised_as_a_transfer_is_recorded(
    host: Bastion, new: NewSessions, disguise: str, with_terminal: bool
) -> None:
    command = disguise.format("sh -c 'echo shown $((6 * 7)) >&2'", "sh -c 'echo shown $((6 * 7)) >&2'")
    done = host.run(*(["-tt"] if with_terminal else []), command)
    assert b"shown 42" in done.stdout + done.stderr
    found = new.one()
    assert b"shown 42" in found.output
    assert found.header.session is not None
    assert found.header.session.command == command


@pytest.mark.parametrize("command", ["bash --rcfile .bashrc", "bash --norc --noprofile", "bash -i", "sh"])
def test_a7_a_terminal_is_recorded_whatever_runs_in_it(host: Bastion, new: NewSessions, command: str) -> None:
    with terminal(*host.ssh("-o", "RequestTTY=force", command)) as child:
        child.send("echo $((6 * 7)); exit\r")
        end(child)
    assert b"42\r\n" in new.one().output


def test_a8_channels_of_one_connection_are_sessions_of_one_source(host: Bastion, new: NewSessions) -> None:
    control = [
        "-o",
        "ControlMaster=auto",
        "-o",
        f"ControlPath={host.base}/control",
        "-o",
        "ControlPersist=no",
    ]
    with terminal(*host.ssh("-tt", *control)) as one:
        one.expect_exact(PROMPT)
        with terminal(*host.ssh("-tt", *control)) as other:
            other.expect_exact(PROMPT)
            assert b"42" in run_line(other, "echo $((6 * 7))")
            other.send("exit\r")
            end(other)
        one.send("exit\r")
        end(one)
    first, second = (found.header.session for found in new.sealed(2))
    assert first is not None
    assert second is not None
    assert first.source == second.source
    assert (first.origin, second.origin) == ("sshd", "sshd")


def test_a9_what_is_left_running_is_named_and_does_not_hold_the_end(host: Bastion, new: NewSessions) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        run_line(child, "(trap '' HUP; exec sleep 1000) & setsid nohup sleep 1001 >/dev/null 2>&1 &")
        wait_to_see({"sleep 1000", "sleep 1001"}, lambda: set(_sleeping(host)), "what will be left")
        child.send("exit 4\r")
        assert end(child) == 4
    found = new.one()
    assert found.exit_status == 4
    left = _sleeping(host)
    ended = orjson.loads(read_history(host.store.log).sessions[found.session.id].ended_entry or b"")
    assert {"pid": left["sleep 1000"], "name": "sleep"} in ended["sealcast"]["left_running"]
    for line in ("sleep 1000", "sleep 1001"):  # the second is found where logind or auditd mark logins
        os.kill(left[line], signal.SIGKILL)


def _sleeping(host: Bastion) -> dict[str, int]:
    """Each `sleep` of the user, by its command line."""
    found = {pid: " ".join(arguments(pid)) for pid in processes_of(host.user)}
    return {line: pid for pid, line in found.items() if line.startswith("sleep ")}


def test_a10_hidden_typing_is_marked_and_what_it_shows_is_recorded(host: Bastion, new: NewSessions) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        run_line(child, "stty -echo")
        child.send("echo ZWNobyAkKCg2ICogNykp | base64 -d | sh\r")
        child.expect_exact("42\r\n")
        child.expect_exact(PROMPT)
        child.send("exit\r")
        end(child)
    found = new.one()
    assert b"42\r\n" in found.output
    assert {key.split()[1] for key in found.data(events.KEY)} == {"noecho"}


@pytest.mark.parametrize(
    "escape",
    [r"\e[?1049h\e[2;1H", r"\e[?47h", r"\eP", r"\e]0;", r"\e[8m", r"\e(0", r"\ec", r"\x9b", r"\e[?5l\x0e"],
)
def test_a11_no_output_switches_the_recording_off(host: Bastion, new: NewSessions, escape: str) -> None:
    shown = b""
    with terminal(
        *host.ssh("-tt", f"printf '{escape}'; echo $((6 * 7)); printf '{escape}'; echo $((7 * 8))")
    ) as child:
        end(child)
        shown = child.before or b""
    found = new.one()
    assert b"42\r\n" in found.output
    assert b"56\r\n" in found.output
    assert found.output == shown


def test_a15_no_key_pauses_the_recording(host: Bastion, new: NewSessions) -> None:
    keys = bytes(range(1, 32)) + b"\x7f\x1b\x1b\x1c\x1c\x1d."
    with terminal(*host.ssh("-e", "none", "-tt")) as child:
        child.expect_exact(PROMPT)
        child.send(f"stty raw -echo; echo up; head -c {len(keys)} | od -An -v -tx1 -w99; stty sane\r")
        child.expect_exact("up\n")
        child.send(keys)
        child.expect_exact(keys.hex(" "))
        child.expect_exact(PROMPT)
        assert b"42" in run_line(child, "echo $((6 * 7))")
        child.send("exit\r")
        end(child)
    output = new.one().output
    assert keys.hex(" ").encode() in output
    assert b"42\r\n" in output


def test_a17_a_bootstrap_of_another_protocol_is_recorded(host: Bastion, new: NewSessions) -> None:
    """What `mosh` and remote editors send: a script on the input, and a protocol on the output."""
    script = b"echo MOSH CONNECT 60001 key; exec cat\n"
    done = host.run("bash -s", stdin=script + b"\x00\x01\xff opaque \xfe")
    assert done.stdout == b"MOSH CONNECT 60001 key\n\x00\x01\xff opaque \xfe"
    assert new.one().output == done.stdout


def test_a18_a_second_sshd_leads_to_the_recorder_as_well(host: Bastion, new: NewSessions) -> None:
    """Whatever starts it: the login shell is the recorder."""
    with another_sshd(host, ForceCommand="none") as other:
        assert other.run("echo $((6 * 7))").stdout == b"42\n"
    assert new.one().output == b"42\n"


@pytest.mark.parametrize("way", ["<", ">", "<>"])
def test_a19_the_outer_terminal_opens_for_nobody(host: Bastion, new: NewSessions, way: str) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        shown = run_line(child, f"for p in /dev/pts/[0-9]*; do : {way} $p && echo open $p; done")
        inner = re.findall(rb"/dev/pts/[0-9]+", run_line(child, "tty"))[0]
        child.send("exit\r")
        end(child)
    assert re.findall(rb"open (/dev/pts/[0-9]+)", shown) == [inner]
    assert b"busy" in shown, "it is there, and belongs to the user"
    assert new.one().verdict.state is State.VERIFIED
