"""The inspector without a browser: who gets in, what is shown, what is judged."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from payproof.contracts.entries import Call, Entry, Request
from payproof.contracts.profile import load
from payproof.simulator import GatewayServer, Simulator
from payproof.simulator.control.control import control
from payproof.simulator.inspector.access import Access
from payproof.simulator.inspector.app import Inspector
from payproof.simulator.inspector.curl import curl
from payproof.simulator.inspector.judging import LiveJudge, judged, what_is_known
from payproof.simulator.inspector.parts import Parts
from payproof.simulator.inspector.stream import WINDOW, events
from payproof.simulator.inspector.view import detail, switches
from payproof.simulator.testing import GatewayThread

HERE = "http://127.0.0.1:8401"
KNOWN = what_is_known(secure=False)
Answer = Callable[..., httpx.Response]
Opened = Callable[..., tuple[str, str]]


class Door:
    """The control port with an inspector, asked without a network."""

    def __init__(self, sim: Simulator) -> None:
        self.access = Access()
        self.inspector = Inspector(sim, self.access, KNOWN, exports=lambda: "export CLIENT_ID=c")
        self.app = control(sim, "token", self.inspector.app)
        self.cookie = ""

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """``headers``: in place of those that a browser sends from the inspector's own page; an underscore is a dash."""
        own = {"origin": HERE, "cookie": self.cookie} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 5))
            async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
                return await client.request(method, path, json=body, headers={k: v for k, v in own.items() if v})

        return asyncio.run(call())

    def enter(self) -> httpx.Response:
        answer = self.ask("GET", "/" + self.access.entrance())
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer


@pytest.fixture
def door() -> Door:
    return Door(Simulator(load("quatapay")))


def test_the_printed_address_lets_one_browser_in_and_nobody_after_it(door: Door) -> None:
    address = "/" + door.access.entrance()
    first = door.enter()
    assert (first.status_code, first.headers["location"]) == (303, "/inspector")
    assert "Path=/inspector; HttpOnly; SameSite=Strict" in first.headers["set-cookie"]
    assert door.ask("GET", "/inspector").status_code == 200
    assert "set-cookie" not in door.ask("GET", address, cookie="").headers
    assert door.ask("GET", "/inspector", cookie="").status_code == 401


@pytest.mark.parametrize("path", ["/inspector", "/inspector/events", "/inspector/exchange/1", "/inspector/nowhere"])
def test_without_the_cookie_nothing_is_shown(door: Door, path: str) -> None:
    door.enter()
    assert door.ask("GET", path, cookie="payproof_inspector_8401=guessed").status_code == 401


def test_the_cookie_does_not_open_the_control_port(door: Door) -> None:
    door.enter()
    assert door.ask("GET", "/merchants").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://127.0.0.1:8400"}, {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": ""},
     {"sec_fetch_site": "same-site"}, {"sec_fetch_site": "cross-site"}],
)  # fmt: skip
def test_another_page_cannot_use_the_switches(door: Door, headers: dict[str, str]) -> None:
    door.enter()
    assert door.ask("POST", "/inspector/api/clock", {"advance": 600}, **headers).status_code == 403
    assert door.inspector.parts.sim.clock.ahead == 0
    assert door.ask("POST", "/inspector/api/clock", {"advance": 600}).status_code == 200
    assert door.inspector.parts.sim.clock.ahead == 600


@pytest.mark.parametrize(
    "host", ["rebound.example:8401", "127.0.0.1.rebound.example:8401", "localhost.rebound.example", "[::1", "x:y"]
)
def test_a_name_that_was_made_to_point_here_is_refused(door: Door, host: str) -> None:
    door.enter()
    assert door.ask("GET", "/inspector", host=host).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8401", "127.0.0.1:8401", "[::1]:8401", "127.1.2.3:8401"])
def test_every_name_of_this_machine_is_its_own(door: Door, host: str) -> None:
    door.enter()
    assert door.ask("GET", "/inspector", host=host).status_code == 200


