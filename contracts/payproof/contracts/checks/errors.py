"""The gateway's errors are handled, and the customer never reads them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from payproof.contracts.checks.handling import (
    Trouble,
    crash,
    crashed,
    judged,
    not_met,
    status_of,
    too_many_attempts,
    troubles,
    wrongly_paid,
)
from payproof.contracts.entries import Call, Delivery, OrderSeen, Page, Step
from payproof.contracts.events import VERIFYING
from payproof.contracts.judging.probe_runs import ProbeRun, payments_of, probe_runs
from payproof.contracts.judging.requirements import Case, must, should
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding
from payproof.contracts.reading import pages
from payproof.contracts.reading.retry_after import EARLY, seconds_asked

_NOT_JSON = ("not-json", "empty", "cut", "wrong-content-type", "html")
"""Answers that are valid JSON, and yet cannot be believed or kept, are ``verify.unreachable``'s."""

_ANSWERED = (not_met, crashed, wrongly_paid, too_many_attempts)


def _own(case: Case, requirement: str) -> tuple[str, ...]:
    return case.profile.faults.get(requirement, ())


def _handled(case: Case, *kinds: str) -> Iterator[Finding]:
    """Each of these answers is handled: no crash, no paid order, no storm of attempts."""
    for trouble in troubles(case, "error-answer", "unverified", "refused-check", kinds=kinds):
        yield judged(case, trouble, _ANSWERED, f"handled: {trouble.what}", attempts=len(trouble.attempts))


@must("errors.invalid-token")
def invalid_token(case: Case) -> Iterator[Finding]:
    """An answer that the access token or the key is not valid is handled.

    Why: sending it again does not help, and crashing never does.

    Judged: every call of a payment is answered with the gateway's own such errors; a crash, a paid order or more than five
    attempts is the defect.

    Fix: treat it as a payment error with a page for people.
    """
    yield from _handled(case, *_own(case, "errors.invalid-token"))


@must("errors.currency")
def currency(case: Case) -> Iterator[Finding]:
    """A refused currency is handled.

    Why: platforms switch currencies off.

    Judged: create is answered with the profile's currency error, and a customer asks for a currency that no platform
    knows; an integration that refuses it by itself is judged by that refusal.

    Fix: show a page that names the problem in your own words.
    """
    yield from _handled(case, *_own(case, "errors.currency"))
    for probe_run in probe_runs(case.run, "unknown-currency"):
        disturbed = probe_run.before(StepName.RECOVER)
        crashed = crash(probe_run, StepName.RECOVER, "checkout")
        page = next(reversed(disturbed.pages("checkout")), None)
        paid = next((seen for seen in disturbed.of(OrderSeen) if seen.order == disturbed.order() and seen.paid), None)
        creates = (
            [
                call
                for call in disturbed.calls("open")
                if (call.opened.currency or "") == disturbed.checkouts()[0].currency
            ]
            if disturbed.checkouts()
            else []
        )
        if page is None:
            yield case.stuck(probe_run, "a currency that no platform knows")
            continue
        if crashed is not None or paid is not None:
            yield case.failed(
                "a currency that no platform knows ends in a crash"
                if crashed
                else "an order in a refused currency is paid",
                expected="a page for people",
                actual={"status": status_of(page)},
                world=probe_run.world,
                seen=[*creates[:1], crashed or paid, page],
            )
        else:
            who = "the gateway" if creates else "the integration itself"
            yield case.passed(
                f"{who} refused an unknown currency, and the customer got a page",
                world=probe_run.world,
                seen=[*creates[:1], page],
            )


@must("errors.missing-parameter")
def missing_parameter(case: Case) -> Iterator[Finding]:
    """An answer that a parameter is missing or wrong is handled.

    Why: validation rules change on the gateway's side.

    Judged: the profile's validation errors, several texts at once; a crash, a paid order or more than five attempts is the
    defect.

    Fix: expect a list of texts; show none of them.
    """
    yield from _handled(case, *_own(case, "errors.missing-parameter"))


@must("errors.conflict", needs="idempotency")
def conflict(case: Case) -> Iterator[Finding]:
    """An answer that the idempotency key was used for something else is handled.

    Why: it means that the program has lost count of its payments, and no repetition mends that.

    Judged: create is answered with the gateway's own such error; a crash, a paid order, or the call sent more than twice is the
    defect. Another try with a new key is fine. Where the error says that a call with this key is still under way, the same call may be
    sent as often as after a server error.

    Fix: note that this attempt is over, give the next one a new key, and show a page that says try again.
    """
    if not (kinds := _own(case, "errors.conflict")):
        yield case.not_applicable("the gateway names no such error")
    for kind in kinds:
        often = _ANSWERED[-1] if case.profile.errors[kind].passes else partial(too_many_attempts, most=2)
        for trouble in troubles(case, "error-answer", kinds=(kind,)):
            yield judged(case, trouble, (*_ANSWERED[:-1], often), f"handled: {trouble.what}")


@must("errors.server-error")
def server_error(case: Case) -> Iterator[Finding]:
    """A server error of the gateway is handled.

    Why: every gateway has bad days.

    Judged: 500 and 503 in the gateway's envelope and outside it, at each call; a crash, a paid order or more than five
    attempts is the defect.

    Fix: give up after few attempts, with a page that says try again.
    """
    yield from _handled(case, *_own(case, "errors.server-error"), "status", "plain-error")


