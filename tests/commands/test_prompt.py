"""Prompts by their looks."""

import time

import pytest

from recorder.commands.prompt import Prompt, asks_for_more, guess_end, looks_like_prompt


@pytest.mark.parametrize(
    "text", ["$ ", "root@web:/etc# ", "❯ ", "[me@a ~]$ ", ">>> ", "(gdb) ", "➜", "sqlite> "]
)
def test_prompts(text: str) -> None:
    assert looks_like_prompt(text)


@pytest.mark.parametrize("text", ["Password: ", "Go on? [y/N] ", " 45%", "done", "name? ", "a (b) c"])
def test_no_prompts(text: str) -> None:
    assert not looks_like_prompt(text)


@pytest.mark.parametrize(
    "text", ["> ", "dquote> ", "cmdsubst quote> ", "... ", "   ...> ", "db-# ", "db'> ", "    -> "]
)
def test_secondary_prompts(text: str) -> None:
    assert asks_for_more(text)


@pytest.mark.parametrize("text", [">>> ", "sqlite> ", "$ ", "new> ", "me@a:~> "])
def test_primary_prompts(text: str) -> None:
    assert not asks_for_more(text)


def test_the_same_prompt_in_another_directory() -> None:
    prompt = Prompt("me@a:~$ ", True)
    assert prompt.begins("me@a:/usr/share$ ls -l") == len("me@a:/usr/share$ ")
    assert prompt.begins("me@a:~$ ls") == 8
    assert prompt.begins("me@a:~# ls") is None
    assert prompt.begins("total $ 5") is None
    assert Prompt("[main] $ ", True).begins("[feature] $ id") == len("[feature] $ ")


def test_families() -> None:
    home, other = Prompt("me@a:~$ ", True), Prompt("me@a:/etc$ ", True)
    assert home.same_family(other)
    assert not home.same_family(Prompt("root@a:~# ", True))
    assert not home.same_family(Prompt("me@b:~$ ", True))
    assert (home.who, home.place, other.place) == ("me@a", "~", "/etc")


@pytest.mark.parametrize(
    ("main", "more"),
    [
        ("me@[local]:postgres/=# ", "me@[local]:postgres/-# "),
        ("10:01:02 shop=> ", "10:01:09 shop-> "),
        ("shop=*> ", "shop'*> "),
        ("[::1] shop=>", "[::1] shop(>"),
    ],
)
def test_psql_goes_on_in_whatever_form(main: str, more: str) -> None:
    assert Prompt(more, True).goes_on(Prompt(main, True))
    assert not Prompt(main, True).goes_on(Prompt(main, True))
    assert not Prompt(main, True).goes_on(Prompt(more, True))


def test_other_prompts_do_not_go_on() -> None:
    assert not Prompt("me@a:~-# ", True).goes_on(Prompt("me@a:~# ", True))
    assert not Prompt("shop-# ", True).goes_on(Prompt("other db=# ", True))
    assert not Prompt("shop-> ", True).goes_on(Prompt("shop=# ", True))


def test_guesses() -> None:
    assert guess_end("me@a:~$ ls") == 8
    assert guess_end("ls") is None


@pytest.mark.parametrize(
    "text", ["a" * 50_000, "- " * 40_000, " " * 80_000, "quote" * 20_000, "$" * 60_000, "a@" * 30_000]
)
def test_hostile_lines_cost_little(text: str) -> None:
    started = time.process_time()
    looks_like_prompt(text)
    asks_for_more(text)
    guess_end(text)
    Prompt("me@a:~/x [main] $ ", True).begins(text)
    assert time.process_time() - started < 0.5
