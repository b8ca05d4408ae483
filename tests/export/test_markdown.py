"""The Markdown document: nothing recorded becomes markup."""

import re
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.commands import Command, Flag, Span
from recorder.export.markdown import Entry, block, code, document
from recorder.export.outputs import Told

_HOSTILE = st.text(st.sampled_from("`~ <>&|*_[](){}#-+.!\\\n\r\t\x1b\"'aé=:/"), max_size=60)


def _command(text: str, *, inside: str | None = None, flags: tuple[Flag, ...] = ()) -> Command:
    return Command(text, 1.0, 2.0, Span(0, 1), None, "~", 1, inside, "$ ", "screen", flags)


def _outside_code(lines: list[str]) -> Iterator[str]:
    """The lines that are not in a fenced block, without their code spans, by CommonMark's rules."""
    fence = ""
    for line in lines:
        if fence:
            if re.fullmatch(rf" {{0,3}}`{{{len(fence)},}}[ \t]*", line):
                fence = ""
        elif found := re.match(r" {0,3}(`{3,})[^`]*$", line):
            fence = found[1]
        else:
            yield _without_spans(line)
    assert not fence


def _without_spans(line: str) -> str:
    """Code spans: a run of backticks up to the next run of the same length."""
    result, place = "", 0
    runs = [(found.start(), found.end()) for found in re.finditer("`+", line)]
    while runs:
        start, end = runs.pop(0)
        closing = next((run for run in runs if run[1] - run[0] == end - start), None)
        if closing is None:
            continue
        result += line[place:start] + "C"
        place = closing[1]
        runs = [run for run in runs if run[0] >= place]
    return result + line[place:]


@settings(max_examples=300, deadline=None)
@given(_HOSTILE, _HOSTILE, st.lists(_HOSTILE, max_size=15))
def test_what_was_recorded_is_in_code_only(text: str, fact: str, output: list[str]) -> None:
    told = Told(_command(text, inside=fact), [part.replace("\n", " ") for part in output])
    hostile = list(document(fact, [("User", fact)], [Entry(told, "12:00:00", "1s")]))
    plain = Told(_command("x", inside="x" if fact else None), ["x"] * len(output))
    harmless = list(document("x", [("User", "x")] * bool(fact), [Entry(plain, "12:00:00", "1s")]))
    ours = [line.replace("(empty)", "C") for line in _outside_code("\n".join(hostile).split("\n"))]
    assert ours == list(_outside_code(harmless))


def test_spans_and_blocks() -> None:
    assert code("a `b` c") == "``a `b` c``"
    assert code("`") == "`` ` ``"
    assert code("") == "(empty)"
    assert code("a\nb\x1b") == "`a␊b␛`"
    assert list(block(["```", "x"])) == ["````text", "```", "x", "````"]


def test_long_output_is_folded_and_what_is_left_out_said() -> None:
    told = Told(_command("seq 20"), [str(number) for number in range(20)], left_out=5)
    lines = list(document("s", [], [Entry(told, "0:01", "1s")]))
    assert "<details><summary>Output, 25 lines</summary>" in lines
    assert "5 more lines are left out." in lines
    assert lines[-1] == "</details>"


def test_no_output_of_pictures_and_of_shells() -> None:
    shell = Told(_command("ssh b"), children=2)
    picture = Told(_command("vim", flags=(Flag.FULL_SCREEN,)), ["~"])
    text = "\n".join(document("s", [], [Entry(shell, "0:01", "1s"), Entry(picture, "0:02", "1s")]))
    assert "2 commands were typed into it; they follow." in text
    assert "A full-screen program" in text
    assert "~\n" not in text.replace("`~`", "")


def test_nothing_was_run() -> None:
    assert list(document("s", [("Host", "")], []))[-1] == "No commands in this recording."
