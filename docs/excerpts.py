"""What payproof says on the console, as the pages quote it: made by payproof itself, so that no page shows old words or figures.

A page marks a block that is made here: ``<!-- excerpt: NAME -->`` before its fence. ``careless-run.jsonl.xz`` is the saved run of the
careless Flask shop; the other excerpts are rendered from small values that stand here.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import lzma
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import httpx
from rich.console import Console

from payproof.contracts.comparing.drift import Drift, DriftDifference, Fidelity, Touched
from payproof.contracts.entries import Call, Checkout, Request, Response
from payproof.contracts.events import Authenticated, Opened, Problem
from payproof.contracts.journal import Journal
from payproof.contracts.profile import Payer, load
from payproof.reports.drift import console as drift_console
from payproof.reports.text_output import TextOutput
from payproof.simulator.request_log import line_of
from payproof.suites import cli
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.person import Person, PersonTab
from payproof.suites.customer.routing import Routing
from payproof.suites.explorer import story_progress
from payproof.suites.explorer.oracle import Ruling, Truth
from payproof.suites.explorer.playing import Played
from payproof.suites.explorer.story import OrderSpec, Story, act

DOCS = Path(__file__).parent
_MARKED = re.compile(r"(<!-- excerpt: (.+?) -->\n```text\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)


def renewed(text: str) -> str:
    """A page with its excerpts as payproof prints them now.

    Raises:
        KeyError: there is no excerpt of that name.
    """
    return _MARKED.sub(lambda match: match[1] + EXCERPTS[match[2]]() + "\n" + match[4], text)


@cache
def _checked() -> tuple[str, ...]:
    """The lines of `payproof check` on the saved run, 80 letters wide."""
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, _narrow(), contextlib.redirect_stdout(out):
        run = Path(folder) / "run.jsonl"
        run.write_bytes(lzma.decompress((DOCS / "careless-run.jsonl.xz").read_bytes()))
        assert cli.run(["check", str(run), "--report-dir", folder, "--format", "junit"]) == 1, (
            "the careless shop is not ready"
        )
    return tuple(line.rstrip() for line in out.getvalue().splitlines())


@contextlib.contextmanager
def _narrow() -> Iterator[None]:
    before = dict(os.environ)
    os.environ |= {"COLUMNS": "80", "LINES": "40", "NO_COLOR": "1"}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def _checklist() -> str:
    """Three items of the checklist, one finding, the last line."""
    lines = _checked()
    heading = next(line for line in lines if line.startswith("Go-live checklist"))
    items = [line for item in ("G1", "G2", "G7") for line in _from(rf"\W+{item}\b", r"\W+G\d\b|$")]
    end = next(line for line in lines if line.startswith("NOT READY"))
    return "\n".join([heading, *items, "", *_finding("verify.forged-return"), "", end])


def _finding(requirement: str) -> list[str]:
    return list(_from(rf"\S {re.escape(requirement)}$", "$"))


def _from(first: str, end: str) -> Iterator[str]:
    """The line that begins so, and those below it until one that begins like the end, or is empty."""
    lines = _checked()
    start = next((n for n, line in enumerate(lines) if re.match(first, line)), None)
    assert start is not None, f"the console shows no line like {first}: has its layout changed?"
    yield lines[start]
    for line in lines[start + 1 :]:
        if not line or re.match(end, line):
            return
        yield line


def _story() -> str:
    """A story that breaks a rule, as `payproof explore` tells it."""
    orders = (OrderSpec(1, "5000.00", "XAF", "A"), OrderSpec(3, "1234.00", "XAF", "A"))
    acts = (act("start", order=1, how="fresh"), act("start", order=3, how="fresh"), act("pay", page=1, then="return"))
    seen = '5,000.00 XAF taken at page 1, and the shop says "pending" at rest'
    ruling = Ruling("charged-is-paid", 1, Truth.FALSE, "the order paid, or visibly held", seen)
    out = io.StringIO()
    output = TextOutput(Console(file=out, width=100, color_system=None))
    story_progress.found(output, Played(Story(orders, acts), Truth.FALSE, (ruling,)))
    return _plain(out.getvalue())


def _drift() -> str:
    """One operation of a comparison with one difference."""
    difference = DriftDifference(
        kind="difference", operation="create", what="a payment: the cancel URL is left out", path="answer", contract="has 200, 400",
        simulator="200 ok", gateway="400 The cancel url field is required.", change="False -> True",
        fact=Touched(name='knobs["cancel_url_required"]', provenance="documented", source="Q3; choice 8"),
        labels=("a payment: the cancel URL is left out", "an order: the cancel URL is left out"),
    )  # fmt: skip
    drift = Drift(
        gateway="quatapay", title="", version="", target="sandbox", where="", observed="", cases=1, differences=(difference,),
        fidelity=(Fidelity(operation="create", title="POST /payment/create", compared=502, agreed=484),), left=(), facts={},
    )  # fmt: skip
    out = io.StringIO()
    drift_console.show(drift, Console(file=out, width=110, color_system=None))
    lines = out.getvalue().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("POST /payment/create"))
    return _plain("\n".join(lines[start : start + 4]))


class _Doorman:
    """Sends everybody back at once."""

    def departure(self, payment: str) -> asyncio.Future[str]:
        gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        gone.set_result("https://shop.example/return")
        return gone

    def contradicts(self, payment: str, url: str, wish: Literal["pay", "cancel"]) -> str:
        return ""


def _person() -> str:
    """What a person is asked at the sandbox's hosted checkout."""
    asked_for: list[str] = []
    payer = Payer("payer@gateway.example", "", "paid")
    checkout = Checkout(order="925126801", amount="5000.00", currency="XAF", outcome="redirected", payment="p1")
    link = "https://localhost:40701/pay/sandbox/v1/user/authentication/form/zTyOccjnROf..."

    async def asked() -> None:
        place = Routing("https://shop.example", "http://127.0.0.1:1", "https://localhost:40701")
        customer = Customer(
            place, Journal(), load("quatapay").hosted, name="customer", outside=httpx.AsyncHTTPTransport()
        )
        tab = PersonTab(Person(asked_for.append), _Doorman(), customer, payer, checkout)
        await (await tab.open(link)).confirm()

    asyncio.run(asked())
    return _plain(asked_for[0])


def _requests() -> str:
    """Three calls as `payproof serve` shows them."""
    issued = Authenticated(operation="token", ok=True, issued="<access-token-3>")
    opened = Opened(
        operation="create", ok=True, spelled="5000.00", currency="XAF", reference="915062", payment="UVzdN5NeiuV4Zx"
    )
    refused = Opened(
        operation="create", spelled="5000.00", currency="XAF", reference="99871",
        problems=(Problem(text="Something went wrong! Please try again"),),
    )  # fmt: skip
    calls = (
        ("authentication/token", issued, 200, ""), ("payment/create", opened, 200, ""), ("payment/create", refused, 500, "status"),
    )  # fmt: skip
    lines = [
        Call(
            began=0.0, ended=0.001, ending="answered", event=event, fault=fault,
            request=Request(method="POST", url=f"http://127.0.0.1/{path}"), response=Response(status=status),
        )
        for path, event, status, fault in calls
    ]  # fmt: skip
    return _plain("\n".join(f"18:45:0{second}  {line_of(call)}" for second, call in enumerate(lines, 6)))


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


EXCERPTS: Mapping[str, Callable[[], str]] = {
    "checklist": _checklist,
    "finding": lambda: "\n".join(_finding("token.cached")),
    "story": _story,
    "drift": _drift,
    "person": _person,
    "requests": _requests,
}
