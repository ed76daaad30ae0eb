"""Reading journals: probe runs, an order's payments, what kept a probe run from getting where it should."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlsplit

from payproof.contracts.entries import (
    Call,
    Checkout,
    Entry,
    FaultSet,
    Ledger,
    OrderSeen,
    Page,
    ProbeMark,
    Process,
    Step,
)
from payproof.contracts.events import Confirmed, PaymentStatus, Settled
from payproof.contracts.judging.steps import StepName, renamed
from payproof.contracts.model import Json
from payproof.contracts.reading.naming import refers
from payproof.contracts.run import RecordedWorld, Run

E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class ProbeRun:
    """One performance of a probe: a slice of a world's journal between its begin and end."""

    world: RecordedWorld
    probe: str
    params: dict[str, Json]
    entries: tuple[Entry, ...]

    def of(self, kind: type[E]) -> Iterator[E]:
        return (entry for entry in self.entries if isinstance(entry, kind))

    def calls(self, *names: str) -> list[Call]:
        """Calls with one of these roles, or names of the gateway's own; all calls when none is named."""
        return [call for call in self.of(Call) if not names or call.is_one_of(*names)]

    def status_answers(self) -> Iterator[tuple[Call, PaymentStatus]]:
        """Every call by which the gateway says how a payment stands, with what it said."""
        return status_answers(self.entries)

    def pages(self, *purposes: str, where: str = "integration") -> list[Page]:
        return [page for page in self.of(Page) if page.where == where and (not purposes or page.purpose in purposes)]

    def checkouts(self, purpose: str = "") -> list[Checkout]:
        return [checkout for checkout in self.of(Checkout) if not purpose or checkout.purpose == purpose]

    def step(self, name: StepName) -> Step | None:
        return next((step for step in self.of(Step) if step.name == name), None)

    def before(self, name: StepName) -> ProbeRun:
        """The part before a named step; all of it when the step never came."""
        mark = self.step(name)
        kept = self.entries if mark is None else tuple(entry for entry in self.entries if entry.n < mark.n)
        return ProbeRun(self.world, self.probe, self.params, kept)

    def after(self, name: StepName) -> ProbeRun:
        """The part after a named step; nothing when the step never came."""
        mark = self.step(name)
        kept = () if mark is None else tuple(entry for entry in self.entries if entry.n > mark.n)
        return ProbeRun(self.world, self.probe, self.params, kept)

    def order(self, role: str = "main") -> str:
        """The order that plays a role in this probe run, by the id that the integration gave it."""
        ours = next((step.facts.get("order") for step in self.of(Step) if step.name == f"order:{role}"), None)
        theirs = next((own for known, own in renamed(self.entries) if known == ours), None)
        return str(theirs or ours or "")

    def exits(self) -> list[Process]:
        return [entry for entry in self.of(Process) if entry.event == "exited"]


def probe_runs(run: Run, *probes: str, keep: Callable[[ProbeRun], bool] = lambda _: True) -> list[ProbeRun]:
    """Every run of these probes (all probes when none is named), in every world."""
    found = (
        ProbeRun(world, begin.probe, {**begin.params, **(end.params if end else {})}, entries)
        for world in run.worlds
        for begin, end, entries in world.probe_slices
        if not probes or begin.probe in probes
    )
    return [probe_run for probe_run in found if keep(probe_run)]


def with_final_names(world: RecordedWorld) -> RecordedWorld:
    """The world with every order called by the id that the integration gave it, also before it was known."""
    final_names: dict[str, str] = {}
    for ours, own in renamed(world.of(Step)):
        final_names.setdefault(ours, own)
    if not final_names:
        return world

    def called(entry: Entry) -> Entry:
        if isinstance(entry, Checkout) and entry.order in final_names:
            # The integration did not tell this checkout's id; it may have given the other one to another click.
            return replace(entry, order=final_names[entry.order], order_known=False)
        if isinstance(entry, OrderSeen | Page) and entry.order in final_names:
            return replace(entry, order=final_names[entry.order])
        return entry

    return RecordedWorld(name=world.name, entries=tuple(called(entry) for entry in world.entries))


def names_of(world: RecordedWorld, order: str) -> frozenset[str]:
    """Every name of an order: the customer's, and the id that the integration gave it, perhaps only later."""
    names = {order}
    for pair in renamed(world.of(Step)):
        if names.intersection(pair):
            names.update(pair)
    return frozenset(names - {""})


def opening_for(world: RecordedWorld, order: str, first: int) -> Callable[[str], bool]:
    """Whether a call with this reference opens a payment for an order whose probe run began at entry ``first``: the reference names it,
    or nobody has heard of it before."""
    names = names_of(world, order)
    heard = {call.opened.reference or "" for call in world.of(Call) if call.n < first and call.role == "open"} | {""}
    heard |= {str(step.facts.get("order")) for step in world.of(Step) if step.n < first and step.facts.get("order")}

    def own(reference: str) -> bool:
        if any(refers(reference, name) for name in names):
            return True
        return not any(reference == each or refers(reference, each) for each in heard)

    return own


def payments_of(world: RecordedWorld, order: str) -> tuple[str, ...]:
    """The payments of an order: those that its checkouts led to, and those whose reference names it."""
    names = names_of(world, order)
    found = [checkout.payment for checkout in world.of(Checkout) if checkout.order == order and checkout.payment]
    found += [
        entry.payment
        for entry in world.of(Ledger)
        if entry.event == "opened" and entry.payment and any(refers(entry.reference, name) for name in names)
    ]
    return tuple(dict.fromkeys(found))


