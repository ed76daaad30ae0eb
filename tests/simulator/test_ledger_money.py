"""The books write amounts with the decimals that the currency has on this gateway's wire."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from payproof.contracts import money
from payproof.contracts.entries import Ledger
from payproof.simulator.testing import GatewayThread


@pytest.mark.parametrize(
    ("minor", "currency", "written"), [(5000, "JPY", "5000"), (5000, "EUR", "50.00"), (1500, "TND", "1.500")]
)
def test_an_amount_has_the_decimals_of_its_currency(minor: int, currency: str, written: str) -> None:
    with GatewayThread("harbor") as gateway:
        pair = (gateway.client_id, gateway.secret_key)
        token = httpx.post(f"{gateway.url}/oauth/token", auth=pair).json()["access_token"]
        asked = {"order": {"total": {"minor": minor, "code": currency}, "ref": "1"}, "back": "https://shop.test/back"}
        bearer = {"Authorization": f"Bearer {token}"}
        payment = httpx.post(f"{gateway.url}/orders", json=asked, headers=bearer).json()["id"]
        (opened,) = [entry for entry in gateway.journal() if isinstance(entry, Ledger) and entry.event == "opened"]
        assert (opened.payment, opened.amount, opened.currency) == (payment, written, currency)
        assert [view.amount for view in gateway.payments()] == [written]


@pytest.mark.parametrize(
    ("amount", "decimals", "written"),
    [("5000", 2, "5000.00"), ("1E+3", 0, "1000"), ("0.50", 0, "0.5"), ("1.005", 2, "1.005"), ("7.100", 2, "7.10")],
)
def test_no_decimal_is_rounded_away(amount: str, decimals: int, written: str) -> None:
    assert money.text(Decimal(amount), decimals) == written
