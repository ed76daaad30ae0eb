"""Nothing outside a gateway's own folder names a field, a path or a status word of that gateway."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WIRE = re.compile(
    r"secret_id|trx_id|trx_type|expire_time|authentication/token|payment/create|payment/status|data\[(token|custom|amount)|message\[(code|error)|"
    r"[\"'](custom|CREATED|SUCCESS|EXPIRED)[\"']|appdevs"
)


def test_the_core_knows_no_gateway() -> None:
    found: list[str] = []
    for root in ("contracts", "simulator", "reports", "suites"):
        for file in (ROOT / root).rglob("*.py"):
            if "gateways" in file.parts or "shop" in file.parts:
                continue
            for number, line in enumerate(file.read_text().splitlines(), start=1):
                if WIRE.search(line):
                    found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found, "\n".join(found)
