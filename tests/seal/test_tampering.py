"""Every way to tamper with a recording has its own true sentence."""

import io
from base64 import b64encode
from collections.abc import Callable

import pytest

from recorder.cast.events import OUTPUT
from recorder.cast.reader import iter_lines
from recorder.cast.v2 import encode_event
from recorder.seal import diagnosis, keys
from recorder.seal.findings import Finding
from recorder.seal.merkle import leaf_hash, root_of
from recorder.seal.note import Checkpoint, sign_note
from recorder.seal.verify import Integrity, Kind
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
    key,
)

# build(): line 1 is the header, 2-6 output, 7 a seal, 8-12 output, 13 a seal, 14-18 output, 19 exit, 20 the
# final seal; the time is one second per line of output
Lines = list[bytes]
SECOND = "(00:05.0 to 00:10.0): the seal at line"


def damaged(change: Callable[[Lines], object]) -> Integrity:
    lines = build().lines
    change(lines)
    return check(lines)


def only(result: Integrity, kind: Kind) -> Finding:
    (finding,) = [item for item in result.findings if item.kind is kind]
    return finding


def sentences(result: Integrity) -> list[str]:
    return [finding.sentence for finding in result.findings]


def assert_intact_up_to_line_7(result: Integrity) -> None:
    assert (result.seals, result.sealed_lines, result.sealed_until, result.final) == (1, 6, 5.0, False)
    assert result.bad


def change(lines: Lines, number: int, old: bytes, new: bytes) -> None:
    assert old in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new, 1)


def test_a_byte_changed() -> None:
    result = damaged(lambda lines: change(lines, 10, b"line", b"lime"))
    assert_intact_up_to_line_7(result)
    assert result.findings == (
        Finding(
            Kind.CHANGED,
            f"at least one line altered, replaced or moved in lines 7 to 12 {SECOND} 13 does not match",
            first_line=7,
            last_line=12,
            start_s=5.0,
            end_s=10.0,
        ),
    )
    assert result.bad_from_s == 5.0


def test_an_event_dropped() -> None:
    result = damaged(lambda lines: lines.pop(9))
    assert_intact_up_to_line_7(result)
    assert sentences(result) == [f"at least 1 line missing from lines 7 to 11 {SECOND} 12 does not match"]
    assert result.findings[0].kind is Kind.MISSING_LINE


def test_several_events_dropped() -> None:
    def drop(lines: Lines) -> None:
        del lines[8:11]

    result = damaged(drop)
    assert sentences(result) == [f"at least 3 lines missing from lines 7 to 9 {SECOND} 10 does not match"]


def test_a_whole_span_dropped_with_its_seal() -> None:
    def drop(lines: Lines) -> None:
        del lines[7:13]

    result = damaged(drop)
    assert_intact_up_to_line_7(result)
    assert only(result, Kind.MISSING_LINE).sentence.startswith("at least 6 lines missing from lines 7 to 13 ")


def test_an_event_doubled() -> None:
    result = damaged(lambda lines: lines.insert(9, lines[9]))
    assert_intact_up_to_line_7(result)
    assert sentences(result) == [f"line 11 stands there twice {SECOND} 14 does not match"]
    assert result.findings[0].kind is Kind.DOUBLED


def test_two_events_doubled() -> None:
    def double(lines: Lines) -> None:
        lines[10:10] = lines[8:10]

    result = damaged(double)
    assert (
        only(result, Kind.DOUBLED).sentence == f"lines 11 to 12 stand there twice {SECOND} 15 does not match"
    )


def test_an_event_inserted() -> None:
    result = damaged(lambda lines: lines.insert(9, encode_event(7.5, OUTPUT, "forged")))
    assert_intact_up_to_line_7(result)
    assert sentences(result) == [
        f"line 10 did not stand there when the next seal was made {SECOND} 14 does not match"
    ]
    assert result.findings[0].kind is Kind.ADDED_LINE


def test_inserting_and_changing_is_not_told_to_the_line() -> None:
    def alter(lines: Lines) -> None:
        change(lines, 9, b"line", b"lime")
        lines.insert(9, encode_event(7.5, OUTPUT, "forged"))

    result = damaged(alter)
    assert sentences(result) == [f"at least 1 line added in lines 7 to 13 {SECOND} 14 does not match"]