def ledger(world: RecordedWorld, order: str, event: str) -> list[Ledger]:
    """What the gateway's books say of an order's payments."""
    payments = payments_of(world, order)
    return [entry for entry in world.of(Ledger) if entry.event == event and entry.payment in payments]


def looks(world: RecordedWorld, order: str) -> list[OrderSeen]:
    """Every look at an order, also those that could not be read."""
    return [seen for seen in world.of(OrderSeen) if seen.order == order]


def sightings(world: RecordedWorld, order: str) -> list[OrderSeen]:
    """Every readable look at an order."""
    return [seen for seen in world.of(OrderSeen) if seen.order == order and seen.paid is not None]


def final(world: RecordedWorld, order: str) -> OrderSeen | None:
    """The last readable look at an order."""
    return next(reversed(sightings(world, order)), None)


def ever_paid(world: RecordedWorld, order: str) -> OrderSeen | None:
    """The first look that saw the order paid."""
    return next((seen for seen in sightings(world, order) if seen.paid), None)


def confirmed(probe_run: ProbeRun, order: str) -> bool:
    """Whether the gateway truthfully told the integration that this order is paid, in whatever wrapping: an answer that
    came with a strange content type, or was very long, is an answer all the same."""
    payments = payments_of(probe_run.world, order)
    return any(
        status.paid and status.payment in payments and (status.answered or status.payment) in payments
        for _, status in probe_run.status_answers()
    )


def status_answers(entries: Iterable[Entry]) -> Iterator[tuple[Call, PaymentStatus]]:
    """Every call by which the gateway says how a payment stands, with what it said."""
    for entry in entries:
        if isinstance(entry, Call) and isinstance(entry.event, Confirmed | Settled):
            yield entry, entry.event


def front_end_elsewhere(world: RecordedWorld, page: Page) -> bool:
    """Whether this page is a front end's that the run does not start: the integration sends its customers to another host than the one
    at which they order, and has no such page itself."""
    if page.response is None or page.response.status != 404:
        return False
    own = {
        urlsplit(each.request.url).hostname
        for each in world.of(Page)
        if each.purpose in ("before", "checkout", "order")
    }
    return bool(own) and urlsplit(page.request.url).hostname not in own


def obstacle(probe_run: ProbeRun) -> tuple[str, tuple[Entry, ...]]:
    """What kept a probe run from getting where it should: one clause, and the entries that show it; at least how far it went."""
    if (found := hindrance(probe_run)) is not None:
        return found
    steps = [step for step in probe_run.of(Step) if not step.name.startswith("order:")]
    if steps:
        return f'it went no further than "{steps[-1].text}"', (steps[-1],)
    return "nothing happened in its probe run", probe_run.entries[:1]


def hindrance(probe_run: ProbeRun) -> tuple[str, tuple[Entry, ...]] | None:
    """What visibly went wrong in a probe run, apart from what was done to it; None when nothing did."""
    if (alone := probe_run.step(StepName.LEFT_ALONE)) is not None:
        return alone.text, (alone, *_last_sale(probe_run.world, alone))
    end = probe_run.entries[-1] if probe_run.entries else None
    if isinstance(end, ProbeMark) and end.event == "end" and end.params.get("error"):
        return f"the probe run broke off: {end.params['error']}", (end,)
    if ended := probe_run.exits():
        return f"the integration's process had ended (exit code {ended[0].code})", (ended[0],)
    armed = next((entry for entry in probe_run.of(FaultSet) if entry.event == "armed"), None)
    unsold = [checkout for checkout in probe_run.checkouts() if not checkout.payment]
    if unsold and (armed is None or unsold[0].n < armed.n):
        return _unsold(probe_run.world, unsold[0])
    if armed is not None and not any(call.fault == armed.name for call in probe_run.calls()):
        what = f"every {armed.operation} call" if armed.operation else "every call"
        met_instead = [call for call in probe_run.calls() if call.n > armed.n][:2]
        attempt = _unsold(probe_run.world, unsold[0])[1] if unsold else ()
        return f"{what} would have met the fault {armed.name}, and none was made", (armed, *met_instead, *attempt)
    if (stuck := probe_run.step(StepName.STUCK)) is not None:
        return stuck.text, (stuck,)
    return _unsold(probe_run.world, unsold[0]) if unsold else None


def _last_sale(world: RecordedWorld, before: Entry) -> tuple[Entry, ...]:
    """The last attempt to buy before an entry: its checkout and the page that the customer ended on."""
    tried = [checkout for checkout in world.of(Checkout) if checkout.n < before.n]
    return _unsold(world, tried[-1])[1] if tried else ()


def _unsold(world: RecordedWorld, checkout: Checkout) -> tuple[str, tuple[Entry, ...]]:
    page = next((page for page in world.of(Page) if page.n == checkout.page), None)
    shown = f"HTTP {page.response.status}" if page and page.response else page.problem if page else ""
    how = checkout.outcome.replace("_", " ")
    why = f"order {checkout.order} could not be checked out: {how}{f' ({shown})' if shown else ''}"
    return why, tuple(entry for entry in (checkout, page) if entry is not None)
