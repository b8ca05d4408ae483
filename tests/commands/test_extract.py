"""What counts as a command, and what is told about it."""

import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.cast.events import BYTES, KEY, OUTPUT, RESIZE, Event
from recorder.cast.reader import merge_bytes
from recorder.commands import Extractor, Flag
from tests.commands.typing import OFF, ON, Session, commands, texts


def test_text_times_and_output() -> None:
    session = Session().run("echo hi", "hi\r\n").ask().end()
    (command,) = commands(session.events)
    assert (command.text, command.level, command.inside, command.prompt) == ("echo hi", 0, None, "$ ")
    assert (command.exit_status, command.evidence, command.flags) == (None, "screen", ())
    shown = "".join(event.data for event in session.events if event.code == OUTPUT).encode()
    assert shown[slice(*command.output)].strip(b"\r") == b"hi\r\n"
    key = next(event.time for event in session.events if event.code == KEY)
    assert command.start_s == key
    assert command.end_s is not None
    assert command.end_s > key


def test_a_command_is_told_as_soon_as_the_next_prompt_stands() -> None:
    session = Session().run("make", "ok\r\n").ask()
    extractor = Extractor(80, 24, has_keys=True)
    told = [c.text for event, data in merge_bytes(session.events) for c in extractor.add(event, data)]
    assert told == []
    assert [c.text for c in extractor.add(Event(99.0, OUTPUT, "l"), b"l")] == ["make"]


def test_what_is_not_over_has_no_end() -> None:
    assert [command.end_s for command in commands(Session().run("sleep 9").events)] == [None]
    assert commands(Session().run("exit").end().events)[0].end_s is not None


@pytest.mark.parametrize("keys", [True, False])
def test_a_line_given_up_is_no_command(keys: bool) -> None:
    session = Session(keys=keys).ask().type("rm -rf /").press("ctrl-c")
    session.show(f"^C{OFF}\r{ON}{OFF}\r\r\n").run("true").ask().end()
    assert texts(session, keys=keys) == ["true"]


def test_passwords_are_no_commands() -> None:
    session = Session().run("sudo id", "[sudo] password for me: ")
    session.press("enter", "noecho canonical").show("\r\n").show("uid=0\r\n").run("true").ask().end()
    assert texts(session) == ["sudo id", "true"]


def test_answers_to_programs_are_no_commands() -> None:
    session = Session().run("./setup", "Name: ").type("me")
    session.press("enter", "echo canonical").show("\r\n").show("Go on? [y/N] ").type("y")
    session.press("enter", "echo canonical").show("\r\n").run("true").ask().end()
    assert texts(session) == ["./setup", "true"]


def test_a_shell_without_an_editor() -> None:
    session = Session().show("$ ")
    for text in ("ls", "id"):
        session.type(text).press("enter", "echo canonical").show("\r\n").show("out\r\n$ ")
    assert texts(session) == ["ls", "id"]


def test_lines_that_go_on_are_one_command() -> None:
    session = Session().ask().type("for i in 1; do").enter().show(f"{ON}> ").type("echo $i").enter()
    session.show(f"{ON}> ").type("done").enter("1\r\n").ask().end()
    assert texts(session) == ["for i in 1; do\necho $i\ndone"]


def test_a_shell_inside_is_a_level_of_its_own() -> None:
    session = Session("me@a:~$ ").run("ssh b", "Welcome\r\n")
    session.prompt = "me@b:~$ "
    session.run("id", "uid=1\r\n").run("exit", "logout\r\n")
    session.prompt = "me@a:~$ "
    session.run("true").ask().end()
    found = [(c.text, c.level, c.inside) for c in commands(session.events)]
    assert found == [("ssh b", 0, None), ("id", 1, "ssh b"), ("exit", 1, "ssh b"), ("true", 0, None)]


