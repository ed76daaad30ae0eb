"""How an integration stood a call that went wrong: one value for the trouble, one ladder for what may go wrong then.

``Trouble`` is what a probe run of any kind did to a call; ``TROUBLES`` tells how each kind of probe run is read. A ladder is a tuple of
rungs, each of which finds one kind of misstep or nothing; ``judged`` says the first that is found, and a pass where none is.
A new requirement of this kind is a row in ``TROUBLES``, or a rung.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from payproof.contracts.entries import Call, Entry, OrderSeen, Page, Step
from payproof.contracts.events import VERIFICATION, VERIFYING
from payproof.contracts.judging.attempts import attempts
from payproof.contracts.judging.probe_runs import ProbeRun, confirmed, ledger, opening_for, payments_of, probe_runs
from payproof.contracts.judging.requirements import Case
from payproof.contracts.judging.steps import StepName
from payproof.contracts.model import Finding, Json
from payproof.contracts.reading import pages

BELIEVED = ("verify.forged-return", "verify.failed-return", "verify.status-checked")
"""What fails where a shop takes orders for paid that the gateway calls unpaid, or never asks."""
MOST_ATTEMPTS = 5
"""Times that one original request may be sent to a gateway that does not answer it as it should."""


def status_of(page: Page | None) -> Json:
    return page.response.status if page and page.response else (page.problem if page else None)


def crash(probe_run: ProbeRun, until: StepName | None, *purposes: str) -> Entry | None:
    """The entry that shows a crash: the process ended (at any time of the probe run, a friendly page may come first), or the
    customer got a page that no person should see before the step ``until``, or at any time."""
    canaries = [str(step.facts["canary"]) for step in probe_run.of(Step) if step.facts.get("canary")]
    part = probe_run.before(until) if until else probe_run
    broken = (page for page in part.pages(*purposes) if pages.broken(page.response, canaries))
    return next(iter(probe_run.exits()), None) or next(broken, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A probe run in which one kind of call went wrong until a named step."""

    probe_run: ProbeRun
    operation: str
    until: StepName
    what: str
    """For titles: ``create answered with HTTP 500``."""
    verifies: bool
    """The call is one that tells how a payment stands."""
    hit: tuple[Call, ...] = ()
    """The calls that went wrong; none where not even a connection came about."""

    @property
    def disturbed(self) -> ProbeRun:
        return self.probe_run.before(self.until)

    @property
    def order(self) -> str:
        return self.probe_run.order("unverified") or self.probe_run.order()

    @property
    def purpose(self) -> str:
        """What the customer was about when the call was made."""
        return "return" if self.verifies else "checkout"

    @property
    def page(self) -> Page | None:
        """What the customer was shown in the end."""
        return next(reversed(self.disturbed.pages(self.purpose)), None)

    @property
    def paid(self) -> OrderSeen | None:
        return next((seen for seen in self.disturbed.of(OrderSeen) if seen.order == self.order and seen.paid), None)

    @property
    def attempts(self) -> list[Call]:
        """The longest series of the calls that went wrong which one request of the customer caused."""
        return attempts(self.disturbed, list(self.hit))


# -- how each kind of probe run is read --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reading:
    """``until``: the step at which the trouble ends. ``says``: (parameters of the probe run, first call that was hit) -> what the call
    met, in words."""

    until: Callable[[bool], StepName]
    says: Callable[[Mapping[str, Json], Call | None], str]


def kind_of(params: Mapping[str, Json]) -> str:
    """Name of the answer, or of the fault, that a probe run gave to a call."""
    return str(params.get("error") or params.get("fault") or "")


OUTAGES: Mapping[str, str] = {
    "refuse": "connection refused",
    "close": "closed without an answer",
    "reset": "connection reset",
}
"""Parameter ``how`` of a probe run in which the network fails -> in words."""


def outage_of(params: Mapping[str, Json]) -> str:
    how = OUTAGES.get(str(params.get("how")), "no answer")
    return f"{how} after its effect" if params.get("phase") == "after" else how


_ANSWERS: Mapping[str, str] = {
    "cut": "JSON that breaks off",
    "empty": "nothing",
    "html": "an HTML page",
    "not-json": "prose instead of JSON",
    "oversized": "a very long answer",
    "other-payment": "another payment's state",
    "wrong-content-type": "JSON under another content type",
}
"""Fault -> what the call is answered with, in words; any other is an error of the gateway's own, called by its name."""


def answer_of(params: Mapping[str, Json], first: Call | None = None) -> str:
    """What a probe run had a call answered with, in words; ``first``: the first call that was."""
    kind = kind_of(params)
    told = first.response.status if first and first.response else params.get("status")
    code = told if kind in ("status", "plain-error", "html") else 0
    words = _ANSWERS.get(kind, "" if kind in ("status", "plain-error") else f"the error {kind}")
    return f"answered with {', '.join(filter(None, (f'HTTP {code}' if code else '', words))) or kind}"


def _answer(params: Mapping[str, Json], first: Call | None) -> str:
    return f" {answer_of(params, first)}"


_MENDED = _Reading(lambda verifies: StepName.MENDED, _answer)
TROUBLES: Mapping[str, _Reading] = {
    "error-answer": _Reading(lambda verifies: StepName.MENDED if verifies else StepName.TRIED, _answer),
    "unverified": _MENDED,
    "refused-check": _MENDED,
    "rate-limited": _Reading(lambda verifies: StepName.RECOVER, lambda params, first: " answered with 429"),
    "network-error": _Reading(lambda verifies: StepName.TRIED, lambda params, first: f": {outage_of(params)}"),
}
"""Probe -> how its runs are read."""


