"""Whatever a stranger sends, to either port: no trace-back, no 500 that was not asked for, no hang, no memory that grows with it.

A short form runs with the other tests; ``tox -e fuzz`` (PAYPROOF_FUZZ = examples for each test) is the long one.
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
from collections.abc import Iterator
from socket import create_connection
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from payproof.contracts.faults import FaultSpec
from payproof.simulator import operations
from payproof.simulator.faults.registry import Kind, registered

from .served_process import BASE, Served, serving

EXAMPLES = int(os.environ.get("PAYPROOF_FUZZ", "0")) or 150
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="PAYPROOF_FUZZ" not in os.environ,
    phases=[Phase.generate],  # a hang takes half a minute: what was found is shown as it is
    suppress_health_check=list(HealthCheck),
    database=None,
)
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


# Bytes

BODY = b'{"client_id":"a","secret_id":"b"}'
PAGES = "/pay/sandbox/v1/user"
WHOLE = [
    f"POST {BASE}/authentication/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n".encode()
    + BODY,
    f"GET {BASE}/payment/status/x?a=b HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n\r\n".encode(),
    f"POST {BASE}/payment/create HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n".encode()
    + b"3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
    f"GET {PAGES}/authentication/form/x HTTP/1.1\r\nCookie: checkout_session=a; b\r\nExpect: 100-continue\r\n\r\n".encode(),
    b"POST /faults HTTP/1.1\r\nX-Payproof-Token: t\r\nContent-Length: 2\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n{}",
    b"OPTIONS * HTTP/1.0\r\n\r\nGET http://a.example/ HTTP/1.1\r\nConnection: close\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00\x00\x00\x00\x00",
    bytes.fromhex("1603010200010001fc0303") + bytes(range(200)),
]
NASTY = [
    b"", b"\r", b"\n", b"\r\n\r\n", b"\x00", b"\xff", b":", b" ", b"-1", b"18446744073709551616", b"0" * 30, b"HTTP/9.9", b"%", b"%ff",
    b"chunked", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"a" * 70_000, b"[::1", b"\xed\xa0\x80", b"//", b"?", b"#",
]  # fmt: skip
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.one_of(st.sampled_from(NASTY), st.binary(max_size=6))),
    max_size=5,
)


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """Requests one after another, with some places replaced."""
    data = b"".join(draw(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=3)))
    for place, removed, put in draw(EDITS):
        at = int(place * len(data))
        data = data[:at] + put + data[at + removed :]
    return data


@given(port=st.sampled_from(["gateway", "control"]), data=st.one_of(mangled(), st.binary(max_size=300)))
@FUZZ
def test_any_bytes(stranger: Served, port: str, data: bytes) -> None:
    answer = stranger.send(getattr(stranger, port), data)
    assert answer.status is None or answer.status < 500


# Requests

TEXTS = st.one_of(
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=12),
    st.sampled_from(
        ["5000.00", "-1", "1e999999", "9" * 400, "NaN", "XAF", "€", "order payproof:html=204", "a" * 300, "‹access-token-1›",
         "https://s.example/r", "https://[::1", "javascript:1", "\x00", "\u202e", "<script>", "${HOME}", "{{7*7}}", "%00", "../../x"]
    ),
)  # fmt: skip
NAMES = st.one_of(
    st.sampled_from(["client_id", "secret_id", "amount", "currency", "return_url", "cancel_url", "custom", "token", "_token", "email"]),
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=4),
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=5,
)
ROOM = "/user/authentication/form"
TARGETS = st.one_of(
    st.sampled_from([f"{BASE}/authentication/token", f"{BASE}/payment/create", f"{BASE}/payment/status", "/", "*", f"{PAGES}/x"]),
    st.builds(
        lambda path, rest: path + rest,
        st.sampled_from([f"{BASE}/payment/status/", f"{PAGES}/authentication/form/", f"{PAGES}/payment/preview/submit/", "/favicon.ico?"]),
        st.text("abc%/?&=;#.+[]{}~0", max_size=15),
    ),
)  # fmt: skip


def as_json(fields: dict[str, Any]) -> tuple[str, bytes]:
    return "application/json", json.dumps(fields).encode()


def as_form(fields: dict[str, Any]) -> tuple[str, bytes]:
    return "application/x-www-form-urlencoded", "&".join(f"{name}={value}" for name, value in fields.items()).encode()


def as_parts(fields: dict[str, Any]) -> tuple[str, bytes]:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    return "multipart/form-data; boundary=b", ("".join(parts) + "--b--\r\n").encode()


BODIES = st.one_of(
    st.builds(
        lambda shape, fields: shape(fields),
        st.sampled_from([as_json, as_form, as_parts]),
        st.dictionaries(NAMES, VALUES, max_size=6),
    ),
    st.tuples(
        st.sampled_from(["application/json", "multipart/form-data; boundary=b", "multipart/form-data", "text/xml", "", "é/ü; charset=\x7f"]),
        st.one_of(st.binary(max_size=60), st.sampled_from([b"[" * 60_000, b'{"a":' * 20_000, b"--b\r\n" * 2_000, b"&=" * 9_000])),
    ),
)  # fmt: skip


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
    return spec | {"name": name, "params": draw(of_type(registered()[name]))}


TAKES = {
    "/clock": operations.Advance, "/merchants": operations.NewMerchant, "/tokens/expire": operations.Which,
    "/payments/{payment}/tamper": operations.Lie, "/notices/endpoint": operations.Told, "/notices/release": operations.Order,
    "/notices/repeat": operations.Again, "/notices/forge": operations.Forged,
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
