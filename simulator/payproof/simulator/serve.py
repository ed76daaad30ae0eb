"""``payproof serve``: the simulator in the foreground, for people and for tests of any language."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shlex
import signal
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send

from payproof.contracts import files
from payproof.contracts.journal import Bound, Journal
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Profile
from payproof.contracts.redaction.secret_search import SHORTEST_PART
from payproof.contracts.redaction.secrets import Redactor
from payproof.simulator import request_log
from payproof.simulator.books.records import CLIENT_ID, SECRET_KEY, Merchant, gateway_values, named
from payproof.simulator.inspector.access import Access
from payproof.simulator.listening.listener import GatewayServer
from payproof.simulator.simulator import Simulator
from payproof.simulator.sockets.certificates import Certificates

if TYPE_CHECKING:
    from payproof.simulator.inspector.app import Inspector

KEPT_TOKENS = 500
"""Access tokens that the redactor of a long-running simulator remembers."""
KEPT_ENTRIES, KEPT_BYTES = 10_000, 64 * 1024 * 1024
"""Journal entries that it keeps, and the bytes that they may take."""


Values: TypeAlias = Mapping[str, str]
"""Placeholder without braces (``gateway.base_url``) -> what it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What ``serve`` is asked for besides addresses. ``client_id``, ``secret_key``, and ``credentials`` by
    their placeholders: keys that stay; fresh ones where they are empty.

    ``ca``: offer HTTPS, too, and write the authority that its certificate is signed by to this file. ``certificates``: offer HTTPS with
    these. ``exports``: the environment of the integration, made of the values.
    ``workers``: its processes that keep an access token each, where that is declared. ``log``: is told each call, in a line. ``visit``: is told the
    address by which a browser gets into the inspector.
    """

    knobs: Mapping[str, Json] = field(default_factory=dict[str, Json])
    seed: int = 0
    client_id: str = ""
    secret_key: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict[str, str])
    ca: Path | None = None
    certificates: Certificates | None = None
    exports: Callable[[Values], Mapping[str, str]] | None = None
    workers: int | None = None
    log: Callable[[str], None] | None = None
    visit: Callable[[str], object] | None = None


async def serve(
    profile: Profile,
    *,
    host: str = "127.0.0.1",
    port: int = 8400,
    control_port: int = 8401,
    out: Callable[[str], None] = print,
    stop: asyncio.Event | None = None,
    allow_remote: bool = False,
    offer: Offer | None = None,
) -> None:
    """Serve until ``stop`` is set, or Ctrl-C, or SIGTERM. Prints settings to copy through ``out``.

    Raises:
        PayproofError: a port is taken, ``host`` is not a loopback address, a key is a live one or none of this gateway's, or ``ca`` cannot
            be written.
    """
    if port and port == control_port:
        raise PayproofError("the gateway and its control need two ports", place="control port", remedy="choose another")
    offer, stop = offer or Offer(), stop or asyncio.Event()
    journal = Journal(Redactor(limit=KEPT_TOKENS), bound=Bound(KEPT_ENTRIES, KEPT_BYTES))
    sim = Simulator(profile, journal=journal, knobs=offer.knobs, seed=offer.seed)
    sim.store.on_forgetting = out
    merchant = _merchant(sim, offer)
    gateway = _gateway(sim, host, port, offer, allow_remote=allow_remote)
    token, access, settings = secrets.token_urlsafe(24), Access(), _Settings(sim, merchant, gateway, offer)
    control = _Control(sim, token, access, settings)
    controls = GatewayServer(control, host=host, port=control_port, allow_remote=allow_remote)
    try:
        await gateway.start()
        sim.outbox.site = settings.url
        await controls.start()
        address = f"http://{_host(controls.host)}:{controls.port}/"
        entrance = address + access.entrance()
        out("\n".join([*settings.lines(), *_ways(address, token, entrance), *settings.examples(), "Ctrl-C stops it."]))
        if offer.visit:
            offer.visit(entrance)
        with _signals(stop):
            async with request_log.following(journal, offer.log, profile.base_path):
                await stop.wait()
    finally:
        control.close()
        await sim.aclose()
        await controls.stop()
        await gateway.stop()


def _gateway(sim: Simulator, host: str, port: int, offer: Offer, *, allow_remote: bool) -> GatewayServer:
    certificates = offer.certificates or Certificates(sites=(host, *sim.profile.local_names))
    tls = certificates.good if offer.ca or offer.certificates else None
    server = GatewayServer(
        sim.app, host=host, port=port, tls=tls, journal=sim.journal, faults=sim.faults, certificates=certificates,
        allow_remote=allow_remote,
    )  # fmt: skip
    if offer.ca:
        files.write(offer.ca, certificates.authority, remedy="name a file that can be written")
    return server


def _merchant(sim: Simulator, offer: Offer) -> Merchant:
    minted = sim.dialect.keys()
    others = named(sim.profile, offer.credentials)
    given = {**others, CLIENT_ID: offer.client_id, SECRET_KEY: offer.secret_key}
    for name, value in given.items():
        option = f"--{name}" if name in (CLIENT_ID, SECRET_KEY) else "--credential"
        if value and name not in minted:
            raise PayproofError(
                f"{sim.profile.title} has no {name.replace('-', ' ')}", place=option, remedy="leave it out"
            )
        if value and len(value) < SHORTEST_PART:
            why = f"a key of fewer than {SHORTEST_PART} characters cannot be told from other text, and would be shown"
            raise PayproofError(why, place=option, remedy="invent a longer one")
        if value and sim.profile.is_live("", value):
            raise PayproofError("this is a live key, and payproof takes none", place=option, remedy="invent one")
    return sim.add_merchant(client_id=offer.client_id or None, secret_key=offer.secret_key or None, others=others)


class _Control:
    """What the control port serves, with the inspector: loaded at its first request, so that the gateway is ready before."""

    def __init__(self, sim: Simulator, token: str, access: Access, settings: _Settings) -> None:
        self._sim, self._token, self._access, self._settings = sim, token, access, settings
        self._app: ASGIApp | None = None
        self._inspector: Inspector | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            self._app = self._loaded()
        await self._app(scope, receive, send)

    def close(self) -> None:
        """End every stream."""
        if self._inspector is not None:
            self._inspector.close()

    def _loaded(self) -> ASGIApp:
        from payproof.simulator.control.control import control
        from payproof.simulator.inspector.app import Inspector
        from payproof.simulator.inspector.judging import what_is_known

        settings = self._settings
        known = what_is_known(secure=settings.secure, workers=settings.workers)
        self._inspector = Inspector(self._sim, self._access, known, exports=settings.block)
        return control(self._sim, self._token, self._inspector.app)


class _Settings:
    """What an integration is told of the gateway. ``merchant``: as it was at the start; its keys are looked up anew."""

    def __init__(self, sim: Simulator, merchant: Merchant, gateway: GatewayServer, offer: Offer) -> None:
        self._sim, self._merchant, self._gateway, self._offer = sim, merchant, gateway, offer

    @property
    def merchant(self) -> Merchant:
        found = (each for each in self._sim.merchants() if each.client_id == self._merchant.client_id)
        return next(found, self._merchant)

    @property
    def secure(self) -> bool:
        return self._gateway.scheme == "https"

    @property
    def workers(self) -> int | None:
        return self._offer.workers

    @property
    def base_url(self) -> str:
        return self.url + self._sim.profile.base_path

    @property
    def url(self) -> str:
        secure = self.secure and self._offer.ca is None
        return f"{self._gateway.scheme}://{'localhost' if secure else _host(self._gateway.host)}:{self._gateway.port}"

    def values(self) -> dict[str, str]:
        own = {"gateway.base_url": self.base_url, "gateway.url": self.url}
        return own | gateway_values(self._sim.profile, self.merchant)

    def block(self) -> str:
        """Lines to paste into a shell, with the keys as they are now."""
        made = (self._offer.exports or generic_exports)(self.values())
        return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in made.items())

    def lines(self) -> Iterator[str]:
        profile, values = self._sim.profile, {f"{{{name}}}": value for name, value in self.values().items()}
        yield from (f"{profile.title} (profile {profile.name})", "", "Settings of the integration (throw-away):")
        yield from (f"  {label:<38} {values.get(value, value)}" for label, value in profile.settings)
        if self._offer.ca:
            yield f"  {'authority of its certificate':<38} {self._offer.ca}"
        yield from ("", "The same for a shell:", *(f"  {line}" for line in self.block().splitlines()))
        yield from ("", "Customers who can log in at the hosted checkout:")
        yield from (f"  {payer.login:<38} {payer.password}  ({payer.outcome})" for payer in profile.payers.values())

    def examples(self) -> Iterator[str]:
        yield from ("", "Try it:")
        trust = (
            f"--cacert {shlex.quote(str(self._offer.ca))}"
            if self._offer.ca
            else "-k"
            if self._offer.certificates
            else ""
        )
        for command in self._sim.dialect.example(self.base_url, self.merchant.client_id, self.merchant.secret_key):
            yield from (f"  {command.replace('curl ', f'curl {trust} ', 1) if trust else command}", "")


def generic_exports(values: Values) -> dict[str, str]:
    """``BASE_URL``, ``CLIENT_ID`` ...: names for an integration of which nothing is known."""
    return {name.removeprefix("gateway.").upper(): value for name, value in values.items() if name != "gateway.url"}


def _ways(address: str, token: str, entrance: str) -> Iterator[str]:
    kept = f"the last {KEPT_ENTRIES:,} entries, {KEPT_BYTES // 2**20} MB of them at most"
    yield from ("", "Inspector (payments and calls as they happen; this address is good once):", f"  {entrance}")
    yield from ("", f"Control (clock, faults, journal; it keeps {kept}):")
    yield f"  curl -s -H 'X-Payproof-Token: {token}' {address}"


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Generator[None]:
    """Ctrl-C and SIGTERM set ``stop``, where the event loop may take signals at all."""
    loop = asyncio.get_running_loop()
    taken: list[signal.Signals] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):  # not the main thread, or Windows
            loop.add_signal_handler(number, stop.set)
            taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
