"""One return URL for all orders: which one came back is told by the payment's token, or by the session. No cancel_url. While a payment is open
another tab gets none. Orders have a number for people and an id for machines; anybody who has the id may see the order."""

import asyncio
import logging
import os
import secrets
import sys
import time
from collections import defaultdict
from decimal import Decimal, InvalidOperation
from html import escape
from pathlib import Path
from shelve import open as shelf
from urllib.parse import parse_qsl

import uvicorn
from gateway import Gateway, Trouble
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s %(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING)
log = logging.getLogger("shop")
OPEN_FOR = 590  # seconds that a payment page lives


def money(text):
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount > 0 and amount == round(amount, 2) else None


def page(title, text, status=200, head=""):
    body = f"<!doctype html><html><head><title>{title}</title>{head}</head><body><h1>{title}</h1><p>{text}</p></body></html>"
    return HTMLResponse(body, status, {"Cache-Control": "no-store"})


class Shop:
    def __init__(self, env):
        self.site, self.gateway = env["PUBLIC_URL"], Gateway(env)
        self.orders = shelf(str(Path(env["DATA_DIR"]) / "orders"))
        self.locks = defaultdict(asyncio.Lock)
        self.paths = {"/pay": self.pay, "/orders/{id}": self.show, "/payment/done": self.back, "/": self.front}

    def save(self, order):
        self.orders[order["id"]] = order
        self.orders.sync()

    async def verify(self, order, looks=1):
        """Ask about each payment that may bring money; false when the gateway could not say. ``looks``: while nothing is decided."""
        sure = True
        for payment in [each for each in order["payments"] if each["state"] == "open"]:
            try:
                for look in range(looks):
                    await asyncio.sleep(0.3 if look else 0)
                    answer = await self.gateway.call("GET", f"/payment/status/{payment['token']}")
                    if answer.get("token") != payment["token"]:
                        raise Trouble("an answer about another payment")
                    if answer.get("paid") is True or answer.get("status") != "CREATED":
                        break
            except Trouble as trouble:
                log.error("order %s could not be verified: %s", order["id"], trouble)
                sure = False
                continue
            if answer.get("paid") is True:
                self.book(order, payment, answer)
            elif answer.get("status") in ("EXPIRED", "FAILED"):
                payment["state"] = "closed"
        self.save(order)
        return sure

    def book(self, order, payment, answer):
        payment["state"] = "paid"
        got, wanted = money(answer.get("amount")), money(order["total"])
        fits = got is not None and got >= wanted
        if not fits or answer.get("currency") != order["currency"] or answer.get("custom") != order["number"]:
            order["state"] = order["state"] if order["state"] == "paid" else "held"
            order["note"] = "the payment does not match"
            log.error("verification of order %s failed: it does not match", order["id"])
        elif order["state"] == "paid":
            order["note"] = "paid twice"
            log.error("order %s was paid twice", order["id"])
        else:
            order["state"], order["parcels"] = "paid", order["parcels"] + 1

    def placed(self, basket, total, currency, session):
        found = next((order for order in self.orders.values() if order["basket"] == basket), None)
        number = f"TEA-{len(self.orders) + 1:05d}"
        order = found or {
            "id": secrets.token_hex(8), "number": number, "basket": basket, "total": total, "currency": currency,
            "session": session, "state": "new", "parcels": 0, "note": "", "payments": [],
        }  # fmt: skip
        if not found:
            self.save(order)
        return order

    async def pay(self, request):
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        total, currency = form.get("total", ""), form.get("currency", "")
        if money(total) is None or currency not in ("XAF", "EUR"):
            return page("Please check", "We cannot sell this.", 422)
        session = request.cookies.get("session") or secrets.token_hex(16)
        order = self.placed(form.get("basket", ""), total, currency, session)
        async with self.locks[order["id"]]:
            answer = await self.sent_to_pay(self.orders[order["id"]], total, currency)
        answer.set_cookie("session", session, httponly=True, secure=True, samesite="lax")
        return answer

    async def sent_to_pay(self, order, total, currency):
        if (order["total"], order["currency"]) != (total, currency):
            return page("Please check", "The price has changed.", 409)
        sure = await self.verify(order)
        if order["state"] != "new":
            return RedirectResponse(f"/orders/{order['id']}", 303)
        if any(each["state"] == "open" and time.time() - each["at"] < OPEN_FOR for each in order["payments"]):
            return page("You are paying already", "Finish in the other tab, or come back in ten minutes.", 409)
        asked = {"amount": f"{money(total):.2f}", "currency": currency, "custom": order["number"]}
        try:
            if not sure:
                raise Trouble("an earlier payment is not decided")
            data = await self.gateway.call("POST", "/payment/create", {**asked, "return_url": f"{self.site}/payment/done"})
            if not isinstance(data.get("token"), str) or not isinstance(data.get("payment_url"), str):
                raise Trouble("no payment in the answer")
        except Trouble as trouble:
            log.error("order %s: payment could not be opened: %s", order["id"], trouble)
            return page("Not now", "Paying is not possible at the moment. You were not charged. Please try again soon.", 503)
        order["payments"].append({"token": data["token"], "state": "open", "at": time.time()})
        self.save(order)
        return page("To the payment", "One moment.", head=f'<meta http-equiv="Refresh" content="1; URL={escape(data["payment_url"])}">')

    def returned(self, request):
        token = request.query_params.get("data[token]")
        orders = [order for order in self.orders.values() if order["session"] == request.cookies.get("session", "")]
        return next((o for o in self.orders.values() if any(p["token"] == token for p in o["payments"])), None) or next(
            reversed(orders), None
        )

    async def back(self, request):
        order = self.returned(request)
        if order is None:
            return page("Thank you", "We do not know this payment. Once it is ours you will hear from us.", 404)
        async with self.locks[order["id"]]:
            order = self.orders[order["id"]]
            sure = await self.verify(order, looks=3)
        if not sure and order["state"] == "new":
            text = f'We are checking your payment. <a href="/orders/{order["id"]}">Your order</a> shows it soon.'
            return page("One moment", text, 202, f'<meta http-equiv="refresh" content="20; url=/orders/{order["id"]}">')
        if order["state"] == "new" and request.query_params.get("type") == "success":
            log.error("verification of order %s failed: the return claims a payment", order["id"])
        return RedirectResponse(f"/orders/{order['id']}", 303)

    async def show(self, request):
        if request.path_params["id"] not in self.orders:
            return page("Not found", "We have no such order.", 404)
        order = self.orders[request.path_params["id"]]
        facts = f'<b id="order" data-state="{order["state"]}" data-parcels="{order["parcels"]}" data-note="{order["note"]}">{order["number"]}</b>'
        return page("Your order", facts)

    async def front(self, request):
        return page("Tea", "Welcome.")


if __name__ == "__main__":
    shop = Shop(os.environ)
    routes = [Route(path, end, methods=["POST" if path == "/pay" else "GET"]) for path, end in shop.paths.items()]
    sorry = {500: lambda request, error: page("Sorry", "Something went wrong here. Please try again.", 500)}
    app = Starlette(routes=routes, exception_handlers=sorry)
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
