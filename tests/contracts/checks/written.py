"""Journals written by hand: a few lines say what happened in a world, and one requirement is judged on it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal

from an_event import an_event

from payproof.contracts import entries as e
from payproof.contracts.journal import Journal
from payproof.contracts.judging.judge import judge
from payproof.contracts.judging.requirements import Case, requirements
from payproof.contracts.model import Finding, Json, Judgement, Verdict
from payproof.contracts.profile import load
from payproof.contracts.run import RecordedWorld, Run, Settings

Ending = Literal["answered", "hung_up", "cut", "held"]


class Written:
    """One run, written entry by entry. Time passes by a tenth of a second with each entry, or as ``passes`` says.

    ``settings`` are fields of ``Settings``. Every method returns the entry as it stands in the journal.
    """

    def __init__(self, gateway: str = "quatapay", **settings: Any) -> None:
        self.profile = load(gateway)
        self.settings = Settings(**settings)
        self.now = 0.0
        self._journals = {"main": Journal(clock=lambda: self.now)}
        self._world = "main"
        self.run_fields: dict[str, Any] = {}
        self._given_up: set[str] = set()

    # -- where and when ------------------------------------------------------------------------------------------------

    def world(self, name: str) -> None:
        """What follows happens in this world."""
        self._journals.setdefault(name, Journal(clock=lambda: self.now))
        self._world = name

    def give_up(self) -> None:
        """This world was given up: what happened in it is kept, and not judged."""
        self._given_up.add(self._world)

    def passes(self, seconds: float) -> None:
        self.now += seconds

    def add(self, entry: e.E) -> e.E:
        self.now = round(self.now + 0.1, 4)
        return self._journals[self._world].add(entry)

    @contextmanager
    def probe(self, name: str, **params: Json) -> Generator[None]:
        """A performance of a probe."""
        self.add(e.ProbeMark(event="begin", probe=name, params=params))
        yield
        self.add(e.ProbeMark(event="end", probe=name))

    def step(self, name: str, text: str = "", **facts: Json) -> e.Step:
        return self.add(e.Step(text=text or name, name=name, facts=facts))

    def order(self, id: str = "1001", role: str = "main") -> str:
        """An order gets a role in this probe run."""
        self.step(f"order:{role}", order=id)
        return id

    # -- calls to the gateway ------------------------------------------------------------------------------------------

    def call(
        self,
        operation: str,
        *,
        seconds: float = 0.05,
        status: int | None = 200,
        ending: Ending = "answered",
        method: str = "POST",
        url: str = "",
        asked: str = "",
        headers: e.Headers = (),
        body: str = "",
        answer_headers: e.Headers = (),
        fault: str = "",
        secure: bool = True,
        nth: int = 1,
        **meaning: Any,
    ) -> e.Call:
        """Any call. ``asked`` and ``body``: the request's body and the answer's; ``status`` None: no answer."""
        began = self.now
        self.passes(seconds)
        answered = (
            None if status is None else e.Response(status=status, headers=answer_headers, body=body, size=len(body))
        )
        meaning.setdefault("ok", status is not None and status < 300 and not fault)
        return self.add(
            e.Call(
                began=began,
                ended=self.now,
                ending=ending,
                secure=secure,
                request=e.Request(
                    method=method, url=url or f"https://localhost/{operation}", headers=headers, body=asked
                ),
                response=answered,
                event=an_event(operation=operation, **meaning),
                fault=fault,
                nth=nth,
            )
        )

    def token(self, issued: str | None = "<access-token-1>", **more: Any) -> e.Call:
        return self.call("token", issued=issued, **more)

    def create(self, payment: str | None = "p1", order: str = "1001", **more: Any) -> e.Call:
        more = {
            "amount": "5000.00",
            "currency": "XAF",
            "reference": order,
            "return_url": f"https://shop.test/return/{order}",
            "cancel_url": f"https://shop.test/cancel/{order}",
            "bearer": "<access-token-1>",
        } | more
        return self.call("create", payment=payment, **more)

    def status(self, payment: str | None = "p1", paid: bool | None = True, **more: Any) -> e.Call:
        """A status check; the answer speaks of the payment that was asked for, unless ``answered`` says otherwise."""
        more = {"amount": "5000.00", "currency": "XAF", "answered": payment, "method": "GET"} | more
        return self.call("status", payment=payment, paid=paid, **more)

    # -- the customer --------------------------------------------------------------------------------------------------

    def page(
        self,
        purpose: str = "return",
        order: str = "1001",
        *,
        status: int | None = 200,
        body: str = "<p>Thank you, your order is on its way.</p>",
        kind: str = "text/html",
        headers: e.Headers = (),
        seconds: float = 0.05,
        began: float | None = None,
        where: Literal["integration", "checkout", "elsewhere"] = "integration",
        url: str = "https://shop.test/",
        problem: str = "",
    ) -> e.Page:
        """What the customer was shown; ``status`` None: no answer. ``began`` earlier than now: calls lie within it."""
        start = self.now if began is None else began
        self.passes(seconds)
        answered = (
            None
            if status is None
            else e.Response(status=status, headers=(("content-type", kind), *headers), body=body, size=len(body))
        )
        return self.add(
            e.Page(
                began=start,
                ended=self.now,
                where=where,
                purpose=purpose,
                order=order,
                request=e.Request(method="GET", url=url),
                response=answered,
                problem=problem,
            )
        )

    def checkout(self, order: str = "1001", payment: str = "p1", **more: Any) -> e.Checkout:
        more = {
            "amount": "5000.00",
            "currency": "XAF",
            "outcome": "redirected" if payment else "refused",
            "payment_url": f"https://gateway.test/pay/{payment}" if payment else "",
            "purpose": "checkout",
        } | more
        return self.add(e.Checkout(order=order, payment=payment, **more))

    def seen(self, order: str = "1001", paid: bool | None = True, **more: Any) -> e.OrderSeen:
        """What the merchant believes of the order."""
        more = {"state": "" if paid is None else "paid" if paid else "pending", "status": 200} | more
        return self.add(e.OrderSeen(order=order, paid=paid, **more))

    # -- the gateway's notices -----------------------------------------------------------------------------------------

    def delivery(
        self,
        payment: str = "p1",
        status: int | None = 200,
        *,
        event: str = "order.taken",
        seconds: float = 0.05,
        paid: bool | None = True,
        body: str = "",
        **more: Any,
    ) -> e.Delivery:
        """A notice of a payment, genuine unless ``forged`` says otherwise; ``status`` None: no answer."""
        began = self.now
        self.passes(seconds)
        fields: dict[str, Any] = {
            "id": f"notice-of-{payment}",
            "attempt": 1,
            "problem": "" if status else "the connection was refused",
        } | more
        answered = None if status is None else e.Response(status=status, body=body, size=len(body))
        asked = e.Request(
            method="POST", url="https://shop.test/notices", headers=(("Harbor-Sign", "t=1;h=0"),), body="{}"
        )
        return self.add(
            e.Delivery(
                began=began, event=event, payment=payment, paid=paid, seconds=seconds, request=asked, response=answered, **fields
            )
        )  # fmt: skip

    # -- the rest ------------------------------------------------------------------------------------------------------

    def ledger(self, event: str, payment: str = "p1", **more: Any) -> e.Ledger:
        more = {"reference": "1001", "amount": "5000.00", "currency": "XAF"} | more
        return self.add(e.Ledger(event=event, payment=payment, **more))  # type: ignore[arg-type]

    def bought(self, order: str = "1001", payment: str = "p1", *, verified: bool = True, paid: bool = True) -> None:
        """A whole clean purchase."""
        self.create(payment, order)
        self.ledger("opened", payment, reference=order)
        self.checkout(order, payment)
        self.ledger("charged", payment, reference=order)
        if verified:
            self.status(payment)
        self.page("return", order)
        self.seen(order, paid)

    def log(self, text: str, stream: str = "stdout") -> e.Log:
        return self.add(e.Log(stream=stream, text=text))

    def alert(self, text: str, channel: str = "webhook") -> e.Alert:
        return self.add(e.Alert(channel=channel, text=text))

    def ready(self, processes: int = 1) -> e.Process:
        return self.add(e.Process(event="ready", detail=f"processes={processes}"))

    def exited(self, code: int = 1) -> e.Process:
        return self.add(e.Process(event="exited", code=code))

    def armed(self, name: str, operation: str = "", **detail: Json) -> e.FaultSet:
        return self.add(e.FaultSet(event="armed", name=name, operation=operation, detail=detail))

    def cleared(self, name: str, operation: str = "", fired: int = 0) -> e.FaultSet:
        return self.add(e.FaultSet(event="cleared", name=name, operation=operation, detail={"fired": fired}))

    def connection(self, event: e.ConnectionEvent, *, seconds: float = 0.05, **more: Any) -> e.Connection:
        """A connection to the gateway, from now on; ended by the client unless told otherwise."""
        began = self.now
        self.passes(seconds)
        fields: dict[str, Any] = {"ended_by": "client"} | more
        return self.add(e.Connection(event=event, began=began, seconds=seconds, **fields))

    def refused_connection(self) -> e.Connection:
        return self.add(e.Connection(event="refused"))

    # -- the verdict ---------------------------------------------------------------------------------------------------

    def run(self) -> Run:
        worlds = {name: RecordedWorld(name=name, entries=tuple(kept.entries)) for name, kept in self._journals.items()}
        return Run(
            gateway=self.profile.name,
            settings=self.settings,
            worlds=tuple(world for name, world in worlds.items() if name not in self._given_up),
            given_up=tuple(world for name, world in worlds.items() if name in self._given_up),
            **self.run_fields,
        )

    def judged(self, requirement: str) -> Judgement:
        """The requirement's verdict and findings on what was written."""
        result = judge(self.run(), self.profile)
        return next(judgement for judgement in result.judgements if judgement.requirement == requirement)

    def causes(self, requirement: str) -> set[str]:
        """The requirements that the check itself names as likely causes; the judge keeps one when it failed."""
        found = requirements()[requirement]
        case = Case(run=self.run(), profile=self.profile, requirement=found)
        return {cause for finding in found.check(case) for cause in finding.causes}

    def finding(self, requirement: str, verdict: Verdict) -> Finding:
        """The one finding that decides; asserts that the requirement's verdict is the one given."""
        judgement = self.judged(requirement)
        assert judgement.verdict is verdict, [(f.verdict, f.title) for f in judgement.findings]
        return next(finding for finding in judgement.findings if finding.verdict is verdict)
