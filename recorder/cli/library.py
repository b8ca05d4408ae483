"""Opening the TUI. It is started by name: nothing in `recorder` knows it."""

import importlib
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from recorder.cli.pages import QueryVerb
from recorder.cli.settings import Settings, settings_of
from recorder.cli.stores import open_store
from recorder.errors import SealcastError
from recorder.index.query import parse
from recorder.store.layout import Store
from recorder.store.targets import Target


@click.command(
    cls=QueryVerb, hidden=True, examples=[("sealcast user:alice -title:test", "the library with a filter")]
)
@click.argument("query", nargs=-1)
@click.pass_context
def library(context: click.Context, query: Sequence[str]) -> int:
    """Open the library."""
    settings = settings_of(context)
    text = " ".join(query)
    parse(text, zone=settings.zone)
    require_terminal("sealcast ls")
    return start_tui("run_library", settings, open_store(settings), query=text or None, demo=_make_demo)


def _make_demo(said: Callable[[str], None]) -> tuple[Store, Target]:
    """What the library plays for those who have no session yet."""
    from recorder.cli.demo import demo_session  # noqa: PLC0415  that module starts the TUI through this one

    return demo_session(said)


def require_terminal(instead: str) -> None:
    """The TUI reads keys from stdin and draws on stderr."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SealcastError("this needs a terminal", f"without one: {instead}")


def start_tui(name: str, settings: Settings, *arguments: object, **options: object) -> int:
    """Runs `tui.app.<name>`; answers its exit code."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        module = importlib.import_module("tui.app")
    except ModuleNotFoundError as error:
        if error.name not in ("tui", "tui.app", "textual"):
            raise
        raise SealcastError(
            "the library is not installed", "sealcast ls lists sessions without it"
        ) from error
    run: Callable[..., Any] = getattr(module, name)
    return int(run(*arguments, **options, zone=settings.zone, ascii_only=settings.ascii))
