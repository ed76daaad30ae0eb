"""Whatever a stranger sends, to either port: no trace-back, no 500 that was not asked for, no hang, no memory that grows with it.

A short form runs with the other tests; ``tox -e fuzz`` (PAYPROOF_FUZZ = examples for each test) is the long one.
"""

from __future__ import annotations

import dataclasses
import json
import resource
from collections.abc import Iterator
from socket import create_connection
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from payproof.contracts.faults import FaultSpec
from payproof.simulator.control import notice_operations, operations
from payproof.simulator.faults.registry import Kind, registered

from .served_process import Served, serving
from .strange import BODIES, FUZZ, TARGETS, TEXTS, mangled

GROWS_AT_MOST = 120.0
"""Megabytes; the journal's own bound included."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture
def stranger(served: Served) -> Iterator[Served]:
    """The server, which must be as well after a test as before."""
    memory, descriptors = served.memory(), served.descriptors()
    yield served
    assert served.complaints() == ""
    assert served.process.poll() is None
    assert served.pays()
    assert served.memory() - memory < GROWS_AT_MOST
    assert served.descriptors() <= descriptors + 5


@given(port=st.sampled_from(["gateway", "control"]), data=st.one_of(mangled(), st.binary(max_size=300)))
@FUZZ
def test_any_bytes(stranger: Served, port: str, data: bytes) -> None:
    answer = stranger.send(getattr(stranger, port), data)
    assert answer.status is None or answer.status < 500


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS"]), target=TARGETS, sent=BODIES, known=st.booleans()
)
@FUZZ
def test_any_request_to_the_gateway(
    stranger: Served, method: str, target: str, sent: tuple[str, bytes], known: bool
) -> None:
    kind, body = sent
    bearer = f"Authorization: Bearer {TOKENS.setdefault(stranger.gateway, a_token(stranger)) if known else 'x'}"
    asked = target.replace(" ", "+")
    answer = stranger.ask(stranger.gateway, method, asked, body, f"Content-Type: {kind}", bearer)
    if answer.status is not None and answer.status >= 500:
        assert answer.status == 500
        assert b"Failed to create payment" in answer.body  # the gateway's own, for what its database does not take
    if b"payproof:" in body:  # it may have asked for that very answer
        return
    assert answer.status is not None


TOKENS: dict[int, str] = {}


def a_token(served: Served) -> str:
    keys = {"client_id": served.client_id, "secret_id": served.secret_key}
    return str(served.call("/authentication/token", keys)["data"]["access_token"])


# The control port, by its own schema

ODD = st.one_of(
    st.none(), st.booleans(), st.sampled_from([0, -1, 10**400, 2**63, 1e308, float("nan"), float("inf"), "", "\x00", "a\r\nb: c", "\ud800"]),
    st.lists(st.none(), max_size=2), st.dictionaries(st.text(max_size=2), st.none(), max_size=2), st.text(max_size=10),
)  # fmt: skip


def of_schema(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a JSON Schema allows, and now and then one that it does not."""
    return st.one_of(_allowed(schema, definitions), _allowed(schema, definitions), ODD)