def test_the_alternate_screen_hides_nothing() -> None:
    session = Session().run("printf trick", "\x1b[?1049h").run("id", "uid\r\n").ask().type("true").enter()
    found = commands(session.show("\x1b[?1049l").ask().end().events)
    assert [c.text for c in found] == ["printf trick", "id", "true"]
    assert Flag.FULL_SCREEN in found[0].flags
    assert all(Flag.ON_ALTERNATE in command.flags for command in found[1:])


def test_a_new_prompt_on_the_alternate_screen_hides_nothing() -> None:
    session = Session().run("printf trick; PS1='new # '", "\x1b[?1049h")
    session.prompt = "new # "
    session.run("id", "uid\r\n").ask().type("true").enter()
    session.prompt = "$ "
    assert texts(session.show("\x1b[?1049l").ask().end())[1:] == ["id", "true"]


def test_a_recording_that_begins_and_ends_on_the_alternate_screen() -> None:
    session = Session().show("\x1b[?1049h").run("id", "uid\r\n").ask().type("exit").enter()
    found = commands(session.show("\x1b[?1049l").run("true").ask().end().events)
    assert [(c.text, c.level) for c in found] == [("id", 0), ("exit", 0), ("true", 0)]


def test_a_prompt_that_grows_is_one_prompt() -> None:
    session = Session()
    zsh = "\x1b[K" + ON
    for prompt, text in (("➜  repo ", "git init"), ("➜  repo git:(main) ✗ ", "ls")):
        session.show(prompt + zsh).type(text).press("enter").show(f"{OFF}\r\r\n")
    assert texts(session.show("➜  repo " + zsh).end()) == ["git init", "ls"]


def test_blocks_of_an_editor_for_several_lines() -> None:
    session = Session(">>> ").ask().type("def f():").press("enter").show("\r\n...     return 1", after=0.1)
    found = commands(session.enter().ask().end().events)
    assert [c.text for c in found] == ["def f():\n    return 1"]


def test_what_is_typed_into_an_editor_is_no_command() -> None:
    session = Session().run("vim", f"\x1b[?1049h{ON}\x1b[H\x1b[2J$ one\r\n~\x1b[H")
    session.show("\x1b[2;1H", after=0.2).type("a # text").press("enter").show("\r\n").type("more").press(
        "enter"
    )
    session.show(f"\r\n{OFF}\x1b[?1049l", after=0.2).ask().end()
    assert texts(session) == ["vim"]


def test_what_a_program_writes_is_no_command_without_enter() -> None:
    forged = f"{ON}# reboot\r\n{OFF}\r"
    assert texts(Session().run("cat trap", forged).run("true").ask().end()) == ["cat trap", "true"]


def test_a_forged_line_at_the_true_prompt_is_flagged() -> None:
    forged = f"{ON}$ reboot\r\n{OFF}\r"
    found = commands(Session().run("cat trap", forged).run("true").ask().end().events)
    assert [(c.text, c.flags) for c in found if c.text == "reboot"] == [("reboot", (Flag.NO_KEY,))]


def test_history_references_are_what_they_stood_for() -> None:
    session = Session().run("echo a", "a\r\n").run("!!", "echo a\r\na\r\n")
    session.run("!x", "bash: !x: event not found\r\n").run("echo 'b!'", "b!\r\n").ask().end()
    assert texts(session) == ["echo a", "echo a", "echo 'b!'"]


def test_other_output_on_the_line_is_not_part_of_it() -> None:
    session = Session().ask().type("ech").show("[1]+ Done\r\n", after=0.2).type("o hi").enter("hi\r\n").ask()
    assert texts(session.end()) == ["echo hi"]


def test_lines_pasted_together_are_commands_of_their_own() -> None:
    session = Session().ask().press("paste-begin").show("echo a\r\necho b").press("enter")
    found = commands(session.show(f"\r\n{OFF}\ra\r\nb\r\n").ask().end().events)
    assert [c.text for c in found] == ["echo a", "echo b"]
    assert all(Flag.TOGETHER in c.flags for c in found)