@must("errors.not-json")
def not_json(case: Case) -> Iterator[Finding]:
    """An answer that is not the expected JSON is handled.

    Why: proxies answer with HTML, servers die in the middle of a sentence.

    Judged: prose, nothing, cut JSON, a wrong content type, an HTML 502, at each call; a crash, a paid order or more than
    five attempts is the defect.

    Fix: check status, shape and types of every answer before using it.
    """
    yield from _handled(case, *_NOT_JSON)


@should("errors.rate-limit")
def rate_limit(case: Case) -> Iterator[Finding]:
    """An answer 429 is respected: the same request is not sent again before Retry-After, unless a customer asks.

    Why: hammering a limited gateway prolongs the limit.

    Judged: one 429 at each call, with Retry-After: 2 where the gateway names a time; crash, paid order, or an early repetition
    by itself is the defect. Asking again because a customer or a notice came is fine.

    Fix: wait as long as the gateway asks, or give the customer a page that says try again.
    """
    for trouble in troubles(case, "rate-limited"):
        yield judged(case, trouble, _LIMITED, f"{trouble.operation} was not sent again before its time")


def _impatient(case: Case, trouble: Trouble) -> Finding | None:
    """The same request came again by itself before its time. A gateway that names no time asks for none."""
    hit = trouble.hit[0]
    asked = seconds_asked(hit.response.headers) if hit.response else None
    again = _too_early(trouble.probe_run, hit, trouble.operation, asked) if asked else None
    if again is None:
        return None
    return case.failed(
        f"{trouble.operation} was sent again {again.began - hit.ended:.1f} s after a 429 that asked for {asked:g} s",
        expected={"seconds": f"at least {asked:g}"},
        actual={"seconds": round(again.began - hit.ended, 1)},
        world=trouble.probe_run.world,
        seen=[hit, again],
    )


_LIMITED = (not_met, crashed, wrongly_paid, _impatient)


def _too_early(probe_run: ProbeRun, hit: Call, operation: str, asked: float) -> Call | None:
    """The same request again before so many seconds, without a customer's doing, or a notice of the gateway's own."""
    acts = [page.began for page in probe_run.of(Page) if page.where == "integration" and page.began > hit.ended]
    acts += [notice.began for notice in probe_run.of(Delivery) if notice.began > hit.ended]
    for call in probe_run.calls(operation):
        same = call.role == "authenticate" or (
            call.opened.reference == hit.opened.reference
            if call.role == "open"
            else call.event.payment == hit.event.payment
        )
        early = hit.ended < call.began < hit.ended + asked - EARLY and not any(act <= call.began for act in acts)
        if same and early and not _for_another(probe_run, hit, call):
            return call
    return None


def _for_another(probe_run: ProbeRun, hit: Call, call: Call) -> bool:
    """A background job that goes through pending orders made one of the two: its looks are nobody's repetitions. It shows by what it
    asks of other orders: with the token that it got, before the token that it did not get, or between the two."""
    mine = payments_of(probe_run.world, probe_run.order())
    others = [each for each in probe_run.calls() if each.role in VERIFYING and each.event.payment not in mine]
    if call.role != "authenticate":
        return any(hit.n < each.n < call.n and each.event.payment != call.event.payment for each in others)
    used = next((each for each in probe_run.calls() if each.n > call.n and each.event.bearer == call.issued), None)
    if call.issued and used in others:
        return True
    return any(not each.event.ok and each.n < hit.n and hit.began - each.ended < _JUST_BEFORE for each in others)


_JUST_BEFORE = 1.0
"""Seconds between a look that was answered 401 and the token call that it led to."""


@must("errors.friendly")
def friendly(case: Case) -> Iterator[Finding]:
    """No page shows the customer the gateway's error text, a stack trace, or a library's error.

    Why: it frightens customers and informs attackers.

    Judged: on every page and redirect that the customer gets from the shop in every probe run where the gateway fails; each
    error text that is sent carries a word of its own, so that its appearance is proof. A reference number is fine.

    Fix: log the gateway's answer, and show a sentence of your own.
    """
    if not case.run.settings.has_pages:
        yield case.not_applicable("the integration listens on no port, and shows nobody a page")
        return
    looked = 0
    for probe_run in probe_runs(case.run):
        canaries = [str(step.facts["canary"]) for step in probe_run.of(Step) if step.facts.get("canary")]
        failing = bool(canaries) or probe_run.probe in (
            "network-error",
            "stalled",
            "dripping",
            "unconnected",
            "false-certificate",
            "renewal-certificate",
            "old-tls",
            "always-unauthorized",
            "revoked",
            "unknown-currency",
            "slow",
            "refused",
        )
        if not failing:
            continue
        for page in probe_run.pages():
            if page.response is None or page.purpose in ("order", "script", "refund"):
                continue
            looked += 1
            found = pages.machine_errors(page.response, canaries, case.profile.raw_marks)
            if found:
                hit = [call for call in probe_run.calls() if call.fault and call.ended <= page.ended]
                yield case.failed(
                    f"the customer reads {found[0]}",
                    expected={"machine errors on the page": []},
                    actual={"machine errors on the page": list(found[:5]), "status": page.response.status},
                    world=probe_run.world,
                    seen=[*hit[-1:], page],
                )
                return
    if looked:
        yield case.passed(
            f"{looked} pages shown while the gateway failed, all in the shop's own words", actual={"pages": looked}
        )
