"""The contract's documents: whole, in step with the profiles, and able to tell what is wrong with an answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import schemathesis

from payproof.contracts.contract import Contract, ContractProblem, contract_of
from payproof.contracts.contract.document import document_of, merge, resolved, walk
from payproof.contracts.entries import Request, Response
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Profile, Provenance, load

QUATAPAY, QRPAY = load("quatapay"), load("qrpay")
BOTH = pytest.mark.parametrize("profile", [QUATAPAY, QRPAY], ids=lambda profile: profile.name)
BASE = "https://quatapay.com/pay/sandbox/api/v1"
_WORDS = (
    "openapi info title version summary description servers url variables default security tags name paths get post"
    " components securitySchemes headers responses schemas type scheme operationId requestBody required content schema"
    " examples example links parameters value in properties items enum const pattern format minLength maxLength minItems"
    " maxItems minimum maximum exclusiveMinimum multipleOf anyOf not if then else additionalProperties $ref"
)
_KEYS = frozenset(_WORDS.split())
# Words of the framework itself, which name the request's own path, stand in the document as a pattern.
_IN_OWN_WORDS = {"qrpay": {"not-found", "method"}, "quatapay": set[str]()}


def the(document: Any) -> Json:
    """A document as JSON."""
    found: Json = document
    return found


def nodes(value: Json, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table of a document with its path; what stands in an example is left out."""
    if isinstance(value, dict):
        yield path, value
        for key, below in value.items():
            if key not in ("value", "requestBody") or (isinstance(below, dict) and "content" in below):
                yield from nodes(below, f"{path}/{key}")
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from nodes(entry, f"{path}/{number}")


def texts_in(value: Json) -> list[str]:
    """The error texts of an example: in the envelope, in the framework's shape, or a page."""
    message = value["message"] if isinstance(value, dict) else value
    texts = message["error"] if isinstance(message, dict) else [message]
    assert isinstance(texts, list)
    return [str(text) for text in texts]


def documented(contract: Contract) -> dict[str, dict[str, Any]]:
    """Error's name -> where the document has it: statuses, texts, provenance, operations."""
    answers: list[tuple[str, str, Mapping[str, Any]]] = [
        (operation.id, status, answer)
        for operation in contract.operations
        for status, answer in operation.node["responses"].items()
    ]
    for key in ("x-other-path", "x-other-method", "x-hosted-checkout"):
        answers += [("", status, answer) for status, answer in contract.document[key].items()]
    found: dict[str, dict[str, Any]] = {}
    for operation, status, raw in answers:
        answer = resolved(contract.document, raw)
        for media in answer["content"].values():
            for example in media.get("examples", {}).values():
                if name := example.get("x-error"):
                    value = example["value"]
                    texts = texts_in(value)
                    entry = found.setdefault(name, {"operations": set(), "said": set()})
                    entry["operations"].add(operation)
                    known = example["x-provenance"]
                    entry["said"].add((int(status), tuple(texts), known["weight"], known["source"]))
    return found


def texts_of(profile: Profile) -> dict[str, tuple[int, tuple[str, ...], str, str]]:
    return {
        name: (error.status, error.texts, str(error.provenance), error.source) for name, error in profile.errors.items()
    }


def test_every_error_of_the_profile_is_in_the_document_to_the_letter_and_no_other() -> None:
    found = documented(contract_of(QUATAPAY))
    assert {name: entry["said"] for name, entry in found.items()} == {n: {e} for n, e in texts_of(QUATAPAY).items()}


@BOTH
def test_an_error_is_documented_where_the_profile_says_that_it_occurs(profile: Profile) -> None:
    contract = contract_of(profile)
    words = {operation.id: operation.word for operation in contract.operations}
    found = documented(contract)
    for name, error in profile.errors.items():
        if name in _IN_OWN_WORDS[profile.name]:
            continue
        operations = found[name]["operations"] - {""}
        # A status check by POST may bring the credentials that a token call brings, and be refused like one.
        words_of = {words[id] for id in operations if not (id == "statusByPost" and "token" in error.operations)}
        assert words_of == set(error.operations), name


