from __future__ import annotations

import json
from collections.abc import Callable
from threading import Event, Thread

import httpx
import pytest

from payproof.contracts.entries import Call, FaultSet
from payproof.contracts.faults import FaultSpec
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import load
from payproof.simulator import Simulator
from payproof.simulator.faults import registered
from payproof.simulator.faults.registry import fault
from payproof.simulator.testing import GatewayThread

Answer = Callable[..., httpx.Response]
Start = Callable[..., GatewayThread]
Opened = Callable[..., tuple[str, str]]
Issue = Callable[[GatewayThread], str]
CANARY = "cnry-4711"


def last_call(gateway: GatewayThread) -> Call:
    return next(entry for entry in reversed(gateway.journal()) if isinstance(entry, Call))


@pytest.mark.parametrize("name", sorted(set(load("quatapay").errors)))
def test_every_error_of_the_profile_is_answered_to_the_letter(
    gateway: GatewayThread, authenticate: Answer, name: str
) -> None:
    error = gateway.profile.errors[name]
    gateway.arm("error", params={"error": name, "canary": CANARY})
    response = authenticate(gateway)
    message = response.json()["message"]
    texts = message["error"] if error.envelope else [message]
    assert (response.status_code, texts) == (error.status, [f"{text} {CANARY}" for text in error.texts])


