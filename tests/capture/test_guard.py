"""Limits by a clock that the test moves; orders over a real control socket."""

import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from recorder.capture.channel import Message
from recorder.capture.control import Control, ask
from recorder.capture.guard import DISK, DURATION, ENDED, IDLE, Deadlines, Guard, Notice


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_without_limits_nothing_is_ever_due() -> None:
    clock = Clock()
    deadlines = Deadlines(clock=clock)
    clock.now += 1e9
    assert deadlines.seconds() is None
    assert deadlines.due() is None


def test_an_idle_session_is_warned_a_minute_before_its_end() -> None:
    clock = Clock()
    deadlines = Deadlines(idle=1800, clock=clock)
    assert deadlines.seconds() == 1740
    clock.now += 1739
    assert deadlines.due() is None
    clock.now += 1
    warning = deadlines.due()
    assert warning is not None
    assert (warning.cause, "ends in 60s" in warning.line) == (None, True)
    assert deadlines.due() is None, "one warning is enough"
    assert deadlines.seconds() == 60
    clock.now += 60
    last = deadlines.due()
    assert last is not None
    assert (last.cause, last.line) == (IDLE, "nothing was typed for 30m: this session ends here")


def test_a_key_starts_the_idle_time_anew_and_not_the_duration() -> None:
    clock = Clock()
    deadlines = Deadlines(idle=100, duration=200, clock=clock)
    for _ in range(4):
        clock.now += 50
        deadlines.typed()
        assert deadlines.idle_seconds == 0
    found = deadlines.due()
    assert found is not None
    assert found.cause == DURATION


def test_thirty_minutes_of_silence_end_nothing_where_an_hour_is_allowed() -> None:
    clock = Clock()
    deadlines = Deadlines(idle=3600, duration=86400, clock=clock)
    clock.now += 1800
    assert deadlines.due() is None
    assert deadlines.idle_seconds == 1800


@pytest.mark.parametrize("seconds", [1, 2, 59])
def test_a_short_limit_warns_after_three_quarters(seconds: int) -> None:
    clock = Clock()
    deadlines = Deadlines(duration=seconds, clock=clock)
    assert deadlines.seconds() == pytest.approx(seconds * 0.75)
    clock.now += seconds * 0.75
    left = f"{max(1, round(seconds / 4))}s"
    line = f"this session ends in {left}: {seconds}s is the longest that one may last here"
    assert deadlines.due() == Notice(line)


def _asked(guard: Guard, path: Path, message: Message) -> tuple[object, Notice | None]:
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(ask(path, message)))
    asking.start()
    notice = None
    while asking.is_alive():
        notice = guard.heard() or notice
    asking.join()
    return answers[0], notice


def test_a_worker_says_how_long_its_session_is_idle_and_ends_it_when_told(tmp_path: Path) -> None:
    path = tmp_path / "control"
    clock = Clock()
    guard = Guard(Deadlines(clock=clock), Control(path), {"session": "x"})
    clock.now += 5
    assert _asked(guard, path, {"status": True}) == ({"session": "x", "idle_s": 5.0}, None)
    order: Message = {"end": ENDED, "by": {"user": "ro\x1bot", "uid": 0}, "reason": "why\nnot"}
    answer, notice = _asked(guard, path, order)
    assert answer == {"ending": True}
    assert notice is not None
    assert (notice.cause, notice.line) == (ENDED, "this session was ended by ro\u241bot: why\u240anot")
    _, notice = _asked(guard, path, {"end": DISK})
    assert notice is not None
    assert notice.cause == DISK
    guard.close()
    assert not path.exists()
    assert ask(path, {"status": True}) is None


def test_an_order_of_another_kind_is_a_question(tmp_path: Path) -> None:
    path = tmp_path / "control"
    guard = Guard(control=Control(path))
    wishes: list[Message] = [{"end": IDLE}, {"end": 1}, {"end": None}, {}]
    for wish in wishes:
        assert _asked(guard, path, wish)[1] is None
    guard.close()
