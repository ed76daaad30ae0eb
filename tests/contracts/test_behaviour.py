"""How an integration behaves, measured on journals that were written by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest

from payproof.contracts import run as runs
from payproof.contracts.behaviour import Behaviour, Failure, Patience, Refusal, behaviour
from payproof.contracts.entries import Connection
from payproof.contracts.run import Run
from payproof.reports import behaviour as words

from .checks.written import Written


def stalled(found: Behaviour, stall: str = "first-byte", operation: str = "create") -> Patience:
    return next(each for each in found.patience if (each.stall, each.operation) == (stall, operation))


def failure(found: Behaviour, failing: str, operation: str = "create") -> Failure:
    return next(each for each in found.failures if (each.failing, each.operation) == (failing, operation))


@pytest.fixture
def written() -> Written:
    return Written()


# -- when it hangs up --------------------------------------------------------------------------------------------------


def test_seconds_until_the_client_hangs_up_are_those_of_its_longest_call(written: Written) -> None:
    written.create(status=None, seconds=10.0, ending="hung_up", fault="never-answer")
    held = written.create(status=None, seconds=28.9, ending="hung_up", fault="never-answer")
    found = stalled(behaviour(written.run()))
    assert (found.seconds, found.watched, found.limit, found.unmeasured) == (28.9, None, 30.0, "")
    assert [pointer.entry for pointer in found.evidence] == [held.n]


@pytest.mark.parametrize("ending", ["cut", "held"])
def test_a_client_that_never_hangs_up_was_watched_for_so_long(written: Written, ending: Literal["cut", "held"]) -> None:
    written.create(status=None, seconds=60.0, ending=ending, fault="never-answer")
    found = stalled(behaviour(written.run()))
    assert (found.seconds, found.watched) == (None, 60.0)


def test_a_customer_who_is_answered_while_the_call_stays_open_is_told_so(written: Written) -> None:
    written.page("checkout", seconds=25.0, status=502, began=0.0)
    written.now = 0.1
    held = written.create(status=None, seconds=60.0, ending="cut", fault="never-answer")
    found = stalled(behaviour(written.run()))
    assert found.watched == 60.0
    assert found.answered == pytest.approx(24.9)
    assert [pointer.entry for pointer in found.evidence] == [held.n, 1]


@pytest.mark.parametrize(("again", "seconds"), [(8.0, 8.0), (2.0, None)])
def test_a_socket_that_a_client_forgot_when_it_tried_again_is_not_its_limit(
    written: Written, again: float, seconds: float | None
) -> None:
    """What began while the first try was still under way may be anybody's, and has perhaps no limit."""
    written.page("checkout", seconds=17.0, status=502, began=0.0)
    written.now = 0.1
    written.create(status=None, seconds=8.0, ending="hung_up", fault="never-answer")
    written.now = 0.1 + again
    written.create(status=None, seconds=20.0 - again, ending="cut", fault="never-answer")
    found = stalled(behaviour(written.run()))
    assert found.seconds == (seconds if seconds is None else pytest.approx(seconds, abs=0.2))


def test_who_looks_at_the_order_while_the_return_is_open_was_not_answered(written: Written) -> None:
    """On a busy machine a look at the order overtakes the return whose verification is held."""
    written.page("order", seconds=3.0, began=1.0)
    written.now = 2.0
    written.status(status=None, seconds=6.0, ending="cut", fault="never-answer")
    written.page("return", began=0.0, status=502)
    found = stalled(behaviour(written.run()), operation="status")
    assert (found.watched, found.answered) == (6.0, None)


def test_a_customer_who_is_answered_when_the_call_ends_is_nothing_to_tell(written: Written) -> None:
    written.create(status=None, seconds=20.0, ending="hung_up", fault="never-answer")
    written.page("checkout", began=0.0, status=502)
    assert stalled(behaviour(written.run())).answered is None


