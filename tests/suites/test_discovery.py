"""`payproof init` finds out how shops that it has never seen are paid at: it starts them, tries one checkout, and corrects its draft."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import click
import pytest
from an_event import an_event

from payproof.contracts.entries import Call, Checkout, Page, Request, Response
from payproof.contracts.profile import load
from payproof.suites.commands import command
from payproof.suites.config import load_config
from payproof.suites.discovery.names import matched, settings
from payproof.suites.discovery.proposals import next_change
from payproof.suites.discovery.surroundings import look_around
from payproof.suites.discovery.trial import Trial

ORDER = "7804bbf0-9bf3-4361-ae01-3b809d85308d"
COMMON = """
import json, os, secrets, urllib.parse, urllib.request
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
API, PUBLIC = os.environ["QUATAPAY_API_URL"], os.environ["SHOP_URL"]
orders = {}

def call(path, body=None, token=None):
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    return json.load(urllib.request.urlopen(urllib.request.Request(API + path, data, headers)))["data"]

def token():
    keys = {"client_id": os.environ["QUATAPAY_CLIENT_ID"], "secret_id": os.environ["QUATAPAY_SECRET"]}
    return call("/authentication/token", keys)["access_token"]

def payment(order, amount):
    body = {"amount": amount, "currency": "XAF", "return_url": f"{PUBLIC}/thanks?o={order}", "cancel_url": PUBLIC, "custom": order}
    made = call("/payment/create", body, token())
    orders[order] = {"state": "open", "token": made["token"]}
    return made["payment_url"]

def check(order):
    found = call("/payment/status/" + orders[order]["token"], None, token())
    if found.get("status") == "SUCCESS" or found.get("paid") is True:
        orders[order]["state"] = PAID

class Base(BaseHTTPRequestHandler):
    def fields(self):
        return dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(), keep_blank_values=True))
    def answer(self, status, body, kind="text/html", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *args):
        pass

def serve(shop):
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), shop).serve_forever()
"""

STRICT = """
class Shop(Base):
    def do_GET(self):
        self.answer(200, '<form method="post" action="/start"><input name="guest"><button>Start</button></form>')
    def do_POST(self):
        self.fields()
        self.answer(403, "<h1>Forbidden</h1><p>Origin checking failed</p>")

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
"""

TILL = """
PAID = "Paid in full"
class Shop(Base):
    def do_GET(self):
        if self.path == "/":
            self.answer(200, '<a href="/imprint">About us</a><a href="/goodbye?log-out">Leave</a><a href="/next">Onwards</a>')
        elif self.path == "/next":
            form = '<form method="post" action="/till"><input name="email"><input type="checkbox" name="terms" value="yes">'
            self.answer(200, form + '<input type="checkbox" name="newsletter"><button>Pay</button></form>')
        elif self.path.startswith("/thanks?o="):
            check(self.path[10:].partition("&")[0])
            self.answer(303, "", Location="/orders/" + self.path[10:].partition("&")[0])
        elif self.path[8:] in orders:
            self.answer(200, f'<p class="state">{orders[self.path[8:]]["state"]}</p>')
        else:
            self.answer(200 if self.path == "/imprint" else 404, "<p>Ada Example</p>")
    def do_POST(self):
        given = self.fields()
        if self.path == "/till" and given.get("terms") == "yes" and "newsletter" not in given:
            self.answer(303, "", Location=payment(str(7000 + len(orders)), "2400.00"))
        else:
            self.answer(404, "")
serve(Shop)
"""

CART = """
PAID = "Bezahlt"
carts = {}
class Shop(Base):
    def cart(self):
        found = SimpleCookie(self.headers.get("Cookie", "")).get("sid")
        return found.value if found and found.value in carts else None
    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/":
            self.answer(200, '<h1>Tea</h1><a href="/about">About us</a><a href="/products/green">Green tea</a>')
        elif path == "/products/green":
            sid, key = secrets.token_hex(8), secrets.token_hex(8)
            carts[sid] = {"csrf": key, "items": 0}
            form = f'<form method="post" action="/cart/items"><input type="hidden" name="csrf" value="{key}">'
            form += '<input name="qty" value="2"><button>Add to cart</button></form>'
            self.answer(200, form, Set_Cookie=f"sid={sid}; Path=/")
        elif path == "/cart" and self.cart():
            cart = carts[self.cart()]
            form = f'<form method="post" action="/orders"><input type="hidden" name="csrf" value="{cart["csrf"]}">'
            form += '<input name="email"><input name="full_name"><select name="shipping"><option value="slow">Slow</option></select>'
            self.answer(200, f"<p>{cart['items']} in the cart</p>{form}<button>Place order and pay</button></form>")
        elif path == "/thanks":
            order = dict(urllib.parse.parse_qsl(query))["o"]
            check(order)
            self.answer(303, "", Location=f"/orders/{order}")
        elif path.startswith("/orders/") and path[8:] in orders:
            self.answer(200, f'<h1>Order</h1><p>State: <strong class="order-state">{orders[path[8:]]["state"]}</strong></p>')
        else:
            self.answer(404, "<p>not here</p>")
    def do_POST(self):
        given, sid = self.fields(), self.cart()
        if sid is None or given.get("csrf") != carts[sid]["csrf"]:
            self.answer(403, "<p>Your form has expired.</p>")
        elif self.path == "/cart/items":
            carts[sid]["items"] += int(given["qty"])
            self.answer(303, "", Location="/cart")
        elif self.path == "/orders" and carts[sid]["items"] and given.get("email") and given.get("full_name") and given.get("shipping"):
            order = str(7000 + len(orders))
            self.answer(303, "", Location=payment(order, "2400.00"))
        else:
            self.answer(422, "<p>Something is missing.</p>")
