"""What ``payproof drift`` proposes, and above all what it does not: every difference here is planted in the independent server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from payproof.contracts import profile as profiles
from payproof.contracts.comparing.catalogue import Catalogue, Decides, DriftCase, catalogue_of
from payproof.contracts.comparing.drift import Drift
from payproof.contracts.model import Json, PayproofError
from payproof.suites.config import Config, make_config
from payproof.suites.conformance.drift.attribute import Agreed, Judge, combined, unsaid
from payproof.suites.conformance.drift.comparing import Raw, explained, labels_of, refusals
from payproof.suites.conformance.drift.comparison import DriftOptions, compare
from payproof.suites.conformance.drift.observe import Observation

from ..conftest import IndependentSandbox  # noqa: TID252

Start = Callable[..., IndependentSandbox]
QRPAY = profiles.load("qrpay")
RATE = 'knobs["rate_limit"]'


class _Heard:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def case(self, case: DriftCase, left: int) -> None: ...


def _config(sandbox: dict[str, Any]) -> Config:
    data: dict[str, Any] = {
        "gateway": "qrpay",
        "integration": {
            "command": ["none"],
            "checkout": {"path": "/checkout"},
            "order": {"path": "/order", "status": "json:/status"},
        },
        "simulator": {"knobs": {"rate_limit": 6000}},
        "sandbox": sandbox,
    }
    return make_config(data, folder=Path(), place="test", environ={})


def _drift(sandbox: IndependentSandbox, *only: str, **more: Any) -> Drift:
    config = _config(sandbox.table(clock=f"{sandbox.control}/clock") | more)
    return asyncio.run(compare(config, DriftOptions(only=only), _Heard()))


def test_missing_routes_are_one_change_of_their_list_and_nothing_else(independent_sandbox: Start) -> None:
    drift = _drift(independent_sandbox("--plant", "no-status-query", "--plant", "no-status-post"), "status", "token")
    (proposal,) = drift.proposals
    assert proposal.startswith('knobs["status_routes"]: ')
    _, _, after = proposal.partition(" -> ")
    assert "/payment/status/{token}" in after
    assert "'/payment/status'" not in after


def test_a_route_that_only_lacks_a_method_proposes_nothing_that_another_method_contradicts(
    independent_sandbox: Start,
) -> None:
    drift = _drift(independent_sandbox("--plant", "no-status-post"), "status", "token")
    assert drift.differences, "the missing route was not seen"
    assert drift.proposals == ()


def test_one_more_required_field_is_one_difference_and_no_knob(independent_sandbox: Start) -> None:
    drift = _drift(independent_sandbox("--plant", "phone-required"))
    assert drift.proposals == ()
    (found,) = drift.of("difference")
    assert found.fact.name == "openapi POST /payment/create answer"
    assert "The phone field is required." in found.gateway
    assert len(found.labels) > 20


@pytest.mark.parametrize("plant", ["moved-create"])
def test_a_redirect_in_place_of_an_operation_is_one_difference_and_no_knob(
    independent_sandbox: Start, plant: str
) -> None:
    drift = _drift(independent_sandbox("--plant", plant), "create")
    assert drift.proposals == ()
    assert {each.fact.name for each in drift.of("difference")} == {"openapi POST /payment/create answer"}
    assert RATE not in {each.fact.name for each in drift.differences}


def test_where_nothing_works_nobody_is_asked_a_hundred_times(independent_sandbox: Start) -> None:
    sandbox = independent_sandbox("--plant", "moved")
    with pytest.raises(
        PayproofError, match=r"nothing could be compared: an access token is refused with .*301"
    ) as caught:
        _drift(sandbox)
    assert "sandbox.base_url" in caught.value.remedy
    assert len(sandbox.requests()) == 1


def test_a_second_429_is_an_answer_that_is_told(independent_sandbox: Start) -> None:
    sandbox = independent_sandbox("--plant", "limited")
    with pytest.raises(
        PayproofError, match="429, too many requests, also after the 1 s that it asked to wait"
    ) as caught:
        _drift(sandbox)
    assert "sandbox.rate" in caught.value.remedy
    assert len(sandbox.requests()) == 2


def test_only_refused_credentials_send_to_the_credentials(independent_sandbox: Start) -> None:
    sandbox = independent_sandbox()
    with pytest.raises(PayproofError, match="Invalid secret ID") as caught:
        _drift(sandbox, secret_key="n" * 100)
    assert caught.value.remedy == "check sandbox.client_id and sandbox.secret_key"


def test_pages_on_another_host_are_told_and_the_rest_goes_on(independent_sandbox: Start) -> None:
    drift = _drift(independent_sandbox("--plant", "foreign-pages"))
    shown = [each.gateway for each in drift.differences if each.path == "body.data.payment_url"]
    assert shown
    assert all("https://checkout.elsewhere.test/" in text for text in shown)
    reasons = [left.reason for left in drift.left if "checkout.elsewhere.test" in left.reason]
    assert len(reasons) > 5
    assert not [left for left in drift.left if "not asked any more" in left.reason]


def test_a_gateway_that_fails_now_and_then_has_not_drifted(independent_sandbox: Start) -> None:
    drift = _drift(independent_sandbox("--ill", "503:7"), "token", "create")
    assert drift.differences == ()


def test_a_second_merchant_may_not_ask_for_the_firsts_payment(independent_sandbox: Start) -> None:
    import httpx

    def drift(*flags: str) -> Drift:
        sandbox = independent_sandbox(*flags)
        second = httpx.post(f"{sandbox.control}/merchants", json={"mode": "SANDBOX"}).json()
        other = {"client_id": second["client_id"], "secret_key": second["secret_id"]}
        return _drift(sandbox, "status.another", other=other)

    same = drift()
    assert (same.cases, same.differences, same.left) == (1, (), ())
    (found,) = drift("--plant", "any-merchant").differences
    assert (found.what, found.simulator) == ("the status of another merchant's payment", "404 Payment not found")


def test_a_second_merchant_whose_credentials_are_not_set_is_told_by_their_names(independent_sandbox: Start) -> None:
    other = {"client_id": "${NO_SUCH_ID}", "secret_key": "${NO_SUCH_KEY}"}
    (left,) = _drift(independent_sandbox(), "token.issue", "status.another", other=other).left
    assert left.reason.endswith("[sandbox.other], not set: NO_SUCH_ID, NO_SUCH_KEY")


def test_a_clock_behind_the_sandboxs_own_authority_is_trusted(independent_sandbox: Start, tmp_path: Path) -> None:
    sandbox = independent_sandbox()

    class Clock(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sandbox.advance(602)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Clock)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sandbox.ca.parent / "cert.pem", sandbox.ca.parent / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        config = _config(sandbox.table(clock=f"https://localhost:{server.server_port}/clock"))
        drift = asyncio.run(compare(config, DriftOptions(only=("token.expired",)), _Heard()))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert drift.cases == 2
    assert drift.differences == ()


# The rules, on looks that are written by hand


def _look(answer: str = "ok", label: str = "step", **facts: Json) -> Observation:
    texts = facts.pop("texts", ())
    return Observation(
        case="case",
        label=label,
        operation="create",
        answer=answer,
        texts=tuple(map(str, texts)) if isinstance(texts, list | tuple) else (),
        facts={name.replace("__", "."): value for name, value in facts.items()},
    )


def _judge(*decides: Decides) -> tuple[Judge, DriftCase]:
    case = DriftCase(id="case", text="", steps=(), decides=decides)
    knobs = {name: fact.value for name, fact in QRPAY.knobs.items()}
    return Judge(QRPAY, Catalogue(operations={"create": "POST /create"}, cases=(case,), ids={}), knobs), case


def test_a_plain_request_that_is_refused_explains_whoever_is_refused_alike() -> None:
    refused = _look("HTTP 400", status=400, texts=["The phone field is required."])
    plain = refusals([(_look(status=200), refused)], {"create": "step"})["create"]
    assert plain[1] is refused
    more = _look("HTTP 400", status=400, texts=["The currency is unknown.", "The phone field is required."])
    assert explained(more, refused)
    assert not explained(_look("HTTP 400", status=400, texts=["The currency is unknown."]), refused)
    assert not explained(_look(status=200), refused)
    moved = _look("HTTP 301", status=301)
    assert explained(_look("HTTP 301", status=301), moved)
    assert not explained(_look("HTTP 302", status=302), moved)


def test_a_plain_request_that_goes_well_explains_nothing() -> None:
    plain = {"create": "step"}
    assert refusals([(_look(status=200), _look(status=200))], plain) == {}
    assert refusals([(_look("currency", status=400), _look("HTTP 400", status=400))], plain) == {}
    assert refusals([(_look(label="odd", status=200), _look("HTTP 400", "odd", status=400))], plain) == {}


def test_the_plain_request_of_an_operation_is_the_one_that_most_cases_are_made_of() -> None:
    labels = labels_of(catalogue_of(QRPAY))
    assert (labels["token"], labels["create"]) == ("an access token", "a payment")


@pytest.mark.parametrize("status", [301, 404, 405, 500, 503])
def test_any_refusal_is_not_a_redirect_a_failure_or_a_route_that_is_not_there(status: int) -> None:
    judge, case = _judge(Decides(knob="strict_decimals", at="step", values={"ok": False, "*": True}))
    raw = Raw(path="answer", simulator=_look(status=200), gateway=_look(f"HTTP {status}", status=status))
    assert judge.blame(raw, case).change == ""
    refused = replace(raw, gateway=_look("HTTP 422", status=422))
    assert judge.blame(refused, case).change == "False -> True"


def test_an_error_that_is_as_the_profile_says_elsewhere_is_not_changed() -> None:
    judge, case = _judge()
    error = QRPAY.errors["currency"]
    ours = _look("currency", status=400, body="JSON object", texts=list(error.texts))
    theirs = replace(ours, facts={**ours.facts, "status": 422})
    raw = Raw(path="status", simulator=ours, gateway=theirs)
    blame = judge.blame(raw, case)
    assert blame.change == "400 -> 422"
    agreed = Agreed(judge)
    assert not agreed.contradict(blame, raw)
    page = replace(ours, facts={**ours.facts, "body": "HTML page"})
    agreed.note(page, page, case)
    assert not agreed.contradict(blame, raw)
    agreed.note(ours, ours, case)
    assert agreed.contradict(blame, raw)
    assert unsaid(blame, judge.place(raw)).change == ""


def test_a_knob_that_is_as_the_profile_says_elsewhere_is_not_changed() -> None:
    judge, case = _judge(
        Decides(knob="refuse_http_urls", at="one", values={"ok": False, "*": True}),
        Decides(knob="refuse_http_urls", at="other", values={"ok": False, "*": True}),
    )
    raw = Raw(path="answer", simulator=_look(label="one", status=200), gateway=_look("HTTP 400", "one", status=400))
    agreed = Agreed(judge)
    assert not agreed.contradict(judge.blame(raw, case), raw)
    agreed.note(_look(label="other", status=200), _look(label="other", status=200), case)
    assert agreed.contradict(judge.blame(raw, case), raw)


def test_members_that_go_are_one_change() -> None:
    routes = QRPAY.knobs["status_routes"].value
    assert isinstance(routes, list)
    assert len(routes) >= 2
    first, second = map(str, routes[:2])
    judge, case = _judge(
        Decides(knob="status_routes", at="one", member=first), Decides(knob="status_routes", at="two", member=second)
    )
    raws = [
        Raw(path="answer", simulator=_look(label=at, status=200), gateway=_look("HTTP 404", at, status=404))
        for at in ("one", "two")
    ]
    changes = {each.change for each in combined([judge.blame(raw, case) for raw in raws], judge.knobs)}
    assert changes == {f"{routes!r} -> {routes[2:]!r}"}
