"""Which recorded page belongs to which payment, where the page's path does not name it."""

from __future__ import annotations

from pathlib import Path

import pytest

from payproof.contracts.entries import Request, Response
from payproof.contracts.events import AnyEvent, Opened, Unknown
from payproof.simulator.cassettes.matching import CassetteIndex
from payproof.simulator.cassettes.reading import RecordedExchange, Recording
from payproof.simulator.cassettes.stamp import Stamp

SITE = "https://pay.example"


def recorded(n: int, request: Request, event: AnyEvent | None = None) -> RecordedExchange:
    return RecordedExchange(
        kind="api" if event else "page", probe="steady", at=0.0, request=request, response=Response(status=200), n=n,
        operation="open" if event else "", event=event or Unknown(),
    )  # fmt: skip


def page(payment: str, where: str) -> Request:
    query, body = (f"?token={payment}", "") if where == "query" else ("", f"token={payment}")
    return Request(method="POST", url=f"{SITE}/approve{query}", body=body)


def index(where: str) -> CassetteIndex:
    stamp = Stamp(
        format=1, recorded_at="2026-11-28T00:00:00+00:00", gateway="harbor", profile_version="1", upstream=SITE, base_path="",
        seed=1, version="0", stories=("steady",), exchanges=4, redacted={},
    )  # fmt: skip
    opened = [
        recorded(n, Request(method="POST", url=f"{SITE}/orders"), Opened(operation="open", payment=payment))
        for n, payment in enumerate(("FIRST", "OTHER"), start=1)
    ]
    pages = [recorded(n, page(payment, where)) for n, payment in enumerate(("FIRST", "OTHER"), start=3)]
    return CassetteIndex(Recording(path=Path("a.yaml"), stamp=stamp, profile=None, exchanges=(*opened, *pages)))


@pytest.mark.parametrize("where", ["query", "body"])
def test_a_page_whose_query_or_form_names_a_payment_is_about_it(where: str) -> None:
    found = index(where)
    assert [found.payment_in(each) for each in found.exchanges[2:]] == ["FIRST", "OTHER"]


@pytest.mark.parametrize("where", ["query", "body"])
def test_a_page_is_answered_by_the_one_of_the_same_payment_whichever_comes_first(where: str) -> None:
    matches = [index(where).page(page(payment, where), "steady") for payment in ("OTHER", "FIRST")]
    assert [match.exchange.n for match in matches if match] == [4, 3]
