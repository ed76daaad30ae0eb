"""What a gateway wants said in each call."""

from __future__ import annotations

from typing import Any

import pytest

from payproof.contracts.model import Verdict

from .written import Written

BACK = "https://shop.test/back"


def opened(*addresses: str | None, **more: Any) -> Written:
    run = Written("quay")
    with run.probe("control"):
        run.order()
        for number, address in enumerate(addresses):
            run.create(f"p{number}", return_url=address, **more)
    return run


@pytest.mark.parametrize("address", [f"{BACK}?nr={{NR}}", f"{BACK}/{{NR}}?order=1#top", f"{BACK}?order=1001"])
def test_a_template_as_it_is_or_none_at_all_is_right(address: str) -> None:
    opened(address).finding("return.template", Verdict.PASS)


@pytest.mark.parametrize(
    ("address", "wrong"),
    [
        (f"{BACK}?nr=%7BNR%7D", "{NR}"),
        (f"{BACK}?nr={{nr}}", "{nr}"),
        (f"{BACK}?nr={{ORDER_NR}}", "{ORDER_NR}"),
        (f"{BACK}?nr={{{{NR}}}}", "{{NR}}"),
    ],
)
def test_a_template_that_the_gateway_does_not_know_is_shown(address: str, wrong: str) -> None:
    finding = opened(f"{BACK}?nr={{NR}}", address).finding("return.template", Verdict.WARN)
    assert wrong in finding.title
    assert finding.actual == {"return address": address}


def test_calls_without_a_return_address_say_nothing_of_templates() -> None:
    opened(None).finding("return.template", Verdict.NOT_EXERCISED)


VERSION = (("quay-version", "2026-11"),)


def test_each_call_says_its_version() -> None:
    run = opened(BACK, headers=VERSION)
    assert run.finding("api.version-pinned", Verdict.PASS).actual == {"header": "2026-11"}
    run.create("p9")
    assert "1 of 2 calls" in run.finding("api.version-pinned", Verdict.WARN).title


def test_what_is_no_call_of_the_api_needs_no_version() -> None:
    run = opened(BACK, headers=VERSION)
    run.call("", url="https://localhost/favicon.ico")
    run.finding("api.version-pinned", Verdict.PASS)


@pytest.mark.parametrize("id", ["return.template", "api.version-pinned"])
def test_a_gateway_without_such_a_thing_asks_for_none(id: str) -> None:
    assert id not in Written().profile.checklist.all_requirements()
    assert Written("harbor").judged(id).verdict is Verdict.NOT_APPLICABLE
