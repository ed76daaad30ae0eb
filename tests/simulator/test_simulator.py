from __future__ import annotations

import asyncio

import httpx
import pytest

import payproof.simulator
from payproof.contracts.entries import Call, Entry
from payproof.contracts.journal import Journal
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import load
from payproof.simulator import Simulator
from payproof.simulator.clock import Clock
from payproof.simulator.gateways.quatapay import magic
from payproof.simulator.testing import GatewayThread


def test_all_is_sorted_and_true() -> None:
    assert payproof.simulator.__all__ == sorted(payproof.simulator.__all__)
    assert all(hasattr(payproof.simulator, name) for name in payproof.simulator.__all__)


def test_an_unknown_knob_is_refused_with_a_suggestion() -> None:
    with pytest.raises(PayproofError) as caught:
        Simulator(load("quatapay"), knobs={"rate_limti": 5})
    assert caught.value.remedy == 'did you mean "rate_limit"?'


def test_a_knob_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(PayproofError, match="type int"):
        Simulator(load("quatapay"), knobs={"rate_limit": "60"})


def test_ids_are_fresh_whatever_the_seed() -> None:
    first, second = (Simulator(load("quatapay"), seed=1).add_merchant() for _ in range(2))
    assert first.client_id != second.client_id


def test_given_keys_are_used_and_taken_once() -> None:
    sim = Simulator(load("quatapay"))
    made = sim.add_merchant("shop", client_id="known-client-id", secret_key="known-secret")
    assert (made.client_id, made.secret_key) == ("known-client-id", "known-secret")
    with pytest.raises(PayproofError, match="already taken"):
        sim.add_merchant("other", client_id="known-client-id")


def test_it_works_in_process_without_a_listener() -> None:
    sim = Simulator(load("quatapay"))
    shop = sim.add_merchant()

    async def scenario() -> httpx.Response:
        transport = httpx.ASGITransport(sim.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://gateway.test") as client:
            keys = {"client_id": shop.client_id, "secret_id": shop.secret_key}
            return await client.post("/pay/sandbox/api/v1/authentication/token", json=keys)

    assert asyncio.run(scenario()).status_code == 200
    call = sim.journal.entries[-1]
    assert isinstance(call, Call)
    assert (call.secure, call.request.url) == (True, "https://gateway.test/pay/sandbox/api/v1/authentication/token")


def test_listeners_see_whole_entries() -> None:
    journal, seen = Journal(), list[Entry]()
    journal.listeners.append(seen.append)
    with GatewayThread() as gateway:
        gateway.simulator.journal.listeners.append(seen.append)
        httpx.post(f"{gateway.base_url}/payment/create", verify=False)
    (call,) = (entry for entry in seen if isinstance(entry, Call))
    assert (call.n, call.event.operation, call.event.texts) == (1, "create", ("Access denied! Token not found",))


@pytest.mark.parametrize("path", ["/", "/wp-login.php", "/pay/sandbox/api/v1/payment/refund", "/api/v1/payment/create"])
def test_a_path_that_the_profile_lacks_is_a_call_without_operation(gateway: GatewayThread, path: str) -> None:
    assert httpx.get(gateway.url + path, verify=False).status_code == 404
    (call,) = (entry for entry in gateway.journal() if isinstance(entry, Call))
    assert call.role == ""


def test_a_host_that_is_no_host_harms_nobody(gateway: GatewayThread) -> None:
    response = httpx.post(f"{gateway.base_url}/payment/create", headers={"Host": "[::"}, verify=False)
    assert response.status_code == 403
    assert sum(isinstance(entry, Call) for entry in gateway.journal()) == 1


def test_a_lone_surrogate_is_no_json(gateway: GatewayThread) -> None:
    body = b'{"client_id": "\\ud800"}'
    response = httpx.post(
        f"{gateway.base_url}/authentication/token",
        content=body,
        headers={"Content-Type": "application/json"},
        verify=False,
    )
    assert response.status_code == 400


def test_time_runs_forward_in_whole_seconds() -> None:
    moments = iter([100.0, 100.9, 101.1, 101.1])
    clock = Clock(lambda: next(moments))
    assert (clock.age(0.0), clock.age(0.0)) == (0, 1)
    assert clock.advance(600) == pytest.approx(601.1)
    with pytest.raises(ValueError, match="forward only"):
        clock.advance(-1)


def test_two_gateways_live_side_by_side() -> None:
    with GatewayThread() as one, GatewayThread("qrpay") as two:
        assert one.url != two.url
        assert one.client_id != two.client_id


def test_a_gateway_is_used_in_a_with_block() -> None:
    with pytest.raises(PayproofError, match="not running"):
        GatewayThread().payments()


def test_an_unknown_payer_is_refused(gateway: GatewayThread) -> None:
    with pytest.raises(PayproofError, match='no payer "rich"'):
        gateway.pay(f"{gateway.url}/pay/sandbox/v1/user/authentication/form/x", "rich")


def test_the_table_of_magic_values_covers_amounts_words_and_payers() -> None:
    rows = magic.table(load("quatapay"))
    assert len(rows) == 1 + len(magic.AMOUNTS) + len(magic.DIRECTIVES) + len(load("quatapay").payers)
    assert {name for name, _ in magic.AMOUNTS.values()} <= set(magic.DIRECTIVES)
