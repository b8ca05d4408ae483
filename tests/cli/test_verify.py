"""`sealcast verify`, `show` and `keys`: words and exit codes. Finding tampering is tested with the store."""

import json
import os
import shutil
from pathlib import Path

import pytest

from recorder.cli.verify import Result, _exit_code
from recorder.errors import ExitCode, SealcastError
from recorder.log.audit import LogFinding
from recorder.seal.keys import fingerprint
from recorder.store.layout import Store
from tests.cli.conftest import Run
from tests.cli.test_ls import damage


def sealed_file(store: Path, session: str) -> Path:
    return next(store.glob(f"sealed/**/{session}.cast.zst"))


def test_a_verified_session(cli: Run, ids: list[str]) -> None:
    result = cli("verify", ids[0])
    first, *rest = result.out.splitlines()
    assert result.code == 0
    assert first.startswith(f"✓ {ids[0].partition('-')[2]}  verified  ")
    assert [line.split()[0] for line in rest] == ["integrity", "completeness"]
    assert result.err == ""


def test_verbose_shows_every_check(cli: Run, ids: list[str]) -> None:
    out = cli("verify", "-v", ids[0]).out
    assert all(f"✓ {name}" in out for name in ("signature", "seals", "closed", "log entry"))


def test_all_is_a_sum_with_what_is_not_verified(cli: Run, store: Path, ids: list[str]) -> None:
    assert cli("verify", "--all").out == "✓ 3 verified\n"
    damage(store, ids[1])
    result = cli("verify", "--all")
    assert result.code == ExitCode.BAD
    assert result.out.splitlines()[-1].startswith("✓ 2 verified   ✗ 1 ")
    assert result.err == "sealcast: 1 of 3 failed\n"


def test_a_missing_file_is_3_and_bad_is_4_and_4_wins(cli: Run, store: Path, ids: list[str]) -> None:
    damage(store, ids[1])
    sealed_file(store, ids[0]).unlink()
    assert cli("verify", ids[0]).code == ExitCode.TARGET
    assert cli("verify", ids[0], ids[1]).code == ExitCode.BAD
    assert cli("verify", ids[0], ids[2], "nope").code == ExitCode.TARGET


def test_a_copy_elsewhere_with_its_signature(cli: Run, ids: list[str], store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.cast.zst"
    shutil.copy(sealed_file(store, ids[0]), copy)
    assert cli("verify", str(copy)).code in (ExitCode.OK, ExitCode.UNVERIFIED)
    away = cli("verify", "--store", str(tmp_path / "empty"), str(copy))
    assert away.code == ExitCode.UNVERIFIED
    assert away.out.startswith("? ")


def test_targets_from_stdin(program: Run, ids: list[str]) -> None:
    result = program("verify", "-", stdin=f"{ids[0]}\n\n{ids[1]}\n")
    assert result.code == 0
    assert result.out.count("verified") == 2


def test_a_query_chooses_and_may_not_ask_for_the_result(cli: Run, store: Path) -> None:
    assert cli("verify", "--query", "exit:7").out == "✓ 1 verified\n"
    assert cli("verify", "--query", "check:bad").code == ExitCode.USAGE


def test_json(cli: Run, store: Path, ids: list[str]) -> None:
    damage(store, ids[1])
    result = cli("verify", "--json", ids[0], ids[1], "nope")
    document = json.loads(result.out)
    good, bad, missing = document["items"]
    assert result.code == ExitCode.BAD
    assert document["schema"] == "sealcast.verdicts/1"
    assert document["complete"] is False
    assert (good["check"]["state"], good["exit_code"], good["error"]) == ("verified", 0, None)
    assert (bad["check"]["state"], bad["exit_code"]) == ("bad", 4)
    assert (missing["check"], missing["exit_code"]) == (None, 3)
    assert "nope" in missing["error"]


def test_jsonl_is_one_object_per_line(cli: Run, ids: list[str]) -> None:
    lines = cli("verify", "--all", "--jsonl").out.splitlines()
    assert {json.loads(line)["id"] for line in lines} == set(ids)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 5], 5),
        ([5, 7], 6),
        ([7], 7),
        ([5, 3, 7], 3),
        ([3, 4, 5], 4),
    ],
)
def test_the_gravest_decides(codes: list[int], expected: int) -> None:
    assert _exit_code([ExitCode(code) for code in codes], []) == expected


def test_a_bad_log_is_bad() -> None:
    assert _exit_code([ExitCode.OK], [LogFinding("cut back")]) == ExitCode.BAD


def test_an_error_is_a_result() -> None:
    assert Result("x", None, None, SealcastError("gone", code=ExitCode.TARGET)).code == ExitCode.TARGET


