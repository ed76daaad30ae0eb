"""What a run that was not scored says of the reason: what was sent, what came back, and what to change."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from payproof.contracts.events import Problem
from payproof.suites.config import make_config
from payproof.suites.run.plan import Options
from payproof.suites.run.runner import perform
from payproof.suites.session.diagnosis import _said_of  # pyright: ignore[reportPrivateUsage]

SHOP = """
import json, os, sys, traceback, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
mode, port, base = sys.argv[1], int(sys.argv[2]), os.environ.get("PAY_URL", "")

def call(path, body, token=None):
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(base + path, json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request))["data"]

def payment():
    token = call("/authentication/token", {"client_id": os.environ["PAY_ID"], "secret_id": os.environ["PAY_KEY"]})["access_token"]
    back = "https://shop.example/back"
    return call("/payment/create", {"amount": "10.00", "currency": "XAF", "return_url": back, "cancel_url": back, "custom": "1"},
                token)["payment_url"]

class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        absent = self.path == "/cart" or (mode == "front-end" and self.path.startswith("/back"))
        self.answer(404 if absent else 200, "<h1>Sorry</h1><p>the cart is <b>empty</b></p><a href='/'>To the shop</a>")
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if mode == "wants-a-form" and "form" not in self.headers["Content-Type"]:
            self.answer(400, "<p>order_id is missing</p>")
        elif mode == "wants-a-token":
            self.answer(403, "<p>CSRF token missing</p>")
        elif mode == "other-key":
            self.answer(200, json.dumps({"data": {"pay_at": payment()}}), "application/json")
        elif mode == "link":
            self.answer(200, f'<p>Pay now</p><a class="button" href="{payment()}">Pay</a>')
        elif mode == "no-address":
            payment()
            self.answer(200, json.dumps({"state": "open", "links": {"self": "/orders/1"}}), "application/json")
        elif mode == "other-host":
            print("POST https://api.payments.example/v1/create failed: no such host", flush=True)
            self.answer(502, "<p>Please try again later.</p>")
        elif mode in ("pays", "front-end"):
            self.answer(200, json.dumps({"data": {"pay_at": payment()}}), "application/json")
        elif mode == "complains":
            print("ERROR no stock for order 1", flush=True)
            for number in range(9):
                print("GET /assets/%d.css 200" % number, flush=True)
            self.answer(409, "<p>Sold out.</p>")
        elif mode == "breaks":
            print("\\x1b[31mERROR\\x1b[0m checkout of order 1", file=sys.stderr, flush=True)
            try:
                {}["amount"]
            except KeyError:
                traceback.print_exc()
            for number in range(9):
                print("GET /assets/%d.css 200" % number, flush=True)
            self.answer(500, "<p>Something went wrong.</p>")
        else:
            self.answer(200, "<p>thank you</p>")
    def answer(self, status, body, kind="text/html"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *args):
        pass

ThreadingHTTPServer(("127.0.0.1", port), Shop).serve_forever()
"""


def diagnosis(tmp_path: Path, mode: str, driver: str = "", **checkout: Any) -> tuple[str, ...]:
    (tmp_path / "shop.py").write_text(SHOP)
    recipe = {
        "checkout": {"path": "/checkout", "json": {"order_id": "{order.id}"}, **checkout},
        "order": {"path": "/orders/{order.id}", "status": "json:/status"},
    }
    integration = {
        "name": "stub",
        "command": [sys.executable, "shop.py", mode, "{port}"],
        "env": {
            "PAY_URL": "{gateway.base_url}",
            "PAY_ID": "{gateway.client_id}",
            "PAY_KEY": "{gateway.secret_key}",
        },
        **({"driver": driver} if driver else recipe),
    }
    config = make_config({"integration": integration}, folder=tmp_path, place="payproof.toml", environ={})
    run = asyncio.run(perform(config, Options(quick=True)))
    assert not run.scored
    return run.diagnosis


SILENT = "It never called the gateway"


def test_a_form_that_was_sent_as_json_is_recognised_and_what_was_sent_is_shown(tmp_path: Path) -> None:
    found = diagnosis(tmp_path, "wants-a-form")
    assert "The checkout answered 400 at POST https://" in found[0]
    assert '/checkout, to which {"order_id": ' in found[0].replace('":"', '": "')
    assert "write form = { … } instead of json" in found[0]
    assert found[0].endswith(' It said: "order_id is missing"')
    assert not any(SILENT in line for line in found)


def test_a_missing_token_is_thought_of(tmp_path: Path) -> None:
    found = diagnosis(tmp_path, "wants-a-token")
    assert "answered 403" in found[0]
    assert "`csrf`" in found[0]
    assert not any(SILENT in line for line in found)


DRIVER = """
import json
from payproof.suites.driver import OrderState, Started

class Shop:
    def __init__(self, values):
        self.base = values["public_url"]
    async def checkout(self, order, customer, *, again=False):
        visit = await customer.browse("POST", f"{self.base}/checkout", json={}, purpose="checkout", order=order.id)
        try:
            return Started(json.loads(visit.page.response.body)["data"]["pay_at"], visit.page)
        except ValueError:
            return Started(page=visit.page)
    async def order(self, order, customer):
        return OrderState("on hold", False)
