"""What strangers send: bytes that were requests once, requests with odd contents, and how many of each."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from .served_process import BASE

EXAMPLES = int(os.environ.get("PAYPROOF_FUZZ", "0")) or 150
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="PAYPROOF_FUZZ" not in os.environ,
    phases=[Phase.generate],  # a hang takes half a minute: what was found is shown as it is
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
    database=None,
)

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


def _joined(path: str, rest: str) -> str:
    return path + rest


TARGETS: st.SearchStrategy[str] = st.one_of(
    st.sampled_from([f"{BASE}/authentication/token", f"{BASE}/payment/create", f"{BASE}/payment/status", "/", "*", f"{PAGES}/x"]),
    st.builds(
        _joined,
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


def _shaped(shape: Callable[[dict[str, Any]], tuple[str, bytes]], fields: dict[str, Any]) -> tuple[str, bytes]:
    return shape(fields)


BODIES: st.SearchStrategy[tuple[str, bytes]] = st.one_of(
    st.builds(
        _shaped,
        st.sampled_from([as_json, as_form, as_parts]),
        st.dictionaries(NAMES, VALUES, max_size=6),
    ),
    st.tuples(
        st.sampled_from(["application/json", "multipart/form-data; boundary=b", "multipart/form-data", "text/xml", "", "é/ü; charset=\x7f"]),
        st.one_of(st.binary(max_size=60), st.sampled_from([b"[" * 60_000, b'{"a":' * 20_000, b"--b\r\n" * 2_000, b"&=" * 9_000])),
    ),
)  # fmt: skip
