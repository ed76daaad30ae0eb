"""Five mistakes that hurried programmers make. Do not copy from here."""

from __future__ import annotations

from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response

from payproof.suites.selftest.shop.gateway import Gateway, GatewayError, log
from payproof.suites.selftest.shop.orders import Order
from payproof.suites.selftest.shop.shop import Shop, page

DEFECTS = {
    "trusts-redirect": "verify.forged-return",
    "http-return-url": "https.return-url",
    "token-per-call": "token.cached",
    "logs-bearer": "logs.no-access-token",
    "raw-error-page": "errors.friendly",
}
"""Name -> the requirement that must find it."""


class CarelessGateway(Gateway):
    def __init__(self, base_url: str, client_id: str, secret_key: str, defects: set[str]) -> None:
        super().__init__(base_url, client_id, secret_key)
        self.defects = defects

    async def bearer(self) -> str:
        return (await self.authenticate())[0] if "token-per-call" in self.defects else await super().bearer()

    async def send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> tuple[int, httpx.Headers, str]:
        if "logs-bearer" in self.defects:
            log.info("sending %s %s %s", method, path, headers)
        status, answer, text = await super().send(method, path, body, headers)
        self.last_words = text
        return status, answer, text


class CarelessShop(Shop):
    gateway: CarelessGateway

    def address(self, way: str, order: Order) -> str:
        address = super().address(way, order)
        return address.replace("https://", "http://") if "http-return-url" in self.gateway.defects else address

    async def confirm(self, order: Order, request: Request) -> bool:
        if "trusts-redirect" in self.gateway.defects and request.query_params.get("type") == "success":
            self.orders.pay(order, None)
            return True
        return await super().confirm(order, request)

    def sorry(self, order: Order, error: GatewayError) -> Response:
        if "raw-error-page" in self.gateway.defects:
            return page(502, "Payment failed", f"{error}: {self.gateway.last_words}")
        return super().sorry(order, error)
