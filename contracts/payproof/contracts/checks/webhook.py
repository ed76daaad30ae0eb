"""Notices, as each is answered: only the gateway's own count, and nothing that arrives breaks the integration."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from payproof.contracts.entries import FORGERIES, Delivery, Entry, FaultSet, Step
from payproof.contracts.judging.deliveries import answer_of, taken, where_declared
from payproof.contracts.judging.probe_runs import ProbeRun, ever_paid, final, ledger, probe_runs
from payproof.contracts.judging.requirements import Case, must, should
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Json
from payproof.contracts.reading.pages import broken


def _believed(case: Case, probe_run: ProbeRun, order: str, since: Entry, what: str) -> Finding | None:
    """An order that is paid since an entry, without money; None when it is not. One that was paid before is another matter."""
    world = probe_run.world
    paid = ever_paid(world, order)
    if paid is None or ledger(world, order, "charged"):
        return None
    if paid.n < since.n:
        return case.not_exercised(
            f"order {order} was taken for paid before anything was told of it",
            because=("verify.status-checked", "verify.forged-return", "flow.success"), world=world, seen=[paid, since],
        )  # fmt: skip
    return case.failed(
        f"order {order} is paid, and the gateway took no money for it: {what}",
        expected={"paid": False, "charged": 0},
        actual={"paid": True, "state": paid.state, "charged": 0},
        world=world,
        seen=[since, paid],
    )


@must("webhook.signature-verified", needs="notices")
@where_declared
def signature_verified(case: Case) -> Iterator[Finding]:
    """A notice whose signature is not good makes no order paid.

    Why: the endpoint is open to the world; whoever knows an order's id could have it delivered for nothing.

    Judged: a notice of success comes for an unpaid payment: without a signature, with an empty one, with half of the right one, signed
    as for another merchant, with the signature of another body, and, where a certificate belongs to it, with a key of somebody
    else's; where the gateway verifies notices, once also while it cannot be asked to. The order is never paid. How the notice is
    answered does not matter, and neither does whether the gateway is asked: a shop that takes notices for doorbells passes.

    Fix: compute the signature over the raw body and compare it, in constant time, before the body is read; take a certificate from
    the gateway's own host only, or have the gateway verify the notice.
    """
    yield from _not_believed(case, lambda forgery: forgery != "old")


@should("webhook.stale", needs="notices")
@where_declared
def stale(case: Case) -> Iterator[Finding]:
    """A notice that was signed long ago makes no order paid.

    Why: a notice that somebody caught is good for ever, where nobody looks at its time.

    Judged: where the gateway signs the time: a notice of success comes for an unpaid payment, rightly signed, at a time well beyond what
    the gateway allows; the order is never paid. A shop that asks the gateway passes.

    Fix: compare the signed time with the server's clock, within the gateway's tolerance, before the body is believed.
    """
    assert case.profile.notices is not None, "the judge asks only gateways that have notices"
    if not case.profile.notices.tolerance:
        yield case.not_applicable("this gateway signs no time")
        return
    yield from _not_believed(case, lambda forgery: forgery == "old")


def _not_believed(case: Case, chosen: Callable[[str], bool]) -> Iterator[Finding]:
    """In each probe run of a forged notice whose forgery is ``chosen``, the order never becomes paid."""
    for probe_run in probe_runs(case.run, "forged-notice", keep=lambda each: chosen(str(each.params.get("how")))):
        forged = next((each for each in probe_run.of(Delivery) if each.forged), None)
        asked = ", while the gateway could not be asked to verify it," if probe_run.params.get("unverifiable") else ""
        yield _unpaid_after(
            case, probe_run, forged, f"{FORGERIES[forged.forged]}{asked}" if forged and forged.forged else ""
        )


def _unpaid_after(case: Case, probe_run: ProbeRun, told: Delivery | None, words: str) -> Finding:
    """Whether the order stayed unpaid after a notice that must not be believed. ``words``: what is wrong with it."""
    order, world = probe_run.order(), probe_run.world
    last = final(world, order)
    if told is None or ledger(world, order, "charged"):
        return case.stuck(probe_run)
    if (finding := _believed(case, probe_run, order, told, f"a notice {words} said so")) is not None:
        return finding
    if last is None:
        return case.unread(world, order, told)
    if taken(case.run) is None:
        return case.not_exercised(
            "no genuine notice was answered with success in this run, so that an ignored one proves nothing",
            because=("webhook.before-return", "webhook.raw-body", "flow.success"), world=world, seen=[told],
        )  # fmt: skip
    return case.passed(
        f"the order stayed unpaid after a notice {words}",
        expected={"paid": False}, actual={"state": last.state, "answer": answer_of(told)}, world=world, seen=[told, last],
    )  # fmt: skip


@should("webhook.foreign-mode", needs="notices")
@where_declared
def foreign_mode(case: Case) -> Iterator[Finding]:
    """A notice of the gateway's other mode makes no order paid.

    Why: test payments cost nothing. Where one endpoint takes the notices of both modes, whoever pays with a test card is served.

    Judged: a notice of success comes for an unpaid payment, rightly signed, and says of itself that it is of the other mode. The order
    is never paid. A shop that asks the gateway passes.

    Fix: compare the notice's mode with the one that the integration runs in, or ask the gateway.
    """
    for probe_run in probe_runs(case.run, "other-mode-notice"):
        if (untold := probe_run.step(StepName.NO_SUCH_NOTICE)) is not None:
            yield case.not_applicable(untold.text)
        else:
            told = next((each for each in probe_run.of(Delivery) if each.shape), None)
            yield _unpaid_after(case, probe_run, told, "of the gateway's other mode")


@must("webhook.unknown-event", needs="notices")
@where_declared
def unknown_event(case: Case) -> Iterator[Finding]:
    """A signed notice of an unknown event, or without data, breaks nothing and changes no order.

    Why: gateways add events; one that is new must not stop those that matter.

    Judged: a signed notice of an unpaid payment, its event of an unknown name or its data empty: it is answered, not with 5xx,
    the process lives, the order is not paid, and the next genuine notice is taken. 2xx is right; 4xx is accepted, though a
    gateway then repeats the notice for days.

    Fix: answer 2xx to what you do not know, and do nothing.
    """
    for probe_run in probe_runs(case.run, "unknown-notice"):
        odd = next((each for each in probe_run.of(Delivery) if each.shape), None)
        if odd is None:
            yield _untold(case, probe_run)
            continue
        what = f"a signed notice ({odd.shape})"
        world, status = probe_run.world, odd.response.status if odd.response else 0
        if (finding := _believed(case, probe_run, probe_run.order(), odd, f"{what} spoke of it")) is not None:
            yield finding
        elif (ended := probe_run.exits()) or not status or status >= 500:
            yield case.failed(
                f"{what} breaks the integration: {'its process ended' if ended else answer_of(odd)}",
                expected={"answer": "2xx"}, actual={"answer": answer_of(odd), "processes ended": len(ended)},
                world=world, seen=[odd, *ended[:1]],
            )  # fmt: skip
        elif (refused := _refused_next(probe_run)) is not None and taken(case.run) is not None:
            yield case.failed(
                f"after {what} the next genuine notice is not taken: {answer_of(refused)}",
                expected={"answer": "2xx"}, actual={"answer": answer_of(refused)}, world=world, seen=[odd, refused],
                unless=("webhook.before-return", "flow.success"),
            )  # fmt: skip
        else:
            hint = "" if odd.accepted else ", so that the gateway repeats it for as long as its schedule goes on"
            yield case.passed(
                f"{what} is answered {answer_of(odd)}{hint}", actual={"answer": answer_of(odd)}, world=world, seen=[odd]
            )


def _untold(case: Case, probe_run: ProbeRun) -> Finding:
    if (no_notice := probe_run.step(StepName.NO_SUCH_NOTICE)) is not None:
        return case.not_applicable(no_notice.text)
    return case.stuck(probe_run)


def _refused_next(probe_run: ProbeRun) -> Delivery | None:
    """The first genuine notice of the next purchase, where none of them was taken."""
    after = [each for each in probe_run.after(StepName.NEXT_NOTICE).of(Delivery) if each.plain]
    return None if not after or any(each.accepted for each in after) else after[0]


@must("webhook.unknown-order", needs="notices")
@where_declared
def unknown_order(case: Case) -> Iterator[Finding]:
    """A signed notice of a payment that the integration never opened breaks nothing and makes no order.

    Why: an account can have several shops, and a database can be restored from yesterday.

    Judged: a signed success of a payment and an order that nobody knows. Any answer but 500 is fine; the process lives, and no
    order becomes paid.

    Fix: look the payment up among your own; answer 2xx or 404 when it is not there.
    """
    for probe_run in probe_runs(case.run, "foreign-notice"):
        told = [each for each in probe_run.of(Delivery) if each.shape]
        sent = next(
            (each for each in told if each.response is None or each.response.status == 500), next(iter(told), None)
        )
        if sent is None:
            yield case.stuck(probe_run)
            continue
        world, ended = probe_run.world, probe_run.exits()
        orders = (probe_run.order(), probe_run.order("foreign"))
        judged = [_believed(case, probe_run, order, sent, "a notice of an unknown payment came") for order in orders]
        if (finding := next((each for each in judged if each is not None), None)) is not None:
            yield finding
        elif ended or (sent.response is not None and sent.response.status == 500):
            yield case.failed(
                f"a notice of an unknown payment breaks the integration: {'its process ended' if ended else 'HTTP 500'}",
                expected={"answer": "any but 500"}, actual={"answer": answer_of(sent), "processes ended": len(ended)},
                world=world, seen=[sent, *ended[:1]],
            )  # fmt: skip
        elif sent.response is None:
            yield case.not_exercised(f"the notice got no answer: {answer_of(sent)}", world=world, seen=[sent])
        else:
            yield case.passed(
                f"a notice of an unknown payment is answered {answer_of(sent)}, and no order changes",
                actual={"answer": answer_of(sent)}, world=world, seen=[sent],
            )  # fmt: skip


@should("webhook.malformed", needs="notices")
@where_declared
def malformed(case: Case) -> Iterator[Finding]:
    """A notice that cannot be read is refused, and breaks nothing.

    Why: whatever can be posted will be.

    Judged: a signed notice that is no JSON, that is empty, that is a megabyte long: the process lives, and the answer is no
    page of a crashed program. 4xx is right; 2xx without effect is accepted.

    Fix: answer 400 when the body cannot be read; bound its length.
    """
    for probe_run in probe_runs(case.run, "malformed-notice"):
        sent = next((each for each in probe_run.of(Delivery) if each.shape), None)
        if sent is None:
            yield case.stuck(probe_run)
            continue
        ended = probe_run.exits()
        if ended or (sent.response is not None and broken(sent.response)):
            yield case.failed(
                f"a signed body ({sent.shape}) breaks the integration: {'its process ended' if ended else answer_of(sent)}",
                expected={"answer": "4xx"}, actual={"answer": answer_of(sent), "processes ended": len(ended)},
                world=probe_run.world, seen=[sent, *ended[:1]],
            )  # fmt: skip
        else:
            yield case.passed(
                f"a signed body ({sent.shape}): {answer_of(sent)}",
                actual={"answer": answer_of(sent)}, world=probe_run.world, seen=[sent],
            )  # fmt: skip


@should("webhook.fast-answer", needs="notices")
@where_declared
def fast_answer(case: Case) -> Iterator[Finding]:
    """A notice is answered within the time that the gateway gives.

    Why: a gateway hangs up, counts a failure and sends it again; some let the customer wait that long.

    Judged: every genuine notice of the probe runs in which nothing else goes wrong on purpose.

    Fix: keep the notice, answer 2xx, and do the work afterwards.
    """
    longest, found = case.profile.limits.notice, list[tuple[ProbeRun, Delivery]]()
    for probe_run in probe_runs(case.run):
        disturbed = any(True for _ in probe_run.of(FaultSet)) or any(step.name == "gate" for step in probe_run.of(Step))
        if not disturbed:
            answered = (each for each in probe_run.of(Delivery) if each.plain)
            found += [(probe_run, each) for each in answered if each.response is not None or each.seconds >= longest]
    if not found:
        return
    probe_run, slowest = max(found, key=lambda pair: pair[1].seconds)
    expected: dict[str, Json] = {"seconds": longest}
    actual: dict[str, Json] = {"seconds": round(slowest.seconds, 2), "notices": len(found)}
    seen, world = [slowest], probe_run.world
    if slowest.seconds >= longest:
        title = f"a notice was not answered within {longest:g} s"
        yield case.failed(title, expected=expected, actual=actual, world=world, seen=seen)
    else:
        title = f"{len(found)} notices, the slowest answered after {slowest.seconds:.2f} s"
        yield case.passed(title, expected=expected, actual=actual, world=world, seen=seen)