def test_a_log_that_does_not_hold_is_said(cli: Run, store: Path, ids: list[str]) -> None:
    entries = sorted(path for path in (store / "log" / "tile" / "entries").rglob("*") if path.is_file())
    data = bytearray(entries[-1].read_bytes())
    data[-20] ^= 1
    entries[-1].write_bytes(data)
    result = cli("verify", "--all")
    assert result.code == ExitCode.BAD
    assert "✗ the log: " in result.out


def test_show_has_the_facts_and_both_verdicts(cli: Run, ids: list[str]) -> None:
    out = cli("show", ids[0]).out
    assert "\x1b" not in out
    for text in (
        ids[0],
        "Web upgrade␛[31m",
        "INC-4711",
        "exit      7",
        "integrity",
        "completeness",
        "✓ verified",
    ):
        assert text in out


def test_show_of_a_file_and_of_a_session_without_one(
    cli: Run, store: Path, ids: list[str], tmp_path: Path
) -> None:
    plain = tmp_path / "plain.cast"
    plain.write_text('{"version": 2, "width": 80, "height": 24}\n[0.5, "o", "x"]\n')
    assert "– unsigned" in cli("show", str(plain)).out
    sealed_file(store, ids[0]).unlink()
    result = cli("show", ids[0])
    assert result.code == 0
    assert "∅ missing" in result.out


def test_show_json(cli: Run, ids: list[str]) -> None:
    document = json.loads(cli("show", "--json", ids[2]).out)
    assert document["schema"] == "sealcast.session/1"
    assert document["session"]["id"] == ids[2]
    assert document["check"]["state"] == "verified"


def test_keys_are_listed_shown_and_trusted(
    cli: Run, program: Run, store: Path, ids: list[str], tmp_path: Path
) -> None:
    host = Store(store).host
    assert cli("keys", "ls").out.splitlines()[1].split()[:2] == [
        host,
        fingerprint(Store(store).host_key.public),
    ]
    shown = cli("keys", "show")
    assert shown.out.count("ssh-ed25519 ") == 2
    assert shown.err.startswith(f"sealcast: {host}, SHA256:")
    other = str(tmp_path / "other")
    trusted = program("keys", "trust", "-", "--store", other, stdin=shown.out)
    assert trusted.code == 0
    assert f"for {host}" in trusted.err
    copy = tmp_path / "copy.cast.zst"
    shutil.copy(sealed_file(store, ids[0]), copy)
    assert cli("verify", "--store", other, str(copy)).out.startswith("~ ")
    assert "it was trusted already" in program("keys", "trust", "-", "--store", other, stdin=shown.out).err


def test_keys_in_json(cli: Run, store: Path) -> None:
    (item,) = json.loads(cli("keys", "ls", "--json").out)["items"]
    assert item["this_host"]
    assert item["certifies_sessions"]
    assert item["fingerprint"].startswith("SHA256:")
    assert json.loads(cli("keys", "show", "--json").out)["items"] == [item]


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "no key in it"), ("rubbish\n", "file.pub:1"), ("ssh-ed25519 AAAA x\n", "file.pub:1")],
)
def test_what_is_no_key_is_refused(cli: Run, store: Path, tmp_path: Path, content: str, said: str) -> None:
    before = (store / "keys" / "trusted").read_bytes()
    (tmp_path / "file.pub").write_text(content)
    result = cli("keys", "trust", str(tmp_path / "file.pub"))
    assert result.code == ExitCode.FORMAT
    assert said in result.err
    assert (store / "keys" / "trusted").read_bytes() == before


def test_keys_that_are_not_there(cli: Run, store: Path, tmp_path: Path) -> None:
    assert cli("keys", "show", "mars").code == ExitCode.TARGET
    assert cli("keys", "trust", str(tmp_path / "none.pub")).code == ExitCode.TARGET
    assert cli("keys", "show", "--store", str(tmp_path / "none")).code != 0


def _leave_open(store: Path, session: str) -> None:
    """As a recorder leaves it that was killed: in live/, without its closing signature."""
    from recorder.store.reading import open_stored  # noqa: PLC0415

    sealed = sealed_file(store, session)
    with open_stored(sealed) as file:
        (store / "live" / f"{session}.cast").write_bytes(file.read())
    os.chmod(store / "live" / f"{session}.cast", 0o600)


def test_the_next_command_seals_what_was_left(cli: Run, store: Path, ids: list[str]) -> None:
    _leave_open(store, ids[0])
    result = cli("ls", "--count")
    assert result.out == "3\n"
    assert result.err == f"sealcast: sealed {ids[0]}, which its recorder had left open\n"
    assert list((store / "live").iterdir()) == []
    assert cli("ls", "--count").err == ""


def test_a_store_that_can_only_be_read_is_read(
    cli: Run, store: Path, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _leave_open(store, ids[0])
    monkeypatch.setattr(os, "access", lambda *_arguments, **_options: False)
    assert cli("ls", "--count").out == "3\n"
    assert len(list((store / "live").iterdir())) == 1
