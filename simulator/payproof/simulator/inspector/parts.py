"""The parts of the inspector's page, each as HTML made of what the simulator knows now."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from payproof.contracts.entries import Call, Entry
from payproof.contracts.run import Settings
from payproof.simulator.inspector.judging import Judged, LiveJudge
from payproof.simulator.inspector.view import handle_of, lines, paying
from payproof.simulator.simulator import Simulator

if TYPE_CHECKING:
    from jinja2 import Environment

PAYMENTS = 8
"""Payments that a page shows: those that were opened last."""
_ADDRESSES = 1_000
"""Addresses to pay at that are remembered."""


class Parts:
    """``known``: what checks may know. ``closed``: the simulator ends, and every stream with it."""

    def __init__(self, sim: Simulator, known: Settings) -> None:
        self.sim, self.closed = sim, False
        self._judge = LiveJudge(sim.profile, known)
        self._addresses: dict[str, str] = {}

    @cached_property
    def _templates(self) -> Environment:
        from jinja2 import Environment, PackageLoader, StrictUndefined  # here, because most simulators have no visitor

        return Environment(
            loader=PackageLoader("payproof.simulator.inspector"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip

    def render(self, template: str, **values: object) -> str:
        return self._templates.get_template(template).render(**values)

    def rows(self, entries: Iterable[Entry]) -> tuple[str, str]:
        """(HTML of these lines, the newest first; the newest in words)."""
        entries = list(entries)
        self.remember(entries)
        found = lines(entries, self.sim.journal, self.sim.profile)
        newest = next((line for line in found if line.detail), None)
        spoken = f"{newest.what}: {newest.summary}, {newest.answer}" if newest else ""
        return self.render("rows.html.j2", lines=found) if found else "", spoken

    def payments(self) -> dict[str, str]:
        """Handle -> HTML, the newest first."""
        found = [
            paying(view, self.sim.journal, self._addresses.get(view.payment, ""))
            for view in self.sim.store.latest(PAYMENTS)
        ]
        return {each.handle: self.render("payment.html.j2", it=each, payers=self.sim.profile.payers) for each in found}

    def armed_mark(self) -> object:
        """Changes when ``armed`` does."""
        return tuple((each.id, each.fired) for each in self.sim.faults.armed())

    def armed(self) -> str:
        return self.render("armed.html.j2", armed=self.sim.faults.armed())

    def state_mark(self) -> tuple[int, bool]:
        """Seconds that the clock is ahead; whether a secret key is revoked. Changes when ``state`` does."""
        return round(self.sim.clock.ahead), any(row.revoked for row in self.sim.store.merchants())

    def state(self) -> str:
        ahead, revoked = self.state_mark()
        return self.render("state.html.j2", ahead=ahead, revoked=revoked)

    def verdicts(self, judged: Judged) -> str:
        return self.render("verdicts.html.j2", judged=judged)

    async def judged(self) -> Judged:
        journal = self.sim.journal
        return await self._judge.at(journal.next - 1, await journal.read())

    def remember(self, entries: Iterable[Entry]) -> None:
        """Where each payment is paid: only the answer that opened it says so."""
        for entry in entries:
            if isinstance(entry, Call) and entry.event.payment and entry.opened.payment_url:
                self._addresses[entry.event.payment] = entry.opened.payment_url
        while len(self._addresses) > _ADDRESSES:
            del self._addresses[next(iter(self._addresses))]

    def address_of(self, handle: str) -> str | None:
        """Where one of the payments on the page is paid; None where nobody knows."""
        known = (each.payment for each in self.sim.store.latest(PAYMENTS) if handle_of(each.payment) == handle)
        return self._addresses.get(next(known, ""))