def _allowed(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return of_schema(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return st.one_of([of_schema(choice, definitions) for choice in schema["anyOf"]])
    kind = schema.get("type")
    if kind == "object":
        fields = {name: of_schema(of, definitions) for name, of in schema.get("properties", {}).items()}
        return st.fixed_dictionaries({}, optional=fields)
    if kind == "array":
        return st.lists(of_schema(schema.get("items", {}), definitions), max_size=3)
    if kind == "integer":
        return st.integers(schema.get("minimum"), schema.get("maximum"))
    if kind == "number":
        return st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False)
    return {"boolean": st.booleans(), "null": st.none(), "string": TEXTS}.get(str(kind), ODD)


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    schema = TypeAdapter(kind).json_schema()
    return of_schema(schema, schema.get("$defs", {}))


@st.composite
def a_fault(draw: st.DrawFn, kinds: tuple[Kind, ...] = ("call", "handshake", "connection", "port")) -> Any:
    name = draw(st.sampled_from(sorted(name for kind in kinds for name in registered(kind))))
    spec = draw(of_type(FaultSpec))
    if not isinstance(spec, dict):
        return spec
    return cast("dict[str, Any]", spec) | {"name": name, "params": draw(of_type(registered()[name]))}


TAKES = {
    "/clock": operations.Advance, "/merchants": operations.NewMerchant, "/tokens/expire": operations.Which,
    "/payments/{payment}/tamper": operations.Lie, "/notices/endpoint": notice_operations.NoticeUrl,
    "/notices/release": notice_operations.DeliveryOrder, "/notices/repeat": notice_operations.Again, "/notices/forge": notice_operations.Forged,
}  # fmt: skip
NEVER_ENDS = "/journal/follow"


@st.composite
def steered(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """(method, path, body) of a call of the control port."""
    method, path, _ = draw(st.sampled_from([each for each in operations.OPERATIONS if each[1] != NEVER_ENDS]))
    body = draw(a_fault() if (method, path) == ("POST", "/faults") else of_type(TAKES[path]) if path in TAKES else ODD)
    for name in ("{client_id}", "{payment}", "{id:int}"):
        path = path.replace(name, draw(st.sampled_from(["x", "1", "9" * 30, "%00", "%ff", "a%2Fb", "%ed%a0%80"])))
    query = draw(
        st.sampled_from(["", "?after=1", "?after=x", "?after=" + "9" * 5_000, "?after=%C2%B2", "?after=-1", "?%ff"])
    )
    raw = json.dumps(body).encode()
    return (
        method,
        path + query,
        draw(st.one_of(st.just(raw), st.just(raw), st.sampled_from([raw[:-1], b"[" * 50_000, b"\xff", raw * 3]))),
    )


@given(call=steered())
@FUZZ
def test_any_call_of_the_control_port(stranger: Served, call: tuple[str, str, bytes]) -> None:
    answer = stranger.steer(*call)
    assert answer.status is not None
    assert answer.status < 500
    assert answer.json() is not None
    if answer.status >= 400:
        assert {"error", "remedy"} <= set(answer.json())


WORDS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)


@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "DELETE", "OPTIONS"]),
    path=st.sampled_from(
        [
            "",
            "/",
            "/events",
            "/exchange/1",
            "/api/clock",
            "/api/settings",
            "/login?code=x",
            "/login?code=%ff",
            "/assets/../x",
        ]
    ),
    headers=st.dictionaries(
        st.sampled_from(["Cookie", "Origin", "Sec-Fetch-Site", "Last-Event-ID", "X-Payproof-Token"]), WORDS, max_size=3
    ),
)
@FUZZ
def test_whoever_was_not_let_in_learns_nothing_from_the_inspector(
    stranger: Served, method: str, path: str, headers: dict[str, str]
) -> None:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    answer = stranger.ask(stranger.control, method, f"/inspector{path}", b"", *lines)
    assert answer.status in (303, 400, 401, 403, 404, 405)
    assert stranger.client_id.encode() not in answer.body


@given(faults=st.lists(a_fault(("call", "handshake", "connection")), max_size=4), data=mangled())
@FUZZ
def test_any_fault_and_any_bytes(stranger: Served, faults: list[Any], data: bytes) -> None:
    """Armed faults may answer as they like, or not at all: the client leaves, and nothing stays behind."""
    for fault in faults:
        assert (stranger.steer("POST", "/faults", json.dumps(fault).encode()).status or 0) < 500
    stranger.send(stranger.gateway, data)
    assert stranger.steer("POST", "/reset").status == 200


def test_the_schema_reaches_every_operation_that_takes_a_body() -> None:
    taking = {path for method, path, _ in operations.OPERATIONS if method == "POST"}
    plain = {path for path in taking if path not in TAKES and path != "/faults"}
    assert TAKES.keys() <= taking
    assert plain == {
        "/reset", "/merchants/{client_id}/rotate", "/merchants/{client_id}/revoke", "/payments/{payment}/forge-return", "/notices/hold",
        "/notices/lose",
    }  # fmt: skip
    assert {field.name for field in dataclasses.fields(FaultSpec)} >= {"name", "params"}


# More connections than there are descriptors


def test_without_descriptors_connections_wait_and_nothing_spins(stranger: Served) -> None:
    pid = stranger.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (stranger.descriptors() + 10, before[1]))
    try:
        crowd = [create_connection(("127.0.0.1", stranger.gateway)) for _ in range(60)]
        for one in crowd:
            one.close()
        assert stranger.ask(stranger.gateway, "GET", "/x").status == 404
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
