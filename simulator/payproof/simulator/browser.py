"""A customer at the hosted checkout, for unit tests: fills in the forms until the gateway sends them back."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import httpx

from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Payer, Profile
from payproof.contracts.reading.forms import Submission, leading_on
from payproof.contracts.reading.pages import soup

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
            way = _way(response, profile, profile.payers[payer])
            fields = way.fields or ()
            grouped = {name: [value for each, value in fields if each == name] for name, _ in fields}
            response = client.request(way.method, way.url, data=grouped)
    raise PayproofError("the hosted checkout goes round in circles", place=payment_url)


def _way(response: httpx.Response, profile: Profile, payer: Payer) -> Submission:
    """The form that leads on, filled in."""
    page = soup(response.text)
    if page.select_one(profile.hosted.problem) is None and (
        way := leading_on(page, str(response.url), profile.hosted, payer)
    ):
        return way
    heading = page.find("h1")
    message = heading.get_text(" ", strip=True) if heading else f"HTTP {response.status_code}"
    raise PayproofError(f"the hosted checkout does not go on: {message}", place=str(response.url))