def test_a_statement_recalled_with_its_lines_is_one() -> None:
    session = Session("shop=# ").ask().type("").show("select 1\r\nas one;", after=0.1).enter("1\r\n").ask()
    assert texts(session.end()) == ["select 1\nas one;"]


def test_rows_typed_for_copy_are_no_statements() -> None:
    session = Session("shop=# ").run("copy t from stdin;", "Enter data to be copied.\r\n")
    for row in ("1\tone", "2\ttwo", "\\."):
        session.show(">> ", after=0.1).type(row).press("enter", "echo canonical").show("\r\n")
    session.show("COPY 2\r\n").run("select 1;", "1\r\n").ask().end()
    assert texts(session) == ["copy t from stdin;", "select 1;"]


@pytest.mark.parametrize("keys", [True, False])
def test_ctrl_d_that_is_echoed_is_no_command(keys: bool) -> None:
    session = Session("MariaDB [(none)]> ", keys=keys).show("MariaDB [(none)]> ").type("select 1;")
    session.press("enter").show("\r\n").show("1\r\nMariaDB [(none)]> ", after=0.1)
    session.press("ctrl-d").show("^DBye\r\n", after=0.1).end()
    assert texts(session, keys=keys) == ["select 1;"]


def test_the_exit_that_ctrl_d_writes_is_no_command() -> None:
    """bash up to 5.0, on the line of its prompt."""
    session = Session().show("$ ").press("ctrl-d").show("exit\r\n").end()
    assert texts(session) == []
    typed = (
        Session().show("$ ").type("exi").press("ctrl-d").type("t").press("enter").show("\r\nexit\r\n").end()
    )
    assert texts(typed) == ["exit"]


def test_a_shell_without_marks_after_a_program_with_marks() -> None:
    """vim, and bash up to 5.0."""
    session = Session().show("$ ").type("vim").press("enter").show(f"\r\n\x1b[?1049h{ON}\x1b[2J~\r\n~")
    session.press("enter").show(f"\r{OFF}").show(f"\x1b[24;1H{OFF}\x1b[?1049l", after=0.1).show("$ ")
    session.type("id").press("enter").show("\r\nuid\r\n").show("$ ").end()
    assert texts(session) == ["vim", "id"]


def test_a_statement_given_up_on_a_further_line_without_marks() -> None:
    session = Session().show("mysql> ").type("select").press("enter").show("\r\n    -> ")
    session.type("2").press("ctrl-c").show("^C\r\nmysql> ").type("select 3;").press("enter")
    session.show("\r\n3\r\nmysql> ").end()
    assert texts(session) == ["select 3;"]


def test_a_right_prompt_that_tells_another_time_once_the_line_is_accepted() -> None:
    """fish draws it again when a job has ended."""
    session = Session().show(f"{ON}$ \x1b[71G9:58:07\x1b[3G", after=0.1).type("echo a  b")
    session.show("\x1b[70G10:00:01\x1b[12G").press("enter").show(f"\r\n{OFF}\r").show("a b\r\n").ask().end()
    assert texts(session, columns=77) == ["echo a  b"]
    assert texts(session, columns=90) == ["echo a  b" + " " * 58 + "10:00:01"]


def test_what_stands_behind_the_cursor_in_a_search_is_no_right_prompt() -> None:
    session = Session().show("mysql> ").show("\r\nbck:98\x1b[A\x1b[8G", after=0.1)
    session.show("select 98;\b\b\b", after=0.1).press("enter").show("\r\r\n\x1b[K\x1b[A\x1b[18G\r\n")
    session.show("98\r\nmysql> ", after=0.1).end()
    assert texts(session) == ["select 98;"]


def test_no_prompt_at_all() -> None:
    session = Session("").run("echo one", "one\r\n").ask().type("false").press("ctrl-c")
    session.show(f"^C{OFF}\r{ON}{OFF}\r\r\n").show(ON).press("enter").show(f"{OFF}\r").run("true").ask().end()
    assert texts(session) == ["echo one", "true"]


