"""The customer: a browser without a screen that keeps every byte it is shown.

It follows redirects with cookies, resolves the integration's public https address to the running instance (as a TLS
terminating proxy would), uses the hosted checkout by its forms, and loads the scripts of the shop's own pages.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import httpx
from bs4 import Tag

from payproof.contracts import addresses, pages
from payproof.contracts.entries import Page, Request, Response, Step, header
from payproof.contracts.journal import Journal
from payproof.contracts.pages import soup
from payproof.contracts.profile import Fields, HostedRecipe
from payproof.simulator import bounded_read as bounded
from payproof.suites.customer import navigation
from payproof.suites.customer import payer_redaction as secrecy
from payproof.suites.customer.navigation import Shown, shown
from payproof.suites.resources import lacking

_HOPS = 12
_FETCHED = re.compile(r"""(?:fetch|axios|axios\.get|\$\.get|\$\.getJSON)\(\s*['"](/[^'"\s]*)['"]\s*\)""")
"""A plain GET in a script: an address and nothing else."""
_SCRIPT_PATIENCE = 10.0
"""Seconds for one script of a page, and for all of them together."""


@dataclass(frozen=True, slots=True)
class Routing:
    """Where the customer's addresses lead: the integration's public address, where it really listens, the gateway.

    ``checkout_url``: the hosted checkout's host, where it has one of its own.
    ``given``: origins of the return addresses that the integration itself gave the gateway; they are public addresses of
    the integration too, whatever they are called. ``pages``: the gateway's hosts beside its own where a payer may type what they
    know. ``is_live``: as in the profile.
    """

    public_url: str
    instance_url: str
    gateway_url: str
    given: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    pages: tuple[str, ...] = ()
    is_live: Callable[[str, str], bool] | None = None
    checkout_url: str = ""

    @property
    def sites(self) -> tuple[str, ...]:
        """The gateway's addresses, the API's first."""
        return (self.gateway_url, self.checkout_url) if self.checkout_url else (self.gateway_url,)

    def where(self, url: str) -> Literal["integration", "checkout", "elsewhere"]:
        host, port = _origin(url)
        if _home(host, port) in (_home(*_origin(site)) for site in self.sites):
            return "checkout"
        public = _origin(self.public_url)[0]
        known = {_origin(self.public_url), _origin(self.instance_url), (public, 80), (public, 443)} | self.given
        return "integration" if (host, port) in known else "elsewhere"

    def foreign(self, url: str) -> str:
        """Why a payer opens no page here, and types nothing in that would be sent here; empty where this is the gateway."""
        here, gateway = addresses.origin(url), tuple(map(addresses.origin, self.sites))
        known = {*gateway, *map(addresses.origin, self.pages)}
        if _home(*_origin(url)) in (_home(*_origin(site)) for site in self.sites if is_loopback(_origin(site)[0])):
            return ""  # ours, which speaks plain HTTP at the same port
        if self.is_live is not None and here not in gateway and self.is_live(url, ""):
            return f"it leads to the live gateway ({here}), where payproof does nothing"
        if here and here in known:
            return ""
        if f"https{here.removeprefix('http')}" in known:
            return f"it leads to {here} over plain HTTP, and a payer's password travels over HTTPS only"
        return (
            f"it leads to {here or url[:80]}, and a payer's login and password go to the gateway alone; "
            f'if that is the gateway\'s too, name it: [sandbox] pages = ["{here or "https://HOST"}"]'
        )

    def give(self, url: str) -> None:
        """Note a return address of the integration."""
        if (origin := _origin(url))[0] and origin not in map(_origin, self.sites):
            self.given.add(origin)


def is_loopback(host: str) -> bool:
    """Whether a name leads here: names under .localhost do, whatever a resolver says of them."""
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


def _origin(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return (parts.hostname or "").lower(), port or (443 if parts.scheme == "https" else 80)


def _home(host: str, port: int) -> tuple[str, int]:
    """An origin by one name where this machine has several."""
    return "localhost" if host in ("127.0.0.1", "::1") else host, port


def forwarded(url: str, instance_url: str) -> dict[str, str]:
    """What a proxy tells the instance behind it of a request for ``url``; nothing where that is the instance's own address."""
    if _origin(url) == _origin(instance_url):
        return {}
    parts = urlsplit(url)
    return {
        "X-Forwarded-Proto": parts.scheme,
        "X-Forwarded-Host": parts.hostname or "",
        "X-Forwarded-Port": "443",
        "X-Forwarded-For": "203.0.113.7",
    }


