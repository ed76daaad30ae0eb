"""The innermost layer of the relay: carries each request to the sandbox and its answer back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

import httpx
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from payproof.contracts import entries
from payproof.contracts.events import AnyEvent, Unknown
from payproof.contracts.profile import Profile
from payproof.contracts.reading import addresses
from payproof.simulator.exchange import Exchange, exchange_of
from payproof.simulator.relay import illness, rewrite
from payproof.simulator.relay.passages import SILENT, Passage, Passages
from payproof.simulator.relay.sandbox_exchange import SandboxExchange, response_of
from payproof.simulator.relay.upstream import PATIENCE, Upstream

LEFT = "/payproof-left/"
"""Path that a person's browser is sent to in place of the shop, which only we can reach."""
_BYE = "<!doctype html><title>payproof</title><p>Thank you. payproof goes on from here; you may close this window."


class RelayPort(Protocol):
    """What the forwarder asks of its relay."""

    @property
    def pairs(self) -> dict[str, str]:
        """The integration's credentials -> the sandbox's, where the integration has its own."""
        ...

    def bearer(self, value: str) -> str:
        """The bearer to send in place of this one."""
        ...

    def dead(self, bearer: str) -> bool:
        """A bearer that the sandbox is to refuse; what it says to it, we say better."""
        ...

    def heard(self, passage: Passage, event: AnyEvent, answer: Response) -> Response:
        """Write down what the sandbox answered, and give the answer that the integration gets."""
        ...

    def sent_back(self, path: str, url: str) -> None:
        """The hosted checkout sends the customer to the shop."""
        ...

    @property
    def passages(self) -> Passages:
        """Who is under way, and what of it is the sandbox's own trouble."""
        ...

    async def go(self, passage: Passage) -> None:
        """An API request goes out, as soon as it may."""
        ...

    def on_exchange(self, taped: SandboxExchange) -> None: ...

    @property
    def shop_origins(self) -> tuple[str, ...]:
        """Origins of the shop that a person's browser cannot reach; empty where we play the customer."""
        ...

    @property
    def probe(self) -> str: ...


