"""The keys of a login, from what sshd says about it (ExposeAuthInfo): one line for each method that was used.

A line is `publickey TYPE BASE64` or `password`. Keys and certificates are laid out as OpenSSH's
PROTOCOL.certkeys says; what cannot be read gives no key, and stands in the record as the line it was.
"""

import base64
import binascii
import hashlib
import json
from itertools import accumulate, takewhile
from typing import Any

from recorder.capture.login import MAX_AUTH_FILE
from recorder.errors import FormatError
from recorder.seal.ssh_wire import WireReader, string

_CERTIFICATE = "-cert-v01@openssh.com"
_KEY_FIELDS = {
    "ssh-rsa": 2,
    "ssh-dss": 4,
    "ssh-ed25519": 1,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}
"""How many fields a key of this type has after its name."""
_WHERE = "sshd's authentication information"
MAX_METHODS = 16
MAX_PRINCIPALS = 256
"""As many as OpenSSH takes (SSHKEY_CERT_MAX_PRINCIPALS)."""
MAX_TEXT = 1024
"""Characters of a key id or a principal; the method's line has the whole."""
MAX_KEPT = 16 * 1024
"""Of all lines together, and of all names in certificates together, as JSON: an entry has a limit."""

_LONGEST_AS_JSON = 6
"""Characters of one: `\\u0001`."""

Key = dict[str, Any]


def authentication_of(text: str) -> dict[str, Any]:
    """`methods` and `keys` of a login from the text of sshd's file.

    Where something had to be left out, `cut` names the whole text by its length in bytes and its SHA-256; and
    `incomplete` stands with it where not even the login saw the whole.
    """
    lines = methods_of(text)
    keys = keys_of(lines)
    methods, kept = _shortened(lines), [_with_fewer_names(key, MAX_KEPT // len(keys)) for key in keys]
    data = text.encode("utf-8", "surrogatepass")
    is_whole = len(data) < MAX_AUTH_FILE
    all_lines = [line for line in text.split("\n") if line]
    found: dict[str, Any] = {"methods": methods, "keys": kept}
    if methods != all_lines or kept != keys or not is_whole:
        found["cut"] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        if not is_whole:
            found["cut"]["incomplete"] = True
    return found


def _shortened(lines: list[str]) -> list[str]:
    room, kept = MAX_KEPT, []
    for line in lines:
        sizes = accumulate(len(json.dumps(character)) - len('""') for character in line[:room])
        fitting = list(takewhile(room.__ge__, sizes))
        kept.append(line[: len(fitting)])
        room -= fitting[-1] if fitting else 0
    return [line for line in kept if line]


def _with_fewer_names(key: Key, room: int) -> Key:
    """A certificate's names as far as there is room; how many there are stands in `principals_count`."""
    key_id, principals = key.get("key_id", ""), key.get("principals", [])
    if len(json.dumps(key_id)) > room:
        key, key_id = key | {"key_id": key_id[: room // _LONGEST_AS_JSON]}, ""
        room = 0
    room -= len(json.dumps(key_id))
    names = []
    for name in principals:
        room -= len(json.dumps(name))
        if room < 0:
            break
        names.append(name)
    if len(names) == len(principals):
        return key
    return key | {"principals": names, "principals_count": len(principals)}


def methods_of(text: str) -> list[str]:
    """The lines of sshd's file."""
    lines = text.removesuffix("\n").split("\n")
    return [line for line in lines[:MAX_METHODS] if line]


def keys_of(methods: list[str]) -> list[Key]:
    """For each key its type and fingerprint; for a certificate also who certified what."""
    found = []
    for method in methods:
        name, _, encoded = method.partition(" ")
        if name == "publickey":
            key = _key(encoded)
            if key is not None:
                found.append(key)
    return found


def _key(encoded: str) -> Key | None:
    declared, _, text = encoded.partition(" ")
    try:
        blob = base64.b64decode(text.partition(" ")[0], validate=True)
        reader = WireReader(blob, _WHERE)
        if reader.string() != declared.encode():
            return None
        if declared in _KEY_FIELDS:
            return {"type": declared, "fingerprint": fingerprint(blob)}
        return _certificate(declared, reader)
    except (binascii.Error, ValueError, FormatError):
        return None


def _certificate(declared: str, reader: WireReader) -> Key | None:
    plain = _plain_type(declared)
    if plain is None:
        return None
    reader.string()  # the nonce
    public = [reader.string() for _ in range(_KEY_FIELDS[plain])]
    serial, _kind = reader.uint64(), reader.uint32()
    key_id, principals = reader.string(), WireReader(reader.string(), _WHERE)
    for _ in range(2):
        reader.uint64()  # valid after, valid before: sshd has looked
    for _ in range(3):
        reader.string()  # critical options, extensions, reserved
    return {
        "type": declared,
        "fingerprint": fingerprint(b"".join(map(string, (plain.encode(), *public)))),
        "key_id": _text(key_id),
        "serial": serial,
        "principals": _names(principals),
        "authority": fingerprint(reader.string()),
    }


def _plain_type(declared: str) -> str | None:
    """The type of the key that was certified: `sk-` keys have the vendor's name behind the version."""
    base = declared.removesuffix(_CERTIFICATE)
    names = (base, f"{base}@openssh.com") if base != declared else ()
    return next((name for name in names if name in _KEY_FIELDS), None)


def _names(packed: WireReader) -> list[str]:
    names: list[str] = []
    while packed.left and len(names) < MAX_PRINCIPALS:
        names.append(_text(packed.string()))
    return names


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")[:MAX_TEXT]


def fingerprint(blob: bytes) -> str:
    """As `ssh-keygen -l` prints it: SHA256 and base64 without padding."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"
