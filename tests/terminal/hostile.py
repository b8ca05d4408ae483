"""Output made to hurt a terminal: kinds of it, in any amount."""

from collections.abc import Callable, Iterator

from recorder.terminal import Screen

CHUNK = 64 * 1024
Change = bytes | tuple[int, int]
Kind = Callable[[int], Iterator[Change]]

OSC, DCS, APC, ST = b"\x1b]0;", b"\x1bP", b"\x1b_", b"\x1b\\"


def repeated(unit: bytes, head: bytes = b"", tail: bytes = b"") -> Kind:
    """`head`, then `unit` again and again up to the size asked for, then `tail`."""

    def make(size: int) -> Iterator[Change]:
        chunk = unit * (CHUNK // len(unit) + 1)
        yield head
        for _ in range(max(1, size // len(chunk))):
            yield chunk
        yield tail

    return make


def counted(unit: Callable[[int], bytes]) -> Kind:
    """Units that are all different."""

    def make(size: int) -> Iterator[Change]:
        number = 0
        while size > 0:
            chunk = b"".join(unit(number + offset) for offset in range(1024))
            number += 1024
            size -= len(chunk)
            yield chunk

    return make


def resizes(size: int) -> Iterator[Change]:
    """Sizes that change all the time, with text between them; one resize event is about 25 bytes."""
    yield b"word and more words " * 400
    for number in range(size // 2000):
        yield (20 + number * 37 % 200, 5 + number * 13 % 60)
        yield b"text \xe6\x97\xa5\xe6\x9c\xac and more text\r\n"


def trickle(size: int) -> Iterator[Change]:
    """One long control string in pieces of seven bytes."""
    yield OSC
    for _ in range(size // 70):
        yield b"payload"
    yield ST


def gradient(number: int) -> bytes:
    """A letter in a colour of its own."""
    return b"\x1b[38;2;%d;%d;%dmx" % (number >> 16 & 255, number >> 8 & 255, number & 255)


KINDS: dict[str, Kind] = {
    "one OSC": repeated(b"payload ", OSC, ST),
    "one DCS": repeated(b"payload ", DCS, ST),
    "one APC": repeated(b"payload ", APC, ST),
    "OSC after OSC": repeated(OSC + b"title" * 20 + b"\x07"),
    "OSC never ended": repeated(b"\x1b]"),
    "OSC in small pieces": trickle,
    "prompt marks": repeated(b"\x1b]633;E;" + b"m" * 4000 + b"\x07"),
    "links": counted(lambda number: b"\x1b]8;;http://x/%d\x1b\\a" % number),
    "REP": repeated(b"x\x1b[65535b"),
    "REP of wide": repeated("日\x1b[65535b".encode()),
    "RIS": repeated(b"\x1bc"),
    "RIS and text": repeated(b"\x1bcX"),
    "DECALN": repeated(b"\x1b#8"),
    "DECALN and erase": repeated(b"\x1b#8\x1b[2J"),
    "erase with background": repeated(b"\x1b[41m\x1b[2J\x1b[m\x1b[2J"),
    "zalgo": repeated(b"e" + "\u0301\u0327\u0489".encode() * 300),
    "one zalgo": repeated("\u0301".encode(), b"e"),
    "ZWJ chain": repeated("👩\u200d".encode()),
    "flags": repeated("🇫".encode()),
    "VS16": repeated("❤\ufe0f".encode()),
    "jamo": repeated("\u1112\u1161\u11ab".encode()),
    "CSI of digits": repeated(b"1234567890", b"\x1b[", b"H"),
    "CSI of semicolons": repeated(b"1;" * 16, b"\x1b[", b"m"),
    "CSI of controls": repeated(b"\x1b[" + b"\n" * 900 + b"H"),
    "CSI never ended": repeated(b"\x1b["),
    "ESC": repeated(b"\x1b"),
    "alternate screen": repeated(b"\x1b[?1049h\x1b[?1049l"),
    "alternate screen, drawn": repeated(b"\x1b[?1049hx\x1b[41m\x1b[J\x1b[?1049ly"),
    "scroll": repeated(b"\x1b[65535S\x1b[65535T"),
    "insert and delete lines": repeated(b"\x1b[H\x1b[65535L\x1b[65535M"),
    "insert and delete characters": repeated(b"\x1b[65535@\x1b[65535P"),
    "line feeds": repeated(b"\n"),
    "long line": repeated(b"x" * 1000),
    "wide line": repeated("日本語".encode()),
    "tabs": repeated(b"\x1b[65535I\x1b[65535Z"),
    "save and restore": repeated(b"\x1b7\x1b8"),
    "modes": repeated(b"\x1b[?1;7;25;6;2004;1000;1049;47h\x1b[?1;7;25;6;2004;1000;1049;47l"),
    "bells": repeated(b"\x07"),
    "all colours": counted(gradient),
    "all control sequences": counted(lambda number: b"\x1b[%d;%dH" % (number % 997, number // 997 % 997)),
    "not UTF-8": repeated(bytes(range(128, 256))),
    "NUL": repeated(b"\0"),
    "resizes": resizes,
}


def play_kind(kind: str, size: int, screen: Screen) -> int:
    """Play `size` bytes of one kind; returns how many bytes it was."""
    played = 0
    for change in KINDS[kind](size):
        if isinstance(change, bytes):
            screen.feed(change)
            played += len(change)
        else:
            screen.resize(*change)
            played += 25
    return played


def retained(screen: Screen) -> int:
    """About how many bytes of state a screen keeps: cells, history, half received sequences, the title."""
    snapshot = screen.snapshot()
    flags = snapshot.flags
    cells = sum(len(cell) + 17 for line in snapshot.lines() for cell in line.cells)
    parts = sum(len(part) + 50 for part in flags.string.parts) if flags.string else 0
    return cells + parts + len(flags.pending) + len(flags.utf8_rest) + len(flags.title) + len(flags.last)