class Forwarder:
    def __init__(self, upstream: Upstream, profile: Profile, port: RelayPort, now: Callable[[], float]) -> None:
        self.upstream, self.profile, self.port, self.now = upstream, profile, port, now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)
        if exchange.path.startswith(LEFT):
            self.port.sent_back(exchange.path, _shop_address(exchange))
            await HTMLResponse(_BYE)(scope, receive, send)
            return
        answer = await self._carry(exchange)
        if answer is None:
            await _no_answer(exchange, send)
        else:
            await answer(scope, receive, send)

    async def _carry(self, exchange: Exchange) -> Response | None:
        """The answer for the client; None when the sandbox gave none, or the client did not wait for it."""
        asked = exchange.request()
        sandbox, here = self.upstream.sandbox, "{0.scheme}://{0.netloc}".format(urlsplit(asked.url))
        sites = rewrite.sites(self.profile, here, sandbox.origin, sandbox.checkout)
        origin = dict(sites).get(here, sandbox.origin)
        with self.port.passages.passage(self._named(exchange, asked)) as passage:
            body, headers = self._credentials(exchange, rewrite.to_upstream(asked.headers, sites))
            target = self._target(exchange, origin)
            if self._live(asked.method, target, page=exchange.page):
                return self._not_forwarded(target)
            got = await self._asked(exchange, passage, asked.method, target, headers, body)
            if got is None:
                return None
            self._record(exchange, asked.method, target, headers, body, got)
            if self._leads_to_live(got, page=exchange.page):
                text = f"the sandbox at {sandbox.origin} redirects to a live address, which is not followed"
                self.port.passages.trouble(passage, text)
                return None
            answer = self._for_client(got, here, sites, page=exchange.page)
            if exchange.page:
                self._watch(exchange, passage, got)
                return answer
            event = self._event(asked, answer)
            if not self.port.dead(event.bearer) and (ill := illness.of_call(event, _as_entry(answer))):
                self.port.passages.trouble(passage, ill)
            return self.port.heard(passage, event, answer)

    async def _asked(
        self, exchange: Exchange, passage: Passage, method: str, target: str, headers: rewrite.Pairs, body: bytes
    ) -> httpx.Response | None:
        """What the sandbox answers while the client waits for it. Whatever else happens is noted as its trouble."""
        passages = self.port.passages
        sending = asyncio.ensure_future(self._sent(exchange, passage, method, target, headers, body))
        gone = asyncio.ensure_future(exchange.until_gone())
        try:
            await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
            took = self.now() - passage.began
            if not sending.done():
                # A browser that moves on leaves pictures and scripts behind, and a client whose patience a fault of ours has
                # used up leaves as soon as we go on: neither is the sandbox's trouble.
                ours = exchange.fault and took < SILENT
                if took > self.profile.limits.call or not (exchange.page or ours):
                    who = "customer" if exchange.page else "integration"
                    passages.trouble(
                        passage,
                        f"the {who} gave {passage.what} up after {took:.1f} s, and the sandbox was still silent",
                    )
                return None
            got = sending.result()
        except Exception as error:  # whatever keeps a sandbox's answer from us, the integration has not done it
            passages.trouble(passage, f"the sandbox at {self.upstream.sandbox.origin} gave no answer: {why(error)}")
            return None
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)
        if took > (longest := self.profile.limits.call):
            text = f"the sandbox took {took:.0f} s for {passage.what}; the guidance gives a call {longest:g}"
            passages.trouble(passage, text)
        return got

    async def _sent(
        self, exchange: Exchange, passage: Passage, method: str, target: str, headers: rewrite.Pairs, body: bytes
    ) -> httpx.Response:
        if not exchange.page:
            await self.port.go(passage)
            passage.began = self.now()
        return await self.upstream.send(method, target, headers, body)

    def _named(self, exchange: Exchange, asked: entries.Request) -> str:
        if exchange.page:
            return "a page of the hosted checkout"
        try:
            operation = self.profile.read(asked, None).operation
        except (ValueError, RecursionError):
            operation = ""
        return f"a {operation} call" if operation else "a call"

    def _target(self, exchange: Exchange, origin: str) -> str:
        """The address at the sandbox: our base path is the profile's, theirs is what the configuration says."""
        asked = urlsplit(exchange.request().url)
        path, base = asked.path, self.profile.base_path
        if origin == self.upstream.sandbox.origin and (path == base or path.startswith(base + "/")):
            path = self.upstream.sandbox.path + path[len(base) :]
        return f"{origin}{path}?{asked.query}" if asked.query else f"{origin}{path}"

    def _live(self, method: str, target: str, *, page: bool) -> bool:
        """Whether this would reach the live gateway. What a hosted page is made of (its styles, say) may lie beside the sandbox."""
        if page and method in ("GET", "HEAD"):
            return self.profile.is_live(urlsplit(target).path, "")
        return self.profile.is_live(target, "")

    def _leads_to_live(self, got: httpx.Response, *, page: bool) -> bool:
        location = got.headers.get("location", "")
        if not location:
            return False
        following = addresses.joined(str(got.request.url), location)
        if page and addresses.origin(following) not in map(addresses.origin, self.upstream.sandbox.origins):
            return False  # the way back to the shop, whose paths are its own; the customer judges any other
        return self._live("GET", following, page=True) if page else self.profile.is_live(following, "")

    def _not_forwarded(self, target: str) -> Response:
        self.upstream.hints[
            f"The integration asked for the live address {urlsplit(target).path}, which is not forwarded;"
        ] = None
        return PlainTextResponse(
            "payproof does not forward to a live gateway: use the base URL it gave\n", status_code=403
        )

    def _credentials(self, exchange: Exchange, headers: rewrite.Pairs) -> tuple[bytes, rewrite.Pairs]:
        if exchange.page:
            return exchange.body, headers
        pairs = self.port.pairs
        text = exchange.body.decode("utf-8", "surrogateescape")
        body = rewrite.with_credentials(text, pairs).encode("utf-8", "surrogateescape")
        return body, [(name, self._authorization(name, value, pairs)) for name, value in headers]

    def _authorization(self, name: str, value: str, pairs: dict[str, str]) -> str:
        if name.lower() != "authorization":
            return value
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "bearer":
            token = token.strip()  # a key that travels as a bearer is a credential like any other
            return f"{scheme} {pairs.get(token) or self.port.bearer(token)}"
        return rewrite.authorization(value, pairs)

    def _for_client(self, got: httpx.Response, ours: str, sites: rewrite.Sites, *, page: bool) -> Response:
        headers = rewrite.to_client(got.headers.multi_items(), sites)
        content = got.content
        if rewrite.is_text(got.headers.get("content-type", "")) and content:
            text = rewrite.to_ours(content.decode("utf-8", "surrogateescape"), sites)
            text = self._leading_back(text, ours) if page else text
            content = text.encode("utf-8", "surrogateescape")
        if page:
            headers = [(k, self._leading_back(v, ours) if k.lower() == "location" else v) for k, v in headers]
        answer = Response(content, status_code=got.status_code)
        answer.raw_headers = [(k.encode("latin-1", "replace"), v.encode("latin-1", "replace")) for k, v in headers]
        answer.raw_headers.append((b"content-length", str(len(content)).encode()))
        return answer

    def _leading_back(self, text: str, ours: str) -> str:
        """For a person's browser: the shop's addresses lead to us."""
        for shop in self.port.shop_origins:
            text = rewrite.swap(text, shop, f"{ours}{LEFT}{quote(shop, safe='')}")
        return text

    def _event(self, asked: entries.Request, answer: Response) -> AnyEvent:
        try:
            return self.profile.read(asked, _as_entry(answer))
        except (ValueError, RecursionError):
            return Unknown()

    def _watch(self, exchange: Exchange, passage: Passage, got: httpx.Response) -> None:
        if ill := illness.of_page(exchange.headers, response_of(got)):
            self.port.passages.trouble(passage, ill)
        location = got.headers.get("location", "")
        if location.startswith("http") and not location.startswith(self.upstream.sandbox.origins):
            self.port.sent_back(exchange.path, location)

    def _record(
        self, exchange: Exchange, method: str, target: str, headers: rewrite.Pairs, body: bytes, got: httpx.Response
    ) -> None:
        self.port.on_exchange(
            SandboxExchange(
                kind="page" if exchange.page else "api",
                probe=self.port.probe,
                at=self.now(),
                request=entries.Request(
                    method=method, url=target, headers=tuple(headers), body=body.decode("utf-8", "replace")
                ),
                response=response_of(got),
            )
        )


