"""A tab at the hosted checkout in a real browser: scripts run, real buttons are pressed."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from bs4 import Tag

from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Fields, Payer
from payproof.contracts.reading.addresses import joined
from payproof.contracts.reading.forms import form_fields
from payproof.suites.customer import payer_redaction as secrecy
from payproof.suites.customer.browser import dom
from payproof.suites.customer.browser.browser import Browser
from payproof.suites.customer.browser.watch import Watch
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.hosted import TabState, judge, stuck

if TYPE_CHECKING:
    from playwright.async_api import Page

PATIENCE = 15.0
"""Seconds that the customer waits for the page to go on."""
QUIET = 1.0
"""Seconds without any change after which a loaded page is what it is."""
CLOSES_WITHIN = 5.0
"""Seconds that a tab has to close."""
_FORMS = 6
_ITS_OWN = "chrome-error:"
"""How the addresses of a Chromium's own error pages begin."""

_Aim: TypeAlias = Literal["log in", "pay", "cancel"]


@dataclass(slots=True)
class BrowserTab:
    """A tab at the hosted checkout, in a browser; its states are those of ``HostedTab``. ``reason``: why it is ``stuck`` or
    had ``no_answer``. The page is closed once there is nothing more to do on it."""

    browser: Browser
    customer: Customer
    payer: Payer
    order: str = ""
    state: TabState = "new"
    url: str = ""
    reason: str = ""
    _page: Page | None = None
    _watch: Watch | None = None
    _form: tuple[Tag, Fields, float] | None = None
    """What to fill in next, with what, and the document that it stands in."""
    _sent: dict[str, float] = field(default_factory=dict[str, float])
    """Forms that were sent -> the document that they stood in."""
    _committed: bool = False
    """The button that pays or cancels was pressed."""

    async def open(self, payment_url: str) -> BrowserTab:
        """Open the hosted checkout and log in, up to the page where one pays or cancels."""
        from playwright.async_api import Error

        self._page = await self.browser.page(self.customer)
        session = await self._page.context.new_cdp_session(self._page)
        self._watch = Watch(self._page, session, self.customer, self.payer, self.order)
        await self._watch.start()
        with contextlib.suppress(Error):  # the watch knows what came of it
            await self._page.goto(payment_url, wait_until="commit", timeout=PATIENCE * 1000)
        await self._go_on("log in")
        return self

    async def confirm(self) -> BrowserTab:
        """Pay, through as many further forms (a one-time code, say) as it takes."""
        if self.state in ("confirm", "new") and self._page is not None:
            await self._go_on("pay")
        return self

    async def cancel(self) -> BrowserTab:
        """Use the cancel link or button of the page."""
        if self.state == "confirm" and self._page is not None:
            from playwright.async_api import Error

            self._committed = True
            with contextlib.suppress(Error):  # what came of it is seen on the page
                await dom.press(self._page, self.customer.recipe.cancel, seconds=PATIENCE)
            await self._settle("cancel")
            await self._close_if_over()
        return self

    async def _go_on(self, aim: _Aim) -> None:
        for _ in range(_FORMS):
            await self._settle(aim)
            if self._form is None:
                break
            await self._submit(aim)
        else:
            self._stuck(f"the page asks for more than {_FORMS} forms in a row")
        await self._close_if_over()

    async def _submit(self, aim: _Aim) -> None:
        from playwright.async_api import Error

        assert self._page
        assert self._form
        form, filled, document = self._form
        self._sent[_key(form)] = document
        self._committed = aim == "pay"
        secrecy.hide_session(self.customer.journal.redactor, (), str(form))
        # An error: the page went on by itself, or it does not go on at all. Which of them, it shows.
        with contextlib.suppress(Error, IndexError, TimeoutError):
            await dom.fill_in(self._page, form, filled, cancel=self.customer.recipe.cancel, seconds=PATIENCE)

    async def _settle(self, aim: _Aim) -> None:
        """Wait until the page is something that one can do something with, or until patience ends."""
        assert self._watch
        now = asyncio.get_running_loop().time
        end, before, self._form = now() + PATIENCE, "", None
        while True:
            look = await self._look()
            if self._watch.left.done():
                self.state, self.url = "left", self._watch.left.result()
                return
            if self._watch.blocked:
                self._stuck(self._watch.blocked)
                return
            if self._watch.failed:
                self.state, self.reason = "no_answer", self._watch.failed
                return
            if look is not None and look.address.startswith(_ITS_OWN):
                # Of an answer that failed the watch knows; what is left is a way without end.
                self._stuck(f"the browser gave up, and says: {_words(look)}")
                return
            quiet = look is not None and look.ready and look.html == before and not self._watch.busy
            before = look.html if look else ""
            if look is not None and self._judge(look, aim, quiet=quiet):
                return
            if now() >= end:
                self._give_up(look)
                return
            await self._change(min(QUIET, max(end - now(), 0.05)))

    def _judge(self, look: dom.PageLook, aim: _Aim, *, quiet: bool) -> bool:
        """Note what the page is; false while it may still become something else."""
        tree, recipe = look.tree, self.customer.recipe
        # After the last button a page with nothing but a link may be a "thank you" that goes on by itself.
        self.state, self.url = judge(tree, look.status, look.address, recipe, settled=quiet and not self._committed)
        if self.state == "problem":
            return True
        forms = [form for form in tree.find_all("form") if recipe.fill(form_fields(form), self.payer) is not None]
        new = [form for form in forms if _key(form) not in self._sent]
        if aim == "log in" and self.state == "confirm":
            return True
        if aim != "cancel" and new:
            if reason := self._leads_away(look, new[0]):
                self._stuck(reason)
                return True
            filled = recipe.fill(form_fields(new[0]), self.payer)
            self._form = None if filled is None else (new[0], filled, look.document)
            return True
        if quiet and any(self._sent.get(_key(form), look.document) != look.document for form in forms):
            # What we typed is not accepted, and typing it again will not help.
            self._stuck(f"the page asks again for what was given: {_words(look)}")
            return True
        return False

    def _leads_away(self, look: dom.PageLook, form: Tag) -> str:
        """Why nothing is typed into this form; empty where it stands and is sent at the gateway."""
        base = look.tree.select_one("base[href]")
        buttons = [str(node["formaction"]) for node in form.select("[formaction]")]
        here = joined(look.address, str(base["href"])) if base else look.address
        place = self.customer.place
        sent_to = (joined(here, action) for action in (str(form.get("action", "")), *buttons) if action)
        # A script's form is watched when it sends something; the shop's address ends the tab, and nothing is sent there.
        places = [to for to in sent_to if to.startswith("http") and place.where(to) != "integration"]
        return next((why for to in (look.address, *places) if (why := place.foreign(to))), "")

    def _give_up(self, look: dom.PageLook | None) -> None:
        assert self._watch
        self._form = None
        if self._watch.give_up(PATIENCE):
            self.state, self.reason = "no_answer", f"no answer within {PATIENCE:g} s"
            return
        if look is not None:
            self.state, self.url = judge(look.tree, look.status, look.address, self.customer.recipe)
        if self.state != "problem":
            self._stuck(f"the page did not go on within {PATIENCE:g} s; it shows: {_words(look)}")

    def _stuck(self, reason: str) -> None:
        reason = secrecy.without(secrecy.of_payer(self.payer), reason)
        self.state, self.url, self.reason, self._form = "stuck", "", reason, None
        self.customer.journal.add(stuck(reason))

    async def _look(self) -> dom.PageLook | None:
        """The page as it stands; None while its document is just being replaced."""
        from playwright.async_api import Error

        assert self._page
        recipe = self.customer.recipe
        try:
            return await asyncio.wait_for(dom.look(self._page, recipe.cancel, recipe.problem), PATIENCE)
        except (Error, TimeoutError):
            if self._page.is_closed():
                raise PayproofError(
                    "the browser was closed while a customer used it",
                    place='sandbox.customer = "browser"',
                    remedy="leave it open until the run ends",
                ) from None
            return None

    async def _change(self, seconds: float) -> None:
        """Return when something changes on the page or the tab leaves for the shop, after ``seconds`` at the latest."""
        assert self._page
        assert self._watch
        changing = asyncio.ensure_future(dom.change(self._page, seconds))
        # A document that goes away ends this with an error, which is a change too.
        changing.add_done_callback(lambda task: task.cancelled() or task.exception())
        either: set[asyncio.Future[Any]] = {changing, self._watch.left}
        await asyncio.wait(either, timeout=seconds + QUIET, return_when=asyncio.FIRST_COMPLETED)

    async def _close_if_over(self) -> None:
        if self._page is not None and self.state not in ("confirm", "new"):
            page, self._page = self._page, None
            if self._watch is not None:
                self._watch.over = True
            # A page that never stops going somewhere may not close; the browser's end takes it along.
            with contextlib.suppress(Exception):
                await asyncio.wait_for(page.close(), CLOSES_WITHIN)


def _key(form: Tag) -> str:
    names = " ".join(sorted({name for name, _ in form_fields(form)}))
    return f"{form.get('action', '')} {names}"


def _words(look: dom.PageLook | None) -> str:
    return " ".join(look.tree.get_text(" ").split())[:200] or "nothing" if look else "nothing"
