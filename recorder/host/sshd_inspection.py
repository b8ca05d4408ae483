"""Asking sshd what it would do: `sshd -T -C` for each configuration in use and each covered account."""

import ipaddress
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from recorder.host import places
from recorder.host.evidence import Process, Settings, Sshd
from recorder.host.machine import Host, system_environment
from recorder.host.processes import Listener, listener
from recorder.safe_text import safe

_ADDRESSES = ("127.0.0.1", "192.0.2.1")
"""This host, and one from elsewhere (RFC 5737)."""
_MATCH_ADDRESS = re.compile(r"^\s*Match\s.*?\b(?:Local)?Address\s+(\S+)", re.IGNORECASE | re.MULTILINE)
_MOST_ADDRESSES = 8
_SSHD = ("/usr/sbin/sshd", "/usr/local/sbin/sshd")


def inspect_sshds(
    host: Host, users: list[str], processes: Iterable[Process], *, awaited: bool = False
) -> tuple[Sshd, ...]:
    """The system's own configuration, and that of every other sshd that is listening.

    The first counts as running, too, where it is `awaited`: started when somebody connects.
    """
    if not any(host.at(path).exists() or Path(path).exists() for path in _SSHD):
        return ()
    running = {found for process in processes if (found := listener(process)) is not None}
    if awaited:
        running.add(Listener())
    listeners = dict.fromkeys((Listener(), *sorted(running)))
    inspected = (_inspect(host, one, one in running, users) for one in listeners)
    return tuple(sshd for sshd in inspected if sshd is not None)


def _inspect(host: Host, one: Listener, running: bool, users: list[str]) -> Sshd | None:
    path, name = host.at(one.config), str(one)
    if not path.exists():
        return Sshd(name, running, problem="the file is missing") if running else None
    addresses = addresses_to_try(_all_text(path))
    settings: dict[str, tuple[Settings, ...]] = {}
    for user in users:
        tried = []
        for address in addresses:
            text, problem = _ask(path, one.options, user, address)
            if problem:
                return Sshd(name, running, problem=problem)
            tried.append(parse_settings(text))
            if "forcecommand" not in tried[-1]:  # every sshd has one: what else would be missed?
                return Sshd(name, running, problem="what it prints names no ForceCommand")
        settings[user] = tuple(tried)
    return Sshd(name, running, settings)


def forced_commands(host: Host, users: list[str]) -> dict[str, str]:
    """By user, where a command of another's is forced on them; what sshd itself refuses is said elsewhere."""
    found = {}
    for sshd in inspect_sshds(host, users, ()):
        for user, tried in sshd.settings.items():
            commands = {line for settings in tried for line in settings.get("forcecommand", ())}
            others = sorted(commands - {"none", places.SHELL})
            if others:
                found[user] = others[0]
    return found


def addresses_to_try(text: str) -> list[str]:
    """Two that stand for all, and one out of each network that a Match block names."""
    found = dict.fromkeys(_ADDRESSES)
    for names in _MATCH_ADDRESS.findall(text):
        for name in names.split(","):
            try:
                network = ipaddress.ip_network(name.lstrip("!"), strict=False)
            except ValueError:
                continue  # a pattern such as 10.*
            found[str(network.network_address + (network.num_addresses > 1))] = None
    return list(found)[:_MOST_ADDRESSES]


def _all_text(path: Path) -> str:
    """Of the configuration and of the drop-ins beside it."""
    parts = [path, *sorted(path.parent.glob("sshd_config.d/*.conf"))]
    return "\n".join(part.read_text(errors="replace") for part in parts if part.is_file())


def _ask(path: Path, options: Iterable[str], user: str, address: str) -> tuple[str, str]:
    """What sshd prints, or what it complains of."""
    os.makedirs("/run/sshd", 0o755, exist_ok=True)  # it will not even test without it
    given = [word for option in options for word in ("-o", option)]
    connection = f"user={user},host={address},addr={address},laddr=127.0.0.1,lport=22"
    try:
        done = subprocess.run(  # noqa: S603  arguments, no shell; sshd itself parses the names
            ["sshd", "-T", "-f", str(path), *given, "-C", connection],  # noqa: S607  the PATH is ours
            capture_output=True,
            text=True,
            errors="replace",
            env=system_environment(),
            check=False,
            timeout=30,
        )
    except OSError as error:
        return "", (error.strerror or str(error)).lower()
    if done.returncode:
        return "", safe(done.stderr.strip().replace("\n", "; "), 300) or f"status {done.returncode}"
    return done.stdout, ""


def parse_settings(text: str) -> Settings:
    """The lines of `sshd -T`: a keyword, a space, a value. Keywords have capitals from OpenSSH 10.6 on."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        found[keyword.lower()].append(value)
    return {keyword: tuple(values) for keyword, values in found.items()}
