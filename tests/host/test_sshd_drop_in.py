"""The drop-in, as sshd itself understands it."""

from pathlib import Path

import pytest

from recorder.host import places
from recorder.host.evidence import Evidence, Process
from recorder.host.findings import State
from recorder.host.machine import Host
from recorder.host.processes import listener
from recorder.host.sshd_checks import check_sshd
from recorder.host.sshd_drop_in import WANTED, drop_in, forbidden_environment
from recorder.host.sshd_inspection import (
    _ask,
    addresses_to_try,
    forced_commands,
    inspect_sshds,
    parse_settings,
)
from recorder.policy.model import CoverPolicy
from tests.host.hosts import as_root, make_root
from tests.marks import needs

OPEN_SETTINGS = """\
AllowTcpForwarding yes
PermitTunnel yes
X11Forwarding yes
AcceptEnv LANG BASH_ENV LD_*
"""


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(make_root(tmp_path / "root"))
    made.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(made.at("/etc/ssh/key"))])
    with made.at(places.SSHD_CONFIG).open("a") as file:
        file.write(OPEN_SETTINGS)
    return made


def cover(host: Host, text: str = "") -> None:
    path = host.at(places.SSHD_DROP_IN)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text or drop_in(CoverPolicy(("nobody", "daemon"), ("root",))))


def states(host: Host, *users: str) -> dict[State, str]:
    found = check_sshd(Evidence(sshds=inspect_sshds(host, list(users), ())))
    answer: dict[State, str] = {}
    for finding in found:
        answer[finding.state] = f"{answer.get(finding.state, '')}{finding.says}\n"
    return answer


@as_root
@needs("sshd", "ssh-keygen")
def test_sshd_is_closed_for_covered_users_and_groups_only(host: Host) -> None:
    cover(host)
    assert set(states(host, "nobody", "daemon", "root")) == {State.CLOSED}
    said = states(host, "nobody", "bin")
    assert "AllowTcpForwarding is yes for bin in" in said[State.OPEN]
    assert "AcceptEnv takes BASH_ENV from clients of bin" in said[State.OPEN]
    assert "ForceCommand is none for bin" in said[State.OPEN]
    assert "nobody" not in said[State.OPEN]


@as_root
@needs("sshd", "ssh-keygen")
@pytest.mark.parametrize("wanted", WANTED, ids=lambda wanted: str(wanted.keyword))
def test_each_setting_is_missed_where_it_is_not(host: Host, wanted: object) -> None:
    keyword = getattr(wanted, "keyword", "")
    opposite = {"ForceCommand": "/bin/true", "ExposeAuthInfo": "no", "DisableForwarding": "no"}.get(
        keyword, "yes"
    )
    text = drop_in(CoverPolicy(("nobody",), ()))
    lines = [f"    {keyword} {opposite}" if keyword in line.split() else line for line in text.splitlines()]
    cover(host, "\n".join(lines) + "\n")
    said = states(host, "nobody")
    assert f"{keyword} is {opposite} for nobody" in said.get(State.OPEN, "") + said.get(State.NOTE, "")


@as_root
@needs("sshd", "ssh-keygen")
def test_a_block_for_one_network_before_ours_is_found(host: Host) -> None:
    cover(host)
    path = host.at(places.SSHD_CONFIG)
    block = "Match Address 10.9.0.0/16\nPermitTunnel yes\nAllowTcpForwarding yes\nMatch all\n"
    path.write_text(block + path.read_text())
    assert "PermitTunnel is yes for nobody" in states(host, "nobody")[State.OPEN]


@as_root
@needs("sshd", "ssh-keygen")
def test_a_configuration_that_sshd_refuses_counts_as_open(host: Host) -> None:
    cover(host, "NoSuchKeyword yes\n")
    assert "NoSuchKeyword" in states(host, "nobody")[State.UNKNOWN]


@as_root
@needs("sshd", "ssh-keygen")
def test_options_on_the_command_line_of_an_sshd_count(host: Host) -> None:
    cover(host)
    words = f"/usr/sbin/sshd -f {places.SSHD_CONFIG} -o PermitTTY=no -oPermitUserEnvironment=yes".split()
    found = inspect_sshds(host, ["nobody"], [Process(7, "sshd", tuple(words))])
    assert [sshd.running for sshd in found] == [False, True]
    said = [finding.says for finding in check_sshd(Evidence(sshds=found)) if finding.state is State.OPEN]
    assert len(said) == 1
    assert said[0].startswith("PermitUserEnvironment is yes for nobody")