def test_status_answers_anything_in_the_envelope(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.arm("status", params={"status": 503, "text": "Closed", "canary": CANARY})
    response = authenticate(gateway)
    assert (response.status_code, response.json()["message"]) == (503, {"code": 503, "error": [f"Closed {CANARY}"]})


def test_a_plain_error_is_outside_the_envelope(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.arm("plain-error", params={"canary": CANARY})
    response = authenticate(gateway)
    assert (response.status_code, response.json()) == (500, {"message": f"Server Error {CANARY}"})


def test_html_is_a_page_of_a_proxy(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.arm("html", params={"canary": CANARY})
    response = authenticate(gateway)
    assert (response.status_code, response.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert f"<h1>502 Bad Gateway {CANARY}</h1>" in response.text


def test_prose_comes_with_200(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.arm("not-json", params={"canary": CANARY})
    response = authenticate(gateway)
    assert response.status_code == 200
    assert response.text.endswith(CANARY)
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_empty_has_no_body(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.arm("empty")
    response = authenticate(gateway)
    assert (response.status_code, response.content) == (200, b"")


def test_cut_is_half_the_real_answer_in_a_correct_frame(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.arm("cut")
    response = authenticate(gateway)
    assert int(response.headers["content-length"]) == len(response.content)
    assert response.text.startswith('{"message":{"code":200')
    assert not last_call(gateway).event.ok


def test_a_wrong_content_type_leaves_the_answer_alone(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.arm("wrong-content-type")
    response = authenticate(gateway)
    assert response.headers.get_list("content-type") == ["text/html; charset=UTF-8"]
    assert response.json()["type"] == "success"


def test_oversized_is_true_and_valid_and_cut_in_the_journal(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.arm("oversized", params={"kilobytes": 100})
    response = authenticate(gateway)
    assert len(response.content) > 100 * 1024
    assert response.json()["type"] == "success"
    call = last_call(gateway)
    assert call.response
    assert (call.response.size, len(call.response.body)) == (len(response.content), 64 * 1024)
    assert call.event.ok


def test_another_payment_s_answer_is_paid_and_foreign(gateway: GatewayThread, opened: Opened, check: Answer) -> None:
    payment, _ = opened(gateway, amount="12.50")
    gateway.arm("other-payment", operation="status")
    data = check(gateway, payment).json()["data"]
    assert (data["paid"], data["amount"], data["currency"]) == (True, "12.50", "XAF")
    assert data["token"] != payment
    assert data["custom"] != "order-1"
    assert len(data["token"]) == 60


def test_another_payment_can_be_a_real_one(gateway: GatewayThread, opened: Opened, check: Answer) -> None:
    (paid, url), (asked, _) = opened(gateway, custom="order-a"), opened(gateway, custom="order-b")
    gateway.pay(url)
    gateway.arm("other-payment", operation="status", params={"answer": paid})
    data = check(gateway, asked).json()["data"]
    assert (data["token"], data["custom"], data["paid"]) == (paid, "order-a", True)


def test_another_payment_that_there_is_not_is_made_up(gateway: GatewayThread, opened: Opened, check: Answer) -> None:
    payment, _ = opened(gateway)
    gateway.arm("other-payment", operation="status", params={"answer": "nobody-knows-it"})
    data = check(gateway, payment).json()["data"]
    assert (data["paid"], data["token"] == payment) == (True, False)


def test_too_many_requests_has_its_headers_and_no_envelope(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.arm("rate-limit", params={"seconds": 2, "canary": CANARY})
    response = authenticate(gateway)
    assert (response.status_code, response.json()) == (429, {"message": f"Too Many Attempts. {CANARY}"})
    assert (response.headers["retry-after"], response.headers["x-ratelimit-remaining"]) == ("2", "0")


def test_unauthorized_is_the_expired_token(gateway: GatewayThread, create: Answer) -> None:
    gateway.arm("unauthorized", operation="create")
    response = create(gateway)
    assert (response.status_code, response.json()["message"]["error"]) == (401, ["Request token is expired"])


def test_before_the_effect_there_is_no_payment_and_after_it_there_is(gateway: GatewayThread, create: Answer) -> None:
    gateway.arm("html", operation="create", times=1)
    gateway.arm("html", operation="create", after_effect=True)
    assert create(gateway).status_code == 502
    assert gateway.payments() == ()
    assert create(gateway).status_code == 502
    assert len(gateway.payments()) == 1


@pytest.mark.parametrize("name", ["cut", "wrong-content-type", "oversized"])
def test_a_damaged_body_has_its_effect_once(gateway: GatewayThread, create: Answer, name: str) -> None:
    gateway.arm(name, operation="create", after_effect=True)
    create(gateway)
    assert len(gateway.payments()) == 1


@pytest.mark.parametrize("after_effect", [False, True])
def test_dropped_closes_without_a_byte(gateway: GatewayThread, create: Answer, *, after_effect: bool) -> None:
    gateway.arm("dropped", operation="create", after_effect=after_effect)
    with pytest.raises(httpx.RemoteProtocolError):
        create(gateway)
    assert len(gateway.payments()) == after_effect
    call = last_call(gateway)
    assert (call.ending, call.response, call.fault) == ("cut", None, "dropped")


@pytest.mark.parametrize("name", ["never-answer", "stall", "drip"])
def test_a_hang_up_is_seen_at_its_moment(
    gateway: GatewayThread, issue: Issue, opened: Opened, check: Answer, http: httpx.Client, name: str
) -> None:
    payment, _ = opened(gateway)
    token = issue(gateway)
    gateway.arm(name, operation="status")
    http.timeout = httpx.Timeout(0.3)
    url = f"{gateway.base_url}/payment/status/{payment}"
    with pytest.raises(httpx.ReadTimeout):
        http.get(url, headers={"Authorization": f"Bearer {token}"})
    done(gateway, name)
    call = last_call(gateway)
    assert (call.ending, call.fault) == ("hung_up", name)
    assert 0.28 < call.seconds < 0.6
    assert (call.response is None) == (name == "never-answer")


def done(gateway: GatewayThread, fault: str) -> None:
    """Returns when the call that this fault hit is in the journal."""
    written = Event()

    def look(entry: object) -> None:
        if isinstance(entry, Call) and entry.fault == fault:
            written.set()

    gateway.simulator.journal.listeners.append(look)
    for entry in gateway.journal():
        look(entry)
    assert written.wait(5)


def test_a_delay_is_in_real_seconds_and_then_true(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.arm("delay", params={"seconds": 0.2})
    assert authenticate(gateway).status_code == 200
    call = last_call(gateway)
    assert call.ending == "answered"
    assert 0.2 <= call.seconds < 1


def test_drip_ends_when_it_is_done(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.arm("drip", params={"seconds": 0.0005})
    assert authenticate(gateway).json()["type"] == "success"
    assert last_call(gateway).ending == "answered"


@pytest.mark.parametrize("name", ["never-answer", "delay", "stall"])
def test_clearing_a_fault_lets_held_calls_go(gateway: GatewayThread, authenticate: Answer, name: str) -> None:
    hit = Event()
    number = gateway.arm(name)
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            authenticate(gateway)
        except httpx.HTTPError as error:
            errors.append(error)

    thread = Thread(target=ask)
    thread.start()
    while not gateway.fired(number):
        hit.wait(0.01)
    gateway.clear(number)
    thread.join(5)
    assert [type(error) for error in errors] == [httpx.RemoteProtocolError]
    done(gateway, name)
    assert last_call(gateway).ending == "cut"


def test_the_first_armed_fault_that_matches_hits(gateway: GatewayThread, authenticate: Answer, create: Answer) -> None:
    first = gateway.arm("status", operation="create", params={"status": 501})
    second = gateway.arm("status", params={"status": 502})
    third = gateway.arm("status", params={"status": 503})
    assert authenticate(gateway).status_code == 502
    assert create(gateway, token="any").status_code == 501
    gateway.clear(second)
    assert authenticate(gateway).status_code == 503
    assert [gateway.fired(number) for number in (first, second, third)] == [1, 1, 1]


def test_times_and_skip_count_matching_calls(gateway: GatewayThread, authenticate: Answer) -> None:
    gateway.arm("status", times=2, skip=1)
    assert [authenticate(gateway).status_code for _ in range(5)] == [200, 500, 500, 200, 200]


def test_a_fault_can_be_for_one_order(gateway: GatewayThread, create: Answer, opened: Opened, check: Answer) -> None:
    mine, _ = opened(gateway, custom="order-7")
    other, _ = opened(gateway, custom="order-8")
    gateway.arm("status", reference="order-7")
    assert create(gateway, custom="order-7").status_code == 500
    assert create(gateway, custom="order-8").status_code == 200
    assert (check(gateway, mine).status_code, check(gateway, other).status_code) == (500, 200)


def test_a_fault_can_be_for_one_payment_or_path(gateway: GatewayThread, opened: Opened, check: Answer) -> None:
    (mine, url), (other, _) = opened(gateway), opened(gateway)
    gateway.arm("status", payment=mine)
    assert (check(gateway, mine).status_code, check(gateway, other).status_code) == (500, 200)
    gateway.clear()
    gateway.arm("html", path="/user/authentication/form/")
    assert httpx.get(url, verify=False).status_code == 502


def test_hosted_pages_are_hit_only_by_their_path(gateway: GatewayThread, opened: Opened) -> None:
    _, url = opened(gateway)
    gateway.arm("status")
    assert httpx.get(url, verify=False).status_code == 200


def drawn(seed: int) -> list[bool]:
    with GatewayThread(seed=seed) as gateway, httpx.Client(verify=False) as http:
        gateway.arm("status", share=0.5)
        url = f"{gateway.base_url}/authentication/token"
        return [http.post(url).status_code == 500 for _ in range(40)]


def test_a_share_is_drawn_by_the_seed() -> None:
    first = drawn(1)
    assert first == drawn(1)
    assert first != drawn(2)
    assert 8 < sum(first) < 32


def test_arming_and_clearing_are_journaled(gateway: GatewayThread) -> None:
    number = gateway.arm("status", operation="create", times=2, params={"status": 503})
    gateway.clear(number)
    gateway.clear(number)
    armed, cleared = [entry for entry in gateway.journal() if isinstance(entry, FaultSet)]
    assert (armed.event, armed.name, armed.operation) == ("armed", "status", "create")
    assert armed.detail == {"id": 1, "times": 2, "params": {"status": 503}}
    assert (cleared.event, cleared.detail["fired"]) == ("cleared", 0)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (FaultSpec(name="sattus"), 'did you mean "status"'),
        (FaultSpec(name="status", params={"statsu": 500}), 'did you mean "status"'),
        (FaultSpec(name="status", params={"status": "many"}), "payproof list faults"),
        (FaultSpec(name="error"), "payproof list faults"),
        (FaultSpec(name="error", params={"error": "curency"}), 'did you mean "currency"'),
        (FaultSpec(name="status", share=2), "between 0 and 1"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_when_armed(spec: FaultSpec, says: str) -> None:
    with pytest.raises(PayproofError) as caught:
        Simulator(load("quatapay")).faults.arm(spec)
    assert says in f"{caught.value.message} {caught.value.remedy}"


def test_every_fault_is_documented() -> None:
    assert {"error", "never-answer", "rate-limit"} <= set(registered())
    assert not [name for name, cls in registered().items() if not cls.__doc__]


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match='two faults are named "status"'):
        fault("status")(type("Twin", (), {}))
