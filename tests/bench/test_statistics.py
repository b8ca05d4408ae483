import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.benchmarks.results import OURS, Measure, Results, ratios
from scripts.benchmarks.statistics import median, percentile, ratio

SAMPLES = st.lists(st.floats(-1e9, 1e9), min_size=1)


@pytest.mark.parametrize(
    ("samples", "percent", "value"),
    [([7], 50, 7), ([3, 1, 2], 50, 2), ([1, 2], 50, 1.5), (range(101), 99, 99), ([1, 2, 3], 100, 3)],
)
def test_percentiles_of_known_samples(samples: list[float], percent: float, value: float) -> None:
    assert percentile(samples, percent) == value


@given(SAMPLES, st.floats(0, 100), st.floats(0, 100))
def test_percentiles_lie_within_the_samples_and_grow(samples: list[float], one: float, other: float) -> None:
    low, high = (percentile(samples, percent) for percent in sorted((one, other)))
    assert min(samples) - 1e-6 <= low <= high + 1e-6 <= max(samples) + 2e-6


@given(SAMPLES)
def test_half_of_the_samples_lie_on_each_side_of_the_median(samples: list[float]) -> None:
    middle = median(samples)
    assert 2 * sum(value <= middle for value in samples) >= len(samples)
    assert 2 * sum(value >= middle for value in samples) >= len(samples)


@pytest.mark.parametrize(("samples", "percent"), [([], 50), ([1.0], -1), ([1.0], 101)])
def test_what_has_no_percentile_is_refused(samples: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile(samples, percent)


def test_ratios_are_ours_to_theirs() -> None:
    assert ratios({OURS: 3.0, "script": 2.0, "bare": 0.0}) == {"script": 1.5, "bare": None}
    assert ratios({"script": 2.0}) == {}
    assert ratio(1.0, 4.0) == 0.25


def test_results_give_the_median_of_the_rounds() -> None:
    results = Results()
    speed = Measure("speed", "MB/s")
    for value in (9.0, 1.0, 2.0):
        results.add(speed, "script", value)
    assert list(results.medians()) == [(speed, {"script": 2.0})]
