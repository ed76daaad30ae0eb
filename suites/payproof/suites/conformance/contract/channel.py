"""The one way from the suite to the server: every request passes here, is counted, and is kept as it was sent."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NoReturn

import httpx
from anyio.from_thread import start_blocking_portal

from payproof.contracts.contract import Contract
from payproof.contracts.contract.examples import Example, good_example
from payproof.contracts.entries import Request, Response, header
from payproof.contracts.events import ACCESS_TOKEN, AnyEvent, issued_by
from payproof.contracts.model import PayproofError
from payproof.contracts.reading.retry_after import seconds_asked
from payproof.contracts.redaction import secret_fields
from payproof.contracts.redaction.secrets import Redactor
from payproof.simulator.relay.rate_budget import BudgetSpent, RateBudget
from payproof.simulator.relay.sandbox_exchange import response_of
from payproof.suites.conformance.client import Headers, SandboxClient
from payproof.suites.conformance.contract.where import Where
from payproof.suites.conformance.remedies import remedy_of
from payproof.suites.conformance.template import filled, written

PATIENCE = 60.0
"""Seconds that the server may take for one answer."""
SILENT = 599
"""Stands for "no answer at all" where a status has to be named."""
_LIMITED = 4
"""Refusals in a row for too many requests, after which nobody asks any more."""
TOKEN_AGE = 240.0
"""Seconds after which a new access token is asked for."""
_OURS = {"host", "content-length", "connection", "accept-encoding"}


class Spent(KeyboardInterrupt):
    """The part of the budget that is at hand is used up. Interrupts the generator that wants to send more."""


@dataclass(frozen=True, slots=True)
class ContractExchange:
    """One request and its answer. ``response`` is None when there was none; ``sent`` is false when HTTP has no way to write the
    request, so that nobody can be asked for an answer."""

    n: int
    request: Request
    response: Response | None
    event: AnyEvent
    """What the two say, by the gateway's profile."""
    raw: tuple[bytes, bytes]
    """The bodies as they travelled."""
    sent: bool = True


