"""The benchmark of logins over the daemon, with next to nothing to do."""

import json

from tests.bench.test_bench import bench
from tests.e2e.corpus import NEEDS_BASTION
from tests.marks import needs

pytestmark = [*NEEDS_BASTION, needs("script", "scp")]
TRANSFERS = {
    f"{way}, through sshd" for way in ("ssh host cat, up", "ssh host cat, down", "scp, up", "scp, down")
}


def test_every_subject_is_measured_for_everybody() -> None:
    done = bench("--quick", "--size", "1", "--only", "bare,sealcast,script,daemon", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["notes"] == []
    measures = {item["name"]: item["contestants"] for item in result["measures"]}
    assert set(measures) == {
        "login to first byte",
        "memory per session (PSS, 1 at once)",
        "memory per session (PSS, 3 at once)",
        "throughput of 2 sessions together",
        "echo p50: 3 sessions type, 1 flood",
        "echo p99: 3 sessions type, 1 flood",
        *TRANSFERS,
    }
    for name, rows in measures.items():
        left_out = {"bare"} if "memory" in name else {"script"} if name in TRANSFERS else set()
        assert set(rows) == {"bare", "sealcast", "script"} - left_out
        assert all(row["median"] > 0 for row in rows.values()), name
