"""What administrators ask of the daemon: which sessions are live, the end of one, the sight of one.

The same socket as for logins, another first word. A request is one JSON object in one packet. Answers are
packets, too: JSON objects, and for `watch` the recording's bytes behind a `D`. A process of its own serves
each request, so that nobody's login waits for it.
"""

import grp
import os
import pwd
import select
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from recorder.capture.control import ask
from recorder.capture.peer import Peer, controlling_terminal
from recorder.daemon.live import control_path, end_by_person, find_live, live_sessions
from recorder.daemon.notary import tell_log
from recorder.errors import ExitCode, FormatError, SealcastError
from recorder.log import entries
from recorder.log.durable import open_regular
from recorder.policy.model import Policy
from recorder.safe_text import safe
from recorder.store.layout import Store

MAGIC = b"sealcast-admin/1\0"
DATA = b"D"
VERBS = ("sessions", "end", "watch")
MAX_REQUEST = 8 * 1024
MAX_REASON = 500
MAX_AT_ONCE = 64
"""Requests that are served at the same time."""
SECONDS = 60
"""What a request may take that is no `watch`."""
CHUNK = 32 * 1024
LOOK_SECONDS = 0.1
"""How often a recording that is watched is looked at."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One request."""

    verb: str
    session: str = ""
    reason: str = ""

    def packet(self) -> bytes:
        """As it is sent."""
        fields = {"verb": self.verb, "session": self.session, "reason": self.reason}
        return MAGIC + orjson.dumps({name: value for name, value in fields.items() if value})


def parse_wish(packet: bytes) -> Wish:
    """The request in a packet that begins with MAGIC; `FormatError` for anything but a good one."""
    if len(packet) > MAX_REQUEST:
        raise FormatError("the request is too long")
    try:
        fields = orjson.loads(packet.removeprefix(MAGIC))
    except orjson.JSONDecodeError:
        raise FormatError("the request is not JSON") from None
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise FormatError("the request is not an object of texts")
    if fields.get("verb") not in VERBS or set(fields) - {"verb", "session", "reason"}:
        raise FormatError("the request has an unknown verb or field")
    wish = Wish(**fields)
    if len(wish.session) > 80 or len(wish.reason) > MAX_REASON:
        raise FormatError(f"the request's session or reason is longer than {MAX_REASON} characters")
    return wish


def may_administer(peer: Peer, policy: Policy) -> bool:
    """Root, and the members of the policy's group, by the accounts of this host."""
    if peer.uid == 0:
        return True
    try:
        group = grp.getgrnam(policy.admins.group).gr_gid
        account = pwd.getpwuid(peer.uid)
    except KeyError:
        return False
    return group in os.getgrouplist(account.pw_name, account.pw_gid)


@dataclass(frozen=True, slots=True)
class Administration:
    """Serves one request, in a process of its own."""

    store: Store
    peer: Peer
    connection: socket.socket

    def serve(self, wish: Wish) -> None:
        """Answer; an error is an answer, too."""
        self.connection.settimeout(SECONDS)
        if wish.verb != "watch":
            signal.alarm(SECONDS)
        try:
            {"sessions": self._sessions, "end": self._end, "watch": self._watch}[wish.verb](wish)
        except SealcastError as error:
            with suppress(OSError):
                refuse(self.connection, error)
        except OSError:  # the asking side is gone
            return

    def _sessions(self, _: Wish) -> None:
        for facts in live_sessions(self.store):
            self._say(facts)
        self._say({"end": True})

    def _end(self, wish: Wish) -> None:
        if not wish.reason.strip():
            raise SealcastError("a session is ended for a reason", "give it: --reason TEXT")
        session = find_live(self.store, wish.session)
        self._log(entries.TERMINATED, session=session, reason=wish.reason)
        end_by_person(self.store, session, self.peer.user, self.peer.uid, wish.reason)
        self._say({"id": session})

    def _watch(self, wish: Wish) -> None:
        session = find_live(self.store, wish.session)
        told = ask(control_path(self.store, session), {"status": True}) or {}
        if told.get("pty", -1) == controlling_terminal(self.peer.pid):
            raise SealcastError("this is the session you are in", "watch it from another one")
        self._log(entries.VIEWED, session=session)
        self._say({"id": session})
        descriptor = open_regular(self.store.live_path(session))
        try:
            self._follow(descriptor, session)
        finally:
            os.close(descriptor)
        self._say({"end": True})

    def _follow(self, descriptor: int, session: str) -> None:
        """Until the recording is whole, or nobody looks any more."""
        gone = select.poll()
        gone.register(self.connection, select.POLLIN)
        while True:
            live = self.store.is_live(session)
            while chunk := os.read(descriptor, CHUNK):
                self.connection.sendall(DATA + chunk)
            if not live or gone.poll(LOOK_SECONDS * 1000):
                return

    def _say(self, answer: dict[str, Any]) -> None:
        self.connection.sendall(orjson.dumps(answer))

    def _log(self, kind: str, **facts: str) -> None:
        """Nothing is done that cannot be logged."""
        if not tell_log(self.store, kind, self.peer.user, self.peer.uid, **facts):
            raise SealcastError("this cannot be logged now, so it is not done", "try again in a moment")


def refuse(connection: socket.socket, error: SealcastError) -> None:
    """Tell why not."""
    answer = {"refused": safe(error.message, 1000), "hint": error.hint, "code": int(error.code)}
    connection.send(orjson.dumps(answer))


def not_allowed(peer: Peer, policy: Policy) -> SealcastError:
    """The answer to whoever is no administrator."""
    group = policy.admins.group
    return SealcastError(
        f"{peer.user} may not look at the sessions of others",
        f"root and members of {group} may; your own recordings: --store",
        ExitCode.TARGET,
    )
