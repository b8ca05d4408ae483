"""Writing the policy's file: a new one, and changes to one that a person wrote, comments and all.

A change is made in the text and then read back: where the result does not say exactly what it should, the
person is asked to make it, and the file stays as it is.
"""

import re
import tomllib
from dataclasses import replace
from itertools import groupby

from recorder.errors import FormatError, SealcastError
from recorder.policy.model import CoverPolicy, Policy, ShellPolicy
from recorder.policy.parsing import line_of, parse_policy
from recorder.policy.schema import SETTINGS, toml_value

_BARE = re.compile("[A-Za-z0-9_-]+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_INTRODUCTION = """\
# The policy of sealcast on this host. Every setting is explained in docs/policy.md.
# Check it with `sealcast config check`; after a change run `sealcast install` and restart the daemon.
"""


def new_file(policy: Policy) -> str:
    """The text of a file for a policy: what differs from the defaults is set, the rest stands as comments."""
    parts = [_INTRODUCTION]
    for table, settings in groupby(SETTINGS, key=lambda setting: setting.table):
        parts.append(f"\n[{table}]\n")
        for setting in settings:
            value = toml_value(setting.value(policy), setting.kind)
            mark = "# " if value == setting.default() else ""
            parts.append(f"{mark}{setting.key} = {value}\n")
    return "".join(parts)


def with_cover(text: str, cover: CoverPolicy, shells: ShellPolicy, where: str) -> str:
    """The text of an existing file, changed to say `cover` and `shells`; `SealcastError` where that fails."""
    old = parse_policy(text.encode(), where)
    new = text
    for table, key, kind, before, after in (
        ("cover", "users", "accounts", old.cover.users, cover.users),
        ("cover", "groups", "accounts", old.cover.groups, cover.groups),
        ("shells", "default", "program", old.shells.default, shells.default),
    ):
        if before != after:
            new = _with_setting(new, table, key, toml_value(after, kind))
    if old.shells.users != shells.users:
        new = _with_shells(new, old.shells.users, shells.users)
    wanted = replace(old, cover=cover, shells=shells, digest="")
    if not _says(new, wanted):
        raise _by_hand(where, wanted)
    return new


def _says(text: str, wanted: Policy) -> bool:
    try:
        return replace(parse_policy(text.encode(), ""), digest="") == wanted
    except FormatError:
        return False


def _by_hand(where: str, wanted: Policy) -> SealcastError:
    lines = [
        f"[cover] users = {toml_value(wanted.cover.users, 'accounts')}",
        f"groups = {toml_value(wanted.cover.groups, 'accounts')}",
        f"[shells] users = {toml_value(wanted.shells.users, 'table')}",
    ]
    return SealcastError(f"cannot change {where} as it is written", f"set it by hand: {'; '.join(lines)}")


def _with_setting(text: str, table: str, key: str, value: str) -> str:
    """`key = value` in the place of the old one, else below its table's header, else at the end."""
    lines = _LINE.findall(text)
    number = line_of(text, f"{table}.{key}")
    if number is not None:
        written = lines[number - 1].partition("=")[0].rstrip()
        lines[number - 1 : _end_of_value(lines, number - 1)] = [f"{written} = {value}\n"]
        return "".join(lines)
    header = line_of(text, table)
    if header is None:
        return _ended(text) + f"\n[{table}]\n{_written(key)} = {value}\n"
    lines[header - 1] = _ended(lines[header - 1])
    lines.insert(header, f"{_written(key)} = {value}\n")
    return "".join(lines)


def _end_of_value(lines: list[str], start: int) -> int:
    """The index after the last line of the value that begins in line `start`: arrays go over many lines."""
    for end in range(start + 1, len(lines) + 1):
        try:
            tomllib.loads("".join(lines[start:end]))
        except tomllib.TOMLDecodeError:
            continue
        return end
    return start + 1


def _with_shells(text: str, before: dict[str, str], after: dict[str, str]) -> str:
    """Where the shells stand in a table of their own, its lines are changed; else they become one value."""
    number = line_of(text, "shells.users")
    own_table = number is not None and text.split("\n")[number - 1].lstrip().startswith("[")
    if not own_table:
        return _with_setting(text, "shells", "users", toml_value(after, "table"))
    for user, shell in after.items():
        if before.get(user) != shell:
            text = _with_setting(text, "shells.users", user, toml_value(shell, "program"))
    return text


def _written(key: str) -> str:
    """A key as TOML: bare where it can be, else in quotes."""
    return key if _BARE.fullmatch(key) else toml_value(key, "account")


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
