import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import FormatError
from recorder.log import entries
from recorder.log.entries import Document, Ending, Import, Occasion, Opening
from recorder.log.tiles import MAX_ENTRY
from tests.log import ecs

SESSION = "20261120T101502-k7f3q9xw"
OPENING = Opening(
    session=SESSION,
    number=41,
    start_ms=1_795_169_702_123,
    user="alice",
    uid=1000,
    origin="sshd",
    interactive=True,
    columns=120,
    rows=40,
    command="kubectl get pods",
    title="failover",
    reason="INC-4121",
    source_ip="2001:db8::1",
    source_port=52_100,
    authentication={"method": "publickey"},
    session_key="SHA256:abc",
)
ENDING = Ending(
    session=SESSION,
    number=41,
    user="alice",
    uid=1000,
    start_ms=1_795_169_702_000,
    end_ms=1_795_170_000_500,
    duration_s=298.5,
    lines=4021,
    root=bytes(32),
    sha256=bytes(range(32)),
    size=1_000_000,
    path="sealed/2026/11/20/x.cast.zst",
    stored_size=90_000,
    final=True,
    exit_status=7,
    seals=31,
    landmarks=tuple((number, bytes(32)) for number in range(32)),
    dropped_size=12,
    dropped_sha256=bytes(32),
    finding="line 3 is not an event",
    left_running=tuple({"pid": 4_000_000 + number, "name": "\x01" * 15} for number in range(200)),
    ended={"cause": "ended", "by": {"user": "u" * 32, "uid": 0}, "reason": "\x01" * 600},
)
IMPORT = Import(
    session=SESSION,
    format="tlog",
    source="/var/log/old.json",
    source_sha256=bytes(range(32, 64)),
    source_size=4711,
    part="f204de83-914",
    user="bob",
    recorded_on="web-03",
    start_ms=1_795_169_702_000,
    duration_s=298.5,
    columns=80,
    rows=24,
    command="bash -l",
    title="an old one",
    exit_status=0,
    lines=4021,
    root=bytes(32),
    sha256=bytes(range(32)),
    size=1_000_000,
    path="sealed/2026/11/20/x.cast.zst",
    stored_size=90_000,
)
OCCASION = Occasion("bastion1", 1_795_169_702_123, "carol", 1001)
DOCUMENTS = {
    "opened": entries.session_opened("bastion1", OPENING),
    "closed": entries.session_ended("bastion1", entries.CLOSED, ENDING),
    "interrupted": entries.session_ended(
        "bastion1", entries.INTERRUPTED, replace(ENDING, exit_status=None, path=None, landmarks=())
    ),
    "key created": entries.key_created(OCCASION, "SHA256:abc"),
    "key trusted": entries.key_trusted(OCCASION, "SHA256:abc", "bastion2"),
    "viewed": entries.recording_accessed(entries.VIEWED, OCCASION, SESSION),
    "imported": entries.recording_imported(OCCASION, IMPORT),
    "exported": entries.recording_accessed(entries.EXPORTED, OCCASION, SESSION),
}


def numbered(document: Document) -> Document:
    """As the notary completes it."""
    return document | {"event": document["event"] | {"sequence": 3, "id": "bastion1/log/3"}}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_is_ecs(name: str) -> None:
    assert ecs.problems(numbered(DOCUMENTS[name]), ecs.fields()) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_fits_the_committed_fields(name: str) -> None:
    assert ecs.problems(numbered(DOCUMENTS[name]), ecs.committed_fields()) == []


FAULTS: list[tuple[tuple[str, ...], Any]] = [
    (("event", "category"), "session"),
    (("event", "category"), ["sessions"]),
    (("event", "type"), ["deletion"]),
    (("event", "sequence"), "3"),
    (("source", "ip"), "localhost"),
    (("@timestamp",), "yesterday"),
    (("user", "shoe_size"), 44),
    (("process", "interactive"), "yes"),
]


@pytest.mark.parametrize(("path", "value"), FAULTS)
def test_the_check_sees_faults(path: tuple[str, ...], value: object) -> None:
    document = json.loads(entries.encode(numbered(DOCUMENTS["opened"])))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert any(problem.startswith(".".join(path)) for problem in ecs.problems(document, ecs.fields()))


def test_bytes_are_canonical() -> None:
    encoded = entries.encode(DOCUMENTS["viewed"])
    assert encoded == (
        b'{"@timestamp":"2026-11-20T10:15:02.123Z","ecs":{"version":"9.0.0"},"event":{"action":"recording-viewed",'
        b'"category":["file"],"dataset":"sealcast.log","kind":"event","module":"sealcast","outcome":"success",'
        b'"type":["access"]},"host":{"hostname":"bastion1","name":"bastion1"},"observer":{"product":"sealcast",'
        b'"type":"session-recorder","version":"0.1.0"},"related":{"hosts":["bastion1"],"user":["carol"]},'
        b'"sealcast":{"session":"20261120T101502-k7f3q9xw"},"user":{"id":"1001","name":"carol"}}'
    )


texts = st.text(st.characters(codec=None), max_size=6_000)


@given(texts, texts, texts)
def test_any_text_gives_an_entry_that_fits(command: str, title: str, user: str) -> None:
    opening = replace(OPENING, command=command, title=title, reason=title, user=user)
    encoded = entries.encode(numbered(entries.session_opened("h" * 253, opening)))
    assert len(encoded) <= MAX_ENTRY
    assert entries.action(entries.decode(encoded, "entry")) == entries.OPENED


def test_the_worst_text_fits() -> None:
    worst = replace(OPENING, command="\x01" * 70_000, title="\x01" * 70_000, reason="\x01" * 70_000)
    assert len(entries.encode(entries.session_opened("h", worst))) <= MAX_ENTRY
    assert len(entries.encode(DOCUMENTS["closed"])) <= MAX_ENTRY


@pytest.mark.parametrize("entry", [b"", b"{", b"[]", b"{}", b'{"event": 3}', b"\xff", b"[" * 100_000])
def test_what_is_no_document_is_refused(entry: bytes) -> None:
    with pytest.raises(FormatError):
        entries.decode(entry, "entry 3")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_a_format_error(data: bytes) -> None:
    try:
        document = entries.decode(data, "entry")
    except FormatError:
        return
    assert isinstance(document["event"], dict)
