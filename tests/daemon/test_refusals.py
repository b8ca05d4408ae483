"""A flood of refused logins is a few entries, and every one of them is counted."""

from recorder.daemon.refusals import Refusal, Refusals


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_of_a_minute_is_an_entry_and_the_others_are_counted() -> None:
    clock = Clock()
    refusals = Refusals(clock)
    assert refusals.refused(1000, "alice", "full") == Refusal(1000, "alice", "full", 0)
    assert [refusals.refused(1000, "alice", "full") for _ in range(999)] == [None] * 999
    assert refusals.refused(1001, "bob", "full") == Refusal(1001, "bob", "full", 0)
    assert list(refusals.over()) == []
    clock.now = 61.0
    assert list(refusals.over()) == [Refusal(1000, "alice", "full", 999)]
    assert list(refusals.over()) == []
    assert refusals.refused(1000, "alice", "full") == Refusal(1000, "alice", "full", 0)


def test_a_window_that_was_not_told_in_time_is_told_with_the_next_entry() -> None:
    clock = Clock()
    refusals = Refusals(clock)
    refusals.refused(1000, "alice", "full")
    refusals.refused(1000, "alice", "full")
    clock.now = 61.0
    assert refusals.refused(1000, "alice", "full") == Refusal(1000, "alice", "full", 1)
