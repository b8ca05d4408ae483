"""The `sealcast` object of a recording's header: who, where, under which key."""

from dataclasses import dataclass
from typing import Any

from recorder.cast.fields import Fields
from recorder.errors import FormatError

FORMAT = 1
ORIGINS = ("local", "sshd")
MAX_CELLS = 65_535
_MAX_NUMBER = 2**53 - 1


@dataclass(frozen=True, slots=True)
class SessionHeader:
    """What this program adds to an asciicast header. `None` where it does not apply or is not known."""

    format: int
    session: str
    number: int
    host: str
    user: str
    uid: int
    origin: str
    """`sshd` where the kernel shows the login to be sshd's own, else `local`."""
    source: dict[str, Any] | None
    """`ip` and `port` of the client."""
    authentication: dict[str, Any] | None
    command: str | None
    reason: str | None
    terminal: tuple[int, int]
    """Columns and rows as the terminal really said, 0 by 0 included."""
    boot_id: str
    monotonic: float
    """Seconds of the host's monotonic clock at the start."""
    recorder: str
    policy: str | None
    certificate: str
    """The session key's OpenSSH certificate: type, space, base64."""
    marks: str | None = None
    """`sha256:` and the digest of the secret in the shell's own marks; None where it was given none."""
    command_base64: str | None = None
    """The command's exact bytes where they are not UTF-8: `command` has `\\xNN` for some of them then."""

    def as_json(self) -> dict[str, Any]:
        """Keys in the order of the fields, those that are None left out."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values["terminal"] = list(self.terminal)
        return {name: value for name, value in values.items() if value is not None}


def parse_session_header(fields: Fields) -> SessionHeader:
    """Keys that format 1 does not name are ignored; a newer format is refused."""
    return SessionHeader(
        format=_format(fields),
        session=_name(fields, "session"),
        number=fields.needed_integer("number", 0, _MAX_NUMBER),
        host=_name(fields, "host"),
        user=fields.needed_text("user", 255),
        uid=fields.needed_integer("uid", 0, 2**32 - 1),
        origin=_origin(fields),
        source=_source(fields),
        authentication=fields.mapping("authentication"),
        command=fields.text("command"),
        reason=fields.text("reason"),
        terminal=_terminal(fields),
        boot_id=fields.needed_text("boot_id", 64),
        monotonic=fields.needed_number("monotonic", 0, 1e12),
        recorder=fields.needed_text("recorder", 255),
        policy=fields.text("policy", 255),
        certificate=fields.needed_text("certificate", 8192),
        marks=fields.text("marks", 255),
        command_base64=fields.text("command_base64"),
    )


def _format(fields: Fields) -> int:
    number = fields.needed_integer("format", 1, _MAX_NUMBER)
    if number > FORMAT:
        raise fields.refuse("format", f"is {number}; this program reads up to {FORMAT}")
    return number


def _name(fields: Fields, key: str) -> str:
    """Hosts and sessions are halves of a note's key name: no spaces, no `+`, no `/`."""
    value = fields.needed_text(key, 255)
    if not value.isprintable() or any(char.isspace() or char in "+/" for char in value):
        raise fields.refuse(key, "holds a space, a control character, + or /")
    return value


def _origin(fields: Fields) -> str:
    origin = fields.needed_text("origin", 64)
    if origin not in ORIGINS:
        raise fields.refuse("origin", "is neither local nor sshd")
    return origin


def _source(fields: Fields) -> dict[str, Any] | None:
    source = fields.inner("source")
    if source is None:
        return None
    source.needed_text("ip", 64)
    source.integer("port", 0, 65_535)
    return source.values


def _terminal(fields: Fields) -> tuple[int, int]:
    size = fields.values.get("terminal")
    if not isinstance(size, list) or len(size) != 2:
        raise fields.refuse("terminal", "is not an array of columns and rows")
    pair = Fields({"columns": size[0], "rows": size[1]}, "", "terminal")
    try:
        return pair.needed_integer("columns", 0, MAX_CELLS), pair.needed_integer("rows", 0, MAX_CELLS)
    except FormatError as error:
        raise fields.refuse("", error.message) from None
