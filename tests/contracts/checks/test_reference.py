"""reference.order-id, reference.distinct: which order the create call says it is for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from payproof.contracts.model import Verdict
from payproof.contracts.profile import Traits

from .written import Written

ORDER_ID, DISTINCT = "reference.order-id", "reference.distinct"
LABEL = "182801642"


def _sold(*orders: tuple[str, str | None], **settings: Any) -> Written:
    """Orders with the reference that their create call sends."""
    run = Written(**settings)
    with run.probe("steady"):
        for number, (order, reference) in enumerate(orders):
            run.create(f"p{number}", reference=reference)
            run.checkout(order, f"p{number}")
    return run


def _renamed(run: Written, theirs: str, ours: str = LABEL) -> None:
    run.step("renamed", order=theirs, ours=ours)


# reference.order-id


@pytest.mark.parametrize("reference", ["1001", "ORDER-1001", "1001-2", "shop1001", "202611281001"])
def test_a_reference_that_holds_the_orders_id_passes(reference: str) -> None:
    assert _sold(("1001", reference)).finding(ORDER_ID, Verdict.PASS).evidence


@pytest.mark.parametrize("reference", [None, "", "shop 2026-11-28", "2002"])
def test_a_reference_without_the_orders_id_fails(reference: str | None) -> None:
    found = _sold(("1001", reference)).finding(ORDER_ID, Verdict.FAIL)
    assert found.expected == {"contains": "1001"}
    assert found.actual == {"reference": reference}


@pytest.mark.parametrize(
    ("id", "reference", "verdict"),
    [
        ("7804bbf0-9bf3-4361-ae01-3b809d85308d", "7804bbf09bf34361ae013b809d85308d", Verdict.PASS),
        ("7804bbf09bf34361ae013b809d85308d", "shop:7804BBF0-9BF3-4361-AE01-3B809D85308D", Verdict.PASS),
        ("BL-2026/17", "bl202617", Verdict.PASS),
        ("7804bbf0-9bf3-4361-ae01-3b809d85308d", "7804bbf09bf34361ae013b809d853080", Verdict.FAIL),
        ("1128", "2026-11-28", Verdict.FAIL),
    ],
)
def test_an_id_may_be_sent_without_the_signs_that_part_it(id: str, reference: str, verdict: Verdict) -> None:
    run = Written()
    run.order(id)
    run.create("p1", reference)
    run.checkout(id, "p1")
    assert run.finding("reference.order-id", verdict)


def test_a_second_click_that_gets_an_order_of_its_own_is_compared_with_that_one() -> None:
    run = Written()
    with run.probe("double-submit"):
        run.order(LABEL)
        for number, theirs in enumerate(("1000", "1001")):
            run.create(f"p{number}", reference=theirs)
            _renamed(run, theirs)
            run.checkout(theirs, f"p{number}")
    assert run.finding(ORDER_ID, Verdict.PASS)


@pytest.mark.parametrize("known", [True, False])
def test_a_second_click_whose_id_was_not_told_is_compared_with_nothing(known: bool) -> None:
    run = Written()
    with run.probe("double-submit"):
        run.order(LABEL)
        run.create("p0", reference="1000")
        _renamed(run, "1000")
        run.checkout("1000", "p0")
        run.create("p1", reference="1001")
        run.checkout(LABEL, "p1", order_known=known)
    assert run.finding(ORDER_ID, Verdict.PASS)


def test_ids_that_are_told_after_two_clicks_belong_to_neither_for_sure() -> None:
    run = Written()
    with run.probe("double-submit"):
        run.order(LABEL)
        for number, theirs in enumerate(("1000", "1001")):
            run.create(f"p{number}", reference=theirs)
            run.checkout(LABEL, f"p{number}", order_known=False)
        _renamed(run, "1000")
    assert run.finding(ORDER_ID, Verdict.PASS)


def test_an_id_that_is_told_on_the_way_back_is_the_only_payments_own() -> None:
    run = Written()
    with run.probe("steady"):
        run.order(LABEL)
        run.create("p0", reference="cart")
        run.checkout(LABEL, "p0", order_known=False)
        _renamed(run, "1000")
    found = run.finding(ORDER_ID, Verdict.FAIL)
    assert found.expected == {"contains": "1000"}


@pytest.mark.parametrize("reference", ["1000", "1001"])
def test_who_starts_again_may_get_another_order_which_is_told_on_the_way_back(reference: str) -> None:
    run = Written()
    with run.probe("abandoned"):
        run.order(LABEL)
        run.create("p0", reference="1000")
        run.checkout(LABEL, "p0", order_known=False)
        _renamed(run, "1000")
        run.create("p1", reference=reference)
        run.checkout("1000", "p1", purpose="again", order_known=False)
        if reference != "1000":
            _renamed(run, reference)
    assert run.finding(ORDER_ID, Verdict.PASS)


def test_our_own_label_is_a_name_of_the_order_too() -> None:
    run = Written()
    with run.probe("steady"):
        run.create("p0", reference=LABEL)
        _renamed(run, "1000")
        run.checkout("1000", "p0")
    assert run.finding(ORDER_ID, Verdict.PASS)


def test_ids_that_were_never_told_are_asked_for() -> None:
    run = Written()
    with run.probe("steady"):
        run.create("p0", reference="1000")
        run.checkout(LABEL, "p0", order_known=False)
    assert run.finding(ORDER_ID, Verdict.NOT_EXERCISED).declare == "checkout.order_id"


def test_without_a_create_call_nothing_is_judged() -> None:
    assert Written().finding(ORDER_ID, Verdict.NOT_EXERCISED)


def test_a_create_call_that_the_gateway_refused_tells_before_control_all_the_same() -> None:
    run = Written()
    run.run_fields["scored"] = False
    with run.probe("control"):
        run.create(None, reference="")
        run.checkout(payment="")
    assert run.finding(ORDER_ID, Verdict.FAIL)


def _numbered(number: str = "WEB-D3EE263A", other: str = "WEB-77B01C2F", shown: str = "WEB-D3EE263A") -> Written:
    """Two orders that have a number for people beside their id."""
    run = Written()
    with run.probe("steady"):
        for order, reference, number_shown in (("a6f1-16b0", number, shown), ("0d2c-99e1", other, other)):
            run.create(f"p-{order}", reference=reference)
            run.checkout(order, f"p-{order}")
            run.page("order", order, body=f'{{"number": "{number_shown}", "state": "new"}}', kind="application/json")
    return run


def test_the_number_by_which_the_shop_shows_an_order_to_people_names_it() -> None:
    assert _numbered().finding(ORDER_ID, Verdict.PASS)


@pytest.mark.parametrize(
    "run",
    [
        _numbered(shown="something else"),
        _numbered(other="WEB-D3EE263A"),  # the same for both
        _numbered("D3", shown="D3"),  # on a page full of numbers
        _numbered("tea-shop", shown="tea-shop"),
        _numbered(shown="WEB-D3EE263A7"),
        _numbered("a6f1", shown="a6f1-16b0"),  # a part of the id itself
    ],
)
def test_what_the_shop_does_not_show_for_this_order_alone_names_none(run: Written) -> None:
    assert run.finding(ORDER_ID, Verdict.FAIL).expected == {"contains": "a6f1-16b0"}


def test_another_orders_page_that_a_replayed_return_leads_to_takes_no_number_away() -> None:
    run = _numbered()
    with run.probe("replayed-return"):
        run.page("return", "0d2c-99e1", body="<h1>WEB-D3EE263A</h1>")
    assert run.finding(ORDER_ID, Verdict.PASS)


@pytest.mark.parametrize(("status", "verdict"), [(404, Verdict.PASS), (200, Verdict.FAIL)])
def test_a_numbered_order_whose_page_nobody_could_open_is_not_missing_its_number(status: int, verdict: Verdict) -> None:
    run = _numbered()
    with run.probe("forged-return"):
        run.create("p-3", reference="WEB-11111111")
        run.checkout("77aa-77aa", "p-3")
        run.page("order", "77aa-77aa", status=status)
    assert run.finding(ORDER_ID, verdict)


# reference.order-id where nobody knows the shop's ids


def test_a_shop_that_names_its_order_so_itself_passes() -> None:
    run = Written(names_orders=False)
    with run.probe("steady"):
        run.create("p0", reference="A-77", return_url="https://shop.test/return/A-77")
        run.checkout(LABEL, "p0", order_known=False)
    assert run.finding(ORDER_ID, Verdict.PASS)


def test_a_shop_that_shows_the_reference_to_the_customer_passes() -> None:
    run = Written(names_orders=False)
    with run.probe("steady"):
        run.create("p0", reference="A-77", return_url="https://shop.test/back")
        run.page("order", LABEL, body="<p>Your order A-77 is on its way.</p>")
        run.checkout(LABEL, "p0", order_known=False)
    assert run.finding(ORDER_ID, Verdict.PASS)


def test_a_create_call_without_any_reference_fails_whoever_makes_the_ids() -> None:
    assert _sold((LABEL, None), names_orders=False).finding(ORDER_ID, Verdict.FAIL)


def test_a_reference_that_nobody_can_check_is_not_judged() -> None:
    found = _sold((LABEL, "x9"), names_orders=False).finding(ORDER_ID, Verdict.NOT_EXERCISED)
    assert found.declare == "checkout.order_id"


# reference.distinct


def test_orders_with_references_of_their_own_pass() -> None:
    assert _sold(("1001", "1001"), ("1002", "1002")).finding(DISTINCT, Verdict.PASS)


def test_two_orders_that_share_a_reference_fail() -> None:
    found = _sold(("1001", "shop"), ("1002", "shop")).finding(DISTINCT, Verdict.FAIL)
    assert found.actual == {"reference": "shop", "orders": ["1001", "1002"]}


def test_two_payments_of_one_order_may_share_a_reference() -> None:
    assert _sold(("1001", "1001"), ("1001", "1001"), ("1002", "1002")).finding(DISTINCT, Verdict.PASS)


def test_two_ids_of_one_doubly_clicked_order_may_share_a_reference() -> None:
    run = _sold(("1000", "cart-7"), ("1001", "cart-7"), ("2000", "cart-8"))
    _renamed(run, "1000")
    _renamed(run, "1001")
    assert run.finding(DISTINCT, Verdict.PASS)


def test_one_order_alone_shows_nothing() -> None:
    assert _sold(("1001", "1001"), ("1001", "1001")).finding(DISTINCT, Verdict.NOT_EXERCISED)


def test_orders_of_different_worlds_are_not_compared() -> None:
    run = _sold(("1001", "1"), ("1002", "2"))
    run.world("other")
    run.create("p9", reference="1")
    run.checkout("3003", "p9")
    assert run.finding(DISTINCT, Verdict.PASS)


# Where the gateway's guidance does not ask for it


def _kept(*, paid: bool) -> Written:
    """An order whose payment carries no reference, on a gateway that asks for none."""
    run = Written()
    run.profile = replace(run.profile, traits=Traits(asks_for_reference=False))
    with run.probe("steady"):
        run.create("p1", reference=None)
        run.checkout("1001", "p1")
        run.ledger("charged", "p1")
        run.seen("1001", paid=paid)
    return run


def test_who_keeps_the_payments_id_with_the_order_passes_where_no_reference_is_asked_for() -> None:
    assert _kept(paid=True).finding(ORDER_ID, Verdict.PASS).title == "the order is known by its payment's id"
    assert _kept(paid=True).judged(DISTINCT).verdict is Verdict.NOT_APPLICABLE


def test_who_keeps_neither_fails_there_too() -> None:
    assert _kept(paid=False).finding(ORDER_ID, Verdict.FAIL)
