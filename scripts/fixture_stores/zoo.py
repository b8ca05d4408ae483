"""The store `zoo`: one session of each kind that makes trouble."""

import math
import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from recorder.capture.recording import Recording
from recorder.cast.events import OUTPUT
from recorder.cast.v2 import encode_header
from recorder.errors import SealcastError
from recorder.log.entries import Occasion
from recorder.log.notary import SessionRequest
from recorder.seal import certificate
from recorder.seal.keys import generate_key, public_bytes
from recorder.seal.sealer import Sealer
from recorder.store.compression import compressed
from recorder.store.import_sources import find_sources
from recorder.store.importing import importing
from recorder.store.layout import Store
from recorder.store.opening import recording_header
from recorder.store.reading import open_stored
from recorder.store.sealing import seal
from scripts.fixture_stores.clock import NOW_MS
from scripts.fixture_stores.shell import Shell
from scripts.fixture_stores.studio import Step, Studio, Take

HOST = "web-01.prod"
STRANGER = "db-main.prod"
ELSEWHERE = "elsewhere"
"""Beside the store's own directories: files that are not in it."""

BAD, BAD_FROM_S = "7c00e1d5", 1212.0
TRUNCATED, TRUNCATED_AT_S = "c4de0912", 723.0
UNSIGNED = "phzt4kb6"
"""The imported one: its id comes from its content."""
UNKNOWN = "0ff5h0re"
MISSING = "90ne90ne"
NO_COMMANDS = "n0c0mmnd"
LARGE = "1arge212"
HOSTILE = "h0st11e0"
LONG, LONG_S = "10h00r10", 36_000.0
LIVE = "11ve11ve"

_FIRST_MS = int(datetime(2026, 9, 8, 22, 14, tzinfo=UTC).timestamp() * 1000)
_HOUR_MS = 3_600_000
_ENV = {"TERM": "xterm-256color", "SHELL": "/bin/bash"}
_PROMPT = "{}@web-01:~$ "
_LIVE_STEP_S = 0.5

_HOSTILE_OUTPUT = (
    "\x1b]0;pwned title\x07",
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1b]8;;http://evil.example/\x07a link\x1b]8;;\x07\n",
    "\x1bP$qm\x1b\\\x1b_Gf=24;AAAA\x1b\\\x1b^privacy\x1b\\\n",
    "\x9b31mC1 red\x9d0;C1 title\x9c\n",
    "\x1b[6n\x1b[c\x1b[>c\x1b]10;?\x07\x1b]4;1;?\x07\x1b[18t\x1b[21t",
    "[@click=app.quit]click me[/] [bold red]markup[/]\n",
    "\x1b[?1049h\x1b[?1000h\x1b[?25l\x1b[2J\x1b[1;1Hstuck on the alternate screen",
    "\x1b[?1049l\x1b[999999999;999999999H\x1b[999999999@\x1b[999999999b\x1b[1;1H",
    "e" + "\u0301" * 400 + "\n",
    "\u202egnp.exe\u202c \u200b\u2066isolate\u2069 \ufeff\n",
    "\udcff\udcfe raw bytes \udc80\n",
    "x" * 20_000 + "\n",
    "\x00\x01\x02\x07\x07\x07\x7f\n",
    "\x1b[38;5;999m\x1b[38;2;1;2m\x1b[m\x1b(0lqqk\x1b(B\x0e\x0f\n",
)


def build(root: Path) -> None:
    """Everything but the live session, which needs somebody who records it: see `go_live`."""
    studio = Studio(root, HOST)
    studio.record(*(make() for make in (_bad, _truncated, _missing, _no_commands, _large, _hostile, _long)))
    _tamper(studio.store, BAD)
    _path_of(studio.store, MISSING).unlink()
    _import_old(studio.store)
    _bring_stranger(root)


def _request(user: str, size: tuple[int, int] = (80, 24)) -> SessionRequest:
    source = {"ip": "10.9.1.23", "port": 50_022}
    return SessionRequest(user, 1000 + len(user), "sshd", size, source=source, env=_ENV)


def _chatter(until_s: float, every_s: float) -> list[Step]:
    """Output at even times, all of it different."""
    count = math.floor(until_s / every_s)
    return [(number * every_s, OUTPUT, f"line {number} of a long job\r\n") for number in range(1, count + 1)]


def _bad() -> Take:
    """41m10s, of which everything from 20:12 on will be changed."""
    shell = Shell(_PROMPT.format("mallory"))
    shell.run("tail -f /var/log/auth.log", 4.0, "waiting\n")
    steps = shell.steps + [(8.0 + number * 4, OUTPUT, f"sshd: entry {number}\r\n") for number in range(610)]
    return Take(BAD, _FIRST_MS, _request("mallory"), steps, 2470.0)


def _truncated() -> Take:
    """Its recorder was killed at 12:03."""
    shell = Shell(_PROMPT.format("bob"))
    shell.run("make -j8 all", 5.0, "building\n")
    steps = [*shell.steps, *(step for step in _chatter(TRUNCATED_AT_S, 3.0) if step[0] > shell.now)]
    killed_s = TRUNCATED_AT_S + 1.5
    return Take(TRUNCATED, _FIRST_MS + 20 * _HOUR_MS, _request("bob"), steps, killed_s, None, closed=False)


def _missing() -> Take:
    shell = Shell(_PROMPT.format("carol"))
    shell.run("rm evidence.txt", 3.0)
    return Take(MISSING, _FIRST_MS + 24 * _HOUR_MS, _request("carol"), shell.steps, 6.0)


