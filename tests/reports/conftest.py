"""A run of two worlds and a result with every verdict, as the judge would make them: what the report tests render."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest

from payproof.contracts.checklist import Item
from payproof.contracts.entries import (
    Call,
    Checkout,
    FaultSet,
    Ledger,
    Log,
    OrderSeen,
    Page,
    ProbeMark,
    Process,
    Request,
    Response,
    Step,
)
from payproof.contracts.gateways.quatapay.checklist import CHECKLIST
from payproof.contracts.gateways.quatapay.wire import read
from payproof.contracts.journal import Journal
from payproof.contracts.model import (
    Attestation,
    Finding,
    ItemResult,
    Judgement,
    Level,
    Outcome,
    Pointer,
    Result,
    Verdict,
)
from payproof.contracts.redaction.secrets import Redactor
from payproof.contracts.run import RecordedWorld, Run

HOSTILE = "<script>alert('owned')</script><img src=x onerror=alert(1)>\x1b[31m\x00"
BASE = "https://127.0.0.1:43117/pay/sandbox/api/v1"
SHOP = "https://shop-8123.localhost"
TOKEN, SECRET, CLIENT = "Tk7hN2pQrS9vWxYz34bcDeFgHj", "Sk5mPqRsTuVwXyZ123456789AbCd", "Ci8nBvCxZaSdFgHjKlQwErTy4567"


def redactor() -> Redactor:
    found = Redactor()
    found.add("client-id", CLIENT)
    found.add("secret-key", SECRET)
    found.add("access-token", TOKEN)
    return found


class Scribe:
    """Writes a world's journal with a clock that moves a little for each entry."""

    def __init__(self) -> None:
        self.time = 0.0
        self.journal = Journal(redactor(), clock=lambda: self.time)

    def add(self, entry: Any, wait: float = 0.013) -> int:
        self.time += wait
        return int(self.journal.add(entry).n)

    def call(
        self, method: str, path: str, asked: Mapping[str, Any] | None, status: int, answer: Any, **more: Any
    ) -> int:
        headers: tuple[tuple[str, str], ...] = (("host", "127.0.0.1:43117"), ("accept", "application/json"))
        if not path.endswith("/token"):
            headers += (("authorization", f"Bearer {TOKEN}"),)
        if asked is not None:
            headers += (("content-type", "application/json"),)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        request = Request(
            method=method, url=BASE + path, headers=headers, body=json.dumps(asked) if asked is not None else ""
        )
        response = Response(status=status, headers=(("content-type", "application/json"),), body=text, size=len(text))
        facts: dict[str, Any] = {
            "began": self.time,
            "ended": self.time + 0.011,
            "ending": "answered",
            "response": response,
        }
        return self.add(Call(request=request, event=read(request, response), **(facts | more)))

    def pay(self, order: str, amount: str, payment: str) -> dict[str, int]:
        """The clean payment; returns entry numbers by name."""
        found = {
            "token": self.call(
                "POST", "/authentication/token", {"client_id": CLIENT, "secret_id": SECRET}, 200, token_answer()
            )
        }
        found["create"] = self.call(
            "POST", "/payment/create", create_request(order, amount), 200, create_answer(payment)
        )
        self.add(Ledger(event="opened", payment=payment, reference=order, amount=amount, currency="XAF"))
        self.add(Log(stream="stdout", text=f"create order={order} amount={amount} XAF status=200 payment={payment}"))
        found["checkout"] = self.add(
            Checkout(order=order, amount=amount, currency="XAF", outcome="redirected", payment=payment)
        )
        return found


def token_answer() -> dict[str, Any]:
    return {
        "message": {"code": 200, "success": ["SUCCESS"]},
        "data": {"access_token": TOKEN, "expire_time": 600},
        "type": "success",
    }


def create_request(order: str, amount: str) -> dict[str, Any]:
    return {
        "amount": amount, "currency": "XAF", "custom": order,
        "return_url": f"{SHOP}/return/{order}", "cancel_url": f"{SHOP}/cancel/{order}",
    }  # fmt: skip


