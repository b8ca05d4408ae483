"""SFTP read from both sides: every operation with its outcome, and nothing that is sent can hurt."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.capture import sftp
from recorder.capture.sftp import Fact, NotSftpError, SftpObserver

INIT = bytes([0, 0, 0, 5, 1, 0, 0, 0, 3])
VERSION = bytes([0, 0, 0, 5, 2, 0, 0, 0, 3])


def packet(kind: int, *parts: "int | bytes | tuple[bytes]") -> bytes:
    """Numbers as uint32, bytes as strings, bytes in a tuple as they are."""
    body = b"".join(
        struct.pack(">I", part)
        if isinstance(part, int)
        else part[0]
        if isinstance(part, tuple)
        else struct.pack(">I", len(part)) + part
        for part in parts
    )
    return struct.pack(">IB", len(body) + 1, kind) + body


def offset(number: int) -> tuple[bytes]:
    return (struct.pack(">Q", number),)


OPEN = packet(3, 1, b"/a", 0x1A, 0)
CONVERSATION = [
    ("client", INIT),
    ("server", VERSION),
    ("client", OPEN),
    ("server", packet(102, 1, b"h1")),
    ("client", packet(6, 2, b"h1", offset(0), b"x" * 3000)),
    ("client", packet(6, 3, b"h1", offset(3000), b"y" * 70000)),
    ("server", packet(101, 2, 0, b"", b"")),
    ("server", packet(101, 3, 0, b"", b"")),
    ("client", packet(4, 4, b"h1")),
    ("server", packet(101, 4, 0, b"Success", b"")),
    ("client", packet(3, 5, b"/b", 1, 0)),
    ("server", packet(102, 5, b"h1")),
    ("client", packet(5, 6, b"h1", offset(0), 32768)),
    ("client", packet(5, 7, b"h1", offset(32768), 32768)),
    ("server", packet(103, 6, b"z" * 32768)),
    ("server", packet(101, 7, 1, b"End of file", b"")),
    ("client", packet(4, 8, b"h1")),
    ("server", packet(101, 8, 0)),
    ("client", packet(200, 9, b"posix-rename@openssh.com", b"/b", b"/c")),
    ("server", packet(101, 9, 0)),
    ("client", packet(13, 10, b"/gone")),
    ("client", packet(14, 11, b"/dir\xff", 0)),
    ("server", packet(101, 11, 3)),
    ("server", packet(101, 10, 2)),
    ("client", packet(11, 12, b"/dir")),
    ("server", packet(102, 12, b"d")),
    ("client", packet(12, 13, b"d")),
    ("server", packet(104, 13, 0)),
    ("client", packet(4, 14, b"d")),
    ("server", packet(101, 14, 0)),
    ("client", packet(20, 15, b"target", b"link")),
    ("server", packet(101, 15, 4)),
    ("client", packet(17, 16, b"/stat")),
    ("server", packet(105, 16, 0)),
]
FACTS = [
    {"action": "write", "path": "/a", "size": 73000, "outcome": "ok"},
    {"action": "read", "path": "/b", "size": 32768, "outcome": "ok"},
    {"action": "rename", "path": "/b", "target": "/c", "outcome": "ok"},
    {"action": "mkdir", "path": "/dir\ufffd", "path_base64": "L2Rpcv8=", "outcome": "permission denied"},
    {"action": "remove", "path": "/gone", "outcome": "no such file"},
    {"action": "list", "path": "/dir", "outcome": "ok"},
    {"action": "symlink", "path": "link", "target": "target", "outcome": "failure"},
]


def follow(parts: list[tuple[str, bytes]]) -> list[Fact]:
    facts: list[Fact] = []
    observer = SftpObserver(facts.append)
    for side, data in parts:
        getattr(observer, side)(memoryview(data))
    observer.end()
    return facts


def test_every_operation_is_told_with_its_outcome() -> None:
    assert follow(CONVERSATION) == FACTS


@given(st.integers(1, 5000))
def test_packets_may_be_cut_anywhere(size: int) -> None:
    parts = [(side, data[at : at + size]) for side, data in CONVERSATION for at in range(0, len(data), size)]
    assert follow(parts) == FACTS


def test_what_was_left_open_is_told_at_the_end() -> None:
    parts = [*CONVERSATION[:7], ("client", packet(13, 9, b"/x"))]
    assert follow(parts) == [
        {"action": "write", "path": "/a", "size": 3000, "outcome": "never closed"},
        {"action": "remove", "path": "/x", "outcome": "unknown"},
    ]


def test_a_file_that_could_not_be_opened_is_told() -> None:
    parts = [("client", OPEN), ("server", packet(101, 1, 3, b"Permission denied", b""))]
    assert follow(parts) == [{"action": "open", "path": "/a", "outcome": "permission denied"}]


def test_a_file_that_was_read_and_written_is_told_twice() -> None:
    parts = [
        *CONVERSATION[:5],
        ("server", packet(101, 2, 0)),
        ("client", packet(5, 6, b"h1", offset(0), 10)),
        ("server", packet(103, 6, b"0123456789")),
        ("client", packet(4, 4, b"h1")),
        ("server", packet(101, 4, 0)),
    ]
    told = [(fact["action"], fact["size"]) for fact in follow(parts)]
    assert told == [("write", 3000), ("read", 10)]


def test_a_refused_write_does_not_count() -> None:
    parts = [*CONVERSATION[:5], ("server", packet(101, 2, 4)), ("client", packet(4, 4, b"h1"))]
    parts.append(("server", packet(101, 4, 0)))
    assert [fact["size"] for fact in follow(parts)] == [0]


@pytest.mark.parametrize(
    "parts",
    [
        [("client", b"id\n; exec bash\n")],
        [("client", struct.pack(">IB", 0, 1))],
        [("client", struct.pack(">IB", sftp.MAX_PACKET + 1, 6))],
        [("client", packet(99, 1))],
        [("server", packet(3, 1))],
        [("server", packet(101, 1, 0))],
        [("client", packet(13, 1))],
        [("client", packet(13, 1, (struct.pack(">I", 100),), (b"short",)))],
        [("client", packet(13, 1, b"x" * (sftp.MAX_PATH + 1)))],
        [("client", packet(4, 1, b"x" * 257))],
        [("client", packet(13, 1, b"/a") * 2)],
        [("client", OPEN), ("server", packet(102, 1, b"x" * 257))],
        [("client", b"".join(packet(17, number, b"/") for number in range(sftp.MAX_WAITING + 1)))],
    ],
)
def test_what_is_not_sftp_is_refused(parts: list[tuple[str, bytes]]) -> None:
    with pytest.raises(NotSftpError):
        follow(parts)


def test_open_files_are_bounded() -> None:
    parts = []
    for number in range(sftp.MAX_HANDLES + 1):
        parts.append(("client", packet(3, number, b"/a", 1, 0)))
        parts.append(("server", packet(102, number, b"%d" % number)))
    assert len(follow(parts[:-2])) == sftp.MAX_HANDLES
    with pytest.raises(NotSftpError):
        follow(parts)


SIDES: st.SearchStrategy[Callable[[SftpObserver, memoryview], None]] = st.sampled_from(
    [SftpObserver.client, SftpObserver.server]
)
KINDS = st.sampled_from([1, 2, 3, 4, 5, 6, 9, 11, 13, 18, 20, 101, 102, 103, 200])
PARTS = st.lists(st.one_of(st.integers(0, 3), st.binary(max_size=12)), max_size=5)


@given(
    st.lists(st.tuples(SIDES, st.one_of(st.binary(), st.builds(lambda k, p: packet(k, *p), KINDS, PARTS))))
)
def test_noise_is_followed_or_refused(
    chunks: list[tuple[Callable[[SftpObserver, memoryview], None], bytes]],
) -> None:
    observer = SftpObserver(lambda _: None)
    try:
        for side, data in chunks:
            side(observer, memoryview(data))
    except NotSftpError:
        pass
    observer.end()
