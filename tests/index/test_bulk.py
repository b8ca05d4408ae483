"""A picture that passes over what scrolls away shows what one shows that does not."""

import random

import pytest

from recorder.cast.events import OUTPUT, Event
from recorder.cast.header import Header
from recorder.cast.reader import merge_bytes
from recorder.commands import extract
from recorder.commands.picture import Picture
from recorder.index import bulk
from recorder.index.bulk import BulkPicture
from recorder.index.extraction import RecordingReader
from tests.index.casts import session

_ROWS = 10
_LOOKS = (b"\x1b[0m", b"\x1b[m", b"\x1b[1;31m", b"\x1b[44m", b"\x1b[38;5;208m", b"\x1b[7m")
_OTHERS = (
    b"\x1b[2;5r",
    b"\x1b[r",
    b"\x1b[?1049h",
    b"\x1b[?1049l",
    b"\x1b[3;1H",
    b"\x1b[2J",
    b"\x1b[4h",
    b"\x1b[?7l",
    b"\n",
    b"\x1b(0",
    b"\x1b[",
    b"\xe6\x97",
    b"x\r",
)


def lines(source: random.Random, count: int) -> bytes:
    """Text with colours."""
    made = b""
    for _ in range(count):
        words = [
            source.choice((b"alpha", "naïve".encode(), "日本".encode(), b"\t", b"x" * 30)) for _ in range(5)
        ]
        made += source.choice((b"", *_LOOKS)) + b" ".join(words) + source.choice((b"", *_LOOKS)) + b"\r\n"
    return made


def pieces(source: random.Random) -> list[bytes]:
    """Much text, cut anywhere, and a few other things between."""
    made: list[bytes] = []
    for _ in range(6):
        text = lines(source, source.choice((5, 60, 200)))
        size = source.choice((700, 4096, 100_000))
        made += [text[at : at + size] for at in range(0, len(text), size)]
        made += source.choices(_OTHERS, k=source.randrange(3))
    return made


def state(picture: Picture) -> tuple[object, ...]:
    """What can be seen, and a little above it."""
    screen = picture.screen
    looks = [screen.row_runs(y) for y in range(_ROWS)]
    texts = [line.text for line in picture.upwards(_ROWS - 1, 20)]
    return picture.cursor_line(), screen.cursor, looks, texts, picture.alternate, picture.suggestion()


@pytest.mark.parametrize("seed", range(60))
def test_what_is_seen_is_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_KEPT_LINES", 30)
    source = random.Random(seed)
    one, other = Picture(40, _ROWS), BulkPicture(40, _ROWS)
    for piece in pieces(source):
        one.feed(piece)
        other.feed(piece)
        assert other.take_events() == one.take_events()
        if source.random() < 0.1:
            assert state(other) == state(one)
    assert state(other) == state(one)


def test_most_of_it_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[int] = []
    picture = BulkPicture(80, 24)
    screen = picture.screen
    feed = screen.feed

    def count(data: bytes) -> None:
        fed.append(len(data))
        feed(data)

    monkeypatch.setattr(screen, "feed", count)
    text = lines(random.Random(1), 4000).decode()
    for at in range(0, len(text), 4096):
        picture.feed(text[at : at + 4096].encode())
    assert picture.column == 0
    assert sum(fed) < len(text) / 4


def test_little_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_MOST_BYTES", 10_000)
    picture = BulkPicture(80, 24)
    for _ in range(50):
        picture.feed(b"x" * 998 + b"\r\n")
        assert picture._size <= 10_000


@pytest.mark.parametrize("seed", range(8))
def test_the_index_has_the_commands_that_are_found_without_it(seed: int) -> None:
    source = random.Random(seed)
    ran = [(f"cat file{number}", lines(source, source.choice((0, 3, 900))).decode()) for number in range(8)]
    events = session(ran)
    header = Header(2, 80, 24)
    reader = RecordingReader(header, with_output=False)
    for event, data in merge_bytes(_cut(events, source)):
        reader.read(event, data)
    reader.end()
    found = [(row.text, row.start) for row in reader.take().commands]
    assert found == [(command.text, command.start_s) for command in extract(header, events)]
    assert [text for text, _ in found] == [text for text, _ in ran]


def _cut(events: list[Event], source: random.Random) -> list[Event]:
    """The same in pieces as a terminal gives them."""
    made: list[Event] = []
    for event in events:
        size = source.choice((1000, 4096))
        whole = event.code != OUTPUT or len(event.data) < size
        parts = (
            [event.data] if whole else [event.data[at : at + size] for at in range(0, len(event.data), size)]
        )
        made += [Event(event.time, event.code, part) for part in parts]
    return made
