"""The host's key and name: made on first use, in the log from then on, never replaced by itself."""

import os
import pwd
import re
import socket
import time
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder.errors import ExitCode, FormatError, SealcastError
from recorder.log import durable
from recorder.log.entries import Occasion, key_created
from recorder.log.journal import Log
from recorder.log.notary import Notary
from recorder.safe_text import safe
from recorder.seal.keys import (
    fingerprint,
    generate_key,
    load_private_key,
    openssh_line,
    parse_public_line,
    private_key_bytes,
    public_bytes,
)
from recorder.store import trust

PRIVATE_NAME = "host"
PUBLIC_NAME = "host.pub"
_MAX_KEY_FILE = 64 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")


class HostPublicKey(NamedTuple):
    """The 32 bytes of the host's public key, and the name it speaks for (the comment in `keys/host.pub`)."""

    public: bytes
    host: str


def prepare(root: Path) -> None:
    """Make the key, its public half, the trusted keys and the log, each unless it is there.

    Whoever is killed on the way is followed by one who finds the lock free and does the rest.
    """
    if _is_prepared(root):
        return
    with durable.locked(root / "keys" / trust.LOCK_NAME):
        key, host = _private(root)
        _write_missing(root / "keys" / PUBLIC_NAME, f"{openssh_line(public_bytes(key), host)}\n")
        _write_missing(root / "keys" / "trusted", trust.own_lines(host, public_bytes(key)))
        _start_log(root, key, HostPublicKey(public_bytes(key), host))


def read_public(root: Path) -> HostPublicKey:
    """The public key and the host's name; `SealcastError` where there is no store."""
    path = root / "keys" / PUBLIC_NAME
    line = parse_public_line(_read(path).decode("utf-8", "replace"), safe(str(path)))
    if not _NAME.fullmatch(line.comment):
        raise FormatError("the comment behind the key is not a host's name", safe(str(path)))
    return HostPublicKey(line.public, line.comment)


def read_private(root: Path) -> Ed25519PrivateKey:
    """The host key itself; `SealcastError` where `host.pub` is not its public half."""
    path = root / "keys" / PRIVATE_NAME
    key = load_private_key(_read(path), safe(str(path)))
    if public_bytes(key) != read_public(root).public:
        raise FormatError(f"not the key in {PUBLIC_NAME}", safe(str(path)))
    return key


def open_log(root: Path, host_key: HostPublicKey) -> Log:
    """The log of the host that has this key."""
    return Log(root / "log", f"{host_key.host}/log", host_key.public)


def own_name() -> str:
    """This machine's name, in the characters that a key name may have."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()).lstrip("-._")[:253]
    return name or "localhost"


def current_user() -> tuple[str, int]:
    """Name and uid of whoever runs this process."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name, uid
    except KeyError:
        return str(uid), uid


def _is_prepared(root: Path) -> bool:
    """The log's first entry is the last thing that `prepare` writes."""
    if not (root / "keys" / PRIVATE_NAME).exists() or not (root / "keys" / "trusted").exists():
        return False
    try:
        return open_log(root, read_public(root)).checkpoint().size > 0
    except SealcastError:
        return False


def _private(root: Path) -> tuple[Ed25519PrivateKey, str]:
    """The host key, made now where there has never been one, and the host's name."""
    path = root / "keys" / PRIVATE_NAME
    public_known = (root / "keys" / PUBLIC_NAME).exists()
    if path.exists():
        if public_known:
            return read_private(root), read_public(root).host
        return load_private_key(_read(path), safe(str(path))), own_name()
    if public_known or (root / "log" / "tile").exists():
        raise SealcastError(
            f"the host key {safe(str(path))} is missing, and the log here was signed with it",
            "put it back from a backup, or move the whole store away to start a new one",
            ExitCode.RECORDING,
        )
    key = generate_key()
    durable.replace_file(path, private_key_bytes(key, own_name()))
    return key, own_name()


def _start_log(root: Path, key: Ed25519PrivateKey, host_key: HostPublicKey) -> None:
    log = open_log(root, host_key)
    log.create(key)
    if log.checkpoint().size == 0:
        occasion = Occasion(host_key.host, time.time_ns() // 1_000_000, *current_user())
        Notary(log, key, host_key.host).append(key_created(occasion, fingerprint(host_key.public)))


def _write_missing(path: Path, text: str) -> None:
    if not path.exists():
        durable.replace_file(path, text.encode())


def _read(path: Path) -> bytes:
    try:
        return durable.read_file(path, _MAX_KEY_FILE)
    except FileNotFoundError:
        message = f"no store here: {safe(str(path))} is missing"
        raise SealcastError(message, "make one by recording: sealcast rec", ExitCode.TARGET) from None
    except OSError as error:
        raise durable.store_error(error, f"read {safe(str(path))}") from error