"""


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("wants-a-token", "Perhaps it wants the hidden fields of its form: see with_hidden in docs/driver.md."),
        ("link", 'the driver returned no payment_url. It said: "Pay now'),
        ("pays", 'The driver does not say that the order is paid: its state is "on hold".'),
    ],
)
def test_who_brings_a_driver_is_told_of_the_driver_and_of_no_recipe(tmp_path: Path, mode: str, said: str) -> None:
    (tmp_path / "drive.py").write_text(DRIVER)
    found = diagnosis(tmp_path, mode, driver="drive.py:Shop")
    assert any(said in line for line in found), found
    assert not any("integration.checkout." in line or "integration.order." in line for line in found), found


def test_a_page_before_the_checkout_that_is_refused_is_named(tmp_path: Path) -> None:
    found = diagnosis(tmp_path, "", before=["GET /cart"])
    assert "leads to the checkout, GET https://" in found[0]
    assert "/cart, answered 404" in found[0]
    assert found[0].endswith(' It said: "Sorry · the cart is empty · To the shop"')
    assert not any(SILENT in line for line in found)


@pytest.mark.parametrize(
    ("mode", "redirect", "stands"),
    [
        ("other-key", "json:/payment_url", "json:/data/pay_at"),
        ("link", "location", "html:a.button"),
    ],
)
def test_a_wrong_redirect_is_told_where_the_address_does_stand(
    tmp_path: Path, mode: str, redirect: str, stands: str
) -> None:
    found = diagnosis(tmp_path, mode, redirect=redirect)
    assert f'integration.checkout.redirect = "{redirect}" found no address to pay at' in found[0]
    assert f'Write redirect = "{stands}".' in found[0]


def test_a_pointer_that_finds_nothing_is_shown_the_keys_there_are(tmp_path: Path) -> None:
    found = diagnosis(tmp_path, "no-address", redirect="json:/payment_url")
    assert "which holds /state, /links, /links/self" in found[0]


def test_a_shop_that_called_another_host_is_told_which(tmp_path: Path) -> None:
    found = diagnosis(tmp_path, "other-host")
    assert found[0].startswith("Its log names https://api.payments.example, and it called no gateway of this run.")
    assert any("answered 502" in line for line in found)
    assert any(SILENT in line and "PAY_URL" in line for line in found)


def test_an_error_stands_above_what_else_was_logged(tmp_path: Path) -> None:
    grave, noise = diagnosis(tmp_path, "complains")[-2:]
    assert grave == "It logged an error: ERROR no stock for order 1"
    assert noise.splitlines()[0] == "The last lines of its stdout:"
    assert noise.splitlines()[-1] == "GET /assets/8.css 200"
    assert "no stock" not in noise


def test_a_page_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    found = diagnosis(tmp_path, "pays", redirect="json:/data/pay_at")
    assert any(
        "The order's state could not be read at GET https://" in line and "is not JSON" in line for line in found
    )


def test_an_order_id_that_was_found_nowhere_is_said_where_the_orders_page_is_not_there(tmp_path: Path) -> None:
    found = diagnosis(tmp_path, "pays", redirect="json:/data/pay_at", order_id="url:/receipts/(\\d+)")
    assert any(
        '"url:/receipts/(\\d+)" (integration.checkout.order_id) found no id' in line and "payproof's own number" in line
        for line in found
    ), found
    without = diagnosis(tmp_path, "pays", redirect="json:/data/pay_at")
    assert not any("integration.checkout.order_id" in line for line in without)


def test_a_return_address_on_another_host_is_thought_to_be_a_front_end(tmp_path: Path) -> None:
    sentence = next(
        line for line in diagnosis(tmp_path, "front-end", redirect="json:/data/pay_at") if "return page" in line
    )
    assert sentence.startswith("The return page answered 404. It is at shop.example, and not at the public address")
    assert sentence.endswith("in integration.order.path.")


def test_a_trace_in_the_log_stands_whole_and_without_the_noise_after_it(tmp_path: Path) -> None:
    trace = diagnosis(tmp_path, "breaks")[-1].splitlines()
    assert trace[0] == "It logged a failure of its own:"
    assert "ERROR checkout of order 1" in trace
    assert "Traceback (most recent call last):" in trace
    assert any(line.startswith('  File "') and "shop.py" in line for line in trace)
    assert "KeyError: 'amount'" in trace
    assert not any("\x1b" in line for line in trace)
    assert not any("assets" in line for line in trace)


def test_a_refusal_is_told_with_the_gateways_word_for_programs_and_the_field() -> None:
    said = _said_of(Problem(text="A field does not conform.", name="INVALID", issue="SYNTAX", field="/amount/value"))
    assert said == "A field does not conform (SYNTAX, /amount/value)"
    assert _said_of(Problem(issue="SYNTAX")) == "SYNTAX"
    assert _said_of(Problem(text="The amount is wrong.", field="amount")) == "The amount is wrong."
