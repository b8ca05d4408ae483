"""A login that cannot be recorded is refused with one line, whatever the reason."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recorder.capture import login

_NO_ACCOUNT = 29_999
_AS_THAT_USER = f"""
import os, sys
login = {{"__name__": "login"}}
exec(sys.stdin.read(), login)
os.setgid({_NO_ACCOUNT})
os.setuid({_NO_ACCOUNT})
sys.exit(login["main"]())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_id_without_an_account_is_refused_with_one_line() -> None:
    command = [sys.executable, "-I", "-S", "-c", _AS_THAT_USER]
    source = Path(login.__file__).read_bytes()
    done = subprocess.run(command, input=source, capture_output=True, timeout=60, check=False)
    (line,) = done.stderr.splitlines()
    assert line.startswith(b"sealcast-shell: the session cannot be recorded (KeyError:")
    assert line.endswith(b"this login is refused")
    assert (done.returncode, done.stdout) == (login.REFUSED, b"")
