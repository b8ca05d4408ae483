"""scripts/bench itself, with next to nothing to do."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.marks import needs

BENCH = Path(__file__).parents[2] / "scripts" / "bench"


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True, timeout=110, check=False)


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    only = "bare,sealcast,script,throughput,echo,start,memory,verification,commands"
    done = bench("--quick", "--size", "1", "--keys", "20", "--only", only, "--json")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@needs("script")
def test_json_holds_every_subject_with_medians_and_ratios(measured: dict[str, Any]) -> None:
    measures = {item["name"]: item for item in measured["measures"]}
    assert {name.partition(":")[0].partition(" (")[0] for name in measures} == {
        "throughput",
        "end",
        "size live",
        "size finished",
        "echo p50",
        "echo p99",
        "start to first byte",
        "run of true",
        "memory per session",
        "verification",
        "commands",
    }
    script = measures["throughput: bulk, idle"]["contestants"]["script"]
    ours = measures["throughput: bulk, idle"]["contestants"]["sealcast"]
    assert script["rounds"] == [script["median"]]
    assert script["sealcast_ratio"] == pytest.approx(ours["median"] / script["median"])
    assert measured["notes"] == []
    assert {"date", "processor", "cores", "kernel", "python", "load", "rounds"} <= measured.keys()


@needs("script")
def test_figures_are_what_they_can_be(measured: dict[str, Any]) -> None:
    rows = {item["name"]: item["contestants"] for item in measured["measures"]}
    assert all(row["median"] > 0 for contestants in rows.values() for row in contestants.values())
    assert rows["size finished: bulk"]["script"]["median"] == pytest.approx(1.0, abs=0.01)
    assert rows["size finished: bulk"]["sealcast"]["median"] < 0.5
    assert rows["size live: bulk"]["sealcast"]["median"] > 1
    assert "bare" not in rows["size finished: bulk"]


def test_markdown_is_one_table_for_each_group() -> None:
    done = bench("--quick", "--size", "1", "--only", "bare,throughput", "--markdown")
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert rows[0] == "|  | bare |"
    assert re.fullmatch(r"\| throughput: bulk, idle, MB/s \(more is better\) \| [0-9,.]+ \|", rows[2])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(("--only", "nonsense"), "no nonsense; there are bare,"), (("--rounds", "0"), "0 is less")],
)
def test_mistakes_are_told(arguments: tuple[str, ...], complaint: str) -> None:
    done = bench(*arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
