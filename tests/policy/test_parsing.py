"""From `config.toml` to a policy: every setting, and every way to get it wrong."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import FormatError
from recorder.policy.model import Noninteractive, OnFailure, Policy
from recorder.policy.parsing import line_of, parse_policy
from recorder.safe_text import safe

FULL = """\
# everything
[store]
path = "/srv/sealcast"
[daemon]
socket = "/run/other/socket"
user = "recorder"
[cover]
users = ["alice", "bob"]
groups = [
  "ops",      # the people on call
  "vendors",
]
[shells]
default = "/bin/bash"
[shells.users]
alice = "/bin/zsh"
"svc.backup" = "/bin/sh"
[recording]
input = true
on_failure = "open"
[noninteractive]
mode = "refuse"
input_cap = "1MiB"
output_cap = "2MiB"
[limits]
sessions_per_user = 3
new_sessions_per_minute = 10
idle = "30m"
duration = "12h"
[disk]
low = "2GiB"
critical = "1GiB"
[admins]
group = "auditors"
[break_glass]
users = ["rescue"]
"""


def parse(text: str) -> Policy:
    return parse_policy(text.encode(), "config.toml")


def refusal(text: str) -> FormatError:
    with pytest.raises(FormatError) as caught:
        parse(text)
    return caught.value


def test_every_setting_arrives() -> None:
    policy = parse(FULL)
    assert (policy.store.path, policy.daemon.socket) == (Path("/srv/sealcast"), Path("/run/other/socket"))
    assert (policy.daemon.user, policy.admins.group) == ("recorder", "auditors")
    assert (policy.cover.users, policy.cover.groups) == (("alice", "bob"), ("ops", "vendors"))
    assert (policy.recording.input, policy.recording.on_failure) == (True, OnFailure.OPEN)
    assert policy.noninteractive.mode is Noninteractive.REFUSE
    assert (policy.noninteractive.input_cap, policy.noninteractive.output_cap) == (2**20, 2**21)
    assert (policy.limits.sessions_per_user, policy.limits.new_sessions_per_minute) == (3, 10)
    assert (policy.limits.idle, policy.limits.duration) == (1800, 43200)
    assert (policy.disk.low, policy.disk.critical) == (2**31, 2**30)
    assert policy.is_break_glass("rescue")
    assert policy.digest == "sha256:" + hashlib.sha256(FULL.encode()).hexdigest()


def test_an_empty_file_is_the_defaults_and_fails_closed() -> None:
    policy = parse("")
    assert policy.recording.on_failure is OnFailure.CLOSED
    assert policy.noninteractive.mode is Noninteractive.RECORD
    assert not policy.covers("alice", ["ops"])


def test_cover_shells_and_admins() -> None:
    policy = parse(FULL)
    assert policy.covers("alice", [])
    assert policy.covers("carol", ["users", "vendors"])
    assert not policy.covers("carol", ["users", "alice"])
    assert (policy.shell_for("alice"), policy.shell_for("bob")) == ("/bin/zsh", "/bin/bash")
    assert policy.is_admin(["users", "auditors"])
    assert not policy.is_admin(["users"])


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[limit]\n", "config.toml line 1: no table [limit]", "did you mean limits?"),
        (
            "\n[limits]\nidel = '5m'\n",
            "line 3: no setting idel in [limits]",
            "did you mean idle?",
        ),
        ("[zzz]\n", "config.toml line 1: no table [zzz]", "there are: store, daemon"),
        ("idle = '5m'\n", "config.toml line 1: no table [idle]", None),
        ("limits = 3\n", "config.toml line 1: limits must be a table: [limits]", None),
        ("[[cover]]\n", "config.toml: cover must be a table: [cover]", None),
        ("[limits]\nidle = 30\n", "line 2: limits.idle must be text in quotes", 'the default is idle = "0s"'),
        ("[limits]\nidle = '30'\n", "line 2: limits.idle must be a duration, such as 90s", None),
        ("[limits]\nidle = '9999d'\n", "limits.idle must be at most 366d", None),
        ("[limits]\nsessions_per_user = true\n", "must be a whole number from 0 to 100000", None),
        ("[limits]\nsessions_per_user = -1\n", "must be a whole number from 0 to 100000", None),
        ("[recording]\ninput = 'no'\n", "recording.input must be true or false", None),
        ("[recording]\non_failure = 'maybe'\n", "must be one of closed, open", None),
        ("[noninteractive]\nmode = ['allow']\n", "must be one of record, allow, refuse", None),
        ("[disk]\nlow = '1G'\n", "line 2: disk.low must be a size, such as 64KiB or 1GiB", None),
        ("[disk]\nlow = '1MiB'\ncritical = '1GiB'\n", "line 3: disk.critical must not be over", None),
        ("[store]\npath = 'var'\n", "store.path must be an absolute path", None),
        ("[store]\npath = '/var/../etc'\n", "store.path must be an absolute path", None),
        ("[store]\npath = '/'\n", "store.path must be an absolute path", None),
        ("[shells]\ndefault = '/bin/sh\\n'\n".replace("'", '"'), "must be an absolute path", None),
        ("[shells.users]\nalice = 'zsh'\n", "line 1: shells.users must be an absolute path", None),
        ("[daemon]\nsocket = '/" + "x" * 120 + "'\n", "must be at most 107 bytes long", None),
        ("[daemon]\nuser = 'root'\n", "line 2: daemon.user must not be root", None),
        ("[cover]\nusers = 'alice'\n", "cover.users must be a list of names", None),
        ("[cover]\nusers = ['a,b']\n", "cover.users must be the name of an account", None),
        ("[cover]\nusers = ['*']\n", "cover.users must be the name of an account", None),
        ("[cover]\nusers = ['a', 'a']\n", "cover.users names an account twice", None),
        ("[cover]\nusers = ['root']\n", "line 2: cover.users holds root, who can stop the recorder", None),
        ("[cover]\nusers = ['sealcast']\n", "the recorder's own account", None),
        ("[cover\n", "config.toml line 1: not TOML", None),
        ("[cover]\nusers = [\n\n'a' 'b']\n", "config.toml line 4: not TOML: unclosed array", None),
        ("[cover]\nusers = []\nusers = []\n", "line 3: not TOML: cannot overwrite a value", None),
        ("[limits]\n'\\u001b[2J' = 1\n".replace("'", '"'), "no setting ␛[2J in [limits]", None),
    ],
)
def test_mistakes_name_line_and_way_out(text: str, message: str, hint: str | None) -> None:
    error = refusal(text)
    assert message in error.message
    assert hint is None or hint in (error.hint or "")


def test_bytes_that_are_not_utf8_are_placed() -> None:
    with pytest.raises(FormatError, match="line 2: not UTF-8"):
        parse_policy(b"[cover]\n# \xff\n", "config.toml")


def test_deep_nesting_is_an_error_not_a_crash() -> None:
    assert "not TOML" in refusal(f"x = {'[' * 5000}").message


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ("limits.idle = '1m'\n", "limits.idle", 1),
        ("\n[ limits ] # mine\n\"idle\" = '1m'\n", "limits.idle", 3),
        ("limits = { idle = '1m' }\n", "limits.idle", None),
        ("[shells.users]\na = '/b'\n", "shells.users", 1),
        ("[shells.users]\na = '/b'\n", "shells.users.a", 2),
    ],
)
def test_settings_are_found(text: str, name: str, line: int | None) -> None:
    assert line_of(text, name) == line


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_parses_or_is_refused_in_one_safe_line(text: str) -> None:
    said = ""
    try:
        parse(text)
    except FormatError as error:
        said = error.message
    assert said == safe(said)