def test_neighbours_reordered() -> None:
    def swap(lines: Lines) -> None:
        lines[9], lines[10] = lines[10], lines[9]

    result = damaged(swap)
    assert_intact_up_to_line_7(result)
    assert sentences(result) == [
        f"lines 10 and 11 changed places {SECOND} 13 does not match",
        "the time goes back at line 11, from 00:09.0 to 00:08.0",
    ]
    assert result.findings[0].kind is Kind.REORDERED


def test_an_event_moved() -> None:
    result = damaged(lambda lines: lines.insert(7, lines.pop(10)))
    assert (
        only(result, Kind.REORDERED).sentence == f"line 8 was moved from line 11 {SECOND} 13 does not match"
    )


def test_an_event_moved_behind_its_seal() -> None:
    result = damaged(lambda lines: lines.insert(13, lines.pop(11)))
    assert only(result, Kind.MISSING_LINE).first_line == 7


def test_the_tail_cut_at_a_seal() -> None:
    result = check(build().lines[:13])
    assert sentences(result) == [
        "no final seal: it ends at 00:10.0, and the file alone cannot say if more followed"
    ]
    assert (result.bad, result.sealed_lines) == ((), 12)


def test_the_tail_cut_between_seals() -> None:
    result = check(build().lines[:15])
    assert [finding.kind for finding in result.findings] == [Kind.UNSEALED_TAIL, Kind.NO_FINAL]
    assert sentences(result)[0] == "lines 14 to 15 under no seal"
    assert result.bad == ()


def test_the_tail_cut_within_a_line() -> None:
    lines = build().lines[:15]
    lines[-1] = lines[-1][:10]
    result = check(lines)
    assert only(result, Kind.CUT_TAIL).sentence == "the last line is incomplete: 10 bytes without a newline"
    assert (result.lines, result.bad) == (14, ())


def test_the_last_byte_cut() -> None:
    lines = build().lines
    lines[-1] = lines[-1][:-1]
    result = check(lines)
    assert not result.final
    assert only(result, Kind.NO_FINAL)


def test_a_seal_of_another_session() -> None:
    other = begin(session="20261120T101502-00000000")
    other.event(1, OUTPUT, "a")
    other.seal(8)
    result = damaged(lambda lines: lines.insert(10, other.lines[-1]))
    assert_intact_up_to_line_7(result)
    assert only(result, Kind.FOREIGN_SEAL).sentence == (
        "the seal at line 11 names web-1/20261120T101502-00000000, not this recording"
    )


def test_a_seal_by_another_key() -> None:
    other = begin(session_key=key(9))
    other.event(1, OUTPUT, "a")
    other.seal(8)
    result = damaged(lambda lines: lines.insert(10, other.lines[-1]))
    assert only(result, Kind.FOREIGN_SEAL).sentence == "the seal at line 11 was made by another key"


def test_a_seal_made_anew_after_a_change() -> None:
    """Who changes a line and has no session key can only sign with a key of his own."""
    forged = begin(session_key=key(9))
    for line in build().lines[1:6]:
        forged.write(line)
    forged.seal(5.0, final=True)
    assert only(check(forged.lines), Kind.FOREIGN_SEAL).first_line == 7


def test_the_signature_in_a_seal_changed() -> None:
    def alter(lines: Lines) -> None:
        line = lines[12]
        at = line.rindex(b"=\\n") - 20
        lines[12] = line[:at] + (b"A" if line[at : at + 1] != b"A" else b"B") + line[at + 1 :]

    result = damaged(alter)
    assert_intact_up_to_line_7(result)
    assert sentences(result) == ["the seal at line 13 was altered: its signature fails"]
    assert (result.findings[0].start_s, result.findings[0].end_s) == (5.0, 10.0)
    assert result.findings[0].kind is Kind.DAMAGED_SEAL


@pytest.mark.parametrize("old", [b"2026-11-20T10:15:12", b"\\n12\\n"])
def test_what_a_seal_says_changed(old: bytes) -> None:
    result = damaged(lambda lines: change(lines, 13, old, old.replace(b"2", b"3")))
    assert only(result, Kind.DAMAGED_SEAL).first_line == 13