def why(error: Exception) -> str:
    """What kept a sandbox from answering, in words that tell what to do."""
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"nothing, or not all of it, within {PATIENCE:g} s"
    text = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return f'its certificate is not trusted; a private authority is named by ca = "file.pem" in [sandbox] ({text})'
    return text


def _as_entry(answer: Response) -> entries.Response:
    headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in answer.raw_headers)
    body = bytes(answer.body)
    return entries.Response(
        status=answer.status_code, headers=headers, body=body.decode("utf-8", "replace"), size=len(body)
    )


def _shop_address(exchange: Exchange) -> str:
    asked = urlsplit(exchange.request().url)
    shop, _, path = asked.path[len(LEFT) :].partition("/")
    return f"{unquote(shop)}/{path}{'?' + asked.query if asked.query else ''}"


async def _no_answer(exchange: Exchange, send: Send) -> None:
    """The sandbox is gone: the client meets what it would have met without us, a connection that ends."""
    if exchange.left() is not None:
        return
    exchange.break_off()
    if exchange.wire is None:
        start: Message = {"type": "http.response.start", "status": 502, "headers": [(b"content-length", b"0")]}
        await send(start)
        await send({"type": "http.response.body", "body": b""})
        return
    exchange.wire.transport.close()
    await exchange.until_gone()
