"""What installing comes to, as a list of steps."""

from dataclasses import replace
from pathlib import Path

import pytest

import recorder.capture.login
from recorder.errors import SealcastError
from recorder.host import places
from recorder.host.accounts import parse_accounts
from recorder.host.plan import (
    Cover,
    Wish,
    covered_elsewhere,
    new_policy,
    parse_cover,
    plan_install,
    plan_uninstall,
)
from recorder.host.steps import (
    Command,
    File,
    Interpreter,
    Line,
    LoginShell,
    Module,
    NoLine,
    Program,
    ReloadSshd,
    SshdDropIn,
    SshdInclude,
    Step,
)
from recorder.policy.parsing import parse_policy
from tests.host.hosts import GROUP, PASSWD, accounts, facts

BOTH = Wish((Cover("user", "alice"), Cover("group", "ops")))


def files(steps: tuple[Step, ...]) -> dict[str, bytes]:
    return {step.path: step.data for step in steps if isinstance(step, File)}


def module(steps: tuple[Step, ...]) -> bytes:
    (found,) = [step for step in steps if isinstance(step, Module)]
    assert found.path == places.LOGIN_MODULE
    return found.data


def position(steps: tuple[Step, ...], kind: type[Step]) -> int:
    return next(number for number, step in enumerate(steps) if isinstance(step, kind))


def test_covered_accounts_get_the_recorder_and_keep_their_shells_behind_it() -> None:
    steps = plan_install(facts(), BOTH)
    shells = [step for step in steps if isinstance(step, LoginShell)]
    assert shells == [LoginShell("alice", places.SHELL), LoginShell("bob", places.SHELL)]
    policy = parse_policy(files(steps)[places.CONFIG], "")
    assert (policy.cover.users, policy.cover.groups) == (("alice",), ("ops",))
    assert policy.shells.users == {"alice": "/bin/zsh", "bob": "/bin/bash"}
    assert b"alice\t/bin/zsh\n" in files(steps)[places.SHELLS]


def test_a_shell_on_the_command_line_replaces_theirs() -> None:
    policy = new_policy(facts(), Wish(BOTH.cover, "/bin/rbash"))
    assert (policy.shells.default, policy.shells.users["alice"]) == ("/bin/rbash", "/bin/rbash")


def test_an_empty_shell_is_the_one_of_passwd_5() -> None:
    assert new_policy(facts(), Wish((Cover("user", "nobody"),))).shells.users == {"nobody": "/bin/sh"}


def test_nobody_is_locked_out_half_way() -> None:
    steps = plan_install(facts(), BOTH)
    order = [
        position(steps, kind) for kind in (Program, Interpreter, Command, LoginShell, SshdDropIn, ReloadSshd)
    ]
    assert order == sorted(order)
    (started,) = [
        number
        for number, step in enumerate(steps)
        if isinstance(step, Command) and step.arguments == ("systemctl", "restart", places.UNIT_NAME)
    ]
    assert started < position(steps, LoginShell)


def test_what_an_interrupted_installation_did_not_start_is_started() -> None:
    commands = [step for step in plan_install(facts(), BOTH) if isinstance(step, Command)]
    assert {step.arguments[1]: step.unless[1] for step in commands} == {
        "daemon-reload": "is-active",
        "enable": "is-enabled",
        "restart": "is-active",
    }


def test_the_login_script_runs_on_its_own_interpreter() -> None:
    plan = plan_install(facts(), BOTH)
    script = files(plan)[places.LOGIN_SCRIPT].decode()
    assert script.startswith(f"#!{places.INTERPRETER} -IS\n")
    assert "sys.path.insert(0, '/opt/sealcast/libexec')\nimport login\n" in script
    assert module(plan) == b'SOCKET = "/run/sealcast/socket"\nprint()\n'


def test_the_login_shell_connects_where_the_policy_says() -> None:
    real = Path(recorder.capture.login.__file__).read_bytes()
    config = '[cover]\nusers = ["alice"]\n[daemon]\nsocket = "/run/other/here"\n'
    script = module(plan_install(facts(config=config, login_script=real), Wish()))
    known: dict[str, object] = {"__name__": "login"}
    exec(compile(script, "login", "exec"), known)
    assert known["SOCKET"] == "/run/other/here"
    with pytest.raises(SealcastError, match="does not say where it connects"):
        plan_install(facts(login_script=b""), BOTH)


