"""The merchant gives money back for an order, as the configuration describes it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urljoin

from payproof.suites.config import Config
from payproof.suites.config.placeholders import fill, fill_each, fill_json
from payproof.suites.customer.customer import Customer, Visit
from payproof.suites.driver.driver import Order

REFUND = "refund"
"""Purpose of the merchant's request."""


async def give_back(
    config: Config, values: Mapping[str, str], order: Order, amount: Decimal, merchant: Customer
) -> Visit:
    """Ask the integration to give so much of an order back. ``values``: placeholders of the instance; ``merchant``: whose browser it is."""
    recipe, place = config.integration.refund, "integration.refund"
    assert recipe is not None, "a probe of refunds runs where they are declared"
    decimals = config.profile.money.decimals(order.currency)
    known = {**values, **order.values(decimals), "refund.amount": f"{amount:.{decimals}f}"}
    form = recipe.form
    return await merchant.browse(
        recipe.method,
        urljoin(values["public_url"], fill(recipe.path, known, f"{place}.path")),
        purpose=REFUND,
        order=order.id,
        headers=fill_each(recipe.headers, known, f"{place}.headers"),
        json=fill_json(recipe.json_body, known, f"{place}.json") if recipe.json_body is not None else None,
        form=None if form is None else tuple(fill_each(form, known, f"{place}.form").items()),
    )
