"""Guideline 10, timeout.response: when did it hang up, measured at the socket."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from payproof.contracts.model import Verdict
from payproof.contracts.profile import Limits

from .written import Written


def stalled(
    *seconds: float,
    operation: str = "create",
    ending: Any = "hung_up",
    answered_after: float | None = None,
    background: bool = False,
) -> Written:
    """Calls that were never answered, one after the other; the customer waits for the last unless told otherwise."""
    run = Written()
    with run.probe("stalled", operation=operation):
        run.order("1")
        run.armed("never-answer", operation)
        began = run.now
        if background:
            run.page("return", "1", seconds=0.1)
            run.passes(1)
        if answered_after is not None:
            run.page("checkout", "1", seconds=answered_after, status=503)
            run.now = began + 0.01
        for held in seconds:
            run.call(operation, status=None, ending=ending, seconds=held, fault="never-answer")
        if not background and answered_after is None:
            run.page("checkout", "1", status=503, began=began)
        run.step("tried")
    return run


@pytest.mark.parametrize("seconds", [0.5, 5, 30, 31, 32.9])
def test_hanging_up_in_time_passes(seconds: float) -> None:
    found = stalled(seconds).finding("timeout.response", Verdict.PASS)
    assert isinstance(found.actual, dict)
    assert found.actual["seconds"] == seconds


@pytest.mark.parametrize("ending", ["cut", "hung_up", "held"])
def test_one_call_that_is_held_longer_fails(ending: str) -> None:
    found = stalled(33.5, ending=ending).finding("timeout.response", Verdict.FAIL)
    assert isinstance(found.actual, dict)
    assert found.actual["hung up"] is (ending == "hung_up")


def forgotten(answered: bool) -> Written:
    """A client with a limit of eight seconds tries three times, and forgets the socket of its second try, which we break off."""
    run = Written()
    with run.probe("stalled", operation="create", sends="headers"):
        run.order("1")
        began = run.now
        run.call("create", status=None, ending="hung_up", seconds=8.0, fault="stall")
        tried = run.now
        run.call("create", status=None, ending="hung_up", seconds=8.0, fault="stall")
        if answered:
            run.page("checkout", "1", status=503, began=began)
        run.now = tried
        run.call("create", status=None, ending="cut", seconds=16.0, fault="stall")
        if not answered:
            run.page("checkout", "1", status=503, began=began)
        run.step("tried")
    return run


def test_a_socket_that_a_client_forgot_while_it_tried_again_is_no_wait_of_its_customers() -> None:
    found = forgotten(answered=True).finding("timeout.response", Verdict.PASS)
    assert "the customer was answered after 8." in found.title


def test_whoever_waited_until_we_broke_off_was_not_seen_to_give_up() -> None:
    forgotten(answered=False).finding("timeout.response", Verdict.NOT_EXERCISED)


def test_several_calls_one_after_the_other_are_each_measured_alone() -> None:
    assert stalled(12, 12, 12).finding("timeout.response", Verdict.PASS)


def test_a_background_retry_is_measured_like_any_call() -> None:
    assert stalled(20, 20, background=True).finding("timeout.response", Verdict.PASS)
    assert stalled(33.5, background=True, ending="cut").finding("timeout.response", Verdict.FAIL)


def test_a_customer_who_is_answered_in_time_is_told_and_nobody_is_accused() -> None:
    found = stalled(33.5, ending="cut", answered_after=10).finding("timeout.response", Verdict.PASS)
    assert "answered after 10.0 s" in found.title
    assert isinstance(found.actual, dict)
    assert found.actual["seconds"] == 33.5


def test_a_customer_who_is_answered_too_late_excuses_nothing() -> None:
    assert stalled(33.5, ending="cut", answered_after=33.4).finding("timeout.response", Verdict.FAIL)


@pytest.mark.parametrize(("broken_off", "verdict"), [(20.1, Verdict.PASS), (24.0, Verdict.NOT_EXERCISED)])
def test_a_second_call_of_the_same_patience_that_we_broke_off_takes_nothing_from_the_first(
    broken_off: float, verdict: Verdict
) -> None:
    """A job asked at the same time as the customer's request; when that was given up, the fault was cleared."""
    run = stalled(20.0)
    with run.probe("stalled", operation="create"):
        run.order("2")
        began = run.now
        run.call("create", status=None, ending="hung_up", seconds=20.0, fault="never-answer")
        run.now = began
        run.call("create", status=None, ending="cut", seconds=broken_off, fault="never-answer")
        run.step("tried")
    assert run.finding("timeout.response", verdict)


def test_a_call_that_was_broken_off_by_us_tells_nothing() -> None:
    found = stalled(12, ending="cut").finding("timeout.response", Verdict.NOT_EXERCISED)
    assert "before the integration had its 30" in found.title
    assert found.evidence


