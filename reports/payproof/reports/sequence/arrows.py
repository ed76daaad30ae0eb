"""Journal entries as the lines of a sequence diagram: who says what to whom, notes, and the story's own sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from urllib.parse import urlsplit

from payproof.contracts import money
from payproof.contracts.entries import Alert, Call, Delivery, Entry, Ledger, OrderSeen, Page, Process, Step
from payproof.reports.facts import line

INTEGRATION, GATEWAY = "integration", "gateway"
LONGEST = 64
"""Characters of a label."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """A message. ``tone``: ``plain``, ``answer`` or ``bad``. ``n``: the entry's number; 0: of none."""

    source: str
    target: str
    text: str
    tone: str = "plain"
    n: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is so at one participant. ``tone``: ``plain``, ``money``, ``good`` or ``bad``."""

    over: str
    text: str
    tone: str = "plain"
    n: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class SequencePart:
    """A sentence of the story; what follows is what it led to. ``number`` 0: the story is at rest; None: it has no numbers."""

    number: int | None
    text: str
    n: int = field(default=0, compare=False)


Line: TypeAlias = Arrow | Note | SequencePart

_WAYS = {
    "checkout": "starts to pay",
    "again": "starts to pay again",
    "return": "comes back",
    "cancel": "comes back after cancelling",
    "reload": "reloads",
}


def shortened(text: str) -> str:
    """``text`` on one line of a diagram."""
    whole = line(text)
    return whole if len(whole) <= LONGEST else f"{whole[: LONGEST - 1]}…"


def lines(entries: Sequence[Entry], *, every_step: bool = False) -> tuple[Line, ...]:
    """The diagram's lines in the order in which they happened. ``every_step``: of a probe, whose steps have no numbers."""
    return tuple(_without_repeats(tuple(_thinned(_Reader(entries, every_step=every_step).lines()))))


def lanes(found: Iterable[Line]) -> tuple[str, ...]:
    """The participants: customers, then integration and gateway."""
    customers = {
        name
        for each in found
        if isinstance(each, Arrow)
        for name in (each.source, each.target)
        if name not in (INTEGRATION, GATEWAY)
    }
    return (*sorted(customers), INTEGRATION, GATEWAY)


class _Reader:
    def __init__(self, entries: Sequence[Entry], *, every_step: bool) -> None:
        self._entries, self._every_step = entries, every_step
        self._numbers = {
            str(entry.facts["order"]): entry.name.removeprefix("order:")
            for entry in (() if every_step else entries)
            if isinstance(entry, Step) and entry.name.startswith("order:") and "order" in entry.facts
        }
        self._seen: dict[str, str] = {}

    def lines(self) -> Iterator[Line]:
        timed = [(at, replace(found, n=entry.n)) for entry in self._entries for at, found in self._lines_of(entry)]
        yield from (each for _, each in sorted(timed, key=lambda pair: pair[0]))

    def _lines_of(self, entry: Entry) -> Iterator[tuple[float, Line]]:
        match entry:
            case Step():
                number = _chapter(entry)
                if number is not None or self._every_step:
                    yield entry.at, SequencePart(number, line(entry.text))
            case Page():
                yield from self._page(entry)
            case Call():
                yield from _call(entry)
            case Delivery():
                yield from _delivery(entry)
            case Ledger() | Process() | Alert():
                yield from ((entry.at, note) for note in self._note(entry))
            case OrderSeen():
                yield from ((entry.at, note) for note in self._order(entry))
            case _:
                return

    def _page(self, page: Page) -> Iterator[tuple[float, Line]]:
        if page.purpose in ("order", "script") or page.where == "elsewhere":
            return
        if page.where == "checkout":
            yield page.began, Arrow(page.customer, GATEWAY, page.problem or "hosted checkout")
            return
        way = _WAYS.get(page.purpose, page.purpose)
        path = urlsplit(page.request.url).path
        yield page.began, Arrow(page.customer, INTEGRATION, self._plain(f"{way}: {page.request.method} {path}"))
        answer = f"HTTP {page.response.status}" if page.response else page.problem
        tone = "bad" if page.response is None or page.response.status >= 500 else "answer"
        yield page.ended, Arrow(INTEGRATION, page.customer, answer, tone)

    def _plain(self, text: str) -> str:
        """``text`` with the story's own numbers for the orders."""
        for order, number in self._numbers.items():
            text = text.replace(order, f"[order {number}]")
        return shortened(text)

    def _note(self, entry: Ledger | Process | Alert) -> Iterator[Note]:
        match entry:
            case Ledger(event="charged"):
                yield Note(GATEWAY, f"charged {money.show(entry.amount, entry.currency)}{self._whose(entry)}", "money")
            case Ledger(event="refused" | "cancelled" | "expired"):
                yield Note(GATEWAY, f"payment {entry.event}{self._whose(entry)}")
            case Process(event="stopped"):
                yield Note(INTEGRATION, "stopped")
            case Process(event="ready"):
                yield Note(INTEGRATION, "started")
            case Process(event="exited"):
                yield Note(INTEGRATION, f"ended by itself with exit code {entry.code}", "bad")
            case Alert():
                yield Note(INTEGRATION, self._plain(f"alert: {entry.text}"))
            case _:
                return

    def _whose(self, entry: Ledger) -> str:
        number = next((number for order, number in self._numbers.items() if order in entry.reference), "")
        return f" for order {number}" if number else ""

    def _order(self, seen: OrderSeen) -> Iterator[Note]:
        number = next((number for order, number in self._numbers.items() if order in seen.order), seen.order)
        effects = "" if seen.effects is None else f", fulfilled {seen.effects}×"
        flag = f", flagged “{seen.flagged}”" if seen.flagged else ""
        says = f"“{seen.state}”{effects}{flag}" if seen.paid is not None else f"unreadable ({seen.problem})"
        if self._seen.get(number) == says:
            return
        self._seen[number] = says
        yield Note(INTEGRATION, shortened(f"order {number}: {says}"), "good" if seen.paid else "plain")


