"""HTTPS everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from payproof.contracts.entries import Call, Connection
from payproof.contracts.judging.probe_runs import ProbeRun, probe_runs
from payproof.contracts.judging.requirements import CAUSES, Case, must
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Verdict
from payproof.contracts.run import RecordedWorld

_REFUSED = "handshake_failed"


def _scheme(case: Case, which: str) -> Iterator[Finding]:
    what = which.replace("_url", " URL")
    given: list[tuple[RecordedWorld, Call, str]] = [
        (world, call, url)
        for world in case.run.worlds
        for call in world.of(Call)
        if call.role == "open" and (url := getattr(call.opened, which))
    ]
    wrong = [found for found in given if urlsplit(found[2]).scheme.lower() != "https"]
    if wrong:
        world, call, url = wrong[0]
        yield case.failed(
            f"{len(wrong)} of {len(given)} create calls give a {what} that is not https",
            expected={"scheme": "https"},
            actual={"scheme": urlsplit(url).scheme, which: url},
            world=world,
            seen=[call],
        )
    elif given:
        world, call, url = given[0]
        yield case.passed(f"{len(given)} create calls, all https", actual={which: url}, world=world, seen=[call])
    else:
        creates = [(world, call) for world in case.run.worlds for call in world.of(Call) if call.role == "open"]
        yield case.not_exercised(
            f"none of {len(creates)} create calls gives a {what}" if creates else "no create call was made",
            because="flow.success",
            world=creates[0][0] if creates else None,
            seen=[creates[0][1]] if creates else (),
        )


@must("https.return-url", before_control=True)
def return_url(case: Case) -> Iterator[Finding]:
    """Every create call gives a return URL with the scheme https.

    Why: the customer comes back over this address with the payment's data in it; in plain text anybody on the way reads
    and changes it.

    Judged: on every create call of the run. The harness gave the integration an https public address.

    Fix: build the return URL from the shop's public https address. Behind a proxy that ends TLS, tell the framework to trust
    X-Forwarded-Proto, or configure the public address.
    """
    yield from _scheme(case, "return_url")


@must("https.cancel-url", before_control=True)
def cancel_url(case: Case) -> Iterator[Finding]:
    """Every create call that gives a cancel URL gives one with the scheme https.

    Why: as for the return URL.

    Judged: on every create call of the run; leaving the cancel URL out is no fault where the gateway allows it.

    Fix: build the cancel URL from the shop's public https address.
    """
    creates = [call for world in case.run.worlds for call in world.of(Call) if call.role == "open"]
    if creates and case.profile.traits.cancel_url_optional and not any(call.opened.cancel_url for call in creates):
        yield case.not_applicable("no create call gives a cancel URL, which this gateway allows")
    else:
        yield from _scheme(case, "cancel_url")


@must("https.api", before_control=True)
def api(case: Case) -> Iterator[Finding]:
    """Every call to the gateway's API goes over HTTPS.

    Why: the credentials travel in these calls.

    Judged: the target offers both HTTPS and plain text at one port and is configured as https; a plain-text request is
    the defect.

    Fix: use the configured base URL as it is.
    """
    if not case.run.settings.secure:
        refused = next(
            (
                (world, entry)
                for world in case.run.given_up
                for entry in world.of(Connection)
                if entry.event == _REFUSED
            ),
            None,
        )
        yield case.not_exercised(
            f"the gateway was offered over plain HTTP: {case.run.settings.secure_note}; change that, or attest https.api",
            world=refused[0] if refused else None,
            seen=[refused[1]] if refused else (),
        )
        return
    calls = [(world, call) for world in case.run.worlds for call in world.of(Call)]
    plain = [(world, call) for world, call in calls if not call.secure]
    if plain:
        world, call = plain[0]
        yield case.failed(
            f"{len(plain)} of {len(calls)} calls to the gateway came in plain text",
            expected={"scheme": "https"},
            actual={"scheme": "http", "url": call.request.url},
            world=world,
            seen=[call],
        )
    elif calls:
        world, call = calls[0]
        yield case.passed(f"{len(calls)} calls, all over TLS", world=world, seen=[call])
    else:
        yield case.not_exercised("the gateway was never called")


FORGERIES = {
    "wrong-host": "a certificate of another host",
    "expired-certificate": "a certificate that has expired",
    "unknown-authority": "a certificate of an authority that nobody knows",
}
"""Fault of a handshake -> what the gateway shows then."""
_AT_RENEWAL = "renewal-certificate"
_UNKNOWN_AUTHORITY = "a certificate of an authority that it had not been told of"


@must("https.certificate-verified")
def certificate_verified(case: Case) -> Iterator[Finding]:
    """The integration sends nothing to a gateway whose certificate it cannot verify.

    Why: without verification anybody on the way is the gateway.

    Judged: the gateway shows a certificate of another host, one that has expired, one of an authority that nobody knows, to a
    customer's calls and to the call for a new access token; the last one also while the integration runs without the variables that
    name this run's authority, which some libraries obey though verification is off. An HTTP request that arrives then is the
    defect, whatever it asks. A connection that the integration ends without one is the pass.

    Fix: leave certificate verification on; add a private authority to the trust store instead of switching it off, and do not
    leave out the comparison of host names.
    """
    if not case.run.settings.secure:
        yield _pinned(case)
        return
    for probe_run in probe_runs(case.run, "false-certificate", _AT_RENEWAL, "unknown-certificate"):
        shown = str(probe_run.params.get("shows", ""))
        found = _trusted(case, probe_run.before(StepName.TRIED), shown, FORGERIES.get(shown, _UNKNOWN_AUTHORITY))
        # Whoever needs no other access token then has asked for it under the same certificate in another probe run, if ever.
        if found.verdict is not Verdict.NOT_EXERCISED or probe_run.probe != _AT_RENEWAL:
            yield found


def _trusted(case: Case, probe_run: ProbeRun, shown: str, what: str) -> Finding:
    afterwards = probe_run.after(StepName.DISTRUST)
    faults = (shown,) if shown else ("unknown-authority", "")  # once the gateway showed its own
    sent = [call for call in afterwards.calls() if call.secure and call.fault in faults]
    tried = [each for each in afterwards.of(Connection) if each.fault in faults and each.distrusted]
    if sent:
        return case.failed(
            f"{len(sent)} request{'s' if len(sent) > 1 else ''} sent to a gateway that showed {what}",
            expected={"requests": 0},
            actual={"requests": len(sent), "first": f"{sent[0].request.method} {sent[0].request.url.split('?')[0]}"},
            world=probe_run.world,
            seen=[probe_run.step(StepName.DISTRUST), *sent[:5]],
        )
    if tried:
        return case.passed(
            f"it hung up on a gateway that showed {what}",
            actual={"requests": 0, "said": tried[0].alert},
            world=probe_run.world,
            seen=tried[:3],
        )
    if probe_run.step(StepName.DISTRUST) is None:
        return case.stuck(probe_run, what)
    return case.not_exercised(
        f"it did not connect to the gateway while that showed {what}",
        because=("https.api", *CAUSES),
        world=probe_run.world,
        seen=[probe_run.step(StepName.DISTRUST), *probe_run.pages("checkout")[-1:]],
    )


def _pinned(case: Case) -> Finding:
    """No TLS in this run. Where that is because the integration did not take the run's authority, it has shown that it looks."""
    hesitant: list[tuple[RecordedWorld, Connection]] = []
    for world in case.run.given_up:
        hesitant += [(world, each) for each in world.of(Connection) if each.hesitant]
        refused = [each for each in world.of(Connection) if each.distrusted and not each.hesitant]
        if refused and not any(world.of(Call)):
            return case.passed(
                "it trusts authorities of its own choice only, and hung up on a certificate of the run's authority; whether it would "
                "take an expired one, or another host's, cannot be tried",
                actual={"requests": 0, "said": refused[0].alert},
                world=world,
                seen=refused[:3],
            )
    return case.not_exercised(
        f"the gateway was offered over plain HTTP: {case.run.settings.secure_note}; change that, or attest https.certificate-verified",
        world=hesitant[0][0] if hesitant else None,
        seen=[each for _, each in hesitant[:3]],
    )
