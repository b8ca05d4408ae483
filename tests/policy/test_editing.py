"""Writing policies, and changing what a person wrote."""

import pytest

from recorder.capture.login import real_shell
from recorder.errors import SealcastError
from recorder.policy.editing import new_file, with_cover
from recorder.policy.model import CoverPolicy, Policy, ShellPolicy
from recorder.policy.parsing import parse_policy
from recorder.policy.shell_lines import shell_lines
from tests.policy.test_parsing import FULL, parse


def change(text: str, users: tuple[str, ...], shells: dict[str, str], default: str = "/bin/bash") -> str:
    return with_cover(text, CoverPolicy(users, ()), ShellPolicy(default, shells), "config.toml")


def test_a_new_file_says_the_policy_and_shows_the_defaults() -> None:
    policy = Policy(cover=CoverPolicy(("alice",), ("ops",)), shells=ShellPolicy(users={"alice": "/bin/zsh"}))
    text = new_file(policy)
    read = parse(text)
    assert (read.cover, read.shells, read.limits) == (policy.cover, policy.shells, policy.limits)
    assert '# idle = "0s"' in text
    uncommented = text.replace("# idle", "idle").replace("# low", "low")
    assert parse(uncommented).disk == policy.disk


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# mine\n[cover]\n",
        "[cover]",
        "[cover] # who\nusers = ['old'] # them\n[limits]\nidle = '5m'\n",
        "[cover]\nusers = [\n  'old', # ]\n  'older',\n]\ngroups = []\n",
        "[shells]\nusers = { old = '/bin/sh' }\n[cover]\n",
        "[shells]\n[shells.users]\nold = '/bin/sh'\n",
        "[shells.users]\nalice = '/bin/sh'\n",
        "cover.users = []\n",
        "# one\u2028line\n[cover]\nusers = []\n",
    ],
)
def test_a_file_is_changed_in_place(text: str) -> None:
    old = parse(text)
    shells = {**old.shells.users, "alice": "/bin/zsh", "svc.backup": "/bin/sh"}
    new = change(text, ("alice", "bob"), shells)
    policy = parse(new)
    assert (policy.cover.users, policy.shells.users) == (("alice", "bob"), shells)
    assert policy.limits == old.limits
    kept = [line for line in text.splitlines() if line.startswith(("# m", "idle"))]
    assert all(line in new.splitlines() for line in kept)


def test_what_is_the_same_is_not_touched() -> None:
    policy = parse(FULL)
    assert with_cover(FULL, policy.cover, policy.shells, "config.toml") == FULL


def test_an_unusual_file_is_left_to_the_person() -> None:
    with pytest.raises(SealcastError) as caught:
        change("cover = { users = ['old'] }\n", ("alice",), {})
    assert 'users = ["alice"]' in (caught.value.hint or "")


def test_the_login_shell_reads_what_is_written() -> None:
    data = shell_lines(parse_policy(FULL.encode(), "config.toml"))
    assert real_shell(data, b"alice") == b"/bin/zsh"
    assert real_shell(data, b"svc.backup") == b"/bin/sh"
    assert real_shell(data, b"anyone") == b"/bin/bash"
