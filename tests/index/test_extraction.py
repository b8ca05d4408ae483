"""What the index keeps of a recording, from its events."""

import random

import pytest

from recorder.cast.events import KEY, OUTPUT, Event
from recorder.cast.header import Header
from recorder.cast.reader import merge_bytes
from recorder.index.blocks import unpack_times
from recorder.index.extraction import IDLE_S, RecordingReader
from tests.index.casts import PROMPT, in_order, outputs, read, session


def test_each_command_has_its_own_output() -> None:
    extracted = read(session([("ls", "a  b\r\nc\r\n"), ("true", ""), ("echo x", "\x1b[31mx\x1b[0m\r\n")]))
    assert [(row.ordinal, row.text) for row in extracted.commands] == [(1, "ls"), (2, "true"), (3, "echo x")]
    assert outputs(extracted) == {0: ["Welcome to web"], 1: ["a  b", "c"], 3: ["x"]}
    assert extracted.asides == [(0, 0.1)]


def test_output_is_what_was_seen_and_not_what_was_written() -> None:
    progress = "".join(f"\r{number:3}%" for number in range(0, 101, 10)) + "\r\n"
    editor = "\x1b[?1049hsecret of an editor\x1b[?1049l"
    extracted = read(session([("fetch", progress), ("vi", editor), ("echo ok", "ok\r\n")]))
    found = outputs(extracted)
    assert found[1] == ["100%"]
    assert not any("secret" in line for line in found.get(2, []))
    assert found[3] == ["ok"]


def test_a_recording_cut_anywhere_gives_the_same_rows() -> None:
    whole = session([("ls", "one\r\ntwo\r\n"), ("cat", "\x1b[1A\x1b[2Kthree\r\n"), ("echo", "four\r\n")])
    text = "".join(event.data for event in whole if event.code == OUTPUT)
    source = random.Random(5)
    places = sorted(source.sample(range(1, len(text)), 40))
    pieces = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    cut = read([Event(1.0, OUTPUT, piece) for piece in pieces])
    at_once = read([Event(1.0, OUTPUT, text)])
    assert outputs(cut) == outputs(at_once)
    assert [row.text for row in cut.commands] == [row.text for row in at_once.commands]


def test_commands_that_come_in_one_event_are_told_apart() -> None:
    events = session([("ls", "a\r\n"), ("id", "uid=0\r\n")])
    together = [Event(1.0, OUTPUT, "".join(event.data for event in events if event.code == OUTPUT))]
    extracted = read(together)
    assert [row.text for row in extracted.commands] == ["ls", "id"]
    assert outputs(extracted)[1] == ["a"]
    assert outputs(extracted)[2] == ["uid=0"]


def test_what_is_typed_into_a_remote_shell_comes_after_its_ssh() -> None:
    inner = "root@db:~# "
    events = session([])
    events += [
        Event(1.0, OUTPUT, "ssh db"),
        Event(1.1, KEY, "enter noecho raw"),
        Event(1.2, OUTPUT, f"\r\n\x1b[?2004l\rLast login: today\r\n\x1b[?2004h{inner}"),
        Event(2.0, OUTPUT, "whoami"),
        Event(2.1, KEY, "enter noecho raw"),
        Event(2.2, OUTPUT, f"\r\n\x1b[?2004l\rroot\r\n\x1b[?2004h{inner}"),
        Event(3.0, OUTPUT, "exit"),
        Event(3.1, KEY, "enter noecho raw"),
        Event(3.2, OUTPUT, f"\r\n\x1b[?2004l\rlogout\r\n\x1b[?2004h{PROMPT}"),
    ]
    extracted = read(events)
    rows = {row.text: row for row in extracted.commands}
    assert in_order(rows.values())
    assert (rows["ssh db"].level, rows["whoami"].level) == (0, 1)
    assert (rows["ssh db"].as_user, rows["whoami"].as_user) == ("alice", "root")
    found = outputs(extracted)
    assert found[rows["ssh db"].ordinal] == ["Last login: today"]
    assert found[rows["whoami"].ordinal] == ["root"]


def test_what_runs_is_known_before_it_ends() -> None:
    reader = RecordingReader(Header(2, 80, 24), with_output=True)
    begun = session([("tail -f log", "first line\r\n")])[:-1]
    for event, data in merge_bytes([*begun, Event(5.0, OUTPUT, "second line\r\n" * 30)]):
        reader.read(event, data)
    taken = reader.snapshot()
    assert taken.commands == []
    (row,) = taken.running
    assert (row.text, row.duration, row.ordinal) == ("tail -f log", None, 1)
    assert outputs(taken)[1][0] == "first line"


def test_lines_have_the_time_at_which_they_came() -> None:
    extracted = read([*session([]), Event(4.0, OUTPUT, "late\r\n")])
    (block,) = extracted.blocks
    assert unpack_times(block.times, block.lines)[0] == 0.1


def test_without_output_only_commands_are_kept() -> None:
    extracted = read(session([("ls", "a\r\n")]), with_output=False)
    assert [row.text for row in extracted.commands] == ["ls"]
    assert extracted.blocks == []


def test_pauses_count_little_as_activity() -> None:
    assert read([Event(0.0, OUTPUT, "a"), Event(1000.0, OUTPUT, "b")]).active_s == IDLE_S


@pytest.mark.parametrize("begin", ["", "\x1b[?2004h", "\x1b[?1049h\x1b[?2004h"])
def test_output_without_line_feeds_is_not_hoarded(begin: str) -> None:
    reader = RecordingReader(Header(2, 80, 24), with_output=True)
    for place in range(500):
        text = f"{begin if place == 0 else ''}\x1b[{place % 24 + 1};1H{place} {'x' * 4000}"
        reader.read(Event(0.1 * place, OUTPUT, text), text.encode())
        assert len(reader._raw) < 600_000
        reader.take()


def test_hostile_output_is_data() -> None:
    noise = bytes(range(256)) * 8
    events = [Event(0.5, OUTPUT, noise.decode("latin-1")), Event(0.6, OUTPUT, "\x00\ufffe\u202e NEAR(\r\n")]
    lines = [line for found in outputs(read(events)).values() for line in found]
    assert lines
    assert all(line.isprintable() or "\xa0" in line for line in lines)


def test_a_line_without_end_is_kept_in_parts() -> None:
    extracted = read([Event(0.5, OUTPUT, "x" * 65_536) for _ in range(40)])
    assert sum(len(block.text) - block.lines for block in extracted.blocks) == 40 * 65_536
    assert max(len(block.text) for block in extracted.blocks) < 1_000_000