@BOTH
def test_the_texts_that_a_schema_allows_are_those_of_its_examples(profile: Profile) -> None:
    contract = contract_of(profile)
    for operation in contract.operations:
        for status, raw in operation.node["responses"].items():
            media = resolved(contract.document, raw)["content"]["application/json"]
            path = list(walk(contract.document, media["schema"], ["message", "error", 0]))
            if int(status) < 400 or len(path) < 4:
                continue
            examples = [example["value"]["message"]["error"] for example in media["examples"].values()]
            assert set(path[-1]["enum"]) == {text for texts in examples for text in texts}, (operation.id, status)


@BOTH
def test_facts_of_the_profile_stand_in_the_document(profile: Profile) -> None:
    contract = contract_of(profile)
    document = contract.document
    create = resolved(document, {"$ref": "#/components/schemas/CreateRequest"})
    statuses = resolved(document, {"$ref": "#/components/schemas/Payment"})["properties"]["status"]["enum"]
    limit = document["components"]["headers"]["RateLimitLimit"]
    assert document["info"]["version"] == profile.version
    assert contract.bases[0] == profile.base_path
    assert [path for path in document["paths"] if "status" in path] == profile.knob("status_routes")
    assert ("cancel_url" in create["required"]) is profile.knob("cancel_url_required")
    assert ("custom" in create["required"]) is profile.knob("custom_required")
    assert (create["properties"]["amount"].get("type") == "string") is profile.knob("amount_must_be_string")
    assert ("CANCELLED" in statuses) is profile.knob("cancelled_state")
    assert limit["schema"].get("const", 0) == profile.knob("rate_limit")
    token = resolved(document, {"$ref": "#/components/schemas/TokenAnswer"})["properties"]["data"]["properties"]
    assert token["expire_time"]["const"] == profile.knob("advertised_life") == profile.token_life


@BOTH
def test_every_field_says_what_it_is_and_where_that_is_known_from(profile: Profile) -> None:
    document = contract_of(profile).document
    for path, node in nodes(the(document["components"]["schemas"])):
        if not path.endswith("/properties") or "/if/" in path or "/then/" in path or "/else/" in path:
            continue
        for name, raw in node.items():
            field = resolved(document, raw)
            assert {"type", "anyOf"} & set(field), f"{path}/{name}"
            assert field.get("description"), f"{path}/{name}"
            assert "properties" in field or "x-provenance" in field, f"{path}/{name}"
    for path, node in nodes(the(document)):
        if known := node.get("x-provenance"):
            assert known["weight"] in get_args(Provenance), path
            assert known["source"], path


@BOTH
def test_every_operation_and_every_answer_is_described_and_shown(profile: Profile) -> None:
    contract = contract_of(profile)
    for operation in contract.operations:
        assert operation.node["x-provenance"]["source"]
        assert operation.node["summary"]
        assert {"200", "429"} <= set(operation.node["responses"])
        for status, raw in operation.node["responses"].items():
            answer = resolved(contract.document, raw)
            assert answer["description"], (operation.id, status)
            assert answer["content"]["application/json"]["examples"], (operation.id, status)


@BOTH
def test_no_table_has_a_key_that_nobody_knows(profile: Profile) -> None:
    """A comma in an unquoted text makes a key of what follows it."""
    free = (
        "/examples",
        "/properties",
        "/paths",
        "/schemas",
        "/responses",
        "/headers",
        "/links",
        "/parameters",
        "/content",
        "/variables",
        "/security/0",
        "/securitySchemes",
    )
    for path, node in nodes(the(contract_of(profile).document)):
        if path.endswith(free) or "/x-" in path:
            continue
        unknown = [key for key in node if key not in _KEYS and not key.startswith("x-") and not key.isdigit()]
        assert not [key for key in unknown if not key.startswith("/") and "/" not in key], (path, unknown)
        assert all(value is not None for value in node.values()), path


@BOTH
def test_the_document_is_valid_openapi(profile: Profile) -> None:
    document: Any = json.loads(json.dumps(contract_of(profile).document))
    schemathesis.openapi.from_dict(document).validate()


