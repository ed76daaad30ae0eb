"""The shop: an order is paid when the gateway says so to this server, about a payment of this order."""

from __future__ import annotations

import asyncio
import html
import logging
import re
import time
from collections import defaultdict
from decimal import Decimal
from typing import Any, cast

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from payproof.suites.selftest.shop.gateway import Gateway, GatewayError
from payproof.suites.selftest.shop.orders import Order, Orders, Payment

log = logging.getLogger("shop")
REUSE_SECONDS = 500


class Shop:
    def __init__(self, gateway: Gateway, orders: Orders, public_url: str, alert_url: str) -> None:
        self.gateway, self.orders, self.public_url, self.alert_url = gateway, orders, public_url, alert_url
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.errors_in_a_row: defaultdict[str, int] = defaultdict(int)
        self.background: set[asyncio.Task[None]] = set()

    def app(self) -> Starlette:
        routes = [
            Route("/health", self.health),
            Route("/", self.front),
            Route("/checkout", self.checkout, methods=["POST"]),
            Route("/return/{order}", self.returned),
            Route("/cancel/{order}", self.cancelled),
            Route("/orders/{order}", self.state),
        ]
        return Starlette(routes=routes, exception_handlers={Exception: self.broken})

    async def health(self, request: Request) -> Response:
        return PlainTextResponse("ok")

    async def front(self, request: Request) -> Response:
        return page(200, "A small shop", "Put something in your basket and pay.")

    async def checkout(self, request: Request) -> Response:
        body = await read(request)
        number, amount, currency = (str(body.get(name, "")) for name in ("order_id", "amount", "currency"))
        if not re.fullmatch(r"\d{1,30}", number) or not re.fullmatch(r"\d{1,9}(\.\d{1,2})?", amount):
            return page(400, "That did not work", "We cannot read this order.")
        if currency not in ("XAF", "USD", "EUR") or not Decimal(amount):
            return page(400, "That did not work", "We do not sell in this currency, or for nothing.")
        amount = f"{Decimal(amount):.2f}"
        async with self.locks[number]:  # a double click is two requests at once
            order = self.orders.place(number, amount, currency)
            if (order.amount, order.currency) != (amount, currency):
                return page(409, "Please look again", "This order has another amount.")
            return await self.to_payment(order)

    async def to_payment(self, order: Order) -> Response:
        try:
            still_open = await self.verify(order)
        except GatewayError:
            still_open = [payment for payment in order.payments if not payment.settled]
        if order.status in ("paid", "held"):
            return page(409, "No more payment needed", f"Order {order.id} is {order.status}.")
        if still_open and time.time() - still_open[-1].made < REUSE_SECONDS:
            return RedirectResponse(still_open[-1].url, 303)
        urls = self.address("return", order), self.address("cancel", order)
        try:
            token, url = await self.gateway.create(order.id, order.amount, order.currency, *urls)
        except GatewayError as error:
            self.failed_call(error)
            return self.sorry(order, error)
        self.errors_in_a_row["create"] = 0
        self.orders.opened(order, Payment(token, url))
        return RedirectResponse(url, 303)

    def address(self, way: str, order: Order) -> str:
        return f"{self.public_url}/{way}/{order.id}"

    async def verify(self, order: Order) -> list[Payment]:
        """Ask about every payment that is not settled, book what is paid, return what can still be paid."""
        still_open: list[Payment] = []
        for payment in [each for each in order.payments if not each.settled]:
            try:
                status = await self.gateway.status(order.id, payment.token)
            except GatewayError as error:
                self.failed_call(error)
                self.alert(f"order {order.id}: a payment could not be verified")
                raise
            self.errors_in_a_row["status"] = 0
            if not status.paid:
                still_open += [payment] if status.state == "CREATED" else []
            elif (
                status.custom != order.id or status.currency != order.currency or status.amount < Decimal(order.amount)
            ):
                self.orders.hold(order, payment, "paid, but not what was asked for")
                self.alert(f"order {order.id} is held: the payment does not fit it")
            elif not self.orders.pay(order, payment):
                self.alert(f"order {order.id}: double payment")
        return still_open

    async def returned(self, request: Request) -> Response:
        order = self.orders.get(request.path_params["order"])
        if order is None:
            return page(404, "Unknown order", "We have no such order.")
        verified = await self.confirm(order, request)
        if order.status == "paid":
            return page(200, "Thank you!", f"Order {order.id} is paid.")
        if order.status == "held":
            return page(200, "We are looking into your payment", f"Please contact us about order {order.id}.")
        if not verified:
            return page(202, "We are checking your payment", "Please reload this page in a moment; do not pay again.")
        return page(200, "Not paid yet", f"No payment of order {order.id} has arrived. You can try again.")

    async def confirm(self, order: Order, request: Request) -> bool:
        """Anybody can write a return address: its query serves to raise the alarm and for nothing else."""
        try:
            await self.verify(order)
        except GatewayError:
            return False
        if request.query_params.get("type") == "success" and order.status not in ("paid", "held"):
            self.alert(f"order {order.id}: the return address claims a payment that the gateway does not confirm")
        return True

    async def cancelled(self, request: Request) -> Response:
        order = self.orders.get(request.path_params["order"])
        if order is None:
            return page(404, "Unknown order", "We have no such order.")
        try:
            await self.verify(order)  # it may be paid in another tab
        except GatewayError:
            return page(200, "You left the payment", f"We are checking whether order {order.id} is paid.")
        self.orders.cancel(order)
        if order.status == "paid":
            return page(200, "Thank you!", f"Order {order.id} is paid.")
        return page(200, "Payment cancelled", f"Order {order.id} waits for you. You can try again.")

    async def state(self, request: Request) -> Response:
        order = self.orders.get(request.path_params["order"])
        if order is None:
            return JSONResponse({"error": "unknown order"}, 404)
        names = ("id", "status", "amount", "currency", "shipments", "note")
        return JSONResponse({name: getattr(order, name) for name in names})

    def sorry(self, order: Order, error: GatewayError) -> Response:
        status = 503 if error.status == 429 else 502
        return page(status, "Payment is not possible right now", f"Order {order.id} is kept. Please try again soon.")

    async def broken(self, request: Request, error: Exception) -> Response:
        return page(500, "Something went wrong", "It is our fault. Please try again in a moment.")

    def failed_call(self, error: GatewayError) -> None:
        self.errors_in_a_row[error.operation] += 1
        if self.errors_in_a_row[error.operation] % 3 == 0:
            self.alert(f"three payment errors in a row ({error.operation})")

    def alert(self, text: str) -> None:
        """Tell a person, in the background: no customer waits for it."""
        log.error("ALERT %s", text)
        if self.alert_url:
            task = asyncio.create_task(self.post(text))
            self.background.add(task)
            task.add_done_callback(self.background.discard)

    async def post(self, text: str) -> None:
        try:
            await self.gateway.http.post(self.alert_url, json={"text": text}, timeout=10)
        except httpx.HTTPError:
            log.error("the alert could not be delivered")


async def read(request: Request) -> dict[str, Any]:
    try:
        body: Any = await request.json()
    except ValueError:
        return {}
    return cast(dict[str, Any], body) if isinstance(body, dict) else {}


def page(status: int, title: str, text: str) -> HTMLResponse:
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(title)}</title>"
    return HTMLResponse(
        f"{head}<h1>{html.escape(title)}</h1><p>{html.escape(text)}</p><p><a href=/>Shop</a></p>", status
    )