class Channel:
    """``contract``: the one that the server is held to. ``budget``: of requests. A generator is not asynchronous, so the client
    works in a thread of its own until ``close``."""

    def __init__(self, where: Where, budget: RateBudget, contract: Contract) -> None:
        self.where, self.budget, self.contract = where, budget, contract
        self.redactor = Redactor()
        others = where.other or ("", "")
        known = {"client-id": where.client_id, "secret-key": where.secret_key}
        known |= {"other-client-id": others[0], "other-secret-key": others[1]}
        for kind, value in known.items():
            if value:
                self.redactor.add(kind, value, numbered=False)
        self._answered = Redactor()
        self.exchanges: list[ContractExchange] = []
        self.statuses: dict[str, Counter[int]] = {operation.id: Counter() for operation in contract.operations}
        self.tokens: set[str] = set()
        self.down: PayproofError | None = None
        self._token: tuple[float, str] = (0.0, "")
        self._limit = budget.budget
        self._client = SandboxClient(where, budget, patience=PATIENCE)
        self._asking: Future[httpx.Response] = Future()
        self._closed = False
        self._running = ExitStack()
        self._portal = self._running.enter_context(start_blocking_portal())
        self._running.callback(self._portal.call, self._client.aclose)

    def close(self) -> None:
        """Also while a request waits for its answer, or for the rate: it is given up."""
        self._closed = True
        self._asking.cancel()
        self._running.close()

    def part(self, requests: int) -> None:
        """From now on so many more requests may be sent, and never more than the budget."""
        self._limit = min(self.budget.budget, self.budget.sent + max(0, requests))

    @property
    def left(self) -> int:
        """Requests of this part of the run."""
        return self._limit - self.budget.sent

    def send(self, method: str, target: str, headers: Headers = (), body: bytes = b"") -> ContractExchange:
        """``target``: path and query, percent-encoded.

        Raises:
            Spent: the budget does not allow it, or the server cannot be reached (``down`` says why).
        """
        if self.left <= 0:
            raise Spent
        kept = [(name, value.strip()) for name, value in headers if name.lower() not in _OURS]
        text = body.decode("utf-8", "replace")
        shown = Request(method=method, url=f"{self.where.origin}{target}", headers=tuple(kept), body=text)
        answer, sent = self._answer(method, target, kept, body)
        response = response_of(answer) if answer is not None else None
        content = answer.content if answer is not None else b""
        exchange = ContractExchange(
            len(self.exchanges), shown, response, self.where.profile.read(shown, response), (body, content), sent
        )
        self.exchanges.append(exchange)
        self._learn(exchange)
        return exchange

    def _answer(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[httpx.Response | None, bool]:
        """The answer, if there was one; and whether HTTP has a way to write the request."""
        url = httpx.URL(self.where.origin).copy_with(raw_path=target.encode("ascii", "replace"))
        try:
            self._asking = self._portal.start_task_soon(self._client.call, method, url, headers, body)
            if self._closed:  # by another thread, which may have seen the request before this one
                self._asking.cancel()
            answer = self._asking.result()
        except httpx.ConnectError as error:
            self._give_up(f"the server cannot be reached: {error}", "check base_url and ca")
        except httpx.LocalProtocolError:
            return None, False
        except (httpx.HTTPError, TimeoutError):
            return None, True
        except (BudgetSpent, CancelledError):
            raise Spent from None
        self._wait_where_asked(answer)
        return answer, True

    def _wait_where_asked(self, answer: httpx.Response) -> None:
        if answer.status_code == 429:
            asked = seconds_asked(answer.headers.items())
            self._client.hold(5.0 if asked is None else asked)
        if self._client.limited >= _LIMITED:
            self._give_up(
                f"the server answered 429 {_LIMITED} times in a row, each time after the pause that it had asked for",
                "wait, lower --rate, or ask who else uses this account",
            )

    def _give_up(self, why: str, remedy: str) -> NoReturn:
        self.down = PayproofError(why, place=self.where.base_url, remedy=remedy)
        raise Spent from None

    def _learn(self, exchange: ContractExchange) -> None:
        match = self.contract.match(exchange.request)
        if match.operation is not None:
            status = exchange.response.status if exchange.response else SILENT
            self.statuses[match.operation.id][status] += 1
        if exchange.response is not None:
            event = exchange.event
            if issued := issued_by(event):
                self.tokens.add(issued)
                self.redactor.add(ACCESS_TOKEN, issued)
            secret_fields.learn(self._answered, secret_fields.of_answer(exchange.response, event), event)

    def cover(self, text: str) -> str:
        """A text for people, without any secret that was sent or received."""
        return self._answered.redact(self.redactor.redact(text))

    def send_example(
        self, example: Example, *, token: str = "", merchant: tuple[str, str] | None = None
    ) -> ContractExchange:
        """Send an example, with an access token where the operation knows one; ``token``: another one than our own. ``merchant``:
        whose credentials, where they travel in a header."""
        if example.operation.node.get("security") == [] or self.where.issues(example.operation.word):
            authorization = self.where.basic(example.operation.word, merchant)
        else:
            authorization = f"Bearer {token or self.token()}"
        keys = {"client_id": self.where.client_id, "secret_key": self.where.secret_key}
        asked = filled(example.request, keys, own=self.where.profile.return_template)
        request = written(asked, self.where.base_url)
        headers = [*request.headers.multi_items(), *([("Authorization", authorization)] if authorization else [])]
        return self.send(request.method, request.url.raw_path.decode("ascii"), headers, request.content)

    def token(self) -> str:
        """An access token, asked for anew when the last one is no longer young.

        Raises:
            PayproofError: the server does not give one.
        """
        asked, value = self._token
        if not value or time.monotonic() - asked > TOKEN_AGE:
            asked = time.monotonic()
            self._token = (asked, value := self._issue())
        return value

    def _issue(self) -> str:
        if key := self.where.key():
            self.tokens.add(key)
            return key
        good = good_example(self.contract, self.where.profile.named("authenticate"))
        exchange = self.send_example(good) if good else None
        if good and exchange and exchange.response and exchange.response.status == 429:
            exchange = self.send_example(good)  # after the pause that it asked for
        response = exchange.response if exchange else None
        read = exchange.event if exchange and response else None
        issued = issued_by(read) if read else ""
        if not issued:
            again = ", also after the pause that it asked for" if response and response.status == 429 else ""
            problem = f"HTTP {response.status} {self.cover(response.body)[:200]}{again}" if response else "no answer"
            raise PayproofError(
                f"the server gives no access token: {problem}",
                place=self.where.base_url,
                remedy=remedy_of(
                    self.where.profile, self.where.profile.named("authenticate"), response.status, read.texts
                )
                if response and read
                else "check sandbox.base_url and the network",
            )
        return issued

    def bearer(self, exchange: ContractExchange) -> bool:
        """Whether a request carried an access token that this server gave us."""
        scheme, _, value = header(exchange.request.headers, "authorization").partition(" ")
        return scheme.lower() == "bearer" and value.strip() in self.tokens
