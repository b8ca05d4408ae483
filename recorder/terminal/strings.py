"""Operating system commands (OSC). Every other control string is passed over."""

from recorder.terminal.events import Cwd, PromptMark, Title
from recorder.terminal.state import OpenString, Terminal
from recorder.terminal.widths import char_width

MAX_PAYLOAD = 64 * 1024
"""Longer strings are passed over as a whole."""
MAX_TITLE = 1024
MAX_URL = 4096


def open_string(term: Terminal, kind: str, body: str) -> None:
    """A control string begins whose end has not come yet."""
    term.last = ""
    term.string = OpenString(kind, (), 0)
    extend_string(term, body)


def extend_string(term: Terminal, body: str) -> None:
    """More of the open string. Only what can still be used is kept."""
    string = term.string
    if string is None or string.kind != "]" or not body:
        return
    length = string.length + len(body)
    parts = _compact((*string.parts, body)) if length <= MAX_PAYLOAD else ()
    term.string = OpenString("]", parts, min(length, MAX_PAYLOAD + 1))


def _compact(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The same text in fewer parts, so that a string that comes byte by byte stays cheap."""
    return ("".join(parts),) if len(parts) > 64 else parts


def close_string(term: Terminal) -> None:
    """The open string is complete."""
    string = term.string
    term.string = None
    if string is not None and string.kind == "]" and string.length <= MAX_PAYLOAD:
        operating_system_command(term, "".join(string.parts))


def _shown(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(char for char in text if char_width(char) >= 0)


def operating_system_command(term: Terminal, payload: str) -> None:
    """OSC: titles, the directory and prompt marks; links (8), colours and the clipboard change no cell."""
    number, _, text = payload.partition(";")
    if len(payload) > MAX_PAYLOAD:
        return
    if number in ("0", "2"):
        term.title = _shown(text[:MAX_TITLE])
        term.events.add(Title(term.title))
    elif number == "7":
        term.events.add(Cwd(text[:MAX_URL]))
    elif number in ("133", "633"):
        term.events.add(PromptMark(int(number), text, term.x, term.y))