def create_answer(payment: str) -> dict[str, Any]:
    url = f"https://127.0.0.1:43117/pay/sandbox/v1/user/authentication/form/{payment}"
    return {
        "message": {"code": 200, "success": ["CREATED"]},
        "data": {"token": payment, "payment_url": url},
        "type": "success",
    }


def status_answer(payment: str, order: str, amount: str) -> dict[str, Any]:
    data = {
        "token": payment,
        "trx_id": "PP7714302",
        "status": "SUCCESS",
        "paid": True,
        "amount": amount,
        "currency": "XAF",
        "custom": order,
    }
    return {"message": {"code": 200, "success": ["SUCCESS"]}, "data": data, "type": "success"}


def page(purpose: str, path: str, status: int, body: str, order: str, time: float) -> Page:
    response = Response(status=status, headers=(("content-type", "text/html"),), body=body, size=len(body))
    request = Request(method="GET", url=SHOP + path, headers=(("user-agent", "payproof customer"),))
    return Page(
        began=time,
        ended=time + 0.02,
        where="integration",
        purpose=purpose,
        order=order,
        customer="Ada",
        request=request,
        response=response,
    )


def main_world() -> tuple[RecordedWorld, dict[str, int]]:
    scribe = Scribe()
    scribe.add(Process(event="ready", detail="GET /health answered 200 after 0.31 s"), 0.31)
    scribe.add(ProbeMark(event="begin", probe="clean-payment", params={"order": "1001"}))
    seen = scribe.pay("1001", "5000.00", "pay4QzWmTn8Rk2")
    scribe.add(Ledger(event="charged", payment="pay4QzWmTn8Rk2", reference="1001", amount="5000.00", currency="XAF"))
    scribe.add(
        page(
            "return",
            "/return/1001?type=success",
            200,
            "<h1>Thank you</h1><p>Your order is paid.</p>",
            "1001",
            scribe.time,
        )
    )
    seen["status"] = scribe.call(
        "GET", "/payment/status/pay4QzWmTn8Rk2", None, 200, status_answer("pay4QzWmTn8Rk2", "1001", "5000.00")
    )
    seen["order"] = scribe.add(OrderSeen(order="1001", state="paid", paid=True, effects=1, status=200))
    scribe.add(ProbeMark(event="end", probe="clean-payment"))
    scribe.add(ProbeMark(event="begin", probe="forged-return", params={"order": "1002"}))
    scribe.add(Step(text="The customer starts to pay order 1002 and then closes the gateway's page."))
    scribe.pay("1002", "5000.00", "pay9GhJkLmNpQr")
    scribe.add(Step(text="Without having paid, the customer types the success address by hand."))
    forged = "/return/1002?message%5Bsuccess%5D%5B0%5D=SUCCESS&data%5Btrx_id%5D=PP000001&type=success"
    seen["forged"] = scribe.add(
        page("return", forged, 200, "<h1>Thank you!</h1><p>We ship today.</p>", "1002", scribe.time)
    )
    seen["believed"] = scribe.add(OrderSeen(order="1002", state="paid", paid=True, effects=1, status=200), 0.2)
    scribe.add(ProbeMark(event="end", probe="forged-return"))
    scribe.add(ProbeMark(event="begin", probe="double-submit", params={"order": "1003"}))
    scribe.add(Step(text="The checkout of order 1003 is posted twice at once; both payments are completed."))
    for payment in ("pay1AAAAbbbbCCCC", "pay2DDDDeeeeFFFF"):
        scribe.call("POST", "/payment/create", create_request("1003", "5000.00"), 200, create_answer(payment))
        charged = Ledger(event="charged", payment=payment, reference="1003", amount="5000.00", currency="XAF")
        seen[payment] = scribe.add(charged)
    scribe.add(ProbeMark(event="end", probe="double-submit"))
    return RecordedWorld(name="main", entries=tuple(scribe.journal.entries)), seen


