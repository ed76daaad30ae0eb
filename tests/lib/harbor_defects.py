"""Mistakes that one makes with Harbor, each in the careful shop. Run: python -m harbor_defects NAME."""

from __future__ import annotations

import math
import sys
import time
import uuid
from dataclasses import replace
from typing import Any

import httpx
from harbor.shop import HarborClient, HarborShop, ShopNotice, serve
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

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


class LifeInMilliseconds(HarborClient):
    async def authenticate(self) -> tuple[str, float]:
        token, life = await super().authenticate()
        return token, life / 1000


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


class SixDigits(HarborClient):
    @staticmethod
    def minor(amount: str, currency: str) -> int:
        """As ``printf("%g")`` writes it, by way of the payment page's text."""
        return HarborClient.minor(f"{float(amount):g}", currency)


class GroupsThousands(HarborClient):
    async def send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> tuple[int, httpx.Headers, str]:
        """From five digits on, as some languages do: 5000, but 12.345."""
        total = body.get("order", {}).get("total") if body else None
        if total and total["minor"] >= 1_000_000:
            total["minor"] = f"{total['minor']:,}".replace(",", ".")
        return await super().send(method, path, body, headers)


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


class GivesDollarsBack(HarborClient):
    async def give_back(self, order: str, payment: str, amount: str, currency: str, key: str) -> None:
        await super().give_back(order, payment, amount, "USD", key)


class TriesAfresh(HarborClient):
    def key(self, order: str) -> str:
        return uuid.uuid4().hex


class OpensForEver(HarborClient):
    """A circuit breaker: after six failures in a row nobody is let through."""

    pause = math.inf
    failures, opened = 0, 0.0

    async def authorized(
        self, operation: str, method: str, path: str, about: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        if self.failures >= 6 and time.monotonic() - self.opened < self.pause:
            raise GatewayError(operation, "circuit open")
        try:
            found = await super().authorized(operation, method, path, about, body)
        except GatewayError:
            self.failures, self.opened = self.failures + 1, time.monotonic()
            raise
        self.failures = 0
        return found


class OpensForAWhile(OpensForEver):
    """No mistake: then one is let through, to see."""

    pause = 2.0


class ComplainsOfNothing(HarborClient):
    def complain(self, path: str, status: int, id: str) -> None:
        """What went wrong is known by its status alone."""
        log.warning("%s -> HTTP %s", path, status)


class AsksAgain(HarborClient):
    """No mistake: a refund that was not answered is asked for once more at once, as many a client library does."""

    async def give_back(self, order: str, payment: str, amount: str, currency: str, key: str) -> None:
        try:
            await super().give_back(order, payment, amount, currency, key)
        except GatewayError:
            await super().give_back(order, payment, amount, currency, self.next_key(key))

    @staticmethod
    def next_key(key: str) -> str:
        return key


class AsksForAnother(AsksAgain):
    @staticmethod
    def next_key(key: str) -> str:
        """And each time it is a refund of its own."""
        return uuid.uuid4().hex


CLIENTS = {
    "gives-dollars-back": GivesDollarsBack,
    "opens-for-ever": OpensForEver,
    "opens-for-a-while": OpensForAWhile,
    "complains-of-nothing": ComplainsOfNothing,
    "tries-afresh": TriesAfresh,
    "life-in-milliseconds": LifeInMilliseconds,
    "never-captures": NeverCaptures,
    "only-looks": OnlyLooks,
    "not-open-is-paid": NotOpenIsPaid,
    "wrong-minor-units": WholeUnits,
    "six-digits": SixDigits,
    "groups-thousands": GroupsThousands,
    "logs-the-bearer": LogsTheBearer,
    "waits-too-long": WaitsTooLong,
    "limits-reads-only": LimitsReadsOnly,
    "limits-connecting-only": LimitsConnectingOnly,
    "asks-again": AsksAgain,
    "asks-for-another": AsksForAnother,
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


class NarrowColumn(HarborShop):
    """The amount's column has four digits before the point."""

    refusal: Response = PlainTextResponse("Internal Server Error", 500)

    async def checkout(self, request: Request) -> Response:
        asked = await request.json()
        return self.refusal if float(asked["amount"]) >= 10_000 else await super().checkout(request)


class SellsNothingDear(NarrowColumn):
    """No mistake: a limit of its own, and it says so."""

    refusal = page(422, "That is too much", "We sell for less than 10,000.00 at a time.")


class BooksSmallSums(HarborShop):
    async def verify(self, order: Order) -> list[Payment]:
        """What was paid is compared with a column of four digits, and is never what was asked for."""
        if float(order.amount) < 10_000:
            return await super().verify(order)
        for payment in order.payments:
            await self.gateway.status(order.id, payment.token)
        return []


class IgnoresReturns(HarborShop):
    async def returned_at_harbor(self, order: Order, payment: str) -> None:
        log.info("order %s: money was given back, says Harbor", order.id)


SHOPS: dict[str, type[HarborShop]] = {
    "believes-the-return": BelievingShop,
    "one-payment-for-ever": OnePaymentForEver,
    "captures-on-the-return": CapturesOnTheReturn,
    "narrow-column": NarrowColumn,
    "sells-nothing-dear": SellsNothingDear,
    "books-small-sums": BooksSmallSums,
    "captures-by-notice": CapturesByNotice,
    "gives-up-on-silence": GivesUpOnSilence,
    "gives-all-back": GivesAllBack,
    "forgets-the-refund": ForgetsTheRefund,
    "ignores-returns": IgnoresReturns,
}


if __name__ == "__main__":
    serve(CLIENTS.get(sys.argv[1], HarborClient), SHOPS.get(sys.argv[1], HarborShop))
