"""The one way from the suite to the server: every request passes here, is counted, and is kept as it was sent."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from payproof.contracts import secret_fields
from payproof.contracts.contract import Contract
from payproof.contracts.entries import Request, Response, header
from payproof.contracts.events import ACCESS_TOKEN, issued_by
from payproof.contracts.model import PayproofError
from payproof.contracts.secrets import Redactor
from payproof.simulator.relay.proxies import proxy_for
from payproof.simulator.relay.upstream import trust
from payproof.suites.conformance.contract.examples import Example, good_example, written
from payproof.suites.conformance.contract.pace import Pace, Spent
from payproof.suites.conformance.contract.where import Where
from payproof.suites.conformance.drift.refusing import remedy_of

MARK = "x-payproof-exchange"
"""Header by which an answer that a generator holds is told to be one of ours."""
PATIENCE = 60.0
"""Seconds that the server may take for one answer."""
SILENT = 599
"""Stands for "no answer at all" where a status has to be told."""
_LIMITED = 4
"""Refusals in a row for too many requests, after which nobody asks any more."""
TOKEN_AGE = 240.0
"""Seconds after which a new access token is asked for."""
_OURS = {"host", "content-length", "connection", "accept-encoding"}
_THEIRS = {"content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive", MARK}

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ContractExchange:
    """One request and its answer. ``response`` is None when there was none; ``sent`` is false when HTTP has no way to write the
    request, so that nobody can be asked for an answer."""

    n: int
    request: Request
    response: Response | None
    raw: tuple[bytes, bytes]
    """The bodies as they travelled."""
    sent: bool = True


class Channel:
    """``contract``: the one that the server is held to. ``veil`` knows the credentials and every access token; ``cover`` hides whatever
    else an answer called a secret, too."""

    def __init__(self, where: Where, pace: Pace, contract: Contract) -> None:
        self.where, self.pace, self.contract = where, pace, contract
        self.redactor = Redactor()
        self.redactor.add("client-id", where.client_id, numbered=False)
        self.redactor.add("secret-key", where.secret_key, numbered=False)
        if where.other:
            self.redactor.add("other-client-id", where.other[0], numbered=False)
            self.redactor.add("other-secret-key", where.other[1], numbered=False)
        self._answered = Redactor()
        self.exchanges: list[ContractExchange] = []
        self.statuses: dict[str, Counter[int]] = {operation.id: Counter() for operation in contract.operations}
        self.tokens: set[str] = set()
        self.down: PayproofError | None = None
        self._token: tuple[float, str] = (0.0, "")
        self._limited = 0
        self._client = httpx.Client(
            verify=where.base_url.startswith("https:") and trust(where.ca), proxy=proxy_for(where.base_url), timeout=PATIENCE, follow_redirects=False,
            trust_env=False, headers={"User-Agent": "payproof"},
        )  # fmt: skip

    def close(self) -> None:
        self._client.close()

    def send(self, method: str, target: str, headers: Headers = (), body: bytes = b"") -> ContractExchange:
        """``target``: path and query, percent-encoded.

        Raises:
            Spent: the budget does not allow it, or the server cannot be reached (``down`` says why).
        """
        self.pace.spend()
        kept = [(name, value.strip()) for name, value in headers if name.lower() not in _OURS]
        shown = Request(
            method=method, url=f"{self.where.origin}{target}", headers=tuple(kept), body=body.decode("utf-8", "replace")
        )
        try:
            found, content, sent = *self._answer(method, target, kept, body), True
        except httpx.LocalProtocolError:
            found, content, sent = None, b"", False
        exchange = ContractExchange(len(self.exchanges), shown, found, (body, content), sent)
        self.exchanges.append(exchange)
        self._learn(exchange)
        return exchange

    def _answer(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[Response | None, bytes]:
        url = httpx.URL(self.where.origin).copy_with(raw_path=target.encode("ascii", "replace"))
        coded = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers]
        content = body if body or method in ("POST", "PUT", "PATCH") else None
        try:
            answer = self._client.send(self._client.build_request(method, url, headers=coded, content=content))
        except httpx.ConnectError as error:
            self.down = PayproofError(
                f"the server cannot be reached: {error}", place=self.where.base_url, remedy="check base_url and ca"
            )
            raise Spent from None
        except httpx.LocalProtocolError:
            raise
        except (httpx.TransportError, httpx.DecodingError):
            return None, b""
        finally:
            self._client.cookies.clear()
        self._limited = self._limited + 1 if answer.status_code == 429 else 0
        if answer.status_code == 429:
            self.pace.hold(_seconds(answer.headers.get("retry-after", "")))
        if self._limited >= _LIMITED:
            self.down = PayproofError(
                f"the server answered 429 {_LIMITED} times in a row, each time after the pause that it had asked for",
                place=self.where.base_url,
                remedy="wait, lower --rate, or ask who else uses this account",
            )
            raise Spent
        text = answer.content.decode("utf-8", "replace")
        shown = Response(
            status=answer.status_code,
            headers=tuple(answer.headers.multi_items()),
            body=text,
            size=len(answer.content),
        )
        return shown, answer.content

    def _learn(self, exchange: ContractExchange) -> None:
        match = self.contract.match(exchange.request)
        if match.operation is not None:
            status = exchange.response.status if exchange.response else SILENT
            self.statuses[match.operation.id][status] += 1
        if exchange.response is not None:
            said = self.where.profile.read(exchange.request, exchange.response)
            if issued := issued_by(said):
                self.tokens.add(issued)
                self.redactor.add(ACCESS_TOKEN, issued)
            secret_fields.learn(self._answered, secret_fields.of_answer(exchange.response, said), said)

    def cover(self, text: str) -> str:
        """A text for people, without any secret that was sent or received."""
        return self._answered.redact(self.redactor.redact(text))

    def tell(self, example: Example, *, token: str = "", merchant: tuple[str, str] | None = None) -> ContractExchange:
        """Send an example, with an access token where the operation knows one; ``token``: another one than our own. ``merchant``:
        whose credentials, where they travel in a header."""
        if example.operation.node.get("security") != []:
            authorization = f"Bearer {token or self.token()}"
        else:
            authorization = self.where.basic(example.operation.word, merchant)
        request = written(example, self.where.path, authorization)
        return self.send(request.method, request.target, request.headers, request.body)

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
        good = good_example(self.contract, self.where.profile.named("authenticate"))
        exchange = self.tell(good) if good else None
        if good and exchange and exchange.response and exchange.response.status == 429:
            exchange = self.tell(good)  # after the pause that it asked for
        response = exchange.response if exchange else None
        read = self.where.profile.read(exchange.request, response) if exchange and response else None
        issued = issued_by(read) if read else ""
        if not issued:
            again = ", also after the pause that it asked for" if response and response.status == 429 else ""
            said = f"HTTP {response.status} {self.cover(response.body)[:200]}{again}" if response else "no answer"
            raise PayproofError(
                f"the server gives no access token: {said}",
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

    # A WSGI application: what a generator takes for the server.

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = [
            (key[5:].replace("_", "-").title(), value) for key, value in environ.items() if key.startswith("HTTP_")
        ]
        headers += [("Content-Type", environ["CONTENT_TYPE"])] if environ.get("CONTENT_TYPE") else []
        target = environ.get("REQUEST_URI") or environ["PATH_INFO"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        exchange = self.send(environ["REQUEST_METHOD"], target, headers, body)
        told = exchange.response
        back = [(name, value) for name, value in (told.headers if told else ()) if name.lower() not in _THEIRS]
        start_response(f"{told.status if told else SILENT} answer", [*back, (MARK, str(exchange.n))])
        return [exchange.raw[1]]


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.strip().isdigit() else 5.0
