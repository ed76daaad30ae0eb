"""docs/clients.md: what stands on it was measured, and the script that measures still does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks" / "clients"
PAGE = ROOT / "docs" / "clients.md"


def run(*words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, FOLDER / "run.py", *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def listed() -> dict[str, Any]:
    return run("--list")


def test_every_client_is_on_the_page_and_has_a_program(listed: dict[str, Any]) -> None:
    page = PAGE.read_text()
    skipped = json.loads((FOLDER / "measured.json").read_text())["skipped"]
    assert len(listed) >= 12
    for name, client in listed.items():
        assert Path(client["program"]).is_file(), name
        assert f": {name}\n" in page or any(line.startswith(f"{name}:") for line in skipped), name


def test_every_measured_client_has_every_figure(listed: dict[str, Any]) -> None:
    measured = json.loads((FOLDER / "measured.json").read_text())
    for name, client in measured["clients"].items():
        assert list(client["cells"]) == listed[name]["cells"], name
    assert "| ? |" not in PAGE.read_text()


def test_every_recommended_line_is_part_of_its_program(listed: dict[str, Any]) -> None:
    page = PAGE.read_text()
    for name, client in listed.items():
        marked = [line for line in Path(client["program"]).read_text().splitlines() if line.endswith("recommended")]
        assert marked, name
        if f": {name}\n" in page:
            assert all(line.rsplit("#" if "# rec" in line else "//", 1)[0].strip() in page for line in marked), name


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """Two clients really, with a window that is long enough to be late in."""
    names = (
        "first-byte",
        "connect",
        "empty",
        "kept-empty",
        "redirect-302",
        "redirect-307",
        "trusted",
        "unknown",
        "short",
    )
    clients: dict[str, Any] = run("--only", "urllib.request", "curl", "--situations", *names, "--window", "4")[
        "clients"
    ]
    return clients


def requests(measured: dict[str, Any], client: str, cell: str) -> list[str]:
    return [each["method"] for each in measured[client]["cells"][cell]["requests"]]


def test_urllib_is_seen_to_wait_without_end(measured: dict[str, Any]) -> None:
    cell = measured["urllib.request"]["cells"]["first-byte/GET/default"]
    assert (cell["running"], cell["told"], len(cell["requests"])) == (True, [], 1)
    assert cell["requests"][0]["seconds"] > 1


def test_urllib_asks_once_and_turns_a_post_into_a_get(measured: dict[str, Any]) -> None:
    assert requests(measured, "urllib.request", "empty/GET/default") == ["GET"]
    assert requests(measured, "urllib.request", "redirect-302/POST/default") == ["POST", "GET"]
    assert requests(measured, "urllib.request", "redirect-307/POST/default") == ["POST"]


def test_urllib_takes_the_authority_that_it_is_told_of_and_no_other(measured: dict[str, Any]) -> None:
    cells = measured["urllib.request"]["cells"]
    assert cells["trusted/POST/default"]["told"][0]["status"] == 200
    assert cells["unknown/POST/default"]["told"][0]["outcome"] == "error"
    assert requests(measured, "urllib.request", "unknown/POST/default") == []


def test_urllib_hears_of_a_body_that_is_cut_short(measured: dict[str, Any]) -> None:
    assert measured["urllib.request"]["cells"]["short/GET/default"]["told"][0]["outcome"] == "error"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")
def test_curl_sends_a_post_again_on_a_kept_connection(measured: dict[str, Any]) -> None:
    assert requests(measured, "curl", "empty/POST/default") == ["POST"]
    assert requests(measured, "curl", "kept-empty/POST/default") == ["POST", "POST", "POST"]