def troubles(case: Case, *probes: str, kinds: tuple[str, ...] | None = None) -> Iterator[Trouble]:
    """The runs of these probes, each as the trouble that it made. ``kinds``: only those whose call met one of these."""
    for probe_run in probe_runs(case.run, *probes, keep=lambda each: kinds is None or kind_of(each.params) in kinds):
        reading = TROUBLES[probe_run.probe]
        operation = str(probe_run.params.get("operation") or case.profile.verification)
        verifies = case.profile.verifies(operation)
        until = reading.until(verifies)
        hit = tuple(_own(probe_run, [call for call in probe_run.before(until).calls(operation) if call.fault]))
        what = f"{operation}{reading.says(probe_run.params, hit[0] if hit else None)}"
        yield Trouble(
            probe_run=probe_run, operation=operation, until=until, what=what, verifies=verifies, hit=hit
        )  # fmt: skip


def _own(probe_run: ProbeRun, hit: list[Call]) -> list[Call]:
    """Of the calls that went wrong, those for this probe run's own order, where there are any: a job that goes through other orders
    meets the trouble, too. Nothing in a call for an access token says for whom it is."""
    world, order = probe_run.world, probe_run.order("unverified") or probe_run.order()
    if all(call.role == "open" for call in hit):
        own = opening_for(world, order, probe_run.entries[0].n)
        return [call for call in hit if own(call.opened.reference or "")] or hit
    payments = payments_of(world, order) if all(call.role in VERIFYING for call in hit) else ()
    return [call for call in hit if call.event.payment in payments] or hit


# -- the rungs ---------------------------------------------------------------------------------------------------------

Rung: TypeAlias = Callable[[Case, Trouble], Finding | None]


def judged(case: Case, trouble: Trouble, ladder: tuple[Rung, ...], title: str, **actual: Json) -> Finding:
    """The first misstep that a rung finds; where none does, a pass with this title, ``actual`` beside the status that the
    customer got."""
    wrong = next((found for rung in ladder if (found := rung(case, trouble)) is not None), None)
    return wrong or case.passed(
        title,
        actual={"status": status_of(trouble.page), **actual},
        world=trouble.probe_run.world,
        seen=[*trouble.hit[:1], trouble.page],
    )


def not_met(case: Case, trouble: Trouble) -> Finding | None:
    """No call met the trouble."""
    return None if trouble.hit else case.stuck(trouble.probe_run, trouble.what)


def crashed(case: Case, trouble: Trouble) -> Finding | None:
    """The integration crashed, or showed its customer a page of a crashed program."""
    shown = crash(trouble.probe_run, trouble.until, trouble.purpose)
    if shown is None:
        return None
    return case.failed(
        f"the customer's request crashed: {trouble.what}",
        expected="a page for people",
        actual={"status": status_of(trouble.page)},
        world=trouble.probe_run.world,
        seen=[*trouble.hit[:1], shown, trouble.page],
    )


def wrongly_paid(case: Case, trouble: Trouble) -> Finding | None:
    """Paid without the gateway's word; a truthful word that it is paid, in whatever wrapping, makes it right."""
    probe_run, order, world, paid = trouble.probe_run, trouble.order, trouble.probe_run.world, trouble.paid
    if paid is None or confirmed(trouble.disturbed, order):
        return None
    if not trouble.verifies and ledger(world, order, "charged"):
        return None
    if trouble.verifies and not trouble.hit and not probe_run.calls(VERIFICATION):
        return case.not_exercised(
            "the gateway was never asked, in good times or bad",
            because=("verify.status-checked", "verify.forged-return"),
            world=world,
            seen=[trouble.page, paid],
        )
    denied = _denied(trouble, paid)
    return case.failed(
        f"the order is paid: {trouble.what}" + (", and an undisturbed check had said that it is not" if denied else ""),
        expected={"paid": False},
        actual={"paid": True, "state": paid.state},
        world=world,
        seen=[*trouble.hit[:2], denied, paid],
        # The shop believed nobody's broken answer: it does not read a good one.
        unless=BELIEVED if denied else (),
    )


def _denied(trouble: Trouble, paid: OrderSeen) -> Call | None:
    """The gateway's last word on the order before it was seen paid, where that was an undisturbed "unpaid"."""
    payments = payments_of(trouble.probe_run.world, trouble.order)
    asked = [
        call for call in trouble.disturbed.calls(VERIFICATION) if call.event.payment in payments and call.n < paid.n
    ]
    last = asked[-1] if asked else None
    return last if last is not None and not last.fault and last.event.ok and last.payment_status.paid is False else None


def too_many_attempts(case: Case, trouble: Trouble, most: int = MOST_ATTEMPTS) -> Finding | None:
    """One request of the customer sent the call again and again."""
    sent = trouble.attempts
    if len(sent) <= most:
        return None
    return case.failed(
        f"{len(sent)} attempts: {trouble.what}",
        expected={"attempts": f"at most {most}"},
        actual={"attempts": len(sent)},
        world=trouble.probe_run.world,
        seen=sent[:8],
    )
