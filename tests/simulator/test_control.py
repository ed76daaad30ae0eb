from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payproof.contracts.entries import Step
from payproof.contracts.profile import load
from payproof.simulator import GatewayServer, Simulator
from payproof.simulator.clock import FURTHEST
from payproof.simulator.control.bounded_body import LARGEST_BODY
from payproof.simulator.control.control import control as control_of
from payproof.simulator.control.operations import OPERATIONS
from payproof.simulator.testing import GatewayThread

TOKEN = "a-token-of-this-test"
Opened = Callable[..., tuple[str, str]]


def control(sim: Simulator, method: str, path: str, body: object = None, token: str = TOKEN) -> httpx.Response:
    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(control_of(sim, TOKEN))
        async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
            return await client.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})

    return asyncio.run(call())


@pytest.fixture
def sim() -> Simulator:
    return Simulator(load("quatapay"))


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/reset"), ("GET", "/nowhere")])
def test_without_the_token_nothing_is_told(sim: Simulator, method: str, path: str) -> None:
    response = control(sim, method, path, token="wrong")
    assert (response.status_code, set(response.json())) == (401, {"error", "remedy"})


def test_the_token_may_come_in_a_header_of_its_own(sim: Simulator) -> None:
    async def call() -> int:
        transport = httpx.ASGITransport(control_of(sim, TOKEN))
        async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
            return (await client.get("/health", headers={"X-Payproof-Token": TOKEN})).status_code

    assert asyncio.run(call()) == 200


def test_the_index_explains_every_operation(sim: Simulator) -> None:
    operations = control(sim, "GET", "/").json()["operations"]
    assert len(operations) == len(OPERATIONS)
    assert all(operations.values())


def test_the_clock_moves_forward_only(sim: Simulator) -> None:
    assert control(sim, "POST", "/clock", {"advance": 601}).json()["now"] >= 601
    assert control(sim, "GET", "/clock").json()["now"] >= 601
    assert control(sim, "POST", "/clock", {"advance": -1}).status_code == 400
    assert control(sim, "POST", "/clock", {"advance": "soon"}).status_code == 422
    assert control(sim, "POST", "/clock", {"advnace": 1}).json()["place"] in ("advance", "advnace")


def test_faults_are_armed_listed_and_cleared(sim: Simulator) -> None:
    spec = {"name": "status", "operation": "create", "params": {"status": 503}}
    number = control(sim, "POST", "/faults", spec).json()["id"]
    listed = control(sim, "GET", "/faults").json()
    assert (listed["armed"][0]["id"], listed["armed"][0]["name"]) == (number, "status")
    assert "never-answer" in listed["known"]
    assert control(sim, "DELETE", f"/faults/{number}").status_code == 200
    assert control(sim, "GET", "/faults").json()["armed"] == []
    control(sim, "POST", "/faults", spec)
    control(sim, "DELETE", "/faults")
    assert sim.faults.armed() == ()


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [({"name": "sattus"}, 400, "status"), ({"nmae": "status"}, 400, "known: "), ([], 400, "JSON object"),
     ({"name": 5}, 422, "string"), ({"name": "status", "times": "x"}, 422, "integer")],
)  # fmt: skip
def test_a_bad_fault_is_refused_with_a_remedy(sim: Simulator, body: object, status: int, says: str) -> None:
    response = control(sim, "POST", "/faults", body)
    assert response.status_code == status
    assert says in json.dumps(response.json())


def test_merchants_are_added_rotated_and_revoked(sim: Simulator) -> None:
    made = control(sim, "POST", "/merchants", {"name": "second"}).json()
    assert control(sim, "GET", "/merchants").json() == [made]
    turned = control(sim, "POST", f"/merchants/{made['client_id']}/rotate").json()
    assert turned["secret_key"] != made["secret_key"]
    assert control(sim, "POST", f"/merchants/{made['client_id']}/revoke").json() == {"ok": True}
    assert (
        control(sim, "POST", "/merchants/nobody/revoke").json()["error"] == "there is no merchant with this client id"
    )
    assert control(sim, "POST", "/tokens/expire", {"client_id": made["client_id"]}).json() == {"expired": 0}


def test_payments_are_listed_forged_and_tampered_with(gateway: GatewayThread, opened: Opened) -> None:
    payment, _ = opened(gateway)
    sim = gateway.simulator
    assert control(sim, "GET", "/payments").json()[0]["payment"] == payment
    url = control(sim, "POST", f"/payments/{payment}/forge-return").json()["url"]
    assert url.startswith("https://shop.example/return?message%5Bcode%5D=200")
    assert control(sim, "POST", f"/payments/{payment}/tamper", {"amount": "1.00"}).status_code == 200
    assert control(sim, "POST", f"/payments/{payment}/tamper", {"amount": "much"}).status_code == 400
    assert control(sim, "POST", "/payments/nothing/forge-return").status_code == 400


def test_payers_are_listed(sim: Simulator) -> None:
    assert control(sim, "GET", "/payers").json()["refused"]["login"] == "refused@payproof.test"