def test_without_systemd_no_service_is_touched() -> None:
    steps = plan_install(facts(), Wish(BOTH.cover, systemd=False))
    assert not [step for step in steps if isinstance(step, Command)]
    assert places.UNIT not in files(steps)
    assert next(step for step in steps if isinstance(step, ReloadSshd)).unit is None


def test_an_existing_policy_is_extended_and_its_comments_stay() -> None:
    config = '# ours\n[cover]\nusers = ["bob"] # first\n[limits]\nidle = "5m"\n'
    steps = plan_install(facts(config=config), Wish((Cover("user", "alice"),)))
    text = files(steps)[places.CONFIG].decode()
    assert text.startswith("# ours\n")
    policy = parse_policy(text.encode(), "")
    assert (policy.cover.users, policy.limits.idle) == (("bob", "alice"), 300)


def test_a_second_run_remembers_the_shells_of_the_first() -> None:
    first = files(plan_install(facts(), BOTH))[places.CONFIG].decode()
    passwd = PASSWD.replace("/bin/zsh", places.SHELL).replace(
        "/home/bob:/bin/bash", f"/home/bob:{places.SHELL}"
    )
    again = facts(config=first, accounts=parse_accounts(passwd, GROUP))
    assert files(plan_install(again, Wish()))[places.CONFIG].decode() == first


@pytest.mark.parametrize(
    ("cover", "message"),
    [
        (Cover("user", "root"), "root is root, who can stop the recorder"),
        (Cover("user", "nobody-here"), 'no user "nobody-here" on this host'),
        (Cover("group", "alise"), 'no group "alise" on this host'),
    ],
)
def test_who_cannot_be_covered(cover: Cover, message: str) -> None:
    with pytest.raises(SealcastError, match=message):
        plan_install(facts(), Wish((cover,)))


def test_somebody_must_be_covered() -> None:
    with pytest.raises(SealcastError, match="nobody is covered yet"):
        plan_install(facts(), Wish())


@pytest.mark.parametrize(
    "text", ["alice", "user:", "users:alice", "user:a ", "user: a", "user:*", "group:a,b", "user:a\n"]
)
def test_what_names_no_accounts(text: str) -> None:
    with pytest.raises(SealcastError, match="names no accounts"):
        parse_cover(text)


def test_drop_ins_are_included_where_they_are_not() -> None:
    def includes(config: str) -> bool:
        steps = plan_install(facts(sshd_config=config), BOTH)
        return any(isinstance(step, SshdInclude) for step in steps)

    assert not includes("# a\n  include /etc/ssh/sshd_config.d/*.conf\n")
    assert includes("Port 22\n")
    assert includes("#Include /etc/ssh/sshd_config.d/*.conf\n")
    assert includes("Match User x\nInclude /etc/ssh/sshd_config.d/*.conf\n")
    assert includes("PermitUserEnvironment=yes\nInclude /etc/ssh/sshd_config.d/*.conf\n")
    assert not includes('Port 2\nInclude="/etc/ssh/sshd_config.d/*.conf"\nMatch User x\n')
    for name, before in (("00-a.conf", True), ("00-sealcast.conf", False), ("50-cloud.conf", False)):
        assert (
            any(isinstance(step, SshdInclude) for step in plan_install(facts(sshd_drop_ins=(name,)), BOTH))
            is before
        )


def test_a_command_that_sshd_forces_on_somebody_is_not_replaced_by_a_shell() -> None:
    with pytest.raises(
        SealcastError, match="a command on alice, which the recorder would replace: /usr/bin/id"
    ):
        plan_install(facts(forced={"alice": "/usr/bin/id"}), BOTH)


_SERVICES = "web:x:61010:61003::/srv:/usr/sbin/nologin\nftp:x:61011:61003::/srv:/bin/false\n"


