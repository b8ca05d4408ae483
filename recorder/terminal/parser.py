"""Cuts output into tokens and carries them out (the states of https://vt100.net/emu/dec_ansi_parser).

One regular expression does the cutting: an interpreter pays per step, so a token is as long as it can be.
A token is (SGR parameters, text, newlines, anything else); the first three may come together. Floods of what
is the same once as many times (ESC, RIS, DECALN) are one token.
"""

import re
from collections.abc import Callable

from recorder.terminal.attributes import LOOKS, MAX_PARAMETERS, number
from recorder.terminal.controls import CONTROLS, ESCAPES, carriage_return, newline
from recorder.terminal.csi import FUNCTIONS, ignore
from recorder.terminal.printing import print_any, print_text, print_wide
from recorder.terminal.state import HISTORY_ROWS, MAX_ROWS, Terminal
from recorder.terminal.strings import close_string, extend_string, open_string, operating_system_command
from recorder.terminal.widths import NARROW_TEXT, WIDE_TEXT

Token = tuple[str, str, str, str]
Command = tuple[Callable[[Terminal, tuple[int, ...]], None], tuple[int, ...]]

MAX_SEQUENCE = 1024
"""Control sequences longer than this are passed over as a whole."""
MAX_COMMANDS = 8192
_SHORT = 16
"""Output that may be one control sequence alone; a shell's line editor writes such."""
MAX_LINE_FEEDS = MAX_ROWS + HISTORY_ROWS
"""More line feeds in a row change nothing any more: the screen and the history are blank."""

_TOKENS = re.compile(
    rf"(?:\x1b\[([0-9;:]*+m)|(?=[\r\n{NARROW_TEXT}]))([{NARROW_TEXT}]*+)([\r\n]*+)"
    rf"|((?:\x1b\#8)++|(?:\x1bc)++|(?:\x1b(?=\x1b))++"
    rf"|\x1b\[[^\x18\x1a\x1b@-~]*+[@-~]?"
    rf"|\x1b\][^\x07\x18\x1a\x1b]*+\x07?"
    rf"|\x1b[PX^_k][^\x18\x1a\x1b]*+"
    rf"|\x1b[ -/]*+[0-~]?"
    rf"|[{WIDE_TEXT}]++"
    rf"|[^\x00-\x1f\x7f{NARROW_TEXT}{WIDE_TEXT}]++"
    rf"|[\x00-\x1a\x1c-\x1f\x7f])"
).findall
_CSI = re.compile(r"\x1b\[([<=>?]?)([0-9:;]*)([ -/]*)([@-~])").fullmatch
_EMBEDDED_CONTROLS = re.compile(r"[\x00-\x1f]").findall
_NOT_IN_CSI = re.compile(r"[\x00-\x1f\x7f-\U0010ffff]").sub
_OSC_END = re.compile(r"[\x07\x18\x1a\x1b]").search
_STRING_END = re.compile(r"[\x18\x1a\x1b]").search
_STRING_KINDS = "]PX^_k"

_commands: dict[str, Command] = {}


def remembered() -> dict[str, Command]:
    """The control sequences seen lately, parsed. At most MAX_COMMANDS."""
    return _commands


def feed_text(term: Terminal, text: str) -> None:
    """Carry out `text`; what is incomplete at its end waits for the next call."""
    if term.pending:
        text = term.pending + text
        term.pending = ""
    if term.string is not None:
        text = _continue_string(term, text)
    if len(text) < _SHORT and (command := _commands.get(text)) is not None and _is_complete(text):
        command[0](term, command[1])
        term.last = ""
        return
    tokens: list[Token] = _TOKENS(text)
    rest = ""
    if tokens and tokens[-1][3] and _is_open(tokens[-1][3]):
        rest = tokens.pop()[3]
    _run(term, tokens)
    if not rest:
        return
    if rest[1:2] and rest[1] in _STRING_KINDS:
        open_string(term, rest[1], rest[2:])
    else:
        term.pending = rest if len(rest) <= MAX_SEQUENCE else rest[: MAX_SEQUENCE + 1]


def _is_complete(sequence: str) -> bool:
    """A control sequence that nothing can follow; also what cannot be one is remembered."""
    return len(sequence) > 2 and "@" <= sequence[-1] <= "~"


