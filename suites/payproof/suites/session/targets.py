"""Which gateway the worlds of a run get: one source for each kind of target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from payproof.contracts.entries import Checkout
from payproof.contracts.journal import Journal
from payproof.contracts.model import Json
from payproof.contracts.profile import Payer
from payproof.simulator import Simulator, SimulatorTarget, Target
from payproof.simulator.books.records import named
from payproof.simulator.relay.proxies import proxy_for, shown
from payproof.simulator.relay.rate_budget import RateBudget
from payproof.simulator.relay.relay import Relay
from payproof.simulator.relay.sandbox_exchange import OnExchange
from payproof.simulator.relay.upstream import Upstream
from payproof.suites.config import Config
from payproof.suites.customer.browser import Browser, BrowserTab
from payproof.suites.customer.customer import Customer
from payproof.suites.customer.hosted import HostedTab, Tab
from payproof.suites.customer.person import Person, PersonTab
from payproof.suites.session.progress import Progress
from payproof.suites.session.sandbox import address_of, sandbox_of

_NEEDS = {"stampede": 30, "return-twice": 20, "double-submit": 16, "settle": 30}
"""Probes that may need more API requests than others; what an integration really needs is learned from the first run of each."""


class TargetSource(Protocol):
    """Gives each world of a run its target."""

    shares_clock: bool
    """Whether a jump of one world's clock is a jump for all of them."""

    @property
    def payers(self) -> Mapping[str, Payer]:
        """Who can pay at the hosted checkout, by outcome."""
        ...

    def target(self, journal: Journal, seed: int) -> Target:
        """A target for one more world."""
        ...

    def tab(self, target: Target, customer: Customer, payer: Payer, checkout: Checkout) -> Tab:
        """How that customer uses the hosted checkout."""
        ...

    def account(self) -> Mapping[str, Json]:
        """Facts for the reports: what was asked of whom."""
        ...

    async def aclose(self) -> None: ...


class Simulators:
    """A simulator for each world."""

    shares_clock = False

    def __init__(self, config: Config) -> None:
        self.config, self.payers = config, config.profile.payers

    def target(self, journal: Journal, seed: int) -> Target:
        settings = self.config.simulator
        knobs = {**self.config.profile.calm, **settings.knobs}
        sim = Simulator(self.config.profile, journal=journal, seed=seed, knobs=knobs)
        # What already runs may keep a token of an earlier run: its gateway would know it as one that has expired.
        sim.store.had_earlier_tokens = not self.config.integration.command
        others = named(self.config.profile, settings.credentials)
        return SimulatorTarget(
            sim, sim.add_merchant("shop", client_id=settings.client_id, secret_key=settings.secret_key, others=others)
        )

    def tab(self, target: Target, customer: Customer, payer: Payer, checkout: Checkout) -> Tab:
        return HostedTab(customer, payer, checkout.order)

    def account(self) -> Mapping[str, Json]:
        return {}

    async def aclose(self) -> None:
        """Each simulator is its world's."""


class Relays:
    """A relay for each world, all of them in front of one sandbox with one rate and one budget."""

    def __init__(self, config: Config, progress: Progress, on_exchange: OnExchange | None = None) -> None:
        self.config, self._on_exchange = config, on_exchange
        settings = sandbox_of(config)
        self.settings = settings
        self._person = Person(progress.ask)
        self._browser = Browser() if settings.customer == "browser" else None
        self.payers = {**config.profile.payers} | {
            name: replace(config.profile.payers[name], login=payer.login, password=payer.password, otp=payer.otp)
            for name, payer in settings.payers.items()
        }
        sandbox = address_of(config, settings)
        self.shares_clock = bool(settings.clock)
        self.rate_budget = RateBudget(settings.rate, settings.budget, needs=_NEEDS, note=progress.note)
        self.upstream = Upstream(sandbox, self.rate_budget)
        proxy = proxy_for(sandbox.base_url)
        progress.note(
            f"target: the sandbox at {sandbox.origin}{f' through the proxy {shown(proxy)}' if proxy else ''}; "
            f"at most {settings.budget} API requests, {settings.rate} a minute"
        )

    def target(self, journal: Journal, seed: int) -> Target:
        return Relay(
            self.upstream,
            self.config.profile,
            journal=journal,
            seed=seed,
            own_credentials=bool(self.config.integration.command),
            on_exchange=self._on_exchange,
            person=self.settings.customer == "person",
        )

    def tab(self, target: Target, customer: Customer, payer: Payer, checkout: Checkout) -> Tab:
        if self._browser is not None:
            return BrowserTab(self._browser, customer, payer, checkout.order)
        if self.settings.customer == "person":
            assert isinstance(target, Relay)
            return PersonTab(self._person, target.return_waiter, customer, payer, checkout)
        return HostedTab(customer, payer, checkout.order)

    def account(self) -> Mapping[str, Json]:
        polite, unwell = self.rate_budget, self.upstream.unwell
        return {
            "account": "".join(f"{hint} " for hint in self.upstream.hints)
            + f"{self.upstream.sandbox.origin}: {polite.sent} of {polite.budget} API requests, "
            f"{polite.busiest} in the busiest minute (at most {polite.rate})"
            + (f"; it was unwell in {len(unwell)} probe runs, which were repeated: {unwell[0]}" if unwell else ""),
            "sandbox": {
                "origin": self.upstream.sandbox.origin,
                "requests": polite.sent,
                "budget": polite.budget,
                "busiest_minute": polite.busiest,
                "rate": polite.rate,
                "waited": round(polite.waited, 1),
                "unwell": list(unwell),
            },
        }

    async def aclose(self) -> None:
        if self._browser is not None:
            await self._browser.aclose()
        await self.upstream.aclose()
