"""`sealcast-shell`: the login shell of covered accounts."""

import sys

from recorder.errors import ExitCode


def main() -> int:
    """Refuse the login: without a recorder to hand the terminal to, nothing may run unrecorded."""
    sys.stderr.write(
        "sealcast-shell: no recorder runs on this host, so this login is refused\n"
        "sealcast-shell: the daemon for bastions is not part of this release; record with: sealcast rec\n"
    )
    return ExitCode.RECORDING
