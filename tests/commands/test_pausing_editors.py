"""fish 4 writes its prompt first, and switches its editor off while it asks other programs about a line."""

from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.commands import Flag
from tests.commands.typing import OFF, ON, Session, commands, texts

KEYS_ON, KEYS_OFF = "\x1b[>4;1m\x1b[=5u\x1b=", "\x1b[>4;0m\x1b[=0u\x1b>"
RUNS = "\x1b]133;C;cmdline_url=x\x07"


def _ask(session: Session, prompt: str = "me@a ~> ") -> Session:
    return session.show(f"\x1b]133;A\x07{prompt}\x1b[K\r\x1b[{len(prompt)}C{ON}{KEYS_ON}")


def _pause(session: Session, between: str = "") -> Session:
    return session.show(f"{OFF}{KEYS_OFF}{between}{ON}{KEYS_ON}")


def _enter(session: Session, output: str = "") -> Session:
    return session.press("enter").show(f"\r\n\x1b[m{RUNS}{OFF}{KEYS_OFF}").show(output)


def test_a_pause_is_no_end_of_the_line() -> None:
    session = _pause(_ask(Session()).type("ls ")).type("/tmp")
    assert texts(_ask(_enter(session, "a\r\n")).end()) == ["ls /tmp"]


def test_rows_drawn_in_a_pause_are_not_run() -> None:
    session = _pause(_ask(Session()).type("cat f"), "\r\n\x1b[Kfile-a  file-b\x1b[A\r\x1b[13C").type("ile-b")
    assert texts(_ask(_enter(session.show("\x1b[J"), "b\r\n")).end()) == ["cat file-b"]


def test_a_line_of_several_rows_from_the_history() -> None:
    recalled = "\r\x1b[8Cecho 'a\r\n\x1b[K\x1b[8Cb'\x1b[A\r\r\n\x1b[10C"
    session = _enter(_pause(_ask(Session()), recalled), "a\r\nb\r\n")
    assert texts(_ask(session).end()) == ["echo 'a\nb'"]


def test_a_line_accepted_in_a_pause() -> None:
    session = _ask(Session()).show(f"{OFF}{KEYS_OFF}echo pasted").press("enter").show(f"\r\n{RUNS}pasted\r\n")
    session = _enter(_ask(session).type("true"))
    assert texts(_ask(session).end()) == ["echo pasted", "true"]
    assert texts(session, keys=False) == ["echo pasted", "true"]


def test_the_mark_alone_accepts_nothing() -> None:
    """Anyone can write it; only where the editor is off it stands for the end of its line."""
    session = _ask(Session()).type("echo o").show(f"\r\n{RUNS}\x1b[A\r\x1b[14C").type("ne")
    assert texts(_ask(_enter(session, "one\r\n")).end()) == ["echo one"]


def test_a_line_accepted_by_a_key_that_is_not_told() -> None:
    """The keypad's Enter, in a terminal with the kitty keyboard protocol."""
    session = (
        _ask(_enter(_ask(Session()).type("true"))).type("id").show(f"\r\n{RUNS}{OFF}{KEYS_OFF}", after=0.1)
    )
    found = commands(_ask(session.show("uid\r\n")).end().events)
    assert [(c.text, c.flags) for c in found] == [("true", ()), ("id", (Flag.NO_KEY,))]


def test_a_line_taken_back_where_it_stands() -> None:
    session = _ask(Session()).type("echo never").press("ctrl-c").show("\x1b[10D\x1b[K")
    session = _enter(session.show("e", after=0.03).show("cho one"), "one\r\n")
    assert [(c.text, c.flags) for c in commands(_ask(session).end().events)] == [("echo one", ())]


def test_what_is_recalled_after_a_line_was_taken_back() -> None:
    session = _ask(Session()).type("echo never").press("ctrl-c").show("\x1b[10D\x1b[K")
    session = session.show(f"{OFF}{KEYS_OFF}begin\r\n\x1b[8Cend\x1b[A\r\r\n\x1b[11C{ON}{KEYS_ON}", after=0.3)
    assert texts(_ask(_enter(session)).end()) == ["begin\nend"]


def test_a_prompt_drawn_anew_in_a_pause() -> None:
    session = _ask(Session(), "+ me@a > ").show(f"{OFF}{KEYS_OFF}", after=0.2)
    session = _ask(session.show("\r\njob 1 has ended\r\n"), "me@a > ").type("begin").press("enter")
    session = _enter(session.show("\r\n\x1b[7C").type("end"))
    assert texts(_ask(session, "me@a > ").end()) == ["begin\nend"]


def test_the_last_enter_is_the_one_that_runs_a_block() -> None:
    session = _ask(Session()).type("begin").press("enter").show("\r\n\x1b[12C")
    session = _enter(session.type("id").press("enter").show("\r\n\x1b[8C").type("end"), "uid\r\n")
    found = commands(_ask(session).end().events)
    pressed = [event.time for event in session.events if event.code == "K"]
    assert [(c.text, c.start_s) for c in found] == [("begin\nid\nend", pressed[-1])]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_reads_may_be_cut_anywhere(data: st.DataObject) -> None:
    """The same bytes at the same times give the same commands, however they came."""
    session = _pause(_ask(Session()).type("ls "), "\r\n\x1b[Kone\x1b[A\r\x1b[11C").type("a")
    session = _enter(session.show("\x1b[J"), "a\r\n")
    session = _ask(session).show(f"{OFF}{KEYS_OFF}echo b").press("enter").show(f"\r\n{RUNS}b\r\n")
    whole = _ask(session).end().events
    pieces = []
    for event in whole:
        cut = data.draw(st.integers(0, len(event.data))) if event.code == "o" else 0
        parts = [event.data[:cut], event.data[cut:]] if cut else [event.data]
        pieces += [event._replace(data=part) for part in parts if part]
    assert [c.text for c in commands(pieces)] == [c.text for c in commands(whole)] == ["ls a", "echo b"]
