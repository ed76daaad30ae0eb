"""The customer: a browser without a screen that keeps every byte it is shown.

It follows redirects with cookies, resolves the integration's public https address to the running instance (as a TLS
terminating proxy would), uses the hosted checkout by its forms, and loads the scripts of the shop's own pages.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import httpx
from bs4 import Tag

from payproof.contracts.entries import BODY_LIMIT, Page, Request, Response, header
from payproof.contracts.journal import Journal
from payproof.contracts.pages import soup
from payproof.contracts.profile import Fields, HostedRecipe
from payproof.suites import secrecy
from payproof.suites.resources import lacking

_HOPS = 12
_FETCHED = re.compile(r"""(?:fetch|axios|axios\.get|\$\.get|\$\.getJSON)\(\s*['"](/[^'"\s]*)['"]\s*\)""")
"""A plain GET in a script: an address and nothing else."""
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) payproof-customer"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the customer's addresses lead: the integration's public address, where it really listens, the gateway.

    ``given``: origins of the return addresses that the integration itself gave the gateway; they are public addresses of
    the integration too, whatever they are called.
    """

    public_url: str
    instance_url: str
    gateway_url: str
    given: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])

    def where(self, url: str) -> Literal["integration", "checkout", "elsewhere"]:
        host, port = _origin(url)
        if (host, port) == _origin(self.gateway_url):
            return "checkout"
        public = _origin(self.public_url)[0]
        known = {_origin(self.public_url), _origin(self.instance_url), (public, 80), (public, 443)} | self.given
        return "integration" if (host, port) in known else "elsewhere"

    def give(self, url: str) -> None:
        """Note a return address of the integration."""
        if (origin := _origin(url))[0] and origin != _origin(self.gateway_url):
            self.given.add(origin)


def _origin(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return (parts.hostname or "").lower(), port or (443 if parts.scheme == "https" else 80)


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
        if _origin(url) != _origin(self.place.instance_url):
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
        hide: Mapping[str, str] | None = None,
    ) -> Page:
        """One request, no redirects followed; written to the journal whatever happens.

        ``hide``: the payer's secrets, which are typed at the hosted checkout and journaled as placeholders only.
        """
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
        if where == "checkout":
            address = secrecy.in_address(hide, seen.url)
            seen = replace(seen, url=address, body=secrecy.without(hide, body)[:BODY_LIMIT])
        try:
            async with asyncio.timeout(self.patience):
                answer = await self._client.send(request)
            text = answer.text
            if where == "checkout":
                cookies = answer.headers.get_list("set-cookie")
                values = [cookie.partition(";")[0].partition("=")[2] for cookie in cookies]
                secrecy.hide_session(self.journal.veil, values, text)
            response = Response(
                status=answer.status_code,
                headers=tuple(answer.headers.multi_items()),
                body=text[:BODY_LIMIT],
                size=len(answer.content),
            )
        except (TimeoutError, httpx.TimeoutException):
            problem = f"no answer within {self.patience:g} s"
        except httpx.ConnectError as error:
            if found := lacking(error):  # ours, and not the shop's
                raise found from None
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
        """The scripts that a page of the shop links to, and what its scripts fetch at once: a browser would."""
        if page.response is None or page.where != "integration" or "<script" not in page.response.body.lower():
            return
        texts: list[str] = []
        for tag in soup(page.response.body).find_all("script"):
            loaded = await self._load(page, str(tag["src"])) if tag.get("src") else None
            texts.append(loaded.response.body if loaded and loaded.response else tag.get_text())
        for text in texts:
            for address in _FETCHED.findall(text):
                await self._load(page, address)

    async def _load(self, page: Page, address: str) -> Page | None:
        url = urljoin(page.request.url, address)
        if url in self._scripts or self.place.where(url) != "integration" or len(self._scripts) >= 20:
            return None
        self._scripts.add(url)
        return await self.ask("GET", url, purpose="script")

    def tab(self, *, name: str = "") -> Customer:
        """Another tab or device with the same cookies at this moment."""
        twin = Customer(
            self.place, self.journal, self.recipe, name=name or self.name, outside=self._outside, patience=self.patience
        )
        for cookie in self._client.cookies.jar:
            twin._client.cookies.jar.set_cookie(cookie)
        return twin


def _renumber(page: Page, n: int) -> Page:
    return replace(page, n=n)


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
