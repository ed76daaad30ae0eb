"""The package as a product: one installed name, four roots, layers, entry points."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_roots_are_built_and_editable() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == [f"{root}/payproof" for root in wheel["dev-mode-dirs"]]


def test_namespace_stays_open() -> None:
    assert not list(ROOT.glob("*/payproof/__init__.py"))


def test_wheel_installs_one_name_with_its_data_and_nothing_of_the_examples(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"payproof"}
    for portion in ("contracts", "simulator", "reports", "suites"):
        assert f"payproof/{portion}/py.typed" in names
    assert "payproof/reports/report.schema.json" in names
    assert "payproof/reports/drift.schema.json" in names
    assert "payproof/suites/payproof.schema.json" in names
    assert "payproof/contracts/gateways/quatapay/openapi.yaml" in names
    assert "payproof/contracts/gateways/qrpay/openapi.overlay.yaml" in names
    assert any(name.endswith(".html") and "/gateways/" in name for name in names)
    assert {"inspector.js", "inspector.css", "page.html.j2"} <= {
        name.rpartition("/")[2] for name in names if "/inspector/" in name
    }
    assert not [name for name in names if "node_modules" in name or name.startswith("examples")]


def test_command_and_plugin_are_installed() -> None:
    points = importlib.metadata.distribution("payproof").entry_points
    assert {(point.group, point.value) for point in points} == {
        ("console_scripts", "payproof.suites.cli:main"),
        ("pytest11", "payproof.suites.pytest_plugin.plugin"),
    }


def test_the_pytest_plugin_loads_nothing_of_payproof_until_it_is_asked() -> None:
    code = "import sys, payproof.suites.pytest_plugin.plugin; print([m for m in sys.modules if m.split('.')[0] in ('starlette', 'uvicorn', 'httpx')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
