"""What runs in a world: a gateway, one instance of the integration in front of it, and the way between their addresses."""

from __future__ import annotations

import random

from payproof.contracts.entries import Call, Entry, Step
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.simulator import GatewayServer, Target
from payproof.simulator.books.records import gateway_values
from payproof.suites.config.placeholders import fill
from payproof.suites.customer.routing import Routing
from payproof.suites.driver.driver import Driver
from payproof.suites.driver.loading import load_driver
from payproof.suites.session import gateway_hosts, handed
from payproof.suites.session.context import Shared
from payproof.suites.session.endpoint import endpoint
from payproof.suites.session.launcher import Instance
from payproof.suites.session.ports import Port, PortTaken


class Deployment:
    """Starts both, and ends both. ``name``: its world's."""

    place: Routing
    """From ``start`` on, as is ``driver``."""
    driver: Driver

    def __init__(self, name: str, shared: Shared) -> None:
        self.name, self.shared = name, shared
        self.config, self.profile = shared.config, shared.profile
        self.rng = random.Random(f"{shared.seed}:{name}")
        self.journal = Journal(shared.redactor, clock=shared.now)
        shared.alerts[name] = self.journal
        self.target: Target = shared.source.target(self.journal, self.rng.randrange(2**31))
        self.server = GatewayServer(
            self.target.app,
            port=shared.config.simulator.port or 0,
            tls=shared.trust.server if shared.trust else None,
            journal=self.journal,
            faults=self.target.faults,
            certificates=shared.trust.certificates if shared.trust else None,
            spare_ours=True,  # customers come from here
            stands_for=shared.config.integration.gateway_hosts,
        )
        self._port = Port()
        self.instance: Instance | None = None
        self._without_authority = False
        """The integration runs without knowing the run's authority."""

    async def start(self) -> None:
        """Start the gateway, then the integration.

        Raises:
            PayproofError: either does not start; whatever had started is ended.
        """
        await self.server.start()
        try:
            await self._launch_at_a_free_port()
        except BaseException:
            await self.stop()
            raise

    async def _launch_at_a_free_port(self) -> None:
        """At another port when a stranger took the first one just before the integration could."""
        before = self.journal.entries[-1].n if self.journal.entries else 0
        for left in (2, 1, 0):
            try:
                await self._launch(self._port.number)
                return
            except PortTaken as error:
                if not left or "{port}" not in self.config.integration.url:
                    raise
                if self.instance is not None:
                    await self.instance.stop()
                self.journal.drop(before + 1)  # an exit that is not the integration's fault
                self.journal.add(Step(text=f"another port: {error.message}", name="port"))
                self._port.release()
                self._port = Port()

    async def _launch(self, port: int, *, authorities: bool = True) -> None:
        integration = self.config.integration
        folder = self.shared.folder / "instances" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        base = f"{self.server.scheme}://localhost:{self.server.port}"
        self.values = handed.values_of(self.config, self.target.merchant, port=port, base=base, folder=folder)
        url = handed.url_of(self.config, port)
        sandbox = self.config.sandbox
        self.place = Routing(
            self.values["public_url"],
            url,
            base,
            pages=(sandbox.base_url, *sandbox.pages) if sandbox else (),
            is_live=self.profile.is_live,
            checkout_url=self.profile.site(base, "checkout") if self.profile.origin("checkout").host else "",
            silent=not integration.ready,
        )
        if integration.webhook is not None and self.target.outbox is not None:
            self.target.outbox.endpoint = endpoint(integration.webhook, self.values, url)
            self.target.outbox.site = base
        self.journal.listeners[:] = [self._note_addresses]
        self.driver = load_driver(self.config, self.values, proven=self.shared.latency > 0)
        if not integration.command:
            return
        trusted = self.shared.trust.environment() if self.shared.trust and authorities else {}
        led = gateway_hosts.environment(integration.gateway_hosts, self.server.port)
        env = {**gateway_hosts.joined(trusted, led), **handed.environment(self.config, self.values)}
        if integration.alerts.webhook_env:
            env[integration.alerts.webhook_env] = self.shared.alert_url(self.name)
        self.instance = Instance(
            command=handed.command(self.config, self.values),
            env=env,
            folder=self.config.folder,
            url=url,
            ready=integration.ready,
            ready_timeout=self.shared.start_patience,
            log_files=self._log_files(own=True),
            journal=self.journal,
            shared_files=self._log_files(own=False),
            shared_logs=self.shared.logs,
            marks=self._marks(port),
        )
        await self.instance.start()

    def _marks(self, port: int) -> tuple[str, ...]:
        """What only this instance's lines can hold, from the beginning: its addresses, its gateway's, its credentials."""
        hosts = [f"{host}:{number}" for host in ("127.0.0.1", "localhost") for number in (port, self.server.port)]
        credentials = [value for value in gateway_values(self.profile, self.target.merchant).values() if value]
        return (f"shop-{port}", f"port={self.server.port}", self.values["instance.dir"], *hosts, *credentials)

    def _log_files(self, *, own: bool) -> list[str]:
        """The declared log files: those whose names are this instance's own, or those that every instance writes."""
        return [
            fill(path, self.values, "integration.logs.files")
            for path in self.config.integration.logs.files
            if any(f"{{{name}}}" in path for name in ("port", "public_url", "instance.dir")) is own
        ]

    def _note_addresses(self, entry: Entry) -> None:
        if isinstance(entry, Call) and entry.role == "open":
            for address in (entry.opened.return_url, entry.opened.cancel_url):
                self.place.give(address or "")

    async def restart(self, *, authorities: bool = True) -> None:
        """Stop the integration and start it again at the same port with its data and the credentials of now. ``authorities``: it is
        told of the run's certificate authority.

        Raises:
            PayproofError: it does not start.
        """
        if self.instance is None:
            raise PayproofError("an integration that was started by somebody else cannot be restarted")
        await self.instance.stop()
        self._without_authority = not authorities
        await self._launch(int(self.values["port"]), authorities=authorities)

    async def revive(self, *, to_call: bool = True) -> None:
        """Start the integration again when it died (the journal keeps its exit), or, where it is ``to_call`` the gateway, when it was not
        told of the authority."""
        if self.instance is not None and (not self.instance.alive or (to_call and self._without_authority)):
            await self.restart()

    async def stop(self) -> None:
        """End everything."""
        if self.instance is not None:
            await self.instance.stop()
        await self.server.stop()
        await self.target.aclose()
        self._port.release()
