"""Which server the suite talks to, and as whom."""

from __future__ import annotations

import base64
import contextlib
import ssl
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from payproof.contracts.model import PayproofError
from payproof.contracts.profile import Profile
from payproof.simulator.relay.upstream import trust
from payproof.suites.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A server. ``rate``: requests a minute, 0: as fast as it can."""

    profile: Profile
    name: str
    base_url: str
    client_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    currencies: tuple[str, ...]
    other: tuple[str, str] | None = field(default=None, repr=False)
    """Client id and secret key of a second merchant there."""
    ca: Path | None = None
    rate: int = 0

    @property
    def origin(self) -> str:
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        return urlsplit(self.base_url).path.rstrip("/")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The server's own, and its hosted checkout's where the gateway has another for it."""
        return tuple(urlsplit(site).netloc for site in (self.origin, self.profile.site(self.origin, "checkout")))

    def basic(self, operation: str, merchant: tuple[str, str] | None = None) -> str:
        """The Authorization header of the call that issues an access token, where credentials travel in it; else empty."""
        travels = any(each.travels == "basic" for each in self.profile.credentials)
        if not travels or self.profile.role_of(operation) != "authenticate":
            return ""
        pair = ":".join(merchant or (self.client_id, self.secret_key))
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def trust(self) -> ssl.SSLContext | bool:
        """For HTTPS: the system's authorities, and a private one where it is named.

        Raises:
            PayproofError: it cannot be read.
        """
        if not self.base_url.startswith("https:"):
            return False
        return trust(self.ca)


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
    settings = config.sandbox
    if settings is None or settings.missing:
        raise PayproofError(
            "no sandbox is configured" if settings is None else f"not set: {', '.join(settings.missing)}",
            place="payproof.toml: [sandbox]",
            remedy="give base_url, client_id and secret_key of your account at the gateway's sandbox; "
            'keep them in the environment: client_id = "${PAYPROOF_SANDBOX_CLIENT_ID}"',
        )
    base_url = settings.base_url.rstrip("/")
    return Where(
        profile=config.profile,
        name=f"sandbox at {urlsplit(base_url).netloc}",
        base_url=base_url,
        client_id=settings.client_id,
        secret_key=settings.secret_key,
        currencies=config.currencies,
        other=(other.client_id, other.secret_key) if (other := settings.other) and not other.missing else None,
        ca=config.folder / settings.ca if settings.ca else None,
        rate=settings.rate if rate is None else rate,
    )
