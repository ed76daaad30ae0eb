"""The access token is kept, renewed on 401, and asked for once."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.entries import Call, OrderSeen, Step
from payproof.contracts.judging.attempts import attempts, background, elsewhere, waited_for
from payproof.contracts.judging.probe_runs import ProbeRun, final, front_end_elsewhere, payments_of, probe_runs
from payproof.contracts.judging.requirements import Case, must, should
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Json
from payproof.contracts.reading import pages
from payproof.contracts.run import Run

_MOST = 0.8
"""Share of the customers for whom a token is asked for where none is kept."""


def _processes(run: Run) -> int | None:
    """The most processes that were counted in any world; None: nobody could count them."""
    counts = (
        step.facts.get("serving") for world in run.worlds for step in world.of(Step) if step.name == StepName.PROCESSES
    )
    return max((count for count in counts if isinstance(count, int)), default=None)


@must("token.cached", needs="authenticate")
def cached(case: Case) -> Iterator[Finding]:
    """The access token is kept for its life: five payments in a row need one token for each worker.

    Why: the gateway asks for it, and limits token calls.

    Judged: five payments one after the other, or more than twice as many as there are processes; at most workers + 1
    token calls (one early renewal is fine). Where integration.workers is not declared, each process may keep a token of
    its own, and where those cannot be counted, the calls must come to an end. Where the access token is the payment itself,
    the opposite is checked: no token is used for two orders.

    Fix: keep the token until shortly before its life ends, in a place that all requests of the process share. Declare
    integration.workers when several processes keep one each.
    """
    if case.profile.traits.token_is_payment:
        yield from _never_shared(case)
        return
    for probe_run in probe_runs(case.run, "steady"):
        if sum(bool(seen.paid) for seen in probe_run.of(OrderSeen)) < 2:
            yield case.not_exercised("fewer than two payments went through", because="flow.success")
        elif not any(call.issued for call in probe_run.world.of(Call) if call.role == "authenticate"):
            yield case.not_exercised("no access token was ever asked for")
        else:
            yield _kept(case, probe_run)


def _kept(case: Case, probe_run: ProbeRun) -> Finding:
    asked = _by_payment(probe_run)
    issued = [call for calls in asked for call in calls]
    late = asked[len(asked) // 2 :]
    growing = sum(bool(calls) for calls in late)
    declared, counted = case.run.settings.workers, _processes(case.run)
    limit = (declared or counted or 1) + 1
    what = f"{len(issued)} token call(s) for {len(asked)} payments"
    actual: dict[str, Json] = {"token calls": len(issued), "payments": len(asked), "processes": counted}
    few = declared is None and limit >= len(asked)
    if len(issued) <= limit and not (few and growing >= _MOST * len(late)):
        earlier = next((call for call in probe_run.world.of(Call) if call.issued), None)
        return case.passed(what, actual=actual, world=probe_run.world, seen=issued or [earlier])
    if declared is None and not growing:
        return case.passed(f"{what}, none in the second half", actual=actual, world=probe_run.world, seen=issued)
    if few or (declared is None and growing < (0.5 if counted else _MOST) * len(late)):
        many = f" by {counted} processes" if counted else ""
        return case.not_exercised(
            f"{what}{many}: declare integration.workers, the number of processes that keep a token each",
            declare="integration.workers",
            world=probe_run.world,
            seen=issued[:8],
        )
    return case.failed(
        what, expected={"token calls": f"at most {limit}"}, actual=actual, world=probe_run.world, seen=issued[:8]
    )


def _by_payment(probe_run: ProbeRun) -> list[list[Call]]:
    """The token calls that were answered while each payment was made; those after the last one belong to it."""
    found: list[list[Call]] = []
    asked: list[Call] = []
    for entry in probe_run.entries:
        if isinstance(entry, Call) and entry.role == "authenticate" and entry.issued:
            asked.append(entry)
        elif isinstance(entry, OrderSeen):
            found.append(asked)
            asked = []
    if found:
        found[-1] += asked
    return found


def _never_shared(case: Case) -> Iterator[Finding]:
    good = 0
    for world in case.run.worlds:
        users: dict[str, tuple[str, Call]] = {}
        for call in world.of(Call):
            if call.role != "open" or not call.event.bearer:
                continue
            reference = call.opened.reference or ""
            if call.event.ok:
                users.setdefault(call.event.bearer, (reference, call))
            # Refused or not: had the first order not been paid or expired by then, the second would have overwritten it.
            other, first = users.get(call.event.bearer, (reference, call))
            if other != reference:
                yield case.failed(
                    f"one access token was used for two orders ({other} and {reference}): "
                    + (
                        "they share one payment"
                        if call.event.ok
                        else "had it not been over, they would share one payment"
                    ),
                    expected={"orders for each token": 1},
                    actual={"orders": [other, reference], "token": call.event.bearer},
                    world=world,
                    seen=[first, call],
                )
                return
        good += len(users)
    if good:
        yield case.passed(f"{good} access tokens, each used for one order only", expected={"orders for each token": 1})


@must("token.renewed", needs="authenticate")
def renewed(case: Case) -> Iterator[Finding]:
    """When the gateway answers 401 the integration authenticates again, and the payment goes through.

    Why: a token ends every ten minutes, and sometimes earlier; a customer must not notice.

    Judged: the token's life ends between two payments and between create and status check; the gateway revokes a young
    token. Each time the payment must go through and the order be paid, without an error for the customer.

    Fix: on 401 throw the token away, get a new one, and repeat the request once.
    """
    for probe_run in probe_runs(case.run, "token-expired"):
        mark = probe_run.step(StepName.TOKEN_ENDED)
        if mark is None:
            yield case.stuck(probe_run, str(probe_run.params.get("moment")).replace("-", " "), because="flow.success")
            continue
        moment = str(probe_run.params.get("moment")).replace("-", " ")
        after = probe_run.after(StepName.TOKEN_ENDED)
        order = probe_run.order()
        checkout = next((entry for entry in probe_run.checkouts() if entry.order == order), None)
        last = final(probe_run.world, order)
        shown = [page for page in after.pages("checkout", "return") if page.order == order and pages.shows_error(page)]
        errors = [page for page in shown if not front_end_elsewhere(probe_run.world, page)]
        calls = [call for call in after.calls() if call.role != "authenticate"]
        if not after.calls():
            yield case.not_exercised(
                f"the gateway was not called after the token had ended ({moment})",
                because="verify.status-checked",
                world=probe_run.world,
                seen=[mark, *probe_run.checkouts()[-1:]],
            )
        elif checkout is None or not checkout.payment:
            yield case.failed(
                f"the payment could not be started after the token had ended ({moment})",
                expected={"checkout": "redirected"},
                actual={"checkout": checkout.outcome if checkout else "none"},
                world=probe_run.world,
                seen=[mark, *calls[:2], checkout],
            )
        elif errors or last is None or not last.paid:
            what = "the customer saw an error" if errors else "the paid order was never marked paid"
            yield case.failed(
                f"{what} after the token had ended ({moment})",
                expected={"paid": True, "error pages": 0},
                actual={"paid": bool(last and last.paid), "error pages": len(errors)},
                world=probe_run.world,
                seen=[mark, *calls[:3], *errors[:1], last],
            )
        else:
            yield case.passed(
                f"the payment went through after the token had ended ({moment})",
                world=probe_run.world,
                seen=[mark, last],
            )


@must("token.retried-once", needs="authenticate")
def retried_once(case: Case) -> Iterator[Finding]:
    """A request that is answered 401 is repeated once at most.

    Why: repeating for ever hangs the customer and hammers the gateway.

    Judged: every create (then every status check) is answered 401, with a fresh token too. One original request may be
    sent twice, and cause three token calls. Sent once is fine where each payment has a token of its own.

    Fix: repeat once after a renewal; then give up with a page for people.
    """
    for probe_run in probe_runs(case.run, "always-unauthorized"):
        operation = str(probe_run.params.get("operation"))
        disturbed = probe_run.before(StepName.RECOVER)
        hit = [call for call in disturbed.calls(operation) if call.fault]
        if case.profile.verifies(operation):
            payments = payments_of(probe_run.world, probe_run.order())
            hit = [call for call in hit if call.event.payment in payments]
        if not hit:
            yield case.stuck(probe_run, operation)
            continue
        worst = attempts(disturbed, hit)
        window = [
            call for call in disturbed.calls("authenticate") if worst[0].began <= call.began <= worst[-1].ended + 0.5
        ]
        overlap = 2 if background(probe_run.world) else 1
        # A job in the background asks about payments; it opens none while a customer waits for that.
        own = 1 if not case.profile.verifies(operation) and waited_for(probe_run.pages(), worst[0]) else overlap
        if len(worst) > 2 * own or len(window) > 3 * overlap + elsewhere(probe_run.world, window):
            yield case.failed(
                f"one {operation} request was sent {len(worst)} times, with {len(window)} token calls",
                expected={"sent": "at most 2", "token calls": "at most 3"},
                actual={"sent": len(worst), "token calls": len(window)},
                world=probe_run.world,
                seen=[*worst[:6], *window[:4]],
            )
        elif len(worst) == 1 and not window and not case.profile.traits.token_is_payment:
            yield case.not_exercised(
                f"the {operation} request was not repeated at all",
                because="token.renewed",
                world=probe_run.world,
                seen=worst,
            )
        else:
            yield case.passed(
                f"the {operation} request was sent {len(worst)} time(s), with {len(window)} token call(s)",
                actual={"sent": len(worst), "token calls": len(window)},
                world=probe_run.world,
                seen=worst,
            )


@should("token.no-stampede", needs="authenticate")
def no_stampede(case: Case) -> Iterator[Finding]:
    """Ten checkouts at once on an expired token cause one token call for each worker, not ten.

    Why: a stampede of token calls is what rate limits punish.

    Judged: the token has expired and ten customers (more where there are many processes) check out at once; at most twice
    as many token calls as workers, when the checkouts succeed. Where integration.workers is not declared, one call for
    each process is fine.

    Fix: let one request renew the token while the others wait for it.
    """
    if case.profile.traits.token_is_payment:
        yield case.not_applicable("each payment needs an access token of its own on this gateway")
        return
    declared, counted = case.run.settings.workers, _processes(case.run)
    for probe_run in probe_runs(case.run, "stampede"):
        mark = probe_run.step(StepName.CROWD)
        crowd = probe_run.checkouts("crowd")
        through = [checkout for checkout in crowd if checkout.payment]
        calls = [call for call in probe_run.after(StepName.CROWD).calls("authenticate") if call.issued]
        limit = 2 * (declared or counted or 1)
        what = f"{len(calls)} token call(s) for {len(crowd)} checkouts at once"
        if len(through) < 5:
            yield case.not_exercised(
                f"only {len(through)} of {len(crowd)} checkouts went through", because="token.renewed"
            )
        elif not (declared or counted) and limit < len(calls) < _MOST * len(crowd):
            yield case.not_exercised(
                f"{what}: declare integration.workers, the number of processes that keep a token each",
                declare="integration.workers",
                world=probe_run.world,
                seen=[mark, *calls[:10]],
            )
        elif len(calls) > limit:
            yield case.failed(
                what,
                expected={"token calls": f"at most {limit}"},
                actual={"token calls": len(calls), "processes": counted},
                world=probe_run.world,
                seen=[mark, *calls[:10]],
            )
        elif calls:
            yield case.passed(what, world=probe_run.world, seen=[mark, *calls])
