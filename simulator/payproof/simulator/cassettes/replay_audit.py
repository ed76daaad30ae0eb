"""Says in the journal where a replay and its recording do not agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

from payproof.contracts.entries import ProbeMark, ReplayDifference, Request
from payproof.contracts.events import AnyEvent
from payproof.contracts.journal import Journal
from payproof.contracts.reading.pages import is_html
from payproof.simulator.cassettes.comparing import changes
from payproof.simulator.cassettes.matching import CassetteIndex, CassetteMatch
from payproof.simulator.cassettes.reading import RecordedExchange
from payproof.simulator.cassettes.values import Values


class ReplayAudit:
    def __init__(self, journal: Journal, values: Values) -> None:
        self._journal, self._values = journal, values

    @property
    def probe(self) -> str:
        """The probe that is being performed."""
        last = next((each for each in reversed(self._journal.entries) if isinstance(each, ProbeMark)), None)
        return last.probe if last is not None else ""

    def compare(self, match: CassetteMatch, actual: Request, event: AnyEvent) -> None:
        """Everything in which a call differs from the exchange that answers it. ``actual``: in the recording's own words."""
        exchange = match.exchange
        if match.repeated:
            self._add(exchange, "repeated", recorded=f"exchange {exchange.n}")
        if match.late:
            self._add(exchange, "order", recorded=f"exchange {exchange.n}, before what was asked already")
        if exchange.probe != self.probe and exchange.probe and not match.repeated:
            self._add(exchange, "order", name="story", recorded=exchange.probe, actual=self.probe)
        for change in changes(exchange, actual, event):
            self._add(exchange, "changed", name=change.name, recorded=change.recorded, actual=change.actual)

    def unexpected(self, operation: str, asked: Request) -> None:
        """A call that nothing recorded is like."""
        line = f"{asked.method} {self._values.to_recorded(_path(asked))}"
        self._journal.add(
            ReplayDifference(what="unexpected", story=self.probe, operation=operation or "unknown", actual=line)
        )

    def missing(self, reel: CassetteIndex) -> None:
        """What was recorded and never asked, of the probes that were performed here."""
        performed = {each.probe for each in self._journal.entries if isinstance(each, ProbeMark)} | {""}
        for each in tuple(_missing(reel, performed)):
            self._journal.add(each)

    def _add(
        self,
        exchange: RecordedExchange,
        what: Literal["repeated", "order", "changed"],
        *,
        name: str = "",
        recorded: str = "",
        actual: str = "",
    ) -> None:
        self._journal.add(
            ReplayDifference(
                what=what, story=self.probe, operation=exchange.named, name=name, recorded=recorded, actual=actual
            )
        )


def _missing(reel: CassetteIndex, performed: set[str]) -> Iterator[ReplayDifference]:
    left = tuple(reel.left(performed.__contains__))
    if not reel.started:
        if left:
            yield ReplayDifference(
                what="missing", recorded=f"all {len(left)} exchanges: the recording was not asked once"
            )
        return
    pages: dict[str, int] = {}
    for each in left:
        if each.kind == "page":
            # Styles, scripts and pictures are a browser's business: not every customer loads them.
            if is_html(each.response) or each.response.status in range(300, 400):
                pages[each.probe] = pages.get(each.probe, 0) + 1
            continue
        line = f"exchange {each.n}: {each.request.method} {_path(each.request)}"
        yield ReplayDifference(what="missing", story=each.probe, operation=each.named, recorded=line)
    for probe, number in pages.items():
        yield ReplayDifference(
            what="missing", story=probe, operation="page", recorded=f"{number} requests of the customer"
        )


def _path(request: Request) -> str:
    path = urlsplit(request.url).path
    return path if len(path) <= 100 else f"{path[:60]}…{path[-20:]}"
