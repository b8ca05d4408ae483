"""One line of input at the bottom; the picture stays visible."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static


class Prompt(Horizontal):
    """A label and a field, shown while something is asked."""

    DEFAULT_CSS = """
    Prompt { height: 1; }
    Prompt > Static { width: auto; padding: 0 1; text-style: bold; }
    Prompt > Input { width: 1fr; }
    Prompt > Input > .input--cursor { text-style: reverse; }
    Prompt > Input:ansi > .input--cursor { background: ansi_default; color: ansi_default; }
    Prompt > Input:ansi > .input--placeholder { text-style: none; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.field = Input(compact=True, select_on_focus=False)
        self.field.cursor_blink = False
        self._label = Static("", markup=False)

    def compose(self) -> ComposeResult:
        """Label, field."""
        yield self._label
        yield self.field

    def ask(self, label: str, example: str, value: str = "") -> None:
        """Show the line and take the keys."""
        self.fill(label, example, value)
        self.take_keys()

    def fill(self, label: str, example: str, value: str = "") -> None:
        """Show the line; the keys stay where they are. Only the program's own words may be given here."""
        self._label.update(label)
        self.field.placeholder = example
        self.field.value = value
        self.display = True

    def take_keys(self) -> None:
        """Focus the field at once: keys that were typed meanwhile must not be commands."""
        self.screen.set_focus(self.field, scroll_visible=False)

    def close(self) -> None:
        """Hide the line again."""
        self.field.value = ""
        self.display = False
