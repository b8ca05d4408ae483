"""The store a command works on, and the recordings named on its command line."""

import os
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from recorder.cli.settings import Settings, settings_of
from recorder.errors import SealcastError
from recorder.safe_text import safe
from recorder.store.catalog import Session, list_sessions
from recorder.store.layout import Store
from recorder.store.sealing import seal_orphans

_MAX_TARGET = 4096
_COMPLETIONS = 50


def find_store(settings: Settings) -> Store:
    """The folder of --store, else $SEALCAST_STORE, else the default one. Nothing is read or made."""
    path = settings.store or os.environ.get("SEALCAST_STORE")
    return Store(Path(path).absolute()) if path else Store.default()


def open_store(settings: Settings) -> Store:
    """The store, after sealing what a recorder that died left behind.

    A store that belongs to somebody else is read as it is: what root would write there its owner could
    not read.
    """
    store = find_store(settings)
    if store.exists() and _is_ours(store):
        _seal_left_overs(store, settings)
    return store


def _is_ours(store: Store) -> bool:
    return store.root.stat().st_uid == os.geteuid() and os.access(store.live_directory, os.W_OK)


def _seal_left_overs(store: Store, settings: Settings) -> None:
    try:
        for sealed in seal_orphans(store):
            settings.note(f"sealed {safe(sealed.session_id)}, which its recorder had left open")
    except (SealcastError, OSError) as error:
        settings.note(
            f"could not seal what was left in {safe(str(store.live_directory))}: {safe(str(error))}"
        )


class TargetType(click.ParamType[str]):
    """What names a session on a command line; completes to ids, the newest first."""

    name = "target"

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002  click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        try:
            items = [_completion(session) for session in _newest(find_store(settings_of(ctx)), incomplete)]
        except (SealcastError, OSError):
            return []
        return items or [CompletionItem(incomplete, type="file")]


def _newest(store: Store, start: str) -> list[Session]:
    """Some sessions whose ids begin so: from the index, if there is one."""
    from recorder.index.listing import current_listing  # noqa: PLC0415  only completion asks; rec starts without

    with current_listing(store) as listing:
        sessions = list_sessions(store) if listing is None else listing.newest()
        return list(islice((one for one in sessions if one.id.startswith(start)), _COMPLETIONS))


def _completion(session: Session) -> CompletionItem:
    who = safe(f"{session.user}@{session.host} {session.start:%Y-%m-%d %H:%M}", 80)
    return CompletionItem(session.id, help=who)


def expand_targets(targets: Iterable[str]) -> Iterator[str]:
    """The targets as given; `-` stands for those on stdin, one per line."""
    for target in targets:
        if target == "-":
            yield from _targets_of_stdin()
        else:
            yield target


def _targets_of_stdin() -> Iterator[str]:
    while line := sys.stdin.readline(_MAX_TARGET):
        if not line.endswith("\n") and len(line) == _MAX_TARGET:
            raise SealcastError(f"stdin has a line longer than {_MAX_TARGET} characters, not a target")
        if line.strip():
            yield line.strip()
