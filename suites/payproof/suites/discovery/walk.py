"""A walk through a shop as a new customer would take it, to the form that starts a payment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin, urlsplit

from bs4 import Tag

from payproof.contracts.entries import Page
from payproof.contracts.forms import form_fields
from payproof.contracts.pages import is_html, soup
from payproof.suites.config import Config
from payproof.suites.config.placeholders import fill
from payproof.suites.customer.customer import Customer, Visit
from payproof.suites.driver import standing
from payproof.suites.session.progress import Progress
from payproof.suites.session.session import opened
from payproof.suites.session.world import World

_PAYS = re.compile(
    r"check\W?out|\bpay\b|payment|place.?order|\bbuy\b|purchase|kaufen|bestell|commander|payer|comprar|pagar",
    re.IGNORECASE,
)
_COLLECTS = re.compile(r"\badd|cart|basket|\bbag\b|warenkorb|panier|carrito", re.IGNORECASE)
_LEADS = re.compile(r"product|item|shop|cart|basket|check\W?out|order|buy|panier|article|book", re.IGNORECASE)
_AWAY = re.compile(r"log.?out|sign.?out|abmelden|delete|remove|cancel|^mailto:|^tel:", re.IGNORECASE)
_PRIVATE = re.compile(
    rf"{_AWAY.pattern}|log.?in|sign.?(?:in|up)|register|search|contact|newsletter|anmelden", re.IGNORECASE
)
_AGREES = re.compile(r"terms|agree|accept|consent|condition|agb|datenschutz|privacy|cgv", re.IGNORECASE)
_VALUES = tuple(
    (re.compile(pattern, re.IGNORECASE), value)
    for pattern, value in (
        ("amount|price|total|montant|betrag", "{order.amount}"),
        ("currency|devise|w(?:ä|ae)hrung|moneda", "{order.currency}"),
        ("^order$|order_?(id|no|number|ref)|reference", "{order.id}"),
        ("mail", "ada@example.test"),
        (r"phone|mobile|\btel", "+237600000001"),
        ("address|street|adresse|strasse|rue|calle", "1 Example Street"),
        (r"city|town|ville|\bort\b|stadt|ciudad", "Douala"),
        (r"\bdate\b", "2030-01-15"),
        ("zip|post.?code", "10115"),
        ("name|guest|holder|recipient|customer|kunde|client", "Ada Example"),
        ("quantity|qty|count", "1"),
    )
)
_STEPS = 15
"""Pages that a walk opens at most."""
_SENT = 8
"""Forms that it sends at most, besides those that put something into the cart."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to pay: the pages that are opened before, the form that is sent, and where its answer says where to pay."""

    before: tuple[str, ...]
    path: str
    fields: Mapping[str, str]
    redirect: str


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where the customer stands, and what was opened to get there."""

    page: Page
    before: tuple[str, ...]


async def walked(config: Config, progress: Progress | None = None) -> Way | None:
    """Start the integration and look for a form that leads to the gateway's hosted checkout.

    Raises:
        PayproofError: the integration does not start.
    """
    found: list[Way | None] = []

    async def look(world: World) -> bool:
        found.append(await _Walk(world).way())
        return found[-1] is not None

    async with opened(config, progress=progress) as session:
        await session.begin("walk", look)
    return found[-1]


class _Walk:
    def __init__(self, world: World) -> None:
        self.world, self.opened = world, set[str]()
        self.stands: list[_Stand] = []
        self.sent = 0
        self.elsewhere: list[tuple[_Stand, str]] = []
        """Links whose words say nothing of paying, and where they stand: the way to the till may be one of them."""
        self.unsure: list[tuple[_Stand, Tag]] = []
        """Forms of which the same is true."""
        order = world.new_order()
        self.values = order.values(world.profile.money.decimals(order.currency))

    async def way(self) -> Way | None:
        """The first way that leads to the gateway: links are followed, what can be bought is put into the cart, and a form that
        shows another one is a step on the way."""
        customer = self.world.customer()
        self.stands += [_Stand(page, ("GET /",)) for page in [await self._open(customer, "/")] if page]
        while True:
            way = None
            if self.stands:
                way = await self._looked_at(customer, self.stands.pop(0))
            elif self.elsewhere and len(self.opened) < _STEPS:
                self.stands += await self._tried(customer, *self.elsewhere.pop())
            elif self.unsure and self.sent < _SENT:
                way = await self._submitted(customer, *self.unsure.pop(0))
            else:
                return None
            if way:
                return way

    async def _looked_at(self, customer: Customer, stand: _Stand) -> Way | None:
        """Use what is on a page; the way, when one of its forms starts the payment."""
        for form in _forms(stand.page):
            if _is_collecting(form):
                continue
            if _is_get(form):
                self.elsewhere += [(stand, _address(stand.page, form))] if not _is_private(form) else []
            elif _is(form, _PAYS) and self.sent < _SENT:
                if way := await self._submitted(customer, stand, form):
                    return way
            elif not _is_private(form):
                self.unsure.append((stand, form))
        for form in filter(_is_collecting, _forms(stand.page)):
            if (after := await self._collected(customer, stand, form)) is not None:
                self.stands.insert(0, after)
        self.stands += await self._followed(customer, stand)
        return None

    async def _open(self, customer: Customer, path: str) -> Page | None:
        """A page of the shop that was not opened yet; None when there is none."""
        if path in self.opened or len(self.opened) >= _STEPS:
            return None
        self.opened.add(path)
        url = urljoin(self._base, fill(path, self.values, "form"))
        page = (await customer.browse("GET", url, purpose="walk")).page
        return page if page and _is_shown(page) else None

    @property
    def _base(self) -> str:
        return self.world.place.public_url

    async def _followed(self, customer: Customer, stand: _Stand) -> list[_Stand]:
        """The pages that this one links to and that may lead to paying."""
        found: list[_Stand] = []
        for link in soup(stand.page.response.body if stand.page.response else "").find_all("a", href=True):
            url = urljoin(stand.page.request.url, str(link["href"]))
            words = f"{_path(url)} {link.get_text()}"
            if self.world.place.where(url) != "integration" or _AWAY.search(words):
                continue
            if _LEADS.search(words):
                found += await self._tried(customer, stand, _path(url))
            else:
                self.elsewhere.append((stand, _path(url)))
        return found

    async def _tried(self, customer: Customer, stand: _Stand, path: str) -> list[_Stand]:
        """The page behind a link, if it is one and was not opened before."""
        page = await self._open(customer, path)
        return [] if page is None else [_Stand(page, (*stand.before, f"GET {path}"))]

    async def _collected(self, customer: Customer, stand: _Stand, form: Tag) -> _Stand | None:
        """The page after something was put into the cart; once for each form."""
        path = _action(stand.page, form)
        if f"POST {path}" in self.opened:
            return None
        self.opened.add(f"POST {path}")
        visit = await self._sent(customer, stand, form, dict(form_fields(form)))
        shown = {name: value for name, value in form_fields(form) if not _hidden(form, name)}
        return _Stand(visit.page, (*stand.before, _line(path, shown))) if visit.page and _is_shown(visit.page) else None

    async def _submitted(self, customer: Customer, stand: _Stand, form: Tag) -> Way | None:
        """What became of a form that may start the payment: when it does, the way; when another form follows, a step on it."""
        self.sent += 1
        fields, path = _filled(form), _action(stand.page, form)
        called = len(self.world.calls())
        visit = await self._sent(customer, stand, form, {**dict(form_fields(form)), **self._valued(fields)})
        redirect = self._leads(visit)
        if redirect or len(self.world.calls()) > called:  # also when the gateway refused: the next try says why
            return Way(_shortened(stand.before), path, fields, redirect or "location")
        if visit.page and _is_shown(visit.page) and any(_other(form, each) for each in _forms(visit.page)):
            self.stands.append(_Stand(visit.page, (*stand.before, _line(path, fields))))
        return None

    def _valued(self, fields: Mapping[str, str]) -> dict[str, str]:
        return {name: fill(text, self.values, "form") for name, text in fields.items()}

    async def _sent(self, customer: Customer, stand: _Stand, form: Tag, fields: Mapping[str, str]) -> Visit:
        url = urljoin(stand.page.request.url, str(form.get("action") or stand.page.request.url))
        return await customer.browse("POST", url, purpose="walk", form=tuple(fields.items()))

    def _leads(self, visit: Visit) -> str:
        """The pointer to the address to pay at; empty when this leads nowhere."""
        if visit.url and self.world.place.where(visit.url) == "checkout":
            return "location"
        for page in visit.pages:
            if found := next(standing.pointers_to(page, lambda url: self.world.place.where(url) == "checkout"), ""):
                return found
        return ""


def _is_shown(page: Page) -> bool:
    """Whether a person sees a page of the shop."""
    return page.where == "integration" and bool(page.response and page.response.status < 400 and is_html(page.response))


def _forms(page: Page) -> Sequence[Tag]:
    return soup(page.response.body if page.response else "").find_all("form")


def _is_get(form: Tag) -> bool:
    return str(form.get("method") or "get").lower() != "post"


def _other(form: Tag, another: Tag) -> bool:
    """Whether this is not the same form once more, with a complaint beside it."""
    return {name for name, _ in form_fields(form)} != {name for name, _ in form_fields(another)}


def _is(form: Tag, words: re.Pattern[str]) -> bool:
    return bool(words.search(f"{form.get('action') or ''} {form.get('id') or ''} {_label(form)}"))


def _is_collecting(form: Tag) -> bool:
    """The form puts something into the cart."""
    return bool(_COLLECTS.search(f"{form.get('action') or ''} {_label(form)}")) and not _PAYS.search(_label(form))


def _is_private(form: Tag) -> bool:
    """The form is for other things than buying: an account, a question, leaving."""
    return form.select_one("input[type=password i], input[type=search i], input[name=q i]") is not None or _is(
        form, _PRIVATE
    )


def _label(form: Tag) -> str:
    """What stands on its buttons."""
    pressed = form.select("button:not([type=button]), input[type=submit], input[type=image]")
    return " ".join(f"{node.get_text(' ')} {node.get('value') or ''}" for node in pressed)


def _hidden(form: Tag, name: str) -> bool:
    return form.find("input", attrs={"type": "hidden", "name": name}) is not None


def _filled(form: Tag) -> dict[str, str]:
    """The fields that a person fills in, with what payproof's customer would write; hidden ones are read off the page each time."""
    given: dict[str, str] = {}
    for name, value in form_fields(form):
        if _hidden(form, name):
            continue
        chosen = form.find("select", attrs={"name": name}) is not None
        node = form.find(["input", "textarea"], attrs={"name": name})
        told = f"{name} {node.get('type') or ''}" if node else name
        usual = next((usual for words, usual in _VALUES if words.search(told)), value.strip() or "1")
        given[name] = value if chosen and value else usual
    for box in form.select("input[type=checkbox i][name]:not([checked], [disabled])"):
        if box.has_attr("required") or _AGREES.search(str(box["name"])):
            given[str(box["name"])] = str(box.get("value", "on"))
    return given


def _action(page: Page, form: Tag) -> str:
    return _path(urljoin(page.request.url, str(form.get("action") or page.request.url)))


def _address(page: Page, form: Tag) -> str:
    """Where a form leads that is sent in an address."""
    return f"{_action(page, form).partition('?')[0]}?{urlencode(_filled(form), safe='{}')}"


def _line(path: str, fields: Mapping[str, str]) -> str:
    """A form that is sent on the way, as a line of ``before``."""
    sent = "&".join(f"{name}={value.replace('&', ' ')}" for name, value in fields.items())
    return f"POST {path} {sent}".strip()


def _path(url: str) -> str:
    """Path and query of an address; its braces are none of ours."""
    parts = urlsplit(url)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    return path.replace("{", "%7B").replace("}", "%7D")


def _shortened(before: tuple[str, ...]) -> tuple[str, ...]:
    """Without the pages that were only passed: what stays is what changes something, with the page it was sent from, and the last."""
    last = len(before) - 1
    sent = {number for number, line in enumerate(before) if line.startswith("POST")}
    return tuple(line for number, line in enumerate(before) if number == last or number in sent or number + 1 in sent)
