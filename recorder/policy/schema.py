"""The table of settings: what may stand in `config.toml`, as which type, and what it means."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recorder.errors import SealcastError
from recorder.policy.model import Noninteractive, OnFailure, Policy
from recorder.policy.quantities import duration_text, parse_duration, parse_size, size_text
from recorder.safe_text import safe

ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}\$?")
"""Names of the recorder's own user and group: nothing in them means anything in a unit or a line file."""
COVERED = re.compile(r"(?! )[A-Za-z0-9_][A-Za-z0-9_.@\\ -]{0,126}\$?(?<! )")
"""Names of others: those that directory services make (CORP\\alice, domain users) are among them."""
_LONGEST = 366 * 86400
_LARGEST = 2**60
_MOST_NAMES = 10_000
_MOST_SESSIONS = 100_000

Read = Callable[[object], object]
"""From a TOML value to the model's; `ValueError` with the rest of a sentence that starts with the name."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of one table. `about` is its line in the documentation."""

    table: str
    key: str
    kind: str
    read: Read
    about: str

    @property
    def name(self) -> str:
        return f"{self.table}.{self.key}"

    def default(self) -> str:
        """The default as it would stand in the file."""
        return toml_value(self.value(Policy()), self.kind)

    def value(self, policy: Policy) -> object:
        return getattr(getattr(policy, self.table), self.key)


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")
    return value


def _path(value: object) -> Path:
    """An absolute path in its plainest form, so that it means one place wherever it is used."""
    text = _text(value)
    plain = text.isprintable() and "//" not in text and not {".", ".."} & set(text.split("/"))
    if not text.startswith("/") or len(text) < 2 or text.endswith("/") or not plain or len(text) > 1024:
        raise ValueError('must be an absolute path without "." and ".."')
    return Path(text)


def _socket_path(value: object) -> Path:
    path = _path(value)
    if len(str(path).encode()) > 107:
        raise ValueError("must be at most 107 bytes long, as every Unix socket")
    return path


def _program(value: object) -> str:
    return str(_path(value))


def program_path(text: str) -> str:
    """An absolute path from elsewhere than the file, by the same rules; `SealcastError` for any other."""
    try:
        return _program(text)
    except ValueError as error:
        raise SealcastError(f'"{safe(text, 100)}" {error}') from error


def _account(value: object) -> str:
    text = _text(value)
    if not ACCOUNT.fullmatch(text):
        raise ValueError("must be the name of an account: letters, digits, _ . @ -")
    return text


def _covered(value: object) -> str:
    text = _text(value)
    if not COVERED.fullmatch(text):
        raise ValueError("must be the name of an account: letters, digits, _ . @ - \\ and spaces inside")
    return text


def _accounts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_NAMES:
        raise ValueError('must be a list of names, such as ["alice", "bob"]')
    names = tuple(_covered(name) for name in value)
    if len(set(names)) < len(names):
        raise ValueError("names an account twice")
    return names


def _programs_by_user(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > _MOST_NAMES:
        raise ValueError('must be a table of lines such as alice = "/bin/zsh"')
    return {_covered(user): _program(shell) for user, shell in value.items()}


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_SESSIONS:
        raise ValueError(f"must be a whole number from 0 to {_MOST_SESSIONS}")
    return value


def _duration(value: object) -> int:
    seconds = parse_duration(_text(value))
    if seconds > _LONGEST:
        raise ValueError("must be at most 366d")
    return seconds


def _size(value: object) -> int:
    count = parse_size(_text(value))
    if count > _LARGEST:
        raise ValueError("must be at most 1048576TiB")
    return count


def _on_failure(value: object) -> OnFailure:
    return OnFailure(_choice(value, [choice.value for choice in OnFailure]))


def _mode(value: object) -> Noninteractive:
    return Noninteractive(_choice(value, [choice.value for choice in Noninteractive]))


def _choice(value: object, choices: list[str]) -> str:
    if value not in choices:
        raise ValueError(f"must be one of {', '.join(choices)}")
    return _text(value)


SETTINGS: tuple[Setting, ...] = (
    Setting("store", "path", "path", _path, "the store with recordings, keys and log"),
    Setting("daemon", "socket", "path", _socket_path, "where logins reach the recorder"),
    Setting("daemon", "user", "account", _account, "the system user that records; never root"),
    Setting(
        "daemon",
        "end_survivors",
        "boolean",
        _boolean,
        "end what a session leaves running; the recorder gets the privilege for that, `CAP_KILL`",
    ),
    Setting("cover", "users", "accounts", _accounts, "accounts that are recorded"),
    Setting("cover", "groups", "accounts", _accounts, "groups whose members are recorded"),
    Setting("shells", "default", "program", _program, "the real shell of covered accounts"),
    Setting("shells", "users", "table", _programs_by_user, "real shells of single accounts: `NAME = PATH`"),
    Setting(
        "recording",
        "input",
        "boolean",
        _boolean,
        "record what is typed, too, as far as the terminal shows it",
    ),
    Setting(
        "recording",
        "on_failure",
        "choice",
        _on_failure,
        "when a session cannot be recorded: `closed` ends it, `open` lets it go on and logs that",
    ),
    Setting(
        "recording",
        "shell_marks",
        "boolean",
        _boolean,
        "have bash, zsh and fish report what they run; their users' files stay as they are",
    ),
    Setting(
        "noninteractive",
        "mode",
        "choice",
        _mode,
        "logins without a terminal (scp, rsync, Ansible): `record`, `allow` unrecorded, or `refuse`",
    ),
    Setting("noninteractive", "input_cap", "size", _size, "stored input of one session; beyond it a hash"),
    Setting("noninteractive", "output_cap", "size", _size, "stored of each of its two outputs; likewise"),
    Setting("limits", "sessions_per_user", "count", _count, "sessions of one user at once; 0: no limit"),
    Setting("limits", "new_sessions_per_minute", "count", _count, "logins of one user; 0: no limit"),
    Setting("limits", "idle", "duration", _duration, "no input for so long ends a session; 0s: never"),
    Setting("limits", "duration", "duration", _duration, "a session is ended after so long; 0s: never"),
    Setting("disk", "low", "size", _size, "less free space: no new sessions"),
    Setting("disk", "critical", "size", _size, "less free space: sessions are ended, longest idle first"),
    Setting("admins", "group", "account", _account, "who may list, watch and end the sessions of others"),
    Setting(
        "break_glass",
        "users",
        "accounts",
        _accounts,
        "accounts that get in unrecorded while the recorder is down; it is logged afterwards",
    ),
)


def toml_value(value: object, kind: str) -> str:
    """A value of the model as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return {"duration": _quoted(duration_text(value)), "size": _quoted(size_text(value))}.get(
            kind, str(value)
        )
    if isinstance(value, tuple):
        return f"[{', '.join(_quoted(str(name)) for name in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_quoted(name)} = {_quoted(shell)}' for name, shell in value.items())}}}"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    """Names and paths that the schema lets pass hold nothing but these two to escape."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def table_lines() -> list[str]:
    """The table of docs/policy.md."""
    rows = [
        f"| `{setting.name}` | {setting.kind} | `{setting.default()}` | {setting.about} |"
        for setting in SETTINGS
    ]
    return ["| setting | type | default | |", "|---|---|---|---|", *rows]
