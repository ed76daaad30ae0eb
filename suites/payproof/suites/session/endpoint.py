"""Where a world's instance takes the gateway's notices."""

from __future__ import annotations

from collections.abc import Mapping

from payproof.simulator.notices.notice_client import Endpoint
from payproof.suites.config.models import WebhookTable
from payproof.suites.config.placeholders import fill
from payproof.suites.customer.routing import forwarded


def endpoint(declared: WebhookTable, values: Mapping[str, str], instance_url: str) -> Endpoint:
    """The public address, which leads to the instance as it does for customers."""
    url = values["public_url"] + fill(declared.path, values, "integration.webhook.path")
    own = tuple(
        (name, fill(text, values, f"integration.webhook.headers.{name}")) for name, text in declared.headers.items()
    )
    return Endpoint(url=url, headers=(*forwarded(url, instance_url).items(), *own), through=instance_url)
