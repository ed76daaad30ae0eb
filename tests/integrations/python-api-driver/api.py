"""Orders API (HATEOAS style), Starlette under uvicorn, httpx towards the gateway."""
import asyncio
import logging
import os
import secrets
import time
from decimal import Decimal, InvalidOperation

import httpx
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING)
log = logging.getLogger("orders")
BASE, CID, SEC, PUBLIC = (os.environ[k] for k in ("PAY_BASE_URL", "PAY_CLIENT_ID", "PAY_SECRET_KEY", "PUBLIC_URL"))


class Down(Exception):
    pass


class Gateway:
    def __init__(self):
        self.client = httpx.AsyncClient(base_url=BASE, timeout=httpx.Timeout(28, connect=10), headers={"Accept": "application/json"})
        self.lock, self.token, self.until, self.quiet = asyncio.Lock(), None, 0.0, 0.0

    async def _send(self, method, path, **kw):
        if time.monotonic() < self.quiet:
            raise Down("waiting as asked")
        try:
            async with asyncio.timeout(29):
                r = await self.client.request(method, path, **kw)
        except (httpx.HTTPError, TimeoutError, httpx.InvalidURL) as e:
            raise Down(type(e).__name__) from e
        if r.status_code == 429:
            wait = r.headers.get("retry-after", "5")
            self.quiet = time.monotonic() + (int(wait) if wait.isdigit() else 5) + 0.1
            raise Down("rate limited")
        return r

    @staticmethod
    def _data(r):
        try:
            doc = r.json()
        except ValueError as e:
            raise Down(f"HTTP {r.status_code} not JSON") from e
        if r.status_code != 200 or not isinstance(doc, dict) or doc.get("type") != "success" or not isinstance(doc.get("data"), dict):
            raise Down(f"HTTP {r.status_code} {str(doc)[:200]}")
        return doc["data"]

    async def _bearer(self, stale=None):
        async with self.lock:
            if self.token is None or self.token == stale or time.monotonic() > self.until:
                self.token = None
                d = self._data(await self._send("POST", "/authentication/token", json={"client_id": CID, "secret_id": SEC}))
                if not isinstance(d.get("access_token"), str):
                    raise Down("no token")
                self.token, self.until = d["access_token"], time.monotonic() + max(30, int(d.get("expire_time", 600)) - 60)
            return self.token

    async def call(self, method, path, **kw):
        t = await self._bearer()
        r = await self._send(method, path, headers={"Authorization": f"Bearer {t}"}, **kw)
        if r.status_code == 401:
            t = await self._bearer(t)
            r = await self._send(method, path, headers={"Authorization": f"Bearer {t}"}, **kw)
        log.info("%s %s -> %s %s", method, path, r.status_code, r.text[:1500])
        return self._data(r)


gw: Gateway
ORDERS: dict[str, dict] = {}


def show(o, code=200):
    links = [{"rel": "self", "href": f"/orders/{o['id']}"}]
    if o["state"] == "open":
        links.append({"rel": "payment", "href": f"/orders/{o['id']}/pay"})
    return JSONResponse({"id": o["id"], "state": o["state"], "remarks": o["remarks"], "deliveries": o["deliveries"],
                         "total": {"value": o["amount"], "currency": o["currency"]}, "links": links}, code)


def problem(code, title):
    return JSONResponse({"title": title, "status": code}, code, media_type="application/problem+json")


async def create_order(request):
    try:
        b = await request.json()
        amount, currency = str(b["total"]["value"]), str(b["total"]["currency"])
        if Decimal(amount) <= 0 or len(currency) != 3:
            raise ValueError
    except (ValueError, KeyError, TypeError, InvalidOperation):
        return problem(400, "Please check the order.")
    o = {"id": "ord_" + secrets.token_hex(8), "amount": amount, "currency": currency, "state": "open", "remarks": "", "deliveries": 0,
         "payments": [], "lock": asyncio.Lock(), "check": asyncio.Lock()}
    ORDERS[o["id"]] = o
    return show(o, 201)


