"""Guideline 2, https.*: every address and every call."""

from __future__ import annotations

from typing import Any

import pytest

from payproof.contracts.entries import Connection
from payproof.contracts.model import Json, Verdict
from payproof.contracts.run import dump, load

from .written import Written


def bought(**more: str) -> Written:
    run = Written()
    with run.probe("control"):
        run.create(**more)
    return run


@pytest.mark.parametrize(
    ("requirement", "field"), [("https.return-url", "return_url"), ("https.cancel-url", "cancel_url")]
)
def test_an_address_in_plain_text_fails_and_an_encrypted_one_passes(requirement: str, field: str) -> None:
    found = bought(**{field: "http://shop.test/back"}).finding(requirement, Verdict.FAIL)
    assert found.actual == {"scheme": "http", field: "http://shop.test/back"}
    assert bought().finding(requirement, Verdict.PASS).evidence


@pytest.mark.parametrize("requirement", ["https.return-url", "https.cancel-url"])
def test_loopback_is_no_excuse_and_the_scheme_may_have_any_letter_case(requirement: str) -> None:
    field = requirement.removeprefix("https.").replace("-", "_")
    assert bought(**{field: "http://localhost/back"}).finding(requirement, Verdict.FAIL)
    assert bought(**{field: "HTTPS://shop.test/back"}).finding(requirement, Verdict.PASS)


@pytest.mark.parametrize("requirement", ["https.return-url", "https.cancel-url", "https.api"])
def test_nothing_is_told_of_calls_that_were_never_made(requirement: str) -> None:
    assert Written().finding(requirement, Verdict.NOT_EXERCISED).title.endswith(("was made", "was never called"))


def test_a_cancel_url_that_the_gateway_does_not_need_may_be_left_out() -> None:
    run = Written()
    run.create(cancel_url=None)
    assert run.finding("https.cancel-url", Verdict.NOT_APPLICABLE)


def test_a_return_url_that_is_left_out_cannot_be_judged_and_the_call_is_shown() -> None:
    run = Written()
    call = run.create(return_url=None)
    found = run.finding("https.return-url", Verdict.NOT_EXERCISED)
    assert [pointer.entry for pointer in found.evidence] == [call.n]


def test_a_call_in_plain_text_fails_where_https_was_offered() -> None:
    run = Written(secure=True)
    run.create(secure=False)
    assert run.finding("https.api", Verdict.FAIL).expected == {"scheme": "https"}


def test_calls_over_tls_pass() -> None:
    run = Written(secure=True)
    run.create()
    assert run.finding("https.api", Verdict.PASS)


def test_a_gateway_that_was_offered_in_plain_text_tells_nothing_and_the_refused_handshake_is_shown() -> None:
    run = Written(secure=False, secure_note="it did not accept the authority")
    run.world("main-given-up")
    shown = run.add(Connection(event="handshake_failed", detail="unknown ca"))
    run.give_up()
    run.world("main")
    run.create(secure=False)
    found = run.finding("https.api", Verdict.NOT_EXERCISED)
    assert "did not accept the authority" in found.title
    assert "change that, or attest https.api" in found.title
    assert [(pointer.world, pointer.entry) for pointer in found.evidence] == [("main-given-up", shown.n)]


def test_nothing_else_is_judged_on_a_world_that_was_given_up() -> None:
    run = Written(secure=False)
    run.world("main-given-up")
    with run.probe("control"):
        run.order("1")
        run.page("checkout", "1", status=502)
        run.checkout("1", "", outcome="broken")
        run.log("Authorization: Bearer <access-token-1>")
    run.give_up()
    run.world("main")
    with run.probe("control"):
        run.order("2")
        run.bought("2", "p2")
    assert run.finding("flow.success", Verdict.PASS)
    for judgement in (run.judged(id) for id in ("logs.no-access-token", "errors.friendly", "verify.status-checked")):
        assert judgement.verdict is not Verdict.FAIL


