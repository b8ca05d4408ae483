"""`sealcast keys`: whose recordings verify here."""

import os
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from recorder.cli import output
from recorder.cli.pages import Verb, Verbs
from recorder.cli.settings import settings_of
from recorder.cli.stores import find_store
from recorder.errors import ExitCode
from recorder.safe_text import safe
from recorder.seal.keys import fingerprint, openssh_line
from recorder.store import trust
from recorder.store.layout import Store, no_store
from recorder.store.reading import unreadable
from recorder.store.trust import TrustedKey

SCHEMA = "sealcast.keys/1"


@click.group(cls=Verbs)
def keys() -> None:
    """List, show and trust signing keys.

    Recordings are signed by a key of their own, which the host's key vouches for. Trust a host's key once
    and everything that the host recorded can be verified here.
    """


@keys.command(
    "ls",
    cls=Verb,
    examples=[
        ("sealcast keys ls", "whose recordings verify here"),
        ("sealcast keys ls --json", "for a program"),
    ],
    codes=[ExitCode.OK, ExitCode.TARGET],
    topics=["files"],
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def list_keys(context: click.Context, as_json: bool) -> None:
    """List the trusted keys."""
    settings = settings_of(context)
    store = find_store(settings)
    trusted = _by_key(trust.read_keys(store.trusted_path))
    own = store.host_key.public if store.exists() else None
    if as_json:
        output.write_json({"schema": SCHEMA, "items": [_item(lines, own) for lines in trusted]})
        return
    if not trusted:
        settings.note(
            f"no trusted keys in {safe(str(store.trusted_path))}; add one: sealcast keys trust FILE"
        )
        return
    rows = [[safe(lines[0].name), lines[0].fingerprint, _about(lines, own)] for lines in trusted]
    output.write_lines(output.table([["HOST", "FINGERPRINT", ""], *rows]), settings)


@keys.command(
    "show",
    cls=Verb,
    examples=[
        ("sealcast keys show", "this host's key, to give to those who verify"),
        ("sealcast keys show web-03.prod", "a trusted key, by host or fingerprint"),
    ],
    codes=[ExitCode.OK, ExitCode.TARGET],
)
@click.argument("key", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def show_key(context: click.Context, key: str | None, as_json: bool) -> None:
    """Show this host's key, or a trusted one.

    KEY is a host or the start of a fingerprint. What is printed are `allowed_signers` lines as
    `ssh-keygen -Y verify` takes them; `sealcast keys trust` takes them too.
    """
    settings = settings_of(context)
    store = find_store(settings)
    if not store.exists():
        raise no_store(store.root)
    own = store.host_key
    lines = _own_lines(store) if key is None else trust.find_key(trust.read_keys(store.trusted_path), key)
    if as_json:
        output.write_json({"schema": SCHEMA, "items": [_item(lines, own.public)]})
        return
    settings.note(f"{safe(lines[0].name)}, {lines[0].fingerprint}{_mark(lines, own.public)}")
    output.write_lines((line.line() for line in lines), settings)


@keys.command(
    "trust",
    cls=Verb,
    examples=[
        ("sealcast keys trust web-03.pub", "trust what this host's key signed"),
        ("sealcast keys trust --host web-03.prod key.pub", "where the file does not name the host"),
        ("ssh web-03 sealcast keys show | sealcast keys trust -", "fetch and trust"),
    ],
    codes=[ExitCode.OK, ExitCode.USAGE, ExitCode.TARGET, ExitCode.FORMAT],
)
@click.argument("file")
@click.option("--host", metavar="NAME", help="The host the key speaks for, where the file does not say.")
@click.pass_context
def trust_key(context: click.Context, file: str, host: str | None) -> None:
    """Trust the key in a file.

    FILE is a host's host.pub, or lines of allowed_signers; `-` is stdin. Compare the fingerprint with
    what the host itself says (`sealcast keys show`) before you rely on it.
    """
    settings = settings_of(context)
    store = find_store(settings)
    offered = trust.parse_offered(_read(file), "stdin" if file == "-" else safe(file), host)
    store.prepare()
    new = trust.add_keys(store.trusted_path, offered)
    for lines in _by_key(offered):
        known = "" if any(key in new for key in lines) else "; it was trusted already"
        settings.note(f"trusting {lines[0].fingerprint} for {safe(lines[0].name)}{known}")


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(trust.MAX_FILE + 1)
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as opened:
            return opened.read(trust.MAX_FILE + 1)
    except OSError as error:
        raise unreadable(Path(file), error) from error


def _own_lines(store: Store) -> list[TrustedKey]:
    key = store.host_key
    return [TrustedKey(key.host, key.public, certifies, "", "") for certifies in (True, False)]


def _by_key(found: list[TrustedKey]) -> list[list[TrustedKey]]:
    """The lines of one key and host together, in the order of their first."""
    ordered = sorted(found, key=lambda key: (key.name, key.public))
    return [list(group) for _, group in groupby(ordered, key=lambda key: (key.name, key.public))]


def _mark(lines: list[TrustedKey], own: bytes | None) -> str:
    return ", this host" if lines[0].public == own else ""


def _about(lines: list[TrustedKey], own: bytes | None) -> str:
    vouches = "vouches for its sessions" if any(key.certifies for key in lines) else "signs for itself only"
    return f"{vouches}{_mark(lines, own)}"


def _item(lines: list[TrustedKey], own: bytes | None) -> dict[str, Any]:
    first = lines[0]
    return {
        "host": first.name,
        "fingerprint": fingerprint(first.public),
        "public_key": openssh_line(first.public),
        "certifies_sessions": any(key.certifies for key in lines),
        "signs_itself": any(not key.certifies for key in lines),
        "this_host": first.public == own,
    }
