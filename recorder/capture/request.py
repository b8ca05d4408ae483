"""The first packet of a login, as any local user may send it: strict, bounded, and only claims."""

import binascii
from dataclasses import dataclass, field

from recorder.capture.login import MAGIC, MAX_PACKET
from recorder.errors import FormatError

TERMINAL_DESCRIPTORS = 2
"""The user's terminal and the new pty's master."""
STREAM_DESCRIPTORS = 6
"""The user's stdin, stdout, stderr, and of the new pipes stdin's write and the outputs' read ends."""
_MAX_FIELDS = 32


@dataclass(frozen=True, slots=True)
class Request:
    """What a login asks for."""

    with_terminal: bool
    waits: bool = False
    """Whether the login outlives its shell, and tells how that ended."""
    command: str | None = None
    exact_command: bytes | None = None
    """The same as the login sent it."""
    shell: str = ""
    authentication: str = ""
    """The text of sshd's ExposeAuthInfo file."""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def descriptors(self) -> int:
        """How many descriptors must have come with it."""
        return TERMINAL_DESCRIPTORS if self.with_terminal else STREAM_DESCRIPTORS

    @property
    def command_base64(self) -> str | None:
        """The exact command where it is not UTF-8, and `command` only a picture of it."""
        if self.exact_command is None or self.command == self.exact_command.decode("utf-8", "replace"):
            return None
        return binascii.b2a_base64(self.exact_command, newline=False).decode()


def parse_request(packet: bytes) -> Request:
    """The request in a packet; FormatError for anything that `sealcast-shell` would not send."""
    magic, _, rest = packet.partition(b"\0")
    if magic != MAGIC:
        raise FormatError("not a login request of this version")
    if len(packet) > MAX_PACKET or (rest and not rest.endswith(b"\0")):
        raise FormatError("the login request was cut off")
    fields = _fields(rest)
    kind = fields.pop("kind", "")
    if kind not in {"terminal", "streams"}:
        raise FormatError("the login request asks for no kind of session")
    waits = fields.pop("waits", "no")
    if waits not in {"yes", "no"}:
        raise FormatError("the login request does not say whether it waits for its shell")
    environment = {
        name.removeprefix("env."): fields.pop(name) for name in list(fields) if name.startswith("env.")
    }
    request = Request(
        with_terminal=kind == "terminal",
        waits=kind == "terminal" or waits == "yes",
        command=fields.pop("command", None),
        exact_command=_exact_command(rest),
        shell=fields.pop("shell", ""),
        authentication=fields.pop("auth", ""),
        environment=environment,
    )
    if fields:
        raise FormatError(f"the login request has the unknown field {min(fields)!r}")
    return request


def _exact_command(rest: bytes) -> bytes | None:
    name = b"command="
    return next((text[len(name) :] for text in rest.split(b"\0") if text.startswith(name)), None)


def _fields(rest: bytes) -> dict[str, str]:
    """Bytes that are not UTF-8 stand as `\\xNN`."""
    fields: dict[str, str] = {}
    for text in rest.split(b"\0")[:-1]:
        name, equals, value = text.decode("utf-8", "backslashreplace").partition("=")
        if not equals or not name or name in fields or len(fields) >= _MAX_FIELDS:
            raise FormatError("the login request has a field twice, too many, or one without a value")
        fields[name] = value
    return fields
