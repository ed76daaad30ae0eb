"""The sandbox that a configuration names: the same for a run, a recording, drift and the contract suite."""

from __future__ import annotations

from collections.abc import Iterator

from payproof.contracts.model import PayproofError
from payproof.contracts.reading import addresses
from payproof.simulator.books.records import CLIENT_ID
from payproof.simulator.relay.upstream import SandboxAddress
from payproof.suites.config import Config
from payproof.suites.config.gateway_tables import SandboxTable

_SECRET = 'keep them in the environment: secret_key = "${PAYPROOF_SANDBOX_SECRET_KEY}"'


def sandbox_of(config: Config, *, remedy: str = f"; {_SECRET}") -> SandboxTable:
    """Raises:
    PayproofError: there is none, or its credentials are not set; ``remedy`` is how its remedy ends.
    """
    settings = config.sandbox
    keys = "base_url, client_id and secret_key" if has_client_id(config) else "base_url and secret_key"
    if settings is None or settings.missing:
        raise PayproofError(
            "the sandbox is not configured" if settings is None else f"not set: {', '.join(settings.missing)}",
            place="payproof.toml: [sandbox]",
            remedy=f"give {keys} of your account at the gateway's sandbox{remedy}",
        )
    return settings


def has_client_id(config: Config) -> bool:
    return any(each.name == CLIENT_ID for each in config.profile.credentials)


def checkout_of(config: Config) -> str:
    """Origin of the sandbox's hosted checkout, where the gateway has another host for it; empty where it has none."""
    settings = config.sandbox
    if settings is None or not config.profile.local_names:
        return ""
    given, profile = addresses.origin(settings.base_url), config.profile
    known = profile.origin("checkout").real if given == profile.origin("api").real else ""
    return settings.checkout_url or known or profile.site(given, "checkout")


def address_of(config: Config, settings: SandboxTable) -> SandboxAddress:
    """Where it is, and who we are there."""
    return SandboxAddress(
        base_url=settings.base_url.rstrip("/"),
        client_id=settings.client_id,
        secret_key=settings.secret_key,
        ca=config.folder / settings.ca if settings.ca else None,
        clock=settings.clock or "",
        checkout=checkout_of(config),
        refuses="refused" in settings.payers and settings.customer != "person",
    )


def known_secrets(config: Config) -> Iterator[tuple[str, str]]:
    """(kind, value) of everything secret that the configuration holds."""
    sandbox = config.sandbox
    if sandbox is None:
        return
    yield from (
        (name, value) for name, value in (("client-id", sandbox.client_id), ("secret-key", sandbox.secret_key)) if value
    )
    tested = [(payer.login, payer.password, payer.otp) for payer in sandbox.payers.values()]
    tested += [(payer.login, payer.password, payer.otp) for payer in config.profile.payers.values()]
    for login, password, code in tested:
        yield "login", login
        yield "password", password
        yield "one-time-code", code
