"""What administrators may ask, and who they are."""

import grp
import os
import pwd
from dataclasses import replace

import orjson
import pytest

from recorder.capture.peer import Peer
from recorder.daemon.administration import MAGIC, MAX_REQUEST, Wish, may_administer, parse_wish
from recorder.errors import FormatError
from recorder.policy.model import AdminPolicy, Policy

NOBODY = pwd.getpwnam("nobody")
PEER = Peer(1, NOBODY.pw_uid, NOBODY.pw_gid, "nobody", 1, "local", None, None)


@pytest.mark.parametrize(
    "wish", [Wish("sessions"), Wish("watch", "k7f3q9xw"), Wish("end", "k7f3q9xw", "fünf \x1b Uhr\n")]
)
def test_what_is_sent_is_what_is_read(wish: Wish) -> None:
    assert parse_wish(wish.packet()) == wish


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'"sessions"',
        b'{"verb":"stop"}',
        b'{"verb":1}',
        b'{"verb":"end","session":1}',
        b'{"verb":"end","more":"x"}',
        b'{"session":"x"}',
        b'{"verb":"end","session":"' + b"x" * 81 + b'"}',
        b'{"verb":"end","reason":"' + b"x" * 501 + b'"}',
        b'{"verb":"\xff"}',
        b"[" * MAX_REQUEST,
    ],
)
def test_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises(FormatError):
        parse_wish(MAGIC + text)


def test_every_cut_of_a_request_is_refused() -> None:
    packet = Wish("end", "k7f3q9xw", "enough").packet()
    for length in range(len(MAGIC), len(packet)):
        with pytest.raises(FormatError):
            parse_wish(packet[:length])
    assert orjson.loads(packet.removeprefix(MAGIC))["verb"] == "end"


def test_root_and_the_members_of_the_group_may_ask() -> None:
    own = grp.getgrgid(NOBODY.pw_gid).gr_name
    members = replace(Policy(), admins=AdminPolicy(own))
    others = replace(Policy(), admins=AdminPolicy("no-such-group-here"))
    assert may_administer(PEER, members)
    assert not may_administer(PEER, others)
    assert may_administer(replace(PEER, uid=0), others)
    assert not may_administer(replace(PEER, uid=2**31 - 7), members), "an account that does not exist"


def test_the_groups_of_the_process_do_not_count() -> None:
    """newgrp and set-group-id programs change those; the database says who is a member."""
    roots = grp.getgrgid(0).gr_name
    policy = replace(Policy(), admins=AdminPolicy(roots))
    assert not may_administer(replace(PEER, gid=0), policy)
    assert os.getgid() >= 0
