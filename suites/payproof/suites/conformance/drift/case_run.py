"""Tells one case to one side, and looks at every answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx

from payproof.contracts.comparing import fields
from payproof.contracts.comparing.catalogue import (
    Back,
    Cancel,
    CaseRequest,
    Catalogue,
    DriftCase,
    Open,
    Step,
    Submit,
    Wait,
)
from payproof.contracts.entries import Response
from payproof.contracts.model import Json
from payproof.contracts.profile import Payer, Profile
from payproof.contracts.redaction import secret_fields
from payproof.simulator.relay.sandbox_exchange import request_of, response_of
from payproof.suites.conformance.client import Elsewhere
from payproof.suites.conformance.drift import observe as looking
from payproof.suites.conformance.drift.browsing import DriftCustomer
from payproof.suites.conformance.drift.endpoints import PATIENCE, Side, Unanswered
from payproof.suites.conformance.drift.observe import KnownValues, Observation
from payproof.suites.conformance.template import MissingValue, filled, placed, written


class CaseRun:
    """One case at one side. ``looks``: what was seen so far; ``stopped``: why it did not come to its end; ``ended``: there
    is nothing more to ask; ``unanswered``: because the side did not answer at all."""

    def __init__(
        self, case: DriftCase, side: Side, profile: Profile, catalogue: Catalogue, letters: dict[str, list[str]]
    ) -> None:
        self.case, self.side, self.profile = case, side, profile
        self.looks: list[Observation] = []
        self.stopped = ""
        self.ended = self.unanswered = False
        logins = tuple(payer.login for payer in side.payers.values())
        site, checkout = side.values["site"], side.values["checkout"]
        self._known = KnownValues(
            catalogue, site, side.redactor, letters, logins=logins, checkout="" if checkout == site else checkout
        )
        self._values = dict(side.values)
        self._left = list(case.steps)
        self._browser: DriftCustomer | None = None
        self._payer: Payer | None = None
        self._way: httpx.AsyncBaseTransport | None = None
        self._client: httpx.AsyncClient | None = None

    async def go(self) -> int:
        """Ask the case, up to its end (0), or up to a wait that takes real time (its seconds); then call it again.

        Raises:
            PayproofError: the side's budget is spent.
        """
        if self._client is None:
            self._way = await self.side.begin(self.case)
            self._values = {**self.side.values, "fresh": uuid4().hex}
            # The way is the side's own; a client that is closed would close it.
            self._client = httpx.AsyncClient(transport=self._way, timeout=PATIENCE, trust_env=False)
        while self._left and not self.stopped:
            step = self._left.pop(0)
            try:
                if isinstance(step, Wait):
                    if step.seconds and not await self.side.advance(step.seconds):
                        return step.seconds
                else:
                    await self._do(step)
            except MissingValue as missing:
                self.stopped = f"no {missing} to go on with: an earlier answer did not hold it"
            except Elsewhere as error:
                self.stopped = error.message
            except Unanswered as error:
                self.stopped, self.unanswered = error.message, True
        self.ended = True
        return 0

    async def _do(self, step: Step) -> None:
        if isinstance(step, CaseRequest):
            await self._ask(step)
        elif isinstance(step, Open):
            assert self._way
            self._browser = DriftCustomer(self.profile, self._known, self._way)
            await self._browser.open(placed(step.url, self._values))
            self._look_at_page(step.label)
        elif isinstance(step, Submit):
            await self._submit(step)
        elif isinstance(step, Cancel):
            assert self._browser
            if await self._browser.cancel():
                self._look_at_page(step.label)
            else:
                self._stop_at(step.label, "no way to cancel on the page")
        elif isinstance(step, Back):
            if self._browser and self._browser.left:
                way = looking.of_way_back(self.case.id, step.label, self._browser.left, self.profile, self._known)
                self.looks.append(way)
            else:
                self._stop_at(step.label, "the customer is not sent back")

    # API

    async def _ask(self, step: CaseRequest) -> None:
        assert self._client
        request = written(filled(step, self._values, own=self.profile.return_template), self.side.base_url)
        self._known.sent += _addresses(step.json or step.form)
        try:
            answer = await self._client.send(request)
        except httpx.HTTPError as error:
            raise Unanswered(f"no answer ({type(error).__name__})") from None
        seen, response = request_of(request), response_of(answer)
        self._save(step, response)
        event = self.profile.read(seen, response)
        secret_fields.learn(self.side.redactor, secret_fields.of_answer(response, event), event, numbered=False)
        self.looks.append(
            looking.of_api(self.case.id, step.label, step.operation, seen, response, self.profile, self._known)
        )

    def _save(self, step: CaseRequest, answer: Response) -> None:
        found = fields.of_body(answer.body, answer.headers) or {}
        for name, path in step.saves.items():
            value = found.get(path)
            if isinstance(value, str) and value:
                self._values[name] = value
                if self.profile.role_of(step.operation) == "authenticate":
                    self.side.redactor.add(f"{step.operation} {name}", value)

    # Pages

    async def _submit(self, step: Submit) -> None:
        assert self._browser
        if step.payer:
            self._payer = self.side.payers[step.payer]
        if self._payer is None:
            raise MissingValue("payer")
        page = self._browser.page
        if step.asked:
            body = page.response.body if page and page.response and not self._browser.left else ""
            if not looking.form_of(body, self.profile):
                self._note(step.label, "not asked", {"asked": False})
                return
        if not await self._browser.submit(self._payer, bare=step.bare, wrong=step.wrong):
            self._stop_at(step.label, "no form to fill in")
            return
        self._look_at_page(step.label, {"asked": True} if step.asked else {})

    def _look_at_page(self, label: str, more: Mapping[str, Json] | None = None) -> None:
        assert self._browser
        if self._browser.left:
            self._note(label, "leaves", {**(more or {}), "page": "sends the customer back to the shop"})
            return
        page = self._browser.page
        if page is None or page.response is None:
            raise Unanswered(f"no answer ({page.problem if page else 'no page'})")
        look = looking.of_page(self.case.id, label, page.response, self.profile, self._known)
        self._note(label, look.answer, {**look.facts, **(more or {})}, look.texts)

    def _note(self, label: str, answer: str, facts: Mapping[str, Json], texts: tuple[str, ...] = ()) -> None:
        self.looks.append(
            Observation(case=self.case.id, label=label, operation="checkout", answer=answer, facts=facts, texts=texts)
        )

    def _stop_at(self, label: str, why: str) -> None:
        self._note(label, why, {"page": why})
        self.stopped = why


def _addresses(value: Any) -> list[str]:
    """Those that stand in a body, at any depth."""
    texts = fields.flat(value).values()
    return [text for text in texts if isinstance(text, str) and text.startswith(("http://", "https://"))]
