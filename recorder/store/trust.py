"""The keys that recordings are checked against: `keys/trusted`, an OpenSSH `allowed_signers` file.

`ssh-keygen -Y verify -f keys/trusted` reads the same file. A host has two lines: as `cert-authority`
it vouches for its session keys, and without it for what it signs itself (interrupted recordings).
"""

import re
from dataclasses import dataclass
from pathlib import Path

from recorder.errors import ExitCode, FormatError, SealcastError
from recorder.log import durable
from recorder.safe_text import safe
from recorder.seal.keys import fingerprint, openssh_line, parse_public_line
from recorder.seal.sshsig import NAMESPACE

MAX_FILE = 1024 * 1024
MAX_KEYS = 10_000
LOCK_NAME = ".lock"
"""Locked by whoever writes in `keys/`."""
_MAX_LINE = 16 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_OPTION = re.compile(r'(cert-authority|namespaces="([^"]*)")(?:,|$)')
_KEY_START = "ssh-ed25519 "


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One line of the file."""

    name: str
    """The host that the key speaks for."""
    public: bytes
    certifies: bool
    """Whether it vouches for session keys (`cert-authority`), or only for its own signatures."""
    comment: str
    where: str
    """File and line."""

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public)

    def line(self) -> str:
        """The line of the file, without its newline."""
        authority = "cert-authority," if self.certifies else ""
        key = openssh_line(self.public, self.comment)
        return f'{self.name} {authority}namespaces="{NAMESPACE}" {key}'


def own_lines(host: str, public: bytes) -> str:
    """The two lines that a host has."""
    return "".join(f"{TrustedKey(host, public, certifies, '', '').line()}\n" for certifies in (True, False))


def read_keys(path: Path) -> list[TrustedKey]:
    """The keys in an `allowed_signers` file; an empty list where there is none."""
    try:
        data = durable.read_file(path, MAX_FILE)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise durable.store_error(error, f"read {safe(str(path))}") from error
    return parse_keys(data, safe(str(path)))


def parse_keys(data: bytes, where: str) -> list[TrustedKey]:
    """The keys in the bytes of an `allowed_signers` file; `FormatError` names the line."""
    keys = []
    for number, line in enumerate(_lines(data, where), 1):
        if line.strip() and not line.startswith("#"):
            keys.append(_parse_line(line.rstrip(), f"{where}:{number}"))
        if len(keys) > MAX_KEYS:
            raise FormatError(f"more than {MAX_KEYS:,} keys", where)
    return keys


def certifiers(keys: list[TrustedKey]) -> dict[bytes, str]:
    """Which key may certify session keys of which host."""
    return {key.public: key.name for key in keys if key.certifies}


def signers(keys: list[TrustedKey]) -> dict[bytes, str]:
    """Which key may itself sign recordings of which host."""
    return {key.public: key.name for key in keys if not key.certifies}


def parse_offered(data: bytes, where: str, name: str | None = None) -> list[TrustedKey]:
    """The keys of a file that someone wants to trust: `allowed_signers` lines, or a `.pub` file.

    A `.pub` line names no host but in its comment, so `name` or the comment has to; it gives both lines.
    """
    keys: list[TrustedKey] = []
    for number, line in enumerate(_lines(data, where), 1):
        place = f"{where}:{number}"
        if line.startswith(_KEY_START):
            keys += _from_public_line(line, place, name)
        elif line.strip() and not line.startswith("#"):
            keys.append(_parse_line(line.rstrip(), place))
    if not keys:
        raise FormatError("no key in it", where, "give a host's keys/host.pub")
    return keys


def add_keys(path: Path, offered: list[TrustedKey]) -> list[TrustedKey]:
    """Add to the file at `path` those keys that it lacks; returns them."""
    with durable.writing(path), durable.locked(path.with_name(LOCK_NAME)):
        known = {(key.name, key.public, key.certifies) for key in read_keys(path)}
        new = [key for key in offered if (key.name, key.public, key.certifies) not in known]
        if new:
            durable.replace_file(path, _old_bytes(path) + "".join(f"{key.line()}\n" for key in new).encode())
    return new


def find_key(keys: list[TrustedKey], text: str) -> list[TrustedKey]:
    """The lines of the one key that `text` names: a host's name, or the start of a fingerprint."""
    wanted = "SHA256:" + text.removeprefix("SHA256:")
    found = [key for key in keys if text and (key.name == text or key.fingerprint.startswith(wanted))]
    if not found:
        message = f'no trusted key "{safe(text, 80)}"'
        raise SealcastError(message, "see them all: sealcast keys ls", ExitCode.TARGET)
    if len({key.public for key in found}) > 1:
        message = f'"{safe(text, 80)}" fits several keys'
        raise SealcastError(message, "use more of the fingerprint", ExitCode.TARGET)
    return found


def _old_bytes(path: Path) -> bytes:
    try:
        old = durable.read_file(path, MAX_FILE)
    except FileNotFoundError:
        return b""
    return old if old.endswith(b"\n") or not old else old + b"\n"


def _lines(data: bytes, where: str) -> list[str]:
    if len(data) > MAX_FILE:
        raise FormatError(f"more than {MAX_FILE:,} bytes", where)
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError as error:
        bad = data.count(b"\n", 0, error.start) + 1
        raise FormatError("not UTF-8", f"{where}:{bad}") from None
    for number, line in enumerate(lines, 1):
        if len(line) > _MAX_LINE:
            raise FormatError(f"more than {_MAX_LINE:,} characters", f"{where}:{number}")
    return lines


def _parse_line(line: str, where: str) -> TrustedKey:
    """One line: `NAME [cert-authority,][namespaces="…"] ssh-ed25519 AAAA… [comment]`."""
    name, _, rest = line.partition(" ")
    if not _NAME.fullmatch(name):
        raise FormatError("does not start with a host's name", where)
    options, key = _split_options(rest, where)
    parsed = parse_public_line(key, where)
    return TrustedKey(name, parsed.public, "cert-authority" in options, parsed.comment, where)


def _split_options(rest: str, where: str) -> tuple[set[str], str]:
    if rest.startswith(_KEY_START):
        return set(), rest
    head, separator, key = rest.partition(f" {_KEY_START}")
    if not separator:
        raise FormatError("no ssh-ed25519 key", where)
    found: set[str] = set()
    while head:
        match = _OPTION.match(head)
        if match is None:
            raise FormatError(f"unknown option in {safe(head, 80)}", where)
        if match[2] is not None and NAMESPACE not in match[2].split(","):
            raise FormatError(f'the key is not for namespace "{NAMESPACE}"', where)
        found.add(match[1])
        head = head[match.end() :]
    return found, _KEY_START + key


def _from_public_line(line: str, where: str, name: str | None) -> list[TrustedKey]:
    parsed = parse_public_line(line, where)
    host = name or parsed.comment
    if not _NAME.fullmatch(host):
        raise FormatError("names no host", where, "say whose key it is: sealcast keys trust --host NAME FILE")
    return [TrustedKey(host, parsed.public, certifies, "", where) for certifies in (True, False)]