def test_another_signature_added_to_a_seal() -> None:
    result = damaged(lambda lines: change(lines, 20, b'\\n"]', b'\\n\xe2\x80\x94 x AAAAAAAA\\n"]'))
    assert only(result, Kind.DAMAGED_SEAL).sentence == (
        "the seal at line 20: not in the form in which seals are written"
    )


def test_another_spelling_of_a_seal() -> None:
    assert only(damaged(lambda lines: change(lines, 20, b"web-1", b"w\\u0065b-1")), Kind.DAMAGED_SEAL)


@pytest.mark.parametrize("upto", [13, 20])
def test_a_root_made_to_fit_a_change(upto: int) -> None:
    """The root is right then; only the signature, which nobody else can make, is not."""

    def alter(lines: Lines) -> None:
        before = b64encode(root_of(leaf_hash(line) for line in lines[:12]))
        change(lines, 10, b"line", b"lime")
        change(lines, 13, before, b64encode(root_of(leaf_hash(line) for line in lines[:12])))
        del lines[upto:]

    result = damaged(alter)
    assert_intact_up_to_line_7(result)
    assert only(result, Kind.DAMAGED_SEAL).sentence == "the seal at line 13 was altered: its signature fails"


def test_a_long_run_of_seals_with_one_forged() -> None:
    lines = build(spans=200, per_span=1).lines
    assert check(lines).seals == 200
    forged = lines[: 2 * 150 + 1]
    before = b64encode(root_of(leaf_hash(line) for line in forged[:-1]))
    forged[-2] = encode_event(150, OUTPUT, "forged")
    change(forged, len(forged), before, b64encode(root_of(leaf_hash(line) for line in forged[:-1])))
    result = check(forged)
    assert (result.seals, result.sealed_lines, result.sealed_until) == (149, 298, 149.0)
    assert only(result, Kind.DAMAGED_SEAL).first_line == 301


def test_a_seal_dropped() -> None:
    result = damaged(lambda lines: lines.pop(12))
    assert only(result, Kind.MISSING_LINE).last_line == 18


def test_a_seal_doubled() -> None:
    result = damaged(lambda lines: lines.insert(13, lines[12]))
    assert sentences(result) == ["line 14 repeats the seal of line 13"]
    assert result.findings[0].kind is Kind.DOUBLED


def test_lines_after_the_final_seal() -> None:
    result = damaged(
        lambda lines: lines.extend([encode_event(16, OUTPUT, "a"), encode_event(17, OUTPUT, "b")])
    )
    assert result.final
    assert sentences(result) == ["lines 21 to 22 after the final seal"]
    assert [finding.kind for finding in result.bad] == [Kind.AFTER_FINAL]


def test_half_a_line_after_the_final_seal() -> None:
    result = damaged(lambda lines: lines.append(b"x"))
    assert only(result, Kind.AFTER_FINAL).sentence == "line 21 after the final seal"


def test_another_session_appended() -> None:
    result = damaged(lambda lines: lines.extend(build().lines))
    assert only(result, Kind.AFTER_FINAL).sentence == "lines 21 to 40 after the final seal"


def test_time_going_back_under_a_good_seal() -> None:
    recording = begin()
    recording.event(5, OUTPUT, "a")
    recording.event(3, OUTPUT, "b")
    recording.event(2, OUTPUT, "c")
    recording.seal(4, final=True)
    result = check(recording.lines)
    assert sentences(result) == ["the time goes back at line 3, from 00:05.0 to 00:03.0, and 1 more line"]
    assert (result.bad[0].kind, result.final) == (Kind.TIME_BACK, True)


@pytest.mark.parametrize(
    ("old", "new"), [(b"alice", b"mallo"), (b"local", b"sshd"), (b'"number": 42', b'"number": 43')]
)
def test_the_header_changed(old: bytes, new: bytes) -> None:
    result = damaged(lambda lines: change(lines, 1, old, new))
    assert (result.seals, result.final) == (0, False)
    assert only(result, Kind.CHANGED).sentence == (
        "at least one line altered, replaced or moved in lines 1 to 6 (00:00.0 to 00:05.0): "
        "the seal at line 7 does not match"
    )


