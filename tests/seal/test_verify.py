"""What is said of recordings nobody has touched: whole, live, cut off, foreign, of other keys."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.cast.events import MAX_LINE, OUTPUT
from recorder.cast.reader import iter_lines
from recorder.cast.v2 import encode_event, encode_header
from recorder.seal import certificate, keys
from recorder.seal.integrity import Integrity
from recorder.seal.merkle import leaf_hash, root_of
from recorder.seal.sealer import wall_clock
from recorder.seal.verify import KeyState, Kind, check_recording
from tests.seal.recordings import (
    HOST,
    HOST_KEY,
    SESSION,
    SESSION_KEY,
    START_MS,
    TRUSTED,
    begin,
    build,
    check,
    header,
    key,
)

START = datetime(2026, 11, 20, 10, 15, 2, 123000, UTC)


def kinds(result: Integrity) -> list[Kind]:
    return [finding.kind for finding in result.findings]


def test_a_whole_recording() -> None:
    recording = build(spans=3, per_span=5)
    result = check(recording.lines)
    assert result.findings == () == result.bad
    assert result.bad_from_s is None
    assert (result.key, result.header) == (KeyState.TRUSTED, header())
    assert (result.seals, result.lines, result.sealed_lines, result.final) == (3, 20, 19, True)
    assert (result.exit_status, result.duration, result.sealed_until) == (0, 15.0, 15.0)
    assert (result.size_bytes, result.sha256) == (len(recording.bytes), sha256(recording.bytes).digest())
    assert result.last_root == root_of(leaf_hash(line) for line in recording.lines[:-1])
    assert (result.wall_start, result.wall_end) == (
        START + timedelta(seconds=5),
        START + timedelta(seconds=15),
    )
    assert result.root == root_of(leaf_hash(line) for line in recording.lines)
    assert (result.clock_notes, result.read_to_end) == ((), True)


def test_the_hash_of_the_whole_file_can_be_left_out() -> None:
    lines = build().lines
    quick = check_recording(iter(lines), TRUSTED, whole=False)
    assert quick == replace(check(lines), sha256=b"")


@pytest.mark.parametrize("lines", [[b"hello\n", b"x\n", b"half"], build().lines[3:], build().lines[::-1]])
def test_the_root_over_all_lines_is_there_whatever_they_are(lines: list[bytes]) -> None:
    complete = [line for line in lines if line.endswith(b"\n")]
    assert check(lines).root == root_of(leaf_hash(line) for line in complete)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.booleans()), max_size=40))
def test_any_recording_verifies_and_so_does_every_prefix_up_to_a_seal(steps: list[tuple[str, bool]]) -> None:
    recording = begin()
    for time, (text, sealed) in enumerate(steps):
        recording.event(time, OUTPUT, text)
        if sealed:
            recording.seal(time)
            result = check(recording.lines)
            assert (kinds(result), result.sealed_lines) == ([Kind.NO_FINAL], len(recording.lines) - 1)
    recording.seal(len(steps), final=True)
    assert check(recording.lines).findings == ()


def test_a_recording_larger_than_a_batch() -> None:
    recording = begin()
    for number in range(3000):
        recording.event(number / 1000, OUTPUT, "x" * 400)
    recording.seal(3.0, final=True)
    result = check(recording.lines)
    assert (result.findings, result.sha256) == ((), sha256(recording.bytes).digest())


def test_a_live_recording() -> None:
    recording = build(spans=2, final=False)
    recording.event(11, OUTPUT, "more")
    result = check(recording.lines)
    assert kinds(result) == [Kind.UNSEALED_TAIL, Kind.NO_FINAL]
    assert [finding.sentence for finding in result.findings] == [
        "line 15 under no seal",
        "no final seal: it ends at 00:11.0, and the file alone cannot say if more followed",
    ]
    assert (result.bad, result.sealed_until) == ((), 10.0)


def test_only_a_header() -> None:
    assert kinds(check(begin().lines)) == [Kind.UNSEALED_TAIL, Kind.NO_FINAL]


def test_progress_is_told() -> None:
    seen: list[int] = []
    recording = build(spans=50, per_span=50)
    check_recording(iter(recording.lines), TRUSTED, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == len(recording.bytes)


def test_an_unknown_key_is_named_and_the_seals_are_still_checked() -> None:
    result = check(build().lines, trust={})
    assert (result.key, kinds(result), result.seals) == (KeyState.UNKNOWN, [Kind.UNKNOWN_KEY], 3)
    assert keys.fingerprint(keys.public_bytes(HOST_KEY)) in result.findings[0].sentence
    assert result.bad == ()


def test_a_trusted_key_of_another_host_is_bad() -> None:
    result = check(build().lines, trust={keys.public_bytes(HOST_KEY): "db-1"})
    assert (result.key, kinds(result)) == (KeyState.WRONG_HOST, [Kind.WRONG_HOST])
    assert result.findings[0].sentence == "certified by the key of db-1, but it says it is from web-1"
    assert result.bad


def test_a_key_trusted_for_any_host() -> None:
    assert check(build().lines, trust={keys.public_bytes(HOST_KEY): "*"}).key == KeyState.TRUSTED


def certified(name: str = SESSION, host: str = HOST, issuer: int = 1, signer: int = 1) -> str:
    """A certificate line naming `issuer` as its maker, signed by `signer`."""
    line = certificate.issue(key(issuer), keys.public_bytes(SESSION_KEY), name, host, START_MS // 1000, 42)
    blob = certificate.parse(line, "x").blob
    forged = blob[: -keys.SIGNATURE_SIZE] + key(signer).sign(blob[:-87])
    return replace(certificate.parse(line, "x"), blob=forged).line()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            certified(name="20261120T101502-00000000"),
            f"is for session 20261120T101502-00000000, not {SESSION}",
        ),
        (certified(host="db-1"), "is for host db-1, not web-1"),
        (certified(signer=3), "the signature of the session key's certificate does not match"),
        ("ssh-ed25519 AAAA", "not an ssh-ed25519-cert-v01@openssh.com certificate"),
    ],
)
def test_a_certificate_that_does_not_fit_is_bad(line: str, sentence: str) -> None:
    recording = begin(certificate=line)
    recording.event(1, OUTPUT, "a")
    recording.seal(1, final=True)
    result = check(recording.lines)
    assert (result.key, kinds(result), result.seals) == (KeyState.BAD, [Kind.CERTIFICATE], 0)
    assert sentence in result.findings[0].sentence


def test_another_hosts_key_behind_our_name_is_not_trusted() -> None:
    recording = begin(certificate=certified(issuer=3, signer=3))
    recording.seal(1, final=True)
    result = check(recording.lines)
    assert (result.key, kinds(result)) == (KeyState.UNKNOWN, [Kind.UNKNOWN_KEY])


def test_an_idle_hour_before_the_end_is_no_stepped_clock() -> None:
    recording = begin()
    recording.event(1, OUTPUT, "a")
    recording.seal(1)
    recording.seal(3601, final=True)
    assert check(recording.lines).clock_notes == ()


def test_a_stepped_clock_is_a_note() -> None:
    recording = begin()
    for time, wall in ((1.0, START_MS), (2.0, START_MS - 5000), (3.0, START_MS + 60_000)):
        recording.event(time, OUTPUT, "a")
        recording.event(time, "S", recording.sealer.seal(wall, final=time == 3.0))
    result = check(recording.lines)
    assert result.findings == ()
    assert result.clock_notes == (
        "the host's wall clock went back by 5.0 s between 00:01.0 and 00:02.0",
        "the host's wall clock differs by +64.0 s from the recording's between 00:02.0 and 00:03.0",
    )


@pytest.mark.parametrize(
    "lines",
    [
        [encode_header(replace(header(), session=None)), encode_event(1, OUTPUT, "a")],
        [
            b'{"version": 3, "term": {"cols": 80, "rows": 24}}\n',
            b'[0.1, "o", "a"]\n',
            b"# x\n",
            b'[1, "x", "0"]\n',
        ],
    ],
)
def test_a_foreign_recording_has_nothing_to_check(lines: list[bytes]) -> None:
    result = check(lines)
    assert (result.key, kinds(result), result.bad) == (KeyState.NONE, [Kind.UNSIGNED], ())
    assert result.lines == len(lines)


def test_no_recording_at_all() -> None:
    for lines in ([], [b"half"], [b"hello\n"], [b"\x00\n"], [b"\n"], [b'{"version": 9}\n']):
        result = check(lines)
        assert result.key == KeyState.NONE
        assert Kind.HEADER in kinds(result)
        assert result.bad


def test_a_line_too_long_ends_the_reading_with_a_finding() -> None:
    recording = build(final=False)
    file = io.BytesIO(recording.bytes + b"x" * (MAX_LINE + 10))
    result = check_recording(iter_lines(file, name="a.cast"), TRUSTED)
    assert (result.lines, result.seals, result.read_to_end) == (20, 3, False)
    found = {finding.kind: finding for finding in result.findings}
    assert found[Kind.MALFORMED].sentence == f"not read on: a.cast:21: line longer than {MAX_LINE} bytes"
    assert found[Kind.MALFORMED].first_line == 21


def test_a_line_of_16_mib_is_checked() -> None:
    recording = begin()
    recording.event(1, OUTPUT, "x" * (MAX_LINE - 20))
    recording.seal(1, final=True)
    assert len(recording.lines[1]) == MAX_LINE
    assert check_recording(iter_lines(io.BytesIO(recording.bytes)), TRUSTED).findings == ()


def test_an_error_of_the_source_is_not_swallowed() -> None:
    def lines() -> Iterator[bytes]:
        yield from build().lines[:3]
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        check_recording(lines(), TRUSTED)


def test_the_wall_clock_is_written_in_one_form() -> None:
    assert wall_clock(START_MS) == "2026-11-20T10:15:02.123Z"
    assert wall_clock(0) == "1970-01-01T00:00:00.000Z"
