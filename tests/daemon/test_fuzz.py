"""Ten thousand malformed conversations with a live daemon, while a session goes on."""

import array
import os
import random
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from recorder.capture.login import MAX_PACKET
from tests.e2e.bastion import Bastion, bastion, processes_of
from tests.e2e.corpus import NEEDS_BASTION, PROMPT
from tests.e2e.sessions import DEADLINE_SECONDS, children, end, run_line, terminal, wait_for, wait_to_see

pytestmark = [*NEEDS_BASTION, pytest.mark.slow, pytest.mark.timeout(1200)]
CONVERSATIONS = 10_000
WHOLE = 100
"""Of them, how many have everything a login has, and then go on as no login would: each becomes a session."""
SILENT = 200
"""Peers that are connected all the time, and say nothing."""
TERMINAL = b"sealcast/1\0kind=terminal\0shell=bash\0env.TERM=xterm\0"
STREAMS = b"sealcast/1\0kind=streams\0shell=bash\0command=true\0"
OUT_OF_TURN = [b"go", b"released", b"exited\x000", b"resized", b"done", b"admitted\0x", b"\0" * 64, TERMINAL]


@pytest.fixture
def host() -> Iterator[Bastion]:
    with bastion() as host:
        yield host


@contextmanager
def connected(host: Bastion) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.settimeout(DEADLINE_SECONDS)
        peer.connect(str(host.socket))
        yield peer


def say(peer: socket.socket, packet: bytes, fds: list[int] | None = None) -> None:
    """One packet; a recorder that has hung up already is no error here."""
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds or []))] if fds else []
    with suppress(BrokenPipeError, ConnectionResetError):
        peer.sendmsg([packet], rights)


def answer(peer: socket.socket) -> bytes:
    with suppress(ConnectionResetError):
        return peer.recv(4096)
    return b""


class Nonsense:
    """Draws conversations; `kinds` are descriptors of every kind that is lying about."""

    def __init__(self, host: Bastion, seed: int, kinds: list[int]) -> None:
        self._host = host
        self._random = random.Random(seed)
        self._kinds = kinds
        self._ways: tuple[Callable[[socket.socket], None], ...] = (
            self._noise,
            self._cut,
            self._changed,
            self._wrong_descriptors,
            self._too_many_descriptors,
            self._huge,
            self._half_closed,
            self._twice,
            self._fields,
        )

    def converse(self) -> None:
        """One conversation; the recorder must not admit it."""
        with connected(self._host) as peer:
            self._random.choice(self._ways)(peer)

    def _noise(self, peer: socket.socket) -> None:
        say(peer, self._random.randbytes(self._random.randrange(1, 600)), self._some(3))

    def _cut(self, peer: socket.socket) -> None:
        packet = self._random.choice((TERMINAL, STREAMS))
        say(peer, packet[: self._random.randrange(1, len(packet))], self._some(5))

    def _changed(self, peer: socket.socket) -> None:
        packet = bytearray(self._random.choice((TERMINAL, STREAMS)))
        for _ in range(self._random.randrange(1, 5)):
            packet[self._random.randrange(len(packet))] = self._random.randrange(256)
        say(peer, bytes(packet), self._some(1))

    def _wrong_descriptors(self, peer: socket.socket) -> None:
        """Right in number, and none of them a terminal; or right in kind, and too few."""
        if self._random.random() < 0.5:
            say(peer, TERMINAL, [self._random.choice(self._kinds) for _ in range(2)])
        else:
            say(peer, STREAMS, self._some(5))

    def _too_many_descriptors(self, peer: socket.socket) -> None:
        count = self._random.choice((7, 8, 20, 100, 253))
        say(peer, self._random.choice((TERMINAL, STREAMS)), [self._kinds[0]] * count)

    def _huge(self, peer: socket.socket) -> None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * MAX_PACKET)
        size = self._random.choice((MAX_PACKET, MAX_PACKET + 1, MAX_PACKET + 5000))
        with suppress(OSError):  # where the kernel allows no such packet there is nothing to refuse
            peer.send(STREAMS + b"env.X=" + b"x" * size + b"\0")

    def _half_closed(self, peer: socket.socket) -> None:
        if self._random.random() < 0.5:
            say(peer, self._random.choice((TERMINAL, STREAMS, b"")), self._some(2))
        peer.shutdown(self._random.choice((socket.SHUT_WR, socket.SHUT_RD, socket.SHUT_RDWR)))

    def _twice(self, peer: socket.socket) -> None:
        for packet in self._random.sample(OUT_OF_TURN, 3):
            say(peer, packet, self._some(2))

    def _fields(self, peer: socket.socket) -> None:
        names = [
            b"kind",
            b"waits",
            b"command",
            b"shell",
            b"auth",
            b"env.",
            b"env.X",
            b"",
            b"=",
            b"\xff",
            b"new",
        ]
        values = [b"terminal", b"streams", b"yes", b"", b"\xff\xfe", b"x" * 5000, b"=", b"\n\x1b[2J"]
        count = self._random.randrange(60)
        fields = [self._random.choice(names) + b"=" + self._random.choice(values) for _ in range(count)]
        say(peer, b"sealcast/1\0" + b"\0".join(fields), self._some(1))

    def _some(self, most: int) -> list[int]:
        return [self._random.choice(self._kinds) for _ in range(self._random.randrange(most + 1))]