class _Proxy(httpx.AsyncBaseTransport):
    """Carries requests for the public address to the instance, like the TLS terminating proxy in front of a real shop.

    The shop gets a connection for each request (nobody is to blame for a reused one that broke); ``outside``, the way to
    the gateway, is shared by all customers of a world.
    """

    def __init__(self, place: Routing, outside: httpx.AsyncBaseTransport) -> None:
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
        headers.update(forwarded(url, self.place.instance_url))
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


@dataclass(frozen=True, slots=True)
class Form:
    """The page with the form that starts a checkout, and the token read off the pages up to it."""

    page: Page | None = None
    csrf: str = ""


class Customer:
    """One person with one browser. ``patience``: seconds before they give up on a page."""

    def __init__(
        self,
        place: Routing,
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
        )
        self._scripts: set[str] = set()
        self._shown = Shown()
        self.form: Form = Form()
        """Where the customer stands before a checkout: kept for a second click, and in another tab."""

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
        """One request, no redirects followed; written to the journal whatever happens. It is sent as a browser would, from the page
        that was opened last; ``headers`` count before a browser's own.

        ``hide``: the payer's secrets, which are typed at the hosted checkout and journaled as placeholders only.
        """
        page = await self._send(
            method,
            url,
            self._source(method.upper(), url, purpose),
            headers,
            json,
            form,
            hide,
            purpose=purpose,
            order=order,
        )
        if page.response is not None and json is None and not 300 <= page.response.status < 400:
            self._shown = shown(page.request.url, header(page.response.headers, "referrer-policy"))
        return page

    def _source(self, method: str, url: str, purpose: str) -> Shown:
        """The page that a request comes from. Whoever used the hosted checkout elsewhere returns from there; who goes back to the shop
        by themselves has its form before them again, or types its address."""
        gateway, here = tuple(map(addresses.origin, self.place.sites)), addresses.origin(self._shown.url)
        if purpose == "return":
            return self._shown if here in gateway else Shown(f"{gateway[-1]}/")
        if self.place.where(url) == "integration" and here != addresses.origin(url):
            return Shown(self.form.page.request.url) if method != "GET" and self.form.page else Shown()
        return self._shown

    async def _send(
        self,
        method: str,
        url: str,
        source: Shown,
        headers: Mapping[str, str] | None,
        json: Any,
        form: Mapping[str, str] | Fields | None,
        hide: Mapping[str, str] | None,
        *,
        purpose: str,
        order: str = "",
        patience: float = 0.0,
    ) -> Page:
        where, patience = self.place.where(url), patience or self.patience
        blank = Page(
            began=self.journal.now(),
            ended=0.0,
            where=where,
            purpose=purpose,
            order=order,
            customer=self.name,
            request=Request(method=method, url=url),
        )
        data = _encode(form) if form is not None else None
        ours = navigation.headers(method, url, source, fetched=json is not None, script=purpose == "script")
        if data is not None:
            ours["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            request = self._client.build_request(
                method, url, headers=navigation.merged(ours, headers or {}), json=json, content=data
            )
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            return self._keep(replace(blank, ended=self.journal.now(), problem=f"not an address: {error}"))
        if where == "integration":
            hide = None
        seen = Request(
            method=method,
            url=secrecy.in_address(hide, str(request.url)),
            headers=secrecy.in_headers(hide, tuple(request.headers.items())),
            body=secrecy.kept(hide, request.content.decode("utf-8", "replace")),
        )
        response, problem = await self._answer(request, patience)
        if response is not None and where != "integration":
            cookies = [value for name, value in response.headers if name.lower() == "set-cookie"]
            values = [cookie.partition(";")[0].partition("=")[2] for cookie in cookies]
            secrecy.hide_session(self.journal.redactor, values, response.body)
        return self._keep(
            replace(blank, ended=self.journal.now(), request=seen, response=response, problem=problem), hide
        )

    async def _answer(self, request: httpx.Request, patience: float) -> tuple[Response | None, str]:
        """The answer, and what is wrong with it."""
        try:
            async with asyncio.timeout(patience):
                answer = await self._client.send(request, stream=True)
                body = await bounded.read(answer)
        except (TimeoutError, httpx.TimeoutException):
            return None, f"no answer within {patience:g} s"
        except httpx.ConnectError as error:
            if found := lacking(error):  # ours, and not the shop's
                raise found from None
            return None, "connection refused"
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, LookupError) as error:
            if "too long" in str(error):
                return None, "connection broke: its headers are too long"
            return None, f"connection broke: {type(error).__name__}"
        headers = tuple(answer.headers.multi_items())
        response = Response(status=answer.status_code, headers=headers, body=body.text, size=body.size)
        deep = f"its elements are nested deeper than {pages.DEEPEST}" if pages.too_deep(response) else ""
        return response, "; ".join(filter(None, (body.problem, deep)))

    def _keep(self, page: Page, hide: Mapping[str, str] | None = None) -> Page:
        """Journal the page; hand back the uncovered one (with its number), so that the walk can go on."""
        journaled = page
        if page.response is not None:
            body = secrecy.with_finds(self.journal.redactor, page.response.body)
            journaled = replace(page, response=secrecy.in_answer(hide, replace(page.response, body=body)))
        return replace(page, n=self.journal.add(journaled).n)

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
        page = await self.ask(method, url, purpose=purpose, order=order, headers=headers, json=json, form=form)
        walked, opened = [page], [url]
        for _ in range(_HOPS):
            following = next_address(page)
            if not following:
                break
            opened.append(following)
            if self.place.where(following) != "integration":
                return Visit(tuple(walked), following, tuple(opened))
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
            walked.append(page)
        else:
            if next_address(page):
                self.journal.add(Step(text=f"the customer was sent on {_HOPS} times and gave up at {page.request.url}"))
        await self._load_scripts(page)
        return Visit(tuple(walked), "", tuple(opened))

    async def _load_scripts(self, page: Page) -> None:
        """The scripts that a page of the shop links to, and what its scripts fetch at once: a browser would."""
        if page.response is None or page.where != "integration" or "<script" not in page.response.body.lower():
            return
        texts: list[str] = []
        end = self.journal.now() + _SCRIPT_PATIENCE
        for tag in soup(page.response.body).find_all("script"):
            loaded = await self._load(page, str(tag["src"]), end) if tag.get("src") else None
            texts.append(loaded.response.body if loaded and loaded.response else tag.get_text())
        for text in texts:
            for address in _FETCHED.findall(text):
                await self._load(page, address, end)

    async def _load(self, page: Page, address: str, end: float) -> Page | None:
        url, left = urljoin(page.request.url, address), end - self.journal.now()
        if left <= 0 or url in self._scripts or self.place.where(url) != "integration" or len(self._scripts) >= 20:
            return None
        self._scripts.add(url)
        source = shown(page.request.url, header(page.response.headers, "referrer-policy") if page.response else "")
        return await self._send("GET", url, source, None, None, None, None, purpose="script", patience=left)

    def tab(self, *, name: str = "") -> Customer:
        """Another tab or device with the same cookies at this moment."""
        twin = Customer(
            self.place, self.journal, self.recipe, name=name or self.name, outside=self._outside, patience=self.patience
        )
        for cookie in self._client.cookies.jar:
            twin._client.cookies.jar.set_cookie(cookie)
        twin._shown, twin.form = self._shown, self.form
        return twin


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
