"""An address on a page of the shop that nobody can read (``http://[``) leads nowhere: whoever reads the page goes on."""

from __future__ import annotations

from bs4 import BeautifulSoup

from payproof.contracts.entries import Page, Request, Response
from payproof.contracts.profile import load
from payproof.suites.customer.hosted import judge
from payproof.suites.discovery.shop_forms import action_of
from payproof.suites.driver import with_hidden
from payproof.suites.driver.pointers import read
from payproof.suites.driver.standing import pointers_to

SHOP = "http://shop.test/cart"
BODY = """<a class="cancel" href="http://[">out</a>
<form method="post" action="//[x"><input type="hidden" name="csrf" value="1"><input type="email" name="email"></form>
<form method="post" action="/pay"><input type="hidden" name="token" value="2"></form>"""


def page(*headers: tuple[str, str]) -> Page:
    response = Response(status=200, headers=(*headers, ("content-type", "text/html")), body=BODY)
    return Page(began=0, ended=0.1, where="integration", request=Request(method="GET", url=SHOP), response=response)


def test_a_redirect_to_nowhere_is_no_value() -> None:
    assert read("location", page(("location", "http://["))) is None
    assert read("location", page(("location", "pay"))) == "http://shop.test/pay"


def test_pointers_to_an_address_pass_over_what_is_none() -> None:
    found = list(pointers_to(page(("location", "//[")), lambda address: address.endswith("/pay")))
    assert len(found) == 1
    assert found[0].startswith("html:form")


def test_hidden_fields_are_those_of_the_form_that_can_be_sent() -> None:
    assert with_hidden(page(), "POST", "http://shop.test/pay", None) == (("token", "2"),)


def test_a_form_whose_action_is_no_address_is_sent_to_its_own_page() -> None:
    assert action_of(page(), BeautifulSoup(BODY, "html.parser").find_all("form")[0]) == "/cart"


def test_nor_does_a_hosted_page_break_off_for_one() -> None:
    out = BeautifulSoup("<a href='http://['>out</a>", "html.parser")
    assert judge(out, 500, SHOP, load("quatapay").hosted) == ("problem", "")
