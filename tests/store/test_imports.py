"""A session must not wait for what it does not need."""

import subprocess
import sys

SCRIPT = """
import sys
import recorder.log.audit, recorder.store.checking, recorder.store.sealing, recorder.store.targets
heavy = {"click", "textual", "sqlite3", "backports.zstd", "importlib.metadata", "yaml"}
print(sorted(heavy & set(sys.modules)))
"""


def test_the_store_loads_nothing_heavy() -> None:
    found = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
