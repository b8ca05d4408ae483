"""The same commands through a plain sshd and through the recorder: nobody can tell them apart."""

import os
import pty
import re
import subprocess
import tty
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.e2e.bastion import Bastion, bastion, plain_account, same_python
from tests.e2e.sessions import DEADLINE_SECONDS, read
from tests.marks import needs

pytestmark = [
    needs("sshd", "ssh"),
    pytest.mark.skipif(os.geteuid() != 0, reason="missing: root, to make accounts"),
    pytest.mark.skipif(not same_python(), reason="missing: a system Python of the same version"),
]
WITHOUT_TERMINAL: tuple[tuple[str, bytes], ...] = (
    ("exit 3", b""),
    ("cat", b"abc\n" * 1000),
    ("seq 1 10 >&2; exit 4", b""),
    ("kill -9 $$", b""),
    ("head -1", b"x\n" * 200_000),
    ("sleep 0.3 & echo hi", b""),
    ("yes | head -c 3000000", b""),
    ("cat >/dev/null; echo done", bytes(3_000_000)),
    ("exec 1>&-; sleep 0.2; echo e >&2", b""),
    ("no-such-command", b""),
    ("bash", b"echo a; echo b >&2; exit 5\n"),
    ("tty; stty -a", b""),
    ("printf 'no newline'", b""),
    ("echo $SHELL $0 $-; umask; ulimit -n; ulimit -c", b""),
    ("printf '\\377\\376\\000bin'", b""),
    ("(sleep 0.5; echo late) & exit 0", b""),
)
ALL_IS_TYPED = (
    "python3 -c 'import fcntl, sys, termios, time\n"
    "while fcntl.ioctl(0, termios.FIONREAD, bytes(4))[0] < int(sys.argv[1]): time.sleep(0.02)'"
)
"""Waits for so many bytes of whole lines: what is echoed then comes before all output, in any case."""
WITH_TERMINAL: tuple[tuple[str, bytes], ...] = (
    ("exit 3", b""),
    ("seq 1 3000", b""),
    ("echo out; echo err >&2; exit 9", b""),
    ("printf 'no newline'", b""),
    ("stty size; stty -a", b""),
    ("kill -TERM $$", b""),
    ("cat", b"typed before\n\x04"),
    (
        f"{ALL_IS_TYPED} 19; while read line; do echo got $line; done",
        b"one\ntwo\nthree \xc3\xa9 \x01\n\x04",
    ),
    ("yes | head -c 200000", b""),
    ("rm -f up; nohup sh -c '>up; exec sleep 1' & until [ -e up ]; do sleep 0.02; done; echo started", b""),
    ("stty raw; echo x; stty sane; exit 1", b""),
    ("clear; tput cols; echo $TERM", b""),
)


@dataclass(frozen=True)
class Ways:
    """The two command lines to the same host; `plain` is a prefix for an account that is not covered."""

    host: Bastion
    plain: list[str]

    def both(self, *arguments: str) -> tuple[list[str], list[str]]:
        return [*self.plain, *arguments], self.host.ssh(*arguments)


@pytest.fixture(scope="module")
def ways() -> Iterator[Ways]:
    with bastion() as host, plain_account(host) as plain:
        yield Ways(host, plain)


def piped(command: list[str], stdin: bytes) -> tuple[int, bytes, bytes]:
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=DEADLINE_SECONDS, check=False)
    return done.returncode, done.stdout, done.stderr


@contextmanager
def pty_pair() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    try:
        yield master, slave
    finally:
        os.close(master)


def in_a_terminal(command: list[str], typed: bytes) -> tuple[int, bytes]:
    """Exit status and what was shown; `typed` is there from the beginning, as from `ssh -tt host <script`."""
    shown = b""
    with pty_pair() as (master, slave):
        tty.setraw(slave)  # what sshd sends is compared, not what this terminal makes of it
        ends = {"stdin": subprocess.PIPE, "stdout": slave, "stderr": slave}
        with subprocess.Popen(command, **ends, start_new_session=True) as process:  # type: ignore[call-overload]
            os.close(slave)
            process.stdin.write(typed)
            process.stdin.flush()
            while data := _read(master):
                shown += data
            process.stdin.close()
            return process.wait(DEADLINE_SECONDS), shown


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:
        return b""


def told(name: bytes) -> bytes:
    """Without what differs between any two logins."""
    return re.sub(rb"(\[1\]) \d+|/dev/pts/\d+", rb"\1", name)


@pytest.mark.parametrize(("command", "stdin"), WITHOUT_TERMINAL, ids=[c for c, _ in WITHOUT_TERMINAL])
def test_without_a_terminal(ways: Ways, command: str, stdin: bytes) -> None:
    with ThreadPoolExecutor(2) as pool:
        plain, recorded = pool.map(lambda argv: piped(argv, stdin), ways.both(command))
    assert recorded == plain


@pytest.mark.parametrize(("command", "typed"), WITH_TERMINAL, ids=[c for c, _ in WITH_TERMINAL])
def test_with_a_terminal(ways: Ways, command: str, typed: bytes) -> None:
    with ThreadPoolExecutor(2) as pool:
        plain, recorded = pool.map(lambda argv: in_a_terminal(argv, typed), ways.both("-tt", command))
    assert (recorded[0], told(recorded[1])) == (plain[0], told(plain[1]))
    (last,) = sorted(ways.host.sessions_so_far(), key=lambda session: session.number or 0)[-1:]
    assert told(read(last, ways.host.store).output) == told(recorded[1])
