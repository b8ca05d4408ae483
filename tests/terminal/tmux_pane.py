"""Runs inside a tmux pane: writes what it is told to the terminal, and says when tmux has carried it out.

Standard library only. Protocol on a Unix socket: 4 bytes of length and the output; the answer is one byte,
sent when tmux has answered a cursor position request that follows the output.
"""

import os
import re
import socket
import sys
import tty


def read_exactly(connection: socket.socket, count: int) -> bytes:
    """`count` bytes, or fewer at the end."""
    data = b""
    while len(data) < count and (piece := connection.recv(count - len(data))):
        data += piece
    return data


def write_all(data: bytes) -> None:
    """Write everything to the terminal."""
    while data:
        data = data[os.write(1, data) :]


def wait_for_report() -> None:
    """Read the terminal's answers up to a cursor position report."""
    answers = b""
    while not re.search(rb"\x1b\[\d+;\d+R", answers):
        answers += os.read(0, 4096)


def main() -> None:
    """Serve one connection."""
    tty.setraw(0)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(sys.argv[1])
        connection.sendall(b".")
        while head := read_exactly(connection, 4):
            write_all(read_exactly(connection, int.from_bytes(head, "big")) + b"\x1b[6n")
            wait_for_report()
            connection.sendall(b".")


if __name__ == "__main__":
    main()
