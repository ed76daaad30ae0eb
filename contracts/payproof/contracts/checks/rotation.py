"""A secret key that is replaced, or revoked."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.checks.credentials import secret_of
from payproof.contracts.entries import Checkout, OrderSeen, Page, Process
from payproof.contracts.judging.attempts import attempts
from payproof.contracts.judging.probe_runs import ProbeRun, final, probe_runs
from payproof.contracts.judging.requirements import Case, must
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding
from payproof.contracts.reading import pages


@must("credentials.rotation")
def rotation(case: Case) -> Iterator[Finding]:
    """After the secret key is replaced and the integration restarted with the new one, payments go through.

    Why: a compromised secret must be replaceable at any hour.

    Judged: the secret is replaced at the gateway and in the environment, the integration restarted with its data kept; the
    next payment must go through and the process that was started then never send the old secret. What the old process does
    in its last moments is not judged.

    Fix: keep no copy of the credentials; read them from the environment at each start.
    """
    if not case.run.settings.restarts:
        yield case.not_exercised(
            "an integration that somebody else started cannot be restarted; attest rotate-credentials"
        )
        return
    for probe_run in probe_runs(case.run, "rotation"):
        mark = probe_run.step(StepName.ROTATED)
        if mark is None:
            continue
        before, after = probe_run.before(StepName.ROTATED), probe_run.after(StepName.ROTATED)
        if not any(seen.paid for seen in before.of(OrderSeen)):
            yield case.not_exercised("the payment before the rotation did not go through", because="flow.success")
            continue
        if any(not secret.startswith("<secret-key-") for call in before.calls() if (secret := secret_of(call))):
            yield case.not_exercised(
                "the credentials do not come from the environment", because="credentials.from-environment"
            )
            continue
        new = str(mark.facts.get("secret"))
        restarted = next((entry for entry in after.of(Process) if entry.event == "started"), mark)
        old = [call for call in after.calls() if call.began >= restarted.at and secret_of(call) not in ("", new)]
        paid = final(probe_run.world, after.order())
        if not old and not _came_up(after):
            yield case.not_exercised(
                "the integration was restarted, and did not answer in the time that a start is given",
                world=probe_run.world,
                seen=[mark, restarted],
            )
        elif old:
            yield case.failed(
                "the old secret key is still used after the restart",
                expected={"secret": new},
                actual={"secret": secret_of(old[0])},
                world=probe_run.world,
                seen=[mark, restarted, *old[:3]],
            )
        elif paid is None or not paid.paid:
            yield case.failed(
                "no payment goes through after the rotation",
                expected={"paid": True},
                actual={"paid": False, "state": paid.state if paid else ""},
                world=probe_run.world,
                seen=[mark, *after.calls()[-2:], paid],
                unless="token.renewed" if _kept_its_token(case, after) else (),
            )
        else:
            yield case.passed(
                "the payment after the rotation went through with the new secret",
                world=probe_run.world,
                seen=[mark, paid],
            )


def _kept_its_token(case: Case, after: ProbeRun) -> bool:
    """Whether what was started never sent a secret at all: it has the access token of before, and the gateway answers it 401."""
    asked = after.calls()
    kept = bool(asked) and all(call.response and call.response.status == 401 for call in asked)
    return kept and case.profile.has("authenticate") and not after.calls("authenticate")


def _came_up(after: ProbeRun) -> bool:
    """Whether what was started answered, or ended by itself; a start that was not waited for to its end says nothing."""
    events = {entry.event for entry in after.of(Process)}
    return "started" not in events or bool(events & {"ready", "exited"})


def _crashed(checkout: Checkout, page: Page | None) -> bool:
    """A refusal without a page is a driver's, of an integration that has none."""
    return checkout.outcome != "refused" if page is None else pages.broken(page.response)


@must("credentials.revoked")
def revoked(case: Case) -> Iterator[Finding]:
    """A revoked secret key ends in a page for people, not in a crash or a storm of calls.

    Why: the gateway revokes keys when it suspects abuse; hammering it makes that worse.

    Judged: the secret, and an access token with it, is revoked while the integration runs; one checkout causes at most three
    calls that carry the secret, and the customer gets an answer.

    Fix: treat a refused secret as final for this request; tell the customer to try later; raise an alert.
    """
    what = "token call" if case.profile.has("authenticate") else "call"
    for probe_run in probe_runs(case.run, "revoked"):
        after = probe_run.after(StepName.REVOKED)
        checkouts = after.checkouts()
        asking = after.calls("authenticate") if case.profile.has("authenticate") else after.calls()
        refused = [call for call in asking if not call.event.ok]
        if not checkouts:
            continue
        page = next((page for page in after.pages("checkout") if page.n == checkouts[0].page), None)
        seen = [probe_run.step(StepName.REVOKED), *refused[:4], page]
        worst = attempts(after, refused)
        if not refused and not after.calls():
            yield case.not_exercised("the integration did not call the gateway after the revocation")
        elif len(worst) > 3:
            yield case.failed(
                f"one checkout caused {len(worst)} {what}s with a revoked secret",
                expected={f"{what}s": "at most 3"},
                actual={f"{what}s": len(worst)},
                world=probe_run.world,
                seen=seen,
            )
        elif after.exits() or _crashed(checkouts[0], page):
            yield case.failed(
                "the customer's request crashed",
                expected="a page for people",
                actual={
                    "status": page.response.status if page and page.response else None,
                    "exited": bool(after.exits()),
                },
                world=probe_run.world,
                seen=[*seen, *after.exits()],
            )
        elif refused:
            yield case.passed(f"{len(worst)} {what}(s), and a page for people", world=probe_run.world, seen=seen)
        else:
            yield case.not_exercised(f"no {what} was made after the revocation", because="token.renewed")
