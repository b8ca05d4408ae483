"""The one privilege that the recorder may have: CAP_KILL, to end what a session leaves running.

Whoever holds it holds nothing else, and the daemon gives it up before it takes the first login.
"""

import ctypes
import os
from pathlib import Path

from recorder.errors import ExitCode, SealcastError

CAP_KILL = 5
_VERSION_3 = 0x20080522
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT, _CLEAR_ALL = 47, 4
_SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")


class _Header(ctypes.Structure):
    """cap_user_header_t; pid 0 is the caller."""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    """cap_user_data_t: one half of each set."""

    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def may_kill() -> bool:
    """Whether this process may signal those of others, now."""
    return bool(_held()["CapEff"] >> CAP_KILL & 1)


def keep_across_setuid() -> None:
    """Let the permitted capabilities outlast the change of the uid that follows."""
    _check(_libc().prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))


def keep_only_kill() -> bool:
    """Give up every capability but CAP_KILL, for good; False, with none left, where that was not held."""
    had = bool(_held()["CapPrm"] >> CAP_KILL & 1)
    _hold(1 << CAP_KILL if had else 0)
    return had


def give_up_all() -> None:
    """Hold no capability any more, and none to pass on."""
    _hold(0)


def _hold(wanted: int) -> None:
    """Exactly these, and prove it by what the kernel says."""
    libc = _libc()
    _check(libc.prctl(_PR_SET_KEEPCAPS, 0, 0, 0, 0))
    _check(libc.prctl(_PR_CAP_AMBIENT, _CLEAR_ALL, 0, 0, 0))
    data = (_Data * 2)(_Data(wanted, wanted, 0), _Data(0, 0, 0))
    _check(libc.capset(ctypes.byref(_Header(_VERSION_3, 0)), data))
    if _held() != {"CapInh": 0, "CapPrm": wanted, "CapEff": wanted, "CapAmb": 0}:
        raise SealcastError("capabilities could not be given up", code=ExitCode.RECORDING)


def _held() -> dict[str, int]:
    lines = (line.partition(":") for line in Path("/proc/self/status").read_text().splitlines())
    return {name: int(value, 16) for name, _, value in lines if name in _SETS}


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(answer: int) -> None:
    if answer:
        reason = os.strerror(ctypes.get_errno()).lower()
        raise SealcastError(f"capabilities cannot be changed: {reason}", code=ExitCode.RECORDING)
