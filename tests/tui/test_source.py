"""What screens learn of the store."""

import pytest

from recorder.log.audit import Audit, audit
from recorder.log.journal import Log
from recorder.store import trust
from recorder.store.state import State
from recorder.store.targets import resolve
from tests.tui.conftest import HOUR_MS
from tests.tui.studio import START_MS, Studio, change_line, demo_events
from tui.source import Source, Subject


def _subject(studio: Studio, session: str) -> Subject:
    return Subject.of_target(resolve(studio.store, session))


@pytest.fixture
def audits(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """For which session the log was read and proved; None is all of them."""
    read: list[str | None] = []

    def counted(log: Log, session: str | None = None) -> Audit:
        read.append(session)
        return audit(log, session)

    monkeypatch.setattr("recorder.store.checking.audit", counted)
    return read


def test_the_log_is_read_once_until_it_grows(demo: Studio, audits: list[str | None]) -> None:
    source = Source(demo.store)
    assert source.check(_subject(demo, demo.made[0])).state is State.VERIFIED
    assert source.check(_subject(demo, demo.made[2])).state is State.TRUNCATED
    assert len(audits) == 1
    added = demo.record(demo_events()[:9], start_ms=START_MS + 9 * HOUR_MS)
    assert source.check(_subject(demo, added)).state is State.VERIFIED
    assert audits == [None, None]


def test_one_session_alone_is_checked_by_what_was_read_else_by_its_own_entries(
    demo: Studio, audits: list[str | None]
) -> None:
    source, one, other = Source(demo.store), *(_subject(demo, made) for made in demo.made[:2])
    assert source.check(one, alone=True).state is State.VERIFIED
    assert source.check(other).state is State.VERIFIED
    assert source.check(one, alone=True).state is State.VERIFIED
    assert audits == [demo.made[0], None]
    assert source.check(one, alone=True, anew=True).state is State.VERIFIED
    assert audits == [demo.made[0], None, demo.made[0]]
    assert source.check(other).state is State.VERIFIED
    assert audits[3:] == [None]


def test_a_recording_that_changed_is_noticed_with_a_log_that_was_read_before(demo: Studio) -> None:
    source = Source(demo.store)
    assert source.check(_subject(demo, demo.made[1])).state is State.VERIFIED
    change_line(demo.store, demo.made[1], b"psql", b"pSQL")
    assert source.check(_subject(demo, demo.made[1])).state is State.BAD


def test_a_log_that_changed_is_noticed_when_it_is_read_anew(demo: Studio) -> None:
    source = Source(demo.store)
    subject = _subject(demo, demo.made[0])
    assert source.check(subject).state is State.VERIFIED
    size = demo.store.log.checkpoint().size
    bundle = demo.store.log.directory / f"tile/entries/000.p/{size}"
    bundle.write_bytes(bundle.read_bytes().replace(b"alice", b"malik"))
    assert source.check(subject, anew=True).state is not State.VERIFIED
    assert source.check(subject).state is not State.VERIFIED


def test_a_key_that_is_no_longer_trusted_counts_at_once(demo: Studio) -> None:
    source = Source(demo.store)
    subject = _subject(demo, demo.made[0])
    assert source.check(subject).state is State.VERIFIED
    demo.store.trusted_path.write_text("")
    assert trust.read_keys(demo.store.trusted_path) == []
    assert source.check(subject).state is not State.VERIFIED


def test_a_recording_that_cannot_be_read_has_a_verdict_that_says_so(demo: Studio) -> None:
    path = demo.store.sealed_path(demo.made[0])
    path.rename(path.with_suffix(".kept"))
    path.symlink_to(path.with_suffix(".kept"))
    verdict = Source(demo.store).check(_subject(demo, demo.made[0]))
    assert (verdict.state, verdict.word) == (State.UNREADABLE, "cannot be read")
    assert verdict.rows[0].result == verdict.integrity != ""
