"""The Markdown document: nothing recorded becomes markup, by the word of a real parser."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from recorder.commands import Command, Flag, Span
from recorder.export.markdown import (
    Entry,
    Shown,
    block,
    code,
    command_section,
    heading,
    operation_section,
    text_section,
)
from recorder.export.outputs import Told
from recorder.export.survey import Operation
from recorder.safe_text import safe

_PARSERS = [
    MarkdownIt("commonmark"),
    MarkdownIt("gfm-like"),
    MarkdownIt("js-default", {"html": True, "linkify": True, "typographer": True}),
]
_PIECES = [
    *"`~ <>&|*_[](){}#-+.!\\\n\r\t\x1b\x00\"'aé=:/^$@1",
    *("```", "~~~", "````text", "</details>", "<details>", "<!--", "-->", "<script>", "<![CDATA[", "<?php"),
    *(
        "\n\n",
        "\n===",
        "\n---",
        "    x",
        "\t",
        "[a]: http://x",
        "[a](javascript:x)",
        "![a](x)",
        "| a |\n|---|",
    ),
    *("> ", "1. ", "- [ ] ", "# ", "&lt;", "&#96;", "http://x.example", "a@b.example", "\\`", "$$", "***"),
    *("\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\ud800"),
]
_HOSTILE = st.lists(st.sampled_from(_PIECES), max_size=25).map("".join)
_LINES = st.lists(_HOSTILE.map(lambda text: text.replace("\n", " ")), max_size=15)


def _command(text: str, *, foreign: str | None = None, flags: tuple[Flag, ...] = ()) -> Command:
    return Command(text, 1.0, 2.0, Span(0, 1), None, foreign, 1, foreign, "$ ", "both", flags, seen=foreign)


def _document(text: str, lines: list[str]) -> str:
    """Every place that a recorded text can take in it."""
    told = Told(_command(text, foreign=text), lines)
    operation = Operation(text, text, text, 5, text)
    parts = [
        *heading(text, [("User", text), ("Host", text)]),
        *operation_section([("00:01", operation), ("00:02", text)]),
        *command_section([Entry(told, "12:00:00", "1s")] * 2),
        *text_section("Output", Shown(lines, 3)),
    ]
    return "".join(f"{line}\n" for line in parts)


def _tokens(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _tokens(token.children or [])


def _structure(document: str, parser: MarkdownIt) -> tuple[list[tuple[object, ...]], list[str]]:
    """The document without what stands in code, and what stands in code."""
    shape: list[tuple[object, ...]] = []
    codes: list[str] = []
    for token in _tokens(parser.parse(document)):
        is_code = token.type in ("code_inline", "fence", "code_block")
        codes += [token.content] if is_code else []
        content = token.content if token.type in ("text", "html_block", "html_inline") else ""
        shape.append((token.type, token.tag, token.nesting, token.level, token.info, content))
    return shape, codes


@pytest.mark.parametrize("parser", _PARSERS, ids=["commonmark", "gfm", "all"])
@settings(max_examples=60, deadline=None)
@given(text=_HOSTILE.filter(str.strip), lines=_LINES)
def test_what_was_recorded_is_in_code_only(parser: MarkdownIt, text: str, lines: list[str]) -> None:
    harmless = text if not safe(text).strip() else "x"
    hostile_shape, codes = _structure(_document(text, lines), parser)
    assert hostile_shape == _structure(_document(harmless, ["x"] * len(lines)), parser)[0]
    spans = {found for found in codes if not found.endswith("\n")}
    assert spans <= {safe(text), safe(f"{text}")}
    blocks = {found for found in codes if found.endswith("\n")}
    texts = "".join(f"{safe(line)}\n" for line in text.split("\n"))
    assert blocks <= {texts, "".join(f"{safe(line)}\n" for line in lines)}


@settings(max_examples=60, deadline=None)
@given(_HOSTILE, _LINES)
def test_nothing_in_the_file_can_act_on_a_terminal_or_reorder_it(text: str, lines: list[str]) -> None:
    document = _document(text, lines).replace("\n", "")
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in document)
    assert not set(document) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufeff")
    document.encode()


def test_spans_and_blocks() -> None:
    assert code("a `b` c") == "``a `b` c``"
    assert code("`") == "`` ` ``"
    assert code("") == "(empty)"
    assert code("a\nb\x1b") == "`a␊b␛`"
    assert list(block(["```", "x"])) == ["````text", "```", "x", "````"]


def test_long_output_is_folded_and_what_is_left_out_said() -> None:
    told = Told(_command("seq 20"), [str(number) for number in range(20)], left_out=5)
    lines = list(command_section([Entry(told, "0:01", "1s")]))
    assert "<details><summary>Output, 25 lines</summary>" in lines
    assert "5 more lines are left out." in lines
    assert lines[-1] == "</details>"
    assert list(text_section("Input", Shown([], 4))) == ["", "## Input", "", "", "4 more lines are left out."]
    assert list(text_section("Input", Shown())) == []


def test_no_output_of_pictures_and_of_shells() -> None:
    shell = Told(_command("ssh b"), children=2)
    picture = Told(_command("vim", flags=(Flag.FULL_SCREEN,)), ["~"])
    text = "\n".join(command_section([Entry(shell, "0:01", "1s"), Entry(picture, "0:02", "1s")]))
    assert "2 commands were typed into it; they follow." in text
    assert "A full-screen program" in text
    assert "~" not in text


def test_nothing_was_run() -> None:
    assert list(heading("s", [("Host", "")])) == ["# Session `s`", ""]
    assert list(command_section([]))[-1] == "No commands in this recording."


def test_operations_have_path_size_and_outcome() -> None:
    operation = Operation("rename", "a`b", "c", None, "permission denied")
    assert list(operation_section([("00:01", operation), ("00:02", "lost")]))[-2:] == [
        "- 00:01 `rename` ``a`b`` to `c`: `permission denied`",
        "- 00:02 `lost`",
    ]
    assert list(operation_section([("0", Operation("write", "/a", "", 1000, "ok"))]))[-1] == (
        "- 0 `write` `/a`, 1,000 bytes: `ok`"
    )
