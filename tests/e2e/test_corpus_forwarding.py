"""Row A1 of the corpus: connections through the host, which no login shell can see."""

import os
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.bastion import Bastion, bastion, free_port
from tests.e2e.corpus import NEEDS_BASTION, another_sshd
from tests.e2e.sessions import DEADLINE_SECONDS, killed_at_the_end, wait_for

pytestmark = NEEDS_BASTION


@pytest.fixture(scope="module")
def host() -> Iterator[Bastion]:
    with bastion() as host:
        yield host


@contextmanager
def _forwarding(host: Bastion, option: str, target: str) -> Iterator[int]:
    """`ssh -N` with a forwarding; the local port that is forwarded."""
    port = free_port()
    forward = str(port) if option == "-D" else f"{port}:{target}"
    argv = host.ssh("-N", option, forward)
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as process, killed_at_the_end(process):
        wait_for(lambda: _connects(port), "the local end of the forwarding")
        yield port


def _connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _greeting(port: int, hello: bytes = b"") -> bytes:
    """What comes from the other end of a forwarding, until it is closed or a banner is there."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE_SECONDS) as peer:
        peer.sendall(hello)
        found = b""
        while b"SSH-2.0" not in found and b"reached" not in found:
            try:
                part = peer.recv(4096)
            except ConnectionError:
                break
            if not part:
                break
            found += part
        return found


def _reached(host: Bastion, way: str) -> bytes:
    """What answers through one kind of forwarding."""
    target = f"127.0.0.1:{host.port}"
    if way == "-W":
        return host.run("-W", target).stdout
    if way == "a Unix socket":
        path = host.base / f"reached.{host.port}"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            path.chmod(0o666)
            listener.listen()
            with _forwarding(host, "-L", str(path)) as port:
                return _greeting_of(listener, port)
    with _forwarding(host, way, target) as port:
        hello = struct.pack(">BBH4sB", 4, 1, host.port, bytes([127, 0, 0, 1]), 0) if way == "-D" else b""
        return _greeting(port, hello)


def _greeting_of(listener: socket.socket, port: int) -> bytes:
    """Through to a listener of our own, which greets whoever comes."""
    greeter = os.fork()
    if greeter == 0:
        while True:
            connection, _ = listener.accept()
            connection.sendall(b"reached")
            connection.close()
    try:
        return _greeting(port)
    finally:
        os.kill(greeter, signal.SIGKILL)
        os.waitpid(greeter, 0)


@pytest.mark.parametrize("way", ["-L", "-W", "-D", "a Unix socket"])
def test_a1_nothing_is_reached_through_the_host(host: Bastion, way: str) -> None:
    assert _reached(host, way) == b""
    with another_sshd(host, DisableForwarding="no") as open_host:
        assert _reached(open_host, way), "else this test could not fail"


def test_a1_nothing_is_let_in_by_the_host(host: Bastion) -> None:
    back = ("-o", "ExitOnForwardFailure=yes", "-R", f"0:127.0.0.1:{host.port}", "true")
    assert host.run(*back).returncode == 255
    with another_sshd(host, DisableForwarding="no") as open_host:
        assert open_host.run(*back).returncode == 0, "else this test could not fail"