@pytest.mark.parametrize(("ending", "let_go"), [("cut", True), ("hung_up", False)])
def test_a_customer_who_is_answered_because_we_ended_the_call_waited_for_longer_than_that(
    written: Written, ending: Literal["cut", "hung_up"], let_go: bool
) -> None:
    written.page("checkout", began=0.0, seconds=60.05, status=503)
    written.now = 0.1  # the end of a connection is seen a moment later
    written.create(status=None, seconds=60.0, ending=ending, fault="never-answer")
    found = failure(behaviour(written.run()), "late")
    assert (found.let_go, found.status) == (let_go, 503)
    text = words.failure(found).line
    assert text.endswith("HTTP 503 when the gateway ended the call" if let_go else "HTTP 503 after 60.0 s"), text


def test_each_stall_is_measured_by_its_own_fault(written: Written) -> None:
    written.status(status=200, seconds=12.0, ending="hung_up", fault="stall")
    written.status(status=200, seconds=45.0, ending="hung_up", fault="drip")
    found = behaviour(written.run())
    assert stalled(found, "body", "status").seconds == 12.0
    assert (stalled(found, "drip", "status").seconds, stalled(found, "drip", "status").limit) == (45.0, 60.0)
    assert stalled(found, "longest", "status").seconds == 45.0
    assert stalled(found, "first-byte", "status").unmeasured


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"scored": False}, "the control payment failed, and nothing more was tried"),
        ({"powerless": {"timeout.response": "nobody can change what this gateway answers"}}, "nobody can change"),
        ({"provoked_by": {"timeout.response": ("stalled",)}, "left_out": ("stalled",)}, "left out of this run"),
        (
            {"provoked_by": {"timeout.response": ("stalled",)}, "left_out": ("stalled",), "facts": {"quick": True}},
            "left out by --quick",
        ),
        ({"facts": {"cut": {"timeout.response": "the time of this quick run was up"}}}, "the run's time was up"),
        ({}, "no probe tried it"),
    ],
)
def test_what_was_not_measured_says_why(written: Written, fields: dict[str, object], why: str) -> None:
    written.run_fields |= fields
    written.create()
    assert stalled(behaviour(written.run())).unmeasured.startswith(why)


def test_a_fault_that_no_call_met_says_so(written: Written) -> None:
    written.armed("never-answer", "status")
    written.cleared("never-answer", "status")
    assert (
        stalled(behaviour(written.run()), operation="status").unmeasured == "no status call was made while it was tried"
    )


# -- when a call fails -------------------------------------------------------------------------------------------------


def test_attempts_of_one_request_are_counted_with_the_pauses_between_them(written: Written) -> None:
    for pause in (0.5, 1.0, 0.0):
        written.create(status=None, ending="cut", fault="dropped")
        written.passes(pause)
    page = written.page("checkout", began=0.0, status=502)
    found = failure(behaviour(written.run()), "lost")
    assert (found.requests, found.attempts) == (1, 3)
    assert found.gaps == pytest.approx((0.6, 1.1))
    assert found.waited == pytest.approx(page.ended)
    assert found.status == 502


def test_another_customers_request_is_not_an_attempt(written: Written) -> None:
    for number in (1001, 1002):
        began = written.now
        written.create(order=str(number), status=500, fault="status")
        written.page("checkout", order=str(number), began=began, status=502)
    found = failure(behaviour(written.run()), "broken")
    assert (found.requests, found.attempts, found.gaps) == (2, 1, ())


def test_a_retry_that_succeeds_counts_too(written: Written) -> None:
    written.create(status=401, fault="unauthorized")
    written.token()
    written.create()
    written.page("checkout", began=0.0, status=303)
    found = failure(behaviour(written.run()), "unauthorized")
    assert (found.attempts, found.went_through, found.status) == (2, True, 303)
    assert words.failure(found).notes[1] == "the last one went through"


def test_what_is_sent_again_because_we_ended_a_late_call_is_no_attempt_of_the_late(written: Written) -> None:
    for ending in ("hung_up", "cut"):
        written.status(status=None, seconds=20.0, ending=ending, fault="never-answer")
    written.status()
    written.page("return", began=0.0)
    found = failure(behaviour(written.run()), "late", "status")
    assert (found.attempts, found.went_through, found.let_go) == (2, False, True)


