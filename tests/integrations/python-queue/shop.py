"""The web process of a shop whose payments are verified by a worker beside it. Sessions, a basket, an order page."""

import html
import logging
import os
import secrets
import subprocess
import sys
import threading
import time
from decimal import Decimal, InvalidOperation
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from books import Books
from gateway import Gateway, Trouble

log = logging.getLogger("web")
CURRENCIES = ("XAF", "EUR")
NEEDED = ("PAY_BASE_URL", "PAY_CLIENT_ID", "PAY_SECRET_KEY", "PUBLIC_URL", "PORT", "DATA_DIR")


class Shop:
    def __init__(self, books, gateway, public):
        self.books, self.gateway, self.public = books, gateway, public.rstrip("/")

    # GET.

    def shelf(self, web):
        web.show(200, "Tea and more", "Put something into your basket.")

    def basket(self, web):
        basket = self.books.basket(web.session)
        if basket is None:
            return web.show(200, "Your basket", "It is empty.")
        form = (f'<form method="post" action="/pay"><input type="hidden" name="guard" value="{html.escape(basket["guard"])}">'
                f'<label><input type="checkbox" name="terms" value="yes"> I agree</label><button>Pay</button></form>')
        return web.show(200, "Your basket", f"{basket['price']} {basket['currency']}", form)

    def order(self, web, number):
        order = self.books.order(number)
        if order is None:
            return web.show(404, "Unknown order", "We have no order with this number.")
        facts = "".join(f'<dt>{name}</dt><dd id="{name}">{html.escape(str(order[name]))}</dd>' for name in ("state", "parcels", "note"))
        return web.show(200, f"Order {number}", "This is what we know.", f"<dl>{facts}</dl>")

    def back(self, web, number):
        """From the payment page, whatever happened there. Nothing in the address is believed."""
        if self.books.order(number) is None:
            return web.show(404, "Unknown order", "We have no order with this number.")
        asked = self.ask_worker(web, number)
        order = self.books.order(number)
        if order["state"] == "paid":
            return web.show(200, "Thank you", f"Order {number} is paid.")
        if order["state"] == "held":
            return web.show(200, "One moment", "We are looking into your payment. Please do not pay again.")
        if asked and web.query.get("type") == ["success"]:
            log.error("order %s: somebody claims a payment that the gateway does not know", number)
        return web.show(200, "We are checking", "As soon as your payment is confirmed we write to you. If you left, you may start again.")

    def ask_worker(self, web, number, patience=2.0):
        """Have the worker look now, and wait a little for what it hears; True when it heard something."""
        before, end = self.books.hurry(number), time.monotonic() + patience
        while time.monotonic() < end:
            order = self.books.order(number)
            if order["state"] != "waiting" or self.books.asked(number) != before:
                return True
            time.sleep(0.05)
        return False

    # POST.

    def fill(self, web):
        price, currency = web.field("price"), web.field("currency")
        try:
            amount = Decimal(price)
            fine = amount.is_finite() and 0 < amount < 10**9 and amount == round(amount, 2) and currency in CURRENCIES
        except InvalidOperation:
            fine = False
        if not fine:
            return web.show(400, "We do not sell this", "Please look at the price and the currency again.")
        self.books.fill(web.session, f"{amount:.2f}", currency)
        return web.go("/basket")

    def pay(self, web):
        basket = self.books.basket(web.session)
        if basket is None:
            return web.show(409, "Your basket is empty", "Please choose something first.")
        if not secrets.compare_digest(basket["guard"].encode(), web.field("guard").encode()):
            return web.show(403, "Please try again", "Your basket changed in another window. Reload it, and pay from there.")
        number = self.books.order_of(web.session)
        more = {"X-Order-Number": number}
        if self.open_payments(number):
            self.ask_worker(web, number)
        order = self.books.order(number)
        if order["state"] != "waiting":
            return web.go(f"/order/{number}", more)
        deadline = time.monotonic() + 55
        while not (mine := self.books.begin_opening(number)) and time.monotonic() < deadline:
            if self.books.order(number)["state"] != "waiting":
                return web.go(f"/order/{number}", more)
            time.sleep(0.05)  # another click is opening the payment
        if not mine:
            return web.show(503, "One moment", "Your payment is being opened. Please try again.", more=more)
        try:
            if payment := self.open_payments(number):
                return web.go(payment["url"], more)
            token, url = self.gateway.create(number, order["price"], order["currency"], f"{self.public}/back/{number}",
                                             f"{self.public}/left/{number}", self.custom(order, web.session))
            self.books.add_payment(number, token, url)
        except Trouble as trouble:
            log.error("order %s: the payment could not be opened: %s", number, trouble)
            return web.show(503, "Not now", "We cannot take payments at this moment. You were not charged. Please try again soon.", more=more)
        finally:
            self.books.end_opening(number)
        return web.go(url, more)

    def open_payments(self, number):
        return self.books.open_payment(number)

    def custom(self, order, session):
        return order["number"]


