"""What was typed before the terminal was raw: it reaches the shell once, and was shown once.

The terminal's own line discipline has echoed it and taken its lines apart by then: type-ahead at a login, or
a script that `ssh -tt` sends at once. Handed on like other input, it would be echoed a second time by the
session's pty, and an end of file would arrive as the NUL by which the kernel marks it (n_tty.c,
__DISABLED_CHAR).
"""

import fcntl
import os
import select
import struct
import termios
import time

from recorder.capture.keystrokes import Keystrokes
from recorder.capture.recording import Recording
from recorder.capture.terminal import Modes, echo_state
from recorder.cast import events

MAX_TYPED = 4096
"""What a line discipline holds (N_TTY_BUF_SIZE)."""
_LFLAG, _CONTROL = 3, 6
_SECONDS = 1.0
"""How long the kernel may take to bring the bytes to the session's line discipline."""


def read_typed(fd: int, modes: Modes) -> bytes:
    """What waits in a terminal that was just made raw from `modes`; `fd` is non-blocking."""
    try:
        return typed_bytes(os.read(fd, MAX_TYPED), modes)
    except OSError:
        return b""


def typed_bytes(held: bytes, modes: Modes) -> bytes:
    """The keys behind what a line discipline with these modes held."""
    return held.replace(b"\0", _end_of_file(modes)) if _local(modes) & termios.ICANON else held


def echo_of(typed: bytes, modes: Modes) -> bytes:
    """What the line discipline has shown of these keys (ECHOCTL: control characters as ^X)."""
    if not _local(modes) & termios.ECHO:
        return b""
    end = _end_of_file(modes) if _local(modes) & termios.ICANON else b""
    shown = bytearray()
    for byte in typed:
        if byte == 0x0A:
            shown += b"\r\n"
        elif byte == 0x09 or 0x20 <= byte != 0x7F:
            shown.append(byte)
        elif bytes([byte]) != end:
            shown += b"^" + bytes([byte ^ 0x40])
    return bytes(shown)


def hand_on(typed: bytes, pty: tuple[int, int], recording: Recording, modes: Modes) -> None:
    """Give `typed` to the session's pty (master and slave) without an echo, and record the echo there was."""
    if not typed:
        return
    master, slave = pty
    for key in Keystrokes().feed(typed):
        recording.event(events.KEY, f"{key} {echo_state(slave)}")
    shown = echo_of(typed, modes)
    if shown:
        recording.output(shown)
    quiet = list(modes)
    quiet[_LFLAG] = _local(modes) & ~(termios.ECHO | termios.ECHONL)
    termios.tcsetattr(slave, termios.TCSANOW, quiet)
    os.write(master, typed)
    _await_input(slave, _readable(typed, modes))
    termios.tcsetattr(slave, termios.TCSANOW, modes)


def _readable(typed: bytes, modes: Modes) -> int:
    """How many bytes a reader of the slave can then have: whole lines where it is canonical."""
    if not _local(modes) & termios.ICANON:
        return len(typed)
    end = _end_of_file(modes)
    lines = typed[: max(typed.rfind(b"\n"), typed.rfind(end)) + 1]
    return len(lines.replace(end, b""))


def _await_input(slave: int, expected: int) -> None:
    """The kernel moves the bytes in the background; a poll that finds none waits for that (n_tty_poll)."""
    waiter = select.poll()
    waiter.register(slave, select.POLLIN)
    deadline = time.monotonic() + _SECONDS
    waiter.poll(0)
    while _waiting(slave) < expected and time.monotonic() < deadline:
        time.sleep(0.0005)


def _waiting(slave: int) -> int:
    (count,) = struct.unpack("i", fcntl.ioctl(slave, termios.FIONREAD, bytes(4)))
    return int(count)


def _local(modes: Modes) -> int:
    value = modes[_LFLAG]
    return value if isinstance(value, int) else 0


def _end_of_file(modes: Modes) -> bytes:
    control = modes[_CONTROL]
    character = control[termios.VEOF] if isinstance(control, list) else b"\x04"
    return character if isinstance(character, bytes) else bytes([character])