def test_accounts_that_let_nobody_in_stay_so() -> None:
    known = facts(accounts=parse_accounts(PASSWD + _SERVICES, GROUP))
    shells = [step.user for step in plan_install(known, BOTH) if isinstance(step, LoginShell)]
    assert shells == ["alice", "bob"]
    with pytest.raises(SealcastError, match="web lets nobody in: its login shell is /usr/sbin/nologin"):
        plan_install(known, Wish((Cover("user", "web"),)))
    config = '[cover]\nusers = ["web"]\n[shells.users]\nweb = "/bin/bash"\n'
    steps = plan_install(facts(config=config, accounts=known.accounts), Wish())
    assert LoginShell("web", places.SHELL) in steps, "the policy gives it a shell"


def test_who_is_not_covered_any_more_gets_their_shell_back() -> None:
    config = '[cover]\nusers = ["bob"]\n[shells.users]\nalice = "/bin/zsh"\n'
    passwd = PASSWD.replace("/bin/zsh", places.SHELL)
    steps = plan_install(facts(config=config, accounts=parse_accounts(passwd, GROUP)), Wish())
    assert [step for step in steps if isinstance(step, LoginShell)] == [
        LoginShell("bob", places.SHELL),
        LoginShell("alice", "/bin/zsh"),
    ]
    config = config.replace("[shells", 'groups = ["of-a-directory"]\n[shells')
    steps = plan_install(facts(config=config, accounts=parse_accounts(passwd, GROUP)), Wish())
    assert [step for step in steps if isinstance(step, LoginShell)] == [LoginShell("bob", places.SHELL)], (
        "the directory may not answer"
    )


def test_an_account_of_a_directory_service_is_named_and_not_changed() -> None:
    found = accounts()
    remote = replace(found.users["alice"], local=False)
    known = facts(accounts=replace(found, users={**found.users, "alice": remote}))
    shells = [step.user for step in plan_install(known, BOTH) if isinstance(step, LoginShell)]
    assert (shells, covered_elsewhere(known, BOTH)) == (["bob"], ["alice"])


def test_names_as_directory_services_make_them() -> None:
    passwd = PASSWD + "CORP\\dora:x:61020:61021::/home/dora:/bin/bash\n"
    known = facts(accounts=parse_accounts(passwd, GROUP + "domain users:x:61021:\n"))
    wish = Wish((parse_cover("user:CORP\\dora"), parse_cover("group:domain users")))
    steps = plan_install(known, wish)
    text = files(steps)[places.CONFIG]
    assert parse_policy(text, "").cover.users == ("CORP\\dora",)
    assert b"CORP\\dora\t/bin/bash\n" in files(steps)[places.SHELLS]
    (settings,) = [step.data for step in steps if isinstance(step, SshdDropIn)]
    assert settings is not None
    assert b"Match User CORP?dora\n" in settings
    assert b"Match Group domain?users\n" in settings
    again = plan_install(facts(config=text.decode(), accounts=known.accounts), wish)
    assert files(again)[places.CONFIG] == text


def test_a_host_without_sshd_and_chsh_is_fine() -> None:
    steps = plan_install(facts(sshd_config=None, has_chsh=False), BOTH)
    assert not [step for step in steps if isinstance(step, SshdDropIn | ReloadSshd)]
    assert [step.path for step in steps if isinstance(step, Line)] == [places.LOGIN_SHELLS]


def test_uninstalling_gives_the_shells_back_and_keeps_recordings() -> None:
    config = files(plan_install(facts(), BOTH))[places.CONFIG].decode()
    passwd = PASSWD.replace("/bin/zsh", places.SHELL).replace(
        "/home/bob:/bin/bash", f"/home/bob:{places.SHELL}"
    )
    steps = plan_uninstall(facts(config=config, accounts=parse_accounts(passwd, GROUP)), Wish())
    assert steps[:2] == (LoginShell("alice", "/bin/zsh"), LoginShell("bob", "/bin/bash"))
    assert NoLine(places.LOGIN_SHELLS, places.SHELL) in steps
    touched = {getattr(step, "path", "") for step in steps}
    assert not {
        path for path in touched if path.startswith("/var") or path in {places.CONFIG, "/etc/sealcast"}
    }


def test_uninstalling_without_a_policy_gives_the_default_shell() -> None:
    passwd = PASSWD.replace("/bin/zsh", places.SHELL)
    steps = plan_uninstall(facts(accounts=parse_accounts(passwd, GROUP)), Wish())
    assert steps[0] == LoginShell("alice", "/bin/bash")
