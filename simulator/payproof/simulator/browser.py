"""A customer at the hosted checkout, for unit tests: fills in the forms until the gateway sends them back."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import httpx
from bs4 import BeautifulSoup, Tag

from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Fields, Profile

_MOST_PAGES = 10


def pay(payment_url: str, profile: Profile, payer: str = "paid") -> str:
    """Pay as one of the profile's payers; returns the address that the gateway sends the customer to.

    Raises:
        PayproofError: no such payer, or the checkout does not lead back to the shop.
    """
    if payer not in profile.payers:
        raise PayproofError(
            f'there is no payer "{payer}"', place="payer", remedy=f"there are: {', '.join(profile.payers)}"
        )
    # The certificate of a simulator on loopback proves nothing, and the browser never leaves its address.
    with httpx.Client(verify=False) as client:
        response = client.get(payment_url)
        for _ in range(_MOST_PAGES):
            if response.is_redirect:
                target = urljoin(str(response.url), response.headers["location"])
                if urlsplit(target).netloc != urlsplit(payment_url).netloc:
                    return target
                response = client.get(target)
                continue
            action, fields = _filled(response, profile, payer)
            response = client.post(urljoin(str(response.url), action), data=_grouped(fields))
    raise PayproofError("the hosted checkout goes round in circles", place=payment_url)


def _filled(response: httpx.Response, profile: Profile, payer: str) -> tuple[str, Fields]:
    """The form that leads on, filled in."""
    page = BeautifulSoup(response.text, "html.parser")
    if page.select_one(profile.hosted.problem) is None:
        for form in page.find_all("form"):
            if (fields := profile.hosted.fill(_fields(form), profile.payers[payer])) is not None:
                return str(form.get("action", "")), fields
    heading = page.find("h1")
    said = heading.get_text(" ", strip=True) if heading else f"HTTP {response.status_code}"
    raise PayproofError(f"the hosted checkout does not go on: {said}", place=str(response.url))


def _fields(form: Tag) -> Fields:
    found: list[tuple[str, str]] = []
    for tag in form.find_all("input"):
        name, kind = str(tag.get("name", "")), str(tag.get("type", "text"))
        if name and (kind not in ("radio", "checkbox") or tag.has_attr("checked")):
            found.append((name, str(tag.get("value", ""))))
    return tuple(found)


def _grouped(fields: Fields) -> dict[str, list[str]]:
    """Repeated names, in their order."""
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return found
