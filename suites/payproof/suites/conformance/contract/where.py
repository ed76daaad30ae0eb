"""Which server the suite talks to, and as whom."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from payproof.contracts.profile import Profile
from payproof.simulator.relay.upstream import SandboxAddress
from payproof.suites.config import Config
from payproof.suites.session.sandbox import address_of, sandbox_of

# The suite counts for itself, asks for no magic outcome, and needs the headers of a limit where there is one.
_UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Where(SandboxAddress):
    """A server. ``rate``: requests a minute, 0: as fast as it can."""

    profile: Profile
    name: str
    currencies: tuple[str, ...]
    other: tuple[str, str] | None = field(default=None, repr=False)
    """Client id and secret key of a second merchant there."""
    rate: int = 0


@contextlib.contextmanager
def simulated(profile: Profile, *, seed: int = 0) -> Generator[Where]:
    """The simulator of this gateway, on a loopback port of its own."""
    from payproof.simulator.testing import GatewayThread

    limited = bool(profile.knob("rate_limit"))
    knobs = {"magic_values": False, "rate_limit": _UNLIMITED if limited else 0}
    with GatewayThread(profile, knobs=knobs, seed=seed) as gateway:
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
        rate=settings.rate if rate is None else rate,
    )
