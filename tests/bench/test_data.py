import hashlib
import subprocess
from pathlib import Path

import pytest

from scripts.benchmarks import data as bench_data
from scripts.benchmarks.data import END, START, make_data


@pytest.mark.parametrize("name", ["bulk", "screens"])
def test_the_script_shows_exactly_what_is_counted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_data, "_FILE_BYTES", 500_000)
    data = make_data(name, tmp_path, 4_000_000)
    assert data.repeats > 1
    text = data.script.removeprefix("stty -echo; ")
    shown = subprocess.run(
        ["/bin/sh", "-c", text], input=b"\n", capture_output=True, check=True, timeout=60
    ).stdout.replace(b"\n", b"\r\n")
    assert len(shown) == len(START) + data.shown + len(END)
    assert hashlib.sha256(shown).digest() == data.digest


def test_data_is_the_same_every_time(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    one, two = (make_data("bulk", folder, 100_000) for folder in (tmp_path, other))
    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.path.read_bytes().count(b"\n") > 1000