async def verify(o):
    async with o["check"]:
        for p in o["payments"]:
            if p["state"] == "paid":
                continue
            d = await gw.call("GET", f"/payment/status/{p['token']}")
            if d.get("token") != p["token"]:
                raise Down("another payment")
            log.info("payment %s order=%s status=%s trx_id=%s", p["token"], o["id"], d.get("status"), d.get("trx_id"))
            if d.get("paid") is True:
                p["state"] = "paid"
                try:
                    enough = Decimal(str(d.get("amount"))) >= Decimal(o["amount"])
                except InvalidOperation:
                    enough = False
                if not enough or d.get("currency") != o["currency"] or d.get("custom") != o["id"]:
                    o["state"] = o["state"] if o["state"] == "settled" else "manual_review"
                    log.critical("verification failed order=%s", o["id"])
                elif o["state"] == "settled":
                    o["remarks"] = "overpaid: refund"
                    log.critical("double payment order=%s", o["id"])
                else:
                    o["state"], o["deliveries"] = "settled", o["deliveries"] + 1
            elif d.get("status") in ("EXPIRED", "CANCELLED", "FAILED"):
                p["state"] = "closed"


async def pay(request):
    o = ORDERS.get(request.path_params["id"])
    if not o:
        return problem(404, "No such order.")
    async with o["lock"]:
        try:
            await verify(o)
        except Down as e:
            log.warning("cannot look at open payments of %s: %s", o["id"], e)
        if o["state"] != "open":
            return problem(409, "This order needs no payment.")
        p = next((p for p in reversed(o["payments"]) if p["state"] == "open"), None)
        if not p:
            log.info("create payment order=%s amount=%s %s", o["id"], o["amount"], o["currency"])
            try:
                d = await gw.call("POST", "/payment/create", json={"amount": o["amount"], "currency": o["currency"], "custom": o["id"],
                                  "return_url": f"{PUBLIC}/back/{o['id']}", "cancel_url": f"{PUBLIC}/back/{o['id']}"})
                p = {"token": d["token"], "url": d["payment_url"], "state": "open"}
            except (Down, KeyError) as e:
                log.critical("payment of %s not opened: %s", o["id"], e)
                return problem(503, "Payments are not possible right now. Please try again.")
            o["payments"].append(p)
        return JSONResponse({"links": [{"rel": "self", "href": f"/orders/{o['id']}"}, {"rel": "pay", "href": p["url"]}]}, 201)


async def get_order(request):
    o = ORDERS.get(request.path_params["id"])
    return show(o) if o else problem(404, "No such order.")


async def back(request):
    o = ORDERS.get(request.path_params["id"])
    if not o:
        return HTMLResponse("<h1>Unknown order</h1>", 404)
    try:
        await verify(o)
    except Down as e:
        log.critical("verification failed order=%s: %s", o["id"], e)
    text = {"settled": "Thank you, paid.", "manual_review": "We look at your payment."}.get(o["state"], "We wait for your payment.")
    return HTMLResponse(f"<!doctype html><h1>{text}</h1><p>You can close this window.</p>")


async def later():
    while True:
        await asyncio.sleep(5)
        for o in [o for o in ORDERS.values() if o["state"] == "open" and o["payments"]]:
            try:
                await verify(o)
            except Down as e:
                log.warning("background check of %s: %s", o["id"], e)


import contextlib


@contextlib.asynccontextmanager
async def life(app):
    global gw
    gw = Gateway()
    job = asyncio.create_task(later())
    yield
    job.cancel()


app = Starlette(lifespan=life, routes=[Route("/health", lambda r: JSONResponse({"up": True})), Route("/orders", create_order, methods=["POST"]),
                Route("/orders/{id}/pay", pay, methods=["POST"]), Route("/orders/{id}", get_order), Route("/back/{id}", back)])
