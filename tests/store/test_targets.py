from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import ExitCode, SealcastError
from recorder.seal.keys import generate_key, public_bytes
from recorder.store.catalog import Session, list_sessions
from recorder.store.layout import Store
from recorder.store.sealing import seal
from recorder.store.targets import find_session, parse_place, parse_time, resolve
from tests.store.recordings import REQUEST, record, text_of

BEGAN = datetime(2026, 9, 12, 14, 8, tzinfo=UTC)


@pytest.fixture
def session_id(store: Store) -> str:
    made = record(store)
    seal(store, made)
    return made


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("754.2", 754.2),
        ("0", 0),
        ("12m34s", 754),
        ("12m34.5s", 754.5),
        ("34s", 34),
        ("2h", 7200),
        ("1h05m", 3900),
        ("1d2h", 93_600),
        ("12:34", 754),
        ("12:34.5", 754.5),
        ("1:05:00", 3900),
        ("45%", 45),
        ("12.5%", 12.5),
        ("end", 100),
        ("2026-09-12T14:08:31Z", 31),
        ("2026-09-12T16:08:31.5+02:00", 31.5),
        ("2026-09-12T14:07:59.5Z", 0),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert parse_time(text, 100.0, BEGAN) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "12m34", "1s2m", "1:2:3:4", "nan", "inf", "1e9", "٣", "101%", "%"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(SealcastError) as raised:
        parse_time(text, 100.0)
    assert raised.value.code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("text", "began", "hint"),
    [
        ("2026-09-12T14:07:00Z", BEGAN, "the recording began 2026-09-12T14:08:00Z and took 100 s"),
        ("2026-09-12T14:10:00Z", BEGAN, "the recording began 2026-09-12T14:08:00Z and took 100 s"),
        ("2026-09-12T14:08:31", BEGAN, "put its zone behind it: Z or +02:00"),
        ("2026-13-12T14:08:31Z", BEGAN, "write a wall time like 2026-09-12T14:08:31Z"),
        ("2026-09-12T14:08:31Z", None, "when this recording began is not known; write it like 12m34s"),
    ],
)
def test_wall_times_that_are_not_in_it(text: str, began: datetime | None, hint: str) -> None:
    with pytest.raises(SealcastError) as raised:
        parse_time(text, 100.0, began)
    assert (raised.value.code, raised.value.hint) == (ExitCode.USAGE, hint)


def test_a_link_names_its_moment_in_either_way(store: Store, session_id: str) -> None:
    for text in (f"sealcast://{session_id}@1.5s", f"sealcast://{session_id}?t=1.5s", f"{session_id}@1.5s"):
        assert resolve(store, text).at == 1.5
    found = resolve(store, f"sealcast://{session_id}?t=0.5s..end")
    assert (found.at, found.until) == (0.5, found.session and found.session.duration_s)


def test_a_share_of_an_unknown_length() -> None:
    with pytest.raises(SealcastError) as raised:
        parse_time("45%")
    assert "length" in str(raised.value.hint)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_an_error(text: str) -> None:
    with suppress(SealcastError):
        assert parse_time(text, 100.0) >= 0


def test_places() -> None:
    assert parse_place("") == (None, None)
    assert parse_place("1m") == (60, None)
    assert parse_place("1m..2m") == (60, 120)
    assert parse_place("..2m") == (0, 120)
    assert parse_place("1m..") == (60, None)
    with pytest.raises(SealcastError, match="is not a time"):
        parse_place("2m..1m")


def test_every_way_to_name_a_session(store: Store, session_id: str) -> None:
    path = store.sealed_path(session_id)
    names = (
        session_id,
        session_id[:18],
        session_id[-5:],
        session_id[-8:-3],
        session_id.upper(),
        f"sealcast://{session_id}",
        str(path),
    )
    for name in names:
        target = resolve(store, name)
        assert target.session is not None, name
        assert (target.session.id, target.path) == (session_id, path)
        assert target == resolve(store, name, list_sessions(store))
    target = resolve(store, f"sealcast://{session_id}@1s..1.5s")
    assert (target.at, target.until) == (1.0, 1.5)
    assert resolve(store, f"{session_id[-5:]}@50%").at == pytest.approx(1.0)


def test_a_recording_that_the_log_does_not_know_has_its_name_too(store: Store, session_id: str) -> None:
    strange = "20250101T000000-00000000"
    path = store.make_sealed_directory(strange) / f"{strange}.cast.zst"
    path.write_bytes(store.sealed_path(session_id).read_bytes())
    for name in (strange, "00000000", str(path)):
        session = resolve(store, name).session
        assert session is not None
        assert (session.id, session.in_log) == (strange, False)


def test_only_an_id_names_a_session_and_not_what_the_log_says_of_it(store: Store, session_id: str) -> None:
    request = replace(REQUEST, title=f"after {session_id}", reason=session_id[-8:])
    other = store.notary.admit(request, public_bytes(generate_key())).session_id
    for name in (session_id, session_id[-8:]):
        assert resolve(store, name).session == next(one for one in list_sessions(store) if one.id != other)


def test_a_file_is_named_by_its_path(
    store: Store, session_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("plain.cast", "without-suffix", "with@sign.cast"):
        (tmp_path / name).write_bytes(text_of(store, session_id))
        target = resolve(store, name)
        assert (target.path, target.session) == (Path(name), None)
    assert resolve(store, "./plain.cast@3s").at == 3.0
    with pytest.raises(SealcastError, match=r"no file none\.cast") as raised:
        resolve(store, "./none.cast")
    assert raised.value.code == ExitCode.TARGET


def test_a_name_that_fits_nothing(store: Store, session_id: str) -> None:
    for name in ("00000000", "", "x\x1b]0;x\x07", "*", "sealcast://"):
        with pytest.raises(SealcastError, match="no session") as raised:
            resolve(store, name)
        assert raised.value.code == ExitCode.TARGET
        assert "1 session)" in raised.value.message
        assert "\x1b" not in raised.value.message


def test_a_name_that_fits_several_shows_the_newest(store: Store, session_id: str) -> None:
    one = list_sessions(store)[0]
    sessions: list[Session] = [
        replace(one, id=f"2026112{n}T101502-k7f3q9x{n}", user="\x1b[2J") for n in range(8)
    ]
    with pytest.raises(SealcastError) as raised:
        find_session(sessions, "2026")
    first, *rows = raised.value.message.splitlines()
    assert first == '"2026" fits 8 sessions. The newest are:'
    assert len(rows) == 5
    assert "\x1b" not in raised.value.message
    assert raised.value.hint == "use more characters, or: sealcast ls id:2026"
    assert find_session(sessions, "k7f3q9x3").id == sessions[3].id
