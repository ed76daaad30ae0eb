"""The customer: a browser without a screen that keeps every byte it is shown.

It follows redirects with cookies, resolves the integration's public https address to the running instance (as a TLS
terminating proxy would), uses the hosted checkout by its forms, and loads the scripts of the shop's own pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx

from payproof.contracts.entries import Page, Request, Response, Step, header
from payproof.contracts.journal import Journal
from payproof.contracts.profile import Fields, HostedRecipe
from payproof.contracts.reading import addresses, pages
from payproof.contracts.reading.addresses import joined
from payproof.contracts.reading.onward import next_address, reloads_after
from payproof.contracts.reading.pages import soup
from payproof.simulator import bounded_read as bounded
from payproof.suites.customer import navigation
from payproof.suites.customer import payer_redaction as secrecy
from payproof.suites.customer.cookies import Cookies
from payproof.suites.customer.errands import CheckoutForm, Errand, Visit
from payproof.suites.customer.navigation import Shown, shown
from payproof.suites.customer.routing import Proxy, Routing, address_of
from payproof.suites.customer.scripts import fetched, is_file
from payproof.suites.resources import lacking

_HOPS = 12
_RELOAD = 0.2
"""Seconds that a browser needs at least before a page is there again."""
_SCRIPT_PATIENCE = 10.0
"""Seconds for one script of a page, and for all of them together."""


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
        self.cookies = Cookies()
        self._way = Proxy(place, outside, address_of(name))
        self._scripts: set[str] = set()
        self._shown = Shown()
        self.form: CheckoutForm = CheckoutForm()
        """Where the customer stands before a checkout: kept for a second click, and in another tab."""

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
        return await self._open(Errand(method, url, purpose, order, headers or {}, json, form, hide))

    async def _open(self, errand: Errand) -> Page:
        page = await self._send(errand, self._source(errand.method.upper(), errand.url, errand.purpose))
        if page.response is not None and errand.json is None and not 300 <= page.response.status < 400:
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

    async def _send(self, errand: Errand, source: Shown, *, patience: float = 0.0) -> Page:
        where, hide = self.place.where(errand.url), errand.hide
        blank = Page(
            began=self.journal.now(),
            ended=0.0,
            where=where,
            purpose=errand.purpose,
            order=errand.order,
            customer=self.name,
            request=Request(method=errand.method, url=errand.url),
        )
        try:
            request = self._request(errand, source)
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            return self._keep(replace(blank, ended=self.journal.now(), problem=f"not an address: {error}"))
        if where == "integration":
            hide = None
        response, problem = await self._answer(request, patience or self.patience)
        if response is not None and where != "integration":
            cookies = [value for name, value in response.headers if name.lower() == "set-cookie"]
            values = [cookie.partition(";")[0].partition("=")[2] for cookie in cookies]
            secrecy.hide_session(self.journal.redactor, values, response.body)
        seen = secrecy.journaled(request, hide)
        return self._keep(
            replace(blank, ended=self.journal.now(), request=seen, response=response, problem=problem), hide
        )

    def _request(self, errand: Errand, source: Shown) -> httpx.Request:
        script = errand.purpose == "script"
        ours = navigation.headers(errand.method, errand.url, source, fetched=errand.json is not None, script=script)
        data = None if errand.form is None else _encode(errand.form)
        if data is not None:
            ours["Content-Type"] = "application/x-www-form-urlencoded"
        headers = navigation.merged(ours, errand.headers)
        # Without httpx's client, which reads each address, header and cookie several times.
        request = httpx.Request(
            errand.method,
            errand.url,
            headers=headers,
            json=errand.json,
            content=data,
            extensions={"timeout": httpx.Timeout(self.patience).as_dict()},
        )
        if self.cookies:
            self.cookies.set_cookie_header(request)
        return request

    async def _answer(self, request: httpx.Request, patience: float) -> tuple[Response | None, str]:
        """The answer, and what is wrong with it."""
        try:
            async with asyncio.timeout(patience):
                answer = await self._way.handle_async_request(request)
                answer.request = request
                if "set-cookie" in answer.headers:
                    self.cookies.extract_cookies(answer)
                body = await bounded.read(answer)
        except (TimeoutError, httpx.TimeoutException):
            return None, f"no answer within {patience:g} s"
        except httpx.ConnectError as error:
            if found := lacking(error):  # ours, and not the shop's
                raise found from None
            return None, "connection refused"
        # AttributeError: anyio has no word for a socket that closed as it connected.
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, LookupError, AttributeError) as error:
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
        errand = Errand(method, url, purpose, order, headers or {}, json, form)
        page = await self._open(errand)
        walked, opened = [page], [url]
        page = await self._waited(page, errand, walked)
        for _ in range(_HOPS):
            following = next_address(page)
            if not following:
                break
            opened.append(following)
            if self.place.where(following) != "integration":
                return Visit(tuple(walked), following, tuple(opened))
            again = page.response is not None and page.response.status in (307, 308)
            errand = errand.sent_on(following, again=again)
            page = await self._open(errand)
            walked.append(page)
            page = await self._waited(page, errand, walked)
        else:
            if next_address(page):
                self.journal.add(Step(text=f"the customer was sent on {_HOPS} times and gave up at {page.request.url}"))
        await self._load_scripts(page)
        return Visit(tuple(walked), "", tuple(opened))

    async def _waited(self, page: Page, errand: Errand, walked: list[Page]) -> Page:
        """A checkout's page that loads itself again while something is prepared is watched until it is another one, or leads on. One that
        names the gateway has what it waited for."""
        end = self.journal.now() + self.patience
        while errand.purpose == "checkout" and not self._named(page) and (pause := reloads_after(page)) is not None:
            if self.journal.now() + pause > end:
                self.journal.add(
                    Step(text=f"the customer waited {self.patience:g} s and gave up at {page.request.url}")
                )
                break
            await asyncio.sleep(max(pause, _RELOAD))
            page = await self._open(errand.sent_on(page.request.url, again=False))
            walked.append(page)
        return page

    def _named(self, page: Page) -> bool:
        return page.response is not None and any(site in page.response.body for site in self.place.sites)

    async def _load_scripts(self, page: Page) -> None:
        """The scripts that a page of the shop links to, and what its scripts fetch at once: a browser would."""
        if page.response is None or page.where != "integration" or "<script" not in page.response.body.lower():
            return
        end = self.journal.now() + _SCRIPT_PATIENCE
        texts = [
            await self._script(page, str(tag["src"]), end) if tag.get("src") else tag.get_text()
            for tag in soup(page.response.body).find_all("script")
        ]
        for text in texts:
            for address in fetched(text):
                await self._load(page, address, end)

    async def _script(self, page: Page, address: str, end: float) -> str:
        """The text of a script. One that is a file, the same for everybody, is loaded once from an instance."""
        url = joined(page.request.url, address)
        if (text := self.place.static.get(url)) is None:
            loaded = await self._load(page, address, end)
            answer = loaded.response if loaded else None
            text = answer.body if answer else ""
            if answer is not None and is_file(answer):
                self.place.static[url] = text
        return text

    async def _load(self, page: Page, address: str, end: float) -> Page | None:
        url, left = joined(page.request.url, address), end - self.journal.now()
        if left <= 0 or url in self._scripts or self.place.where(url) != "integration" or len(self._scripts) >= 20:
            return None
        self._scripts.add(url)
        source = shown(page.request.url, header(page.response.headers, "referrer-policy") if page.response else "")
        return await self._send(Errand("GET", url, "script"), source, patience=left)

    def tab(self, *, name: str = "") -> Customer:
        """Another tab or device with the same cookies at this moment."""
        twin = Customer(
            self.place, self.journal, self.recipe, name=name or self.name, outside=self._outside, patience=self.patience
        )
        for cookie in self.cookies.jar:
            twin.cookies.jar.set_cookie(cookie)
        twin._shown, twin.form = self._shown, self.form
        return twin


def _encode(form: Mapping[str, str] | Fields) -> bytes:
    pairs = list(form.items()) if isinstance(form, Mapping) else list(form)
    return str(httpx.QueryParams(pairs)).encode()  # type: ignore[arg-type]
