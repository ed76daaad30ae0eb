"""Which server the suite talks to, and as whom."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from payproof.contracts.profile import Profile
from payproof.simulator.relay.upstream import SandboxAddress
from payproof.suites.config import Config
from payproof.suites.session.sandbox import address_of, sandbox_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Where(SandboxAddress):
    """A server. ``rate``: requests a minute, 0: as fast as it can."""

    profile: Profile
    name: str
    currencies: tuple[str, ...]
    other: tuple[str, str] | None = field(default=None, repr=False)
    """Client id and secret key of a second merchant there."""
    rate: int = 0

    @property
    def hosts(self) -> tuple[str, ...]:
        """The server's own, and its hosted checkout's where the gateway has another for it."""
        checkout = self.checkout or self.profile.site(self.origin, "checkout")
        return tuple(urlsplit(site).netloc for site in (self.origin, checkout))

    def key(self, merchant: tuple[str, str] | None = None) -> str:
        """What travels as a bearer where no call issues access tokens: the merchant's own key; empty where one does."""
        return "" if self.profile.has("authenticate") else (merchant or (self.client_id, self.secret_key))[1]

    def issues(self, operation: str) -> bool:
        """Whether this call issues access tokens, and so cannot ask for one, whatever its document says of security."""
        return self.profile.role_of(operation) == "authenticate"

    def basic(self, operation: str, merchant: tuple[str, str] | None = None) -> str:
        """The Authorization header of the call that issues an access token, where credentials travel in it; else empty."""
        travels = any(each.travels == "basic" for each in self.profile.credentials)
        if not travels or not self.issues(operation):
            return ""
        pair = ":".join(merchant or (self.client_id, self.secret_key))
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


@contextlib.contextmanager
def simulated(profile: Profile, *, seed: int = 0) -> Generator[Where]:
    """The simulator of this gateway, on a loopback port of its own."""
    from payproof.simulator.testing import GatewayThread

    with GatewayThread(profile, knobs=profile.strict, seed=seed) as gateway:
        other = gateway.add_merchant("other")
        yield Where(
            profile=profile,
            name="simulator",
            base_url=gateway.base_url,
            client_id=gateway.client_id,
            secret_key=gateway.secret_key,
            currencies=profile.currencies,
            other=(other.client_id, other.secret_key),
        )


def sandbox(config: Config, *, rate: int | None = None) -> Where:
    """The sandbox of a configuration.

    Raises:
        PayproofError: there is none, or its environment variables are not set.
    """
    settings = sandbox_of(config)
    address = address_of(config, settings)
    return Where(
        profile=config.profile,
        name=f"sandbox at {urlsplit(address.base_url).netloc}",
        base_url=address.base_url,
        client_id=settings.client_id,
        secret_key=settings.secret_key,
        currencies=config.currencies,
        other=(other.client_id, other.secret_key) if (other := settings.other) and not other.missing else None,
        ca=address.ca,
        checkout=address.checkout,
        rate=settings.rate if rate is None else rate,
    )
