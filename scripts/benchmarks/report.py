"""The results as a table for people, as Markdown, and as JSON."""

import json
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.benchmarks.results import OURS, Measure, Results, ratios

_LARGE = 100


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": [round(part, 2) for part in os.getloadavg()],
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def as_json(results: Results, about: Mapping[str, Any]) -> str:
    """Everything, every round's value included."""
    measures = [_measure(measure, results) for measure in results.samples]
    return json.dumps({**about, "notes": results.notes, "measures": measures}, indent=2, ensure_ascii=False)


def _measure(measure: Measure, results: Results) -> dict[str, Any]:
    medians = dict(results.medians())[measure]
    found = ratios(medians)
    return {
        "name": measure.name,
        "unit": measure.unit,
        "more_is_better": measure.more_is_better,
        "contestants": {
            name: {"median": medians[name], "sealcast_ratio": found.get(name), "rounds": values}
            for name, values in results.samples[measure].items()
        },
    }


def as_text(results: Results, about: Mapping[str, Any]) -> str:
    """For people: a block for each measure."""
    lines = [_sentence(about), ""]
    for measure, medians in results.medians():
        found = ratios(medians)
        lines.append(f"{measure.name} ({measure.unit}, {measure.direction})")
        for name, value in medians.items():
            values = results.samples[measure][name]
            spread = f"{_number(measure, min(values))} to {_number(measure, max(values))}"
            line = f"  {name:16}{_number(measure, value):>10}   {spread:>22}   {_versus(found.get(name))}"
            lines.append(line.rstrip())
        lines.append("")
    return "\n".join(lines + results.notes).rstrip()


def _versus(value: float | None) -> str:
    return "" if value is None else f"sealcast {_times(value)}"


def _times(value: float) -> str:
    """A ratio; one to next to nothing is not worth its digits."""
    return f"×{value:.2f}" if value < _LARGE else f"×>{_LARGE}"


def as_markdown(results: Results, about: Mapping[str, Any]) -> str:
    """For each group a row per measure, a column per contestant: medians, and sealcast's ratios to them."""
    groups = dict.fromkeys(measure.group for measure in results.samples)
    parts = [_sentence(about), *(_table(results, group) for group in groups), *results.notes]
    return "\n\n".join(parts)


def _table(results: Results, group: str) -> str:
    rows = [(measure, medians) for measure, medians in results.medians() if measure.group == group]
    names = list(dict.fromkeys(name for _, medians in rows for name in medians))
    lines = [_row(["", *names]), _row(["---", *["---:"] * len(names)])]
    for measure, medians in rows:
        found = ratios(medians)
        cells = [_cell(measure, medians, found, name) for name in names]
        lines.append(_row([f"{measure.name}, {measure.unit} ({measure.direction})", *cells]))
    return "\n".join(lines)


def _cell(measure: Measure, medians: dict[str, float], found: dict[str, float | None], name: str) -> str:
    if name not in medians:
        return ""
    text = _number(measure, medians[name])
    if name == OURS:
        return f"**{text}**"
    versus = found.get(name)
    return text if versus is None else f"{text} ({_times(versus)})"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(measure: Measure, value: float) -> str:
    return f"{value:,.{measure.digits}f}"


def _sentence(about: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (
        f"{about['date']}, {about['processor']}, {about['cores']} cores, Linux {about['kernel']}, "
        f"Python {about['python']}; medians of {about['rounds']} rounds; load before: {about['load'][0]}. "
        f"Versions: {versions or 'not known'}."
    )
