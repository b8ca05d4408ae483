"""What each command wrote."""

from recorder.cast.events import OUTPUT, Event
from recorder.commands import Command, Span
from recorder.commands.transcript import Transcript
from recorder.export.outputs import Told, with_output


class Page:
    """As the command line makes them."""

    def __init__(self, columns: int, rows: int) -> None:
        self._transcript = Transcript(columns, rows)

    def output(self, time: float, data: bytes) -> None:
        self._transcript.output(time, data)

    def lines(self, time: float) -> list[str]:
        return [line.text for line in self._transcript.take()]

    def finish(self, time: float) -> list[str]:
        return [line.text for line in self._transcript.finish(time)]


def command(text: str, start: int, end: int, level: int = 0) -> Command:
    return Command(text, start / 10, end / 10, Span(start, end), None, None, level, None, "$ ", "screen", ())


def told(commands: list[Command], *output: str, limit: int = 100) -> list[Told]:
    events = [Event(float(time), OUTPUT, text) for time, text in enumerate(output)]
    return list(with_output(commands, events, Page, (20, 5), limit))


def test_parts_of_events() -> None:
    found = told([command("a", 2, 7), command("b", 9, 15)], "$ one\r\n$ tw", "o\r\n\x1b[m")
    assert [one.lines for one in found] == [["one"], ["two"]]


def test_at_most_so_many_lines() -> None:
    (one,) = told([command("seq", 0, 10_000)], "".join(f"{n}\r\n" for n in range(50)), limit=3)
    assert (one.lines, one.left_out) == (["0", "1", "2"], 47)


def test_a_command_with_others_in_it_leaves_the_output_to_them() -> None:
    found = told(
        [command("ssh", 0, 20), command("id", 4, 9, 1), command("ls", 21, 26)],
        "hi\r\nuid\r\n" + "x" * 12 + "abc\r\n",
    )
    assert [(one.command.text, one.children, one.lines) for one in found] == [
        ("ssh", 1, []),
        ("id", 0, ["uid"]),
        ("ls", 0, ["abc"]),
    ]
