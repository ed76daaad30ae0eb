"""The forms of a hosted checkout, as a customer uses them: what a browser would send, filled in by the gateway's recipe."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from bs4 import BeautifulSoup, Tag

from payproof.contracts.profile import Fields, HostedRecipe, Payer
from payproof.contracts.reading.addresses import joined


@dataclass(frozen=True, slots=True)
class Submission:
    """What is sent when a form, or a link, is used. ``fields``: of a form that is sent in a body; those of any other are in ``url``."""

    method: str
    url: str
    fields: Fields | None = None
    action: str = ""
    """The form's own address."""


def leading_on(
    tree: BeautifulSoup, address: str, recipe: HostedRecipe, payer: Payer, *, bare: bool = False
) -> Submission | None:
    """The first form of a page that leads to paying, filled in as this payer; None when there is none. ``address``: the page's own;
    ``bare``: its hidden fields are left out."""
    for form in tree.find_all("form"):
        filled = recipe.fill(form_fields(form), payer)
        if filled is not None:
            unseen = {str(node.get("name")) for node in form.select("input[type=hidden]")} if bare else set[str]()
            return _sent(form, address, tuple(pair for pair in filled if pair[0] not in unseen))
    return None


def cancelling(tree: BeautifulSoup, address: str, recipe: HostedRecipe) -> Submission | None:
    """The link or button that cancels; None when there is none."""
    node = tree.select_one(recipe.cancel)
    if node is None:
        return None
    form = node if node.name == "form" else node.find_parent("form") if _submits(node) else None
    if not isinstance(form, Tag):
        return Submission("GET", joined(address, str(node.get("href") or "")) or address)
    own = ((str(node["name"]), str(node.get("value", ""))),) if form is not node and node.get("name") else ()
    return _sent(form, address, (*form_fields(form), *own))


def _submits(node: Tag) -> bool:
    """Whether it sends its form when it is pressed: a button that says nothing else does."""
    kinds = {"button": ("", "submit"), "input": ("submit", "image")}
    return str(node.get("type") or "").lower() in kinds.get(node.name, ())


def _sent(form: Tag, address: str, fields: Fields) -> Submission:
    method, action = str(form.get("method", "get")).upper(), joined(address, str(form.get("action") or "")) or address
    if method != "GET":
        return Submission(method, action, fields, action)
    url = f"{action}{'&' if '?' in action else '?'}{urlencode(fields)}" if fields else action
    return Submission(method, url, None, action)


def form_fields(form: Tag) -> Fields:
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
