"""What was measured: samples by measure and contestant, one per round."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from scripts.benchmarks.statistics import median, ratio

OURS = "sealcast"


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is measured, the same for every contestant."""

    name: str
    unit: str
    more_is_better: bool = False
    digits: int = 1
    group: str = "recording"
    """Measures with the same contestants, for tables."""

    @property
    def direction(self) -> str:
        """For people: which way is better."""
        return "more is better" if self.more_is_better else "less is better"


@dataclass(slots=True)
class Results:
    """Samples in the order in which their measures were first met."""

    samples: dict[Measure, dict[str, list[float]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, measure: Measure, contestant: str, value: float) -> None:
        """Keep one round's value."""
        self.samples.setdefault(measure, {}).setdefault(contestant, []).append(value)

    def medians(self) -> Iterator[tuple[Measure, dict[str, float]]]:
        """The median of each contestant's rounds."""
        for measure, rows in self.samples.items():
            yield measure, {name: median(values) for name, values in rows.items()}


def ratios(medians: dict[str, float]) -> dict[str, float | None]:
    """Ours divided by each other contestant's median; empty where ours was not measured."""
    if OURS not in medians:
        return {}
    return {name: ratio(medians[OURS], value) for name, value in medians.items() if name != OURS}