def test_a_prompt_that_comes_late_is_no_part_of_the_line() -> None:
    session = Session().show(ON).show("me@a:~$ ", after=0.3).type("id").enter("uid\r\n")
    found = commands(session.show(ON).show("me@a:~$ ", after=0.3).end().events)
    assert [(c.text, c.prompt) for c in found] == [("id", "me@a:~$ ")]


def test_a_secondary_prompt_of_any_looks() -> None:
    session = Session().ask().type("for i in 1; do").enter().show(f"{ON}    ↳ ").type("echo $i").enter()
    session.show(f"{ON}    ↳ ").type("done").enter("1\r\n").run("true").ask().end()
    assert texts(session) == ["for i in 1; do\necho $i\ndone", "true"]


def test_a_prompt_with_other_words_before_its_sign_is_no_secondary_one() -> None:
    session = Session("17 jobs:0 > ").run("cd /tmp")
    session.prompt = "4 jobs:0 > "
    assert texts(session.run("ls", "a\r\n").ask().end()) == ["cd /tmp", "ls"]


@pytest.mark.parametrize("prompt", ["ready: ", "[a]"])
def test_a_prompt_without_a_sign_in_a_shell_without_an_editor(prompt: str) -> None:
    session = Session().show("$ ").type(f"PS1='{prompt}'").press("enter", "echo canonical").show("\r\n")
    for text in ("id", "ls"):
        session.show(prompt).type(text).press("enter", "echo canonical").show("\r\n").show("out\r\n")
    assert texts(session.show(prompt, after=0.1).end())[1:] == ["id", "ls"]


def test_a_prompt_that_is_another_one_once_the_line_is_accepted() -> None:
    session = Session().show(f"{ON}~/x on main\r\n❯ ").type("id").press("enter")
    session.show(f"\r\x1b[A\x1b[Jvm# id\r\n{OFF}\r").show("uid\r\n").ask().end()
    assert [(c.text, c.flags) for c in commands(session.events)] == [("id", (Flag.GUESSED,))]


@pytest.mark.parametrize("more", ["more", " more"])
@pytest.mark.parametrize("typed", ["echo abcdefghi", "echo abcdefgh ", "echo abcdefg漢"])
def test_an_editor_that_goes_to_the_next_row_by_itself(typed: str, more: str) -> None:
    """fish, where the cursor stood at the edge."""
    session = Session("~> ").ask().type(typed)
    session.show(f"\r\n{more}", after=0.1).enter().ask().end()
    assert texts(session, columns=17) == [typed + more]


@pytest.mark.parametrize(
    ("prompt", "line"), [(">>> ", 'x = input("Who: ")'), ("$ ", "read -r -e -p 'Who: ' x")]
)
def test_an_answer_in_the_editor_of_the_shell_itself(prompt: str, line: str) -> None:
    session = Session(prompt).run(line).show(f"{ON}Who: ", after=0.1).type("me").enter().run("true").ask()
    assert texts(session.end()) == [line, "true"]


def test_here_documents_one_after_the_other() -> None:
    session = Session("> ").ask().type("cat <<A <<B").enter()
    for text in ("one", "A", "two", "B"):
        session.show(f"{ON}> ").type(text).enter()
    assert texts(session.show("one\r\n").ask().end()) == ["cat <<A <<B\none\nA\ntwo\nB"]


@pytest.mark.parametrize(
    "parts", [("for a in b; do\r\n", "\rtwo\r\n", "\rdone"), ("for a in b; do\r\n\r", "two\r\n\r", "done")]
)
def test_rows_of_a_recalled_command_that_come_one_by_one(parts: tuple[str, ...]) -> None:
    first, *others = parts
    session = Session().ask().show(first, after=0.1)
    for part in others:
        session.show(part)
    assert texts(session.enter().ask().end()) == ["for a in b; do\ntwo\ndone"]


