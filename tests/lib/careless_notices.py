"""Mistakes that one makes with notices, each in Harbor's careful shop. Run: python -m careless_notices NAME."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import sys
import traceback
from pathlib import Path

from harbor.shop import HarborShop, ShopNotice, serve
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from payproof.suites.selftest.shop.gateway import GatewayError
from payproof.suites.selftest.shop.orders import Order, Orders, Payment

LABEL = 5.5
"""Seconds that a parcel's label takes; Harbor waits five for an answer."""


class BelievesAnybody(HarborShop):
    def genuine(self, signature: str, body: bytes) -> bool:
        return True

    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        if order is not None and notice.kind == "order.taken" and order.payments:
            self.orders.pay(order, order.payments[-1])
        await super().work(notice, order)


class TakesNoticesForMoney(HarborShop):
    """A rightly signed notice is believed, whichever mode it is of."""

    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        payments = [each for each in order.payments if each.token == notice.payment] if order else []
        if order is not None and notice.kind == "order.taken" and payments:
            self.orders.pay(order, payments[0])
        else:
            await super().work(notice, order)


class LooksAtNoClock(TakesNoticesForMoney):
    """A notice that is rightly signed is believed, of whatever time it is."""

    def genuine(self, signature: str, body: bytes) -> bool:
        at, _, right = signature.removeprefix("t=").partition(";h=")
        known = hmac.new(self.notice_secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(known, right)


class WritesTheBodyAgain(HarborShop):
    """The signature is computed over what a JSON library makes of the body."""

    def genuine(self, signature: str, body: bytes) -> bool:
        try:
            return super().genuine(signature, json.dumps(json.loads(body)).encode())
        except ValueError:
            return False


class LooksAtOneSignature(HarborShop):
    @staticmethod
    def looked_at(signatures: list[str]) -> list[str]:
        return signatures[-1:]


class KnowsEveryEvent(HarborShop):
    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        {"order.approved": 1, "order.taken": 2, "order.aborted": 3}[notice.kind]
        await super().work(notice, order)


class KnowsEveryOrder(HarborShop):
    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        await super().work(notice, self.orders.known[notice.order])


class ShowsTraces(HarborShop):
    async def noticed(self, request: Request) -> Response:
        try:
            return await super().noticed(request)
        except ValueError:
            return PlainTextResponse(traceback.format_exc(), 500)

    def read(self, body: bytes) -> ShopNotice | None:
        json.loads(body)
        return super().read(body)


class PrintsTheLabelFirst(HarborShop):
    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        before = order.shipments if order else 0
        await super().work(notice, order)
        if order is not None and order.shipments > before:
            await asyncio.sleep(LABEL)


class SaysNothing(HarborShop):
    async def noticed(self, request: Request) -> Response:
        logging.getLogger("shop").setLevel(logging.ERROR)
        return await super().noticed(request)


class ChecksThenShips(HarborShop):
    """Between the look at the order and its shipment the gateway is asked, and nobody looks again."""

    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        if order is None or order.status == "paid":
            return
        payment = next((each for each in order.payments if each.token == notice.payment), None)
        if payment is not None and (await self.gateway.status(order.id, notice.payment)).paid:
            payment.settled, order.status, order.shipments = True, "paid", order.shipments + 1
            self.orders.save()


class ForgetfulOrders(Orders):
    """What was booked is known to the process alone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for order in self.known.values():
            for payment in order.payments:
                payment.settled = False

    def pay(self, order: Order, payment: Payment | None) -> bool:
        if payment is not None and not payment.settled:
            payment.settled, order.status, order.shipments = True, "paid", order.shipments + 1
            self.save()
        return True


class TakesEveryEndForTheLast(HarborShop):
    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        if order is not None and notice.kind == "order.aborted":
            order.status = "cancelled"
            self.orders.save()
        else:
            await super().work(notice, order)


class LeavesItToTheReturn(HarborShop):
    """On a notice the money is taken; the order is booked when the customer comes back."""

    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        if order is not None:
            await self.gateway.status(order.id, notice.payment)


class LeavesCancelledOrders(LeavesItToTheReturn):
    """The same, where the customer had cancelled before."""

    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        if order is not None and order.status == "cancelled":
            await super().work(notice, order)
        else:
            await HarborShop.work(self, notice, order)


class WaitsForTheNotice(HarborShop):
    async def confirm(self, order: Order, request: Request) -> bool:
        return True


class SaysYesToAll(HarborShop):
    """The notice is answered with success, also when the gateway could not be asked."""

    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        try:
            await super().work(notice, order)
        except GatewayError:
            logging.getLogger("shop").warning("notice of order %s: the gateway could not be asked", notice.order)


class AnswersFirst(HarborShop):
    """The notice is answered at once and worked on afterwards: three tries within a second, and then it is forgotten."""

    working: asyncio.Task[None] | None = None

    async def work(self, notice: ShopNotice, order: Order | None) -> None:
        self.working = asyncio.create_task(self.later(notice, order))

    async def later(self, notice: ShopNotice, order: Order | None) -> None:
        for _ in range(3):
            try:
                await super().work(notice, order)
            except GatewayError:
                await asyncio.sleep(0.3)
            else:
                break


SHOPS: dict[str, type[HarborShop]] = {
    "believes-anybody": BelievesAnybody,
    "looks-at-no-clock": LooksAtNoClock,
    "writes-the-body-again": WritesTheBodyAgain,
    "looks-at-one-signature": LooksAtOneSignature,
    "takes-notices-for-money": TakesNoticesForMoney,
    "knows-every-event": KnowsEveryEvent,
    "knows-every-order": KnowsEveryOrder,
    "shows-traces": ShowsTraces,
    "prints-the-label-first": PrintsTheLabelFirst,
    "says-nothing": SaysNothing,
    "checks-then-ships": ChecksThenShips,
    "takes-every-end-for-the-last": TakesEveryEndForTheLast,
    "leaves-it-to-the-return": LeavesItToTheReturn,
    "leaves-cancelled-orders": LeavesCancelledOrders,
    "waits-for-the-notice": WaitsForTheNotice,
    "says-yes-to-all": SaysYesToAll,
    "answers-first": AnswersFirst,
}
ORDERS: dict[str, type[Orders]] = {"forgets-on-restart": ForgetfulOrders}

if __name__ == "__main__":
    serve(shop=SHOPS.get(sys.argv[1], HarborShop), orders=ORDERS.get(sys.argv[1], Orders))
