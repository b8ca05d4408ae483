"""A person at a bash prompt, as the steps of a recording: prompts, keys, echo and output at set times."""

from recorder.cast.events import KEY, OUTPUT, RESIZE
from scripts.fixture_stores.studio import Step

_ON, _OFF = "\x1b[?2004h", "\x1b[?2004l"
_KEY_S = 0.08
_CRLF = "\r\n"


def prompt_marks(secret: str, status: int | None, directory: str) -> str:
    """What a shell with this program's hooks reports before a prompt; the first one knows of no status."""
    ended = "" if status is None else status
    marks = (f"D;{ended}", f"P;Cwd={_escaped(directory)}", "A")
    return "".join(f"\x1b]633;{mark};{secret}\x07" for mark in marks)


def start_marks(secret: str, command: str) -> str:
    """What it reports before a command's output."""
    return f"\x1b]633;E;{_escaped(command)};{secret}\x07\x1b]633;C;{secret}\x07"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\x3b")


class Shell:
    """Collects steps. All times are seconds since the start, and never go back.

    `secret` is that of a shell with this program's hooks; None: it reports nothing.
    """

    def __init__(self, prompt: str, secret: str | None = None, directory: str = "~") -> None:
        self.steps: list[Step] = []
        self.prompt = prompt
        self.directory = directory
        self.now = 0.4
        self._secret = secret
        self.ask(None)

    def ask(self, status: int | None = 0) -> None:
        """The prompt, from a shell whose editor is switched on; `status` is the last command's."""
        if self._secret is not None:
            self.show(prompt_marks(self._secret, status, self.directory), self.now + 0.002)
        self.show(f"{_ON}{self.prompt}", self.now + 0.004)

    def show(self, text: str, at: float | None = None) -> None:
        """Output, with plain line feeds for line ends."""
        self.now = self.now if at is None else max(self.now, at)
        self.steps.append((self.now, OUTPUT, text.replace("\n", _CRLF)))

    def key(self, name: str, modes: str, at: float) -> None:
        """A key that is recorded."""
        self.now = max(self.now, at)
        self.steps.append((self.now, KEY, f"{name} {modes}"))

    def resize(self, columns: int, rows: int, at: float) -> None:
        """The window has another size."""
        self.now = max(self.now, at)
        self.steps.append((self.now, RESIZE, f"{columns}x{rows}"))

    def type(self, text: str, done: float) -> None:
        """Echoed key by key, the last one shortly before `done`."""
        first = max(self.now + 0.03, done - _KEY_S * (len(text) + 1))
        pace = (done - first) / (len(text) + 1)
        for number, letter in enumerate(text):
            self.show(letter, first + number * pace)

    def change_mind(self, text: str, done: float) -> None:
        """Typed, and taken back."""
        self.type(text, done - _KEY_S * (len(text) + 2))
        for number in range(len(text), 0, -1):
            self.show("\b\x1b[K", done - _KEY_S * (number - 1))

    def enter(self, command: str, at: float) -> None:
        """The line is typed and accepted, and runs."""
        self.type(command, at)
        self.key("enter", "noecho raw", at)
        self.show(f"\r\n{_OFF}\r", at + 0.001)
        if self._secret is not None:
            self.show(start_marks(self._secret, command), at + 0.002)

    def run(self, command: str, at: float, output: str = "", takes: float = 0.1, status: int = 0) -> None:
        """A command entered at that time, its output after a while, and the next prompt."""
        self.enter(command, at)
        if output:
            self.show(output, at + takes)
        self.now = max(self.now, at + takes)
        self.ask(status)

    def answer(self, at: float) -> None:
        """A secret: nothing is echoed."""
        self.key("enter", "noecho canonical", at)
        self.show("\n", at + 0.001)

    def leave(self, at: float) -> None:
        """Ctrl-D at the prompt."""
        self.key("ctrl-d", "noecho raw", at)
        self.show(f"{_OFF}\rlogout\n", at + 0.001)
