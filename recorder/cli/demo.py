"""`sealcast demo`: a session to look around in, in a store of its own."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from recorder.cli.library import require_terminal, start_tui
from recorder.cli.pages import Verb
from recorder.cli.play import play_plain
from recorder.cli.settings import settings_of
from recorder.errors import ExitCode, SealcastError
from recorder.store.catalog import list_sessions
from recorder.store.layout import Store
from recorder.store.targets import Target

_SCRIPT = Path(__file__).with_name("demo_session.py")


@click.command(
    cls=Verb,
    examples=[
        ("sealcast demo", "look at a session that is there for this"),
        ("sealcast demo --plain", "in this terminal, with asciinema"),
    ],
    codes=[ExitCode.OK, ExitCode.USAGE, ExitCode.RECORDING],
    topics=["keys"],
)
@click.option("--plain", is_flag=True, help="In this terminal, through the asciinema player.")
@click.pass_context
def demo(context: click.Context, *, plain: bool) -> int:
    """Play the built-in session.

    A short session with a failed command, an editor, a pause and a change of size. It is recorded by the real
    recorder when it is first asked for, signed with a key made for it, and kept in the cache folder.
    """
    settings = settings_of(context)
    if not plain:
        require_terminal("sealcast demo --plain")
    store, target = demo_session(settings.note)
    if plain:
        return play_plain(target)
    return start_tui("run_player", settings, store, target, paused=True, demo=True)


def demo_session(said: Callable[[str], None]) -> tuple[Store, Target]:
    """The demo's own store and the session in it; recorded first where it is not there yet."""
    folder = _cache_folder() / f"demo-{_script_version()}"
    if not folder.is_dir():
        _record(folder, said)
    store = Store(folder)
    sessions = list_sessions(store)
    if not sessions:
        raise SealcastError("the demo session is damaged", f"remove {folder} and try again", ExitCode.FORMAT)
    return store, Target(sessions[0].path, sessions[0])


def _cache_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if cache.startswith("/") else Path.home() / ".cache") / "sealcast"


def _script_version() -> str:
    """A changed script is recorded anew."""
    return hashlib.sha256(_SCRIPT.read_bytes()).hexdigest()[:12]


def _record(folder: Path, said: Callable[[str], None]) -> None:
    """Under another name until it is whole; of two that do this at once, one is kept."""
    from recorder.cli.demo_session import record_demo  # noqa: PLC0415  pexpect is for the first time only

    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix="demo-", dir=folder.parent, ignore_cleanup_errors=True
    ) as temporary:
        home, made = Path(temporary, "home"), Path(temporary, "store")
        home.mkdir()
        record_demo(made, home, said)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
            shutil.rmtree(made)