def _is_open(token: str) -> bool:
    """`token`, the last one, may go on in the next piece of output."""
    if not token.startswith("\x1b"):
        return False
    if len(token) < 2:
        return True
    if token[1] == "[":
        return len(token) == 2 or not "@" <= token[-1] <= "~"
    if token[1] in _STRING_KINDS:
        return token[1] != "]" or token[-1] != "\x07"
    return token[-1] <= "/"


def _continue_string(term: Terminal, text: str) -> str:
    """Take what belongs to the open control string; returns what comes behind it."""
    string = term.string
    search = _OSC_END if string is not None and string.kind == "]" else _STRING_END
    end = search(text)
    if end is None:
        extend_string(term, text)
        return ""
    extend_string(term, text[: end.start()])
    close_string(term)
    return text[end.start() + (end.group() == "\x07") :]


def _run(term: Terminal, tokens: list[Token]) -> None:  # noqa: PLR0912  as below
    """Carry out tokens. Long because it is the hot loop: calls are what costs here."""
    for sgr, text, newlines, other in tokens:
        if sgr:
            step = term.steps.get(sgr)
            term.attr, term.steps = step if step is not None else LOOKS.step(term.attr, sgr)
            term.last = ""
        if text:
            x = term.x
            end = x + len(text)
            if end < term.cols and term.plain:
                row = term.grid[term.y]
                chars = row.chars
                if not chars and x == 0:
                    row.chars, row.attrs = [*text], [term.attr] * end
                else:
                    if len(chars) < x or row.mixed:
                        row.prepare(x, end)
                    chars[x:end] = text
                    row.attrs[x:end] = [term.attr] * (end - x)
                row.line = None
                term.x = end
                term.last = text
            else:
                print_text(term, text)
        if newlines == "\r\n":
            term.last = ""
            term.x = 0
            term.pending_wrap = False
            term.line_feed()
        elif newlines:
            _run_newlines(term, newlines)
        elif other:
            command = _commands.get(other)
            if command is not None:
                command[0](term, command[1])
                term.last = ""
            else:
                _run_other(term, other)


def _run_newlines(term: Terminal, newlines: str) -> None:
    """Carriage returns and line feeds."""
    term.last = ""
    if len(newlines) > MAX_LINE_FEEDS and term.sink is None and "\r" not in newlines:
        newlines = newlines[:MAX_LINE_FEEDS]
    for char in newlines:
        if char == "\r":
            carriage_return(term)
        else:
            newline(term)


def _run_other(term: Terminal, token: str) -> None:
    """Carry out a token that was not seen lately, and remember it if it can come again."""
    first = token[0]
    if first <= "\x1f":
        _run_control(term, token)
        term.last = ""
    elif char_is_wide_text(first):
        print_wide(term, token)
    elif first > "\x7f":
        print_any(term, token)


def _run_control(term: Terminal, token: str) -> None:
    if token[0] == "\x1b":
        _run_escape(term, token)
    elif token in CONTROLS:
        CONTROLS[token](term)


def char_is_wide_text(char: str) -> bool:
    """`char` belongs to the class WIDE_TEXT."""
    return _WIDE_CHAR(char) is not None


_WIDE_CHAR = re.compile(f"[{WIDE_TEXT}]").match


def _run_escape(term: Terminal, token: str) -> None:
    kind = token[1:2]
    if kind == "[":
        _run_csi(term, token)
    elif kind == "]":
        operating_system_command(term, token[2:].removesuffix("\x07"))
    elif token.startswith(("\x1b#8", "\x1bc")):
        ESCAPES["c" if kind == "c" else "#8"](term)
    elif token[1:] in ESCAPES:
        ESCAPES[token[1:]](term)


def _run_csi(term: Terminal, token: str) -> None:
    if len(token) > MAX_SEQUENCE:
        return
    for control in _EMBEDDED_CONTROLS(token, 1):
        if control in CONTROLS:
            CONTROLS[control](term)
    clean = "\x1b" + _NOT_IN_CSI("", token[1:])
    command = parse_csi(clean)
    if clean is token or clean == token:
        if len(_commands) >= MAX_COMMANDS:
            _commands.clear()
        _commands[token] = command
    command[0](term, command[1])


def parse_csi(token: str) -> Command:
    """The control function of a complete control sequence, with its parameters, at most 32 up to 65535."""
    match = _CSI(token)
    if match is None:
        return ignore, (0,)
    prefix, digits, intermediates, final = match.groups()
    function = FUNCTIONS.get(prefix + intermediates + final, ignore)
    parts = digits.split(";")[:MAX_PARAMETERS]
    return function, tuple(number(part.partition(":")[0]) for part in parts)
