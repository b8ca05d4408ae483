"""`/etc/sealcast/shells`: the real shells as the login shell reads them, which has no TOML parser.

UTF-8 lines `user TAB program`, in any order; `*` stands for every other account; `#` starts a comment line.
"""

from recorder.policy.model import Policy

_COMMENT = "# Written by `sealcast install` from config.toml, table [shells]. Change it there.\n"


def shell_lines(policy: Policy) -> bytes:
    """The file for a policy."""
    lines = [f"{user}\t{shell}\n" for user, shell in sorted(policy.shells.users.items())]
    return "".join([_COMMENT, f"*\t{policy.shells.default}\n", *lines]).encode()