def test_the_last_of_several_attempts_that_we_broke_off_does_not_hide_the_limit_of_the_others() -> None:
    run = Written()
    with run.probe("stalled", operation="create"):
        run.order("1")
        run.armed("never-answer", "create")
        run.call("create", status=None, ending="hung_up", seconds=16.6, fault="never-answer")
        run.call("create", status=None, ending="cut", seconds=16.9, fault="never-answer")
    found = run.finding("timeout.response", Verdict.PASS)
    assert "given up after 16.6 s" in found.title


@pytest.mark.parametrize("operation", ["token", "create", "status"])
def test_a_call_that_was_never_made_says_so(operation: str) -> None:
    found = stalled(operation=operation).finding("timeout.response", Verdict.NOT_EXERCISED)
    assert f"every {operation} call would have met the fault never-answer" in found.title


def test_a_shop_that_never_asks_names_that_as_the_cause() -> None:
    run = stalled(operation="status")
    with run.probe("control"):
        run.order("9")
        run.bought("9", "p9", verified=False)
    assert run.finding("timeout.response", Verdict.NOT_EXERCISED).because == "verify.status-checked"


# -- headers, and then nothing -----------------------------------------------------------------------------------------


def headers_only(seconds: float, operation: str = "create", ending: Any = "hung_up") -> Written:
    run = Written()
    with run.probe("stalled", operation=operation, sends="headers"):
        run.order("1")
        run.armed("stall", operation)
        run.call(operation, status=200, ending=ending, seconds=seconds, fault="stall")
        run.step("tried")
    return run


@pytest.mark.parametrize("operation", ["token", "create", "status"])
def test_a_limit_that_ends_with_the_headers_is_none(operation: str) -> None:
    found = headers_only(33.5, operation, "cut").finding("timeout.response", Verdict.FAIL)
    assert "answered with headers only was still open after 33.5 s" in found.title


def test_a_limit_that_covers_the_body_passes() -> None:
    assert headers_only(30.0).finding("timeout.response", Verdict.PASS)


def test_one_silence_that_is_not_given_up_is_enough_to_fail() -> None:
    run = headers_only(33.5, ending="cut")
    with run.probe("stalled", operation="create"):
        run.call("create", status=None, ending="hung_up", seconds=27, fault="never-answer")
    assert run.finding("timeout.response", Verdict.FAIL)


# -- timeout.connect ---------------------------------------------------------------------------------------------------


def unconnected(*seconds: float, ended_by: str = "client", answered_after: float | None = None) -> Written:
    """Attempts to connect, one after the other, to an address that takes no connection."""
    run = Written()
    with run.probe("unconnected"):
        run.order("1")
        run.armed("backlog")
        began = run.now
        if answered_after is not None:
            run.page("checkout", "1", seconds=answered_after, status=503)
            run.now = began + 0.01
        for held in seconds:
            run.connection("unaccepted", seconds=held, ended_by=ended_by, fault="backlog")
        if answered_after is None:
            run.page("checkout", "1", status=503, began=began)
        run.step("tried")
    return run


@pytest.mark.parametrize("seconds", [2, 29.9, 30, 31, 32.9])
def test_an_attempt_to_connect_that_is_given_up_in_time_passes(seconds: float) -> None:
    found = unconnected(seconds).finding("timeout.connect", Verdict.PASS)
    assert "given up after" in found.title
    assert found.evidence


@pytest.mark.parametrize("ended_by", ["client", "gateway"])
def test_an_attempt_to_connect_that_lasts_longer_fails(ended_by: str) -> None:
    found = unconnected(33.5, ended_by=ended_by).finding("timeout.connect", Verdict.FAIL)
    assert found.expected == {"seconds": "at most 30 (33 with grace)"}


def test_several_attempts_to_connect_are_not_one_long_one() -> None:
    assert unconnected(20, 20, 20).finding("timeout.connect", Verdict.PASS)


def test_a_customer_who_is_answered_while_the_attempt_goes_on_is_told_of() -> None:
    found = unconnected(33.5, ended_by="gateway", answered_after=25).finding("timeout.connect", Verdict.PASS)
    assert "answered after 25.0 s, though an attempt to connect stayed open" in found.title


def test_an_attempt_that_we_ended_before_its_time_tells_nothing() -> None:
    assert unconnected(12, ended_by="gateway").finding("timeout.connect", Verdict.NOT_EXERCISED)


def test_nobody_who_connects_tells_nothing() -> None:
    assert "backlog" in unconnected().finding("timeout.connect", Verdict.NOT_EXERCISED).title


def never_in_tls(seconds: float, ended_by: str, run: Written, how: str = "silent") -> Written:
    with run.probe("unconnected", how=how):
        run.order("1")
        run.armed(how)
        began = run.now
        run.connection("silent", seconds=0.4, fault=how)  # whoever says nothing is not measured
        run.connection("silent", seconds=seconds, ended_by=ended_by, fault=how, first_byte=0.01)
        run.page("checkout", "1", status=503, began=began)
        run.step("tried")
    return run


