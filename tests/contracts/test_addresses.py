"""Addresses in every spelling: the live gateway is recognised, the sandbox is not taken for it."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.contracts.profile import load
from payproof.contracts.reading import addresses

is_live = load("quatapay").is_live
SANDBOX = "https://quatapay.com/pay/sandbox/api/v1"


@pytest.mark.parametrize(
    "url",
    [
        "https://quatapay.com/pay/api/v1",
        "https://shop.example/pay/api/v1",
        "https://quatapay.com/pay/sandbox/../api/v1",
        "https://s.example/pay/sandbox/../api/v1",
        "https://s.example/pay/sandbox/%2e%2e/api/v1",
        "https://s.example/pay/sandbox/%252e%252e%252fapi/v1",
        "https://s.example/pay/sandbox//../api/v1",
        "https://s.example/pay/sandbox/x;y/..;z/../api/v1",
        "https://s.example/pay/./api/v1",
        "https://s.example/pay/%61pi/v1",
        "https://s.example/pay/%2561pi/v1",
        "https://s.example//pay//api//v1",
        "https://s.example/PAY/Api/v1",
        "https://s.example/pay/\uff41pi/v1",
        "https://s.example/pay\\api\\v1",
        "https:\\\\s.example\\pay\\api\\v1",
        "https:/s.example/pay/api/v1",
        "https:s.example/pay/api/v1",
        "HTTPS://S.EXAMPLE/pay/api/v1",
        "https://[2001:db8::1]:8443/pay/api/v1",
        "s.example/pay/api/v1",
        "/pay/api/v1",
        "--base=https://s.example/pay/api/v1",
        '{"url": "https://s.example/pay/api/v1", "x": 1}',
        "https://quatapay.com",
        "quatapay.com",
        "https://quatapay.com.",
        "https://quatapay.com:443/",
        "https://quatapay\u3002com/",
        "https://quatapay\uff0ecom/",
        "https://\uff51\uff55atapay.com/",
        "https://quata\u00adpay.com/",
        "https://quata\tpay.com/",
        "https://%71uatapay.com/",
        "https://www.quatapay.com/pay",
        "https://sandbox.x@quatapay.com",
        "https://sandbox:sandbox@quatapay.com/",
        "https://quatapay.com/pay?/sandbox/",
        "https://quatapay.com/pay#/sandbox/",
        "https://quatapay.com/pay/sandbox%2f../api",
        "https://quatapay.com/sandboxed",
        "https://quatapay.com/SANDBOX/api",
    ],
)
def test_a_live_address_is_recognised_in_every_spelling(url: str) -> None:
    assert is_live(url, "")


@pytest.mark.parametrize(
    "text",
    [
        SANDBOX,
        "https://quatapay.com:443/pay/sandbox/api/v1/",
        "https://quatapay.com/pay/sandbox/v1/user/authentication/form/AbC",
        "http://127.0.0.1:8000/pay/sandbox/api/v1",
        "https://notquatapay.com/x",
        "https://quatapay.com.shop.example/x",
        "https://shop.example/pay/return?next=/pay/api/v1",
        "https://shop.example/api/pay",
        "support@quatapay.com",
        "python src/pay/api/main.py",
        "src/pay/api/main.py",
        "com.quatapay.Main",
        "{gateway.base_url}",
        "postgres://shop:pw@db.example/shop",
        "",
        "8000",
        "100 % cotton, %zz, at /pay/apis",
    ],
)
def test_what_is_not_live_is_not_called_so(text: str) -> None:
    assert not is_live(text, "")


@pytest.mark.parametrize("key", ["qpay_live_4fJ2kPq9XyZ7", "sk_live_51Hc9abcdefgh", "id=qpay_live_4fJ2kPq9XyZ7"])
def test_a_key_of_a_live_shape_is_live(key: str) -> None:
    assert is_live("", key)


@pytest.mark.parametrize("key", ["qpay_test_4fJ2kPq9XyZ7", "live_reload", "A" * 100, "is_live_on", "shop_live_db"])
def test_other_keys_are_not(key: str) -> None:
    assert not is_live("", key)


WORDS = st.sampled_from(["a", "sandbox", "x.y", "v1", "%20", "..."])
NOTHING = st.lists(
    st.one_of(st.sampled_from(["/", "/.", "//", "\\", "/%2e", "/%252E"]), WORDS.map(lambda word: f"/{word}/..")),
    max_size=4,
).map("".join)
HOSTS = st.sampled_from(
    [
        "quatapay.com",
        "QuataPay.COM",
        "quatapay.com.",
        "quatapay\u3002com",
        "www.quatapay.com",
        "u:p@quatapay.com",
        "s.example",
        "[::1]",
    ]
)


@st.composite
def live(draw: st.DrawFn) -> str:
    """The live address, spelled in some way that a server may still read as it."""

    def spelled(word: str) -> str:
        cased = "".join(draw(st.sampled_from([c.lower(), c.upper(), chr(ord(c) + 0xFEE0)])) for c in word)
        if cased.isascii():
            chosen = draw(st.sets(st.integers(0, len(word) - 1)))
            for _ in range(draw(st.integers(0, 3))):
                cased = "".join(
                    quote(c) if c == "%" else f"%{ord(c):02x}" if n in chosen else c for n, c in enumerate(cased)
                )
                chosen = {n for n in range(len(cased)) if cased[n] == "%"}
        return cased

    scheme = draw(st.sampled_from(["https://", "http://", "HTTPS://", "https:\\\\", "https:/", ""]))
    port = draw(st.sampled_from(["", ":443", ":8443"]))
    path = f"/{spelled('pay')}{draw(NOTHING)}/{spelled('api')}"
    return f"{scheme}{draw(HOSTS)}{port}{draw(NOTHING)}{path}{draw(st.sampled_from(['', '/', '/v1', '//v1/x', '?a=/sandbox/']))}"


@given(live())
def test_no_spelling_of_the_live_address_passes(url: str) -> None:
    assert is_live(url, "")


SITE = st.from_regex(r"[a-z]{1,8}(\.[a-z]{2,5}){1,2}", fullmatch=True)


@given(SITE, st.integers(1, 65535), st.sampled_from(["", "/", "/payment/status/AbC-1", "/payment/create?x=1"]))
def test_the_plain_sandbox_address_of_any_site_passes(site: str, port: int, rest: str) -> None:
    assert not is_live(f"https://{site}:{port}/pay/sandbox/api/v1{rest}", "")


@given(live())
def test_what_a_base_address_is_used_as_is_what_was_judged(url: str) -> None:
    try:
        used = addresses.plain(url)
    except ValueError:
        return
    assert is_live(used, "")
    assert addresses.plain(used) == used


@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    is_live(text, text)
    addresses.origin(text)


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("HTTPS://QuataPay.com:443/pay/sandbox/api/v1/", SANDBOX),
        ("https://quatapay.com./pay//x/../sandbox/%61pi/./v1", SANDBOX),
        ("https://bücher.example/pay", "https://xn--bcher-kva.example/pay"),
        ("http://[::1]:8000/pay", "http://[::1]:8000/pay"),
        ("https://127.0.0.1", "https://127.0.0.1"),
    ],
)
def test_a_base_address_has_one_plain_spelling(url: str, used: str) -> None:
    assert addresses.plain(url) == used


@pytest.mark.parametrize(
    "url",
    [
        "https://sandbox.x@quatapay.com/pay",
        "https://s.example/pay?x=1",
        "https://s.example/pay#x",
        "https://s.example\\pay",
        "https://s.example/pa y",
        "https://s.example/%5cpay",
        "ftp://s.example/",
        "https:///pay",
        "https://s.example:port/",
        "https://exa mple/",
    ],
)
def test_what_a_base_address_must_not_hold_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^it |^its |is not|Port"):
        addresses.plain(url)


@pytest.mark.parametrize(
    ("address", "leads"),
    [
        ("pay?a=1", "https://shop.example/orders/pay?a=1"),
        ("//other.example/x", "https://other.example/x"),
        ("", "https://shop.example/orders/7"),
        ("http://[", ""),
        ("//[::1", ""),
    ],
)
def test_where_an_address_on_a_page_leads(address: str, leads: str) -> None:
    assert addresses.joined("https://shop.example/orders/7", address) == leads


def test_a_long_word_is_read_in_linear_time() -> None:
    began = time.process_time()
    assert any(each.host == "a.example" for each in addresses.readings(f"{'key' * 15_000} 1ftp://a.example/b"))
    assert time.process_time() - began < 1
