"""Nothing outside a gateway's own folder knows that gateway. That any other works as well: tests/test_third_gateway.py."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMPORT = re.compile(r"^\s*(?:from|import)\s+(payproof\.(?:contracts|simulator)\.gateways\.\w+)", re.MULTILINE)


def test_no_module_outside_a_gateways_folder_imports_one() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {match[1]}"
        for root in ("contracts", "simulator", "reports", "suites")
        for file in (ROOT / root).rglob("*.py")
        if "gateways" not in file.parts
        for match in IMPORT.finditer(file.read_text())
    ]
    assert found == []
