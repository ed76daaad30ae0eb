"""The notices that a gateway sends to an integration: each attempt is signed afresh, at real time, and repeated by the gateway's
own clock until it is answered 2xx. Nothing here is on the way of a call: whoever changes the books waits for nobody."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Literal, Protocol, TypeAlias

from payproof.contracts.entries import BODY_LIMIT, Delivery, Forgery, LedgerEvent, Request
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Notices, Profile
from payproof.simulator.books.records import MerchantRow, Payment
from payproof.simulator.books.store import Store
from payproof.simulator.clock import Clock
from payproof.simulator.notices.forging import signed
from payproof.simulator.notices.notice_client import Endpoint, NoticeClient, addressed

KEPT = 1_000
"""Notices that are remembered; the oldest go first."""
Mode: TypeAlias = Literal["send", "hold", "lose"]
"""What becomes of a notice when its time has come: it is sent, kept back, or never seen again."""
State: TypeAlias = Literal["held", "lost", "under way", "waiting", "taken", "given up"]


@dataclass(slots=True, eq=False, kw_only=True)
class Notice:
    """One thing that happened, as the merchant is told of it. ``due``: when it is sent next, by the gateway's clock."""

    id: str
    payment: str
    merchant: MerchantRow
    body: bytes
    shape: str = ""
    beside: Literal["", "newer", "older"] = ""
    """While the merchant's secret is rolled: signed with another one, too, that is newer or older."""
    state: State = "under way"
    attempts: int = 0
    tries: int = 0
    """Attempts that the schedule counts."""
    due: float | None = None


class NoticeWriter(Protocol):
    """What a dialect knows of notices."""

    @property
    def paid_status(self) -> str: ...
    def payment_id(self) -> str: ...
    def transaction_id(self) -> str: ...
    def notices(self, payment: Payment, event: str) -> tuple[tuple[str, bytes], ...]: ...


