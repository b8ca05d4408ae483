"""The measurement itself: scenarios can be read, are typed into real programs, and are judged rightly."""

import pytest

from recorder.cast.header import Header, encode_header
from recorder.cast.v2 import encode_event
from tests.accuracy import driver
from tests.accuracy.driver import Run, run
from tests.accuracy.keys import strokes
from tests.accuracy.measure import Score, score, total
from tests.accuracy.prompts import PROMPTS
from tests.accuracy.scenario import Scenario, load_all
from tests.e2e.sessions import DEADLINE_SECONDS
from tests.marks import needs

SCENARIOS = {scenario.name: scenario for scenario in load_all()}


def test_every_scenario_can_be_typed() -> None:
    assert len(SCENARIOS) >= 120
    for scenario in SCENARIOS.values():
        assert [stroke for line in scenario.keys for stroke in strokes(line)]
        assert set(scenario.prompts) <= set(PROMPTS[scenario.program])
        assert len(list(scenario.variants())) >= 1


def test_keys() -> None:
    typed = strokes("a{enter}{c-c}{m-b}{up}{burst x|y}{paste p|q}{open}")
    data = [b"a", b"\r", b"\x03", b"\x1bb", b"\x1b[A", b"x\ry", b"\x1b[200~p\nq\x1b[201~", b"{"]
    assert [stroke.data for stroke in typed] == data
    assert strokes("{until done}")[0].until == b"done"
    assert strokes("{resize 60x20}")[0].size == (20, 60)


def _judged(truth: list[str], *typed: str) -> Score:
    lines = [encode_header(Header(2, 80, 24)), encode_event(0.1, "o", "\x1b[?2004h$ ")]
    for number, text in enumerate(typed, 1):
        shown = f"{text}\r\n\x1b[?2004l\r\x1b[?2004h$ "
        lines.append(encode_event(float(number), "o", shown))
    scenario = Scenario("made", "bash", "", (), (), (), "", False, "", (), (), {})
    return score(Run(scenario, "80x24", "plain", b"".join(lines), truth))


def test_scores() -> None:
    good = _judged(["ls", "id"], "ls", "id")
    assert (good.precision, good.recall, good.exact_rate, good.misses) == (1.0, 1.0, 1.0, [])
    wrong = _judged(["ls", "echo one two", "gone for ever"], "ls", "echo one twx", "zzz")
    assert (wrong.run, wrong.found, wrong.exact, wrong.claimed) == (3, 2, 1, 3)
    assert len(wrong.misses) == 3
    assert total([good, wrong]).run == 5


@needs("zsh", "fish", "strace")
@pytest.mark.slow
@pytest.mark.parametrize("name", ["bash-password", "zsh-multiline", "fish-suggestions", "dash-continuation"])
def test_real_programs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "_LONGEST_S", DEADLINE_SECONDS)
    scenario = SCENARIOS[name]
    result = score(run(scenario, *next(scenario.variants())))
    assert result.run > 2
    assert (result.precision, result.recall, result.exact_rate) == (1.0, 1.0, 1.0), result.misses
