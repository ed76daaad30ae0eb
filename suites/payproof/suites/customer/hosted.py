"""The customer at the gateway's hosted checkout: logs in, pays or cancels, by the page's own forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from bs4 import BeautifulSoup, Tag

from payproof.contracts.entries import Page, Step
from payproof.contracts.judging.steps import StepName
from payproof.contracts.profile import HostedRecipe, Payer
from payproof.contracts.reading.addresses import joined
from payproof.contracts.reading.forms import Submission, cancelling, leading_on
from payproof.contracts.reading.onward import next_address
from payproof.contracts.reading.pages import soup
from payproof.suites.customer import payer_redaction as secrecy
from payproof.suites.customer.customer import Customer

_HOPS = 12

TabState: TypeAlias = Literal["new", "confirm", "left", "problem", "stuck", "no_answer"]


class Tab(Protocol):
    """A tab at the hosted checkout, whoever uses it. What its states mean: see ``HostedTab``."""

    state: TabState
    url: str

    async def open(self, payment_url: str) -> Tab: ...

    async def confirm(self) -> Tab: ...

    async def cancel(self) -> Tab: ...


@dataclass(slots=True)
class HostedTab:
    """A tab at the hosted checkout, by forms. ``state``: ``confirm`` (ready to pay or cancel), ``left`` (sent back to the shop,
    ``url`` says where), ``problem`` (the gateway says that this payment cannot go on; ``url`` is its way back),
    ``stuck`` (no form that we know, or not the gateway's: a step of the probe run says where), ``no_answer``."""

    customer: Customer
    payer: Payer
    order: str = ""
    state: TabState = "new"
    url: str = ""
    page: Page | None = None
    seen: list[Page] = field(default_factory=list[Page])
    _sent: set[str] = field(default_factory=set[str])

    async def open(self, payment_url: str) -> HostedTab:
        """Open the hosted checkout and log in, up to the page where one pays or cancels."""
        await self._go(Submission("GET", payment_url))
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
        way = cancelling(soup(self.page.response.body), self.page.request.url, self.customer.recipe)
        if way is None:
            self.state = "stuck"
        else:
            await self._go(way)
            if self.state == "confirm":
                self._stuck("the way to cancel leads to a page where one can still pay")
        return self

    async def _submit(self) -> None:
        assert self.page
        assert self.page.response
        tree, address = soup(self.page.response.body), self.page.request.url
        way = leading_on(tree, address, self.customer.recipe, self.payer)
        # The same form come back: what we typed is not accepted, and typing it again will not help.
        if way is not None and way.action not in self._sent:
            self._sent.add(way.action)
            await self._go(way)
            return
        frames = [joined(address, str(frame["src"])) for frame in tree.select("iframe[src]")]
        reason = next((why for frame in frames if (why := self.customer.place.foreign(frame))), "")
        if reason:
            self._stuck(f"the page has no form of its own but a frame, and {reason}")
        else:
            self.state = "stuck"

    async def _go(self, way: Submission) -> None:
        method, url, fields = way.method, way.url, way.fields
        for _ in range(_HOPS):
            if self.customer.place.where(url) == "integration":
                self.state, self.url = "left", url
                return
            if reason := self.customer.place.foreign(url):
                self._stuck(reason)
                return
            page = await self.customer.ask(
                method,
                url,
                purpose="hosted",
                order=self.order,
                form=fields,
                hide=secrecy.of_payer(self.payer),
            )
            self.page = page
            self.seen.append(page)
            if page.response is None:
                self.state = "no_answer"
                return
            following = next_address(page)
            if not following:
                break
            url = following
            if page.response.status not in (307, 308):
                method, fields = "GET", None
        else:
            self._stuck(f"it sends the customer on {_HOPS} times without a page, last to {url.partition('?')[0]}")
            return
        answer, recipe = page.response, self.customer.recipe
        self.state, self.url = judge(soup(answer.body), answer.status, page.request.url, recipe)

    def _stuck(self, reason: str) -> None:
        self.state, self.url = "stuck", ""
        self.customer.journal.add(stuck(reason))


def judge(
    tree: BeautifulSoup, status: int, address: str, recipe: HostedRecipe, *, settled: bool = True
) -> tuple[TabState, str]:
    """What a page of the hosted checkout is: (state, way back to the shop of a ``problem``). ``settled``: nothing more will
    appear on it by itself."""
    problem = tree.select_one(recipe.problem)
    if problem is not None or status >= 400:
        link = (problem or tree).find("a", href=True) or tree.find("a", href=True)
        return "problem", joined(address, str(link["href"])) if isinstance(link, Tag) else ""
    if tree.select_one(recipe.cancel) is not None or (recipe.paying and tree.select_one(recipe.paying) is not None):
        return "confirm", ""
    link = tree.find("a", href=True)
    if settled and tree.find("form") is None and isinstance(link, Tag):
        # Nothing to fill in and a way out: this payment cannot go on, whatever the page calls it.
        return "problem", joined(address, str(link["href"]))
    return "new", ""


def stuck(reason: str) -> Step:
    """The step that says so."""
    return Step(text=f"the customer cannot go on at the hosted checkout: {reason}", name=StepName.STUCK)
