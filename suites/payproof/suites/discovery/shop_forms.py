"""The forms of a shop's pages: what each is for, and what a customer would fill in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode, urlsplit

from bs4 import Tag

from payproof.contracts.entries import Page
from payproof.contracts.reading.addresses import joined
from payproof.contracts.reading.forms import form_fields
from payproof.contracts.reading.pages import soup

PAYS = re.compile(
    r"check\W?out|\bpay\b|payment|place.?order|\bbuy\b|purchase|kaufen|bestell|commander|payer|comprar|pagar",
    re.IGNORECASE,
)
_COLLECTS = re.compile(r"\badd|cart|basket|\bbag\b|warenkorb|panier|carrito", re.IGNORECASE)
AWAY = re.compile(r"log.?out|sign.?out|abmelden|delete|remove|cancel|^mailto:|^tel:", re.IGNORECASE)
_PRIVATE = re.compile(
    rf"{AWAY.pattern}|log.?in|sign.?(?:in|up)|register|search|contact|newsletter|anmelden", re.IGNORECASE
)
_AGREES = re.compile(r"terms|agree|accept|consent|condition|agb|datenschutz|privacy|cgv", re.IGNORECASE)
_VALUES = tuple(
    (re.compile(pattern, re.IGNORECASE), value)
    for pattern, value in (
        ("amount|price|total|montant|prix|betrag|summe|preis|importe|precio", "{order.amount}"),
        ("currency|devise|w(?:ä|ae)hrung|moneda", "{order.currency}"),
        ("^order$|order_?(id|no|number|ref)|bestell_?(id|nr|nummer)|reference", "{order.id}"),
        ("mail", "ada@example.test"),
        (r"phone|mobile|\btel", "+237600000001"),
        ("address|street|adresse|strasse|calle", "1 Example Street"),
        (r"city|town|ville|\bort\b|stadt|ciudad", "Douala"),
        (r"\bdate\b", "2030-01-15"),
        ("zip|post.?code", "10115"),
        ("name|guest|holder|recipient|customer|kunde|client", "Ada Example"),
        ("quantity|qty|count", "1"),
    )
)


def forms(page: Page) -> Sequence[Tag]:
    return soup(page.response.body if page.response else "").find_all("form")


def is_get(form: Tag) -> bool:
    return str(form.get("method") or "get").lower() != "post"


def leads_on(page: Page, form: Tag, after: Page) -> bool:
    """Whether other forms follow, and not the same one once more with a complaint beside it."""
    sent = (action_of(page, form), {name for name, _ in form_fields(form)})
    shown = [(action_of(after, each), {name for name, _ in form_fields(each)}) for each in forms(after)]
    return bool(shown) and sent not in shown


def says(form: Tag, words: re.Pattern[str]) -> bool:
    return bool(words.search(f"{form.get('action') or ''} {form.get('id') or ''} {_label(form)}"))


def is_collecting(form: Tag) -> bool:
    """The form puts something into the cart."""
    return bool(_COLLECTS.search(f"{form.get('action') or ''} {_label(form)}")) and not PAYS.search(_label(form))


def is_private(form: Tag) -> bool:
    """The form is for other things than buying: an account, a question, leaving."""
    return form.select_one("input[type=password i], input[type=search i], input[name=q i]") is not None or says(
        form, _PRIVATE
    )


def _label(form: Tag) -> str:
    """What stands on its buttons."""
    pressed = form.select("button:not([type=button]), input[type=submit], input[type=image]")
    return " ".join(f"{node.get_text(' ')} {node.get('value') or ''}" for node in pressed)


def is_hidden(form: Tag, name: str) -> bool:
    return form.find("input", attrs={"type": "hidden", "name": name}) is not None


def filled(form: Tag) -> dict[str, str]:
    """The fields that a person fills in, with what payproof's customer would write; hidden ones are read off the page each time."""
    given: dict[str, str] = {}
    for name, value in form_fields(form):
        if is_hidden(form, name):
            continue
        chosen = form.find("select", attrs={"name": name}) is not None
        node = form.find(["input", "textarea"], attrs={"name": name})
        text = f"{name} {node.get('type') or ''}" if node else name
        usual = next((usual for words, usual in _VALUES if words.search(text)), value.strip() or "1")
        given[name] = value if chosen and value else usual
    for box in form.select("input[type=checkbox i][name]:not([checked], [disabled])"):
        if box.has_attr("required") or _AGREES.search(str(box["name"])):
            given[str(box["name"])] = str(box.get("value", "on"))
    return given


def action_of(page: Page, form: Tag) -> str:
    return path_of(joined(page.request.url, str(form.get("action") or "")) or page.request.url)


def address_of(page: Page, form: Tag) -> str:
    """Where a form leads that is sent in an address."""
    return f"{action_of(page, form).partition('?')[0]}?{urlencode(filled(form), safe='{}')}"


def line_of(path: str, fields: Mapping[str, str]) -> str:
    """A form that is sent on the way, as a line of ``before``."""
    sent = "&".join(f"{name}={value.replace('&', ' ')}" for name, value in fields.items())
    return f"POST {path} {sent}".strip()


def path_of(url: str) -> str:
    """Path and query of an address; its braces are none of ours."""
    parts = urlsplit(url)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    return path.replace("{", "%7B").replace("}", "%7D")