def test_a_terminal_of_one_cell() -> None:
    session = Session().ask().type("echo a").resize(1, 1).type("b").resize(80, 24).type("c").enter().ask()
    assert texts(session.end()) == ["echo abc"]


def test_a_prompt_that_the_terminal_is_too_narrow_for_at_once() -> None:
    session = Session().ask().resize(1, 2).show("\r\x1b[K\r$ \r").resize(80, 24).show("\r\x1b[A\x1b[K\r$ ")
    assert texts(session.type("id").enter("uid\r\n").ask().end()) == ["id"]


def test_times_that_stand_still() -> None:
    session = Session().run("echo one", "one\r\n").run("echo two", "two\r\n").ask().end()
    events = [event._replace(time=1.0) for event in session.events]
    assert [c.text for c in commands(events)] == ["echo one", "echo two"]


def test_a_prompt_wider_than_the_terminal() -> None:
    session = Session("0" * 300 + "$ ").run("echo one", "one\r\n").run("true").ask().end()
    assert texts(session, columns=80) == ["echo one", "true"]


def test_a_grey_suggestion_that_was_not_taken_is_not_run() -> None:
    grey = "\x1b[38;5;240m two three\x1b[m\x1b[10D"
    session = Session().ask().type("echo one").show(grey).enter("one\r\n").run("true").ask().end()
    assert texts(session) == ["echo one", "true"]
    colour = Session().ask().type("echo one").show(grey.replace("240", "40")).enter().ask().end()
    assert texts(colour) == ["echo one two three"]


def test_wrapped_over_a_resize() -> None:
    session = Session().ask().type("echo " + "abc " * 20).resize(50, 20).type("end").enter().ask().end()
    assert texts(session) == ["echo " + "abc " * 20 + "end"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_reads_may_be_cut_anywhere(data: st.DataObject) -> None:
    """The same bytes at the same times give the same commands, however they came."""
    session = (
        Session("me@a:~$ ").run("echo grüße", "grüße\r\n").run("cd /", "").run("ls", "a b\r\n").ask().end()
    )
    whole = [(c.text, c.output) for c in commands(session.events)]
    pieces: list[Event] = []
    for event in session.events:
        raw = event.data.encode()
        cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=3)))
        for start, end in itertools.pairwise([0, *cuts, len(raw)]) if event.code == OUTPUT else []:
            pieces += _exact(event.time, raw[start:end])
        pieces += [event] if event.code != OUTPUT else []
    assert [(c.text, c.output) for c in commands(pieces)] == whole


def _exact(time: float, raw: bytes) -> list[Event]:
    from base64 import b64encode  # noqa: PLC0415  only here

    return [Event(time, OUTPUT, raw.decode(errors="replace")), Event(time, BYTES, b64encode(raw).decode())]


_PARTS = [
    "\x1b[?1049h",
    "\x1b[?1049l",
    ON,
    OFF,
    "\r\n",
    "\r",
    "$ ",
    "> ",
    "a",
    "\x1b[A",
    "\x1b[999b",
    "\x1bc",
]
_PARTS += ["\x1b[2J", "\x1b]0;", "!!", "\x1b[5;1H", "é", "漢", "\x1b[?", "\x07", "me@a:~$ ls", "\x1b[?2004"]
_CODES = {
    OUTPUT: st.lists(st.sampled_from(_PARTS), max_size=8).map("".join),
    KEY: st.sampled_from(
        ["enter noecho raw", "enter echo canonical", "enter noecho canonical", "ctrl-c", ""]
    ),
    RESIZE: st.sampled_from(["80x24", "2x2", "9999x9999", "0x0", "x", "-1x5", "twox3"]),
}
_EVENTS = st.sampled_from(sorted(_CODES)).flatmap(lambda code: st.tuples(st.just(code), _CODES[code]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.001, 0.5]), _EVENTS), max_size=40), st.booleans())
def test_nothing_that_can_be_read_fails(parts: list[tuple[float, tuple[str, str]]], keys: bool) -> None:
    now, events = 0.0, []
    for wait, (code, data) in parts:
        now += wait
        events.append(Event(now, code, data))
    for command in commands(events, 40, 6, keys=keys):
        assert command.text.strip()
        assert command.end_s is None or command.end_s >= command.start_s
        assert command.output.end >= command.output.start