def test_the_journal_is_read_and_cleared(sim: Simulator) -> None:
    for text in ("one", "two"):
        sim.journal.add(Step(text=text))
    assert [entry["text"] for entry in control(sim, "GET", "/journal").json()] == ["one", "two"]
    assert [entry["text"] for entry in control(sim, "GET", "/journal?after=1").json()] == ["two"]
    assert control(sim, "GET", "/journal?after=x").status_code == 400
    control(sim, "DELETE", "/journal")
    assert control(sim, "GET", "/journal").json() == []


def test_the_journal_is_followed_line_by_line(sim: Simulator) -> None:
    async def follow() -> list[str]:
        server = GatewayServer(control_of(sim, TOKEN))
        await server.start()
        url, headers = f"http://127.0.0.1:{server.port}/journal/follow", {"X-Payproof-Token": TOKEN}
        texts: list[str] = []
        sim.journal.add(Step(text="before"))
        async with httpx.AsyncClient(verify=False) as client, client.stream("GET", url, headers=headers) as response:
            async for line in response.aiter_lines():
                texts.append(json.loads(line)["text"])
                if len(texts) == 1:
                    sim.journal.add(Step(text="after"))
                else:
                    break
        await server.stop()
        return texts

    assert asyncio.run(follow()) == ["before", "after"]
    assert sim.journal.listeners == []


def test_reset_forgets_all_but_the_merchants(gateway: GatewayThread, opened: Opened) -> None:
    opened(gateway)
    gateway.arm("status")
    gateway.reset()
    assert (gateway.payments(), gateway.journal(), gateway.simulator.faults.armed()) == ((), (), ())
    assert opened(gateway)[0]


def test_an_unknown_operation_says_where_to_look(sim: Simulator) -> None:
    response = control(sim, "GET", "/nowhere")
    assert (response.status_code, response.json()["remedy"]) == (404, "see GET /")


@pytest.mark.parametrize("seconds", [1e308, 3.2e9, float("nan"), float("inf")])
def test_the_clock_cannot_be_moved_out_of_time(sim: Simulator, seconds: float) -> None:
    body = json.dumps({"advance": seconds})
    for _ in range(2):
        assert raw(sim, "POST", "/clock", body.encode()).status_code in (400, 422)
    assert control(sim, "GET", "/clock").json()["now"] < 60


def test_a_body_that_is_too_long_is_refused_before_it_is_kept(sim: Simulator) -> None:
    response = raw(sim, "POST", "/faults", b"[" + b" " * (2 * LARGEST_BODY))
    assert (response.status_code, response.json()["remedy"]) == (413, "see GET /")


def raw(sim: Simulator, method: str, path: str, body: bytes) -> httpx.Response:
    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(control_of(sim, TOKEN))
        async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
            return await client.request(method, path, content=body, headers={"Authorization": f"Bearer {TOKEN}"})

    return asyncio.run(call())


ODD_NUMBERS = st.sampled_from([0, -1, 1e308, 10**400, 2**63, float("nan"), float("inf"), 0.1])
ODD_TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(["\ud800", "\x00", "a\r\nb: c", "status", "html", "create"]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), ODD_NUMBERS, ODD_TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(ODD_TEXTS, inner, max_size=3)),
    max_leaves=6,
)
FIELDS = (
    "advance", "name", "operation", "path", "times", "skip", "share", "params", "client_id", "secret_key",
    "amount", "currency", "after_effect", "reference", "payment",
)  # fmt: skip
BODIES = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4).map(lambda value: json.dumps(value).encode()),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=40),
    st.sampled_from([b"[" * 100_000, b'{"params":' * 50_000, b'{"advance":' + b"9" * 5_000 + b"}"]),
)
PLACES = [
    (method, path.replace("{client_id}", "x").replace("{payment}", "p").replace("{id:int}", "99999999999999999999"))
    for method, path, _ in OPERATIONS
    if path != "/journal/follow"
]


@given(place=st.sampled_from(PLACES), body=BODIES)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_stranger_sends_the_control_application_answers_for_itself(
    sim: Simulator, place: tuple[str, str], body: bytes
) -> None:
    response = raw(sim, *place, body)
    assert response.status_code < 500
    assert response.json() is not None
    assert sim.clock.now() < FURTHEST + 60


def a_status_fault(gateway: GatewayThread, status: object) -> httpx.Response:
    return control(
        gateway.simulator, "POST", "/faults",
        {"name": "status", "operation": "create", "times": 1, "params": {"status": status}},
    )  # fmt: skip


@pytest.mark.parametrize("status", [99, 101, 600, -1, 10**30])
def test_a_fault_takes_only_a_status_that_can_be_sent(gateway: GatewayThread, status: int) -> None:
    assert a_status_fault(gateway, status).status_code in (400, 422)


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_status_without_a_body_is_sent_without_one(
    gateway: GatewayThread, create: Callable[..., httpx.Response], status: int
) -> None:
    assert a_status_fault(gateway, status).status_code == 200
    response = create(gateway)
    assert (response.status_code, response.content) == (status, b"")
