"""Whether the gateway has done its work when a fault strikes: the map of what was tried says so by the fault's name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from payproof.contracts.results.coverage import ALWAYS_AFTER
from payproof.simulator.faults import registered
from payproof.simulator.faults.registry import kind_of
from payproof.simulator.testing import GatewayThread

from .conftest import ORDER

CALL_FAULTS = [name for name in registered() if kind_of(name) == "call"]
PARAMS: dict[str, dict[str, Any]] = {"error": {"error": "create-storage"}, "drip-headers": {"seconds": 5}}


@pytest.mark.parametrize("name", CALL_FAULTS)
def test_a_fault_strikes_after_the_effect_only_where_the_map_says_so(
    gateway: GatewayThread, issue: Callable[[GatewayThread], str], name: str
) -> None:
    headers = {"Authorization": f"Bearer {issue(gateway)}"}
    gateway.arm(name, operation="create", params=PARAMS.get(name, {}))
    url = f"{gateway.base_url}/payment/create"
    # The body is not read: there are some that never end.
    client = httpx.Client(timeout=1.0, verify=False)
    with client, contextlib.suppress(httpx.HTTPError), client.stream("POST", url, json=ORDER, headers=headers):
        pass
    assert bool(gateway.payments()) == (name in ALWAYS_AFTER)
