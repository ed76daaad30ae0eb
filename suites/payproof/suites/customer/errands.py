"""What a customer sets out for, and how far they came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from payproof.contracts.entries import Page
from payproof.contracts.profile import Fields


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
class CheckoutForm:
    """The page with the form that starts a checkout, the token read off the pages up to it, and the walks that led there."""

    page: Page | None = None
    csrf: str = ""
    walks: tuple[Visit, ...] = ()


@dataclass(frozen=True, slots=True)
class Errand:
    """One request that a customer makes. ``hide``: the payer's secrets in it."""

    method: str
    url: str
    purpose: str = ""
    order: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    json: Any = None
    form: Mapping[str, str] | Fields | None = None
    hide: Mapping[str, str] | None = None

    def sent_on(self, url: str, *, again: bool) -> Errand:
        """The request that a redirect leads to. ``again``: with the same method and body."""
        accept = {name: value for name, value in self.headers.items() if name.lower() == "accept"}
        if again:
            return replace(self, url=url, headers=accept)
        return replace(self, url=url, headers=accept, method="GET", json=None, form=None)
