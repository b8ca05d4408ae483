"""The terminal, as Textual drives it, with the size that it really has."""

import os

from textual.drivers.linux_driver import LinuxDriver


class TerminalDriver(LinuxDriver):
    """Asks the terminal that the keys come from for its size.

    Textual asks standard output, which is no terminal where answers are redirected, and rather believes
    COLUMNS and LINES, which are wrong as soon as the window changes.
    """

    def _get_terminal_size(self) -> tuple[int, int]:
        size = os.get_terminal_size(self.fileno)
        return (size.columns or 80, size.lines or 24)
