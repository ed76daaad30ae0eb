"""What a driver of one's own may use to read a page and to fill in its form."""

from __future__ import annotations

import pytest

from payproof.contracts.entries import Page, Request, Response
from payproof.suites.driver import read, with_hidden

FORM = """<p id="state">paid</p><form method="post" action="/pay"><input type="hidden" name="csrf" value="7f3a">
<input type="hidden" name="plan" value="basic"><input name="name"></form>"""


def page(body: str = FORM) -> Page:
    response = Response(status=200, headers=(("Content-Type", "text/html"),), body=body, size=len(body))
    request = Request(method="GET", url="https://shop.test/plan")
    return Page(began=0.0, ended=0.1, where="integration", request=request, response=response)


def test_a_page_is_read_by_the_pointers_of_the_configuration() -> None:
    assert read("html:#state", page()) == "paid"
    assert read("html:#note", page()) is None


def test_a_forms_hidden_fields_go_with_what_was_filled_in_and_what_was_filled_in_counts() -> None:
    fields = with_hidden(page(), "POST", "https://shop.test/pay", {"name": "Ada", "plan": "gold"})
    assert fields == (("csrf", "7f3a"), ("name", "Ada"), ("plan", "gold"))


@pytest.mark.parametrize(
    ("shown", "method", "url"),
    [
        (page(), "POST", "https://shop.test/login"),
        (page(), "GET", "https://shop.test/pay"),
        (None, "POST", "https://shop.test/pay"),
    ],
)
def test_another_forms_fields_are_not_sent(shown: Page | None, method: str, url: str) -> None:
    assert with_hidden(shown, method, url, {"name": "Ada"}) == (("name", "Ada"),)