def test_attempts_that_call_the_same_order_by_other_names_are_those_of_one_request(written: Written) -> None:
    for number in range(4):
        written.create(order=f"1001-{number}", status=None, ending="cut", fault="dropped")
    written.page("checkout", order="1001", began=0.0, status=503)
    found = failure(behaviour(written.run()), "lost")
    assert (found.requests, found.attempts, found.went_through) == (1, 4, False)


def test_a_background_jobs_next_look_is_not_an_attempt(written: Written) -> None:
    for _ in range(3):
        written.status(status=500, fault="status")
        written.passes(0.5)
    found = failure(behaviour(written.run()), "broken", "status")
    assert (found.requests, found.attempts, found.waited) == (3, 1, None)


@pytest.mark.parametrize(
    ("failing", "call"),
    [
        ("late", {"status": None, "seconds": 20.0, "ending": "hung_up"}),
        ("late", {"status": 200, "seconds": 33.0, "ending": "cut"}),
        ("lost", {"status": None, "ending": "cut"}),
        ("unauthorized", {"status": 401}),
        ("limited", {"status": 429}),
        ("refused", {"status": 404}),
        ("broken", {"status": 503}),
        ("unreadable", {"status": 200}),
        ("slow", {"status": 200, "seconds": 10.0}),
    ],
)
def test_a_failure_is_called_by_what_the_integration_met(written: Written, failing: str, call: dict[str, Any]) -> None:
    written.token(fault="anything", **call)
    assert failure(behaviour(written.run()), failing, "token").attempts == 1


def test_answers_that_only_come_together_are_no_failure(written: Written) -> None:
    written.create(fault="gather")
    assert behaviour(written.run()).failures == ()


# -- Retry-After -------------------------------------------------------------------------------------------------------


def limited(written: Written, **more: Any) -> None:
    written.create(status=429, fault="rate-limit", answer_headers=(("Retry-After", "2"),), **more)


def test_waiting_as_long_as_the_gateway_asks_is_obeyed(written: Written) -> None:
    limited(written)
    written.passes(2.0)
    written.create()
    (found,) = behaviour(written.run()).retry_after
    assert (found.asked, found.obeyed) == (2.0, True)
    assert found.after == pytest.approx(2.1)


@pytest.mark.parametrize(("rested", "obeyed"), [(1.85, True), (1.7, False)])
def test_a_timer_that_fires_a_little_early_is_no_impatience(written: Written, rested: float, obeyed: bool) -> None:
    limited(written)
    written.passes(rested)  # a call takes a tenth of a second
    written.create()
    (found,) = behaviour(written.run()).retry_after
    assert found.obeyed is obeyed


def test_asking_again_at_once_is_not(written: Written) -> None:
    limited(written)
    written.create()
    (found,) = behaviour(written.run()).retry_after
    assert found.after == pytest.approx(0.1)
    assert not found.obeyed


def test_a_customers_own_click_is_nobodys_impatience(written: Written) -> None:
    limited(written)
    written.passes(0.2)
    began = written.now
    written.passes(0.1)
    written.create()
    written.page("again", began=began)
    (found,) = behaviour(written.run()).retry_after
    assert (found.after, found.obeyed) == (None, True)


def test_a_date_in_retry_after_counts_from_the_answers_own_date(written: Written) -> None:
    until, since = "Fri, 31 Dec 2027 23:59:59 GMT", "Fri, 31 Dec 2027 23:59:54 GMT"
    written.create(status=429, answer_headers=(("Retry-After", until), ("Date", since)))
    assert [found.asked for found in behaviour(written.run()).retry_after] == [5.0]


def test_a_date_without_another_is_no_number_of_seconds(written: Written) -> None:
    written.create(status=429, fault="rate-limit", answer_headers=(("Retry-After", "Fri, 31 Dec 2027 23:59:59 GMT"),))
    assert behaviour(written.run()).retry_after == ()


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_token_calls_are_counted_from_the_start_of_the_instance(written: Written) -> None:
    token = written.token()
    written.create()
    with written.probe("steady"):
        for number in range(5):
            written.create(order=str(number))
    written.token()
    found = behaviour(written.run()).tokens
    assert found is not None
    assert (found.calls, found.payments) == (1, 6)
    assert found.evidence[0].entry == token.n


