"""What the recorder judged is what the login executes, word by word."""

import pytest

from recorder.capture import stream_plan
from recorder.capture.login import ordered
from recorder.capture.stream_plan import plan_streams


@pytest.mark.parametrize(
    ("command", "program", "arguments", "variables"),
    [
        (b"scp -t ''", b"/usr/bin/scp", [b"scp", b"-t", b""], {}),
        (
            b"rsync --server . 'a=b c'",
            b"/usr/bin/rsync",
            [b"rsync", b"--server", b".", b"a=b c"],
            {b"HOME": b"/dev/null"},
        ),
    ],
)
def test_orders_arrive_as_they_were_sent(
    monkeypatch: pytest.MonkeyPatch,
    command: bytes,
    program: bytes,
    arguments: list[bytes],
    variables: dict[bytes, bytes],
) -> None:
    monkeypatch.setattr(stream_plan, "trusted_program", lambda paths: paths[0])
    plan = plan_streams(command, from_sshd=True, input_cap=0, output_cap=0)
    session, *orders = (b"session" + plan.orders()).split(b"\0")
    assert session == b"session"
    assert ordered(orders) == (program, arguments, variables)