@as_root
@needs("sshd", "ssh-keygen")
def test_an_sshd_that_runs_from_the_first_login_on_counts_as_running(host: Host) -> None:
    cover(host)
    assert [sshd.running for sshd in inspect_sshds(host, ["nobody"], ())] == [False]
    assert [sshd.running for sshd in inspect_sshds(host, ["nobody"], (), awaited=True)] == [True]


@as_root
@needs("sshd", "ssh-keygen")
def test_a_command_that_is_forced_on_somebody_is_found(host: Host) -> None:
    path = host.at(places.SSHD_CONFIG)
    path.write_text(path.read_text() + "Match User nobody Address 10.0.0.0/8\nForceCommand internal-sftp\n")
    assert forced_commands(host, ["nobody", "bin"]) == {"nobody": "internal-sftp"}
    cover(host)
    assert forced_commands(host, ["nobody", "bin"]) == {}


@as_root
@needs("sshd", "ssh-keygen")
@pytest.mark.parametrize("name", ["CORP\\dora", "domain users", "d.o-r_a@corp.example"])
def test_names_as_directory_services_make_them_are_covered(host: Host, name: str) -> None:
    cover(host, drop_in(CoverPolicy((name,), ())))
    host.run(["sshd", "-t", "-f", str(host.at(places.SSHD_CONFIG))])
    told, problem = _ask(host.at(places.SSHD_CONFIG), (), name, "192.0.2.1")
    assert (problem, parse_settings(told)["forcecommand"]) == ("", (places.SHELL,))


def test_networks_of_match_blocks_are_tried() -> None:
    text = "Match Address 10.0.0.0/8,!10.1.0.0/16\n  match user x LocalAddress 2001:db8::/32\n"
    text += "Match Address 10.*\n"
    assert addresses_to_try(text) == ["127.0.0.1", "192.0.2.1", "10.0.0.1", "10.1.0.1", "2001:db8::1"]
    assert len(addresses_to_try("".join(f"Match Address 10.0.{n}.1\n" for n in range(50)))) == 8


@pytest.mark.parametrize(
    ("name", "arguments", "config"),
    [
        ("sshd", ("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", ""), places.SSHD_CONFIG),
        ("sshd", ("sshd: /usr/sbin/sshd -f /srv/b.conf [listener] 0 of 10-100 startups",), "/srv/b.conf"),
        ("sshd", ("/usr/sbin/sshd", "-D", "-f/srv/c.conf"), "/srv/c.conf"),
        ("sshd", ("/usr/sbin/sshd", "-D", ""), places.SSHD_CONFIG),
        ("sshd", ("sshd: alice [priv]",), None),
        ("sshd", ("sshd: alice@pts/3",), None),
        ("sshd", ("",), None),
        ("bash", ("sshd: /usr/sbin/sshd -D [listener]",), None),
    ],
)
def test_listening_sshds_are_told_from_its_children(
    name: str, arguments: tuple[str, ...], config: str | None
) -> None:
    found = listener(Process(7, name, arguments))
    assert (found.config if found else None) == config


def test_settings_have_their_names_in_capitals_from_openssh_10_6_on() -> None:
    text = "AcceptEnv LANG\nAcceptEnv LC_*\nForceCommand none\n"
    assert parse_settings(text) == {"acceptenv": ("LANG", "LC_*"), "forcecommand": ("none",)}


@pytest.mark.parametrize("said", ["", "Port 22\n", "force_command none\n"])
def test_what_nobody_understands_is_not_taken_for_closed(
    host: Host, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.host.sshd_inspection._ask", lambda *_: (said, ""))
    assert set(states(host, "nobody")) == {State.UNKNOWN}


def test_settings_keep_every_line() -> None:
    assert parse_settings("acceptenv A\nacceptenv B\nforcecommand a b\n") == {
        "acceptenv": ("A", "B"),
        "forcecommand": ("a b",),
    }


def test_only_locales_and_colours_may_come_in() -> None:
    assert forbidden_environment(["LANG", "LC_*", "LC_TIME", "COLORTERM"]) == []
    assert forbidden_environment(["*", "BASH_ENV", "LC_X?"]) == ["*", "BASH_ENV", "LC_X?"]
