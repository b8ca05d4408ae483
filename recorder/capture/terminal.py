"""What the recorder does to a terminal: its size, its modes, and a descriptor of its own for it."""

import fcntl
import os
import struct
import termios

from recorder.errors import ExitCode, SealcastError

Modes = list[int | list[bytes | int]]

_WINSIZE = struct.Struct("HHHH")  # rows, columns, and two pixel sizes: tty_ioctl(2)
_LFLAG = 3


def window_size(fd: int) -> tuple[int, int]:
    """Columns and rows as the kernel says, 0×0 included."""
    packed = fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(_WINSIZE.size))
    rows, columns, _, _ = _WINSIZE.unpack(packed)
    return columns, rows


def copy_window_size(source: int, target: int) -> tuple[int, int]:
    """Give `target` the size of `source`, pixels included; returns columns and rows."""
    packed = fcntl.ioctl(source, termios.TIOCGWINSZ, bytes(_WINSIZE.size))
    fcntl.ioctl(target, termios.TIOCSWINSZ, packed)
    rows, columns, _, _ = _WINSIZE.unpack(packed)
    return columns, rows


def player_size(columns: int, rows: int) -> tuple[int, int]:
    """The size a player can use: a dimension of 0 means unknown, and 80×24 stands for it."""
    return (columns, rows) if columns and rows else (80, 24)


def set_raw(fd: int, modes: Modes) -> None:
    """Put the terminal in raw mode, derived from `modes`: every byte passes, nothing is echoed or signals."""
    raw = list(modes)
    raw[0] = 0
    raw[1] = _flags(modes, 1) & ~termios.OPOST
    raw[2] = (_flags(modes, 2) & ~(termios.CSIZE | termios.PARENB)) | termios.CS8
    raw[_LFLAG] = 0
    control = list(modes[6]) if isinstance(modes[6], list) else []
    control[termios.VMIN], control[termios.VTIME] = 1, 0
    raw[6] = control
    termios.tcsetattr(fd, termios.TCSANOW, raw)


def _flags(modes: Modes, index: int) -> int:
    value = modes[index]
    return value if isinstance(value, int) else 0


def echo_state(fd: int) -> str:
    """`echo` or `noecho`, and `canonical` or `raw`, as the pty's line discipline stands now."""
    try:
        lflag = _flags(termios.tcgetattr(fd), _LFLAG)
    except termios.error:
        lflag = 0
    echo = "echo" if lflag & termios.ECHO else "noecho"
    return f"{echo} {'canonical' if lflag & termios.ICANON else 'raw'}"


def open_own(fd: int) -> int:
    """A non-blocking descriptor of our own for the terminal behind `fd`.

    O_NONBLOCK belongs to the open file, and the one behind `fd` is shared with the user's outer shell,
    so the terminal is opened again. Its name may belong to another user (after su): /dev/tty does then.
    """
    flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
    for path in (os.ttyname(fd), "/dev/tty"):
        try:
            return os.open(path, flags)
        except OSError:
            continue
    raise SealcastError(
        f"cannot open the terminal {os.ttyname(fd)} a second time",
        "log in as the terminal's owner, or run the command inside tmux",
        ExitCode.RECORDING,
    )
