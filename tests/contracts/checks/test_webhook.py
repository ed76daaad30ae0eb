"""Notices, as each is answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from payproof.contracts.judging.requirements import requirements
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Verdict

from .written import Written

EVERY = sorted(id for id in requirements() if requirements()[id].needs == "notices")
FORGERIES = ("unsigned", "empty", "half", "other-secret", "other-body", "other-key")


def a_run(**settings: Any) -> Written:
    return Written("harbor", **{"notices": True, "counts_effects": True} | settings)


def bought(run: Written, order: str = "900", payment: str = "p900", **notice: Any) -> None:
    """A clean purchase of which a notice told."""
    with run.probe("control"):
        run.order(order)
        run.bought(order, payment)
        run.delivery(payment, **notice)


# -- every one of them -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", EVERY)
def test_without_a_declared_endpoint_nothing_is_held_against_anybody(id: str) -> None:
    run = a_run(notices=False)
    bought(run)
    finding = run.finding(id, Verdict.NOT_APPLICABLE)
    assert finding.declare == "[integration.webhook] path"


@pytest.mark.parametrize("id", EVERY)
def test_where_the_gateways_guidance_asks_for_it_an_undeclared_endpoint_is_not_exercised(id: str) -> None:
    run = a_run(notices=False)
    assert run.profile.notices is not None
    run.profile = replace(run.profile, notices=replace(run.profile.notices, required=True))
    assert run.finding(id, Verdict.NOT_EXERCISED).declare == "[integration.webhook] path"


@pytest.mark.parametrize("id", EVERY)
def test_a_gateway_without_notices_has_no_such_requirement(id: str) -> None:
    run = a_run()
    run.profile = replace(run.profile, notices=None)
    assert run.finding(id, Verdict.NOT_APPLICABLE).title == "this gateway has no notices"


@pytest.mark.parametrize("id", EVERY)
def test_nothing_is_passed_when_nothing_happened(id: str) -> None:
    assert a_run().judged(id).verdict is Verdict.NOT_EXERCISED


@pytest.mark.parametrize("id", EVERY)
def test_no_other_gateway_is_judged_by_it(id: str) -> None:
    for gateway in ("quatapay", "qrpay"):
        assert id not in Written(gateway).profile.checklist.all_requirements()


# -- webhook.signature-verified ----------------------------------------------------------------------------------------

SIGNATURE = "webhook.signature-verified"


def forged(
    run: Written, how: str = "unsigned", status: int | None = 400, paid: bool | None = False, **seen: Any
) -> None:
    with run.probe("forged-notice", how=how):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.seen("1", False)
        run.step(StepName.NOTICED)
        run.delivery("p1", status, forged=how)
        run.seen("1", paid, **seen)


@pytest.mark.parametrize("how", FORGERIES)
def test_a_refused_forgery_passes(how: str) -> None:
    run = a_run()
    bought(run)
    forged(run, how)
    assert run.finding(SIGNATURE, Verdict.PASS).actual == {"state": "pending", "answer": "HTTP 400"}


@pytest.mark.parametrize("how", FORGERIES)
def test_an_order_that_a_forgery_pays_fails(how: str) -> None:
    run = a_run()
    bought(run)
    forged(run, how, 200, paid=True)
    assert run.finding(SIGNATURE, Verdict.FAIL).actual == {"paid": True, "state": "paid", "charged": 0}


def test_what_was_signed_long_ago_is_judged_apart() -> None:
    for paid, verdict in ((False, Verdict.PASS), (True, Verdict.WARN)):
        run = a_run()
        bought(run)
        forged(run, "old", 200, paid=paid)
        run.finding("webhook.stale", verdict)
        run.finding(SIGNATURE, Verdict.NOT_EXERCISED)


def test_an_order_that_a_forgery_pays_later_fails() -> None:
    run = a_run()
    bought(run)
    forged(run, status=200)
    with run.probe("settle"):
        run.seen("1", True)
    run.finding(SIGNATURE, Verdict.FAIL)


@pytest.mark.parametrize("status", [200, 204, 404, 500, None])
def test_a_forgery_without_effect_passes_however_it_is_answered(status: int | None) -> None:
    run = a_run()
    bought(run)
    forged(run, status=status)
    run.finding(SIGNATURE, Verdict.PASS)


def test_a_doorbell_that_asks_the_gateway_passes() -> None:
    run = a_run()
    bought(run)
    with run.probe("forged-notice", how="unsigned"):
        run.order("1")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.step(StepName.NOTICED)
        run.status("p1", paid=False)
        run.delivery("p1", 200, forged="unsigned")
        run.seen("1", False)
    run.finding(SIGNATURE, Verdict.PASS)


def test_who_takes_no_genuine_notice_has_not_shown_that_he_knows_a_forged_one() -> None:
    run = a_run()
    bought(run, status=400)
    forged(run)
    assert "no genuine notice was answered with success" in run.finding(SIGNATURE, Verdict.NOT_EXERCISED).title
    assert run.causes(SIGNATURE) == {"webhook.before-return", "webhook.raw-body", "flow.success"}


def test_an_order_that_was_paid_before_the_forgery_is_another_matter() -> None:
    run = a_run()
    bought(run)
    with run.probe("forged-notice", how="half"):
        run.order("1")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.seen("1", True)
        run.step(StepName.NOTICED)
        run.delivery("p1", 200, forged="half")
        run.seen("1", True)
    run.finding(SIGNATURE, Verdict.NOT_EXERCISED)
    assert "verify.status-checked" in run.causes(SIGNATURE)


def test_an_order_that_cannot_be_read_after_a_forgery_is_not_exercised() -> None:
    run = a_run()
    bought(run)
    with run.probe("forged-notice", how="half"):
        run.order("1")
        run.checkout("1", "p1")
        run.delivery("p1", 200, forged="half")
        run.seen("1", None, problem="HTTP 500")
    assert "could not be read" in run.finding(SIGNATURE, Verdict.NOT_EXERCISED).title


def test_a_checkout_that_led_nowhere_leaves_the_forgery_untried() -> None:
    run = a_run()
    bought(run)
    with run.probe("forged-notice", how="half"):
        run.order("1")
        run.checkout("1", "")
    assert "could not be checked out" in run.finding(SIGNATURE, Verdict.NOT_EXERCISED).title


# -- webhook.raw-body --------------------------------------------------------------------------------------------------

RAW = "webhook.raw-body"


def spelled(run: Written, plain: int | None = 200, **statuses: int | None) -> None:
    with run.probe("spelled-notice"):
        run.order("1")
        run.bought("1", "p1")
        run.step(StepName.NOTICED)
        run.delivery("p1", plain)
        for shape, status in statuses.items():
            run.delivery("p1", status, shape=shape)


def test_other_bytes_that_are_taken_pass() -> None:
    run = a_run()
    spelled(run, indented=200, escaped=204)
    run.finding(RAW, Verdict.PASS)


@pytest.mark.parametrize("status", [400, 401, 500, None])
def test_other_bytes_that_are_refused_fail(status: int | None) -> None:
    run = a_run()
    spelled(run, indented=200, escaped=status)
    assert "escaped" in run.finding(RAW, Verdict.FAIL).title


def test_who_refuses_the_plain_notice_too_is_not_judged_by_its_bytes() -> None:
    run = a_run()
    bought(run)
    spelled(run, plain=409, indented=409)
    run.finding(RAW, Verdict.NOT_EXERCISED)
    assert run.causes(RAW) == {"webhook.before-return"}


def test_who_takes_no_notice_at_all_fails() -> None:
    run = a_run()
    spelled(run, plain=400, indented=400)
    assert "so is every other one" in run.finding(RAW, Verdict.FAIL).title
    assert run.causes(RAW) == {"webhook.before-return", "flow.success"}


def test_who_insists_on_a_certificate_that_is_not_here_is_not_judged() -> None:
    run = a_run()
    assert run.profile.notices is not None
    keyed = replace(run.profile.notices, impostor=run.profile.notices.sign)
    run.profile = replace(run.profile, notices=keyed)
    spelled(run, plain=400, indented=400)
    assert "the gateway's real host" in run.finding(RAW, Verdict.NOT_EXERCISED).title


@pytest.mark.parametrize(("genuine", "verdict"), [(False, Verdict.FAIL), (True, Verdict.NOT_EXERCISED)])
def test_who_asks_the_gateway_to_verify_what_it_does_not_know_fails(genuine: bool, verdict: Verdict) -> None:
    run = a_run()
    bought(run)
    with run.probe("spelled-notice"):
        run.order("1")
        run.bought("1", "p1")
        run.step(StepName.NOTICED)
        notified = run.delivery("p1", 400)
        run.now = notified.began
        run.call("verify-notice", genuine=genuine)
        run.delivery("p1", 400, shape="indented")
    found = run.finding(RAW, verdict)
    assert ("asked to verify" in found.title) is not genuine


def test_an_order_that_was_not_paid_leaves_the_bytes_untried() -> None:
    run = a_run()
    with run.probe("spelled-notice"):
        run.order("1")
        run.bought("1", "p1", paid=False)
    run.finding(RAW, Verdict.NOT_EXERCISED)


# -- webhook.unknown-event ---------------------------------------------------------------------------------------------

UNKNOWN = "webhook.unknown-event"


def unknown(
    run: Written, status: int | None = 200, *, paid: bool = False, died: bool = False, then: int | None = 200
) -> None:
    with run.probe("unknown-notice", odd="event"):
        run.order("1")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.seen("1", False)
        run.step(StepName.NOTICED)
        run.delivery("p1", status, shape="unknown-event", event="unheard")
        if died:
            run.exited()
        run.seen("1", paid)
        run.step(StepName.NEXT_NOTICE)
        run.bought("2", "p2")
        run.delivery("p2", then)


@pytest.mark.parametrize("status", [200, 202, 204, 400, 404, 422])
def test_an_unknown_event_may_be_answered_2xx_or_4xx(status: int) -> None:
    run = a_run()
    unknown(run, status)
    finding = run.finding(UNKNOWN, Verdict.PASS)
    assert ("repeats it" in finding.title) is (status >= 400)


@pytest.mark.parametrize("status", [500, 502, 503, None])
def test_an_unknown_event_that_breaks_the_shop_fails(status: int | None) -> None:
    run = a_run()
    unknown(run, status)
    run.finding(UNKNOWN, Verdict.FAIL)


def test_an_unknown_event_that_ends_the_process_fails() -> None:
    run = a_run()
    unknown(run, 200, died=True)
    assert "its process ended" in run.finding(UNKNOWN, Verdict.FAIL).title


def test_an_unknown_event_that_pays_an_order_fails() -> None:
    run = a_run()
    unknown(run, paid=True)
    assert "took no money" in run.finding(UNKNOWN, Verdict.FAIL).title


def test_an_unknown_event_after_which_none_is_taken_fails() -> None:
    run = a_run()
    bought(run)
    unknown(run, then=500)
    assert "next genuine notice" in run.finding(UNKNOWN, Verdict.FAIL).title


def test_who_never_takes_a_notice_is_not_accused_of_stopping() -> None:
    run = a_run()
    unknown(run, 400, then=400)
    run.finding(UNKNOWN, Verdict.PASS)


def test_a_gateway_of_which_no_odd_notice_can_be_made_is_not_judged() -> None:
    run = a_run()
    with run.probe("unknown-notice", odd="data"):
        run.order("1")
        run.checkout("1", "p1")
        run.step(StepName.NO_SUCH_NOTICE, "no such notice can be made")
    run.finding(UNKNOWN, Verdict.NOT_APPLICABLE)


# -- webhook.unknown-order ---------------------------------------------------------------------------------------------

FOREIGN = "webhook.unknown-order"


def foreign(run: Written, status: int | None = 200, *, died: bool = False, appears: bool | None = None) -> None:
    with run.probe("foreign-notice"):
        run.order("1")
        run.create("p1", "1")
        run.checkout("1", "p1")
        run.order("777", "foreign")
        run.step(StepName.NOTICED)
        run.delivery("stranger", status, shape="unknown-order")
        if died:
            run.exited()
        run.seen("1", False)
        run.seen("777", appears)


@pytest.mark.parametrize("status", [200, 204, 400, 404, 409, 503])
def test_an_unknown_payment_may_be_answered_with_anything_but_500(status: int) -> None:
    run = a_run()
    foreign(run, status)
    run.finding(FOREIGN, Verdict.PASS)


def test_an_unknown_payment_that_crashes_the_shop_fails() -> None:
    run = a_run()
    foreign(run, 500)
    run.finding(FOREIGN, Verdict.FAIL)
    run = a_run()
    foreign(run, None, died=True)
    run.finding(FOREIGN, Verdict.FAIL)


def test_an_order_that_appears_out_of_nothing_fails() -> None:
    run = a_run()
    foreign(run, 200, appears=True)
    assert "777" in run.finding(FOREIGN, Verdict.FAIL).title


def test_an_unknown_payment_without_an_answer_is_not_judged() -> None:
    run = a_run()
    foreign(run, None)
    run.finding(FOREIGN, Verdict.NOT_EXERCISED)


# -- webhook.malformed -------------------------------------------------------------------------------------------------

MALFORMED = "webhook.malformed"


def malformed(run: Written, status: int | None = 400, *, died: bool = False, body: str = "") -> None:
    with run.probe("malformed-notice", body="empty"):
        run.order("1")
        run.checkout("1", "p1")
        run.step(StepName.NOTICED)
        run.delivery("p1", status, shape="empty", body=body)
        if died:
            run.exited()


@pytest.mark.parametrize("status", [400, 413, 200, None])
def test_a_malformed_notice_that_breaks_nothing_passes(status: int | None) -> None:
    run = a_run()
    malformed(run, status)
    run.finding(MALFORMED, Verdict.PASS)


def test_a_malformed_notice_that_crashes_warns() -> None:
    run = a_run()
    malformed(run, 500, body='Traceback (most recent call last):\n  File "app.py", line 3\nValueError: no JSON')
    run.finding(MALFORMED, Verdict.WARN)
    run = a_run()
    malformed(run, None, died=True)
    run.finding(MALFORMED, Verdict.WARN)


def test_a_malformed_notice_that_was_never_sent_is_not_exercised() -> None:
    run = a_run()
    with run.probe("malformed-notice", body="empty"):
        run.order("1")
        run.checkout("1", "")
    run.finding(MALFORMED, Verdict.NOT_EXERCISED)


# -- webhook.fast-answer -----------------------------------------------------------------------------------------------

FAST = "webhook.fast-answer"


def test_notices_that_are_answered_in_time_pass_and_the_slowest_is_named() -> None:
    run = a_run()
    bought(run, seconds=0.2)
    bought(run, "901", "p901", seconds=4.2)
    assert run.finding(FAST, Verdict.PASS).actual == {"seconds": 4.2, "notices": 2}


def test_a_notice_that_the_gateway_hung_up_on_warns() -> None:
    run = a_run()
    bought(run, status=None, seconds=5.0, problem="no answer within 5 s")
    run.finding(FAST, Verdict.WARN)


def test_slowness_that_a_fault_caused_is_not_the_shops() -> None:
    run = a_run()
    bought(run)
    with run.probe("slow"):
        run.armed("delay")
        run.bought("1", "p1")
        run.delivery("p1", None, seconds=5.0, problem="no answer within 5 s")
    run.finding(FAST, Verdict.PASS)


def test_a_forged_notice_and_an_odd_one_may_take_their_time_and_who_refuses_connections_is_not_slow() -> None:
    run = a_run()
    bought(run)
    with run.probe("forged-notice"):
        run.delivery("p1", 400, forged="half", seconds=6)
        run.delivery("p1", 400, shape="large", seconds=6)
        run.delivery("p1", None, seconds=0.1)
    run.finding(FAST, Verdict.PASS)


# -- logs.webhooks -----------------------------------------------------------------------------------------------------

LOGGED = "logs.webhooks"


def logging(run: Written, *lines: str, status: int = 200) -> None:
    with run.probe("control"):
        run.order("900")
        run.bought("900", "payment-900")
        run.delivery("payment-900", status, id="notice-900")
        for line in lines:
            run.log(line)


@pytest.mark.parametrize(
    "lines",
    [
        ("notice order.taken order=900 payment=payment-900",),
        ("webhook notice-900: order is paid",),
        ("got webhook notice-900", "marked paid"),
    ],
)
def test_a_line_with_a_notice_and_its_outcome_passes(lines: tuple[str, ...]) -> None:
    run = a_run()
    logging(run, *lines)
    run.finding(LOGGED, Verdict.PASS)


@pytest.mark.parametrize("lines", [(), ("a notice came",), ('127.0.0.1 "POST /notices HTTP/1.1" 200',)])
def test_silence_about_notices_warns(lines: tuple[str, ...]) -> None:
    run = a_run()
    logging(run, *lines)
    run.finding(LOGGED, Verdict.WARN)


def test_a_notice_that_was_not_taken_says_nothing_of_the_logs() -> None:
    run = a_run()
    logging(run, status=503)
    run.finding(LOGGED, Verdict.NOT_EXERCISED)


def test_lines_that_could_be_anybodys_are_not_held_against_this_instance() -> None:
    run = a_run()
    run.run_fields = {"facts": {"unattributed_log_lines": 3}}
    logging(run)
    run.finding(LOGGED, Verdict.NOT_EXERCISED)


# -- verify.status-checked ---------------------------------------------------------------------------------------------


def noticed(run: Written, **notice: Any) -> None:
    with run.probe("control"):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.delivery("p1", **notice)
        run.seen("1", True)


def test_a_genuine_notice_that_was_taken_stands_for_a_status_check() -> None:
    run = a_run()
    noticed(run)
    run.finding("verify.status-checked", Verdict.PASS)


@pytest.mark.parametrize(
    "notice", [{"forged": "half"}, {"status": 400}, {"paid": False}, {"paid": None}, {"payment": "another"}]
)
def test_any_other_notice_does_not(notice: dict[str, Any]) -> None:
    run = a_run()
    with run.probe("control"):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        notified: dict[str, Any] = {"payment": "p1", **notice}
        run.delivery(**notified)
        run.seen("1", True)
    run.finding("verify.status-checked", Verdict.FAIL)


def test_a_notice_that_came_after_the_order_was_paid_does_not() -> None:
    run = a_run()
    with run.probe("control"):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.ledger("charged", "p1", reference="1")
        run.seen("1", True)
        run.delivery("p1")
    run.finding("verify.status-checked", Verdict.FAIL)


# -- webhook.secret-rolled, webhook.foreign-mode -----------------------------------------------------------------------


def rolled(*answers: int | None, plain: int = 200) -> Written:
    run = a_run()
    with run.probe("rolled-notice"):
        run.order()
        run.bought()
        run.step(StepName.NOTICED)
        run.delivery(status=plain)
        for answer in answers:
            run.delivery(status=answer, shape="signed with a newer secret, too")
    return run


def test_a_notice_is_taken_while_its_secret_is_rolled() -> None:
    rolled(200, 204).finding("webhook.secret-rolled", Verdict.PASS)


@pytest.mark.parametrize("answers", [(200, 400), (401, 200), (200, None)])
def test_a_notice_refused_for_its_second_signature_is_shown(answers: tuple[int | None, ...]) -> None:
    assert "newer secret" in rolled(*answers).finding("webhook.secret-rolled", Verdict.WARN).title


def test_who_takes_no_notice_at_all_is_not_accused_for_two_signatures() -> None:
    rolled(400, 400, plain=400).finding("webhook.secret-rolled", Verdict.NOT_EXERCISED)


def test_a_secret_that_is_good_no_more_when_it_is_replaced_is_never_rolled() -> None:
    run = rolled(400, 400)
    run.profile = replace(run.profile, credentials=tuple(replace(each, grace=0) for each in run.profile.credentials))
    run.finding("webhook.secret-rolled", Verdict.NOT_APPLICABLE)


def of_the_other_mode(paid: bool | None) -> Written:
    run = a_run()
    bought(run)
    with run.probe("other-mode-notice"):
        run.order("1")
        run.create("p1", "1")
        run.ledger("opened", "p1", reference="1")
        run.checkout("1", "p1")
        run.seen("1", False)
        run.delivery("p1", shape="of the other mode")
        run.seen("1", paid)
    return run


def test_an_order_paid_by_a_notice_of_the_other_mode_is_shown() -> None:
    assert "other mode" in of_the_other_mode(True).finding("webhook.foreign-mode", Verdict.WARN).title


@pytest.mark.parametrize(("paid", "verdict"), [(False, Verdict.PASS), (None, Verdict.PASS)])
def test_an_order_that_stays_unpaid_passes(paid: bool | None, verdict: Verdict) -> None:
    of_the_other_mode(paid).finding("webhook.foreign-mode", verdict)