class Web(BaseHTTPRequestHandler):
    shop, protocol_version, timeout = None, "HTTP/1.0", 15

    def do_GET(self):
        self.answer({"shelf": self.shop.shelf, "": self.shop.shelf, "basket": self.shop.basket},
                    {"back": self.shop.back, "left": self.shop.back, "order": self.shop.order})

    def do_POST(self):
        self.answer({"basket": self.shop.fill, "pay": self.shop.pay}, {})

    def answer(self, pages, numbered):
        try:
            address = urlsplit(self.path)
            self.query = parse_qs(address.query)
            size = self.headers.get("Content-Length", "0")
            self.form = parse_qs(self.rfile.read(min(int(size) if size.isdecimal() else 0, 10_000)).decode("utf-8", "replace"))
            self.session, self.fresh = self.find_session()
            name, _, number = address.path.strip("/").partition("/")
            if name in pages and not number:
                pages[name](self)
            elif name in numbered and number:
                numbered[name](self, number)
            else:
                self.show(404, "Nothing here", "This page does not exist.")
        except (BrokenPipeError, ConnectionResetError):
            pass
        except Exception:
            log.exception("an error of ours")
            self.show(500, "Our mistake", "Something went wrong on our side. Please try again in a moment.")

    def find_session(self):
        try:
            morsel = SimpleCookie(self.headers.get("Cookie", "")).get("basket")
        except CookieError:
            morsel = None
        if morsel and len(morsel.value) == 32 and morsel.value.isalnum():
            return morsel.value, False
        return secrets.token_hex(16), True

    def field(self, name):
        return self.form.get(name, [""])[0]

    def show(self, status, title, text, form="", more=None):
        page = f"<!doctype html><title>{html.escape(title)}</title><h1>{html.escape(title)}</h1><p>{html.escape(text)}</p>{form}"
        self.reply(status, page.encode(), {"Content-Type": "text/html; charset=utf-8", **(more or {})})

    def go(self, url, more=None):
        self.reply(303, b"", {"Location": url, **(more or {})})

    def reply(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body)), "Cache-Control": "no-store"}.items():
            self.send_header(name, value)
        if self.fresh:
            self.send_header("Set-Cookie", f"basket={self.session}; Path=/; HttpOnly; SameSite=Lax")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        log.info("%s", format % args)


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 64


def keep_worker(command):
    """The worker runs as long as we do; one that died is started again."""
    while True:
        ended = subprocess.Popen(command, stdin=subprocess.PIPE).wait()
        log.error("the worker ended with %s, starting another one", ended)
        time.sleep(0.2)


def start(make=Shop, speak=Gateway, worker="worker.py", arguments=()):
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s web[%(process)d] %(levelname)s %(message)s")
    if missing := [name for name in NEEDED if not os.environ.get(name)]:
        sys.exit(f"Cannot start: set {', '.join(missing)} in the environment.")
    env = os.environ
    books = Books(env["DATA_DIR"])
    books.free_all()
    Web.shop = make(books, speak(env["PAY_BASE_URL"], env["PAY_CLIENT_ID"], env["PAY_SECRET_KEY"]), env["PUBLIC_URL"])
    command = [sys.executable, str(Path(__file__).with_name(worker)), *arguments]
    threading.Thread(target=keep_worker, args=(command,), daemon=True).start()
    Server(("127.0.0.1", int(env["PORT"])), Web).serve_forever()


if __name__ == "__main__":
    start()
