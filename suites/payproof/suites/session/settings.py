"""What checks may know of a configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from payproof.contracts.run import Power, Settings
from payproof.suites.config import Config
from payproof.suites.driver.recipe import uses


def settings_of(
    config: Config, *, secure: bool = True, secure_note: str = "", powers: Iterable[Power] = get_args(Power)
) -> Settings:
    """What checks may know of a configuration."""
    integration = config.integration
    recipe = integration.checkout
    names = uses(config, "order.id") or integration.driver is not None
    return Settings(
        workers=integration.workers,
        within=integration.order.within,
        counts_effects=bool(integration.order.effects) or integration.driver is not None,
        shows_flags=bool(integration.order.flagged),
        has_pages=bool(integration.ready),
        names_orders=names or recipe.order_id is not None,
        tells_orders_apart=names or bool(recipe.before),
        addresses_orders=names and (recipe.order_id is None or not recipe.before),
        sets_amount=uses(config, "order.amount") or recipe.amount is not None or integration.driver is not None,
        sets_currency=uses(config, "order.currency") or integration.driver is not None,
        names_currencies=uses(config, "order.currency") or bool(recipe.currencies or recipe.currency),
        fee=recipe.fee or "",
        alert_channel=integration.alert_channel,
        notices=integration.webhook is not None,
        refunds=integration.refund is not None,
        scans_source=bool(integration.source.paths),
        scans_frontend=bool(integration.source.frontend),
        own_credentials=bool(integration.command),
        restarts=bool(integration.command),
        secure=secure,
        secure_note=secure_note,
        powers=tuple(sorted(powers)),
    )
