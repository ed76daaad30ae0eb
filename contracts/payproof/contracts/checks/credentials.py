"""Credentials stay on the server, come from the environment, can be replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from payproof.contracts.entries import Call, Checkout, Entry, OrderSeen, Page, Process, SourceSeen
from payproof.contracts.events import ACCESS_TOKEN
from payproof.contracts.judging.probe_runs import attempts, final, never_back, probe_runs
from payproof.contracts.judging.requirements import Case, must, should
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding
from payproof.contracts.profile import Profile
from payproof.contracts.reading import pages
from payproof.contracts.run import RecordedWorld


def _not_for_customers(profile: Profile) -> tuple[str, ...]:
    """What the placeholders of the credentials begin with that a customer must not get: all but publishable ones."""
    names = [each.name for each in profile.credentials if each.kind != "publishable"]
    return tuple(f"<{name}-" for name in (ACCESS_TOKEN, *names))


def _held(page: Page) -> str:
    """The answer's bytes as one text; what the customer sent themselves is not the shop's doing."""
    assert page.response
    return "\n".join((page.response.body, *(f"{name}: {value}" for name, value in page.response.headers)))


@must("credentials.not-served", before_control=True)
def not_served(case: Case) -> Iterator[Finding]:
    """Nothing that the customer receives holds a secret, an access token or the merchant's id.

    Why: whoever has them acts as the merchant.

    Judged: on every page, script, header, cookie and redirect of every probe, and on the addresses that create calls give the
    gateway to send the customer to; plain, URL-encoded, base64, hex, and any part of twelve characters or more. A masked id
    is fine, and so is a secret of the integration's own.

    Fix: keep credentials in server-side code; send the browser the payment address only.
    """
    looked = cut = 0
    marks = _not_for_customers(case.profile)
    for world in case.run.worlds:
        for entry, place, text in _given_away(world):
            looked += 1
            cut += isinstance(entry, Page) and entry.problem.startswith("cut after")
            found = [mark.strip("<-") for mark in marks if mark in text]
            if found:
                what = ", ".join(name.replace("-", " ") for name in found)
                yield case.failed(
                    f"the customer was sent the {what} ({place.partition(' ')[0]})",
                    expected={"credentials on the page": []},
                    actual={"credentials on the page": [*found], "where": place},
                    world=world,
                    seen=[entry],
                )
                return
    if looked:
        part = f"; {cut} of them were too long, and only their first part was read" if cut else ""
        yield case.passed(
            f"{looked} answers and addresses for the customer hold no credential{part}", actual={"looked at": looked}
        )


def _given_away(world: RecordedWorld) -> Iterator[tuple[Entry, str, str]]:
    """(entry, where it is, text) of all that the customer gets: what the shop answers, and the addresses that the gateway
    sends them to on its behalf."""
    for entry in world.entries:
        if isinstance(entry, Page) and entry.where == "integration" and entry.response is not None:
            yield entry, f"page {entry.request.url}", _held(entry)
        elif isinstance(entry, Call) and entry.role == "open":
            for name, address in (("return_url", entry.opened.return_url), ("cancel_url", entry.opened.cancel_url)):
                if address:
                    yield entry, f"{name} {address}", address


def _static(case: Case, area: Literal["source", "frontend"]) -> Iterator[Finding]:
    for world in case.run.worlds:
        seen = [entry for entry in world.of(SourceSeen) if entry.area == area]
        finds = [entry for entry in seen if entry.what]
        ends = [entry for entry in seen if not entry.what]
        if finds:
            yield case.failed(
                f"{len(finds)} literal credential(s) in the source",
                expected={"finds": 0},
                actual={"finds": [f"{entry.path}:{entry.line} {entry.what}" for entry in finds[:20]]},
                world=world,
                seen=finds[:20],
            )
        elif ends and ends[-1].files:
            yield case.passed(f"{ends[-1].files} files hold no literal credential", world=world, seen=ends)
        elif ends:
            yield case.not_exercised("the declared paths hold no source file")


@should("credentials.not-in-source", before_control=True)
def not_in_source(case: Case) -> Iterator[Finding]:
    """The source holds no literal credential, and no .env file is tracked by git.

    Why: source is copied, shared and published.

    Judged: on the paths that the configuration declares, with a secret scanner and the names of the settings; examples
    with placeholders and tests are left out.

    Fix: take credentials from the environment; replace those that were ever committed.
    """
    if not case.run.settings.scans_source:
        yield case.not_exercised("declare integration.source.paths to have the source scanned")
        return
    yield from _static(case, "source")


@should("credentials.not-in-frontend-source", before_control=True)
def not_in_frontend_source(case: Case) -> Iterator[Finding]:
    """Front-end source holds no credential.

    Why: front-end source is public by its nature.

    Judged: on the folders that the configuration declares as front end.

    Fix: move the call to the server.
    """
    if not case.run.settings.scans_frontend:
        yield case.not_exercised("declare integration.source.frontend to have front-end source scanned")
        return
    yield from _static(case, "frontend")


@must("credentials.from-environment", before_control=True)
def from_environment(case: Case) -> Iterator[Finding]:
    """The credentials that are sent are those of the environment.

    Why: credentials in code cannot be kept apart for sandbox and live, nor replaced.

    Judged: each world hands the integration credentials of its own; the calls that carry credentials carry exactly these.

    Fix: read the credentials from the environment at start.
    """
    if not case.run.settings.own_credentials:
        yield case.not_exercised(
            "the integration was started by somebody else; payproof did not give it its credentials"
        )
        return
    names = [each.name for each in case.profile.credentials if each.travels != "never"]
    sent = [
        (world, call, own)
        for world in case.run.worlds
        for call in world.of(Call)
        if (own := {name: call.event.sent[name] for name in names if name in call.event.sent})
    ]
    for world, call, own in sent:
        if any(not value.startswith(f"<{name}-") for name, value in own.items()):
            yield case.failed(
                "a call carries credentials that are not those of the environment",
                expected=dict.fromkeys(own, "this world's"),
                actual={name: _named(value) for name, value in own.items()},
                world=world,
                seen=[call],
            )
            return
    owners: dict[str, str] = {}
    for world, call, own in sent:
        name, value = next(iter(own.items()))
        if owners.setdefault(value, world.name) != world.name:
            yield case.failed(
                f"an instance uses the credentials of another one (world {owners[value]})",
                expected={name: "this world's"},
                actual={name: value},
                world=world,
                seen=[call],
            )
            return
    if sent:
        yield case.passed(
            f"{len(sent)} calls of {len(owners)} instances carry their own credentials",
            world=sent[0][0],
            seen=[sent[0][1]],
        )


def _secret(call: Call) -> str:
    return call.event.sent.get("secret-key", "")


def _named(value: str) -> str:
    return value if value.startswith("<") else f"{value[:3]}… ({len(value)} characters)" if value else "nothing"


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
        if any(not secret.startswith("<secret-key-") for call in before.calls() if (secret := _secret(call))):
            yield case.not_exercised(
                "the credentials do not come from the environment", because="credentials.from-environment"
            )
            continue
        new = str(mark.facts.get("secret"))
        restarted = next((entry for entry in after.of(Process) if entry.event == "started"), mark)
        old = [call for call in after.calls() if call.began >= restarted.at and _secret(call) not in ("", new)]
        paid = final(probe_run.world, after.order())
        if old:
            yield case.failed(
                "the old secret key is still used after the restart",
                expected={"secret": new},
                actual={"secret": _secret(old[0])},
                world=probe_run.world,
                seen=[mark, restarted, *old[:3]],
            )
        elif never_back(after):
            yield case.not_exercised(
                "the integration did not answer in time after its restart, so that nobody could pay",
                world=probe_run.world,
                seen=[mark, restarted],
            )
        elif paid is None or not paid.paid:
            yield case.failed(
                "no payment goes through after the rotation",
                expected={"paid": True},
                actual={"paid": False, "state": paid.state if paid else ""},
                world=probe_run.world,
                seen=[mark, *after.calls()[-2:], paid],
            )
        else:
            yield case.passed(
                "the payment after the rotation went through with the new secret",
                world=probe_run.world,
                seen=[mark, paid],
            )


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
