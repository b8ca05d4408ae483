"""What systemd is asked and told about sshd. For real: test_systemd."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from recorder.errors import SealcastError
from recorder.host.machine import Host
from recorder.host.sshd_service import reload_sshd, starts_when_needed

UNIT = "sealcast-test-ssh.service"


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sshds of the machine that runs the tests are nobody's to signal."""
    monkeypatch.setattr("recorder.host.sshd_service.listening_with", lambda _config: iter(()))


@dataclass(slots=True)
class Told(Host):
    """A host whose systemd knows what `properties` says, and which sockets are active."""

    properties: dict[str, str] = field(default_factory=dict)
    active: tuple[str, ...] = ()
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, arguments: Sequence[str]) -> str:
        self.asked.append(tuple(arguments))
        if "is-active" in arguments and arguments[-1] not in self.active:
            raise SealcastError("inactive")
        name = next((word for word in arguments if word.startswith("--property=")), "")
        return self.properties.get(name.removeprefix("--property="), "") + "\n"


@pytest.mark.parametrize(
    ("properties", "active", "verb"),
    [
        ({}, (), "try-reload-or-restart"),
        ({"TriggeredBy": "ssh.socket"}, (), "try-reload-or-restart"),
        ({"TriggeredBy": "ssh.socket"}, ("ssh.socket",), "try-restart"),
        ({"TriggeredBy": "other.path ssh.socket"}, ("ssh.socket",), "try-restart"),
    ],
)
def test_who_listens_by_systemd_is_started_anew(
    properties: dict[str, str], active: tuple[str, ...], verb: str
) -> None:
    host = Told(properties={"MainPID": "0"} | properties, active=active)
    reload_sshd(host, UNIT)
    assert ("systemctl", verb, UNIT) in host.asked
    assert starts_when_needed(host, UNIT) is (verb == "try-restart")


def test_without_systemd_nobody_asks_it() -> None:
    host = Told()
    reload_sshd(host, None)
    assert host.asked == []


def test_without_systemd_nobody_waits_for_a_login() -> None:
    assert starts_when_needed(Host(), UNIT) is False
