"""Keys that are for one command only: sshd's ForceCommand takes the place of that command."""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from recorder.host.accounts import Account
from recorder.host.evidence import Sshd
from recorder.host.machine import Host

_MAX_FILE = 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_COMMAND = re.compile(rb'^(?![ \t]*#)(?:[^\n]*,)?[ \t]*command="', re.MULTILINE | re.IGNORECASE)
_USUAL = (".ssh/authorized_keys", ".ssh/authorized_keys2")


def keys_with_commands(
    host: Host, accounts: Iterable[Account], sshds: Iterable[Sshd]
) -> dict[str, tuple[str, ...]]:
    """By user, the files that hold such keys."""
    found = {}
    known = list(sshds)
    for account in accounts:
        files = dict.fromkeys(path for sshd in known for path in _key_files(account, sshd)) or _usual(account)
        with_commands = tuple(path for path in files if _COMMAND.search(_read(host.at(path))))
        if with_commands:
            found[account.name] = with_commands
    return found


def _usual(account: Account) -> dict[str, None]:
    return dict.fromkeys(f"{account.home}/{name}" for name in _USUAL)


def _key_files(account: Account, sshd: Sshd) -> Iterable[str]:
    """As sshd_config(5), AuthorizedKeysFile: %h, %u and %U, and what is relative is in the home."""
    for settings in sshd.settings.get(account.name, ()):
        for pattern in " ".join(settings.get("authorizedkeysfile", ())).split():
            path = pattern.replace("%h", account.home).replace("%u", account.name)
            path = path.replace("%U", str(account.uid)).replace("%%", "%")
            yield path if path.startswith("/") else f"{account.home}/{path}"


def _read(path: Path) -> bytes:
    """Of a plain file; nothing of anything else that a user may have put there."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return b""
    with open(descriptor, "rb") as file:
        return file.read(_MAX_FILE) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
