"""The contract suite: clean on the simulator, and able to find each kind of wrong server."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest
import uvicorn
from click.testing import CliRunner
from rich.console import Console
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payproof.contracts.contract import contract_of
from payproof.contracts.model import PayproofError
from payproof.contracts.profile import load
from payproof.simulator import Simulator
from payproof.simulator.relay.rate_budget import RateBudget
from payproof.suites import cli
from payproof.suites.commands.contract import contract, exit_code
from payproof.suites.config import Config, make_config
from payproof.suites.conformance.contract import BUILT_IN, OWN, SuiteResult, Where, perform, sandbox, simulated
from payproof.suites.conformance.contract import SilentSuite as Quiet
from payproof.suites.conformance.contract.channel import Channel, Spent
from payproof.suites.conformance.contract.rules import RULES
from payproof.suites.conformance.contract.showing import ContractProgress
from payproof.suites.conformance.contract.values import APART
from payproof.suites.pytest_plugin.contract_items import WORKS

from ..conftest import IndependentSandbox  # noqa: TID252

pytest_plugins = ["pytester"]
SEED = 11

Json: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Scope, Json, int, Json], "tuple[int, Json]"]
"""(scope, the request's fields, the answer's status and body) -> what is answered instead."""


@contextmanager
def served(app: ASGIApp) -> Generator[str]:
    """An ASGI application on a loopback port of its own."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", http="httptools"))
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # from here on nobody is refused; uvicorn answers when it is up
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def held(wrap: Callable[[ASGIApp], ASGIApp], *, budget: int, gateway: str = "quatapay") -> SuiteResult:
    """The suite on the simulator behind a wrapper."""
    profile = load(gateway)
    sim = Simulator(profile, knobs=profile.strict)
    merchant = sim.add_merchant()
    with served(wrap(sim.app)) as url:
        where = Where(
            profile=profile, name="wrong server", base_url=url + profile.base_path, client_id=merchant.client_id,
            secret_key=merchant.secret_key, currencies=profile.currencies,
        )  # fmt: skip
        return perform(where, budget=budget, seed=SEED)


class Wrong:
    """The simulator with every JSON answer changed; ``headers`` replace those of the request, ``kind`` the answer's media type."""

    def __init__(
        self, app: ASGIApp, change: Change, *, headers: Mapping[bytes, bytes] | None = None, kind: bytes = b""
    ) -> None:
        self.app, self.change, self.headers, self.kind = app, change, headers or {}, kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        sent = message.get("body", b"")
        while message.get("more_body"):
            message = await receive()
            sent += message.get("body", b"")
        rest = [(name, value) for name, value in scope["headers"] if name not in self.headers]
        changed = {**scope, "headers": [*rest, *self.headers.items()]}
        messages: list[Message] = []

        async def replay() -> Message:
            return {"type": "http.request", "body": sent, "more_body": False}

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(changed, replay, keep)
        start, body = messages[0], b"".join(message.get("body", b"") for message in messages[1:])
        status, answer = self.change(scope, _parsed(sent), start["status"], _parsed(body))
        headers = [
            (name, value) for name, value in start["headers"] if name not in (b"content-length", b"content-type")
        ]
        kind = self.kind or dict(start["headers"]).get(b"content-type", b"application/json")
        text = json.dumps(answer).encode() if answer else body
        await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"content-type", kind)]})
        await send({"type": "http.response.body", "body": text})


def _parsed(raw: bytes) -> Json:
    try:
        found: Any = json.loads(raw)
    except ValueError:
        return {}
    return cast(Json, found) if isinstance(found, dict) else {}


