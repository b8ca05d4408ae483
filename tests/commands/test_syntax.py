"""As much of shell syntax as is needed."""

import time

import pytest

from recorder.commands import syntax


@pytest.mark.parametrize(
    "text",
    [
        'echo "a',
        "echo 'a",
        "a \\",
        "a |",
        "a &&",
        "(a",
        "f() {",
        "for i in 1",
        "if true",
        "cat <<EOF\na",
        "{ a",
    ],
)
def test_incomplete(text: str) -> None:
    assert syntax.incomplete(text)


@pytest.mark.parametrize(
    "text",
    [
        "echo a",
        "echo 'it''s'",
        "cat <<EOF\na\nEOF",
        "cat <<< word",
        "for i in 1; do a; done",
        "echo for # (",
        'echo \\"',
    ],
)
def test_complete(text: str) -> None:
    assert not syntax.incomplete(text)


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("!!", "echo a b"),
        ("sudo !!", "sudo echo"),
        ("echo !$ x", "echo last x"),
        ("^a^b", "echo b"),
        ("!ec:p", "echo"),
    ],
)
def test_references(typed: str, line: str) -> None:
    parts = syntax.fixed_parts(typed)
    assert parts is not None
    assert syntax.expands(parts, line)


@pytest.mark.parametrize(
    "text", ["echo hi", "echo 'a!!'", "[ a != b ]", "echo $!", "ls [!a]*", "echo a! b", "! true"]
)
def test_no_references(text: str) -> None:
    assert syntax.fixed_parts(text) is None


def test_what_starts_a_shell() -> None:
    assert syntax.starts_shell("bash")
    assert syntax.starts_shell("exec zsh -l")
    assert syntax.starts_shell("X=1 bash --rcfile f")
    assert not syntax.starts_shell("bash run.sh")
    assert not syntax.starts_shell("bash -c id")
    assert syntax.may_start_shell("sudo -i")
    assert syntax.may_start_shell("/usr/bin/python3.13")
    assert not syntax.may_start_shell("ls")
    assert syntax.leaves_shell("exit 3")


_HOSTILE = ["'" * 60_001, "!a" * 30_000, "(" * 60_000, "for " * 15_000, "<<a " * 15_000, "| " * 30_000]


@pytest.mark.parametrize("text", [*_HOSTILE, "'a'!! " * 10_000, "\n" * 60_000])
def test_hostile_lines_cost_little(text: str) -> None:
    started = time.process_time()
    syntax.incomplete(text)
    parts = syntax.fixed_parts(text)
    if parts is not None:
        syntax.expands(parts, text)
    assert time.process_time() - started < 1.5
