"""tlog-rec does not record where /run/utmp is missing, as in containers: give it one nobody else sees."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

_UTMP = "/run/utmp"
_INSIDE = "SEALCAST_BENCH_MOUNTS"
_SETUP = (
    "mount -t tmpfs -o mode=755 tmpfs /run && : >/run/utmp && chgrp utmp /run/utmp && chmod 664 /run/utmp && "
    'exec "$@"'
)


def is_missing() -> bool:
    """Whether logins are not kept here."""
    return not os.path.exists(_UTMP)


def enter_private_run(argv: Sequence[str]) -> None:
    """Start this benchmark anew in mounts of its own with an empty utmp; returns where that cannot be."""
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0 or _INSIDE in os.environ:
        return
    prefix = [unshare, "--mount", "sh", "-c", _SETUP, "sh"]
    trial = subprocess.run([*prefix, "true"], capture_output=True, timeout=10, check=False)  # noqa: S603 -- fixed words
    if trial.returncode:
        return
    os.environ[_INSIDE] = "1"
    os.execv(unshare, [*prefix, sys.executable, "-P", "-m", "scripts.benchmarks", *argv])  # noqa: S606 -- itself