def test_every_answer_forbids_what_the_page_does_not_need(door: Door) -> None:
    for answer in (door.enter(), door.ask("GET", "/inspector"), door.ask("GET", "/inspector", cookie="")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


def test_operations_that_tell_keys_are_not_reached_through_the_inspector(door: Door) -> None:
    door.inspector.parts.sim.add_merchant()
    door.enter()
    assert door.ask("GET", "/inspector/api/merchants").status_code == 404
    assert door.ask("POST", "/inspector/api/rotate").json() == {"ok": True}


def test_a_body_that_is_too_long_is_refused(door: Door) -> None:
    door.enter()
    assert door.ask("POST", "/inspector/api/faults", "x" * 2_000_000).status_code == 413


def test_what_is_wrong_is_said_with_a_remedy(door: Door) -> None:
    door.enter()
    answer = door.ask("POST", "/inspector/api/faults", {"name": "sattus"})
    assert (answer.status_code, answer.json()["remedy"]) == (400, 'did you mean "status"?')


def test_only_a_gateway_that_issues_access_tokens_has_a_switch_for_them() -> None:
    for name, has in (("quatapay", True), ("quay", False)):
        door = Door(Simulator(load(name)))
        door.enter()
        assert ("Expire tokens" in door.ask("GET", "/inspector").text) is has


def test_every_fault_of_the_registry_has_a_switch_with_its_parameters() -> None:
    found = {each.name: each for each in switches(load("quatapay"))}
    assert {parameter.name: parameter.default for parameter in found["status"].parameters} == {
        "status": "500",
        "text": "Something went wrong! Please try again",
    }
    assert "currency" in found["error"].parameters[0].choices
    assert "unknown_ca" in found["tls-alert"].parameters[0].choices
    assert (found["refuse"].limited, found["refuse"].parameters[0].numeric) == (False, True)


def test_a_copied_call_repeats_the_request_with_variables_for_its_secrets() -> None:
    headers = (("Host", "x"), ("Authorization", "Bearer <access-token-12>"), ("X-Odd", "it's $HOME `id`"))
    request = Request(method="POST", url="http://h/a?b=c&d", headers=headers, body='{"a": "<secret-key-1>"}')
    words = shlex.split(curl(request).replace("\\\n", ""))
    assert words == [
        "curl", "-sS", "--globoff", "-X", "POST", "-H", "Authorization: Bearer $ACCESS_TOKEN", "-H", "X-Odd: it's $HOME `id`",
        "--data-raw", '{"a": "$SECRET_KEY"}', "http://h/a?b=c&d",
    ]  # fmt: skip
    assert "'X-Odd: it'\"'\"'s $HOME `id`'" in curl(request), "a stranger's dollar stays in single quotes"


def test_a_page_shows_what_an_integration_sent_as_text(gateway: GatewayThread, create: Answer) -> None:
    create(gateway, custom="<img src=x onerror=alert(1)>")
    assert gateway.journal(), "what is under way is over now"
    door = Door(gateway.simulator)
    door.enter()
    page = door.ask("GET", "/inspector").text
    assert "&lt;img src=x" in page
    assert "<img" not in page
    assert gateway.secret_key not in page + door.inspector.parts.rows(gateway.journal())[0]
    number = next(entry.n for entry in gateway.journal() if isinstance(entry, Call) and entry.role == "open")
    exchange = door.ask("GET", f"/inspector/exchange/{number}").text
    assert "onerror" in exchange
    assert "<img" not in exchange


def test_a_body_in_json_is_indented() -> None:
    call = Call(began=0, ended=1, ending="hung_up", request=Request(method="POST", url="http://h/", body='{"a":1}'))
    shown = detail(call)
    assert (shown.asked.body, shown.answered, shown.ending) == (
        '{\n  "a": 1\n}',
        None,
        "no answer: the client hung up after 1.0 s",
    )


def received(parts: Parts, after: int, enough: Callable[[list[dict[str, object]]], bool]) -> list[dict[str, object]]:
    """The events of a page that knows of all entries up to ``after``, until there are enough."""

    async def read() -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        async with asyncio.timeout(20):
            async for text in events(parts, after):
                fields = dict(line.split(": ", 1) for line in text.strip().splitlines() if not line.startswith(":"))
                if "event" in fields:
                    found.append({"event": fields["event"], "id": int(fields["id"]), **json.loads(fields["data"])})
                if enough(found):
                    break
        return found

    return asyncio.run(read())


def rows_with(text: str) -> Callable[[list[dict[str, object]]], bool]:
    return lambda found: any(each["event"] == "rows" and text in str(each["html"]) for each in found)


def test_a_browser_that_lost_its_line_goes_on_after_the_last_entry_that_it_has(
    gateway: GatewayThread, opened: Opened
) -> None:
    opened(gateway)
    parts = Door(gateway.simulator).inspector.parts
    first = received(parts, 0, rows_with("for order-1"))
    opened(gateway, custom="order-2")
    again = received(parts, int(str(first[-1]["id"])), rows_with("for order-2"))
    assert not rows_with("for order-1")(again)


def test_of_a_flood_a_page_is_sent_the_newest_part(gateway: GatewayThread, authenticate: Answer) -> None:
    for _ in range(WINDOW + 20):
        authenticate(gateway)
    parts = Door(gateway.simulator).inspector.parts
    found = received(parts, 0, lambda found: bool(found))[0]
    assert found["skipped"] == 2 * (WINDOW + 20) - WINDOW, "each token call is a call and a line of the ledger"
    assert str(found["html"]).count("<li") <= WINDOW


def test_nobody_listens_to_the_journal_while_a_page_is_open(gateway: GatewayThread, opened: Opened) -> None:
    opened(gateway)
    received(Door(gateway.simulator).inspector.parts, 0, lambda found: bool(found))
    assert gateway.simulator.journal.listeners == []


def test_a_page_that_was_closed_leaves_nothing_running(gateway: GatewayThread) -> None:
    door = Door(gateway.simulator)

    async def scenario() -> int:
        server = GatewayServer(door.app)
        await server.start()
        before = len(asyncio.all_tasks())
        own = f"http://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(verify=False, base_url=own) as client:
            entered = await client.get("/" + door.access.entrance())
            cookie = {"cookie": entered.headers["set-cookie"].partition(";")[0]}
            async with client.stream("GET", "/inspector/events", headers=cookie) as answer:
                async for line in answer.aiter_lines():
                    if line.startswith("event: verdicts"):
                        break
        async with asyncio.timeout(10):
            while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - tasks end by themselves, and tell nobody
                await asyncio.sleep(0)
        await server.stop()
        return answer.status_code

    assert asyncio.run(scenario()) == 200


def test_a_page_holds_neither_tokens_nor_keys(qrpay: GatewayThread, opened: Opened) -> None:
    opened(qrpay)
    door = Door(qrpay.simulator)
    door.enter()
    number = next(entry.n for entry in qrpay.journal() if isinstance(entry, Call) and entry.role == "open")
    shown = door.ask("GET", "/inspector").text + door.ask("GET", f"/inspector/exchange/{number}").text
    shown += "".join(door.inspector.parts.payments().values())
    secrets = (*qrpay.simulator.store.tokens(), qrpay.secret_key, qrpay.client_id)
    assert len(secrets) == 3
    assert ("order-1" in shown, "access-token-1" in shown) == (True, True)
    assert not any(secret in shown for secret in secrets)


# -- what is judged


def states(gateway: GatewayThread) -> dict[str, str]:
    return {row.id: row.state for row in judged(gateway.journal(), gateway.profile, KNOWN).rows}


def test_before_anything_has_happened_each_requirement_says_what_shows_it(gateway: GatewayThread) -> None:
    rows = judged(gateway.journal(), gateway.profile, KNOWN).rows
    assert {row.state for row in rows} == {"open"}
    assert all(row.says for row in rows)


def test_a_return_address_without_https_is_seen_at_the_first_payment(gateway: GatewayThread, opened: Opened) -> None:
    opened(gateway)
    assert states(gateway)["https.return-url"] == "pass"
    opened(gateway, return_url="http://shop.example/return")
    rows = {row.id: row for row in judged(gateway.journal(), gateway.profile, KNOWN).rows}
    assert rows["https.return-url"].state == "fail"
    number = rows["https.return-url"].evidence[0]
    assert [
        entry.n for entry in gateway.journal() if isinstance(entry, Call) and "http://shop" in entry.request.body
    ] == [number]


def paid(gateway: GatewayThread, opened: Opened, number: int, **changes: str) -> None:
    gateway.pay(opened(gateway, custom=f"order-{number}", **changes)[1])


def test_a_token_for_each_payment_is_seen_after_a_few_payments(
    gateway: GatewayThread, opened: Opened, issue: Callable[[GatewayThread], str]
) -> None:
    for number in range(4):
        paid(gateway, opened, number)
    assert states(gateway)["token.cached"] == "fail"
    several = judged(gateway.journal(), gateway.profile, what_is_known(secure=False, workers=3)).rows
    assert next(row.state for row in several if row.id == "token.cached") == "pass", (
        "as many processes may ask for one each"
    )
    gateway.reset()
    token = issue(gateway)
    for number in range(4):
        paid(gateway, opened, number, token=token)
    assert states(gateway)["token.cached"] == "pass"


def test_a_careful_integration_is_accused_of_nothing(
    gateway: GatewayThread, opened: Opened, issue: Callable[[GatewayThread], str], create: Answer
) -> None:
    door = Door(gateway.simulator)
    door.enter()
    acts: tuple[tuple[str, dict[str, int]], ...] = (
        ("", {}),
        ("clock", {"advance": 601}),
        ("tokens/expire", {}),
        ("rotate", {}),
    )
    for act, body in acts:
        if act:
            assert door.ask("POST", f"/inspector/api/{act}", body).status_code == 200
            gateway.merchant = gateway.simulator.merchants()[0]
        token = issue(gateway)
        for number in range(3):
            paid(gateway, opened, number, token=token)
        fault = gateway.arm("status", operation="create", params={"status": 503}, times=1)
        assert create(gateway, token=token).status_code == 503
        gateway.clear(fault)
    found = states(gateway)
    assert not {"fail", "warn"} & set(found.values()), found
    assert found["token.cached"] == "pass"


def test_tokens_that_somebody_made_expire_are_not_held_against_the_integration(
    gateway: GatewayThread, opened: Opened, issue: Callable[[GatewayThread], str]
) -> None:
    door = Door(gateway.simulator)
    door.enter()
    for number in range(4):
        paid(gateway, opened, number, token=issue(gateway))
        door.ask("POST", "/inspector/api/tokens/expire", {})
    assert states(gateway)["token.cached"] == "open"


def test_a_call_that_was_given_up_in_time_holds_and_one_that_stays_open_is_doubted(
    gateway: GatewayThread, create: Answer
) -> None:
    fault = gateway.arm("never-answer", operation="create")
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{gateway.base_url}/payment/create", json={}, timeout=0.3, headers={"Authorization": "Bearer x"})
    gateway.deliveries()
    gateway.clear(fault)
    entries = gateway.journal()
    assert {row.id: row.state for row in judged(entries, gateway.profile, KNOWN).rows}["timeout.response"] == "pass"
    slow = [replace(entry, ended=entry.began + 40) if isinstance(entry, Call) else entry for entry in entries]
    row = next(row for row in judged(slow, gateway.profile, KNOWN).rows if row.id == "timeout.response")
    assert (row.state, "not seen from here" in row.says) == ("warn", True)


def test_of_what_the_gateway_sees_a_part_of_only_a_breach_is_shown(
    gateway: GatewayThread, create: Answer, issue: Callable[[GatewayThread], str]
) -> None:
    create(gateway)
    assert states(gateway)["credentials.not-served"] == "open"
    create(gateway, return_url=f"https://shop.example/return?key={gateway.secret_key}")
    assert states(gateway)["credentials.not-served"] == "fail"


def test_what_was_judged_is_forgotten_with_the_entries(gateway: GatewayThread, opened: Opened) -> None:
    opened(gateway, return_url="http://shop.example/return")
    seen = gateway.journal()
    live = LiveJudge(gateway.profile, KNOWN)

    async def told(*entries: Entry) -> str:
        rows = (await live.at(seen[-1].n, entries)).rows
        return next(row.state for row in rows if row.id == "https.return-url")

    async def play() -> list[str]:
        return [await told(*seen), await told(), await told(*seen)]

    assert asyncio.run(play()) == ["fail", "open", "fail"]