class Outbox:
    """Listens to the books. Without an ``endpoint`` the gateway tells nobody anything. ``real_time``: seconds since the epoch.

    Its coroutines must run in the event loop that the gateway runs in.
    """

    def __init__(
        self, profile: Profile, store: Store, clock: Clock, journal: Journal, real_time: Callable[[], float] = time.time
    ) -> None:
        self.profile, self.store, self.clock, self.journal = profile, store, clock, journal
        self.endpoint: Endpoint | None = None
        self.site = ""
        """Scheme and host by which the integration reaches the API."""
        self.mode: Mode = "send"
        self._real_time = real_time
        self._notices: deque[Notice] = deque(maxlen=KEPT)
        self._under_way: dict[asyncio.Task[Any], str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._http = NoticeClient(profile.limits.notice)
        self._writer: NoticeWriter | None = None

    def begin(self, writer: NoticeWriter) -> None:
        """Listen, where this gateway sends notices at all."""
        self._writer = writer
        if self.profile.notices is not None:
            self.store.listeners.append(self._happened)
            self.clock.listeners.append(self._tick)

    # -- what a test does ----------------------------------------------------------------------------------------------

    def notices(self, payment: str = "") -> tuple[Notice, ...]:
        """Those that are remembered, in their order: all of them, or a payment's."""
        return tuple(notice for notice in self._notices if payment in ("", notice.payment))

    def hold(self) -> None:
        """From now on keep every notice back, repetitions too."""
        self.mode = "hold"

    def lose(self) -> None:
        """From now on notices never arrive, and are not repeated."""
        self.mode = "lose"

    def resume(self) -> None:
        """From now on send everything; what is still kept back is lost."""
        self.mode = "send"
        for notice in self._notices:
            notice.state = "lost" if notice.state == "held" else notice.state

    async def release(self, order: Sequence[str] = ()) -> list[Delivery]:
        """From now on send everything; first what was kept back, one after the other: by these ids in their order, then the
        rest. Returns when all of it was answered."""
        self.mode = "send"
        held = [notice for notice in self._notices if notice.state == "held"]
        held.sort(key=lambda notice: order.index(notice.id) if notice.id in order else len(order))
        for notice in held:
            notice.state = "under way"
        return [await self._attempt(notice) for notice in held]

    async def repeat(self, id: str, times: int = 1, *, at_once: bool = False) -> list[Delivery]:
        """Send the same body again, so many times: freshly signed, whatever became of it before."""
        notice = next((notice for notice in self._notices if notice.id == id), None)
        if notice is None:
            raise PayproofError(
                "there is no notice with this id", place=id[:40], remedy="see the notices that were written"
            )
        if at_once:
            return list(await asyncio.gather(*(self.deliver(notice) for _ in range(times))))
        return [await self.deliver(notice) for _ in range(times)]

    async def hasten(self) -> None:
        """Send what waits for its next time as if that had come, whatever the gateway's clock says. Returns when all of it was answered."""
        self._send_due(inf)
        await self.idle()

    async def forge(self, payment: str, how: Forgery) -> Delivery:
        """Tell that this payment was paid, in every notice that would, with a signature that is not good. Returns the first delivery."""
        first, *rest = self.claims(payment)
        sent = await self.deliver(first, how)
        for notice in rest:
            await self.deliver(notice, how)
        return sent

    def claims(self, payment: str, *, foreign: str = "") -> list[Notice]:
        """The notices of success that the gateway would write if this payment had been paid: nobody knows which of them an
        integration listens to. ``foreign``: of another payment that nobody opened, for the order of this reference."""
        writer, row = self._known(), self.store.payment(payment)
        paid = replace(row, status=writer.paid_status, charged=1, transaction=writer.transaction_id())
        if foreign:
            # Whatever else the dialect keeps is of the payment that was opened.
            paid = replace(paid, payment=writer.payment_id(), reference=foreign, extra={})
        written, read = self._written(paid, "charged"), self._scheme().read
        assert written, "a gateway with notices tells of money that it took"
        return [notice for notice in written if read((), notice.body).paid] or written[:1]

    def compose(self, payment: str, *events: LedgerEvent) -> list[Notice]:
        """Notices of the payment as it stands now: of those of these events that the gateway tells of."""
        row = self.store.payment(payment)
        return [notice for event in events for notice in self._written(row, event)]

    async def deliver(self, notice: Notice, how: Forgery | Literal[""] = "") -> Delivery:
        """Send a notice once, now, in whatever mode; the schedule does not count it."""
        return await self._follow(self._post(notice, how), notice.payment)

    async def idle(self, payment: str = "", *, within: float | None = None) -> bool:
        """Wait until nothing (of this payment) is under way; whether that came true in so many seconds."""
        while tasks := [task for task, about in self._under_way.items() if payment in ("", about)]:
            _, waiting = await asyncio.wait(tasks, timeout=within)
            if waiting:
                return False
        return True

    def next_due(self, payment: str = "") -> float | None:
        """Seconds of the gateway's clock until the next repetition (of this payment's notices); None when none is to come."""
        due = [notice.due for notice in self.notices(payment) if notice.due is not None]
        return max(min(due) - self.clock.now(), 0.0) if due else None

    def clear(self) -> None:
        """Forget every notice; the endpoint stays."""
        for task in self._under_way:
            task.cancel()
        self._notices.clear()
        self._wait()

    async def aclose(self) -> None:
        """Send nothing any more."""
        self.endpoint = None
        tasks = list(self._under_way)
        self.clear()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()

    # -- what the gateway does -----------------------------------------------------------------------------------------

    def _happened(self, event: LedgerEvent, payment: Payment) -> None:
        if self.endpoint is None:
            return
        for notice in self._written(payment, event):
            self._notices.append(notice)
            self._go(notice)

    def _go(self, notice: Notice) -> None:
        notice.due = None
        if self.mode == "send":
            notice.state = "under way"
            task = asyncio.get_running_loop().create_task(self._attempt(notice))
            self._under_way[task] = notice.payment
            task.add_done_callback(self._over)
        else:
            notice.state = "held" if self.mode == "hold" else "lost"

    def _over(self, task: asyncio.Task[Any]) -> None:
        del self._under_way[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            task.get_loop().call_exception_handler({"message": "a notice could not be sent", "exception": error})

    async def _follow(self, sending: Awaitable[Delivery], payment: str) -> Delivery:
        task = asyncio.ensure_future(sending)
        self._under_way[task] = payment
        task.add_done_callback(lambda over: self._under_way.pop(over, None))
        return await task

    async def _attempt(self, notice: Notice) -> Delivery:
        """By the schedule: what is not answered 2xx is sent again later."""
        found = await self._post(notice)
        retries = self._scheme().retries
        notice.tries += 1
        if found.accepted:
            notice.state = "taken"
        elif notice.tries <= len(retries):
            notice.state, notice.due = "waiting", self.clock.now() + retries[notice.tries - 1]
            self._wait()
        else:
            notice.state = "given up"
        return found

    def _tick(self) -> None:
        """Time has passed."""
        self._send_due(self.clock.now())

    def _send_due(self, until: float) -> None:
        for notice in self.notices():
            if notice.due is not None and notice.due <= until:
                self._go(notice)
        self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        seconds = self.next_due()
        # The clock is read again when the timer fires: the loop's own clock may be a little ahead of it.
        self._timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds + 0.001, self._tick)

    def _written(self, payment: Payment, event: str) -> list[Notice]:
        return [
            Notice(id=id, payment=payment.payment, merchant=payment.merchant, body=body)
            for id, body in self._known().notices(payment, event)
        ]

    def _known(self) -> NoticeWriter:
        assert self._writer is not None, "begin() comes first"
        return self._writer

    def _scheme(self) -> Notices:
        if self.profile.notices is None:
            raise PayproofError(f"{self.profile.title} sends no notices", place='key "gateway"')
        return self.profile.notices

    def _secrets(self, notice: Notice) -> tuple[str, ...]:
        """Those that are good now, the newest first: while one is rolled, the old one is, too."""
        for credential in self.profile.credentials:
            if credential.signs:
                good = notice.merchant.good(credential.name, credential.grace, self.clock)
                other = (secrets.token_hex(20),) if notice.beside else ()
                return (*other, *good) if notice.beside == "newer" else (*good, *other)
        return ("",)

    async def _post(self, notice: Notice, how: Forgery | Literal[""] = "") -> Delivery:
        endpoint, scheme = self.endpoint, self._scheme()
        if endpoint is None:
            raise PayproofError("the gateway was not told where to send notices", remedy="give it an endpoint")
        notice.attempts += 1
        attempt, began = notice.attempts, self.journal.now()
        own = signed(scheme, self._secrets(notice), notice.body, int(self._real_time()), how)
        headers = (*addressed(own, self.site), *endpoint.headers)
        response, problem = await self._http.post(endpoint, headers, notice.body)
        notified = scheme.read(headers, notice.body)
        text = notice.body[:BODY_LIMIT].decode("utf-8", "replace")
        return self.journal.add(
            Delivery(
                began=round(began, 4), event=notified.event, id=notified.id or notice.id, payment=notified.payment or notice.payment,
                paid=notified.paid, amount=notified.amount, currency=notified.currency, attempt=attempt, forged=how, shape=notice.shape,
                request=Request(method="POST", url=endpoint.url, headers=headers, body=text),
                response=response, seconds=round(self.journal.now() - began, 4), problem=problem,
            )
        )  # fmt: skip
