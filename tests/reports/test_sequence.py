"""Sequence diagrams of stories: lines out of journal entries, as mermaid and as SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from an_event import an_event

from payproof.contracts.entries import Call, Delivery, Entry, Ledger, OrderSeen, Page, Process, Request, Response, Step
from payproof.reports.sequence import Account, BrokenStep, html, markdown
from payproof.reports.sequence.arrows import Arrow, Line, Note, SequencePart, lanes, lines
from payproof.reports.sequence.mermaid import mermaid
from payproof.reports.sequence.svg import svg

SHOP, PAY = "https://shop.localhost", "http://localhost:1"


def page(
    at: float, purpose: str, url: str, *, where: Any = "integration", status: int = 200, ended: float = 0.0
) -> Page:
    asked = Request(method="GET", url=url)
    return Page(
        at=ended or at, began=at, ended=ended or at, where=where, purpose=purpose, customer="customer A", request=asked,
        response=Response(status=status),
    )  # fmt: skip


def call(at: float, operation: str, *, status: int = 200, fault: str = "", paid: bool | None = None) -> Call:
    answered = {"paid": paid, "outcome": "open"} if operation == "status" else {}
    return Call(
        at=at + 0.1, began=at, ended=at + 0.1, ending="answered", request=Request(method="GET", url=PAY),
        response=Response(status=status), event=an_event(operation, **answered), fault=fault,
    )  # fmt: skip


def seen(at: float, state: str, *, paid: bool = False) -> OrderSeen:
    return OrderSeen(at=at, order="771", state=state, paid=paid, effects=int(paid))


ENTRIES: tuple[Entry, ...] = (
    Step(at=0.0, text="Customer A starts to pay <b>order</b> 1.", name="step:1"),
    Step(at=0.1, text="order 1 is number 771 for the shop", name="order:1", facts={"order": "771"}),
    call(1.1, "create"),
    page(1.0, "checkout", f"{SHOP}/checkout", status=303, ended=1.5),
    page(1.6, "hosted", f"{PAY}/form/1", where="checkout"),
    page(1.7, "hosted", f"{PAY}/form/2", where="checkout"),
    seen(1.8, "pending"),
    Step(at=2.0, text="Customer A pays.", name="step:2"),
    Ledger(at=2.1, event="charged", payment="p", reference="order-771", amount="5000.00", currency="XAF"),
    call(2.3, "status", status=500, fault="status"),
    page(2.2, "return", f"{SHOP}/return/771", ended=2.6),
    seen(2.7, "pending"),
    Step(at=3.0, text="Everything is well again.", name="rest"),
    Process(at=3.1, event="ready"),
    call(3.3, "status", paid=True),
    page(3.2, "reload", f"{SHOP}/return/771", ended=3.6),
    page(4.2, "reload", f"{SHOP}/return/771", ended=4.6),
    page(5.2, "reload", f"{SHOP}/return/771", ended=5.6),
    page(6.2, "reload", f"{SHOP}/return/771", ended=6.6),
    seen(7.0, "paid", paid=True),
)  # fmt: skip
LINES = lines(ENTRIES)
ACCOUNT = Account(
    name="shop <script>",
    gateway="quatapay",
    broken=(
        BrokenStep("charged-is-paid", "A charged order is paid.", 1, "paid", "pending & lost"),
        BrokenStep("right-money", "The right amount.", 2, "1.00", "2.00"),
    ),
    sentences=("Customer A starts to pay <b>order</b> 1.", "Customer A pays."),
    entries=ENTRIES,
    replay="payproof replay story-1.json",
    facts={"seed": "7"},
)


def test_calls_stand_between_the_customers_request_and_its_answer() -> None:
    texts = [each.text for each in LINES if isinstance(each, Arrow)][:4]
    assert texts == ["starts to pay: GET /checkout", "create", "HTTP 200", "HTTP 303"]


def test_the_storys_sentences_head_what_they_led_to_and_rest_has_no_number() -> None:
    assert [each.number for each in LINES if isinstance(each, SequencePart)] == [1, 2, 0]


def test_pages_of_the_hosted_checkout_are_one_arrow() -> None:
    assert sum(isinstance(each, Arrow) and each.text == "hosted checkout" for each in LINES) == 1


def test_money_and_what_the_shop_says_are_notes_and_what_has_not_changed_is_not_told_again() -> None:
    notes = [each for each in LINES if isinstance(each, Note)]
    assert Note("gateway", "charged 5,000.00 XAF for order 1", "money") in notes
    assert [each.text for each in notes if each.text.startswith("order 1")] == [
        "order 1: “pending”, fulfilled 0×",
        "order 1: “paid”, fulfilled 1×",
    ]


def test_a_fault_is_told_at_the_answer_that_it_spoilt() -> None:
    assert Arrow("gateway", "integration", "HTTP 500, fault: status", "bad") in LINES


def test_a_notice_goes_from_the_gateway_to_the_shop() -> None:
    asked = Request(method="POST", url=SHOP)
    delivered: Any = {"event": "order.taken", "id": "n", "payment": "p", "attempt": 1, "request": asked, "seconds": 0.5}
    good = Delivery(**delivered, at=1.5, began=1, response=Response(status=200))
    bad = Delivery(**delivered, at=2.5, began=2, forged="unsigned", problem="the connection was refused")
    assert lines([bad, good]) == (
        Arrow("gateway", "integration", "notice: order.taken"),
        Arrow("integration", "gateway", "HTTP 200", "answer"),
        Arrow("gateway", "integration", "forged notice: order.taken", "bad"),
        Arrow("integration", "gateway", "the connection was refused", "bad"),
    )


def test_reloads_that_repeat_each_other_become_one_note() -> None:
    assert Note("integration", "1 more time, the same") in LINES


def test_customers_stand_left_of_integration_and_gateway() -> None:
    assert lanes(LINES) == ("customer A", "integration", "gateway")


def test_mermaid_has_a_participant_for_each_lane_and_no_text_that_ends_a_line_early() -> None:
    text = mermaid(LINES)
    assert text.splitlines()[:4] == [
        "sequenceDiagram",
        "    actor p0 as customer A",
        "    participant p1 as integration",
        "    participant p2 as gateway",
    ]
    assert "p1--xp2" not in text
    assert "p2--xp1: HTTP 500, fault: status" in text
    assert ";" not in text
    assert "<b>" not in text


def test_the_diagram_is_told_to_who_cannot_see_it() -> None:
    """An image with one name hides what is in it: each arrow says from whom to whom, each note at whom, and what is marked says so."""
    arrow = Arrow("customer", "integration", "starts to pay", n=1)
    answer = Arrow("integration", "customer", "HTTP 500", tone="bad", n=2)
    told: list[Line] = [
        SequencePart(1, "A customer pays."),
        arrow,
        answer,
        Note("gateway", "charged 5,000.00 XAF", n=3),
    ]
    root = ElementTree.fromstring(str(svg(told, pointed=(2,))))
    assert (root.get("role"), root.get("aria-label")) == ("group", "Sequence diagram")
    assert [each.get("aria-label") for each in root.iter() if each.get("role") == "img"] == [
        "1: A customer pays.",
        "customer to integration: starts to pay",
        "marked: integration to customer: HTTP 500",
        "gateway: charged 5,000.00 XAF",
    ]
    (band,) = (each for each in root.iter() if each.get("class") == "pointed")
    assert band.get("aria-hidden") == "true"


def test_the_svg_is_well_formed_and_every_text_is_escaped() -> None:
    root = ElementTree.fromstring(str(svg(LINES)))
    texts = [node.text for node in root.iter("text")]
    assert "Customer A starts to pay <b>order</b> 1." in texts
    assert root.attrib["viewBox"].startswith("0 0 920 ")


def test_the_page_is_self_contained_and_escapes_what_it_is_told() -> None:
    text = html(ACCOUNT)
    assert "shop &lt;script&gt;" in text
    assert "<script" not in text
    assert "http://" not in text.replace("http-equiv", "")
    assert text.count("charged-is-paid") >= 2
    assert "right-money" in text


def test_markdown_tells_rules_steps_and_the_command() -> None:
    text = markdown(ACCOUNT)
    assert "**charged-is-paid** is broken for order 1." in text
    assert "2. Customer A pays." in text
    assert "payproof replay story-1.json" in text
    assert text.count("```") % 2 == 0