@contextmanager
def descriptors() -> Iterator[list[int]]:
    """A file, a directory, both ends of a pipe, sockets, a terminal, an eventfd, a memfd and a pidfd."""
    with ExitStack() as stack:
        found = [
            os.open("/dev/null", os.O_RDWR),
            os.open("/", os.O_RDONLY),
            os.open("/", os.O_PATH),
            *os.pipe(),
            os.eventfd(0),
            os.memfd_create("nothing"),
            os.pidfd_open(os.getpid()),
        ]
        for fd in found:
            stack.callback(os.close, fd)
        for end_of_pair in socket.socketpair():
            stack.enter_context(end_of_pair)
            found.append(end_of_pair.fileno())
        yield found


def whole(host: Bastion, number: int) -> None:
    """In a process of its own: a login with all its descriptors, which then does not go on as one."""
    pid = os.fork()
    if pid == 0:
        try:
            _go_astray(host, number)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def _go_astray(host: Bastion, number: int) -> None:
    """Descriptors that can end: as for sshd, a session lasts while somebody holds its outputs open."""
    source = random.Random(number)
    kinds = [os.open("/dev/null", os.O_RDWR), os.open("/", os.O_RDONLY), os.open("/", os.O_PATH)]
    kinds += [os.memfd_create("nothing"), os.pidfd_open(os.getpid())]
    with connected(host) as peer:
        if number % 2:
            master, slave = os.openpty()
            say(peer, TERMINAL, [slave, master] if number % 4 == 1 else [master, slave])
        else:
            say(peer, STREAMS, [source.choice(kinds) for _ in range(6)])
        if number % 3:
            answer(peer)
        for packet in source.sample(OUT_OF_TURN, number % 5):
            say(peer, packet, [kinds[0]] * (number % 3))


def held(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_sessions_go_on_and_nothing_is_left(host: Bastion) -> None:
    assert host.daemon is not None
    daemon = host.daemon.pid
    with terminal(*host.ssh("-tt")) as child, descriptors() as kinds, ExitStack() as silent:
        child.expect_exact(PROMPT)
        before, own = held(daemon), children(daemon)
        assert host.workers()[0] in own
        nonsense = Nonsense(host, 20_261_121, kinds)
        for number in range(CONVERSATIONS - WHOLE):
            nonsense.converse()
            if number % (CONVERSATIONS // SILENT) == 0:
                silent.enter_context(connected(host))
            if number % (CONVERSATIONS // WHOLE) == 0:
                whole(host, number // (CONVERSATIONS // WHOLE))
            if number % 1000 == 0:
                assert b"42" in run_line(child, "echo $((6 * 7))")
        assert host.run("echo next").stdout == b"next\n"
        wait_for(  # it may have held some for a moment before, too
            lambda: held(daemon) <= before,
            lambda: f"the daemon's descriptors are {held(daemon)}, and were {before}",
        )
        wait_to_see(
            {daemon, *own}, lambda: set(processes_of(host.recorder)), "the recorder's processes, as before"
        )
        child.send("exit 3\r")
        assert end(child) == 3
    wait_to_see([], host.store.live_ids, "what is not sealed")
    assert host.daemon.poll() is None


def test_a_peer_may_not_say_who_it_is(host: Bastion) -> None:
    """SCM_CREDENTIALS instead of descriptors, with another's pid and uid."""
    with connected(host) as peer:
        mine = struct.pack("3i", os.getpid(), 12345, 12345)
        peer.sendmsg([TERMINAL], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, mine)])
        assert answer(peer).startswith(b"refused\0")
