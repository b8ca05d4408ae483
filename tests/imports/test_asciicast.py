import json
from io import BytesIO

import pytest

from recorder.cast.events import EXIT, MARKER, OUTPUT, RESIZE
from recorder.errors import FormatError
from recorder.imports import asciicast
from recorder.imports.moments import Moment

V2 = (
    b'{"version": 2, "width": 90, "height": 20, "timestamp": 1788264005, "title": "t", "command": "top",'
    b' "env": {"TERM": "xterm"}}\n'
)


def moments(data: bytes) -> list[Moment]:
    return list(asciicast.read_moments(BytesIO(data), "x.cast"))


def test_version_2() -> None:
    facts = asciicast.read_facts(BytesIO(V2), "x")
    assert (facts.size, facts.start_ms, facts.title) == ((90, 20), 1_788_264_005_000, "t")
    assert (facts.command, facts.term) == ("top", "xterm")
    events = b'[0.5, "o", "hi"]\n[1, "r", "100x30"]\n[1, "m", ""]\n'
    assert moments(V2 + events) == [
        Moment(0.5, OUTPUT, b"hi"),
        Moment(1.0, RESIZE, b"100x30"),
        Moment(1.0, MARKER, b""),
    ]


def test_version_3() -> None:
    data = (
        b'{"version": 3, "term": {"cols": 80, "rows": 24}}\n# a comment\n[0.5, "o", "a"]\n[0.5, "x", "3"]\n'
    )
    assert moments(data) == [Moment(0.5, OUTPUT, b"a"), Moment(1.0, EXIT, b"3")]


def test_version_1() -> None:
    data = json.dumps({"version": 1, "width": 80, "height": 24, "stdout": [[0.5, "a"], [0.5, "b"]]}, indent=1)
    assert moments(data.encode()) == [Moment(0.5, OUTPUT, b"a"), Moment(1.0, OUTPUT, b"b")]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (b'[1, "S", "a seal of nobody"]', b"event S: a seal of nobody"),
        (b'[1, "B", "AAAA"]', b"event B: AAAA"),
        (b'[1, "r", "0x70000"]', b"event r: 0x70000"),
        (b'[1, "X", "many"]', b"event X: many"),
    ],
)
def test_what_would_mean_something_here_becomes_a_marker(event: bytes, said: bytes) -> None:
    """A copied seal must not make an imported recording look like a sealed one that was tampered with."""
    assert moments(V2 + event + b"\n") == [Moment(1.0, MARKER, said)]


def test_a_sealed_recording_is_not_imported() -> None:
    session = {
        "format": 1,
        "session": "20260901T120005-k7f3q9xw",
        "number": 1,
        "host": "web-03",
        "user": "alice",
        "uid": 1000,
        "origin": "local",
        "terminal": [80, 24],
        "boot_id": "b",
        "monotonic": 1.0,
        "recorder": "sealcast",
        "certificate": "ssh-ed25519-cert-v01@openssh.com AAAA",
    }
    header = json.dumps({"version": 2, "width": 80, "height": 24, "sealcast": session}).encode() + b"\n"
    with pytest.raises(FormatError, match="is sealed by web-03") as raised:
        asciicast.read_facts(BytesIO(header), "x.cast")
    assert raised.value.hint == "check it as it is: sealcast verify x.cast"


@pytest.mark.parametrize("event", [b'[0.5, "o", "cut', b"[2]", b'[1e300, "o", ""]', b'[-1, "o", ""]'])
def test_damaged_events(event: bytes) -> None:
    with pytest.raises(FormatError, match=r"x\.cast:2"):
        moments(V2 + event)
