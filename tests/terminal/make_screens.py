"""Writes the golden screens, what tmux shows of each capture: `python -m tests.terminal.make_screens`.

The engine under test takes no part in it, except that it tells where no control sequence is half received.
"""

import sys
import tempfile
from pathlib import Path

from tests.terminal.captures import GOLDEN, NAMES, checkpoints, load
from tests.terminal.pictures import encode
from tests.terminal.tmux import Tmux, pictures_of

SCREENS_PER_CAPTURE = 4


def main() -> None:
    """Make the screens of the captures named on the command line, or of all."""
    with tempfile.TemporaryDirectory() as directory, Tmux(Path(directory)) as server:
        for name in sys.argv[1:] or NAMES:
            capture = load(name)
            points = checkpoints(capture, SCREENS_PER_CAPTURE)
            text = encode(list(pictures_of(server, capture, points)))
            (GOLDEN / f"{name}.screens").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