def faults_world() -> tuple[RecordedWorld, dict[str, int]]:
    scribe = Scribe()
    scribe.add(Process(event="started", detail="python app.py"), 0.02)
    scribe.add(ProbeMark(event="begin", probe="create-refused", params={"error": "create-storage"}), 0.4)
    seen = {"armed": scribe.add(FaultSet(event="armed", name="error", operation="create", detail={"status": 500}))}
    text = f"Failed to create payment! Please try again (canary-7f3a) {HOSTILE}"
    answer = {"message": {"code": 500, "error": [text]}, "data": None, "type": "error"}
    seen["call"] = scribe.call("POST", "/payment/create", create_request("2001", "1.00"), 500, answer, fault="error")
    raw = (
        f"<!doctype html><h1>Payment error</h1><pre>{text}</pre>"
        + "<p>Traceback (most recent call last): ...</p>" * 120
    )
    seen["page"] = scribe.add(page("checkout", "/checkout", 500, raw, "2001", scribe.time))
    seen["log"] = scribe.add(Log(stream="stderr", text=f"ERROR gateway said {HOSTILE} with Bearer {TOKEN}"))
    scribe.add(FaultSet(event="cleared", name="error", operation="create"))
    scribe.add(ProbeMark(event="end", probe="create-refused"))
    seen["held"] = scribe.call(
        "GET",
        "/payment/status/pay4QzWmTn8Rk2",
        None,
        200,
        "",
        ending="hung_up",
        ended=scribe.time + 61.3,
        response=None,
    )
    return RecordedWorld(name="faults", entries=tuple(scribe.journal.entries)), seen


def sample_run() -> tuple[Run, dict[str, int], dict[str, int]]:
    (main, seen), (faults, broken) = main_world(), faults_world()
    return (
        Run(gateway="quatapay", worlds=(main, faults), left_out=("timeout-drip",), facts={"seed": 4711}),
        seen,
        broken,
    )


def sample_findings(seen: Mapping[str, int], broken: Mapping[str, int]) -> dict[str, Finding]:
    found: dict[str, Finding] = {}

    def say(check: str, verdict: Verdict, title: str, expected: Any, actual: Any, *evidence: Pointer) -> None:
        found[check] = Finding(
            check=check, verdict=verdict, title=title, expected=expected, actual=actual, evidence=evidence
        )

    def main(*names: str) -> tuple[Pointer, ...]:
        return tuple(Pointer("main", seen[name]) for name in names)

    def faults(*names: str) -> tuple[Pointer, ...]:
        return tuple(Pointer("faults", broken[name]) for name in names)

    unpaid, believed = {"order": "1002", "paid": False}, {"order": "1002", "paid": True}
    title = "order 1002 is paid although nobody paid: 5,000.00 XAF of goods for a typed address"
    say("verify.forged-return", Verdict.FAIL, title, unpaid, believed, *main("forged", "believed"))
    once, twice = {"charges": 1, "total": "5,000.00 XAF"}, {"charges": 2, "total": "10,000.00 XAF"}
    title = "charged twice, 10,000.00 XAF, for one order of 5,000.00 XAF"
    say("idempotency.double-submit", Verdict.FAIL, title, once, twice, *main("pay1AAAAbbbbCCCC", "pay2DDDDeeeeFFFF"))
    title = f"the gateway's own error text reaches the customer: {HOSTILE}"
    say("errors.friendly", Verdict.FAIL, title, "a page made for people", HOSTILE, *faults("call", "page"))
    title = "the access token is in stderr, once"
    say("logs.no-access-token", Verdict.FAIL, title, [], ["<access-token-1>"], *faults("log"))
    title = "still reading after 60 s of one byte a second"
    say("timeout.drip", Verdict.WARN, title, {"seconds": 60}, {"seconds": 61.3}, *faults("held"))
    say("verify.unreachable", Verdict.NOT_EXERCISED, "no status check was ever made for this order", None, None)
    found["verify.unreachable"] = dataclasses.replace(found["verify.unreachable"], because="verify.status-checked")
    say("https.certificate-verified", Verdict.NOT_EXERCISED, "nothing reached the untrusted listener", None, None)
    say("idempotency.lost-answer", Verdict.NOT_APPLICABLE, "this gateway has no idempotency key", None, None)
    say("errors.rate-limit", Verdict.ERROR, "the check itself failed: KeyError('retry-after')", None, None)
    title = "one token call for five payments"
    say("token.cached", Verdict.PASS, title, {"token_calls": 2}, {"token_calls": 1}, *main("token", "create", "status"))
    say("flow.success", Verdict.PASS, "order 1001 is paid after a clean payment", True, True, *main("order"))
    return found