def unchanged(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
    return status, answer


def refused(answer: Json) -> bool:
    return answer.get("type") == "error"


# Servers that are wrong, each in one way


def code_is_always_200(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
    return status, answer | {"message": answer["message"] | {"code": 200}} if refused(answer) else answer


def data_is_an_object(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
    return status, answer | {"data": {}} if refused(answer) else answer


def one_text_for_all(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
    return status, answer | {"message": {"code": status, "error": "Bad request"}} if refused(answer) else answer


def repeats_the_secret(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
    if not refused(answer) or not sent.get("secret_id"):
        return status, answer
    return status, answer | {"message": {"code": status, "error": [f"Invalid secret ID ({sent['client_id']})"]}}


def repeats_the_bearer(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
    given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    if not refused(answer) or not given:
        return status, answer
    return status, answer | {"message": answer["message"] | {"error": [*answer["message"]["error"], given]}}


def other_words(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
    texts = {"The currency field is required.": "The currency is required."}
    if not refused(answer):
        return status, answer
    changed = [texts.get(text, text) for text in answer["message"]["error"]]
    return status, answer | {"message": answer["message"] | {"error": changed}}


def an_extra_field(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
    return status, answer | {"request_id": "r-1"} if status == 200 else answer


def unprocessable(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
    if status != 400:
        return status, answer
    return 422, answer | {"message": answer["message"] | {"code": 422}}


def takes_no_decimals(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
    if status != 200 or "." not in str(sent.get("amount", "")) or str(sent["amount"]).endswith(".00"):
        return status, answer
    return 400, {"message": {"code": 400, "error": ["The amount must be a number."]}, "data": [], "type": "error"}


def another_amount(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
    if status != 200 or "paid" not in answer["data"]:
        return status, answer
    return status, answer | {"data": answer["data"] | {"amount": answer["data"]["amount"] + "1"}}


def paid_by_looking(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
    if status != 200 or "paid" not in answer["data"]:
        return status, answer
    paid = {"paid": True, "status": "SUCCESS", "trx_id": "A" * 16, "payer": {"username": "a", "email": "a@b.example"}}
    return status, answer | {"data": answer["data"] | paid}


def counting() -> Change:
    """A status answer that is another one each time it is asked for."""
    looks: dict[str, int] = {}

    def change(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
        if status != 200 or "paid" not in answer["data"]:
            return status, answer
        payment = answer["data"]["token"]
        looks[payment] = looks.get(payment, 0) + 1
        state = "CREATED" if looks[payment] % 2 else "EXPIRED"
        return status, answer | {"data": answer["data"] | {"status": state}}

    return change


@pytest.mark.parametrize(
    ("change", "check", "budget"),
    [
        (code_is_always_200, "keeps_the_envelope", 60),
        (data_is_an_object, "keeps_the_envelope", 60),
        (one_text_for_all, "keeps_the_envelope", 60),
        (repeats_the_secret, "repeats_no_credential", 60),
        (repeats_the_bearer, "repeats_no_credential", 60),
        (other_words, "answers_as_in_the_example", 60),
        (an_extra_field, "is_as_the_contract_says", 60),
        (an_extra_field, "response_schema_conformance", 90),
        (unprocessable, "status_code_conformance", 90),
        (takes_no_decimals, "takes_what_it_must", 60),
        (another_amount, "changes_nothing_when_read", 60),
        (paid_by_looking, "changes_nothing_when_read", 60),
        (counting(), "changes_nothing_when_read", 60),
    ],
)  # fmt: skip
def test_a_wrong_server_is_found(change: Change, check: str, budget: int) -> None:
    result = held(lambda app: Wrong(app, change), budget=budget)
    assert check in {failure.check for failure in result.failures}
    assert exit_code(result) == 1
    shown = next(failure for failure in result.failures if failure.check == check)
    assert shown.curl.startswith("curl -sS -X ")
    assert shown.message


def test_json_that_calls_itself_text_must_not_be_read() -> None:
    read_as_json = {b"content-type": b"application/json"}
    result = held(lambda app: Wrong(app, unchanged, headers=read_as_json), budget=200)
    found = [failure for failure in result.failures if failure.check == "refuses_what_it_must"]
    assert any("although body /" in failure.message for failure in found)
    assert any("Content-Type: application/json" not in failure.curl for failure in found)


def test_a_server_that_asks_for_no_token_is_found() -> None:
    issued: list[bytes] = []

    def learn(scope: Scope, sent: Json, status: int, answer: Json) -> tuple[int, Json]:
        if isinstance(answer.get("data"), dict) and "access_token" in answer["data"]:
            issued.append(b"Bearer " + answer["data"]["access_token"].encode())
        return status, answer

    class Open(Wrong):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            self.headers = {b"authorization": issued[-1]} if issued else {}
            await super().__call__(scope, receive, send)

    result = held(lambda app: Open(app, learn), budget=60)
    found = {failure.operation for failure in result.failures if failure.check == "asks_for_the_token"}
    assert "create" in found


def test_a_page_instead_of_json_is_found() -> None:
    result = held(lambda app: Wrong(app, unchanged, kind=b"text/html"), budget=90)
    assert {"content_type_conformance", "is_as_the_contract_says"} <= {failure.check for failure in result.failures}


def test_a_header_that_is_missing_is_found() -> None:
    class Bare(Wrong):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def bare(message: Message) -> None:
                if message["type"] == "http.response.start":
                    kept = [pair for pair in message["headers"] if not pair[0].startswith(b"x-ratelimit")]
                    message = {**message, "headers": kept}
                await send(message)

            await super().__call__(scope, receive, bare)

    result = held(lambda app: Bare(app, unchanged), budget=90, gateway="qrpay")
    assert {"response_headers_conformance", "is_as_the_contract_says"} <= {failure.check for failure in result.failures}


def test_a_method_that_is_not_there_must_not_work() -> None:
    class AnyMethod(Wrong):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            posted = {**scope, "method": "POST"} if scope["method"] in ("PUT", "PATCH") else scope
            await super().__call__(posted, receive, send)

    result = held(lambda app: AnyMethod(app, unchanged), budget=200)
    assert "unsupported_method" in {failure.check for failure in result.failures}


def test_an_answer_that_never_comes_is_found() -> None:
    class Silent(Wrong):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if b"five thousand" in (message := await receive()).get("body", b""):
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
                await send({"type": "http.response.body", "body": b"half"})
                return

            async def again() -> Message:
                return message

            await super().__call__(scope, again, send)

    result = held(lambda app: Silent(app, unchanged), budget=60)
    assert [(f.check, f.operation) for f in result.failures] == [("answers", "create")]


# The simulator


@pytest.mark.parametrize("gateway", ["quatapay", "qrpay"])
def test_the_simulator_keeps_its_contract(gateway: str) -> None:
    with simulated(load(gateway)) as where:
        result = perform(where, budget=400, seed=SEED)
    assert [(failure.check, failure.operation, failure.message) for failure in result.failures] == []
    assert result.complete
    assert result.requests == 400
    assert exit_code(result) == 0
    create = next(covered for covered in result.covered if covered.operation == "create")
    assert {200, 400, 403} <= set(create.statuses)


def test_a_seed_repeats_a_run() -> None:
    def statuses() -> list[Mapping[int, int]]:
        with simulated(load("quatapay")) as where:
            return [covered.statuses for covered in perform(where, budget=150, seed=SEED).covered]

    assert statuses() == statuses()


def test_the_budget_is_never_passed_and_what_is_left_out_is_said() -> None:
    with simulated(load("quatapay")) as where:
        result = perform(where, budget=7, seed=SEED)
    assert result.requests == 7
    assert not result.complete
    assert exit_code(result) == 2
    assert [note.partition(" was ")[0] for note in result.notes] == ["coverage", "fuzzing", "stateful"]


def test_no_credential_is_ever_shown() -> None:
    profile = load("quatapay")
    sim = Simulator(profile, knobs={"magic_values": False})
    merchant = sim.add_merchant()
    with served(Wrong(sim.app, repeats_the_secret)) as url:
        where = Where(
            profile=profile, name="x", base_url=url + profile.base_path, client_id=merchant.client_id,
            secret_key=merchant.secret_key, currencies=profile.currencies,
        )  # fmt: skip
        result = perform(where, budget=120, seed=SEED)
        shown = repr(result) + repr(where)
    assert result.failures
    assert merchant.client_id not in shown
    assert merchant.secret_key not in shown
    assert "<client-id>" in shown


def test_a_server_that_is_not_there_or_gives_no_token_is_no_verdict() -> None:
    with simulated(load("quatapay")) as where:
        with pytest.raises(PayproofError, match="gives no access token: HTTP 400"):
            perform(replace(where, secret_key="x" * 100), budget=50)
        gone = replace(where, base_url="http://127.0.0.1:9/pay/sandbox/api/v1")
    with pytest.raises(PayproofError, match="cannot be reached"):
        perform(gone, budget=50)


# The budget


def test_a_part_of_the_budget_ends_and_the_budget_itself_is_final() -> None:
    with (
        simulated(load("quatapay")) as where,
        contextlib.closing(Channel(where, RateBudget(0, 3), contract_of(where.profile))) as channel,
    ):
        channel.part(2)
        for _ in range(2):
            channel.send("GET", "/")
        with pytest.raises(Spent):
            channel.send("GET", "/")
        channel.part(10)
        channel.send("GET", "/")
        with pytest.raises(Spent):
            channel.send("GET", "/")
        assert channel.budget.sent == len(channel.exchanges) == 3


def test_a_request_that_waits_is_given_up_when_the_suite_is_broken_off() -> None:
    waits, ended = threading.Event(), list[str]()

    def ask(channel: Channel) -> None:
        channel.send("GET", "/")
        try:
            channel.send("GET", "/")
        except Spent:
            ended.append("spent")

    with simulated(load("quatapay")) as where:
        channel = Channel(where, RateBudget(1, 9, note=lambda text: waits.set()), contract_of(where.profile))
        asking = threading.Thread(target=ask, args=(channel,))
        asking.start()
        assert waits.wait(30)
        channel.close()
        asking.join(30)
    assert ended == ["spent"], "it would have waited for a minute"


# The command and the pytest items


def test_the_rules_that_are_named_are_those_that_exist() -> None:
    assert set(OWN) == {*RULES, "is_as_the_contract_says", "answers_as_in_the_example", APART}


def test_the_command_prints_a_summary_its_seed_and_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(contract, ["--budget", "90", "--seed", "3", "-q"], standalone_mode=False)
    assert (done.return_value, done.exception) == (0, None)
    assert "quatapay: the simulator against its contract" in done.output
    assert "90 of at most 90 requests" in done.output
    assert "seed 3" in done.output
    assert "the contract is kept: 5 of 5 operations" in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "sandbox"], "no payproof.toml here"),
        (["--target", "sandbox", "--config", "shop.toml"], "the sandbox is not configured"),
        (["--target", "sandbox", "--config", "unset.toml"], "not set: NO_SUCH_SANDBOX_KEY"),
        (["--target", "sandbox", "--config", "live.toml"], "live gateway"),
        (["--gateway", "quatapuy"], "unknown gateway"),
    ],
)
def test_what_cannot_be_asked_is_told_in_plain_words(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    shop = '[integration]\ncommand = ["true"]\ncheckout.path = "/c"\norder = { path = "/o/{order.id}", status = "json:/s" }\n'
    sandbox = '[sandbox]\nbase_url = "https://{}/pay/sandbox/api/v1"\nclient_id = "a"\nsecret_key = "{}"\n'
    (tmp_path / "shop.toml").write_text(shop)
    (tmp_path / "unset.toml").write_text(shop + sandbox.format("s.example", "${NO_SUCH_SANDBOX_KEY}"))
    live = sandbox.format("s.example", "b").replace("/sandbox", "", 1).replace("[]", "[sandbox]")
    (tmp_path / "live.toml").write_text(shop + live.replace("/pay/sandbox", "/pay"))
    monkeypatch.chdir(tmp_path)
    assert cli.run(["contract", "-q", *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p payproof.suites.pytest_plugin.plugin")
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\nfilterwarnings = ["error"]')
    return pytester


def test_pytest_makes_an_item_of_every_rule(suite: pytest.Pytester) -> None:
    result = suite.runpytest_subprocess("--collect-only", "-q", "--pyargs", "payproof.suites.contract_suite")
    result.stdout.fnmatch_lines([f"*::{name}" for name in (*OWN, *BUILT_IN, WORKS)])


def test_pytest_fails_where_the_contract_is_broken(suite: pytest.Pytester) -> None:
    suite.makeconftest(
        """
        from payproof.suites.conformance import contract
        from payproof.suites.conformance.contract import Covered, BrokenRule, SuiteResult

        failure = BrokenRule(check="answers", operation="token", phase="fuzzing", message="there was no answer", curl="curl x")
        contract.perform = lambda where, seed: SuiteResult(
            gateway="quatapay", server="simulator", seed=17, requests=1, budget=1, seconds=0.1,
            covered=(Covered(operation="token", statuses={400: 1}),), failures=(failure,),
        )
        """
    )
    result = suite.runpytest_subprocess("--pyargs", "payproof.suites.contract_suite")
    result.assert_outcomes(passed=len(OWN) + len(BUILT_IN) - 1, failed=2)
    result.stdout.fnmatch_lines(["*there was no answer*", "*repeat: curl x*", "*seed 17*", "never seen to work: token"])


def test_pytest_says_why_there_is_no_run(suite: pytest.Pytester) -> None:
    result = suite.runpytest_subprocess(
        "--payproof-target", "sandbox", "--pyargs", "payproof.suites.contract_suite", "-x"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["payproof: no payproof.toml here*"])


# A server that somebody else wrote


def _table(sandbox: IndependentSandbox, gateway: str) -> Config:
    shop = {
        "command": ["true"],
        "checkout": {"path": "/c", "currencies": ["XAF", "USD"]},
        "order": {"path": "/o/{order.id}", "status": "json:/s"},
    }
    tables: Json = {"gateway": gateway, "integration": shop, "sandbox": {**sandbox.table(), "rate": 6000}}
    return make_config(tables, folder=Path(), place="test", environ={})


def test_an_independent_server_keeps_the_contract_of_the_observed_ones(
    independent_sandbox: Callable[..., IndependentSandbox],
) -> None:
    server = independent_sandbox("--rate-limit", "60")
    where = sandbox(_table(server, "qrpay"))
    notes: list[str] = []

    class Listening(Quiet):
        def note(self, text: str) -> None:
            notes.append(text)

    result = perform(where, budget=58, seed=SEED, progress=Listening())
    assert [(failure.check, failure.message) for failure in result.failures] == []
    assert result.complete
    assert result.server == f"sandbox at {where.base_url.split('/')[2]}"


def test_an_independent_server_does_not_keep_what_quatapay_documents(
    independent_sandbox: Callable[..., IndependentSandbox],
) -> None:
    result = perform(sandbox(_table(independent_sandbox("--rate-limit", "100000"), "quatapay")), budget=300, seed=SEED)
    found = "\n".join(failure.message for failure in result.failures)
    assert {failure.operation for failure in result.failures} == {"create"}
    assert "The cancel url field is required." in found
    assert "The amount must be a string." in found
    assert "Failed to create payment! Please try again" in found


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        ("status-text", "body /message/success/0: 'OK', expected 'CREATED'"),
        ("extra-field", "body /data/expires_at"),
        ("missing-field", "body /data/expire_time: 'missing'"),
        ("expire-time", "body /data/expire_time: 3600, expected 600"),
        ("token-length", "body /data/access_token"),
        ("amount-number", "body /data/amount: "),
        ("no-envelope-404", "message is not an object"),
        ("status-422", "status: 422"),
        ("content-type", "header content-type: 'text/html'"),
    ],
)
def test_a_difference_that_is_planted_in_it_is_found(
    independent_sandbox: Callable[..., IndependentSandbox], plant: str, words: str
) -> None:
    server = independent_sandbox("--rate-limit", "60", "--plant", plant)
    result = perform(sandbox(_table(server, "qrpay")), budget=58, seed=SEED)
    assert words in "\n".join(failure.message for failure in result.failures)


@pytest.mark.parametrize("gone", [False, True])
def test_no_token_is_told_under_whatever_name_the_server_issues_it(gone: bool) -> None:
    """Beside the name that the profile knows, or in its place: then the suite stops, and quotes the answer."""
    issued: list[str] = []

    def renamed(scope: Scope, sent: Json, status: int, answer: Any) -> tuple[int, Any]:
        data: Any = answer.get("data")
        if data and "access_token" in data:
            token: str = data["access_token"]
            issued.append(token)
            issued.append(token[::-1].swapcase())
            data["accessToken"] = token
            data["refresh"] = {"refreshToken": token[::-1].swapcase()}
            if gone:
                del data["access_token"]
        return status, answer

    try:
        shown = repr(held(lambda app: Wrong(app, renamed), budget=60))
    except PayproofError as error:
        shown = repr((error.message, error.place, error.remedy))
    assert issued
    assert not [token for token in issued if token in shown or token[:12] in shown]
    assert not gone or "<credential-" in shown


def test_a_phase_is_told_when_it_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ContractProgress(Console(width=80), quiet=False)
    for phase, sent in (("examples", 0), ("examples", 12), ("coverage", 12), ("coverage", 40)):
        progress.part(phase, "create", sent, sent // 40)
    progress.close()
    assert capsys.readouterr().out.splitlines() == ["examples · 12 requests", "coverage · 40 requests · 1 failures"]
