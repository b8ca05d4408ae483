"""Whatever is changed in a store, checking it ends in a verdict, and never in a better one than the truth."""

import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from recorder.errors import SealcastError
from recorder.store.catalog import list_sessions
from recorder.store.checking import Checker, check_all, log_findings
from recorder.store.layout import Store
from recorder.store.sealing import seal_orphans
from recorder.store.state import State
from recorder.store.survey import SealTrail
from recorder.store.targets import Target
from tests.store.recordings import record, rewrite, text_of


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to four edits: a byte changed, a span removed, doubled, moved, or noise put in."""
    result = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(result) + 1)
        end = min(len(result), start + chance.choice((1, 1, 1, 8, 64, 400)))
        span = bytes(result[start:end])
        kind = chance.randrange(5)
        if kind == 0 and span:
            result[start] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del result[start:end]
        elif kind == 2:
            result[start:start] = span
        elif kind == 3:
            del result[start:end]
            place = chance.randrange(len(result) + 1)
            result[place:place] = span
        else:
            result[start:end] = chance.randbytes(len(span))
    return bytes(result)


@pytest.fixture
def sealed(store: Store) -> tuple[str, bytes]:
    session_id = record(store, 12)
    seal_orphans(store)
    return session_id, text_of(store, session_id)


def test_changed_recordings_are_never_verified(store: Store, sealed: tuple[str, bytes]) -> None:
    session_id, text = sealed
    chance = random.Random(1)
    checker = Checker(store)
    session = checker.sessions[0]
    for _ in range(1500):
        changed = mutated(text, chance)
        rewrite(store, session_id, changed)
        verdict = checker.check(Target(session.path, session))
        assert (verdict.state is State.VERIFIED) == (changed == text)
        assert verdict.integrity
        assert verdict.completeness


def test_changed_compressed_files_are_never_wrongly_verified(store: Store, sealed: tuple[str, bytes]) -> None:
    session_id, text = sealed
    path = store.sealed_path(session_id)
    packed = path.read_bytes()
    chance = random.Random(2)
    checker = Checker(store)
    session = checker.sessions[0]
    for _ in range(1500):
        path.write_bytes(mutated(packed, chance))
        verdict = checker.check(Target(session.path, session))
        if verdict.state is State.VERIFIED:
            assert text_of(store, session_id) == text


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000.p/3", "tile/entries/000.p/3"])
def test_changed_logs_always_end_in_verdicts(store: Store, sealed: tuple[str, bytes], name: str) -> None:
    path = store.log.directory / name
    original = path.read_bytes()
    chance = random.Random(3)
    for _ in range(250):
        changed = mutated(original, chance)
        path.write_bytes(changed)
        found = list(check_all(store))
        assert log_findings(store) or changed.startswith(original)
        assert sealed[0] in {session.id for session, _ in found}  # an entry may name another one now
        assert len(found) <= 2
        with suppress(SealcastError):
            list_sessions(store)


@pytest.mark.parametrize("name", ["keys/host.pub", "keys/trusted"])
def test_changed_keys_always_end_in_verdicts_or_errors(
    store: Store, sealed: tuple[str, bytes], name: str
) -> None:
    path = store.root / name
    original = path.read_bytes()
    chance = random.Random(4)
    for _ in range(250):
        path.write_bytes(mutated(original, chance))
        with suppress(SealcastError):
            assert all(verdict.integrity for _, verdict in check_all(Store(store.root)))


def test_changed_live_files_are_sealed_with_a_verdict(store: Store, tmp_path: Path) -> None:
    """A disk that lies, or someone who got at the file before it was sealed."""
    session_id = record(store, 12)
    original = store.live_path(session_id).read_bytes()
    chance = random.Random(5)
    for number in range(60):
        copy = Store(shutil.copytree(store.root, tmp_path / str(number)))
        changed = mutated(original, chance)
        copy.live_path(session_id).write_bytes(changed)
        assert len(seal_orphans(copy)) == 1
        ((_, verdict),) = check_all(copy)
        assert verdict.state in {State.BAD, State.TRUNCATED} or changed == original
        assert log_findings(copy) == []
        shutil.rmtree(copy.root)


def test_a_trail_takes_any_line() -> None:
    lines = [b'[0.100000, "S", "', b'[0.1, "S", "x"]\n', b'[0.1, "S", "a\\n9\\nAAAA\\n"]\n', b"\xff" * 100]
    trail = SealTrail()
    assert list(trail.follow(iter(lines))) == lines
    assert trail.claims == {}
