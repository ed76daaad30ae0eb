"""A small careful shop on Quay: Harbor's with another client. DEFECT, the first argument, plants one mistake."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

import httpx
from harbor.shop import HarborClient, HarborShop, ShopNotice, serve
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from payproof.suites.selftest.shop.gateway import GatewayError, Status, log
from payproof.suites.selftest.shop.orders import Order

DEFECT = sys.argv[1] if len(sys.argv) > 1 else ""
SENT_AGAIN = {"sends-refusals-again": (4, 2), "hurries": (5, 2)}
"""Defect -> which answers (by their hundreds) are met by sending the call again, and how often."""


class QuayClient(HarborClient):
    async def bearer(self) -> str:
        return self.secret_key

    @staticmethod
    def major(total: dict[str, Any]) -> tuple[Decimal, str]:
        return Decimal(int(total["minor"])).scaleb(-2), str(total["code"]).upper()

    async def create(self, order: str, amount: str, currency: str, return_url: str, cancel_url: str) -> tuple[str, str]:
        if DEFECT == "minimum-order" and Decimal(amount) < 1:
            raise GatewayError("create", "too small")
        cancel = "" if DEFECT == "no-way-back" else cancel_url
        return await super().create(order, amount, currency.lower(), f"{return_url}?nr={self.template()}", cancel)

    @staticmethod
    def template() -> str:
        return "%7BNR%7D" if DEFECT == "encodes-the-template" else "{NR}"

    async def status(self, order: str, payment: str) -> Status:
        found = await super().status(order, payment)
        done = DEFECT == "waiting-is-paid" and found.state == "waiting"
        return replace(found, paid=True) if done else found

    async def send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> tuple[int, httpx.Headers, str]:
        headers = headers if DEFECT == "no-version" else headers | {"Quay-Version": "2026-11"}
        if body is not None and DEFECT != "no-key":
            ref = body["order"]["ref"]
            key = {"one-key": "always", "key-for-ever": ref}.get(DEFECT, self.key(ref))
            headers = headers | {"Harbor-Key": key}
        for _ in range(SENT_AGAIN.get(DEFECT, (0, 0))[1]):
            answer = await self.ask(method, path, body, headers)
            if answer[0] // 100 != SENT_AGAIN[DEFECT][0]:
                return answer
        return await self.ask(method, path, body, headers)


class QuayShop(HarborShop):
    told: ClassVar[Counter[bytes]] = Counter()

    async def noticed(self, request: Request) -> Response:
        """No mistake: a shop that believes notices alone, and after the first order has each come three times."""
        if DEFECT == "notices-alone":
            self.told[body := await request.body()] += 1
            if len(self.told) > 2 and self.told[body] < 3:
                return PlainTextResponse("later", 503)
        return await super().noticed(request)

    async def to_payment(self, order: Order) -> Response:
        for payment in order.payments if DEFECT == "pays-again-unseen" else ():
            payment.settled = True
        return await super().to_payment(order)

    async def confirm(self, order: Order, request: Request) -> bool:
        if DEFECT in ("notices-alone", "takes-no-notice"):
            return True
        asked = request.query_params.get("nr", "")
        if (
            DEFECT == "any-payment"
            and asked
            and order.status != "paid"
            and (await self.gateway.status(order.id, asked)).paid
        ):
            self.orders.pay(order, next((each for each in order.payments if each.token == asked), None))
        return await super().confirm(order, request)

    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        if notice.kind == "money.arrived":
            return  # the order's own notice says it, too
        if DEFECT == "believes-anybody" and order is not None and notice.kind == "order.taken":
            self.orders.pay(order, next((each for each in order.payments if each.token == notice.payment), None))
        if DEFECT == "notice-secret-in-log":
            log.info("checked with %s", self.notice_secret)
        if DEFECT == "takes-it-back" and order is not None and notice.kind == "order.waiting":
            order.status = "pending"
        await super().work(notice, order)

    def genuine(self, signature: str, body: bytes) -> bool:
        if DEFECT == "takes-no-notice":
            return False
        return DEFECT == "believes-anybody" or super().genuine(signature.partition(";g=")[0], body)


if __name__ == "__main__":
    serve(QuayClient, QuayShop)
