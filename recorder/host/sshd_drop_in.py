"""sshd's settings for covered accounts: what the drop-in says, and what doctor wants to see."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recorder.host.places import SHELL, SSHD_DROP_IN
from recorder.policy.model import CoverPolicy

ENVIRONMENT = (
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_ADDRESS",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_IDENTIFICATION",
    "LC_MEASUREMENT",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NAME",
    "LC_NUMERIC",
    "LC_PAPER",
    "LC_TELEPHONE",
    "LC_TIME",
    "COLORTERM",
)
"""What a client may set: locales and colours, nothing that a loader, a shell or a program acts on."""
INCLUDE = f"Include {SSHD_DROP_IN}"
_INCLUDE = re.compile(r"\s*Include[\s=].*sshd_config\.d/\*\.conf", re.IGNORECASE)
_BEFORE_US = re.compile(r"\s*(Match|Include|PermitUserEnvironment)[\s=]", re.IGNORECASE)
_SEPARATING = re.compile(r"[ \\]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A setting of sshd for covered accounts, and what goes wrong without it."""

    keyword: str
    value: str
    without: str


WANTED: tuple[Wanted, ...] = (
    Wanted("ForceCommand", SHELL, "the client's command runs instead of the recorder"),
    Wanted("ExposeAuthInfo", "yes", "recordings do not say which key was used"),
    Wanted("DisableForwarding", "yes", "forwardings pass by the recorder"),
    Wanted("AllowTcpForwarding", "no", "ssh -L, -R, -D, -W and -J pass by the recorder"),
    Wanted("AllowStreamLocalForwarding", "no", "forwarded Unix sockets pass by the recorder"),
    Wanted("AllowAgentForwarding", "no", "a forwarded agent opens other hosts past the recorder"),
    Wanted("X11Forwarding", "no", "windows forwarded by X11 are not recorded"),
    Wanted("PermitTunnel", "no", "ssh -w passes by the recorder"),
    Wanted("GatewayPorts", "no", "forwarded ports are open to other hosts"),
    Wanted("PermitUserRC", "no", "~/.ssh/rc runs before the recorder"),
)
"""In the order of the drop-in; all may stand in a Match block."""
GLOBAL = Wanted("PermitUserEnvironment", "no", "~/.ssh/environment acts before the recorder")
"""sshd takes this one outside of Match blocks only."""


def drop_in(cover: CoverPolicy) -> str:
    """The text of the drop-in. In sshd_config the first Match block that sets a keyword wins."""
    parts = [
        "# Written by `sealcast install`; changes here are lost.\n",
        f"{GLOBAL.keyword} {GLOBAL.value}\n",
    ]
    settings = [f"    {wanted.keyword} {wanted.value}\n" for wanted in WANTED]
    settings.append(f"    AcceptEnv {' '.join(ENVIRONMENT)}\n")
    for criterion, names in (("User", cover.users), ("Group", cover.groups)):
        if names:
            parts += [f"\nMatch {criterion} {','.join(map(_pattern, names))}\n", *settings]
    return "".join(parts)


def _pattern(name: str) -> str:
    """sshd's versions differ in how they read a space or a backslash: any one character stands for it."""
    return _SEPARATING.sub("?", name)


def needs_include(config: str, drop_ins: Iterable[str]) -> bool:
    """Whether ours must be included by a line of its own: it is not read, or something before it wins.

    Not all of the drop-ins: those that lie there unread would come into force.
    """
    for line in config.splitlines():
        if _INCLUDE.match(line):
            return any(name < SSHD_DROP_IN.rpartition("/")[2] for name in drop_ins)
        if _BEFORE_US.match(line):
            return True
    return True


def forbidden_environment(patterns: Sequence[str]) -> list[str]:
    """The AcceptEnv patterns that let more than locales and colours through."""
    harmless = {*ENVIRONMENT, "LC_*"}
    return [pattern for pattern in patterns if pattern not in harmless]