@pytest.mark.slow
def test_memory_does_not_grow_with_the_recording() -> None:
    extractor = Extractor(80, 24, has_keys=True)
    noise = f"{ON}$ typed\r\n".encode() + b"x" * 500 + b"\r\n\x1b[5;1H"
    plain = b"words " * 100 + b"\r\n"

    def feed(start: int) -> int:
        for number in range(start, start + 1500):
            extractor.add(Event(number * 0.1, OUTPUT, ""), noise if number % 2 else plain)
            extractor.add(Event(number * 0.1, KEY, "enter echo canonical"), b"")
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before, after = feed(0), feed(1500)
    finally:
        tracemalloc.stop()
    assert after - before < 200_000


def test_known_limit_text_overwritten_before_it_wraps_is_lost() -> None:
    """A shell that does not know of output before its prompt counts columns wrongly, and overwrites."""
    session = (
        Session("$ ").show("123456").ask().type("echo abcdefg").show("h \r").type("ij").enter().ask().end()
    )
    assert texts(session, columns=16) != ["echo abcdefghij"]


def test_known_limit_the_same_prompt_on_another_host_is_no_level() -> None:
    session = Session().run("ssh b", "Welcome\r\n").run("id", "uid\r\n").ask().end()
    assert [(c.text, c.level) for c in commands(session.events)] == [("ssh b", 0), ("id", 0)]


def test_typed_ahead_without_an_editor() -> None:
    """The terminal echoes it once, before the prompt that it was meant for."""
    session = Session().show("$ ").type("sleep 1").press("enter", "echo canonical").show("\r\n")
    session.type("id").press("enter", "echo canonical").show("\r\n").show("$ uid=0\r\n$ ", after=1)
    session.type("ls").press("enter", "echo canonical").show("\r\n").show("a\r\n$ ")
    found = commands(session.events)
    assert [(c.text, c.flags) for c in found] == [("sleep 1", ()), ("id", (Flag.GUESSED,)), ("ls", ())]


def test_known_limit_typed_ahead_without_an_editor_or_output_is_not_found() -> None:
    session = Session().show("$ ").type("sleep 1").press("enter", "echo canonical").show("\r\n")
    session.type("true").press("enter", "echo canonical").show("\r\n").show("$ $ ", after=1)
    session.type("ls").press("enter", "echo canonical").show("\r\n").show("a\r\n$ ")
    assert "true" not in texts(session)


def test_known_limit_a_block_without_marks_is_told_line_by_line() -> None:
    """fish without bracketed paste: each Enter looks like the end of the line."""
    session = Session().show("> ").type("begin").press("enter").show("\r\n    ", after=0.1)
    assert texts(session) == ["begin"]


def test_known_limit_without_keys_a_forged_prompt_is_believed() -> None:
    forged = f"{ON}$ reboot\r\n{OFF}\r"
    session = Session(keys=False).run("cat trap", forged).run("true").ask().end()
    assert texts(session, keys=False) == ["cat trap", "reboot", "true"]


@pytest.mark.parametrize(
    ("url", "directory"),
    [
        ("file://box/srv/a%20b%C3%BC", "/srv/a bü"),
        ("file:///", "/"),
        ("file://box/%ff%00", "/\N{REPLACEMENT CHARACTER}\0"),
        ("kitty-shell-cwd://box/100%25", "/100%25"),
        ("/no/url", "/no/url"),
        ("file://box", "file://box"),
    ],
)
def test_a_directory_that_the_shell_reports_is_a_path(url: str, directory: str) -> None:
    (command,) = commands(Session().show(f"\x1b]7;{url}\x07").run("ls", "a\r\n").ask().events)
    assert command.cwd == directory