@BOTH
def test_every_example_of_an_answer_is_as_the_contract_says(profile: Profile) -> None:
    contract = contract_of(profile)
    for operation in contract.operations:
        request = Request(method=operation.method, url=f"{BASE}{operation.path.replace('{token}', 'x')}")
        for status, raw in operation.node["responses"].items():
            answer = resolved(contract.document, raw)
            for name, example in answer["content"]["application/json"]["examples"].items():
                limit = (("X-RateLimit-Limit", "60"), ("X-RateLimit-Remaining", "59"))
                wait = (("Retry-After", "60"), ("X-RateLimit-Reset", "1800000000")) if status == "429" else ()
                headers = (("Content-Type", "application/json"), *limit, *wait)
                response = Response(status=int(status), headers=headers, body=json.dumps(example["value"]))
                assert contract.response_problems(request, response) == (), (operation.id, status, name)


@BOTH
def test_every_example_of_a_request_is_right_or_wrong_as_it_says(profile: Profile) -> None:
    contract = contract_of(profile)
    by_the_gateway_alone = {"currency", "secret-id", "unknown-payment"}  # its own tables decide
    for operation in contract.operations:
        for media, content in operation.node.get("requestBody", {}).get("content", {}).items():
            for name, example in content.get("examples", {}).items():
                if media != "application/json" or example.get("x-open"):
                    continue
                request = Request(
                    method=operation.method,
                    url=f"{BASE}{operation.path}",
                    headers=(("content-type", media), ("authorization", "Bearer x")),
                    body=json.dumps(example["value"]),
                )
                error = example.get("x-error", "")
                assert not error or error in profile.errors
                wrong = bool(error) and error not in by_the_gateway_alone
                assert bool(contract.request_problems(request)) is wrong, (operation.id, name)
                assert bool(contract.refused(request)) is wrong, (operation.id, name)


def test_an_example_that_names_its_difference_is_written_out() -> None:
    examples = document_of("quatapay")["paths"]["/payment/create"]["post"]["requestBody"]["content"][
        "application/json"
    ]["examples"]
    created = examples["created"]["value"]
    assert examples["amount-zero"]["value"] == {**created, "amount": "0.00"}
    assert examples["custom-null"]["value"] == {**created, "custom": None}
    assert examples["currency-missing"]["value"] == {key: created[key] for key in created if key != "currency"}
    assert examples["nothing"]["value"] == {}


# Answers


def problems(response: Response, *, path: str = "/payment/create", method: str = "POST") -> dict[str, ContractProblem]:
    found = contract_of(QUATAPAY).response_problems(Request(method=method, url=f"{BASE}{path}"), response)
    return {problem.place: problem for problem in found}


def created(**changes: Any) -> Response:
    payment = "A" * 60
    data: dict[str, Any] = {
        "token": payment,
        "payment_url": f"https://x.example/pay/sandbox/v1/user/authentication/form/{payment}",
    }
    body: dict[str, Any] = {"message": {"code": 200, "success": ["CREATED"]}, "data": data | changes, "type": "success"}
    body["data"] = {name: value for name, value in body["data"].items() if value is not ...}
    return Response(status=200, headers=(("Content-Type", "application/json"),), body=json.dumps(body))


def refusal(status: int, *texts: str, kind: str = "application/json") -> Response:
    body: dict[str, Any] = {"message": {"code": status, "error": list(texts)}, "data": [], "type": "error"}
    return Response(status=status, headers=(("content-type", kind),), body=json.dumps(body))


def test_a_good_answer_has_no_problem() -> None:
    assert problems(created()) == {}
    assert problems(refusal(400, "The amount field is required.", "The selected currency is invalid.")) == {}


