"""Header lines of versions 2 and 3, ours and foreign ones."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.cast.header import MAX_HEADER, Header, encode_header, parse_header
from recorder.cast.session_header import SessionHeader
from recorder.errors import FormatError

SESSION = SessionHeader(
    format=1,
    session="20261120T101502-k7f3q9xw",
    number=7,
    host="web-1",
    user="alice",
    uid=1000,
    origin="sshd",
    source={"ip": "192.0.2.7", "port": 50122},
    authentication={"method": "publickey"},
    command="ls -l",
    reason="ticket 12",
    terminal=(0, 0),
    boot_id="5b1e4f0a-6c1d-4e0b-9a39-0c6d8b1f2e44",
    monotonic=12.5,
    recorder="sealcast 0.1.0",
    policy="sha256:" + "0" * 64,
    certificate="ssh-ed25519-cert-v01@openssh.com AAAA",
)
OURS = Header(2, 80, 24, 1_795_169_702, env={"TERM": "xterm"}, session=SESSION)
TEXT = st.text(st.characters(codec="utf-8"), max_size=50)


def line(**values: Any) -> bytes:  # noqa: ANN401 - any JSON value, wrong ones too
    return json.dumps({"version": 2, "width": 80, "height": 24} | values).encode() + b"\n"


def with_session(**values: Any) -> bytes:  # noqa: ANN401 - any JSON value, wrong ones too
    return line(sealcast=SESSION.as_json() | values)


def test_our_header_comes_back() -> None:
    encoded = encode_header(OURS)
    assert parse_header(encoded, "a.cast") == OURS
    assert encode_header(parse_header(encoded, "a.cast")) == encoded
    assert list(json.loads(encoded)) == ["version", "width", "height", "timestamp", "env", "sealcast"]


@given(
    st.builds(
        Header,
        st.just(2),
        st.integers(1, 65_535),
        st.integers(1, 65_535),
        st.none() | st.integers(0, 252_400_000_000),
        st.none() | st.floats(0, 1e9),
        st.none() | TEXT,
        st.dictionaries(TEXT, TEXT, max_size=5),
        st.none() | st.floats(0, 1e9),
        st.none() | st.dictionaries(TEXT, TEXT, min_size=1, max_size=3),
        st.none() | st.builds(replace, st.just(SESSION), user=TEXT.filter(bool), reason=st.none() | TEXT),
        st.dictionaries(TEXT.map("x-".__add__), st.integers(0, 9) | TEXT, max_size=3),
    )
)
def test_every_header_comes_back(header: Header) -> None:
    encoded = encode_header(header)
    assert encoded.count(b"\n") == 1
    assert parse_header(encoded, "x") == header
    assert encode_header(parse_header(encoded, "x")) == encoded


def test_bytes_that_are_no_text_do_not_break_the_header() -> None:
    encoded = encode_header(replace(OURS, title=b"a\xffb".decode(errors="surrogateescape")))
    assert parse_header(encoded, "x").title == "a\ufffdb"


def test_a_foreign_header_keeps_its_unknown_keys() -> None:
    header = parse_header(line(timestamp=12.75, env={"TERM": None, "SHELL": "/bin/sh"}, x={"y": [1]}), "x")
    assert header.other == {"x": {"y": [1]}}
    assert header.timestamp == 12
    assert header.env == {"SHELL": "/bin/sh"}
    assert header.session is None


def test_version_3_is_told_in_the_terms_of_version_2() -> None:
    header = parse_header(
        b'{"version":3,"term":{"cols":100,"rows":50,"type":"xterm","theme":{"fg":"#fff"}},"tags":["a"]}\n',
        "x",
    )
    assert (header.version, header.width, header.height) == (3, 100, 50)
    assert (header.env, header.theme, header.other) == ({"TERM": "xterm"}, {"fg": "#fff"}, {"tags": ["a"]})


@pytest.mark.parametrize(
    "data", [b"", b"hello\n", b"[1]\n", b"\x7fELF\x00", b"{}\n", b'{"version": "2"}\n', b"7\n"]
)
def test_another_file_is_named_as_such(data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        parse_header(data, "notes.txt")
    assert str(caught.value) == "notes.txt is not an asciicast (first line is not a JSON header)"
    assert caught.value.where == "notes.txt"


def test_a_newer_version_is_named() -> None:
    with pytest.raises(FormatError, match="asciicast version 9; this program reads 1 to 3"):
        parse_header(line(version=9), "x")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (line(width=0), "width is not a whole number from 1 to 65535"),
        (line(width=80.5), "width is not a whole number"),
        (line(width=True), "width is not a whole number"),
        (line(height=None), "height is missing"),
        (line(timestamp=-1), "timestamp is not"),
        (line(timestamp="now"), "timestamp is not"),
        (line(title=["a"]), "title is an array, not a string"),
        (line(title="x" * 70_000), "title is longer than 65536 characters"),
        (line(env=["a"]), "env is an array, not an object"),
        (line(env={"A": 1}), "env.A is a number, not a string"),
        (line(env={str(n): "" for n in range(1001)}), "env has more than 1000 keys"),
        (line(theme="dark"), "theme is a string, not an object"),
        (line(sealcast=[]), "sealcast is an array, not an object"),
        (with_session(format=2), "sealcast.format is 2; this program reads up to 1"),
        (with_session(format=None), "sealcast.format is missing"),
        (with_session(session="a/b"), "sealcast.session holds a space, a control character, + or /"),
        (with_session(host="a b"), "sealcast.host holds a space"),
        (with_session(host=""), "sealcast.host is missing or empty"),
        (with_session(uid=2**32), "sealcast.uid is not a whole number"),
        (with_session(origin="root"), "sealcast.origin is neither local nor sshd"),
        (with_session(source={"port": 1}), "sealcast.source.ip is missing"),
        (with_session(terminal=[80]), "sealcast.terminal is not an array of columns and rows"),
        (with_session(terminal=[80, -1]), "terminal.rows is not a whole number"),
        (with_session(certificate=None), "sealcast.certificate is missing"),
        (b'{"version": 2, "version": 2}\n', "the same key twice"),
        (b'{"version": 2, "width": 1e400}\n', "a number too large"),
        (b'{"version": 2, "width": NaN}\n', "NaN is not a JSON number"),
        (b'\xef\xbb\xbf{"version": 2}\n', "byte order mark"),
        (b'{"version": 2}\r\n', "CR LF"),
        (b'{"version": 2, "title": "\x00"}\n', "NUL byte"),
        (b'{"version": 2, "title": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"version": 2, "title": "' + b"x" * MAX_HEADER, "header longer than"),
        (b'{"version": 3, "width": 80}\n', "term is missing"),
        (b'{"version": 2', "not JSON at column"),
    ],
)
def test_a_bad_header_is_refused_with_its_field(data: bytes, problem: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_header(data, "a.cast")
    assert str(caught.value).startswith("a.cast:1: ")
    assert problem in str(caught.value)


@given(st.binary(max_size=100).map(b'{"version": 2, '.__add__) | st.binary(max_size=100))
def test_any_bytes_are_a_header_or_an_error(data: bytes) -> None:
    with suppress(FormatError):
        encode_header(parse_header(data, "x"))
