"""Where live sessions are looked for: the recorder of this host, or a store of one's own."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from recorder.cli.settings import Settings
from recorder.cli.stores import find_store
from recorder.daemon.live import live_sessions
from recorder.errors import SealcastError
from recorder.policy.loading import CONFIG, load_policy
from recorder.policy.model import Policy
from recorder.store.layout import Store

_Command = TypeVar("_Command", bound=Callable[..., Any])


def socket_option(command: _Command) -> _Command:
    """`--socket`, for a recorder that is not where the policy says."""
    option = click.option(
        "--socket",
        "socket",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="Where the recorder listens (the policy's daemon.socket).",
    )
    return option(command)


def recorder_socket(settings: Settings, socket: Path | None) -> Path | None:
    """The socket of this host's recorder; None where there is none, or a store is named."""
    if socket is not None:
        return socket
    if settings.store or os.environ.get("SEALCAST_STORE"):
        return None
    try:
        policy = load_policy(CONFIG)
    except SealcastError:
        policy = Policy()
    return policy.daemon.socket if policy.daemon.socket.exists() else None


def own_store(settings: Settings) -> Store:
    return find_store(settings)


def own_sessions(store: Store) -> list[dict[str, Any]]:
    """The live sessions of a store; a session is idle as long as nothing was recorded of it."""
    found = list(live_sessions(store)) if store.exists() else []
    for facts in found:
        if facts["idle_s"] is None:
            facts["idle_s"] = _seconds_since(store.live_path(facts["id"]))
    return found


def _seconds_since(path: Path) -> float | None:
    try:
        return round(max(0.0, time.time() - path.stat().st_mtime), 3)
    except OSError:
        return None