def test_how_long_a_handshake_is_waited_for_is_told_and_fails_nobody() -> None:
    run = never_in_tls(33.5, "gateway", unconnected(10))
    titles = [finding.title for finding in run.judged("timeout.connect").findings]
    assert run.judged("timeout.connect").verdict is Verdict.PASS
    assert "TLS never began was still open after 33.5 s" in titles[1]
    assert never_in_tls(10, "client", unconnected(33.5)).judged("timeout.connect").verdict is Verdict.FAIL


def test_a_handshake_that_stops_half_way_is_told_and_fails_nobody() -> None:
    run = never_in_tls(33.5, "gateway", unconnected(10), how="tls-silence")
    titles = [finding.title for finding in run.judged("timeout.connect").findings]
    assert run.judged("timeout.connect").verdict is Verdict.PASS
    assert "a TLS handshake that stopped half-way was still open after 33.5 s" in titles[1]


def test_whoever_never_begins_tls_is_not_asked_for_a_backlog() -> None:
    run = unconnected(10)
    with run.probe("unconnected", how="tls-silence"):
        run.order("1")
        run.armed("tls-silence")
        run.page("checkout", "1", status=503)
    assert [finding.verdict for finding in run.judged("timeout.connect").findings] == [Verdict.PASS]


def test_a_handshake_that_is_given_up_in_time_is_told_too() -> None:
    titles = [f.title for f in never_in_tls(10, "client", unconnected(8)).judged("timeout.connect").findings]
    assert "TLS never began was given up after 10 s" in titles[1]


# -- timeout.drip ------------------------------------------------------------------------------------------------------


def dripping(seconds: float, *, ending: Any = "hung_up", answered_after: float | None = None) -> Written:
    run = Written()
    with run.probe("dripping", operation="create"):
        run.order("1")
        run.armed("drip", "create")
        began = run.now
        if answered_after is not None:
            run.page("checkout", "1", seconds=answered_after, status=503)
            run.now = began + 0.01
        run.call("create", ending=ending, seconds=seconds, fault="drip")
        run.step("tried")
    return run


@pytest.mark.parametrize("seconds", [5, 30, 60, 60.9, 61.3, 65.9])
def test_a_drip_that_is_given_up_within_a_minute_passes(seconds: float) -> None:
    assert dripping(seconds).finding("timeout.drip", Verdict.PASS)


def test_a_drip_that_is_read_for_longer_warns() -> None:
    assert dripping(61.5, ending="cut").finding("timeout.drip", Verdict.WARN)
    assert dripping(66.5).finding("timeout.drip", Verdict.WARN)


def test_a_customer_who_is_answered_while_it_drips_is_told_of() -> None:
    assert dripping(61.5, ending="cut", answered_after=25).finding("timeout.drip", Verdict.PASS)


def test_an_answer_that_had_too_few_bytes_to_drip_tells_nothing() -> None:
    found = dripping(20, ending="answered").finding("timeout.drip", Verdict.NOT_EXERCISED)
    assert "came to its end after 20.0 s" in found.title


@pytest.mark.parametrize(
    ("seconds", "ending", "verdict"),
    [
        (32, "hung_up", Verdict.PASS),
        (80, "hung_up", Verdict.WARN),
        (89, "hung_up", Verdict.FAIL),
        (88.5, "held", Verdict.FAIL),
    ],
)
def test_where_guidance_is_advice_a_longer_wait_warns_and_the_longest_fails(
    seconds: float, ending: str, verdict: Verdict
) -> None:
    run = stalled(seconds, ending=ending)
    run.profile = replace(run.profile, limits=Limits(longest_call=80.0))
    found = run.finding("timeout.response", verdict)
    if verdict is not Verdict.PASS:
        assert found.expected == {"seconds": "at most 30 (33 with grace); from 88 on it fails"}


def waiting(*, ends: bool) -> Written:
    """A checkout that answers at once with a page that loads itself again until the call has an end."""
    run, wait = Written(), "https://shop.test/wait"
    with run.probe("stalled", operation="create"):
        run.order("1")
        began = run.now
        run.page("checkout", "1", status=303, headers=(("location", "/wait"),), seconds=0.2)
        for _ in range(30 if ends else 2):
            run.page("checkout", "1", url=wait, headers=(("refresh", "1"),), seconds=1.0)
        if ends:
            run.page("checkout", "1", url=wait, status=503)
        call = run.call("create", status=None, ending="cut", fault="never-answer", seconds=0.0)
        call = run.add(replace(call, began=began + 0.1, ended=began + 40))
        run.step("tried")
    return run


@pytest.mark.parametrize("ends", [True, False])
def test_a_page_that_only_waits_is_no_answer(ends: bool) -> None:
    found = waiting(ends=ends).finding("timeout.response", Verdict.FAIL)
    assert isinstance(found.actual, dict)
    assert (found.actual["customer answered after seconds"] is None) is not ends
