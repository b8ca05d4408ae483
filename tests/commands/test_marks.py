"""What the shell reports, beside what the screen shows; and marks of everybody else."""

import itertools
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.cast.events import OUTPUT, Event
from recorder.cast.reader import merge_bytes
from recorder.commands import Command, Extractor, Flag
from recorder.commands.agreement import agree
from recorder.commands.reports import Authority
from recorder.shell.secret import digest
from tests.commands.typing import OFF, ON, Session, commands

SECRET = "0123456789abcdef" * 2
DIGEST = digest(SECRET)


def mark(text: str, secret: str = SECRET) -> str:
    return f"\x1b]633;{text};{secret}\a"


class Marked(Session):
    """A shell with hooks, as bash writes it."""

    def ask(self, status: int = 0, cwd: str = "/home/me") -> Self:
        self.show(mark(f"D;{status}") + mark(f"P;Cwd={cwd}") + mark("A"))
        return super().ask()

    def enter(self, output: str = "", told: str | None = None) -> Self:
        text = "" if told is None else mark(f"E;{told}")
        return super().enter(text + mark("C") + output)

    def run(self, text: str, output: str = "", told: str | None = None) -> Self:
        self.ask().type(text)
        return self.enter(output, text if told is None else told)

    def inside(self, text: str, output: str = "") -> Self:
        """A prompt, a command and its output of a shell without hooks."""
        Session.ask(self).type(text)
        return Session.enter(self, output)


def found(session: Session) -> list[Command]:
    return commands(session.events, marks=DIGEST)


def test_status_directory_and_both_kinds_of_evidence() -> None:
    session = Marked().run("cd /", "").ask(cwd="/").type("false").enter(told="false").ask(1, "/")
    first, second = found(session)
    assert (first.text, first.evidence, first.exit_status, first.cwd) == ("cd /", "both", 0, "/home/me")
    assert (second.text, second.exit_status, second.cwd, second.seen) == ("false", 1, "/", None)


def test_output_is_what_stands_between_the_marks() -> None:
    session = Marked().run("ls", "a\r\nb\r\n").ask()
    (command,) = found(session)
    shown = "".join(event.data for event in session.events if event.code == OUTPUT).encode()
    assert shown[slice(*command.output)] == b"a\r\nb\r\n"


def test_without_the_secret_the_screen_alone_counts() -> None:
    session = Marked().run("false").ask(1)
    (command,) = commands(session.events)
    assert (command.evidence, command.exit_status) == ("screen", None)


def test_another_text_is_kept_and_flagged() -> None:
    session = Marked().run("echo shown", told="echo really").ask()
    (command,) = found(session)
    assert (command.text, command.seen, command.flags) == ("echo really", "echo shown", (Flag.DIFFERS,))


@pytest.mark.parametrize(
    ("told", "seen", "text"),
    [
        ("echo a\tb", "echo a   b", "echo a\tb"),
        ("for i in 1; do echo; done", "for i in 1; do\necho\ndone", "for i in 1; do\necho\ndone"),
        ("echo a b", "echo a \\\nb", "echo a \\\nb"),
    ],
)
def test_the_same_line_in_other_words(told: str, seen: str, text: str) -> None:
    assert agree(told, seen) == (text, None, frozenset())


def test_history_references_do_not_differ() -> None:
    assert agree("echo a a", "echo a !!:1") == ("echo a a", None, frozenset({Flag.EXPANDED}))


def test_a_command_that_was_not_seen() -> None:
    session = Marked().ask().show("\x1b[?1049h\x1b[?1049l").press("enter")
    session.show("\x1b[2J\x1b[H" + mark("E;echo a\\x3b\\x0ab\\\\") + mark("C"))
    (command,) = found(session)
    assert (command.text, command.evidence, command.flags) == ("echo a;\nb\\", "shell", ())


