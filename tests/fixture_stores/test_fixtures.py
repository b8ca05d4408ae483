"""The fixture stores say what they should, to the product itself."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from recorder.cast.events import SEAL
from recorder.cast.reader import open_events
from recorder.cli.main import run
from recorder.commands import extract
from recorder.log.audit import audit
from recorder.store.catalog import Session, list_sessions
from recorder.store.layout import Store
from recorder.store.reading import open_stored
from recorder.store.state import State
from scripts.fixture_stores import __main__ as fixtures
from scripts.fixture_stores import big, demo, zoo
from tests.store.recordings import verdict_of


def verified(root: Path, capsys: pytest.CaptureFixture[str], code: int) -> dict[str, Any]:
    """What `verify --all` says of each, by the second half of its id; it must end with that code."""
    capsys.readouterr()
    assert run(["--store", str(root), "verify", "--all", "--json"]) == code
    items = json.loads(capsys.readouterr().out)["items"]
    return {item["id"][-8:]: item["check"] for item in items}


def listed(root: Path, capsys: pytest.CaptureFixture[str], *query: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run(["--store", str(root), "ls", "--json", *query]) == 0
    return list(json.loads(capsys.readouterr().out)["items"])


def commands_of(session: Session) -> list[Any]:
    assert session.path is not None
    with open_stored(session.path) as file:
        return sorted(extract(*open_events(file, session.id)), key=lambda command: command.start_s)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them, made by the command."""
    folder = tmp_path_factory.mktemp("fixtures")
    command = [sys.executable, "-P", "-m", "scripts.fixture_stores", "empty", "demo", "zoo", "big"]
    done = subprocess.run(
        [*command, "--out", str(folder), "--sessions", "50"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_empty(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verified(out / "empty", capsys, 0) == {}
    assert list_sessions(Store(out / "empty")) == []


@pytest.mark.slow
def test_demo(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = verified(out / "demo", capsys, 0)
    assert {name: check["state"] for name, check in checks.items()} == {demo.NAME: "verified"}
    (item,) = listed(out / "demo", capsys)
    assert (item["user"], item["host"]) == ("alice", "web-03.prod")
    assert (item["start"], item["end"]) == ("2026-09-12T14:02:11.084Z", "2026-09-12T14:19:52.310Z")
    assert item["duration_s"] == 1061.226


@pytest.mark.slow
def test_the_commands_of_demo(out: Path) -> None:
    (session,) = list_sessions(Store(out / "demo"))
    found = commands_of(session)
    assert len(found) == demo.COMMANDS
    at = {command.start_s: command.text.split()[0] for command in found}
    assert (at[251.0], at[380.0], at[905.0]) == ("psql", "kubectl", "curl")
    with open_stored(session.path or Path()) as file:
        header, events = open_events(file, "demo")
        times = [event.time for event in events if event.code != SEAL]
    assert (header.width, header.height) == (100, 30)
    pauses = [(round(before), round(after)) for before, after in pairwise(times) if after - before > 100]
    assert pauses == [(104, 239), (381, 500), (505, 902)]


@pytest.mark.slow
def test_zoo(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = verified(out / "zoo", capsys, 4)
    assert {name: check["state"] for name, check in checks.items()} == {
        zoo.BAD: "bad",
        zoo.TRUNCATED: "truncated",
        zoo.MISSING: "missing",
        zoo.UNSIGNED: "unsigned",
        zoo.NO_COMMANDS: "verified",
        zoo.LARGE: "verified",
        zoo.HOSTILE: "verified",
        zoo.LONG: "verified",
    }
    assert (checks[zoo.BAD]["bad_from_s"], checks[zoo.TRUNCATED]["verified_to_s"]) == (1212.0, 723.0)
    codes = {zoo.BAD: 4, zoo.TRUNCATED: 5, zoo.MISSING: 3, zoo.UNSIGNED: 5, zoo.LONG: 0}
    found = {name: run(["--store", str(out / "zoo"), "verify", name]) for name in codes}
    assert found == codes
    (stranger,) = (out / "zoo" / zoo.ELSEWHERE).glob("*.cast.zst")
    assert run(["--store", str(out / "zoo"), "verify", str(stranger)]) == 5
    assert "key not trusted" in capsys.readouterr().out


@pytest.mark.slow
def test_the_sessions_of_zoo(out: Path) -> None:
    sessions = {session.id[-8:]: session for session in list_sessions(Store(out / "zoo"))}
    assert commands_of(sessions[zoo.NO_COMMANDS]) == []
    assert (sessions[zoo.LARGE].width, sessions[zoo.LARGE].height) == (212, 58)
    assert sessions[zoo.LONG].duration_s == 36_000.0
    assert len(commands_of(sessions[zoo.LONG])) == 600
    assert "\x1b]0;pwned" in (sessions[zoo.HOSTILE].title or "")
    assert len(commands_of(sessions[zoo.HOSTILE])) >= 1


@pytest.mark.slow
def test_hostile_text_stays_text(out: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    for verb in ("cat", "show", "commands"):
        assert run(["--store", str(out / "zoo"), verb, zoo.HOSTILE]) == 0
    assert run(["--store", str(out / "zoo"), "ls"]) == 0
    shown = capfdbinary.readouterr().out
    assert not [
        byte for byte in (b"\x1b", b"\x07", b"\xc2\x9b", b"\xc2\x9d", "\u202e".encode()) if byte in shown
    ]


@pytest.mark.slow
def test_big(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    states = [check["state"] for check in verified(out / "big", capsys, 5).values()]
    assert len(states) == 50
    assert states.count("unsigned") == 1
    assert states.count("verified") > 45
    store = Store(out / "big")
    sessions = list_sessions(store)
    assert sorted(session.number for session in sessions) == list(range(50))
    assert len({session.user for session in sessions}) > 5
    assert len({session.host for session in sessions}) == 2
    assert audit(store.log).findings == []


@pytest.mark.slow
def test_the_commands_of_big(out: Path) -> None:
    planned = {take.name: take for take in big.takes(49)}
    for session in list_sessions(Store(out / "big"))[:12]:
        if session.number:
            take = planned[session.id[-8:]]
            found = commands_of(session)
            assert len(found) == sum(code == "K" for _, code, _ in take.steps)
            assert found[-1].text == "exit"


@pytest.mark.slow
def test_the_index_of_big(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--store", str(out / "big"), "index", "status"]) == 0
    assert "50 sessions" in capsys.readouterr().out


def test_what_a_big_store_holds() -> None:
    """Before 100,000 sessions are recorded: about 20 commands in each, and text like real text."""
    takes = list(big.takes(1000))
    commands = sum(code == "K" for take in takes for _, code, _ in take.steps)
    assert 18 < commands / len(takes) < 22
    words = {word for take in takes[:200] for _, _, data in take.steps for word in data.split()}
    assert len(words) > 10_000
    assert any(take.exit_status for take in takes)
    assert list(big.takes(1000))[700] == takes[700]
    assert next(big.takes(1000)) == takes[0]


def test_what_is_there_is_not_built_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fixtures.main(["empty", "--out", str(tmp_path)]) == 0
    assert fixtures.main(["empty", "--out", str(tmp_path)]) == 1
    assert "is there already" in capsys.readouterr().err


def test_a_live_session_is_live_and_then_verified(tmp_path: Path) -> None:
    fixtures.main(["empty", "--out", str(tmp_path)])
    (tmp_path / "empty").rename(tmp_path / "zoo")
    store = Store(tmp_path / "zoo")
    seen: list[State | None] = []
    zoo.go_live(
        store.root, 0.2, lambda _: seen.extend(session.state_hint for session in list_sessions(store))
    )
    assert seen == [State.LIVE]
    (session,) = list_sessions(store)
    assert verdict_of(store, session.id).state is State.VERIFIED


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["big", "--sessions", "many"], "many is not a number from 1 to 10,000,000"),
        (["zoo", "--live", "nan"], "nan is not a number of seconds from 0 to 1,000,000"),
        (["zoo", "--live", "-1"], "-1 is not a number of seconds from 0 to 1,000,000"),
        (["zoo", "--live", "x"], "x is not a number of seconds from 0 to 1,000,000"),
    ],
)
def test_a_number_that_is_none_is_told(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        fixtures.main(arguments)
    assert said in capsys.readouterr().err


def test_a_place_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert fixtures.main(["empty", "--out", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err == f"scripts/fixtures: cannot write {tmp_path / 'file'}: File exists\n"