TEXTS = {
    "verify.forged-return": "A success redirect that the customer typed by hand does not make an order paid.",
    "idempotency.double-submit": "A checkout that is posted twice at once charges the customer once.",
    "errors.friendly": "A customer never reads the gateway's error text, a stack trace or a library's message.",
    "token.cached": "The access token is kept for its life: payments one after the other share it.",
    "logs.no-access-token": "No access token appears in a log line.",
    "timeout.drip": "An answer that drips one byte a second is given up within a minute.",
}
SHOULD = ("timeout.drip", "errors.rate-limit", "idempotency.lost-answer", "alerts.")
VOUCHED = Attestation(
    item="monitoring", by="Ngozi A.", on="2026-11-20", until="2027-02-20", note="on-call alert, tried on staging"
)
CONTRADICTION = (
    "The guidance asks to cache the token; here a shared token mixes two payments. Checked instead: never shared."
)


def sample_judgement(requirement: str, findings: Mapping[str, Finding]) -> Judgement:
    finding = findings.get(requirement)
    attested = requirement.startswith("alerts.")
    return Judgement(
        requirement=requirement,
        level=Level.SHOULD if requirement.startswith(SHOULD) else Level.MUST,
        text=TEXTS.get(requirement, f"The integration keeps the promise of {requirement}."),
        verdict=Verdict.ATTESTED if attested else finding.verdict if finding else Verdict.PASS,
        findings=(finding,) if finding else (),
        contradiction=CONTRADICTION if requirement == "token.cached" else "",
        attestation=VOUCHED if attested else None,
        baseline="fixed in release 2.4, until 2026-12-15" if requirement == "logs.no-access-token" else "",
    )


def sample_item(item: Item, judgements: Mapping[str, Judgement]) -> ItemResult:
    worst = (Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.NOT_EXERCISED, Verdict.ATTESTED)
    names = CHECKLIST.requirements_of(item)
    found = [judgements[name].verdict for name in names]
    verdict = next((verdict for verdict in worst if verdict in found), Verdict.PASS)
    return ItemResult(
        id=item.id, title=f"{item.number} {item.title}", text=item.text, verdict=verdict, requirements=names
    )


def sample_result(seen: Mapping[str, int], broken: Mapping[str, int]) -> Result:
    findings = sample_findings(seen, broken)
    judgements = {name: sample_judgement(name, findings) for name in CHECKLIST.all_requirements()}
    return Result(
        outcome=Outcome.NOT_READY,
        reasons=("verify.forged-return: order 1002 is paid, nobody paid.", "verify.unreachable: not exercised."),
        diagnosis=(),
        golive=tuple(sample_item(item, judgements) for item in CHECKLIST.golive),
        guidelines=tuple(sample_item(item, judgements) for item in CHECKLIST.guidelines),
        judgements=tuple(judgements.values()),
        scope=CHECKLIST.all_requirements(),
        facts={
            "name": "my-shop", "gateway": "quatapay", "profile_version": "2026.11", "target": "simulator", "seed": 4711,
            "started": "2026-11-23T09:54:00Z", "seconds": 41.24, "journal": "sha256:0f5c3a", "config": "sha256:93b1de",
        },
    )  # fmt: skip


@pytest.fixture
def run() -> Run:
    return sample_run()[0]


@pytest.fixture
def result() -> Result:
    _, seen, broken = sample_run()
    return sample_result(seen, broken)


@pytest.fixture
def empty() -> Result:
    """A result with nothing in it."""
    return Result(outcome=Outcome.PARTIAL, reasons=(), diagnosis=(), golive=(), guidelines=(), judgements=(), scope=())


@pytest.fixture
def not_scored(result: Result) -> Result:
    diagnosis = ("The integration never called the gateway.", f"Its last log line: {HOSTILE}")
    return dataclasses.replace(result, outcome=Outcome.NOT_SCORED, diagnosis=diagnosis, reasons=(), judgements=())
