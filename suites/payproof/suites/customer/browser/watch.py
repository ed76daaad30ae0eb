"""What a tab of the browser asks the network for: journaled like any page, and stopped before it reaches the shop.

Playwright's own routes do not see the hops of a redirect, and the way back to the shop is one; so the DevTools protocol is
asked directly.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from payproof.contracts.entries import Page, Request, Response, header
from payproof.contracts.profile import Payer
from payproof.simulator.bounded_read import READ_LIMIT
from payproof.suites.customer import payer_redaction as secrecy
from payproof.suites.customer.customer import Customer

if TYPE_CHECKING:
    from playwright.async_api import Page as Shown

_PATTERNS = (
    {"urlPattern": "*", "requestStage": "Request"},
    {"urlPattern": "*", "requestStage": "Response", "resourceType": "Document"},
)
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)


class DevTools(Protocol):
    """Playwright's CDPSession, whose messages are JSON."""

    async def send(self, method: str, params: dict[str, Any] | None = None) -> Any: ...

    def on(self, event: str, f: Callable[[dict[str, Any]], None]) -> None: ...


class Watch:
    """``left``: the address of the shop that the tab wanted to open. ``failed``: why its page got no answer. ``blocked``: why it was
    kept from sending something, or from going somewhere: what a payer knows goes to the gateway alone. ``over``: nobody looks at
    the tab any more, and nothing that it asks for is sent."""

    def __init__(self, shown: Shown, session: DevTools, customer: Customer, payer: Payer, order: str) -> None:
        self.customer, self.order = customer, order
        self.left: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.failed = self.blocked = ""
        self.over = False
        self._shown, self._session = shown, session
        self._hide = secrecy.of_payer(payer)
        self._began: dict[str, tuple[float, Request]] = {}
        self._pending: set[object] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._frame = ""

    async def start(self) -> None:
        tree = await self._session.send("Page.getFrameTree")
        self._frame = str(tree["frameTree"]["frame"]["id"])
        self._session.on("Fetch.requestPaused", lambda event: self._spawn(self._paused(event)))
        await self._session.send("Fetch.enable", {"patterns": list(_PATTERNS)})
        self._shown.on("request", lambda sent: self._pending.add(sent))
        self._shown.on("requestfinished", lambda sent: self._pending.discard(sent))
        self._shown.on("requestfailed", lambda sent: self._pending.discard(sent))
        # A window of its own would not be watched; and "are you sure?" is answered with yes.
        self._shown.on("popup", lambda window: self._spawn(window.close()))
        self._shown.on("dialog", lambda dialog: self._spawn(dialog.accept()))

    @property
    def busy(self) -> bool:
        """Something that the page asked for is still on its way."""
        return bool(self._pending)

    def give_up(self, seconds: float) -> bool:
        """Journal what is still unanswered; true when that is a page."""
        for began, request in self._began.values():
            self._keep(began, request, None, f"no answer within {seconds:g} s")
        unanswered = bool(self._began)
        self._began.clear()
        return unanswered

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(self._quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, work: Coroutine[Any, Any, None]) -> None:
        from playwright.async_api import Error

        try:
            await work
        except Error:
            """The tab was closed, or the request is gone: nobody waits for it any more."""

    async def _paused(self, event: dict[str, Any]) -> None:
        key, url = event["requestId"], event["request"]["url"]
        page = event["resourceType"] == "Document" and event["frameId"] == self._frame
        if self.over:
            await self._session.send("Fetch.failRequest", {"requestId": key, "errorReason": "Aborted"})
            return
        if "responseStatusCode" in event or "responseErrorReason" in event:
            if page:
                await self._answered(event)
        elif self.customer.place.where(url) == "integration":
            # The customer opens it, not this browser: the shop is where only we can reach it.
            if page and not self.left.done():
                self.left.set_result(url)
            await self._session.send("Fetch.failRequest", {"requestId": key, "errorReason": "Aborted"})
            return
        elif reason := self._forbidden(event["request"], page=page):
            self.blocked = self.blocked or reason
            await self._session.send("Fetch.failRequest", {"requestId": key, "errorReason": "BlockedByClient"})
            return
        elif page:
            self._began[event.get("networkId", key)] = self.customer.journal.now(), self._request(event["request"])
        await self._session.send("Fetch.continueRequest", {"requestId": key})

    def _forbidden(self, asked: dict[str, Any], *, page: bool) -> str:
        """Why this must not go out. Parts of a page (a style, a frame) may come from anywhere, as long as nothing that was typed goes
        there."""
        reason = self.customer.place.foreign(asked["url"])
        if not reason or page:
            return reason
        body = _posted(asked)
        if body is None or secrecy.holds_any(
            self._hide, "\n".join((asked["url"], *map(str, asked["headers"].values()), body))
        ):
            return f"the page sends something to where it must not: {reason}"
        return ""

    def _request(self, asked: dict[str, Any]) -> Request:
        headers = tuple((name.lower(), secrecy.in_address(self._hide, v)) for name, v in asked["headers"].items())
        cookies = (pair.strip().partition("=")[2] for pair in header(headers, "cookie").split(";"))
        secrecy.hide_session(self.customer.journal.redactor, cookies, "")
        return Request(
            method=asked["method"],
            url=secrecy.in_address(self._hide, asked["url"]),
            headers=headers,
            body=secrecy.kept(self._hide, asked.get("postData", "")),
        )

    async def _answered(self, event: dict[str, Any]) -> None:
        began, request = self._began.pop(
            event.get("networkId", event["requestId"]), (self.customer.journal.now(), None)
        )
        request = request or self._request(event["request"])
        if "responseErrorReason" in event:
            self.failed = f"connection broke: {event['responseErrorReason']}"
            self._keep(began, request, None, self.failed)
            return
        status = int(event["responseStatusCode"])
        headers = tuple((pair["name"].lower(), pair["value"]) for pair in event.get("responseHeaders", ()))
        declared = header(headers, "content-length")
        size = int(declared) if declared.isdecimal() and len(declared) < 16 else 0
        long = size > READ_LIMIT
        content = b"" if 300 <= status < 400 or long else await self._body(event["requestId"])
        text = _text(content, header(headers, "content-type"))
        secrecy.hide_session(self.customer.journal.redactor, (), text)
        answer = Response(status=status, headers=headers, body=text, size=max(size, len(content)))
        problem = f"not kept: {size:,} bytes are too many" if long else ""
        self._keep(began, request, secrecy.in_answer(self._hide, answer), problem)

    async def _body(self, key: str) -> bytes:
        got = await self._session.send("Fetch.getResponseBody", {"requestId": key})
        content = base64.b64decode(got["body"]) if got["base64Encoded"] else str(got["body"]).encode()
        return content[:READ_LIMIT]

    def _keep(self, began: float, request: Request, answer: Response | None, problem: str = "") -> None:
        journal = self.customer.journal
        journal.add(
            Page(
                began=began,
                ended=journal.now(),
                where=self.customer.place.where(request.url),
                purpose="hosted",
                order=self.order,
                customer=self.customer.name,
                request=request,
                response=answer,
                problem=problem,
            )
        )


def _posted(asked: dict[str, Any]) -> str | None:
    """The body of a request; None for one that cannot be read."""
    if not asked.get("hasPostData") and "postData" not in asked:
        return ""
    try:
        parts = [base64.b64decode(part["bytes"]) for part in asked.get("postDataEntries", ())]
    except (KeyError, ValueError):
        return None  # a file, say
    return asked.get("postData") or b"".join(parts).decode("utf-8", "replace") or None


def _text(content: bytes, kind: str) -> str:
    named = _CHARSET.search(kind)
    try:
        return content.decode(named[1] if named else "utf-8", "replace")
    except LookupError:
        return content.decode("utf-8", "replace")