def test_a_world_that_was_given_up_is_saved_with_the_run() -> None:
    run = Written()
    run.world("main-given-up")
    run.refused_connection()
    run.give_up()
    assert load(dump(run.run())) == run.run()


# -- https.certificate-verified ----------------------------------------------------------------------------------------

SHOWN = ["wrong-host", "expired-certificate", "unknown-authority", ""]
"""Faults of the handshake; without one, the integration was not told of the authority."""


def distrust(shown: str, *, connects: bool = True, sends: int = 0, run: Written | None = None, **ends: Any) -> Written:
    run = run or Written()
    params: dict[str, Json] = {"shows": shown} if shown else {}
    with run.probe("false-certificate" if shown else "unknown-certificate", **params):
        run.order("1")
        run.step("distrust")
        for _ in range(sends):
            run.token(fault=shown)
        if connects and not sends:
            how: dict[str, Any] = {"event": "handshake_failed", "alert": "unknown ca"} | ends
            run.connection(fault=shown, **how)
        run.page("checkout", "1", status=503)
        run.step("tried")
        run.token()
    return run


@pytest.mark.parametrize("shown", SHOWN)
def test_a_handshake_that_is_broken_off_passes(shown: str) -> None:
    found = distrust(shown).finding("https.certificate-verified", Verdict.PASS)
    assert found.actual == {"requests": 0, "said": "unknown ca"}
    assert found.evidence


@pytest.mark.parametrize("shown", SHOWN)
def test_whoever_hangs_up_after_the_handshake_and_asks_nothing_passes(shown: str) -> None:
    run = distrust(shown, event="unused", handshake=0.01, alert="")
    assert run.finding("https.certificate-verified", Verdict.PASS)


@pytest.mark.parametrize("shown", SHOWN)
def test_a_request_that_arrives_fails(shown: str) -> None:
    found = distrust(shown, sends=2).finding("https.certificate-verified", Verdict.FAIL)
    assert found.actual == {"requests": 2, "first": "POST https://localhost/token"}


def test_a_request_over_one_false_certificate_fails_though_others_are_refused() -> None:
    run = distrust("unknown-authority")
    distrust("wrong-host", sends=1, run=run)
    assert "another host" in run.finding("https.certificate-verified", Verdict.FAIL).title


def test_no_connection_at_all_tells_nothing() -> None:
    found = distrust("wrong-host", connects=False).finding("https.certificate-verified", Verdict.NOT_EXERCISED)
    assert "did not connect" in found.title


def test_a_connection_that_we_ended_tells_nothing() -> None:
    run = distrust("wrong-host", event="unused", handshake=0.01, ended_by="gateway")
    assert run.finding("https.certificate-verified", Verdict.NOT_EXERCISED)


def test_whoever_trusts_their_own_authorities_only_is_told_of_and_not_accused() -> None:
    run = Written(secure=False, secure_note="the integration did not accept the run's certificate authority")
    run.world("main-given-up")
    run.connection("handshake_failed", alert="unknown ca")
    run.give_up()
    found = run.finding("https.certificate-verified", Verdict.PASS)
    assert "authorities of its own choice" in found.title
    assert found.evidence


def test_whoever_took_too_long_over_a_handshake_has_not_shown_whom_they_trust() -> None:
    run = Written(secure=False, secure_note="the integration did not end a TLS handshake with the gateway")
    run.world("main-given-up")
    run.connection("handshake_failed", seconds=5.2, detail="ConnectionResetError")
    run.give_up()
    found = run.finding("https.certificate-verified", Verdict.NOT_EXERCISED)
    assert "did not end a TLS handshake" in found.title
    assert found.evidence


def test_a_run_without_tls_says_what_to_do() -> None:
    run = Written(secure=False, secure_note="simulator.https is switched off")
    assert "switched off" in run.finding("https.certificate-verified", Verdict.NOT_EXERCISED).title
