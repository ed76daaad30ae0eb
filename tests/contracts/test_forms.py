"""A form is sent as a browser would send it, whoever plays the customer."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from payproof.contracts.profile import Fields, HostedRecipe, Payer
from payproof.contracts.reading.forms import Submission, cancelling, form_fields, leading_on

HERE = "https://gateway.test/checkout/p1"
PAYER = Payer("ana", "secret", "paid")


def fill(fields: Fields, payer: Payer) -> Fields | None:
    if "login" not in dict(fields):
        return None
    return tuple((name, payer.login if name == "login" else value) for name, value in fields)


RECIPE = HostedRecipe(fill=fill, cancel=".cancel", problem=".problem")


def page(body: str) -> BeautifulSoup:
    return BeautifulSoup(body, "html.parser")


FORM = """
<form action="/search"><input name="q"></form>
<form method="{method}" action="{action}"><input type="hidden" name="csrf" value="x y"><input name="login">
<input type="radio" name="with" value="card"><input type="radio" name="with" value="wallet" checked>
<input type="checkbox" name="keep" value="1"><select name="lang"><option value="en"><option value="fr" selected></select>
<button type="submit" name="cancel" value="1" class="cancel">Cancel</button></form>
"""
FILLED = (("csrf", "x y"), ("login", "ana"), ("with", "wallet"), ("lang", "fr"))


@pytest.mark.parametrize("body", ["", "<form action='/search'><input name='q'></form>"])
def test_a_page_without_a_form_that_leads_on_or_a_way_to_cancel_has_none(body: str) -> None:
    assert leading_on(page(body), HERE, RECIPE, PAYER) is None
    assert cancelling(page(body), HERE, RECIPE) is None


def test_the_form_that_leads_on_is_filled_in_and_sent_where_it_says() -> None:
    tree = page(FORM.format(method="post", action="pay?step=2"))
    url = "https://gateway.test/checkout/pay?step=2"
    assert leading_on(tree, HERE, RECIPE, PAYER) == Submission("POST", url, FILLED, url)
    bare = leading_on(tree, HERE, RECIPE, PAYER, bare=True)
    assert bare is not None
    assert bare.fields == FILLED[1:]


def test_the_fields_of_a_form_that_is_got_stand_in_its_address() -> None:
    way = leading_on(page(FORM.format(method="get", action="/next")), HERE, RECIPE, PAYER)
    sent = "csrf=x+y&login=ana&with=wallet&lang=fr"
    assert way == Submission("GET", f"https://gateway.test/next?{sent}", None, "https://gateway.test/next")


def test_a_button_cancels_with_its_own_name_and_a_link_by_its_address() -> None:
    button = cancelling(page(FORM.format(method="post", action="/do")), HERE, RECIPE)
    assert button is not None
    assert button.fields is not None
    assert button.fields[-1] == ("cancel", "1")
    link = cancelling(page('<a class="cancel" href="../stop?a=1">Stop</a>'), HERE, RECIPE)
    assert link == Submission("GET", "https://gateway.test/stop?a=1")
    form = cancelling(page('<form class="cancel" method="post"><input name="a" value="1"></form>'), HERE, RECIPE)
    assert form == Submission("POST", HERE, (("a", "1"),), HERE)


@pytest.mark.parametrize(
    "button", ["<button class=cancel>", '<button class=cancel type="SUBMIT">', '<input class=cancel type="image">']
)
def test_a_button_that_says_nothing_else_sends_its_form(button: str) -> None:
    form = f'<form method="post" action="/stop"><input type="hidden" name="a" value="1">{button}Stop</form>'
    stop = "https://gateway.test/stop"
    assert cancelling(page(form), HERE, RECIPE) == Submission("POST", stop, (("a", "1"),), stop)


@pytest.mark.parametrize("kind", ["button", "reset"])
def test_a_button_that_only_scripts_use_sends_nothing(kind: str) -> None:
    form = f'<form method="post" action="/stop"><button class="cancel" type="{kind}">Stop</button></form>'
    assert cancelling(page(form), HERE, RECIPE) == Submission("GET", HERE)


def test_an_address_that_nobody_can_read_leads_to_the_page_itself() -> None:
    way = leading_on(page(FORM.format(method="post", action="http://[")), HERE, RECIPE, PAYER)
    assert way == Submission("POST", HERE, FILLED, HERE)
    assert cancelling(page('<a class="cancel" href="//[">out</a>'), HERE, RECIPE) == Submission("GET", HERE)


def test_what_a_browser_does_not_send_is_not_sent() -> None:
    form = page(
        '<form><input name="a" disabled><input type="file" name="b"><input><textarea name="c">t</textarea></form>'
    ).form
    assert form is not None
    assert form_fields(form) == (("c", "t"),)