@pytest.mark.parametrize(
    ("old", "new"), [(b"k7f3q9xw", b"00000000"), (b'"host": "web-1"', b'"host": "web-2"')]
)
def test_the_headers_name_changed(old: bytes, new: bytes) -> None:
    result = damaged(lambda lines: change(lines, 1, old, new))
    assert (only(result, Kind.CERTIFICATE).first_line, result.seals) == (1, 0)


def test_the_header_of_another_session_put_in_front() -> None:
    other = begin(user="mallory").lines[0]
    result = damaged(lambda lines: lines.__setitem__(0, other))
    assert only(result, Kind.CHANGED).first_line == 1


def test_our_object_taken_out_of_the_header() -> None:
    result = damaged(lambda lines: change(lines, 1, b'"sealcast"', b'"sealcasu"'))
    assert only(result, Kind.HEADER).sentence == (
        "line 7 is a seal, but the header names no key for it: the header was replaced"
    )


def test_the_header_made_unreadable() -> None:
    result = damaged(lambda lines: lines.__setitem__(0, b"{}\n"))
    assert {finding.kind for finding in result.bad} == {Kind.HEADER}


def test_lines_that_are_no_events() -> None:
    recording = begin()
    for line in (b"\n", b"# comment\n", b'[1, "o", "short time"]\n', b'[1.000000, "oo", "a"]\n', b"\r\n"):
        recording.write(line)
    recording.seal(1, final=True)
    result = check(recording.lines)
    assert sentences(result) == ["line 2 is not an event as this program writes them, and 4 more lines"]
    assert (result.findings[0].kind, result.findings[0].last_line) == (Kind.MALFORMED, 6)


@pytest.mark.parametrize(
    ("code", "data", "words"),
    [
        ("X", "x", "exit status"),
        ("X", "-1", "exit status"),
        ("X", "", "exit status"),
        ("r", "80", "terminal size"),
    ],
)
def test_events_whose_data_is_not_what_it_should_be(code: str, data: str, words: str) -> None:
    recording = begin()
    recording.event(1, code, data)
    recording.seal(1, final=True)
    assert sentences(check(recording.lines)) == [f"line 2 is not a {words}".replace("a exit", "an exit")]


def test_line_ends_converted() -> None:
    data = build().bytes.replace(b"\n", b"\r\n")
    result = check(list(iter_lines(io.BytesIO(data))))
    assert only(result, Kind.HEADER).sentence == "the recording:1: line ends with CR LF"


def test_a_seal_with_an_unknown_extension_is_not_guessed_at() -> None:
    recording = begin()
    note = recording.sealer.seal(START_MS)
    recording.event(1, "S", note.replace("time ", "tide "))
    assert only(check(recording.lines), Kind.DAMAGED_SEAL)


@pytest.mark.parametrize(
    "extensions",
    [
        (),
        ("final",),
        ("time now",),
        ("time 2026-11-20T10:15:02.123",),
        ("time 2026-11-20T10:15:02.123+00:00",),
        ("time 2026-11-20T10:15:02Z",),
        ("time 2026-11-20T10:15:02.123Z", "final", "final"),
    ],
)
def test_a_signed_seal_in_another_form(extensions: tuple[str, ...]) -> None:
    recording = begin()
    origin = f"{HOST}/{SESSION}"
    checkpoint = Checkpoint(origin, 1, leaf_hash(recording.lines[0]), extensions)
    recording.event(1, "S", sign_note(checkpoint.text(), origin, SESSION_KEY))
    assert only(check(recording.lines), Kind.DAMAGED_SEAL).first_line == 2


def test_a_span_too_long_to_diagnose_is_still_found() -> None:
    recording = begin()
    for number in range(diagnosis.MAX_SPAN + 1500):
        recording.event(number, OUTPUT, "a")
    recording.seal(number, final=True)
    lines = recording.lines
    lines.insert(9, lines[9])
    result = check(lines)
    assert only(result, Kind.ADDED_LINE).sentence.startswith("at least 1 line added in lines 1 to ")


def test_terminal_controls_in_foreign_names_are_shown_as_pictures() -> None:
    trust = {keys.public_bytes(HOST_KEY): "db\x1b[2J"}
    assert "\x1b" not in check(build().lines, trust).findings[0].sentence
    assert TRUSTED[keys.public_bytes(HOST_KEY)] == HOST