serve(Shop)
"""

JSON = """
PAID = "complete"
class Shop(Base):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/thanks":
            order = dict(urllib.parse.parse_qsl(query))["o"]
            check(order)
            self.answer(200, json.dumps({"order": {"id": order, "payment_status": orders[order]["state"]}}), "application/json")
        elif path.startswith("/orders/") and path[8:] in orders:
            page = {"order": {"id": path[8:], "payment_status": orders[path[8:]]["state"]}}
            self.answer(200, json.dumps(page), "application/json")
        else:
            self.answer(404, "{}", "application/json")
    def do_POST(self):
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        order = "T-" + secrets.token_hex(4)
        answer = {"order": {"id": order}, "links": {"pay_at": payment(order, given["amount"])}}
        self.answer(201, json.dumps(answer), "application/json")
serve(Shop)
"""

FORM = """
PAID = "payment received: paid"
class Shop(Base):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/thanks":
            order = dict(urllib.parse.parse_qsl(query))["o"]
            check(order)
        else:
            order = path.rpartition("/")[2]
        if order in orders:
            self.answer(200, f'<h1>Order {order}</h1><p id="state">{orders[order]["state"]}</p>')
        else:
            self.answer(404, "<p>no such page</p>")
    def do_POST(self):
        if "form" not in self.headers["Content-Type"]:
            return self.answer(415, "<p>only forms</p>")
        given = self.fields()
        self.answer(200, f'<p>Almost there</p><a id="pay" href="{payment(given["order_id"], given["amount"])}">Pay now</a>')
serve(Shop)
"""

ROOMS = """
PAID = "confirmed"
guests = {}
class Shop(Base):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        given = dict(urllib.parse.parse_qsl(query))
        if path == "/":
            search = '<form action="/search"><input name="q"><button>Search rooms</button></form>'
            choose = '<form action="/details"><select name="room"><option value="lake">Lake</option></select><input name="nights" value="2">'
            self.answer(200, search + choose + "<button>Next</button></form>")
        elif path == "/details" and given.get("room") == "lake":
            sid = secrets.token_hex(8)
            guests[sid] = ""
            form = '<form method="post" action="/confirm"><input name="guest"><input type="tel" name="reach"><textarea name="street">\\n</textarea>'
            self.answer(200, form + "<button>Next</button></form>", Set_Cookie=f"sid={sid}; Path=/")
        elif path == "/back":
            check("B" + given["no"])
            self.answer(200, f'<p>Thank you</p><a href="/booking?no={given["no"]}">Your booking</a>')
        elif path == "/booking":
            self.answer(200, f'<table><tr><th>Status</th><td id="status">{orders["B" + given["no"]]["state"]}</td></tr></table>')
        else:
            self.answer(404, "<p>not here</p>")
    def do_POST(self):
        given = self.fields()
        found = SimpleCookie(self.headers.get("Cookie", "")).get("sid")
        if found is None or found.value not in guests:
            self.answer(403, "<p>Please start again.</p>")
        elif self.path == "/confirm" and given.get("guest") == "Ada Example" and "+" in given.get("reach", "") and given["street"].strip():
            guests[found.value] = secrets.token_hex(8)
            form = f'<form method="post" action="/book"><input type="hidden" name="once" value="{guests[found.value]}">'
            self.answer(200, form + "<button>Book and pay</button></form>")
        elif self.path == "/book" and given.get("once") and given["once"] == guests[found.value]:
            address = payment("B" + str(7000 + len(orders)), "2400.00")
            self.answer(200, f'<meta http-equiv="refresh" content="0; url={address}"><p>One moment</p>')
        else:
            self.answer(422, "<p>Something is missing.</p>")
serve(Shop)
""".replace("\\\\n", "\\n")

TICKETS = """
PAID = "bezahlt"
class Shop(Base):
    def do_GET(self):
        number = self.path.partition("?")[0].rpartition("/")[2]
        if self.path == "/":
            form = f'<form method="post" action="/kasse"><input name="beleg" value="W-{secrets.randbelow(10**8):08}">'
            self.answer(200, form + '<input name="summe" value="49.90"><button>Bestellen</button></form>')
        elif self.path.startswith("/back/"):
            check(f"TK-{number}.1")
            self.answer(303, "", Location=f"/tickets/{number}")
        elif self.path.startswith("/tickets/"):
            state = orders[f"TK-{number}.1"]["state"]
            self.answer(200, f'<dl><dd data-is="number">{number}</dd><dd data-is="state">{state}</dd></dl>')
        else:
            self.answer(404, "<p>not here</p>")
    def do_POST(self):
        given = self.fields()
        if f"TK-{given['beleg']}.1" in orders:
            return self.answer(409, "<p>We have had this number.</p>")
        address = json.dumps(payment(f"TK-{given['beleg']}.1", given["summe"]))
        self.answer(200, f"<script>var started = 1</script><h1>One moment</h1><script>location.href = {address}</script>")
serve(Shop)
"""

BOOKINGS = """
PAID = "confirmed"
class Shop(Base):
    def do_GET(self):
        path = self.path.partition("?")[0]
        if path.startswith("/back/"):
            check(f"booking {path[6:]}.1")
            self.answer(200, "<p>Thank you</p>")
        elif path.startswith("/api/bookings/"):
            self.answer(200, json.dumps({"state": orders[f"booking {path[14:]}.1"]["state"]}), "application/json")
        else:
            self.answer(404, "<p>not here</p>")
    def do_POST(self):
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not isinstance(given["price"], int | float):
            return self.answer(422, "{}", "application/json")
        address = payment(f"booking D-{len(orders) + 1:06}.1", f"{given['price']:.2f}")
        self.answer(201, json.dumps({"pay_at": address}), "application/json")