def _chapter(step: Step) -> int | None:
    if step.name == "rest":
        return 0
    number = step.name.removeprefix("step:")
    return int(number) if step.name.startswith("step:") and number.isdigit() else None


def _call(call: Call) -> Iterator[tuple[float, Line]]:
    operation = call.event.operation or "an unknown path"
    yield call.began, Arrow(INTEGRATION, GATEWAY, f"{operation}?" if call.role == "confirm" else operation)
    parts = [f"HTTP {call.response.status}" if call.response else "no answer"]
    if call.payment_status.paid is not None:
        parts.append("paid" if call.payment_status.paid else call.payment_status.outcome or "not paid")
    if call.fault:
        parts.append(f"fault: {call.fault}")
    bad = call.fault or call.response is None or call.response.status >= 400
    yield call.ended, Arrow(GATEWAY, INTEGRATION, ", ".join(parts), "bad" if bad else "answer")


def _delivery(delivery: Delivery) -> Iterator[tuple[float, Line]]:
    what = f"{'forged ' if delivery.forged else ''}notice: {delivery.event or 'unreadable'}"
    yield delivery.began, Arrow(GATEWAY, INTEGRATION, shortened(what), "bad" if delivery.forged else "plain")
    answer = f"HTTP {delivery.response.status}" if delivery.response else shortened(delivery.problem or "no answer")
    yield (
        delivery.began + delivery.seconds,
        Arrow(INTEGRATION, GATEWAY, answer, "answer" if delivery.response else "bad"),
    )


def _thinned(found: Iterable[Line]) -> Iterator[Line]:
    """Consecutive pages of the hosted checkout become one arrow."""
    before: Line | None = None
    for each in found:
        same = isinstance(each, Arrow) and isinstance(before, Arrow) and each.target == GATEWAY == before.target
        if (
            same
            and isinstance(each, Arrow)
            and isinstance(before, Arrow)
            and each.source == before.source != INTEGRATION
        ):
            continue
        before = each
        yield each


def _without_repeats(found: Sequence[Line]) -> Iterator[Line]:
    """At rest a customer may reload many times: what repeats the exchange before it becomes one note."""
    blocks: list[list[Line]] = [[]]
    for each in found:
        if isinstance(each, SequencePart) or (isinstance(each, Arrow) and each.source not in (INTEGRATION, GATEWAY)):
            blocks.append([])
        blocks[-1].append(each)
    times = 0
    before: list[Line] = []
    for block in (*blocks, []):
        if block and block == before:
            times += 1
            continue
        if times:
            yield Note(INTEGRATION, f"{times} more time{'' if times == 1 else 's'}, the same")
        times, before = 0, block
        yield from block
