"""From the text of `config.toml` to a policy. Strict: what is not understood is an error, with its line."""

import difflib
import hashlib
import re
import tomllib
from typing import Any

from recorder.errors import FormatError
from recorder.policy.model import Policy
from recorder.policy.schema import SETTINGS, Setting
from recorder.safe_text import safe

_HEADER = re.compile(r"\s*\[\s*(?P<name>[^\[\]]+?)\s*\]\s*(#.*)?")
_KEY = re.compile(r"""\s*(?P<name>[A-Za-z0-9_.'" -]+?)\s*=""")
_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")
_BY_NAME = {setting.name: setting for setting in SETTINGS}
_TABLES = tuple(dict.fromkeys(setting.table for setting in SETTINGS))


def parse_policy(data: bytes, where: str) -> Policy:
    """The policy in a file's bytes; `FormatError` naming `where`, line and setting."""
    text = _decoded(data, where)
    document = _document(text, where)
    values: dict[str, dict[str, object]] = {table: {} for table in _TABLES}
    for table, content in document.items():
        _check_table(text, where, table, content)
        for key, value in content.items():
            values[table][key] = _read(text, where, f"{table}.{key}", value)
    policy = _build(values, "sha256:" + hashlib.sha256(data).hexdigest())
    _check_together(policy, text, where)
    return policy


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FormatError("not UTF-8", f"{where} line {line}") from error


def _document(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _LINE.search(str(error))
        place = f"{where} line {found[1]}" if found else where
        message = _LINE.sub("", str(error)).strip() or "not TOML"
        raise FormatError(f"not TOML: {safe(message[:1].lower() + message[1:], 200)}", place) from error


def _check_table(text: str, where: str, table: str, content: object) -> None:
    if table not in _TABLES:
        message = f"no table [{safe(table, 60)}]"
        raise FormatError(message, _place(text, where, table), _suggestion(table, _TABLES))
    if not isinstance(content, dict):
        raise FormatError(f"{table} must be a table: [{table}]", _place(text, where, table))


def _read(text: str, where: str, name: str, value: object) -> object:
    setting = _BY_NAME.get(name)
    table, _, key = name.partition(".")
    if setting is None:
        known = [other.key for other in SETTINGS if other.table == table]
        message = f"no setting {safe(key, 60)} in [{table}]"
        raise FormatError(message, _place(text, where, name), _suggestion(key, known))
    try:
        return setting.read(value)
    except ValueError as error:
        hint = f"the default is {setting.key} = {setting.default()}"
        raise FormatError(f"{name} {error}", _place(text, where, name), hint) from error


def _suggestion(name: str, known: "tuple[str, ...] | list[str]") -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"


def _build(values: dict[str, dict[str, object]], digest: str) -> Policy:
    defaults = Policy()
    # each value went through the reader of its setting, whose type is the field's
    tables: dict[str, Any] = {name: type(getattr(defaults, name))(**found) for name, found in values.items()}
    return Policy(**tables, digest=digest)


def _check_together(policy: Policy, text: str, where: str) -> None:
    """What no setting alone can get wrong."""
    if policy.disk.critical > policy.disk.low:
        raise FormatError("disk.critical must not be over disk.low", _place(text, where, "disk.critical"))
    if policy.daemon.user == "root":
        raise FormatError("daemon.user must not be root", _place(text, where, "daemon.user"))
    if policy.daemon.user in policy.cover.users:
        message = f"cover.users holds {policy.daemon.user}, the recorder's own account"
        raise FormatError(message, _place(text, where, "cover.users"))
    if "root" in policy.cover.users:
        raise FormatError(
            "cover.users holds root, who can stop the recorder",
            _place(text, where, "cover.users"),
            "cover the accounts that people log in with, and let them become root from there",
        )


def _place(text: str, where: str, name: str) -> str:
    """`where` with the line of a table or setting; without it where the file writes it in an unusual way."""
    line = line_of(text, name)
    return where if line is None else f"{where} line {line}"


def line_of(text: str, name: str) -> int | None:
    """The line, from 1, where a table or a setting (`table.key`) is written."""
    table = ""
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.fullmatch(line):
            table = _plain(header["name"])
            if table == name or table.startswith(f"{name}."):
                return number
        elif key := _KEY.match(line):
            full = ".".join(part for part in (table, _plain(key["name"])) if part)
            if full == name or full.startswith(f"{name}."):
                return number
    return None


def _plain(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))


def setting_named(name: str) -> Setting:
    """The setting `table.key`; `KeyError` where there is none."""
    return _BY_NAME[name]