@pytest.mark.parametrize(
    ("response", "place", "expected", "actual", "weight"),
    [
        (refusal(422, "x"), "status", {"one of": [200, 400, 401, 403, 500, 429]}, 422, "documented"),
        (created(token=17), "body /data/token", {"type": "string"}, 17, "documented"),
        (created(token="A" * 59), "body /data/token", "at least 60 characters", "A" * 59, "documented"),
        (created(token=...), "body /data/token", "The payment, in status checks.", "missing", "documented"),
        (created(expires=1), "body /data/expires", "no such field", 1, ""),
        (refusal(400, "Amount?"), "body /message/error/0", None, "Amount?", "observed"),
        (
            refusal(403, "Requested with invalid token!", kind="text/html"),
            "header content-type",
            {"one of": ["application/json"]},
            "text/html",
            "",
        ),
        (Response(status=200, headers=(("content-type", "application/json"),), body="<html>"), "body", "JSON", "<html>", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_answer_is_told_with_its_place(
    response: Response, place: str, expected: Any, actual: Any, weight: str
) -> None:
    found = problems(response)
    assert list(found) == [place]
    assert (found[place].actual, found[place].weight) == (actual, weight)
    assert expected is None or found[place].expected == expected


def test_an_unknown_text_is_told_with_those_that_are_known() -> None:
    expected: Any = problems(refusal(401, "Token too old"))["body /message/error/0"].expected
    assert expected == "Request token is expired"


def test_headers_that_a_client_needs_are_missed() -> None:
    kind = ("content-type", "application/json")
    bare = Response(status=429, headers=(kind,), body='{"message": "Too Many Attempts."}')
    assert list(problems(bare)) == [
        "header retry-after", "header x-ratelimit-limit", "header x-ratelimit-remaining", "header x-ratelimit-reset",
    ]  # fmt: skip
    soon = Response(status=429, headers=(kind, ("Retry-After", "soon")), body='{"message": "Too Many Attempts."}')
    assert problems(soon)["header retry-after"].actual == "soon"


def test_answers_to_other_paths_and_methods_are_the_frameworks() -> None:
    kind, allow = ("content-type", "application/json"), ("allow", "POST")
    lost = Response(status=404, headers=(kind,), body='{"message": "Not Found"}')
    assert problems(lost, path="/nowhere") == {}
    assert list(problems(refusal(404, "Not Found"), path="/nowhere")) == ["body /message", "body /data", "body /type"]
    other = Response(status=405, headers=(kind, allow), body='{"message": "Method Not Allowed"}')
    assert problems(other, method="GET") == {}
    assert list(problems(lost, method="GET")) == ["status"]


def test_an_unpaid_payment_with_a_transaction_is_a_contradiction() -> None:
    data: dict[str, Any] = {"token": "A" * 60, "trx_id": "B" * 16, "payer": None, "amount": "1.00", "currency": "XAF"}
    data |= {"custom": None, "status": "CREATED", "paid": False}
    body = {"message": {"code": 200, "success": ["SUCCESS"]}, "data": data, "type": "success"}
    response = Response(status=200, headers=(("content-type", "application/json"),), body=json.dumps(body))
    assert list(problems(response, path="/payment/status/x", method="GET")) == ["body /data/trx_id"]


def test_placeholders_of_the_veil_are_not_measured() -> None:
    body = {
        "message": {"code": 200, "success": ["SUCCESS"]},
        "data": {"access_token": "<access-token-1>", "expire_time": 600},
        "type": "success",
    }
    response = Response(status=200, headers=(("content-type", "application/json"),), body=json.dumps(body))
    assert problems(response, path="/authentication/token") == {}


# Loading


def test_an_overlay_is_a_merge_patch() -> None:
    below = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merge(below, {"a": {"c": [3], "b": None}, "e": {"f": None, "g": 2}}) == {
        "a": {"c": [3]},
        "d": 1,
        "e": {"g": 2},
    }
    assert below == {"a": {"b": 1, "c": [1, 2]}, "d": 1}


def test_the_overlay_leaves_the_document_below_it_alone() -> None:
    contract_of(QRPAY)
    assert document_of("quatapay")["components"]["schemas"]["CreateRequest"]["required"] == [
        "amount",
        "currency",
        "return_url",
    ]


def _nowhere(package: str) -> Path:
    return Path("/nowhere")


def test_a_gateway_without_a_contract_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payproof.contracts.contract.document.files", _nowhere)
    with pytest.raises(PayproofError, match="has no contract"):
        document_of("no-such-gateway")


def test_nothing_is_loaded_before_a_contract_is_asked_for() -> None:
    code = (
        "import sys\n"
        "from payproof.contracts.judging.requirements import requirements\n"
        "import payproof.suites.commands, payproof.simulator.serve\n"
        "requirements()\n"
        "print([name for name in ('yaml', 'jsonschema_rs', 'schemathesis') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
