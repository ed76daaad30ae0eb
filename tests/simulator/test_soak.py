"""The soak of benchmarks/soak.py in a short form: a minute at most, with faults on and strangers about."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"
REQUESTS = 3_000


def test_under_load_with_faults_on_nothing_grows_fails_or_stays_behind() -> None:
    done = subprocess.run(
        [sys.executable, str(SOAK), "--requests", str(REQUESTS), "--rounds", "3", "--json"],
        capture_output=True,
        text=True,
    )
    result = json.loads(done.stdout)
    assert result["wrong"] == []
    assert done.returncode == 0
    assert result["requests"] >= REQUESTS
    assert result["answered"] > REQUESTS / 2
    assert len(result["memory"]) == 3
    # It says nothing that the faults were armed: they must have fired, and the strangers must have come.
    assert min(result["hung_up"], result["broken"], result["strangers"]) > 0
    assert sum(result["fired"].values()) > REQUESTS / 50