serve(Shop)
"""


BELOW = """
PAID = "paid"
class Shop(Base):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/shop/thanks":
            check(dict(urllib.parse.parse_qsl(query))["o"])
            self.answer(200, "<p>Thank you</p>")
        elif path.startswith("/shop/orders/") and path[13:] in orders:
            self.answer(200, json.dumps({"status": orders[path[13:]]["state"]}), "application/json")
        else:
            self.answer(404, "<p>not here</p>")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = json.loads(body) if body.startswith("{") else dict(urllib.parse.parse_qsl(body))
        self.answer(303, "", Location=payment(given["order_id"], given["amount"]))
serve(Shop)
"""


def refused(body: str, kind: str) -> Trial:
    """The shop answered the checkout with 422, and this."""
    answer = Response(status=422, headers=(("content-type", kind),), body=body, size=len(body))
    asked = Request(method="POST", url="https://shop.localhost/checkout")
    page = Page(n=1, began=0, ended=0, where="integration", purpose="checkout", request=asked, response=answer)
    checkout = Checkout(order="1", amount="10.00", currency="XAF", outcome="refused", page=1)
    return Trial(False, (), "1", checkout, (page,), (), None, None, lambda url: False)


@pytest.mark.parametrize(
    ("body", "kind", "form"),
    [('{"missing": "cart.total"}', "application/json", False), ("<p>order_id is missing</p>", "text/html", True)],
)
def test_a_form_is_tried_where_json_is_refused_by_a_page_and_not_where_it_is_refused_in_json(
    body: str, kind: str, form: bool
) -> None:
    change = next_change(refused(body, kind), {"json": {"order_id": "{order.id}"}}, {})
    assert (change is not None and "form" in change.checkout) is form


@pytest.mark.parametrize(
    ("header", "pages", "pointer"),
    [
        ((("X-Order", ORDER),), (), "header:X-Order"),
        ((("Location", f"https://gateway.test/{ORDER}"),), (), "url:/back/([^/?#]+)"),
        ((), ("https://shop.localhost/quotes/17", "https://shop.localhost/pay"), "url:/quotes/([^/?#]+)"),
    ],
)
def test_the_shops_own_id_is_found_in_a_header_with_its_dashes_and_on_a_page_before_the_checkout(
    header: tuple[tuple[str, str], ...], pages: tuple[str, ...], pointer: str
) -> None:
    sent = "Q17" if pages else ORDER.replace("-", "")
    answer = Response(status=303, headers=header, body="", size=0)
    asked = Request(method="POST", url="https://shop.localhost/pay")
    page = Page(n=9, began=0, ended=0, where="integration", purpose="checkout", request=asked, response=answer)
    before = tuple(replace(page, n=n, purpose="before", request=replace(asked, url=url)) for n, url in enumerate(pages))
    back = "https://shop.localhost/back/" + ("x" if pages else ORDER)
    event = an_event("create", payment="p", reference=sent, return_url=back, amount="10.00", currency="XAF")
    call = Call(n=8, began=0, ended=0, ending="answered", request=asked, event=event)
    checkout = Checkout(order="1", amount="10.00", currency="XAF", outcome="redirected", page=9, payment="p")
    trial = Trial(False, (), "000", checkout, (*before, page), (call,), None, None, lambda url: False)
    change = next_change(trial, {"form": {"amount": "{order.amount}"}}, {})
    assert change is not None
    assert change.checkout["order_id"] == pointer


def test_the_json_itself_may_be_the_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"Sent as json": '{"cart": {"total": "{order.amount}"}}', "Command": "python shop.py"}

    def prompt(question: str, *, default: str, show_default: bool) -> str:
        return next((answer for words, answer in given.items() if question.startswith(words)), default)

    monkeypatch.setattr("click.prompt", prompt)
    assert command(["init", "--no-try"]) == 0
    assert load_config(folder).integration.checkout.json_body == {"cart": {"total": "{order.amount}"}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(folder: Path, shop: str, *more: str, back: str = "/thanks?o={order}") -> str:
    """What init tells of a shop; its file is there then."""
    (folder / "app.py").write_text(dedent(COMMON.replace("/thanks?o={order}", back) + shop))
    assert command(["init", "--yes", "--try", "--command", f"{sys.executable} app.py", *more]) == 0
    return (folder / "payproof.toml").read_text()


def test_a_shop_with_a_cart_forms_tokens_and_ids_of_its_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found(folder, CART)
    assert "the order is paid" in capsys.readouterr().out
    recipe = load_config(folder).integration
    assert recipe.checkout.before == ("GET /products/green", "POST /cart/items qty=2")
    assert (recipe.checkout.path, recipe.checkout.amount) == ("/orders", "2400.00")
    assert recipe.checkout.form == {"email": "ada@example.test", "full_name": "Ada Example", "shipping": "slow"}
    assert (recipe.order.path, recipe.order.status) == ("/orders/{order.id}", "html:strong.order-state")
    assert recipe.order.paid == ("Bezahlt",)
    assert command(["run", "--only", "flow.success", "--report-dir", "out"]) == 0


def test_a_checkout_of_several_forms_that_a_refresh_leads_on_from(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = (COMMON + ROOMS).replace('/thanks?o={order}"', '/back?no={order[1:]}"')
    (folder / "app.py").write_text(shop)
    assert command(["init", "--yes", "--try", "--command", f"{sys.executable} app.py"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "The page that customers return to links to /booking?no={order.id}." in out
    assert "the order is paid" in out
    recipe = load_config(folder).integration
    assert recipe.checkout.before == (
        "GET /details?room=lake&nights=2",
        "POST /confirm guest=Ada Example&reach=+237600000001&street=1 Example Street",
    )
    assert (recipe.checkout.path, recipe.checkout.order_id) == ("/book", "url:[?&]no=([^&#]+)")
    assert (recipe.order.path, recipe.order.paid) == ("/booking?no={order.id}", ("confirmed",))


def test_a_form_that_the_shop_did_not_take_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found(folder, STRICT)
    out = " ".join(capsys.readouterr().out.split())
    assert "No form on its pages was found to lead to the gateway. POST /start was answered 403:" in out
    assert "Origin checking failed" in out
    assert "X-Forwarded-Proto" in out


def test_a_till_behind_any_link_is_found_and_what_must_be_agreed_to_is_ticked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found(folder, TILL)
    assert "the order is paid" in capsys.readouterr().out
    checkout = load_config(folder).integration.checkout
    assert checkout.before == ("GET /next",)
    assert checkout.form == {"email": "ada@example.test", "terms": "yes"}


def test_a_shop_that_speaks_json_with_names_of_its_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found(folder, JSON)
    assert "the order is paid" in capsys.readouterr().out
    recipe = load_config(folder).integration
    assert recipe.checkout.redirect == "json:/links/pay_at"
    assert recipe.checkout.order_id == "json:/order/id"
    assert (recipe.order.status, recipe.order.paid) == ("json:/order/payment_status", ("complete",))
    assert recipe.env["QUATAPAY_API_URL"] == "{gateway.base_url}"
    assert recipe.env["SHOP_URL"] == "{public_url}"


def test_a_shop_whose_address_of_the_gateway_stands_in_its_code_is_led_here(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = COMMON.replace('os.environ["QUATAPAY_API_URL"]', '"https://api.wallet.example/pay/sandbox/api/v1"')
    (folder / "app.py").write_text(dedent(fixed + JSON))
    assert command(["init", "--yes", "--try", "--command", f"{sys.executable} app.py"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Its code names api.wallet.example: calls to there are led to the run's gateway." in out
    assert "the order is paid" in out
    assert load_config(folder).integration.gateway_hosts == ("api.wallet.example",)


def test_a_host_that_the_environment_may_replace_or_that_is_live_is_not_led_anywhere(tmp_path: Path) -> None:
    code = tmp_path / "app.py"
    for text in (
        'os.environ.get("PAY_BASE_URL", "https://a.example/pay/sandbox/api/v1")',
        '"https://a.example/pay/api/v1"',
    ):
        code.write_text(text)
        assert look_around(tmp_path, load("quatapay")).gateway_hosts == ()
    code.write_text('"https://a.example/pay/sandbox/api/v1/payment/create"')
    assert look_around(tmp_path, load("quatapay")).gateway_hosts == ("a.example",)


def test_a_shop_that_takes_a_form_and_shows_a_link(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found(folder, FORM)
    assert "the order is paid" in capsys.readouterr().out
    recipe = load_config(folder).integration
    assert recipe.checkout.form is not None
    assert recipe.checkout.json_body is None
    assert recipe.checkout.redirect == "html:a#pay"
    assert (recipe.order.status, recipe.order.paid) == ("html:p#state", ("payment received: paid",))


def test_a_script_leads_to_the_payment_and_a_number_in_a_form_is_the_orders(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found(folder, TICKETS, back="/back/{order[3:-2]}")
    assert "the order is paid" in capsys.readouterr().out
    recipe = load_config(folder).integration
    assert recipe.checkout.redirect == "html:script:nth-of-type(2)"
    assert recipe.checkout.form == {"beleg": "{order.id}", "summe": "{order.amount}"}
    assert recipe.checkout.order_id is None
    assert recipe.checkout.amount is None
    assert recipe.checkout.currency == "XAF"
    assert (recipe.order.path, recipe.order.status) == ("/tickets/{order.id}", "html:dd[data-is=state]")


def test_an_api_that_takes_numbers_shows_an_order_below_where_it_was_made(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found(
        folder,
        BOOKINGS,
        "--checkout",
        "POST /api/bookings",
        "--json",
        '{"price": "{order.amount:number}"}',
        back="/back/{order[8:-2]}",
    )
    assert "the order is paid" in capsys.readouterr().out
    recipe = load_config(folder).integration
    assert recipe.checkout.order_id == "url:/back/([^/?#]+)"
    assert (recipe.checkout.amount, recipe.checkout.currency) == (None, "XAF")
    assert (recipe.order.path, recipe.order.status) == ("/api/bookings/{order.id}", "json:/state")


@pytest.mark.parametrize("form", [(), ("--form", "order_id={order.id}", "--form", "amount={order.amount}")])
def test_orders_are_looked_for_below_the_address_that_a_shop_lives_at(
    folder: Path, capsys: pytest.CaptureFixture[str], form: tuple[str, ...]
) -> None:
    found(folder, BELOW, "--checkout", "POST /shop/checkout", *form, back="/shop/thanks?o={order}")
    assert "the order is paid" in capsys.readouterr().out
    assert load_config(folder).integration.order.path == "/shop/orders/{order.id}"


def test_a_word_that_says_not_paid_is_never_taken_for_paid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found(
        folder,
        FORM.replace("payment received: paid", "not paid yet").replace("check(order)", "orders[order]['state'] = PAID"),
    )
    assert "the order is paid" not in capsys.readouterr().out
    assert load_config(folder).integration.order.paid == ("paid",)


def test_a_shop_that_cannot_be_paid_at_leaves_one_sentence_and_a_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = "self.answer(501, '\\x1b[31mclosed\\x1b[0m for good\\x07')"
    found(folder, f"PAID = ''\nclass Shop(Base):\n    def do_POST(self):\n        {answer}\nserve(Shop)\n")
    out = capsys.readouterr().out
    missing = [line for line in out.splitlines() if line.startswith("What is missing: ")]
    assert len(missing) == 1
    assert "closed for good" in " ".join(out.split())
    assert not any(letter in out for letter in "\x1b\x07")
    assert "answered 501" in missing[0]
    assert load_config(folder).integration.checkout.path == "/checkout"


def test_answers_are_looked_at_one_by_one_and_a_question_mark_helps(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = iter(
        [
            "nopay",
            "quatapay",
            "shop",
            "?",
            "python shop.py",
            "/up",
            "checkout",
            "POST /pay",
            "xml",
            '{"cart": ',
            "form",
            "josn:/x",
            "json:/url",
        ]
    )

    def prompt(question: str, *, default: str, show_default: bool) -> str:
        return next(given, default)

    monkeypatch.setattr("click.prompt", prompt)
    assert command(["init", "--no-try"]) == 0
    out = capsys.readouterr().out
    for words in (
        'unknown gateway "nopay"',
        "{port} stands for a free port",
        "is not a method and a path",
        "neither json nor form",
        "not JSON",
    ):
        assert words in out
    recipe = load_config(folder).integration
    assert (recipe.checkout.path, recipe.checkout.redirect) == ("/pay", "json:/url")
    assert recipe.checkout.form is not None


@pytest.mark.parametrize(
    ("files", "framework", "begins"),
    [
        ({"manage.py": ""}, "Django", ("python", "manage.py")),
        ({"main.py": "from fastapi import FastAPI\nshop = FastAPI()\n"}, "FastAPI", ("uvicorn", "main:shop")),
        ({"app.py": "app = Flask(__name__)\n"}, "Flask", ("flask", "--app")),
        ({"package.json": '{"dependencies": {"express": "4"}, "scripts": {"start": "node app.js"}}'}, "express", ("node", "app.js")),
        ({"artisan": "", "composer.json": "{}"}, "Laravel", ("php", "artisan")),
        ({"public/index.php": ""}, "PHP", ("php", "-S")),
        ({"go.mod": "module shop"}, "Go", ("go", "run")),
        ({"pom.xml": "<artifactId>spring-boot-starter-web</artifactId>"}, "Spring", ("mvn", "-q")),
        ({"bin/rails": ""}, "Rails", ("bin/rails", "server")),
        ({"shop.csproj": "<Project/>"}, ".NET", ("dotnet", "run")),
        ({"mix.exs": "{:phoenix, \"~> 1.7\"}"}, "Phoenix", ("mix", "phx.server")),
        ({"mix.exs": "{:plug, \"~> 1\"}"}, "Elixir", ("mix", "run")),
        ({"Cargo.toml": "[package]"}, "Rust", ("cargo", "run")),
        ({"shop.exs": "Web.serve(4000)"}, "Elixir", ("elixir", "shop.exs")),
        ({"shop.exe": ""}, "Mono", ("mono", "shop.exe")),
        ({"server.mjs": "import Koa from 'koa'"}, "Node", ("node", "server.mjs")),
        ({"shop.rb": "require 'sinatra'"}, "Ruby", ("ruby", "shop.rb")),
        ({"tickets.pl": "use Mojolicious::Lite -signatures;"}, "Mojolicious", ("perl", "tickets.pl", "daemon", "-l")),
        ({"readme.txt": ""}, "", ()),
    ],
)  # fmt: skip
def test_a_framework_is_known_by_its_files(
    tmp_path: Path, files: dict[str, str], framework: str, begins: tuple[str, ...]
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    around = look_around(tmp_path, load("quatapay"))
    assert (around.framework, around.command[: len(begins)]) == (framework, begins)


def test_settings_are_known_by_the_names_that_the_code_reads(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text("QP_CLIENT_ID=\nDEBUG=1\n")
    (tmp_path / "pay.js").write_text("const key = process.env.QP_SECRET_KEY; listen(process.env.PORT)")
    (tmp_path / "pay.php").write_text("<?php $base = getenv('PAYMENT_BASE_URL'); $me = $_ENV['APP_URL'];")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/x.js").write_text("process.env.OTHER_CLIENT_ID")
    assert look_around(tmp_path, load("quatapay")).settings.env == {
        "QP_CLIENT_ID": "{gateway.client_id}",
        "QP_SECRET_KEY": "{gateway.secret_key}",
        "PORT": "{port}",
        "PAYMENT_BASE_URL": "{gateway.base_url}",
        "APP_URL": "{public_url}",
    }
    assert matched(["LOG_LEVEL", "HOST", "HOME"], load("quatapay")) == {}
    assert matched(["QP_CLIENT", "STORAGE"], load("quatapay")) == {
        "QP_CLIENT": "{gateway.client_id}",
        "STORAGE": "{instance.dir}",
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("app.mjs", "const { QP_BASE, QP_CLIENT_ID: id,\n  QP_SECRET_ID = '', ...rest } = process.env"),
        ("app.ts", "const {QP_BASE, QP_CLIENT_ID, QP_SECRET_ID} = Bun.env;"),
        ("app.jsx", "const id = import.meta.env.QP_CLIENT_ID, { QP_BASE, QP_SECRET_ID } = process.env"),
        ("shop.pl", "my $api = $ENV{QP_BASE}; my ($id, $secret) = @ENV{qw(QP_CLIENT_ID QP_SECRET_ID)};"),
        ("Pay.pm", "my ($api, $id) = @ENV{'QP_BASE', \"QP_CLIENT_ID\"}; my $secret = $ENV{'QP_SECRET_ID'} // die;"),
        ("pay.rs", 'let b = env::var("QP_BASE")?; env::var_os("QP_CLIENT_ID"); std::env::var("QP_SECRET_ID")'),
        ("Pay.cs", 'GetEnvironmentVariable("QP_BASE"); E.GetEnvironmentVariable("QP_CLIENT_ID"); GetEnvironmentVariable("QP_SECRET_ID")'),
        ("Pay.swift", 'let e = p.environment; e.environment["QP_BASE"]; environment["QP_CLIENT_ID"]; environment["QP_SECRET_ID"]'),
        ("pay.erl", 'os:getenv("QP_BASE"), os:getenv("QP_CLIENT_ID", ""), os:getenv("QP_SECRET_ID")'),
        ("pay.exs", 'System.get_env("QP_BASE", "x"); System.fetch_env!("QP_CLIENT_ID"); System.fetch_env!("QP_SECRET_ID")'),
        ("pay.ex", 'System.get_env("QP_BASE"); System.fetch_env!("QP_CLIENT_ID"); System.get_env("QP_SECRET_ID", "")'),
    ],
)  # fmt: skip
def test_each_languages_way_to_read_its_environment_is_known(tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / name).write_text(code)
    assert look_around(tmp_path, load("quatapay")).settings.env == {
        "QP_BASE": "{gateway.base_url}",
        "QP_CLIENT_ID": "{gateway.client_id}",
        "QP_SECRET_ID": "{gateway.secret_key}",
    }


def test_a_variable_that_was_given_stands_beside_those_that_the_code_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app.mjs").write_text("const { QP_BASE, QP_CLIENT_ID, QP_SECRET, DATA, PEPPER } = process.env")
    monkeypatch.chdir(tmp_path)
    more = ("--no-try", "--env", "PEPPER=x", "--env", "QP_BASE={gateway.base_url}/v1", "--env", "STORE={instance.dir}")
    assert command(["init", "--yes", *more]) == 0
    assert dict(load_config(tmp_path).integration.env) == {
        "PEPPER": "x",
        "QP_BASE": "{gateway.base_url}/v1",
        "STORE": "{instance.dir}",
        "QP_CLIENT_ID": "{gateway.client_id}",
        "QP_SECRET": "{gateway.secret_key}",
    }


@pytest.mark.parametrize(
    ("file", "helper"),
    [
        ("boot.php", "<?php $need = static fn (string $name): string => getenv($name) ?: throw new Missing($name);"),
        (
            "main.ts",
            "function required(name: string): string { const value = process.env[name]; if (!value) throw 1; return value; }",
        ),
        ("config.rb", "def need(name) = ENV.fetch(name) { abort name }"),
        ("settings.py", "def need(name): return os.environ.get(name) or sys.exit(name)"),
        ("main.go", "func need(name string) string { return os.Getenv(name) }"),
        ("Env.java", "static String need(String name) { return System.getenv(name); }"),
    ],
)
def test_settings_that_a_helper_insists_on_are_known_too(tmp_path: Path, file: str, helper: str) -> None:
    uses = """api = need("PAYMENT_API"); id = need("PAYMENT_CLIENT_ID"); secret = need("PAYMENT_SECRET"); log("NOT_IT here", "ERROR")
        site = need("APP_URL"); port = need("PORT")"""
    (tmp_path / file).write_text(f"{helper}\n{uses}\n")
    found = look_around(tmp_path, load("quatapay")).settings
    assert found.env == {
        "PAYMENT_API": "{gateway.base_url}",
        "PAYMENT_CLIENT_ID": "{gateway.client_id}",
        "PAYMENT_SECRET": "{gateway.secret_key}",
        "APP_URL": "{public_url}",
        "PORT": "{port}",
    }
    assert found.open == ()


def test_the_gateways_settings_are_known_by_what_their_names_have_in_common() -> None:
    profile = load("quatapay")
    assert matched(
        ["DJANGO_SECRET_KEY", "SITE_URL", "QUATAPAY_URL", "QUATAPAY_CLIENT", "QUATAPAY_SECRET"], profile
    ) == {
        "QUATAPAY_URL": "{gateway.base_url}",
        "QUATAPAY_CLIENT": "{gateway.client_id}",
        "QUATAPAY_SECRET": "{gateway.secret_key}",
        "SITE_URL": "{public_url}",
    }
    assert matched(["PAYMENT_API", "PAYMENT_KEY", "PAYMENT_SECRET"], profile) == {
        "PAYMENT_API": "{gateway.base_url}",
        "PAYMENT_KEY": "{gateway.client_id}",
        "PAYMENT_SECRET": "{gateway.secret_key}",
    }
    assert matched(["PAY_WEBHOOK_SECRET", "PAY_URL"], profile) == {"PAY_URL": "{gateway.base_url}"}
    assert matched(["HARBOR_API", "HARBOR_NOTICE_SECRET", "HARBOR_SECRET", "HARBOR_CLIENT"], load("harbor")) == {
        "HARBOR_API": "{gateway.base_url}",
        "HARBOR_NOTICE_SECRET": "{gateway.notice_secret}",
        "HARBOR_SECRET": "{gateway.secret_key}",
        "HARBOR_CLIENT": "{gateway.client_id}",
    }
    assert matched(["QP_API", "QP_ID", "QP_KEY", "APP_BASE", "DATABASE_URL"], profile) == {
        "QP_API": "{gateway.base_url}",
        "QP_ID": "{gateway.client_id}",
        "QP_KEY": "{gateway.secret_key}",
        "APP_BASE": "{public_url}",
    }
    assert matched(["CLIENT_ID", "SECRET_KEY", "JWT_SECRET"], profile) == {
        "CLIENT_ID": "{gateway.client_id}",
        "SECRET_KEY": "{gateway.secret_key}",
    }


def test_a_base_url_is_the_gateways_where_its_keys_have_the_same_first_word() -> None:
    names = ["QUATA_BASE_URL", "QUATA_CLIENT_ID", "QUATA_SECRET", "SITE_BASE_URL"]
    found = matched(names, load("quatapay"))
    assert (found["QUATA_BASE_URL"], found["SITE_BASE_URL"]) == ("{gateway.base_url}", "{public_url}")
    own = matched(["SHOP_BASE_URL", "SHOP_CLIENT_ID", "SHOP_SECRET", "PAY_URL"], load("quatapay"))
    assert (own["SHOP_BASE_URL"], own["PAY_URL"]) == ("{public_url}", "{gateway.base_url}")


@pytest.mark.parametrize("name", ["LISTEN", "LISTEN_ADDR", "HTTP_ADDR", "SHOP_BIND"])
def test_an_address_to_listen_at_has_the_port_in_it(name: str) -> None:
    assert matched([name], load("quatapay")) == {name: "127.0.0.1:{port}"}
    assert matched([name, "PORT"], load("quatapay")) == {"PORT": "{port}"}


def test_what_an_example_gives_is_taken_and_a_database_is_each_instances_own() -> None:
    found = settings(
        ["ROOMS_DB", "QUEUE"],
        {"DJANGO_SECRET_KEY": "change-me", "DATABASE": "var/db.sqlite3", "EMPTY": "", "MAIL_URL": "smtp://mail"},
        load("quatapay"),
        sqlite=True,
    )
    assert found.env == {
        "DJANGO_SECRET_KEY": "change-me",
        "DATABASE": "{instance.dir}/db.sqlite3",
        "ROOMS_DB": "{instance.dir}/shop.db",
    }
    assert found.open == ("EMPTY", "MAIL_URL", "QUEUE")


def test_an_example_that_is_the_gateways_address_says_what_its_name_does_not() -> None:
    examples = {
        "TICKET_GATEWAY": "https://gateway.example/pay/sandbox/api/v1",
        "TICKET_CLIENT": "",
        "TICKET_SECRET": "",
    }
    assert settings((), examples, load("quatapay"), sqlite=False).env == {
        "TICKET_GATEWAY": "{gateway.base_url}",
        "TICKET_CLIENT": "{gateway.client_id}",
        "TICKET_SECRET": "{gateway.secret_key}",
    }
    live = {"TICKET_GATEWAY": "https://gateway.example/pay/api/v1/"}
    assert settings((), live, load("quatapay"), sqlite=False).env == {"TICKET_GATEWAY": "{gateway.base_url}"}


def test_a_data_folder_is_known_by_its_last_words_and_what_is_handed_over_anyway_is_not_listed() -> None:
    found = settings(("PASS_DATA", "SSL_CERT_FILE", "BUNDLE_GEMFILE", "MOTTO"), {}, load("quatapay"), sqlite=False)
    assert found.env == {"PASS_DATA": "{instance.dir}"}
    assert found.open == ("MOTTO",)


def test_a_name_that_was_answered_is_not_given_what_the_example_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env.example").write_text("TICKET_WHERE=https://gateway.example/api\n")

    def prompt(question: str, *, default: str, show_default: bool) -> str:
        if question.startswith("  {gateway.base_url}"):
            return "TICKET_WHERE"
        return "python app.py" if question.startswith("Command") else default

    monkeypatch.setattr("click.prompt", prompt)
    assert command(["init", "--no-try"]) == 0
    assert load_config(folder).integration.env["TICKET_WHERE"] == "{gateway.base_url}"


def test_a_start_that_fails_the_second_time_leaves_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once = "import pathlib\nmark = pathlib.Path('started')\nassert not mark.exists()\nmark.touch()\n"
    found(folder, once + "PAID = ''\nclass Shop(Base):\n    pass\nserve(Shop)\n")
    assert "It did not start a second time" in " ".join(capsys.readouterr().out.split())
    assert load_config(folder).integration.checkout.path == "/checkout"


def test_what_the_shop_logged_is_told_beside_what_is_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = "print('ERROR the till is locked', flush=True); self.answer(503, 'please try again')"
    found(folder, f"PAID = ''\nclass Shop(Base):\n    def do_POST(self):\n        {answer}\nserve(Shop)\n")
    assert "the till is locked" in capsys.readouterr().out


def test_the_fields_of_a_form_may_be_the_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"Sent as": "order={order.id}&total={order.amount}", "A path": "/up"}

    def prompt(question: str, *, default: str, show_default: bool) -> str:
        return next((answer for begin, answer in given.items() if question.startswith(begin)), default)

    monkeypatch.setattr("click.prompt", prompt)
    assert command(["init", "--no-try"]) == 0
    assert load_config(folder).integration.checkout.form == {"order": "{order.id}", "total": "{order.amount}"}


@pytest.mark.parametrize(
    "answer", ['POST /api {"do": "look", "ref": "{order.id}"} json:/order/state=paid,sent', "post /api json:/s"]
)
def test_an_order_may_be_asked_for_by_a_post(folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    def prompt(question: str, *, default: str, show_default: bool) -> str:
        return answer if question.startswith("Where an order") else default

    monkeypatch.setattr("click.prompt", prompt)
    assert command(["init", "--no-try"]) == 0
    order = load_config(folder).integration.order
    assert (order.method, order.path) == ("POST", "/api")
    if "{" in answer:
        assert (order.json_body, order.status) == ({"do": "look", "ref": "{order.id}"}, "json:/order/state")
        assert list(order.paid) == ["paid", "sent"]


def test_a_path_without_a_slash_is_asked_for_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = iter(["POST /pay", "/up"])

    def prompt(question: str, *, default: str, show_default: bool) -> str:
        return next(given) if question.startswith("A path") else default

    monkeypatch.setattr("click.prompt", prompt)
    assert command(["init", "--no-try"]) == 0
    assert "is not a path" in capsys.readouterr().out
    assert load_config(folder).integration.ready == "/up"


def test_a_command_is_the_folders_own_and_its_new_database_gets_its_tables(tmp_path: Path) -> None:
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").touch()
    (tmp_path / "manage.py").touch()
    assert look_around(tmp_path, load("quatapay")).command[0] == ".venv/bin/python"
    (tmp_path / ".env.example").write_text("DATABASE=db.sqlite3\n")
    line = look_around(tmp_path, load("quatapay")).command[-1]
    assert line.startswith(".venv/bin/python manage.py migrate --noinput && exec .venv/bin/python manage.py runserver")


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("gunicorn app:app --bind 0.0.0.0:$PORT", ".venv/bin/gunicorn app:app --bind 127.0.0.1:{port}"),
        ('gunicorn app:app -b "0.0.0.0:${PORT:-8000}"', ".venv/bin/gunicorn app:app -b 127.0.0.1:{port}"),
        ("gunicorn -w ${WEB_WORKERS:-2} app:app", ".venv/bin/gunicorn -w 2 app:app"),
        ("./serve $PORT", "./serve {port}"),
        ("MODE=live gunicorn -b :${PORT} app", "sh -c MODE=live .venv/bin/gunicorn -b :{port} app"),
        ("gunicorn -b :$PORT --log $LOG app", "sh -c .venv/bin/gunicorn -b :{port} --log $LOG app"),
        ("nobody-has-this --port $PORT", "flask --app app run --port {port}"),
        ("gunicorn 'app", "flask --app app run --port {port}"),
    ],
)
def test_a_procfile_says_how_it_is_started_where_its_program_is_there(tmp_path: Path, line: str, command: str) -> None:
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for program in (".venv/bin/gunicorn", "serve"):
        (tmp_path / program).touch()
    (tmp_path / "app.py").write_text("app = Flask(__name__)\n")
    (tmp_path / "Procfile").write_text(f"worker: python queue.py\nweb: {line}\nrelease: python migrate.py\n")
    assert " ".join(look_around(tmp_path, load("quatapay")).command) == command


def test_an_answer_is_corrected_and_tried_again_until_the_order_is_paid(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read = 'assert os.environ["SHOP_MOTTO"] and os.environ["SHOP_MOOD"] == "very good"\n'
    (folder / "app.py").write_text(dedent(COMMON + read + JSON))
    corrections = iter(["nothing", "command", "env"])

    def prompt(question: str, *, default: str, show_default: bool) -> str:
        if question.startswith("  command"):
            assert default == "false"
            return f"{sys.executable} app.py"
        if question.startswith("  env"):
            return 'SHOP_MOTTO=buy SHOP_MOOD="very good"'
        if question.startswith("Correct one of"):
            return next(corrections)
        return "false" if question.startswith("Command") else default

    monkeypatch.setattr("click.prompt", prompt)
    assert command(["init", "--try"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "It does not start" in out
    assert "The code also reads SHOP_MOTTO, SHOP_MOOD, and the draft gives nothing for them (env)." in out
    assert '"nothing" is none of them' in out
    assert "the order is paid" in out
    assert load_config(folder).integration.command == (sys.executable, "app.py")


def test_who_gives_no_answer_to_a_correction_keeps_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prompt(question: str, *, default: str, show_default: bool) -> str:
        if question.startswith("Correct"):
            raise click.Abort
        return "false" if question.startswith("Command") else default

    monkeypatch.setattr("click.prompt", prompt)
    assert command(["init", "--try"]) == 0
    assert load_config(folder).integration.command == ("false",)


def test_a_name_that_is_one_setting_in_full_is_not_taken_for_another_in_part() -> None:
    settings = (("key", "{gateway.secret_key}"), ("notices", "{gateway.webhook_secret}"))
    found = matched(("SHOP_WEBHOOK_SECRET", "SHOP_SECRET"), replace(load("quatapay"), settings=settings))
    assert found == {"SHOP_WEBHOOK_SECRET": "{gateway.webhook_secret}", "SHOP_SECRET": "{gateway.secret_key}"}


def test_a_gateways_own_settings_are_not_another_services() -> None:
    """Stripe's keys are foreign to every gateway but Stripe."""
    names = ("STRIPE_SECRET_KEY", "SHOP_SECRET_KEY")
    own = replace(load("quatapay"), name="stripe", settings=(("key", "{gateway.secret_key}"),))
    assert matched(names, own) == {"STRIPE_SECRET_KEY": "{gateway.secret_key}"}
    assert matched(names, replace(own, name="other")) == {"SHOP_SECRET_KEY": "{gateway.secret_key}"}