def test_what_the_shell_did_not_run_is_said() -> None:
    session = Marked().ask().type("if )")
    Session.enter(session, "syntax error\r\n")
    assert [(c.text, c.flags) for c in found(session.ask(2))] == [("if )", (Flag.UNREPORTED,))]


def test_a_line_without_enter_that_the_shell_did_not_run_is_none() -> None:
    session = Marked().ask().type("given up").show(f"\r\n{OFF}\r")
    assert found(session.ask().type("true").enter(told="true").ask())[0].text == "true"


def test_lines_pasted_together_each_have_their_output() -> None:
    session = Marked().ask().press("paste-begin").show("echo a\r\necho b").press("enter")
    session.show(f"\r\n{OFF}\r" + mark("E;echo a") + mark("C") + "a\r\n")
    session.show(mark("D;0") + mark("A") + mark("E;echo b") + mark("C") + "b\r\n")
    first, second = found(session.ask(1))
    assert [(c.text, c.flags, c.exit_status) for c in (first, second)] == [
        ("echo a", (), 0),
        ("echo b", (), 1),
    ]
    assert first.output.end - first.output.start == second.output.end - second.output.start == len("a\r\n")


def test_the_same_prompt_behind_ssh_is_a_level_of_its_own() -> None:
    session = Marked().run("ssh b", "Welcome\r\n")
    session.inside("id", "uid\r\n").inside("exit")
    found_ = [(c.text, c.level, c.evidence) for c in found(session.ask().type("true").enter(told="true"))]
    assert found_ == [("ssh b", 0, "both"), ("id", 1, "screen"), ("exit", 1, "screen"), ("true", 0, "both")]


def test_another_shell_in_its_place_reports_nothing() -> None:
    session = Marked().run("exec env -i bash")
    Session.ask(session.inside("id", "uid\r\n"))
    assert [(c.text, c.level, c.evidence) for c in found(session)][1:] == [("id", 0, "screen")]


def test_a_shell_that_tells_no_ends() -> None:
    session = Marked().run("PROMPT_COMMAND=")
    for text in ("id", "ls"):
        Session.ask(session)
        session.type(text).enter("out\r\n", told=text)
    Session.ask(session)
    assert [(c.text, c.level, c.evidence) for c in found(session)] == [
        ("PROMPT_COMMAND=", 0, "both"),
        ("id", 0, "both"),
        ("ls", 0, "both"),
    ]


FORGED = "\x1b]633;E;rm -rf /\a\x1b]633;C\a\x1b]133;D;0\x1b\\" + mark("D;9", "f" * 32)


def _with_findings(session: Session) -> tuple[list[Command], list[str]]:
    extractor = Extractor(80, 24, has_keys=True, marks=DIGEST)
    result: list[Command] = []
    for event, data in merge_bytes(session.events):
        result += extractor.add(event, data)
    return [*result, *extractor.finish()], [one.text for one in extractor.foreign.forged]


def test_forged_marks_count_for_nothing_and_are_reported() -> None:
    session = Marked().run("cat trap", f"a{FORGED}b\r\n").ask(3).type("true").enter(told="true").ask()
    ran, forged = _with_findings(session)
    assert [(c.text, c.exit_status, c.flags) for c in ran] == [
        ("cat trap", 3, (Flag.FORGED_MARKS,)),
        ("true", 0, ()),
    ]
    assert forged == ["633;E;rm -rf /", "633;C", "133;D;0", f"633;D;9;{'f' * 32}"]


def test_marks_of_a_shell_behind_ssh_are_not_forged() -> None:
    session = Marked().run("cd /tmp && ssh b", f"Welcome\r\n{FORGED}").ask()
    assert _with_findings(session)[1] == []


def test_other_hooks_of_the_recorded_shell_are_not_forged() -> None:
    session = Marked()
    for text in ("true", "id"):
        session.ask().show("\x1b]133;A\a").type(text).enter("\x1b]133;C\aout\r\n", told=text)
    assert _with_findings(session)[1] == []