def test_without_a_series_of_payments_tokens_are_not_measured(written: Written) -> None:
    found = behaviour(written.run()).tokens
    assert found is not None
    assert found.unmeasured == "no series of payments was made"


def test_a_gateway_without_a_token_call_has_no_figure_for_it(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    operations = tuple(each for each in written.profile.operations if each.role != "authenticate")
    keyed = replace(written.profile, operations=operations)
    monkeypatch.setattr("payproof.contracts.profile.load", {written.profile.name: keyed}.__getitem__)
    found = behaviour(written.run())
    assert (found.tokens, found.operations) == (None, ("create", "status"))


# -- connections -------------------------------------------------------------------------------------------------------


def test_calls_on_sound_connections_and_what_tls_they_agreed_on_are_counted(written: Written) -> None:
    versions = ("TLSv1.3", "TLSv1.2")
    for calls, version in ((3, "TLSv1.3"), (1, "TLSv1.2")):
        written.add(Connection(event="served", tls=version, offered=versions, calls=calls))
    written.add(Connection(event="served", fault="wrong-host", tls="TLSv1.3", calls=9))
    written.add(Connection(event="unused", tls="TLSv1.3"))
    found = behaviour(written.run())
    assert (found.kept_alive.connections, found.kept_alive.calls, found.kept_alive.most) == (2, 4, 3)
    assert found.tls.chosen == {"TLSv1.3": 1, "TLSv1.2": 1}
    assert found.tls.offered == versions


def test_a_journal_without_served_connections_tells_nothing_of_them(written: Written) -> None:
    written.create()
    found = behaviour(written.run())
    assert found.kept_alive.unmeasured == found.tls.unmeasured != ""


def refused(written: Written, fault: str) -> Refusal:
    return next(each for each in behaviour(written.run()).refusals if each.fault == fault)


def test_a_call_over_a_bad_certificate_is_taken_and_an_alert_is_a_refusal(written: Written) -> None:
    written.add(Connection(event="served", fault="expired-certificate", tls="TLSv1.3", calls=1))
    call = written.create(fault="expired-certificate")
    written.add(Connection(event="handshake_failed", fault="wrong-host", ended_by="client", alert="bad certificate"))
    assert (
        refused(written, "expired-certificate").taken,
        refused(written, "expired-certificate").evidence[0].entry,
    ) == (
        1,
        call.n,
    )
    assert (refused(written, "wrong-host").taken, refused(written, "wrong-host").alerts) == (0, ("bad certificate",))
    assert behaviour(written.run()).failures == ()


def test_an_authority_that_the_integration_was_not_told_of_is_an_unknown_one(written: Written) -> None:
    with written.probe("unknown-certificate"):
        written.add(Connection(event="served", tls="TLSv1.3", calls=1))
        written.create()  # by somebody who pays before, while the authority is known
        written.step("distrust")
        written.add(Connection(event="handshake_failed", ended_by="client", alert="unknown ca"))
        written.step("tried")
        written.create()
    found = refused(written, "unknown-authority")
    assert (found.connections, found.taken, found.alerts) == (1, 0, ("unknown ca",))


def test_who_trusts_their_own_authorities_only_is_measured_as_far_as_they_went() -> None:
    written = Written(secure=False, secure_note="the integration did not accept the run's certificate authority")
    written.world("main-given-up")
    written.connection("handshake_failed", alert="unknown ca", offered=("TLSv1.3", "TLSv1.2"))
    written.give_up()
    written.world("main")
    written.add(Connection(event="served", calls=1))
    found = behaviour(written.run())
    assert (found.tls.chosen, found.tls.offered) == ({"": 1}, ("TLSv1.3", "TLSv1.2"))
    assert (refused(written, "unknown-authority").taken, refused(written, "unknown-authority").alerts) == (
        0,
        ("unknown ca",),
    )
    assert refused(written, "wrong-host").unmeasured == "this run was over plain HTTP"


def test_over_plain_http_nothing_is_said_of_certificates() -> None:
    written = Written(secure=False)
    assert refused(written, "wrong-host").unmeasured == "this run was over plain HTTP"
    tls = next(each for each in behaviour(written.run()).patience if each.stall == "tls")
    assert tls.unmeasured == "this run was over plain HTTP"


@pytest.mark.parametrize(("by", "seconds", "watched"), [("client", 21.0, None), ("gateway", None, 21.0)])
def test_attempts_to_connect_are_measured_each_by_itself(
    written: Written, by: Literal["client", "gateway"], seconds: float | None, watched: float | None
) -> None:
    with written.probe("unconnected", operation="token"):
        for lasted in (3.0, 21.0):
            written.add(Connection(event="unaccepted", fault="backlog", seconds=lasted, ended_by=by))
    (found,) = [each for each in behaviour(written.run()).patience if each.stall == "connect"]
    assert (found.operation, found.seconds, found.watched, found.attempts) == ("token", seconds, watched, 2)


def test_attempts_of_one_probe_run_are_counted_and_not_those_of_two(written: Written) -> None:
    for how, attempts in (("silent", (3.0, 21.0)), ("tls-silence", (4.0, 5.0, 6.0))):
        with written.probe("unconnected", how=how):
            for lasted in attempts:
                written.connection("silent", fault=how, seconds=lasted, first_byte=0.01)
    (found,) = [each for each in behaviour(written.run()).patience if each.stall == "tls"]
    assert (found.seconds, found.attempts) == (21.0, 2)


def test_a_customer_who_is_answered_while_the_attempt_to_connect_goes_on_is_told_so(written: Written) -> None:
    with written.probe("unconnected", how="backlog"):
        page = written.page("checkout", seconds=25.0, status=502, began=0.0)
        written.now = 0.1
        tried = written.connection("unaccepted", fault="backlog", seconds=33.5, ended_by="gateway")
    (found,) = [each for each in behaviour(written.run()).patience if each.stall == "connect"]
    assert found.watched == 33.5
    assert found.answered == pytest.approx(25.0)
    assert [pointer.entry for pointer in found.evidence] == [tried.n, page.n]


def test_the_last_attempt_that_we_broke_off_does_not_hide_the_limit_of_the_others(written: Written) -> None:
    written.create(status=None, seconds=16.6, ending="hung_up", fault="never-answer")
    written.create(status=None, seconds=16.9, ending="cut", fault="never-answer")
    found = stalled(behaviour(written.run()))
    assert (found.seconds, found.watched, found.attempts) == (16.6, None, 2)


def test_who_gave_up_once_and_not_the_other_time_was_watched_beyond_the_limit(written: Written) -> None:
    for how, lasted, by in (("silent", 31.0, "client"), ("tls-silence", 33.5, "gateway")):
        with written.probe("unconnected", how=how):
            written.connection("silent", fault=how, seconds=lasted, first_byte=0.01, ended_by=by)
    (found,) = [each for each in behaviour(written.run()).patience if each.stall == "tls"]
    assert (found.seconds, found.watched) == (None, 33.5)


def test_only_who_has_begun_a_handshake_waits_for_its_answer(written: Written) -> None:
    with written.probe("unconnected"):
        written.add(Connection(event="silent", fault="silent", seconds=0.1, ended_by="client"))
        written.add(Connection(event="silent", fault="silent", seconds=12.0, first_byte=0.01, ended_by="client"))
    (found,) = [each for each in behaviour(written.run()).patience if each.stall == "tls"]
    assert (found.seconds, found.attempts) == (12.0, 1)


# -- the whole ---------------------------------------------------------------------------------------------------------


def test_calls_are_called_by_the_gateways_own_names_in_the_order_of_a_payment(written: Written) -> None:
    written.status()
    assert behaviour(written.run()).operations == ("token", "create", "status")


def test_an_unknown_gateway_is_told_by_the_calls_that_were_made(written: Written) -> None:
    written.create()
    run = Run(gateway="nobody", worlds=written.run().worlds)
    assert behaviour(run).operations == ("create",)
    assert behaviour(Run(gateway="nobody")).patience == ()


def test_a_saved_run_has_the_same_figures(written: Written) -> None:
    written.create(status=None, seconds=28.9, ending="hung_up", fault="never-answer")
    limited(written)
    run = written.run()
    assert behaviour(runs.load(runs.dump(run))) == behaviour(run)