def _no_commands() -> Take:
    """A program that was run without a shell."""
    steps = _chatter(90.0, 1.5)
    request = replace(_request("svc-backup"), command="/usr/local/bin/backup --nightly")
    return Take(NO_COMMANDS, _FIRST_MS + 30 * _HOUR_MS, request, steps, 95.0)


def _large() -> Take:
    """212 columns by 58 rows, then a smaller window, then a larger one."""
    shell = Shell(_PROMPT.format("alice"))
    wide = "".join(f"{row:3} {'wide ' * 41}\n" for row in range(50))
    shell.run("ps auxww", 3.0, wide)
    shell.resize(100, 30, 20.0)
    shell.run("ps auxww", 24.0, wide)
    shell.resize(212, 58, 40.0)
    shell.run("uptime", 45.0, "up 41 days\n")
    return Take(LARGE, _FIRST_MS + 40 * _HOUR_MS, _request("alice", (212, 58)), shell.steps, 60.0)


def _hostile() -> Take:
    """Everything that a recording might do to the terminal of who looks at it."""
    shell = Shell(_PROMPT.format("mallory"))
    for number, output in enumerate(_HOSTILE_OUTPUT):
        shell.run(f"printf attack-{number} \x1b]0;in the command\x07", 3.0 + number * 2, output)
    title = "\x1b]0;pwned\x07[@click=app.quit]title[/]"
    request = replace(_request("mallory"), title=title, reason="\x9b2J\u202eINC-1")
    return Take(HOSTILE, _FIRST_MS + 50 * _HOUR_MS, request, shell.steps, 3.0 + len(_HOSTILE_OUTPUT) * 2 + 1)


def _long() -> Take:
    """Ten hours."""
    shell = Shell(_PROMPT.format("deploy"))
    for number in range(600):
        at = 20.0 + number * 59.5
        shell.run(
            f"./step-{number}.sh", at, "".join(f"step {number}, part {part}\n" for part in range(40)), 2.0
        )
    return Take(LONG, _FIRST_MS + 60 * _HOUR_MS, _request("deploy", (120, 40)), shell.steps, LONG_S)


# ── what happens to them afterwards ───────────────────────────────────────────


def _path_of(store: Store, name: str) -> Path:
    (path,) = store.sealed_directory.rglob(f"*-{name}.cast.zst")
    return path


def _tamper(store: Store, name: str) -> None:
    """Somebody with access to the disk takes back what was shown from 20:12 on."""
    path = _path_of(store, name)
    with open_stored(path) as file:
        text = file.read()
    changed = b"".join(_without_entries(text.splitlines(keepends=True)))
    path.write_bytes(b"".join(compressed([changed])))


def _without_entries(lines: Iterable[bytes]) -> Iterable[bytes]:
    for line in lines:
        late = not line.startswith(b"{") and float(line[1 : line.index(b",")]) > BAD_FROM_S
        yield line.replace(b"sshd: entry", b"sshd: ENTRY") if late else line


def _import_old(store: Store) -> None:
    """An asciicast of asciinema's kind, imported."""
    events = ((0.5, "$ "), (2.0, "ls\r\n"), (2.1, "old.txt\r\n$ "), (5.0, "exit\r\n"))
    lines = ['{"version": 2, "width": 80, "height": 24, "timestamp": 1600000000, "title": "an old one"}']
    lines += [f'[{time}, "o", "{text}"]'.replace("\r\n", "\\r\\n") for time, text in events]
    folder = store.root / ELSEWHERE
    folder.mkdir()
    path = folder / "old.cast"
    path.write_text("\n".join([*lines, ""]))
    with importing(store, Occasion(store.host, NOW_MS, "carol", 1001)) as importer:
        for found in find_sources([str(path)], None):
            if isinstance(found, SealcastError):
                raise found
            importer.take(found)


def _bring_stranger(root: Path) -> None:
    """A recording of another host, whose key nobody trusts here."""
    workshop = root / ELSEWHERE / "store"
    studio = Studio(workshop, STRANGER)
    shell = Shell("erin@db-main:~$ ")
    shell.run("vacuumdb --all", 3.0, "vacuuming\n", 20.0)
    studio.record(Take(UNKNOWN, _FIRST_MS, _request("erin"), shell.steps, 30.0))
    for path in studio.store.sealed_directory.rglob(f"*-{UNKNOWN}.cast*"):
        shutil.move(path, root / ELSEWHERE / path.name)
    shutil.rmtree(workshop)


# ── the live session ──────────────────────────────────────────────────────────


def go_live(root: Path, seconds: float, said: Callable[[str], None]) -> None:
    """Be the recorder of a session in the store for so long, 0 for ever; then it is closed and sealed."""
    store = Store(root)
    request = _request("alice", (100, 30))
    key = generate_key()
    admission = store.notary.admit(request, public_bytes(key))
    started = time.monotonic()
    recording = Recording(store.create_live(admission.session_id), Sealer(admission.origin, key), started)
    said(f"recording {admission.session_id}")
    try:
        recording.begin(encode_header(recording_header(admission, request, started)))
        _keep_writing(recording, started, seconds or math.inf)
    except KeyboardInterrupt:
        said("closing it")
    blob = certificate.parse(admission.certificate, "fixture").blob
    store.write_signature(admission.session_id, recording.finish(0, blob))
    recording.close()
    seal(store, admission.session_id)


def _keep_writing(recording: Recording, started: float, seconds: float) -> None:
    while time.monotonic() < started + seconds:
        recording.output(f"{time.monotonic() - started:7.1f} s, process {os.getpid()}\r\n".encode())
        time.sleep(_LIVE_STEP_S)
        if recording.seconds_to_seal() == 0:
            recording.seal()
