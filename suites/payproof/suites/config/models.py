"""payproof.toml as values: what each key is called, what it means, what it may be.

These models are also the source of the published JSON Schema (``payproof.schema.json``).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, JsonValue, PrivateAttr, model_validator
from pydantic.json_schema import SkipJsonSchema

from payproof.contracts import profile
from payproof.suites.config.fields import (
    Address,
    Amount,
    AnyPointer,
    Currency,
    DriverName,
    Fee,
    Flag,
    HostName,
    Method,
    ReadyPath,
    RedirectPointer,
    Span,
    UrlPath,
    ValuePointer,
    Visit,
    wrong,
)
from payproof.suites.config.gateway_tables import SandboxTable, SimulatorSettings, Table


class RequestTable(Table):
    """One request to the integration."""

    method: Method = "POST"
    path: UrlPath = ""
    """Placeholders: {order.id} {order.amount} {order.currency} and those of the instance; {csrf} in the checkout's request,
    {refund.amount} in a refund's."""
    json_body: dict[str, JsonValue] | None = Field(default=None, alias="json")
    """JSON body. "{order.amount:number}" becomes a number, "{order.amount:minor}" an integer in minor units; so does the refund's."""
    form: dict[str, str] | None = None
    """Form body, instead of json."""
    headers: dict[str, str] = Field(default={})

    @model_validator(mode="after")
    def _one_body(self) -> RequestTable:
        if self.json_body is not None and self.form is not None:
            raise wrong("json and form are two bodies for one request", "keep one of them")
        return self


class CheckoutTable(RequestTable):
    """How the customer starts to pay an order."""

    redirect: RedirectPointer = "location"
    """Where the answer says where to pay."""
    order_id: AnyPointer | None = None
    """Where the answer tells the order's id, when the integration makes its own."""
    before: tuple[Visit, ...] = ()
    """Pages that the customer opens first, like "GET /cart/add/1"."""
    csrf: ValuePointer | None = None
    """Where those pages hold a token that the checkout must carry as {csrf}; it is read anew after each."""
    amount: Amount | None = None
    """Price of what the customer buys, when the checkout cannot set it."""
    currency: Currency | None = None
    """Currency of that price."""
    currencies: tuple[Currency, ...] = ()
    """What the integration sells in; left out: the gateway's default currency."""
    fee: Fee | None = None
    """What the integration adds to an order's amount: "150.00" or "1.5%"."""


class OrderTable(RequestTable):
    """What the merchant believes of an order."""

    method: Method = "GET"
    """A script that asks for the state may do it by POST."""
    status: ValuePointer = ""
    """Where the answer says the order's state."""
    paid: tuple[str, ...] = Field(default=("paid",), min_length=1)
    """The states that mean paid."""
    within: float = Field(default=0, ge=0, le=600)
    """Seconds that a background verification may take."""
    effects: ValuePointer | None = None
    """A counter of fulfilments."""
    flagged: dict[ValuePointer, Flag] = Field(default={})
    """How an order shows that it needs a person: where, and which texts (part of the value, letter case does not count), or
    "not zero" for a counter, "not empty" for a text or a list."""


class RefundTable(RequestTable):
    """How the merchant gives money back for an order."""

    path: UrlPath  # pyright: ignore[reportGeneralTypeIssues] - needed here; a recipe with a driver needs none


class Logs(Table):
    """Log files beside stdout and stderr, which are always read."""

    files: tuple[str, ...] = ()
    """Relative paths, with * and **."""


class SourceTable(Table):
    """Where the integration's code lies, for the items that are read off it."""

    paths: tuple[str, ...] = ()
    frontend: tuple[str, ...] = ()


class Alerts(Table):
    """Where alerts arrive."""

    webhook_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """Environment variable that tells the integration where to post its alerts."""
    log_level: Annotated[str, Field(min_length=1)] | None = None
    """Level of the log lines that raise an alert, like "ERROR"."""


class WebhookTable(Table):
    """Where the gateway's notices arrive, on gateways that send them."""

    path: UrlPath
    """Below the public address. Placeholders: those of the instance."""
    headers: dict[str, str] = Field(default={})
    """Sent besides the gateway's own."""


class Integration(Table):
    """The software under test."""

    name: str = Field(default="integration", min_length=1)
    command: tuple[str, ...] = ()
    """Starts it; left out: it already runs at url."""
    url: Address = "http://127.0.0.1:{port}"
    ready: ReadyPath = "/"
    """Asked until it answers anything at all. Empty, with a driver: it listens on no port, and is ready once it runs."""
    ready_timeout: float = Field(default=30.0, gt=0, le=600)
    """Seconds."""
    workers: int | None = Field(default=None, ge=1)
    """Processes that each keep their own access token, background ones counted. Left out: as many as there are."""
    env: dict[str, str] = Field(default={})
    gateway_hosts: tuple[HostName, ...] = ()
    """Hosts of the gateway that are written into the integration, where its address of the gateway cannot be set."""
    driver: DriverName | None = None
    """A Python class that starts checkouts and reads orders, when no recipe can: "drive.py:Shop"."""
    checkout: CheckoutTable = CheckoutTable()
    order: OrderTable = OrderTable()
    webhook: WebhookTable | None = None
    refund: RefundTable | None = None
    logs: Logs = Logs()
    source: SourceTable = SourceTable()
    alerts: Alerts = Alerts()

    @property
    def alert_channel(self) -> str:
        """Where alerts are looked for: ``webhook``, ``log:LEVEL``, or nothing. Nobody can hand an integration that already
        runs the address of a webhook."""
        if self.alerts.webhook_env and self.command:
            return "webhook"
        return f"log:{self.alerts.log_level}" if self.alerts.log_level else ""


class Cassettes(Table):
    """Recordings of the sandbox, for `--target cassette`."""

    path: str | None = None
    """Left out: cassettes/GATEWAY.yaml."""
    max_age: Span = "90d"
    """From this age on a run with a recording warns: 12h, 90d, 8w."""


class Attest(Table):
    """What a person vouches for because no machine can see it."""

    item: str
    """A checklist item or a requirement."""
    by: str = Field(min_length=1)
    on: date
    until: date
    note: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Attest:
        if self.until < self.on:
            raise wrong(f"until ({self.until}) is before on ({self.on})")
        return self


class Baseline(Table):
    """A known failure that the team accepts for now."""

    check: str
    reason: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    until: date
    _place: str = PrivateAttr(default="")

    @property
    def place(self) -> str:
        """Where the entry stands: file and line. Not a key of the file."""
        return self._place

    def at(self, place: str) -> Baseline:
        """The same entry, that knows where it stands."""
        found = self.model_copy()
        found._place = place
        return found


class Config(Table):
    """A whole payproof.toml."""

    gateway: str = "quatapay"
    integration: Integration
    simulator: SimulatorSettings = SimulatorSettings()
    sandbox: SandboxTable | None = None
    cassettes: Cassettes = Cassettes()
    attest: tuple[Attest, ...] = ()
    baseline: tuple[Baseline, ...] = ()
    folder: SkipJsonSchema[Path] = Field(default_factory=Path.cwd, exclude=True, repr=False)
    """Folder of the file: relative paths and the command start there. Not a key of the file."""

    @property
    def profile(self) -> profile.Profile:
        """The gateway's profile."""
        return profile.load(self.gateway)

    @property
    def currencies(self) -> tuple[str, ...]:
        """What the integration sells in; at least one."""
        checkout = self.integration.checkout
        fixed = (checkout.currency,) if checkout.currency else ()
        return checkout.currencies or fixed or (self.profile.default_currency,)
