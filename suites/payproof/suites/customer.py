"""The customer: a browser without a screen that keeps every byte it is shown.

It follows redirects with cookies, resolves the integration's public https address to the running instance (as a TLS
terminating proxy would), uses the hosted checkout by its forms, and loads the scripts of the shop's own pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import httpx
from bs4 import Tag

from payproof.contracts.journal import BODY_LIMIT, Journal, Page, Request, Response, header
from payproof.contracts.pages import soup
from payproof.contracts.profile import Fields, HostedRecipe, Payer

_HOPS = 12
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) payproof-customer"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the customer's addresses lead: the integration's public address, where it really listens, the gateway."""

    public_url: str
    instance_url: str
    gateway_url: str

    def where(self, url: str) -> Literal["integration", "checkout", "elsewhere"]:
        origin = _origin(url)
        if origin[1:] in (_origin(self.public_url)[1:], _origin(self.instance_url)[1:]) or (
            origin[1] == _origin(self.public_url)[1] and origin[2] in (80, 443)
        ):
            return "integration"
        return "checkout" if origin[1:] == _origin(self.gateway_url)[1:] else "elsewhere"


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.scheme, (parts.hostname or "").lower(), port or (443 if parts.scheme == "https" else 80)


class _Proxy(httpx.AsyncBaseTransport):
    """Carries requests for the public address to the instance, like the TLS terminating proxy in front of a real shop.

    The shop gets a connection for each request (nobody is to blame for a reused one that broke); ``outside``, the way to
    the gateway, is shared by all customers of a world.
    """

    def __init__(self, place: Place, outside: httpx.AsyncBaseTransport) -> None:
        self.place, self.outside = place, outside
        self.inner = httpx.AsyncHTTPTransport(
            verify=False, limits=httpx.Limits(max_connections=30, max_keepalive_connections=0)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        if self.place.where(url) != "integration":
            return await self.outside.handle_async_request(request)
        real = httpx.URL(self.place.instance_url)
        headers = request.headers.copy()
        if urlsplit(url).hostname == urlsplit(self.place.public_url).hostname:
            headers["X-Forwarded-Proto"] = request.url.scheme
            headers["X-Forwarded-Host"] = request.url.host
            headers["X-Forwarded-Port"] = "443"
            headers["X-Forwarded-For"] = "203.0.113.7"
        target = request.url.copy_with(scheme=real.scheme, host=real.host, port=real.port)
        return await self.inner.handle_async_request(
            httpx.Request(request.method, target, headers=headers, stream=request.stream, extensions=request.extensions)
        )

    async def aclose(self) -> None:
        """Close this customer's own connections; the shared way outside stays open."""
        await self.inner.aclose()


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a walk through redirects ended: ``page`` is the last one; ``url`` an address outside, not opened."""

    pages: tuple[Page, ...]
    url: str = ""
    addresses: tuple[str, ...] = ()

    @property
    def page(self) -> Page | None:
        return self.pages[-1] if self.pages else None


class Customer:
    """One person with one browser. ``patience``: seconds before they give up on a page."""

    def __init__(
        self,
        place: Place,
        journal: Journal,
        recipe: HostedRecipe,
        *,
        name: str,
        outside: httpx.AsyncBaseTransport,
        patience: float = 60.0,
    ) -> None:
        self.place, self.journal, self.recipe, self.name, self.patience = place, journal, recipe, name, patience
        self._outside = outside
        self._client = httpx.AsyncClient(
            transport=_Proxy(place, outside),
            timeout=httpx.Timeout(patience),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": _AGENT},
        )
        self._scripts: set[str] = set()

    async def aclose(self) -> None:
        await self._client.aclose()

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    async def ask(
        self,
        method: str,
        url: str,
        *,
        purpose: str = "",
        order: str = "",
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | Fields | None = None,
    ) -> Page:
        """One request, no redirects followed; written to the journal whatever happens."""
        where = self.place.where(url)
        began = self.journal.now()
        data = _encode(form) if form is not None else None
        sent_headers = {"Accept": "text/html,application/json;q=0.9,*/*;q=0.8", **(headers or {})}
        if data is not None:
            sent_headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        problem, response = "", None
        try:
            request = self._client.build_request(method, url, headers=sent_headers, json=json, content=data)
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            seen = Request(method=method, url=url)
            return self._keep(
                Page(
                    began=began,
                    ended=self.journal.now(),
                    where=where,
                    purpose=purpose,
                    order=order,
                    customer=self.name,
                    request=seen,
                    problem=f"not an address: {error}",
                )
            )
        body = request.content.decode("utf-8", "replace")
        seen = Request(
            method=method, url=str(request.url), headers=tuple(request.headers.items()), body=body[:BODY_LIMIT]
        )
        try:
            async with asyncio.timeout(self.patience):
                answer = await self._client.send(request)
            text = answer.text
            response = Response(
                status=answer.status_code,
                headers=tuple(answer.headers.multi_items()),
                body=text[:BODY_LIMIT],
                size=len(answer.content),
            )
        except (TimeoutError, httpx.TimeoutException):
            problem = f"no answer within {self.patience:g} s"
        except httpx.ConnectError:
            problem = "connection refused"
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, LookupError) as error:
            problem = f"connection broke: {type(error).__name__}"
        return self._keep(
            Page(
                began=began,
                ended=self.journal.now(),
                where=where,
                purpose=purpose,
                order=order,
                customer=self.name,
                request=seen,
                response=response,
                problem=problem,
            )
        )

    def _keep(self, page: Page) -> Page:
        """Journal the page; hand back the uncovered one (with its number), so that the walk can go on."""
        kept = self.journal.add(page)
        return _renumber(page, kept.n)

    async def browse(
        self,
        method: str,
        url: str,
        *,
        purpose: str = "",
        order: str = "",
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | Fields | None = None,
    ) -> Visit:
        """Open an address and follow where it leads while that is the shop; an address outside ends the walk unopened."""
        pages: list[Page] = []
        addresses = [url]
        page = await self.ask(method, url, purpose=purpose, order=order, headers=headers, json=json, form=form)
        pages.append(page)
        for _ in range(_HOPS):
            following = next_address(page)
            if not following:
                break
            addresses.append(following)
            if self.place.where(following) != "integration":
                return Visit(tuple(pages), following, tuple(addresses))
            again = page.response is not None and page.response.status in (307, 308)
            page = await self.ask(
                method if again else "GET",
                following,
                purpose=purpose,
                order=order,
                headers={k: v for k, v in (headers or {}).items() if k.lower() == "accept"},
                json=json if again else None,
                form=form if again else None,
            )
            pages.append(page)
        await self._load_scripts(page)
        return Visit(tuple(pages), "", tuple(addresses))

    async def _load_scripts(self, page: Page) -> None:
        if page.response is None or page.where != "integration" or "<script" not in page.response.body.lower():
            return
        for tag in soup(page.response.body).find_all("script", src=True):
            url = urljoin(page.request.url, str(tag["src"]))
            if url not in self._scripts and self.place.where(url) == "integration" and len(self._scripts) < 20:
                self._scripts.add(url)
                await self.ask("GET", url, purpose="script")

    def tab(self, *, name: str = "") -> Customer:
        """Another tab or device with the same cookies at this moment."""
        twin = Customer(
            self.place, self.journal, self.recipe, name=name or self.name, outside=self._outside, patience=self.patience
        )
        for cookie in self._client.cookies.jar:
            twin._client.cookies.jar.set_cookie(cookie)
        return twin


def _renumber(page: Page, n: int) -> Page:
    import dataclasses

    return dataclasses.replace(page, n=n)


def _encode(form: Mapping[str, str] | Fields) -> bytes:
    pairs = list(form.items()) if isinstance(form, Mapping) else list(form)
    return str(httpx.QueryParams(pairs)).encode()  # type: ignore[arg-type]


def next_address(page: Page) -> str:
    """Where a page sends the browser by itself: a Location header or an immediate meta refresh; empty when nowhere."""
    if page.response is None:
        return ""
    if page.response.status in (301, 302, 303, 307, 308) and (location := header(page.response.headers, "location")):
        return urljoin(page.request.url, location)
    if "http-equiv" in page.response.body[:20_000].lower() and page.response.status < 400:
        tag = soup(page.response.body).find("meta", attrs={"http-equiv": lambda v: str(v).lower() == "refresh"})
        if isinstance(tag, Tag):
            delay, _, address = str(tag.get("content", "")).partition(";")
            address = address.strip().removeprefix("url=").removeprefix("URL=").strip("'\" ")
            if (
                address
                and delay.strip() in ("0", "1", "2", "3", "5")
                and urljoin(page.request.url, address) != page.request.url
            ):
                return urljoin(page.request.url, address)
    return ""


@dataclass(slots=True)
class HostedTab:
    """A tab at the hosted checkout. ``state``: ``confirm`` (ready to pay or cancel), ``left`` (sent back to the shop,
    ``url`` says where), ``problem`` (the gateway says that this payment cannot go on; ``url`` is its way back),
    ``stuck`` (no form that we know), ``no_answer``."""

    customer: Customer
    payer: Payer
    order: str = ""
    state: Literal["new", "confirm", "left", "problem", "stuck", "no_answer"] = "new"
    url: str = ""
    page: Page | None = None
    seen: list[Page] = field(default_factory=list[Page])

    async def open(self, payment_url: str) -> HostedTab:
        """Open the hosted checkout and log in, up to the page where one pays or cancels."""
        await self._go("GET", payment_url)
        for _ in range(6):
            if self.state != "new":
                break
            await self._submit()
        return self

    async def confirm(self) -> HostedTab:
        """Pay, through as many further forms (a one-time code, say) as it takes."""
        for _ in range(6):
            if self.state not in ("confirm", "new"):
                break
            await self._submit()
        return self

    async def cancel(self) -> HostedTab:
        """Use the cancel link or button of the page."""
        if self.state != "confirm" or self.page is None or self.page.response is None:
            return self
        node = soup(self.page.response.body).select_one(self.customer.recipe.cancel)
        if node is None:
            self.state = "stuck"
        elif node.name == "form" or node.get("type") == "submit":
            form = node if node.name == "form" else node.find_parent("form")
            assert isinstance(form, Tag)
            extra = (
                ((str(node.get("name")), str(node.get("value", ""))),)
                if node.name != "form" and node.get("name")
                else ()
            )
            await self._go(
                str(form.get("method", "get")).upper(), self._absolute(form.get("action")), (*_fields(form), *extra)
            )
        else:
            await self._go("GET", self._absolute(node.get("href")))
        return self

    def _absolute(self, address: object) -> str:
        assert self.page
        return urljoin(self.page.request.url, str(address or ""))

    async def _submit(self) -> None:
        assert self.page
        assert self.page.response
        for form in soup(self.page.response.body).find_all("form"):
            filled = self.customer.recipe.fill(_fields(form), self.payer)
            if filled is not None:
                await self._go(str(form.get("method", "get")).upper(), self._absolute(form.get("action")), filled)
                return
        self.state = "stuck"

    async def _go(self, method: str, url: str, fields: Fields | None = None) -> None:
        for _ in range(_HOPS):
            if self.customer.place.where(url) == "integration":
                self.state, self.url = "left", url
                return
            if method == "GET" and fields:
                url, fields = f"{url}{'&' if '?' in url else '?'}{httpx.QueryParams(list(fields))}", None
            page = await self.customer.ask(
                method, url, purpose="hosted", order=self.order, form=fields if method != "GET" else None
            )
            self.page = page
            self.seen.append(page)
            if page.response is None:
                self.state = "no_answer"
                return
            following = next_address(page)
            if not following:
                break
            method, url, fields = "GET", following, None
        self._judge()

    def _judge(self) -> None:
        assert self.page
        assert self.page.response
        tree = soup(self.page.response.body)
        problem = tree.select_one(self.customer.recipe.problem)
        if problem is not None or self.page.response.status >= 400:
            link = (problem or tree).find("a", href=True) or tree.find("a", href=True)
            self.state, self.url = "problem", self._absolute(link["href"]) if isinstance(link, Tag) else ""
        elif tree.select_one(self.customer.recipe.cancel) is not None:
            self.state = "confirm"
        else:
            self.state = "new"


def _fields(form: Tag) -> Fields:
    """The fields of a form as a browser would send them untouched; the first choice where one must be made."""
    pairs: list[tuple[str, str]] = []
    radios: set[str] = set()
    for node in form.find_all(["input", "select", "textarea"]):
        name, kind = str(node.get("name") or ""), str(node.get("type") or "text").lower()
        if not name or node.has_attr("disabled") or kind in ("submit", "button", "reset", "image", "file"):
            continue
        if kind == "radio":
            group = form.find_all("input", attrs={"type": "radio", "name": name})
            chosen = next((radio for radio in group if radio.has_attr("checked")), group[0])
            if name not in radios:
                radios.add(name)
                pairs.append((name, str(chosen.get("value", "on"))))
        elif kind == "checkbox":
            if node.has_attr("checked"):
                pairs.append((name, str(node.get("value", "on"))))
        elif node.name == "select":
            options = node.find_all("option")
            picked = next(
                (option for option in options if option.has_attr("selected")), options[0] if options else None
            )
            pairs.append((name, str(picked.get("value", picked.get_text())) if picked else ""))
        else:
            pairs.append((name, node.get_text() if node.name == "textarea" else str(node.get("value", ""))))
    return tuple(pairs)
