"""The simulator in unit tests: a gateway on its own thread, used like a plain object.

with GatewayThread() as gateway:
    shop = Shop(gateway.base_url, gateway.client_id, gateway.secret_key)
    ...
    gateway.advance(601)                     # tokens expire
    gateway.arm("status", operation="create", params={"status": 500})
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

from payproof.contracts import profile as profiles
from payproof.contracts.entries import Delivery, Entry, Forgery
from payproof.contracts.faults import FaultSpec
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Fields, Profile
from payproof.simulator import browser
from payproof.simulator.books.records import Merchant, PaymentView
from payproof.simulator.listening.listener import GatewayServer
from payproof.simulator.notices.notice_client import endpoint_at
from payproof.simulator.notices.outbox import Notice
from payproof.simulator.simulator import Simulator
from payproof.simulator.sockets.certificates import Certificates

T = TypeVar("T")
_START_WITHIN = 10.0


class GatewayThread:
    """A running gateway with one merchant. Every method may be called from any thread.

    ``https``: it offers HTTPS, under a certificate of its own authority, which is ``ca`` (PEM); plain text is served there, too.
    """

    def __init__(
        self,
        gateway: str | Profile = "quatapay",
        *,
        knobs: Mapping[str, Json] | None = None,
        seed: int = 0,
        https: bool = False,
        tls: ssl.SSLContext | None = None,
        certificates: Certificates | None = None,
    ) -> None:
        self.profile = gateway if isinstance(gateway, Profile) else profiles.load(gateway)
        self._knobs, self._seed = knobs, seed
        self._certificates = certificates or Certificates()
        self._tls = tls or (self._certificates.good if https else None)
        self.simulator = Simulator(self.profile, knobs=knobs, seed=seed)
        self.merchant = self._first = self.simulator.add_merchant()
        self._server = self._serving(port=0)
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def _serving(self, port: int) -> GatewayServer:
        return GatewayServer(
            self.simulator.app, port=port, tls=self._tls, journal=self.simulator.journal, faults=self.simulator.faults,
            certificates=self._certificates,
        )  # fmt: skip

    def __enter__(self) -> GatewayThread:
        started: list[BaseException | None] = []
        up = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(up, started), name="payproof-gateway", daemon=True)
        self._thread.start()
        if not up.wait(_START_WITHIN) or (started and started[0]):
            raise PayproofError(f"the simulator did not start: {started[0] if started else 'no answer'}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _run(self, up: threading.Event, started: list[BaseException | None]) -> None:
        async def live() -> None:
            self._loop = asyncio.get_running_loop()
            self._stop = asyncio.Event()
            try:
                await self._server.start()
            except PayproofError as error:
                started.append(error)
                return
            finally:
                up.set()
            await self._stop.wait()
            await self.simulator.aclose()
            await self._server.stop()

        asyncio.run(live())

    def _do(self, act: Callable[[], T]) -> T:
        """Run ``act`` on the gateway's own thread."""

        async def run() -> T:
            return act()

        if self._loop is None:
            raise PayproofError("the gateway is not running", remedy="use it in a with block")
        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def _wait_for(self, act: Coroutine[Any, Any, T]) -> T:
        """Await ``act`` on the gateway's own thread."""
        if self._loop is None:
            act.close()
            raise PayproofError("the gateway is not running", remedy="use it in a with block")
        return asyncio.run_coroutine_threadsafe(act, self._loop).result()

    # What an integration is told

    @property
    def url(self) -> str:
        server = self._server
        return f"{server.scheme}://{'localhost' if server.scheme == 'https' else server.host}:{server.port}"

    @property
    def ca(self) -> str:
        """The certificate of the authority that a client of HTTPS has to trust; PEM."""
        return self._certificates.authority

    @property
    def base_url(self) -> str:
        return self.url + self.profile.base_path

    @property
    def client_id(self) -> str:
        return self.merchant.client_id

    @property
    def secret_key(self) -> str:
        return self.merchant.secret_key

    # What a test does

    def advance(self, seconds: float) -> float:
        return self._do(lambda: self.simulator.clock.advance(seconds))

    def arm(
        self,
        name: str,
        *,
        operation: str = "",
        params: Mapping[str, Json] | None = None,
        times: int | None = None,
        **filters: Any,
    ) -> int:
        """Arm a fault by name; ``filters`` are the other fields of a FaultSpec. Returns the number to clear it by."""
        spec = FaultSpec(name=name, operation=operation, params=dict(params or {}), times=times, **filters)
        return self._do(lambda: self.simulator.faults.arm(spec))

    def clear(self, fault: int | None = None) -> None:
        self._do(lambda: self.simulator.faults.clear(fault))

    def fired(self, fault: int) -> int:
        return self._do(lambda: self.simulator.faults.fired(fault))

    def payments(self) -> tuple[PaymentView, ...]:
        return self._do(self.simulator.payments)

    def payment(self, payment: str) -> PaymentView | None:
        return self._do(lambda: self.simulator.payment(payment))

    def pay(self, payment_url: str, payer: str = "paid") -> str:
        """Pay (or try to) as one of the profile's payers; returns the address that the customer is sent to.

        Raises:
            PayproofError: the checkout does not lead back to the shop; the message says what the page said.
        """
        return browser.pay(payment_url, self.profile, payer)

    def forged_return(self, payment: str) -> str:
        return self._do(lambda: self.simulator.forged_return(payment))

    def tamper(self, payment: str, *, amount: str | None = None, currency: str | None = None) -> None:
        self._do(lambda: self.simulator.tamper(payment, amount=amount, currency=currency))

    def expire_tokens(self) -> int:
        return self._do(self.simulator.expire_tokens)

    def add_merchant(self, name: str = "second-shop") -> Merchant:
        return self._do(lambda: self.simulator.add_merchant(name))

    def rotate_secret(self) -> Merchant:
        self.merchant = self._do(lambda: self.simulator.rotate_secret(self.merchant))
        return self.merchant

    def revoke_secret(self) -> None:
        self._do(lambda: self.simulator.revoke_secret(self.merchant))

    # Notices, of gateways that send them

    def notify(self, url: str, headers: Fields = ()) -> None:
        """Tell the gateway where its notices go."""
        endpoint, outbox, site = endpoint_at(url, headers), self.simulator.outbox, self.url

        def set_endpoint() -> None:
            outbox.endpoint, outbox.site = endpoint, site

        self._do(set_endpoint)

    def notices(self, payment: str = "") -> tuple[Notice, ...]:
        return self._do(lambda: self.simulator.outbox.notices(payment))

    def hold_notices(self) -> None:
        """Keep every notice back from now on."""
        self._do(self.simulator.outbox.hold)

    def lose_notices(self) -> None:
        """No notice ever arrives from now on."""
        self._do(self.simulator.outbox.lose)

    def release_notices(self, order: Sequence[str] = ()) -> list[Delivery]:
        """Send what was kept back, these ids first and in this order, and everything from now on."""
        return self._wait_for(self.simulator.outbox.release(order))

    def repeat_notice(self, id: str, times: int = 1, *, at_once: bool = False) -> list[Delivery]:
        """Send a notice's body again, freshly signed."""
        return self._wait_for(self.simulator.outbox.repeat(id, times, at_once=at_once))

    def forge_notice(self, payment: str, how: Forgery) -> Delivery:
        """Tell that a payment was paid, with a signature that is not good."""
        return self._wait_for(self.simulator.outbox.forge(payment, how))

    def deliveries(self) -> tuple[Delivery, ...]:
        """Every attempt to deliver so far, once nothing is under way."""
        self._wait_for(self.simulator.outbox.idle())
        return tuple(entry for entry in self.journal() if isinstance(entry, Delivery))

    def journal(self) -> tuple[Entry, ...]:
        return self._do(lambda: tuple(self.simulator.journal.entries))

    def reset(self) -> None:
        self._do(self.simulator.reset)

    def renew(self) -> None:
        """Begin anew: another gateway, which knows of nothing that happened, at the same address and with the keys that the first merchant
        had at first. Connections are closed, calls that a fault held end without an answer."""

        async def run() -> None:
            await self.simulator.aclose()
            await self._server.stop()
            self.simulator = Simulator(self.profile, knobs=self._knobs, seed=self._seed)
            row = self.simulator.store.add_merchant(self._first.name, self._first.credentials)
            self.merchant = row.value()
            self._server = self._serving(self._server.port)
            await self._server.start()

        self._wait_for(run())
