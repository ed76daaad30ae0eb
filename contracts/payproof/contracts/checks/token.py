"""Guidelines 6 and 7: the access token is kept, renewed on 401, and asked for once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from payproof.contracts import pages
from payproof.contracts.entries import Call, OrderSeen, Process
from payproof.contracts.model import Finding
from payproof.contracts.requirements import Case, must, should
from payproof.contracts.run import World
from payproof.contracts.stories import attempts, background, final, payments_of, tellings


def _processes(world: World) -> int:
    ready = next((entry for entry in world.of(Process) if entry.event == "ready"), None)
    found = re.search(r"processes=(\d+)", ready.detail) if ready else None
    return int(found[1]) if found else 1


@must("token.cached", needs="tokens")
def cached(case: Case) -> Iterator[Finding]:
    """The access token is kept for its life: five payments in a row need one token for each worker.

    Why: the gateway asks for it, and limits token calls.

    Judged: five payments one after the other; at most workers + 1 token calls since the integration started (one early
    renewal is fine). Where the access token is the payment itself, the opposite is checked: no token is used for two
    orders.

    Fix: keep the token until shortly before its life ends, in a place that all requests of the process share. Declare
    integration.workers when several processes keep one each.
    """
    if case.profile.traits.token_is_payment:
        yield from _never_shared(case)
        return
    for telling in tellings(case.run, "steady"):
        paid = [seen for seen in telling.of(OrderSeen) if seen.paid]
        last = telling.entries[-1].n
        calls = [call for call in telling.world.of(Call) if call.meaning.operation == "token" and call.n < last]
        issued = [call for call in calls if call.meaning.issued]
        limit = case.run.settings.workers + 1
        if len(paid) < 2:
            yield case.not_exercised("fewer than two payments went through", because="flow.success")
        elif not issued:
            yield case.not_exercised("no access token was ever asked for")
        elif len(issued) > limit and len(issued) <= (processes := _processes(telling.world)) + 1:
            yield case.not_exercised(
                f"{len(issued)} token calls by {processes} processes: declare integration.workers if each keeps its own token"
            )
        elif len(issued) > limit:
            yield case.failed(
                f"{len(issued)} token calls for {len(paid) + 1} payments",
                expected={"token calls": f"at most {limit}"},
                actual={"token calls": len(issued), "payments": len(paid) + 1},
                world=telling.world,
                seen=issued[:8],
            )
        else:
            yield case.passed(
                f"{len(issued)} token call(s) for {len(paid) + 1} payments",
                actual={"token calls": len(issued)},
                world=telling.world,
                seen=issued,
            )


def _never_shared(case: Case) -> Iterator[Finding]:
    good = 0
    for world in case.run.worlds:
        users: dict[str, tuple[str, Call]] = {}
        for call in world.of(Call):
            if call.meaning.operation != "create" or not call.meaning.bearer or not call.meaning.ok:
                continue
            reference = call.meaning.reference or ""
            other, first = users.setdefault(call.meaning.bearer, (reference, call))
            if other != reference:
                yield case.failed(
                    f"one access token was used for two orders ({other} and {reference}): they share one payment",
                    expected={"orders for each token": 1},
                    actual={"orders": [other, reference], "token": call.meaning.bearer},
                    world=world,
                    seen=[first, call],
                )
                return
        good += len(users)
    if good:
        yield case.passed(f"{good} access tokens, each used for one order only", expected={"orders for each token": 1})


@must("token.renewed", needs="tokens")
def renewed(case: Case) -> Iterator[Finding]:
    """When the gateway answers 401 the integration authenticates again, and the payment goes through.

    Why: a token ends every ten minutes, and sometimes earlier; a customer must not notice.

    Judged: the token's life ends between two payments and between create and status check; the gateway revokes a young
    token. Each time the payment must go through and the order be paid, without an error for the customer.

    Fix: on 401 throw the token away, get a new one, and repeat the request once.
    """
    for telling in tellings(case.run, "token-expired"):
        mark = telling.step("token-ended")
        if mark is None:
            yield case.stuck(telling, str(telling.params.get("moment")).replace("-", " "), because="flow.success")
            continue
        moment = str(telling.params.get("moment")).replace("-", " ")
        after = telling.after("token-ended")
        order = telling.order()
        checkout = next((entry for entry in telling.checkouts() if entry.order == order), None)
        last = final(telling.world, order)
        errors = [page for page in after.pages("checkout", "return") if page.order == order and pages.shows_error(page)]
        calls = [call for call in after.calls() if call.meaning.operation != "token"]
        if not after.calls():
            yield case.not_exercised(
                f"the gateway was not called after the token had ended ({moment})",
                because="verify.status-checked",
                world=telling.world,
                seen=[mark, *telling.checkouts()[-1:]],
            )
        elif checkout is None or not checkout.payment:
            yield case.failed(
                f"the payment could not be started after the token had ended ({moment})",
                expected={"checkout": "redirected"},
                actual={"checkout": checkout.outcome if checkout else "none"},
                world=telling.world,
                seen=[mark, *calls[:2], checkout],
            )
        elif errors or last is None or not last.paid:
            what = "the customer saw an error" if errors else "the paid order was never marked paid"
            yield case.failed(
                f"{what} after the token had ended ({moment})",
                expected={"paid": True, "error pages": 0},
                actual={"paid": bool(last and last.paid), "error pages": len(errors)},
                world=telling.world,
                seen=[mark, *calls[:3], *errors[:1], last],
            )
        else:
            yield case.passed(
                f"the payment went through after the token had ended ({moment})", world=telling.world, seen=[mark, last]
            )


@must("token.retried-once", needs="tokens")
def retried_once(case: Case) -> Iterator[Finding]:
    """A request that is answered 401 is repeated once at most.

    Why: repeating for ever hangs the customer and hammers the gateway.

    Judged: every create (then every status check) is answered 401, with a fresh token too. One original request may be
    sent twice, and cause three token calls.

    Fix: repeat once after a renewal; then give up with a page for people.
    """
    for telling in tellings(case.run, "always-unauthorized"):
        operation = str(telling.params.get("operation"))
        told = telling.before("recover")
        hit = [call for call in told.calls(operation) if call.fault]
        if operation == "status":
            payments = payments_of(telling.world, telling.order())
            hit = [call for call in hit if call.meaning.payment in payments]
        if not hit:
            yield case.stuck(telling, operation)
            continue
        worst = attempts(told, hit)
        window = [call for call in told.calls("token") if worst[0].began <= call.began <= worst[-1].ended + 0.5]
        overlap = 2 if background(telling.world) else 1
        if len(worst) > 2 * overlap or len(window) > 3 * overlap:
            yield case.failed(
                f"one {operation} request was sent {len(worst)} times, with {len(window)} token calls",
                expected={"sent": "at most 2", "token calls": "at most 3"},
                actual={"sent": len(worst), "token calls": len(window)},
                world=telling.world,
                seen=[*worst[:6], *window[:4]],
            )
        elif len(worst) == 1 and not window:
            yield case.not_exercised(
                f"the {operation} request was not repeated at all",
                because="token.renewed",
                world=telling.world,
                seen=worst,
            )
        else:
            yield case.passed(
                f"the {operation} request was sent {len(worst)} time(s), with {len(window)} token call(s)",
                actual={"sent": len(worst), "token calls": len(window)},
                world=telling.world,
                seen=worst,
            )


@should("token.no-stampede", needs="tokens")
def no_stampede(case: Case) -> Iterator[Finding]:
    """Ten checkouts at once on an expired token cause one token call for each worker, not ten.

    Why: a stampede of token calls is what rate limits punish.

    Judged: the token has expired and ten customers check out at once; at most twice as many token calls as workers,
    when the checkouts succeed.

    Fix: let one request renew the token while the others wait for it.
    """
    if case.profile.traits.token_is_payment:
        yield case.not_applicable("each payment needs an access token of its own on this gateway")
        return
    for telling in tellings(case.run, "stampede"):
        mark = telling.step("crowd")
        crowd = telling.checkouts("crowd")
        through = [checkout for checkout in crowd if checkout.payment]
        calls = [call for call in telling.after("crowd").calls("token") if call.meaning.issued]
        limit = 2 * case.run.settings.workers
        if len(through) < 5:
            yield case.not_exercised(
                f"only {len(through)} of {len(crowd)} checkouts went through", because="token.renewed"
            )
        elif len(calls) > limit:
            yield case.failed(
                f"{len(calls)} token calls for {len(crowd)} checkouts at once",
                expected={"token calls": f"at most {limit}"},
                actual={"token calls": len(calls)},
                world=telling.world,
                seen=[mark, *calls[:10]],
            )
        elif calls:
            yield case.passed(
                f"{len(calls)} token call(s) for {len(crowd)} checkouts at once",
                world=telling.world,
                seen=[mark, *calls],
            )
