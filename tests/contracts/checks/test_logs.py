"""logs.*: interactions are logged, without their secrets."""

from __future__ import annotations

from typing import Any

import pytest

from payproof.contracts.model import Verdict

from .written import Written

REQUESTS, RESPONSES = "logs.requests", "logs.responses"
LEAKS = [("logs.no-access-token", "<access-token-1>"), ("logs.no-secret-key", "<secret-key-1>")]
each_leak = pytest.mark.parametrize(("requirement", "secret"), LEAKS)

ACCESS = (
    'INFO:werkzeug:127.0.0.1 - - [28/Nov/2026] "\x1b[32mPOST /checkout/1001?amount=5000.00 HTTP/1.1\x1b[0m" 302 -',
    "\x1b[32mGET /checkout/1001?token=pay-token-000001&amount=5000.00 \x1b[0m200 5 ms - 12",
    '  Parameters: {"order_id"=>"1001", "amount"=>"5000.00", "token"=>"pay-token-000001", "type"=>"success"}',
)


def _bought(*lines: str, verified: bool = True, amount: str = "5000.00", **settings: Any) -> Written:
    run = Written(**settings)
    with run.probe("control"):
        run.order()
        run.create("pay-token-000001", amount=amount)
        run.page("checkout", url="https://shop.test/checkout/1001", status=302)
        run.checkout(payment="pay-token-000001", amount=amount)
        if verified:
            run.status("pay-token-000001", transaction="TX0000000001", outcome="SUCCESSFUL")
        for line in lines:
            run.log(line)
    return run


# no secret


@each_leak
def test_logs_without_the_secret_pass(requirement: str, secret: str) -> None:
    assert _bought("create order=1001 token=abcd…").finding(requirement, Verdict.PASS).actual == {"lines": 1}


@each_leak
def test_a_line_with_the_secret_fails_and_is_shown(requirement: str, secret: str) -> None:
    found = _bought("fine", f"Authorization: Bearer {secret}").finding(requirement, Verdict.FAIL)
    assert isinstance(found.actual, dict)
    assert found.actual["lines"] == 1
    assert len(found.evidence) == 1


@each_leak
def test_an_integration_that_logs_nothing_leaks_nothing(requirement: str, secret: str) -> None:
    assert "logs nothing" in _bought().finding(requirement, Verdict.PASS).title


@each_leak
def test_logs_that_nobody_can_read_are_not_judged(requirement: str, secret: str) -> None:
    found = _bought(restarts=False).finding(requirement, Verdict.NOT_EXERCISED)
    assert found.declare == "logs.files"


@each_leak
def test_a_mask_or_a_hash_is_fine(requirement: str, secret: str) -> None:
    assert _bought("token ****9f3a", "sha256:0f5c3a9d").finding(requirement, Verdict.PASS)


# requests


@pytest.mark.parametrize(
    "lines",
    [
        ("create order=1001 amount=5000.00",),
        ('{"event":"create","order":"1001","amount":"5000.00"}',),
        ("[shop] paying order 1001", "[shop]   sum 5000 XAF"),
        ('{"msg":"create","method":"POST","path":"/checkout/1001","order":"1001","amount":"5000.00"}',),
    ],
)
def test_a_line_with_order_and_amount_passes(lines: tuple[str, ...]) -> None:
    assert _bought(*lines).finding(REQUESTS, Verdict.PASS).evidence


@pytest.mark.parametrize("access", ACCESS)
def test_an_access_log_is_no_log_of_the_payment(access: str) -> None:
    assert _bought(access).finding(REQUESTS, Verdict.WARN)
    assert _bought(access).finding(RESPONSES, Verdict.WARN)


def test_an_amount_within_a_longer_number_is_none() -> None:
    assert _bought("create order=1001 took 15000 ms").finding(REQUESTS, Verdict.WARN)


def test_short_amounts_are_not_judged() -> None:
    assert _bought("nothing", amount="1.00").finding(REQUESTS, Verdict.NOT_EXERCISED)


# responses


@pytest.mark.parametrize(
    "lines",
    [
        ("status payment=pay-token-000001 paid=true outcome=SUCCESSFUL",),
        ("status of TX0000000001: paid",),
        ('{"payment":"pay-token-000001","http":200}',),
        ("payment pay-token-00…", "  is paid"),
        ('gateway GET https://localhost/status "HTTP/1.1 200 OK" pay-token-000001',),
    ],
)
def test_a_line_with_payment_and_outcome_passes(lines: tuple[str, ...]) -> None:
    assert _bought(*lines).finding(RESPONSES, Verdict.PASS).evidence


def test_a_payment_without_its_outcome_is_not_enough() -> None:
    assert _bought("opened pay-token-000001").finding(RESPONSES, Verdict.WARN)


def test_answers_are_not_judged_where_none_came() -> None:
    run = _bought("create order=1001 amount=5000.00", verified=False)
    # The order is paid all the same, which is the failure that explains this one.
    assert run.finding(RESPONSES, Verdict.NOT_EXERCISED)
    assert "verify.status-checked" in run.causes(RESPONSES)


@pytest.mark.parametrize("requirement", [REQUESTS, RESPONSES])
def test_an_integration_that_logs_nothing_is_told(requirement: str) -> None:
    assert _bought().finding(requirement, Verdict.WARN).actual == {"lines": 0}


@pytest.mark.parametrize("requirement", [REQUESTS, RESPONSES])
def test_an_integration_whose_logs_nobody_can_read_is_not_judged(requirement: str) -> None:
    found = _bought(restarts=False).finding(requirement, Verdict.NOT_EXERCISED)
    assert (found.title, found.declare) == ("no log was read: declare integration.logs.files", "logs.files")


@pytest.mark.parametrize("requirement", [REQUESTS, RESPONSES])
def test_without_a_payment_nothing_is_judged(requirement: str) -> None:
    run = Written()
    with run.probe("control"):
        run.checkout(payment="")
        run.log("order 1001 refused")
    assert run.finding(requirement, Verdict.NOT_EXERCISED)


# the gateway's id of a call


def _refused(*lines: str, operation: str = "create", id: str = "call-0001", **settings: Any) -> Written:
    run = Written("harbor", **settings)
    with run.probe("error-answer", operation=operation):
        run.call(operation, status=422, answer_headers=(("harbor-call", id),) if id else ())
        for line in lines:
            run.log(line)
    return run


def test_a_logged_id_of_an_answer_that_is_an_error_passes() -> None:
    _refused("create -> HTTP 422 (call-0001)").finding("logs.request-id", Verdict.PASS)


def test_an_error_whose_id_is_in_no_line_is_shown() -> None:
    found = _refused("create -> HTTP 422").finding("logs.request-id", Verdict.WARN)
    assert "1 create calls" in found.title
    assert len(found.evidence) == 1


def test_one_logged_id_is_enough_for_each_kind_of_call() -> None:
    run = _refused("call-0001")
    run.call("create", status=500, answer_headers=(("harbor-call", "call-0002"),))
    run.finding("logs.request-id", Verdict.PASS)
    run.call("status", status=500, answer_headers=(("harbor-call", "call-0003"),))
    assert "status" in run.finding("logs.request-id", Verdict.WARN).title


def test_an_answer_of_somebody_on_the_way_has_no_id() -> None:
    assert _refused("bad gateway", id="").judged("logs.request-id").verdict is Verdict.NOT_EXERCISED


def test_logs_that_nobody_can_read_show_no_id() -> None:
    assert _refused(restarts=False).judged("logs.request-id").verdict is Verdict.NOT_EXERCISED
