"""``payproof drift``: what is compared, what is found, on which fact, and what it leaves alone.

The gateway is the independent server, in another language, over HTTPS.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from rich.console import Console

from payproof import reports
from payproof.contracts import profile as profiles
from payproof.contracts.comparing.catalogue import (
    Back,
    CaseRequest,
    Catalogue,
    Decides,
    DriftCase,
    Open,
    Submit,
    Wait,
    catalogue_of,
)
from payproof.contracts.comparing.comparison import same
from payproof.contracts.comparing.drift import Drift
from payproof.contracts.entries import Request, Response
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Profile, WireError
from payproof.contracts.redaction.secrets import Redactor
from payproof.reports.drift import console, markdown
from payproof.reports.drift import json as as_json
from payproof.simulator.gateways.quatapay.envelope import Envelope
from payproof.suites import cli
from payproof.suites.config import Config, make_config
from payproof.suites.conformance.drift import alphabets as letters
from payproof.suites.conformance.drift import observe as looking
from payproof.suites.conformance.drift import schedule as agenda
from payproof.suites.conformance.drift.aggregate import AnsweredCase, _unfinished  # pyright: ignore[reportPrivateUsage]
from payproof.suites.conformance.drift.attribute import Judge
from payproof.suites.conformance.drift.case_run import CaseRun
from payproof.suites.conformance.drift.comparing import DifferenceTally, differences, steps
from payproof.suites.conformance.drift.comparison import DriftOptions, compare
from payproof.suites.conformance.drift.endpoints import SimulatorEndpoint
from payproof.suites.conformance.drift.observe import KnownValues, Observation
from payproof.suites.conformance.template import MissingValue, filled, needed, placed, unknown, written

from ..conftest import IndependentSandbox, independent_sandboxes  # noqa: TID252

Start = Callable[..., IndependentSandbox]
QUATAPAY, QRPAY = profiles.load("quatapay"), profiles.load("qrpay")
LIMIT: dict[str, Json] = {"rate_limit": 6000}
"""As the test server is started, so that it does not hold the tests up."""


class _Silent:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def case(self, case: DriftCase, left: int) -> None: ...


def _config(gateway: str, sandbox: dict[str, Any] | None, knobs: dict[str, Json] | None = None) -> Config:
    integration = {
        "command": ["none"],
        "checkout": {"path": "/checkout"},
        "order": {"path": "/order", "status": "json:/status"},
    }
    data: dict[str, Any] = {"gateway": gateway, "integration": integration, "simulator": {"knobs": knobs or {}}}
    return make_config(data | ({"sandbox": sandbox} if sandbox else {}), folder=Path(), place="test", environ={})


def _drift(gateway: str, sandbox: IndependentSandbox, *only: str, **options: Any) -> Drift:
    table = sandbox.table(clock=f"{sandbox.control}/clock")
    config = _config(gateway, table, LIMIT if gateway == "qrpay" else {})
    return asyncio.run(compare(config, DriftOptions(only=only, **options), _Silent()))


def _facts(drift: Drift) -> set[str]:
    return {each.fact.name for each in drift.differences}


# What is found at the independent server


@pytest.fixture(scope="module")
def as_documented(tmp_path_factory: pytest.TempPathFactory) -> Drift:
    """The comparison with the profile ``quatapay``, made once for the tests that look at its parts."""
    with independent_sandboxes(tmp_path_factory.mktemp("sandbox")) as start:
        return _drift("quatapay", start())


KNOWN = (
    ("choice 1", 'knobs["token_is_payment"]', "False -> True"),
    ("choice 2", 'knobs["purge"]', "False -> True"),
    ("choice 3", 'knobs["payment_life_from"]', "'create' -> 'token'"),
    ("choice 8", 'knobs["cancel_url_required"]', "False -> True"),
    ("choice 8", 'knobs["custom_required"]', "False -> True"),
    ("choice 9", 'knobs["amount_must_be_string"]', "False -> True"),
    ("choice 11", 'knobs["currency_case"]', "True -> False"),
    ("choice 13", 'knobs["cancelled_state"]', "True -> False"),
    ("choice 14", 'knobs["raw_join"]', "False -> True"),
    ("3.5", 'knobs["rate_limit"]', "0 -> 6000"),
    ("choice 17a", 'knobs["csrf"]', "False -> True"),
    ("choice 17a", 'knobs["framework_errors"]', "False -> True"),
    ("choice 17a", 'knobs["escaped_slashes"]', "False -> True"),
)


@pytest.mark.parametrize(("choice", "fact", "change"), KNOWN, ids=[fact for _, fact, _ in KNOWN])
def test_each_known_difference_of_the_familys_servers_is_found_on_its_fact(
    as_documented: Drift, choice: str, fact: str, change: str
) -> None:
    touching = [each for each in as_documented.of("difference") if each.fact.name == fact]
    assert change in {each.change for each in touching}
    assert all(choice in each.fact.source and each.fact.provenance for each in touching)


def test_nothing_else_is_found_but_the_frameworks_own_words(as_documented: Drift) -> None:
    assert _facts(as_documented) - {fact for _, fact, _ in KNOWN} == {
        'errors["not-found"].texts',
        'errors["method"].texts',
    }
    assert all(each.proposal.startswith(each.fact.name) for each in as_documented.differences if each.change)
    assert re.search(r"\(observed at localhost:\d+ on \d{4}-\d\d-\d\d\)$", as_documented.proposals[0])


def test_fidelity_counts_what_was_compared(as_documented: Drift) -> None:
    figures = {each.operation: each for each in as_documented.fidelity}
    assert set(figures) == {"token", "create", "status", "checkout", "framework"}
    assert all(0 < each.agreed < each.compared for each in figures.values())
    assert figures["checkout"].percent == figures["checkout"].agreed * 1000 // figures["checkout"].compared / 10


def test_with_the_observed_profile_there_is_no_difference_at_all(independent_sandbox: Start) -> None:
    drift = _drift("qrpay", independent_sandbox())
    assert drift.differences == ()
    assert {each.percent for each in drift.fidelity} == {100.0}
    assert {left.case for left in drift.left} == {"status.another", "limit.exceeded", "gateway.troubles"}
    assert drift.cases == len(catalogue_of(QRPAY).cases) - 3


PLANTED = (
    ("status-text", "openapi POST /payment/create 200 body.message.success", '["OK"]', "create"),
    ("extra-field", "openapi POST /payment/create 200 body.data.expires_at", '"{time}"', "create"),
    ("missing-field", "openapi POST /authentication/token 200 body.data.expire_time", "not there", "token"),
    ("expire-time", 'knobs["advertised_life"]', "3600", "token"),
    ("token-length", "openapi POST /authentication/token 200 body.data.access_token length", "64", "token"),
    ("amount-number", "openapi GET, POST /payment/status 200 body.data.amount", "1250", "status"),
    (
        "no-envelope-404",
        'errors["unknown-payment"]',
        "404 No query results for model [App\\Models\\PaymentRequest].",
        "status",
    ),
    ("status-422", 'errors["currency"].status', "422 The selected currency is invalid.", "create"),
    ("content-type", "openapi POST /payment/create headers.content-type", '"text/html; charset=utf-8"', "create"),
    ("cancel-state", 'knobs["cancelled_state"]', '"CANCELLED"', "checkout"),
)


@pytest.mark.parametrize(("plant", "fact", "gateway", "cases"), PLANTED, ids=[plant for plant, *_ in PLANTED])
def test_a_planted_difference_is_found_and_named(
    independent_sandbox: Start, plant: str, fact: str, gateway: str, cases: str
) -> None:
    drift = _drift("qrpay", independent_sandbox("--plant", plant), cases)
    touched = {each.fact.name: each for each in drift.of("difference")}
    assert fact in touched, sorted(touched)
    assert touched[fact].gateway == gateway
    assert touched[fact].simulator != gateway
    family = {each.path for each in drift.differences}
    assert family <= {touched[fact].path, "status", "answer"}, family


def test_a_one_time_code_is_found_wherever_it_is_asked_for(independent_sandbox: Start) -> None:
    drift = _drift("qrpay", independent_sandbox("--otp"), "checkout")
    assert _facts(drift) == {'knobs["otp"]'}
    assert drift.proposals[0].startswith('knobs["otp"]: False -> True')


def test_a_text_of_ours_counts_only_when_it_is_asked_to(
    independent_sandbox: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = replace(QRPAY.errors["unknown-payment"], texts=("There is no such payment",))
    changed = replace(QRPAY, errors={**QRPAY.errors, "unknown-payment": error})
    monkeypatch.setattr("payproof.contracts.gateways.qrpay.profile.PROFILE", changed)
    sandbox = independent_sandbox()
    drift = _drift("qrpay", sandbox, "status.unknown")
    assert {(each.kind, each.fact.name) for each in drift.differences if each.operation == "status"} == {
        ("assumption", 'errors["unknown-payment"].texts')
    }
    command = ["drift", "--config", str(_file(tmp_path, sandbox)), "--only", "status.unknown", "-q"]
    command += ["--report-dir", str(tmp_path / "report")]
    assert cli.run(command) == 0
    assert cli.run([*command, "--strict"]) == 1


def test_a_live_change_that_nobody_planned_for_is_found(
    independent_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any header, field or text of the simulator stands for one that a gateway has and the simulator has not."""
    plain = Envelope.json

    def chatty(self: Envelope, status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
        return plain(self, status, {**content, "trace": "on"}, {**(headers or {}), "X-Deprecated-After": "2027-01-01"})

    monkeypatch.setattr(Envelope, "json", chatty)
    paths = {each.path for each in _drift("qrpay", independent_sandbox(), "token.issue").of("difference")}
    assert {"body.trace", "headers.x-deprecated-after"} <= paths


# What keeps it from comparing


def test_without_a_sandbox_or_its_credentials_nothing_is_comparable() -> None:
    with pytest.raises(PayproofError, match="not configured"):
        asyncio.run(compare(_config("quatapay", None), DriftOptions(), _Silent()))
    table = {"base_url": "https://localhost/pay/sandbox/api/v1", "client_id": "${NOT_SET_ID}", "secret_key": "x" * 20}
    with pytest.raises(PayproofError, match="not set: NOT_SET_ID"):
        asyncio.run(compare(_config("quatapay", table), DriftOptions(), _Silent()))


def test_an_unreachable_sandbox_is_given_up_after_three_cases() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"https://localhost:{taken.getsockname()[1]}/pay/sandbox/api/v1"
        table = {"base_url": url, "client_id": "c" * 20, "secret_key": "s" * 20}
        with pytest.raises(PayproofError, match="nothing could be compared: no answer from the sandbox") as raised:
            asyncio.run(compare(_config("quatapay", table), DriftOptions(), _Silent()))
    assert "sandbox.base_url" in raised.value.remedy


def test_credentials_that_the_sandbox_refuses_are_named(independent_sandbox: Start) -> None:
    sandbox = independent_sandbox()
    config = _config("qrpay", sandbox.table(client_id="n" * 100), LIMIT)
    with pytest.raises(PayproofError, match="an access token is refused with 400 Invalid client ID"):
        asyncio.run(compare(config, DriftOptions(), _Silent()))


def test_an_authority_that_nobody_told_of_is_not_trusted(independent_sandbox: Start) -> None:
    table = independent_sandbox().table()
    del table["ca"]
    with pytest.raises(PayproofError, match="CERTIFICATE_VERIFY_FAILED"):
        asyncio.run(compare(_config("qrpay", table, LIMIT), DriftOptions(), _Silent()))


def test_a_case_that_does_not_exist_is_an_error() -> None:
    table = {"base_url": "https://localhost/pay/sandbox/api/v1", "client_id": "c" * 20, "secret_key": "s" * 20}
    with pytest.raises(PayproofError, match='no case is called "creat\\.e"'):
        asyncio.run(compare(_config("quatapay", table), DriftOptions(only=("creat.e",)), _Silent()))


def test_without_a_clock_what_has_to_wait_says_how_long(independent_sandbox: Start) -> None:
    config = _config("qrpay", independent_sandbox().table(), LIMIT)
    drift = asyncio.run(compare(config, DriftOptions(only=("token.expired", "token.issue")), _Silent()))
    assert drift.cases == 1
    assert {left.case: left.reason for left in drift.left} == dict.fromkeys(
        ("token.expired", "token.expired-status"), "needs the gateway's clock to move by 602 s: --patience 620"
    )


def test_what_the_budget_does_not_reach_is_told(independent_sandbox: Start) -> None:
    sandbox = independent_sandbox()
    config = _config("qrpay", sandbox.table(budget=3), LIMIT)
    drift = asyncio.run(compare(config, DriftOptions(only=("token",)), _Silent()))
    assert drift.facts["requests"] == 3
    assert len([row for row in sandbox.requests() if "/api/v1" in row["path"]]) == 3
    assert {"budget" in left.reason for left in drift.left if "clock" not in left.reason} == {True}
    assert drift.cases == 3


def test_a_low_rate_holds_nobody_up_for_what_other_cases_did_not_use(independent_sandbox: Start) -> None:
    config = _config("qrpay", independent_sandbox().table(rate=20), LIMIT)

    async def scenario() -> Drift:
        async with asyncio.timeout(20):
            return await compare(config, DriftOptions(only=("token.client",)), _Silent())

    assert asyncio.run(scenario()).facts["requests"] == 5, "four cases, and one plain call before them"


def test_a_call_that_the_gateways_limit_kept_out_is_made_again_when_it_says(
    independent_sandbox: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = independent_sandbox("--rate-limit", "2")
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        sandbox.advance(seconds)

    monkeypatch.setattr("payproof.suites.conformance.drift.endpoints.asyncio.sleep", pause)
    config = _config("qrpay", sandbox.table(), LIMIT)
    drift = asyncio.run(compare(config, DriftOptions(only=("status.path",)), _Silent()))
    assert len(pauses) == 1
    assert 0 < pauses[0] <= 60
    assert {each.fact.name for each in drift.differences} == {'knobs["rate_limit"]'}


# Waiting


def test_all_waits_are_one_and_everybody_is_on_time() -> None:
    asked: list[str] = []
    waits: list[tuple[float, int]] = []

    class Patient(CaseRun):
        def __init__(self, name: str, *seconds: int) -> None:
            self.case = DriftCase(id=name, text="", steps=tuple(Wait(seconds=each) for each in seconds))
            self.rest, self.stopped = list(seconds), ""

        async def go(self) -> int:
            asked.append(self.case.id)
            return self.rest.pop(0) if self.rest else 0

    clock = [0.0]

    async def sleep(seconds: float) -> None:
        clock[0] += seconds

    runs = [Patient("long", 2), Patient("at once"), Patient("twice", 1, 1), Patient("short", 1)]
    left: list[int] = []
    asyncio.run(
        agenda.run_cases(
            runs,
            ended=lambda run, n: left.append(n),
            waiting=lambda seconds, cases: waits.append((seconds, cases)),
            now=lambda: clock[0],
            sleep=sleep,
        )
    )
    assert asked == ["at once", "long", "twice", "short", "twice", "short", "long", "twice"]
    assert left == [3, 2, 1, 0]
    assert waits == [(1.0, 3), (1.0, 2)]
    assert not any(run.stopped for run in runs)


def test_a_case_whose_moment_was_missed_is_stopped() -> None:
    clock = [0.0]

    class Late(CaseRun):
        def __init__(self) -> None:
            self.case = DriftCase(id="late", text="", steps=(Wait(seconds=1),))
            self.rest, self.stopped = [1], ""

        async def go(self) -> int:
            return self.rest.pop(0) if self.rest else 0

    async def sleep(seconds: float) -> None:
        raise AssertionError("nothing is early")

    def now() -> float:
        clock[0] += 10
        return clock[0]

    run = Late()
    asyncio.run(
        agenda.run_cases([run], ended=lambda run, n: None, waiting=lambda seconds, cases: None, now=now, sleep=sleep)
    )
    assert run.stopped == "its moment was missed by 9 s"


# Recordings


def test_a_recording_is_compared_without_a_network_and_finds_the_same(
    independent_sandbox: Start, tmp_path: Path
) -> None:
    sandbox = independent_sandbox()
    file = tmp_path / "drift.yaml"
    live = _drift("quatapay", sandbox, record=file)
    config = _config("quatapay", None)
    replayed = asyncio.run(compare(config, DriftOptions(target="cassette", cassette=file), _Silent()))
    assert {(each.fact.name, each.change) for each in replayed.differences} == {
        (each.fact.name, each.change) for each in live.differences
    }
    assert (replayed.target, replayed.where, replayed.cases) == ("cassette", live.where, live.cases)
    written = file.read_text() + as_json.render(live) + markdown.render(live) + console.render(live)
    for secret in (sandbox.client_id, sandbox.secret_key, "whatever-it-is"):
        for text in (secret, secret.swapcase(), secret[: len(secret) // 2]):
            assert text not in written
    assert not re.search(r"[A-HJ-Za-z1-9]{300}", written)


def test_a_cassette_of_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("interactions: []\nversion: 1\n")
    with pytest.raises(PayproofError, match="holds no cases to compare"):
        asyncio.run(compare(_config("quatapay", None), DriftOptions(target="cassette", cassette=file), _Silent()))


# Looking


def _known(**more: Any) -> KnownValues:
    return KnownValues(catalogue_of(QUATAPAY), "https://gateway.test", Redactor(), {}, **more)


def _look(
    body: Any, *, status: int = 200, headers: tuple[tuple[str, str], ...] = (), known: KnownValues | None = None,
    profile: Profile = QUATAPAY,
) -> Observation:  # fmt: skip
    text = body if isinstance(body, str) else json.dumps(body)
    response = Response(status=status, headers=headers, body=text, size=len(text))
    request = Request(method="POST", url="https://gateway.test/pay/sandbox/api/v1/payment/create")
    return looking.of_api("case", "step", "create", request, response, profile, known or _known())


def test_ids_are_told_by_shape_and_sameness_only() -> None:
    known = _known()
    one = _look({"data": {"token": "a1" * 30, "payment_url": f"https://gateway.test/p/{'a1' * 30}"}}, known=known)
    two = _look({"data": {"token": "a1" * 30}}, known=known)
    three = _look({"data": {"token": "b2" * 20}}, known=known)
    assert one.facts["body.data.token"] == "payment 1"
    assert one.facts["body.data.token length"] == 60
    assert one.facts["body.data.payment_url"] == "{site}/p/{payment 1}"
    assert two.facts["body.data.token"] == "payment 1 again"
    assert (three.facts["body.data.token"], three.facts["body.data.token length"]) == ("payment 2", 40)


def test_what_an_error_names_in_its_text_is_not_compared() -> None:
    errors = {**QUATAPAY.errors, "bad-key": WireError(401, ("No such key: {key}",), "assumed", "invented", ("create",))}

    def told(text: str, status: int = 401) -> Observation:
        answer: Any = {"message": {"code": status, "error": [text]}, "data": [], "type": "error"}
        return _look(answer, status=status, profile=replace(QUATAPAY, errors=errors))

    one, two = told("No such key: sk_****1234"), told("No such key: sk_****9876")
    assert one.answer == "bad-key"
    assert (one.facts, one.texts) == (two.facts, two.texts)
    assert "1234" not in str(one.facts)
    assert told("A bad key: 1234").facts != told("A bad key: 9876").facts
    assert told("No such key: 1234", 403).facts != told("No such key: 9876", 403).facts


def test_headers_that_nobody_lives_by_are_left_out_and_all_others_matter() -> None:
    headers = (
        ("Date", "Mon, 23 Nov 2026 10:00:00 GMT"), ("Set-Cookie", "a=b"), ("Content-Type", "application/json;charset=UTF-8"),
        ("X-RateLimit-Remaining", "41"), ("X-RateLimit-Limit", "60"), ("Allow", "POST, GET"), ("X-New", "yes"),
    )  # fmt: skip
    facts = _look({}, headers=headers).facts
    assert {name: value for name, value in facts.items() if name.startswith("headers.")} == {
        "headers.content-type": "application/json; charset=utf-8",
        "headers.x-ratelimit-remaining": "a number",
        "headers.x-ratelimit-limit": 60,
        "headers.allow": "GET, POST",
        "headers.x-new": "yes",
    }


def test_what_a_catalogue_calls_fresh_is_not_compared_in_headers_and_numbers_either() -> None:
    known = _known()
    known.catalogue = replace(known.catalogue, ids={"headers.request-id": "request", "body.created": "time"})
    looks = [
        _look({"created": 1795932228 + n, "other": 5}, headers=(("Request-Id", f"req_{n}8Hk"),), known=known)
        for n in (0, 1)
    ]
    assert [look.facts["headers.request-id"] for look in looks] == ["request 1", "request 2"]
    assert [look.facts["body.created"] for look in looks] == ["a time"] * 2
    assert looks[0].facts["body.other"] == 5


def test_an_answer_may_repeat_the_id_that_was_asked_for() -> None:
    known = _known()
    known.asked("https://gateway.test/v1/orders/ord_8Hk2Lm9Qx")
    assert known.tidy("No such order: ord_8Hk2Lm9Qx") == "No such order: {what was asked for}"


def test_an_error_is_known_whatever_it_names() -> None:
    error = WireError(404, ("No such order: '{id}'",), "observed", "O", ("look",))
    assert error.says(["No such order: 'x1'"])
    assert not error.says(["No such customer: 'x1'"])
    assert not error.says(["No such order: 'x1'", "and more"])
    assert error.is_among(["and more", "No such order: 'x1'"])


def test_answers_are_named_by_the_profiles_errors() -> None:
    def answer(status: int, *texts: str) -> str:
        return _look(
            {"message": {"code": status, "error": list(texts)}, "data": [], "type": "error"}, status=status
        ).answer

    assert answer(400, "The selected currency is invalid.") == "currency"
    assert answer(422, "The selected currency is invalid.") == "currency"
    assert answer(403, "Requested with invalid token!") == "invalid-token"
    assert answer(400, "Requested with invalid token!") == "paid-token"
    assert answer(400, "The currency field is required.", "The return url must be a valid URL.") == (
        "currency-required+return-url"
    )
    assert answer(400, "Nobody knows this text") == "HTTP 400"


def test_escaping_is_seen_where_there_is_something_to_escape() -> None:
    assert _look('{"a": "b"}').facts.keys().isdisjoint({"json.slashes", "json.unicode"})
    assert _look('{"a": "b/c"}').facts["json.slashes"] == "plain"
    escaped = _look(r'{"a": "b\/c\u00e9"}').facts
    assert (escaped["json.slashes"], escaped["json.unicode"], escaped["body.a"]) == ("escaped", "escaped", "b/cé")


def test_secrets_and_what_they_are_part_of_never_stay_in_a_look() -> None:
    known = _known()
    known.redactor.add("secret-key", "s3cretS3cretS3cretS3cret")
    assert (
        _look({"echo": "you sent s3cretS3cretS3cre"}, known=known).facts["body.echo"] == "you sent <secret-key-1:part>"
    )


# Comparing


def _seen(answer: str = "ok", label: str = "step", **facts: Json) -> Observation:
    return Observation(case="case", label=label, operation="create", answer=answer,
                facts={name.replace("__", "."): value for name, value in facts.items()})  # fmt: skip


def test_values_differ_in_type_too() -> None:
    assert same("1", "1")
    assert not same("1", 1)
    assert not same(1, True)
    assert same({"a": [1]}, {"a": [1]})


def test_an_answer_that_is_another_one_altogether_is_one_difference() -> None:
    tally = DifferenceTally()
    one = _seen(status=200, body="JSON object", body__data__token="payment 1", headers__x="1")
    other = _seen("currency", status=400, body="JSON object", body__message="no", headers__x="2")
    assert [raw.path for raw in differences(one, other, tally)] == ["answer", "headers.x"]
    assert tally.of("create") == (5, 1)


def test_parts_are_named_one_by_one_when_the_answers_are_the_same() -> None:
    one = _seen(status=200, body="JSON object", body__a=1, body__gone="x", body__who=None)
    other = _seen(status=200, body="JSON object", body__a="1", body__new="y", body__who__name="z")
    assert [raw.path for raw in differences(one, other, DifferenceTally())] == [
        "body.a",
        "body.gone",
        "body.who",
        "body.new",
    ]


def test_the_same_step_counts_once_however_many_cases_ask_it() -> None:
    tally = DifferenceTally()
    for _ in range(5):
        list(differences(_seen(status=200, body__a=1), _seen(status=200, body__a=1), tally))
    list(differences(_seen(status=200, body__a=1), _seen(status=200, body__a=2), tally))
    assert tally.of("create") == (2, 1)


def test_what_only_one_side_reached_is_not_compared() -> None:
    here, there = [_seen(label="one"), _seen(label="two")], [_seen(label="one")]
    assert [(a.label, b.label) for a, b in steps(here, there)] == [("one", "one")]


def test_a_case_that_no_side_could_end_is_told() -> None:
    told = {"simulator": "no url to go on with", "gateway": "no url to go on with"}
    case = DriftCase(id="case", text="A case.")
    found = AnsweredCase(case=case, simulator=[_seen()], gateway=[_seen()], stopped=told)
    assert list(_unfinished(found)) == ["only in part: no url to go on with"]
    both_saw = [_seen(answer="no url to go on with")]
    assert list(_unfinished(replace(found, simulator=both_saw, gateway=both_saw))) == []


def test_a_hosted_checkout_on_a_host_of_its_own_is_seen_by_both_sides() -> None:
    order: dict[str, Json] = {"ref": "1", "total": {"minor": 500, "code": "EUR"}}
    steps = (
        CaseRequest(
            label="a token", operation="grant", method="POST", path="/oauth/token",
            headers={"Authorization": "Basic {client_id}:{secret_key}"}, saves={"token": "access_token"},
        ),
        CaseRequest(
            label="an order", operation="order", method="POST", path="/orders", headers={"Authorization": "Bearer {token}"},
            json={"order": order, "back": "https://shop.test/back", "note": ["{token}", {"and": "https://other.test/a"}]},
            saves={"url": "links[0].href"},
        ),
        Open(label="the page", url="{url}"), Submit(label="paying", payer="paid"), Back(label="the way back"),
    )  # fmt: skip
    harbor = profiles.load("harbor")
    catalogue = Catalogue(operations={"grant": "", "order": ""}, cases=(), ids={"body.id": "payment"})
    run = CaseRun(
        DriftCase(id="case", text="A case.", steps=steps), SimulatorEndpoint(harbor, {}), harbor, catalogue, {}
    )
    asyncio.run(run.go())
    assert (run.stopped, [look.label for look in run.looks]) == ("", [step.label for step in steps])
    assert run.looks[1].facts["body.links[0].href"] == "{checkout}/p/{payment 1}"


def test_letters_differ_only_when_chance_cannot_explain_it() -> None:
    many = ["aB3" * 200]
    different = letters.compared(many, ["ab" * 300])
    assert different is not None
    assert (different[1], different[2]) == ("capitals, small letters, digits", "small letters")
    few = letters.compared(["aB3kTwX9"], ["ab4kTwX7"])
    assert few is None or few[1] == few[2]


# Facts


def _touched(
    simulator: Observation, gateway: Observation, *decides: Decides, profile: Profile = QUATAPAY
) -> tuple[str, str]:
    case = DriftCase(id="case", text="", steps=(), decides=decides)
    catalogue = Catalogue(operations={"create": "POST /create"}, cases=(case,), ids={})
    judge = Judge(profile, catalogue, {name: fact.value for name, fact in profile.knobs.items()})
    raw = next(differences(simulator, gateway, DifferenceTally()))
    blame = judge.blame(raw, case)
    return blame.fact.name, blame.change


def test_a_knob_is_proposed_when_the_outcome_decides_it() -> None:
    rule = Decides(knob="cancel_url_required", values={"ok": False, "cancel-url-required": True})
    ok, refused = _seen(status=200, body="JSON object"), _seen("cancel-url-required", status=400, body="JSON object")
    assert _touched(ok, refused, rule) == ('knobs["cancel_url_required"]', "False -> True")
    other = _seen("currency", status=400, body="JSON object")
    assert _touched(ok, other, rule) == ('errors["currency"]', "")


def test_an_errors_status_and_texts_are_proposed_as_they_were_seen() -> None:
    one = replace(_seen("currency", status=400, body="JSON object"), texts=("The selected currency is invalid.",))
    assert _touched(one, replace(one, facts={**one.facts, "status": 422})) == (
        'errors["currency"].status',
        "400 -> 422",
    )
    renamed = replace(one, answer="HTTP 400", texts=("No such currency",), facts={**one.facts, "body.x": 1})
    name, change = _touched(replace(one, facts={**one.facts, "body.x": 2}), renamed)
    assert (name, change) == (
        'errors["currency"].texts',
        "['The selected currency is invalid.'] -> ['No such currency']",
    )


def test_what_no_knob_and_no_error_explains_is_a_place_of_the_contract() -> None:
    one, other = _seen(status=200, body__data__a=1), _seen(status=200, body__data__a=2)
    assert _touched(one, other) == ("openapi POST /create 200 body.data.a", "")


def test_every_fact_that_a_case_decides_is_a_knob_with_a_value_of_its_kind() -> None:
    for profile in (QUATAPAY, QRPAY):
        catalogue = catalogue_of(profile)
        rules = [*catalogue.decides, *(rule for case in catalogue.cases for rule in case.decides)]
        labels = {getattr(step, "label", "") for case in catalogue.cases for step in case.steps}
        for rule in rules:
            default = profile.knobs[rule.knob].value
            assert rule.at in labels or not rule.at
            for value in (rule.values or {}).values():
                assert value is None or type(value) is type(default), rule


def test_ids_of_cases_and_labels_of_questions_are_unique() -> None:
    cases = catalogue_of(QUATAPAY).cases
    assert len({case.id for case in cases}) == len(cases)
    asked: dict[str, CaseRequest] = {}
    for case in cases:
        for step in case.steps:
            if isinstance(step, CaseRequest):
                known = asked.setdefault(step.label, step)
                assert (known.path, known.json, known.form, known.raw) == (step.path, step.json, step.form, step.raw)


def test_the_catalogue_asks_for_every_error_that_a_client_can_bring_about() -> None:
    """What only the gateway's own troubles bring about, and what needs more than manners allow, is left to others."""
    out_of_reach = {"no-merchant", "token-storage", "merchant-row", "wrong-environment", "rate-limit"}
    knobs_only = {"amount-decimals", "insecure-return-url", "insecure-cancel-url"}
    answers: set[str] = set()
    for profile in (QUATAPAY, QRPAY):
        catalogue = catalogue_of(profile)
        side = SimulatorEndpoint(profile, {})
        case_runs = [CaseRun(case, side, profile, catalogue, {}) for case in catalogue.cases]
        asyncio.run(agenda.run_cases(case_runs, ended=lambda case, left: None, waiting=lambda seconds, cases: None))
        answers |= {name for case_run in case_runs for look in case_run.looks for name in look.answer.split("+")}
    assert set(QUATAPAY.errors) - answers == out_of_reach | knobs_only


# Placing


def test_values_are_placed_and_unknown_ones_tell_nothing_of_them() -> None:
    values = {"token": "Ab3-Xy9", "payment": "p1"}
    assert placed({"a": "Bearer {token}", "b": 5}, values) == {"a": "Bearer Ab3-Xy9", "b": 5}
    assert placed(["{token}", {"c": "{payment}"}], values) == ["Ab3-Xy9", {"c": "p1"}]
    assert placed("{token.swapcase}", values) == "aB3-xY9"
    other = placed("{token.unknown}", values)
    assert re.fullmatch(r"[A-Z][a-z]\d-[A-Z][a-z]\d", other)
    assert other == unknown("Ab3-Xy9") != "Ab3-Xy9"
    with pytest.raises(MissingValue, match="nothing"):
        placed("{nothing}", values)


def test_basic_credentials_are_encoded_when_they_travel() -> None:
    headers = {"Authorization": "Basic ada:secret", "Key": "Basic none"}
    step = CaseRequest(label="", operation="", method="GET", path="/", headers=headers)
    assert written(step, "https://gateway.test").headers["authorization"] == "Basic YWRhOnNlY3JldA=="
    assert written(step, "https://gateway.test").headers["key"] == "Basic none"


def test_the_gateways_own_template_is_no_reference() -> None:
    asked = CaseRequest(
        label="", operation="", method="POST", path="/", form={"back": "https://shop.example/?nr={NR}", "who": "{token}"},
        headers={"Key": "{fresh}"},
    )  # fmt: skip
    assert filled(asked, {"token": "t", "fresh": "f"}, own="{NR}").form == {
        "back": "https://shop.example/?nr={NR}",
        "who": "t",
    }
    assert needed(asked) == {"NR", "token", "fresh"}
    with pytest.raises(MissingValue, match="NR"):
        filled(asked, {"token": "t", "fresh": "f"})


# Reports and the command


def test_the_json_report_is_as_its_schema_says(as_documented: Drift) -> None:
    schema = json.loads((Path(next(iter(reports.__path__))) / "drift.schema.json").read_text())
    document = json.loads(as_json.render(as_documented))
    jsonschema_rs.validator_for(schema).validate(document)
    assert document["drift"] is True
    assert len(document["differences"]) == len(as_documented.differences)


def test_every_report_names_every_fact_and_what_it_is_known_from(as_documented: Drift) -> None:
    for text in (console.render(as_documented), markdown.render(as_documented).replace("\\", "")):
        for _, fact, change in KNOWN:
            assert fact in text
            assert change in text
        assert "documented, Q3; choice 8" in text
        assert "DRIFT:" in text
        assert "needs the credentials of a second merchant" in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_of_the_console_is_too_long(as_documented: Drift, width: int) -> None:
    out = io.StringIO()
    console.show(as_documented, Console(file=out, width=width, color_system=None))
    assert max(map(len, out.getvalue().splitlines())) <= max(width, 60)


def test_the_command_writes_its_reports_and_ends_with_1(
    independent_sandbox: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, independent_sandbox(), gateway="quatapay")
    code = cli.run(
        ["drift", "--config", str(file), "--only", "create.cancel-missing", "--report-dir", str(tmp_path / "out")]
    )
    out, err = capsys.readouterr()
    assert code == 1
    assert 'knobs["cancel_url_required"]' in out
    assert "1 case, 2 API requests" in err
    assert "at most 6000 a minute" in err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["drift.json", "drift.md", "drift.txt"]


def test_the_command_ends_with_2_when_nothing_is_comparable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "payproof.toml"
    file.write_text(_TOML.format(gateway="quatapay", knobs="", sandbox=""))
    assert cli.run(["drift", "--config", str(file), "--report-dir", str(tmp_path)]) == 2
    assert "the sandbox is not configured" in capsys.readouterr().err


def test_the_cases_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "payproof.toml"
    file.write_text(_TOML.format(gateway="qrpay", knobs="", sandbox=""))
    assert cli.run(["drift", "--config", str(file), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(catalogue_of(QRPAY).cases)
    assert next(line for line in lines if line.startswith("token.expired ")).endswith("(the clock moves by 602 s)")


_TOML = """gateway = "{gateway}"
[integration]
command = ["none"]
checkout = {{ path = "/checkout" }}
order = {{ path = "/order", status = "json:/status" }}
[simulator]
knobs = {{ {knobs} }}
{sandbox}
"""


def _file(folder: Path, sandbox: IndependentSandbox, gateway: str = "qrpay") -> Path:
    table = "\n".join(
        f"{name} = {json.dumps(value)}" for name, value in sandbox.table().items() if not isinstance(value, dict)
    )
    file = folder / "payproof.toml"
    knobs = "rate_limit = 6000" if gateway == "qrpay" else ""
    file.write_text(_TOML.format(gateway=gateway, knobs=knobs, sandbox=f"[sandbox]\n{table}"))
    return file
