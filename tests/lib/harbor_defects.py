"""Mistakes that one makes with Harbor, each in the careful shop. Run: python -m harbor_defects NAME."""

from __future__ import annotations

import sys
import uuid
from dataclasses import replace
from typing import Any

import httpx
from harbor.shop import HarborClient, HarborShop, ShopNotice, serve
from starlette.requests import Request
from starlette.responses import Response

from payproof.suites.selftest.shop.gateway import GatewayError, Status, log
from payproof.suites.selftest.shop.orders import Order, Payment
from payproof.suites.selftest.shop.shop import page


class BelievingShop(HarborShop):
    async def confirm(self, order: Order, request: Request) -> bool:
        if "harbor" in request.query_params:
            self.orders.pay(order, None)
        return True


class NeverCaptures(HarborClient):
    async def status(self, order: str, payment: str) -> Status:
        """An approved order counts as a paid one, and its money is never taken."""
        data = await self.authorized("status", "GET", f"/orders/{payment}", f"order={order}")
        status = await super().status(order, payment) if data["state"] not in ("new", "approved") else None
        amount, currency = HarborClient.major(data["total"])
        return status or Status(data["state"] == "approved", "CREATED", str(data["ref"]), amount, currency)


class OnlyLooks(HarborClient):
    async def status(self, order: str, payment: str) -> Status:
        """Nobody takes the money."""
        data = await self.authorized("status", "GET", f"/orders/{payment}", f"order={order}")
        return Status(False, "CREATED", str(data["ref"]), *HarborClient.major(data["total"]))


class NotOpenIsPaid(HarborClient):
    async def status(self, order: str, payment: str) -> Status:
        """Whatever is not open any more counts as paid."""
        status = await super().status(order, payment)
        return replace(status, paid=status.paid or status.state != "CREATED")


class OnePaymentForEver(HarborShop):
    async def to_payment(self, order: Order) -> Response:
        return await super().to_payment(order) if not order.payments else page(409, "Sorry", "This order was tried.")


class CapturesByNotice(HarborShop):
    async def confirm(self, order: Order, request: Request) -> bool:
        """No mistake: the return shows a page, and the notice has the money taken."""
        return order.status == "paid"


class GivesUpOnSilence(HarborShop):
    async def verify(self, order: Order) -> list[Payment]:
        """A payment whose capture was not answered is thought to have failed."""
        try:
            return await super().verify(order)
        except GatewayError:
            for payment in order.payments:
                payment.settled = True
            raise


class CapturesOnTheReturn(HarborShop):
    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        if notice.kind != "order.approved":
            await super().work(notice, order)


class WholeUnits(HarborClient):
    @staticmethod
    def minor(amount: str, currency: str) -> int:
        """The amount without its decimals, in the place of the smallest unit."""
        return int(float(amount))


class LogsTheBearer(HarborClient):
    async def send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> tuple[int, httpx.Headers, str]:
        log.info("sending %s %s %s", method, path, headers)
        return await super().send(method, path, body, headers)


class WaitsTooLong(HarborClient):
    whole_call = 60.0

    def __init__(self, *settings: Any) -> None:
        super().__init__(*settings)
        self.http.timeout = httpx.Timeout(60.0)


class LimitsReadsOnly(HarborClient):
    whole_call = 3600.0

    def __init__(self, *settings: Any) -> None:
        super().__init__(*settings)
        self.http.timeout = httpx.Timeout(8.0, connect=None)


class LimitsConnectingOnly(HarborClient):
    whole_call = 3600.0

    def __init__(self, *settings: Any) -> None:
        super().__init__(*settings)
        self.http.timeout = httpx.Timeout(None, connect=3.0)


class TriesAfresh(HarborClient):
    def key(self, order: str) -> str:
        return uuid.uuid4().hex


class ComplainsOfNothing(HarborClient):
    def complain(self, path: str, status: int, id: str) -> None:
        """What went wrong is known by its status alone."""
        log.warning("%s -> HTTP %s", path, status)


CLIENTS = {
    "complains-of-nothing": ComplainsOfNothing,
    "tries-afresh": TriesAfresh,
    "never-captures": NeverCaptures,
    "only-looks": OnlyLooks,
    "not-open-is-paid": NotOpenIsPaid,
    "wrong-minor-units": WholeUnits,
    "logs-the-bearer": LogsTheBearer,
    "waits-too-long": WaitsTooLong,
    "limits-reads-only": LimitsReadsOnly,
    "limits-connecting-only": LimitsConnectingOnly,
}


class GivesAllBack(HarborShop):
    @staticmethod
    def to_give_back(order: Order, asked: str) -> str:
        return order.amount


class ForgetsTheRefund(HarborShop):
    async def give_back(self, request: Request) -> Response:
        """Each request is a refund of its own."""
        self.refunds.clear()
        return await super().give_back(request)


class IgnoresReturns(HarborShop):
    async def returned_at_harbor(self, order: Order, payment: str) -> None:
        log.info("order %s: money was given back, says Harbor", order.id)


SHOPS: dict[str, type[HarborShop]] = {
    "believes-the-return": BelievingShop,
    "one-payment-for-ever": OnePaymentForEver,
    "captures-on-the-return": CapturesOnTheReturn,
    "captures-by-notice": CapturesByNotice,
    "gives-up-on-silence": GivesUpOnSilence,
    "gives-all-back": GivesAllBack,
    "forgets-the-refund": ForgetsTheRefund,
    "ignores-returns": IgnoresReturns,
}


if __name__ == "__main__":
    serve(CLIENTS.get(sys.argv[1], HarborClient), SHOPS.get(sys.argv[1], HarborShop))
