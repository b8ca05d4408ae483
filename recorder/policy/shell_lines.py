"""`/etc/sealcast/shells`: the real shells as the login shell reads them, which has no TOML parser.

UTF-8 lines `user TAB program`, in any order; `*` stands for every other account; `#` starts a comment line.
A third field `break-glass` stands behind accounts that get in while the recorder is down.
"""

from recorder.policy.model import Policy

_COMMENT = "# Written by `sealcast install` from config.toml, table [shells]. Change it there.\n"


def shell_lines(policy: Policy) -> bytes:
    """The file for a policy."""
    users = sorted({*policy.shells.users, *policy.break_glass.users})
    lines = [f"{user}\t{policy.shell_for(user)}{_mark(policy, user)}\n" for user in users]
    return "".join([_COMMENT, f"*\t{policy.shells.default}\n", *lines]).encode()


def _mark(policy: Policy, user: str) -> str:
    return "\tbreak-glass" if policy.is_break_glass(user) else ""
