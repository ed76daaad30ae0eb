"""The tables of payproof.toml about the gateway: our stand-in for it, and the real thing."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from payproof.suites.config.fields import Address, Host, HttpsAddress


class Table(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", coerce_numbers_to_str=True, use_attribute_docstrings=True, validate_default=False
    )


class SimulatorSettings(Table):
    """Our stand-in for the gateway; needed only when the integration was started by somebody else."""

    port: int | None = Field(default=None, ge=1, le=65535)
    client_id: str | None = Field(default=None, min_length=1)
    secret_key: str | None = Field(default=None, min_length=1, repr=False)
    credentials: dict[str, str] = Field(default={}, repr=False)
    """Further credentials of the gateway, by their placeholders: { webhook_secret = "..." }."""
    https: bool = True
    knobs: dict[str, JsonValue] = {}
    """Behaviour of the gateway that is set otherwise (payproof list profile)."""


class TestPayer(Table):
    """Somebody who can log in at the sandbox's hosted checkout."""

    login: str
    password: str = Field(repr=False)
    otp: str = Field(default="123456", repr=False)
    """The one-time code that the sandbox accepts."""


class OtherMerchant(Table):
    """A second merchant at the sandbox."""

    client_id: str = Field(default="", repr=False)
    secret_key: str = Field(repr=False)

    @property
    def missing(self) -> tuple[str, ...]:
        """Environment variables that are named and not set."""
        return _named(self.client_id, self.secret_key)


class SandboxTable(Table):
    """The real thing. ``${NAME}`` takes a value from the environment."""

    base_url: HttpsAddress
    client_id: str = Field(default="", repr=False)
    """On gateways that have client ids."""
    secret_key: str = Field(repr=False)
    checkout_url: Host = ""
    """Address of the hosted checkout, where the gateway has another host for it and it is not the one that the profile knows."""
    ca: str | None = None
    """File (PEM) of the authority that signed the sandbox's certificate, when it is a private one."""
    customer: Literal["forms", "browser", "person"] = "forms"
    """Who pays at the hosted checkout: we by its forms, we in a browser, or a person who is asked to."""
    pages: tuple[Host, ...] = ()
    """Further hosts of the hosted checkout, like "https://pay.example.com": a payer's login and password are typed only there and
    at the host of base_url."""
    payers: dict[Literal["paid", "refused"], TestPayer] = {}
    """Test payers that the operator publishes: one whose payments succeed, one whom the gateway refuses."""
    other: OtherMerchant | None = None
    """A second merchant there, to see that one merchant's payments are none of another's (`payproof drift`, `payproof contract`)."""
    rate: int = Field(default=50, ge=1)
    """API requests in any minute, to stay below the gateway's own limit."""
    budget: int = Field(default=800, ge=1)
    """API requests of one run; what it does not reach is not exercised."""
    clock: Address | None = None
    """Address that moves the sandbox's clock (POST, JSON ``{"seconds": n}``), where the operator offers one."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Environment variables that are named and not set."""
        texts = [self.base_url, self.client_id, self.secret_key]
        texts += [text for payer in self.payers.values() for text in (payer.login, payer.password, payer.otp)]
        return _named(*texts)


def _named(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for text in texts for name in re.findall(r"\$\{(\w+)\}", text)))