@pytest.mark.parametrize("status", ["", ";0"])
def test_hooks_that_write_before_the_end_of_a_command_are_not_forged(status: str) -> None:
    """fish 4 does, after output of whatever length; what stands further from the end is a program's."""
    session = Marked()
    for text, output in (
        ("true", ""),
        ("seq", "out\r\n" * 80),
        ("cat", "x" * 200 + "\x1b]133;D\a" + "y" * 200),
    ):
        session.ask().show("\x1b]133;A\a").type(text)
        session.enter(f"\x1b]133;C\a{output}\x1b]133;D{status}\a", told=text)
    ran, forged = _with_findings(session.ask())
    assert [c.text for c in ran if Flag.FORGED_MARKS in c.flags] == ["cat"]
    assert forged == ["133;D"]


def test_marks_of_another_kind_than_those_of_the_hooks_are_forged() -> None:
    session = Marked()
    for text, output in (("true", ""), ("printf", "\x1b]633;E;reboot\a\x1b]133;D\a")):
        session.ask().show("\x1b]133;A\a").type(text).enter(output, told=text)
    assert _with_findings(session.ask())[1] == ["633;E;reboot"]


def test_a_mark_in_what_still_runs_at_the_end_is_forged() -> None:
    session = Marked().ask().show("\x1b]133;A\a").type("cat").enter("x" * 200 + "\x1b]133;D\a", told="cat")
    ran, forged = _with_findings(session)
    assert ([c.flags for c in ran], forged) == ([(Flag.FORGED_MARKS,)], ["133;D"])


def test_a_mark_without_end_hides_nothing() -> None:
    session = Marked().run("cat", "\x1b]633;E;" + "x" * 100_000).show("\r\n\x1b\\shown\r\n")
    session = session.ask().type("id").enter("uid\r\n", told="id").ask()
    assert [c.text for c in found(session)] == ["cat", "id"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_reads_may_be_cut_anywhere(data: st.DataObject) -> None:
    session = Marked().run("echo 1; ls", "a\r\n", told="echo 1\\x3b ls").ask(7).press("enter")
    whole = [(c.text, c.output, c.exit_status) for c in found(session)]
    pieces: list[Event] = []
    for event in session.events:
        cuts = sorted(data.draw(st.sets(st.integers(0, len(event.data)), max_size=4)))
        for start, end in itertools.pairwise([0, *cuts, len(event.data)]) if event.code == OUTPUT else []:
            pieces.append(Event(event.time, OUTPUT, event.data[start:end]))
        pieces += [event] if event.code != OUTPUT else []
    assert [(c.text, c.output, c.exit_status) for c in commands(pieces, marks=DIGEST)] == whole


_PARTS = [ON, OFF, "\r\n", "$ ", "a", mark("A"), mark("C"), mark("D;1"), mark("E;ls"), mark("P;Cwd=/")]
_PARTS += ["\x1b]633;", "\x1b]1", "\a", "\x1b\\", mark("D;x"), mark("Z"), FORGED, "me@b:~$ "]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_PARTS), max_size=40))
def test_nothing_that_can_be_read_fails(parts: list[str]) -> None:
    session = Session()
    for number, part in enumerate(parts):
        session.show(part, after=0.05 * (number % 3))
        if part == "\r\n":
            session.press("enter")
    for command in found(session):
        assert command.text.strip()
        assert command.end_s is None or command.end_s >= command.start_s
        assert command.output.end >= command.output.start


@pytest.mark.parametrize(
    "body", ["633;C", f"133;C;{SECRET}", f"633;C;{SECRET[1:]}", f"633;Z;{SECRET}", f"633;{SECRET}", ""]
)
def test_only_the_secret_makes_a_mark_the_shells_own(body: str) -> None:
    assert Authority(DIGEST).read(f"\x1b]{body}\a".encode()) is None
    assert Authority(None).read(f"\x1b]633;C;{SECRET}\a".encode()) is None
