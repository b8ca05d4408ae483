"""Looking at a host before an installation is planned."""

from dataclasses import replace
from pathlib import Path

import recorder.capture.login
from recorder.host import places, program
from recorder.host.accounts import read_accounts
from recorder.host.interpreter import find_interpreter
from recorder.host.machine import Host
from recorder.host.plan import HostFacts, Wish, asked_cover, new_policy
from recorder.host.sshd_inspection import forced_commands
from recorder.policy.loading import read_trusted

_UNIT_DIRECTORIES = ("/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system")
_SSH_UNITS = ("ssh.service", "sshd.service")


def look(host: Host, wish: Wish, *, with_program: bool = True) -> HostFacts:
    """The facts for a plan; uninstalling needs neither program nor interpreter."""
    path = host.at(places.CONFIG)
    config = read_trusted(path).decode(errors="replace") if path.exists() else None
    facts = HostFacts(
        accounts=read_accounts(host.root, asked_cover(config, wish)),
        config=config,
        sshd_config=_text(host.at(places.SSHD_CONFIG)),
        sshd_drop_ins=tuple(path.name for path in host.at(places.SSHD_DROP_IN).parent.glob("*.conf")),
        ssh_unit=ssh_unit(host),
        has_chsh=host.at(places.CHSH_PAM).is_file(),
        has_unit=host.at(places.UNIT).is_file(),
        interpreter=find_interpreter() if with_program else "",
        digest=program.wanted_digest(host.at(places.PROGRAM)) if with_program else "",
        login_script=Path(recorder.capture.login.__file__).read_bytes(),
    )
    return replace(facts, forced=_forced(host, facts, wish)) if with_program else facts


def _forced(host: Host, facts: HostFacts, wish: Wish) -> dict[str, str]:
    """Of accounts that are not covered yet: the recorder's own command takes the place of theirs."""
    covered = facts.accounts.covered_by(new_policy(facts, wish))
    return forced_commands(host, [account.name for account in covered if account.shell != places.SHELL])


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return None


def ssh_unit(host: Host) -> str | None:
    """What systemd calls sshd here."""
    for name in _SSH_UNITS:
        if any(host.at(f"{directory}/{name}").exists() for directory in _UNIT_DIRECTORIES):
            return name
    return None
