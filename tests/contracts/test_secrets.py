"""The veil hides every spelling and every part of a secret, and nothing else."""

from __future__ import annotations

import base64
import gzip
import html
import json
import random
import zlib
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.contracts.redaction import encodings
from payproof.contracts.redaction.secret_search import SHORTEST_PART
from payproof.contracts.redaction.secrets import ALPHABET, Redactor, mint

SECRET = mint(random.Random(1), 100)
TOKEN = mint(random.Random(2), 350)


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.add("secret-key", SECRET)
    redactor.add("access-token", TOKEN)
    return redactor


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        quote(SECRET, safe=""),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        SECRET.encode().hex(" "),
        SECRET.encode().hex(":").upper(),
        SECRET[40:52].encode().hex(" "),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        base64.b64encode(b"user:" + SECRET.encode()).decode(),
        base64.b64encode(b"u:" + SECRET.encode() + b"!").decode(),
        base64.b64encode(b"12" + SECRET.encode()).decode(),
        "".join(f"%{ord(c):02X}" for c in SECRET),
        "".join(f"%{ord(c):02x}" for c in SECRET),
        "".join(f"%25{ord(c):02x}" for c in SECRET),
        "".join(f"&#{ord(c)};" for c in SECRET),
        "".join(f"&#x{ord(c):X};" for c in SECRET),
        "".join(f"\\u{ord(c):04x}" for c in SECRET),
        "".join(f"\\x{ord(c):02x}" for c in SECRET),
        "".join(f"\\u{{{ord(c):x}}}" for c in SECRET),
        "".join(f"\\{ord(c):03o}" for c in SECRET),
        "\0".join(SECRET),
        SECRET.swapcase(),
        SECRET.upper(),
        SECRET[::-1],
        base64.b64encode(base64.b64encode(SECRET.encode())).decode(),
        base64.b64encode(base64.b64encode(f"client:{SECRET}".encode())).decode().rstrip("="),
        base64.b64encode(SECRET.encode("utf-16-le")).decode(),
        quote(base64.b64encode(SECRET.encode()).decode(), safe=""),
        base64.b32encode(SECRET.encode()).decode(),
        base64.b32encode(b"a:" + SECRET.encode()).decode().lower().rstrip("="),
        base64.b64encode(SECRET.encode()).decode()[5:30],
        base64.b64encode(SECRET[40:52].encode()).decode(),
        SECRET[40:52].encode().hex(),
        base64.b32encode(SECRET[40:52].encode()).decode(),
        SECRET[30 : 30 + SHORTEST_PART],
        SECRET[:40],
        SECRET[-12:],
    ],
)
def test_every_spelling_is_replaced(redactor: Redactor, spelled: str) -> None:
    covered = redactor.redact(f"before {spelled} after")
    assert "<secret-key-1" in covered
    assert spelled not in covered
    assert covered.startswith("before ")
    assert covered.endswith(" after")


def test_the_same_secret_keeps_its_placeholder_and_another_gets_its_own(redactor: Redactor) -> None:
    assert redactor.add("access-token", TOKEN) == "<access-token-1>"
    assert redactor.add("access-token", mint(random.Random(3), 350)) == "<access-token-2>"
    assert redactor.redact(f"Bearer {TOKEN}") == "Bearer <access-token-1>"


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_a_signed_cookie_that_was_packed_hides_no_secret(redactor: Redactor, pack: Callable[[bytes], bytes]) -> None:
    packed = base64.urlsafe_b64encode(pack(f'{{"user": 7, "bearer": "{SECRET}"}}'.encode())).decode().rstrip("=")
    assert redactor.redact(f"session=.{packed}.aR5xyz.signature0") == "session=.<secret-key-1:zlib>.aR5xyz.signature0"


def test_what_only_looks_packed_is_untouched(redactor: Redactor) -> None:
    for text in ("eJw" + "A" * 40, "H4sIAAAAAAAA", "eNqnothingofthiskind0000"):
        assert redactor.redact(text) == text


def test_a_mask_of_few_characters_is_left_alone(redactor: Redactor) -> None:
    mask = f"{SECRET[:4]}...{SECRET[-4:]}"
    assert redactor.redact(f"key {mask}") == f"key {mask}"


@given(start=st.integers(0, 350 - SHORTEST_PART), length=st.integers(SHORTEST_PART, 60), around=st.text(max_size=30))
def test_any_part_of_twelve_characters_or_more_is_found(start: int, length: int, around: str) -> None:
    redactor = Redactor()
    redactor.add("access-token", TOKEN)
    part = TOKEN[start : start + length]
    assert part not in redactor.redact(f"{around} {part} {around}")


@given(st.text(alphabet=ALPHABET + " =&/", max_size=300))
def test_texts_without_a_secret_are_untouched(text: str) -> None:
    redactor = Redactor()
    redactor.add("access-token", TOKEN)
    assert redactor.redact(text) == text


def test_a_flood_of_tokens_does_not_uncover_the_secret_key() -> None:
    redactor = Redactor(limit=20)
    redactor.add("secret-key", SECRET)
    for number in range(60):
        redactor.add("access-token", mint(random.Random(number), 350))
    assert SECRET not in redactor.redact(f"x {SECRET} y")


STRANGE = "p@ss&word/" + SECRET[:8] + "+x=\"y'" + SECRET[8:20]


@pytest.mark.parametrize(
    "spelled",
    [STRANGE, html.escape(STRANGE), quote(STRANGE, safe=""), json.dumps(STRANGE), json.dumps(json.dumps(STRANGE))],
)
def test_a_secret_of_any_characters_is_replaced_whole(spelled: str) -> None:
    redactor = Redactor()
    redactor.add("secret-key", STRANGE)
    covered = redactor.redact(f"<b>{spelled}</b>")
    assert "<secret-key-1" in covered
    assert "p@ss" not in covered
    assert SECRET[14:20] not in covered


@given(st.text(max_size=200), st.sampled_from(["", "%41", "&amp;", "\\u0041", "\0"]), st.text(max_size=50))
def test_any_text_can_be_covered_and_keeps_what_is_no_secret(before: str, escape: str, after: str) -> None:
    redactor = Redactor()
    redactor.add("access-token", TOKEN)
    text = before + escape + after
    assert redactor.redact(text) == text
    assert TOKEN[50:80] not in redactor.redact(f"{before}{escape}{TOKEN}{escape}{after}")


def test_two_spellings_side_by_side_are_both_replaced(redactor: Redactor) -> None:
    text = f"{TOKEN[::-1]} {SECRET.encode().hex()}{SECRET.lower()}"
    assert redactor.redact(text) == "<access-token-1:reversed> <secret-key-1:hex><secret-key-1:case>"


def test_what_an_integration_writes_itself_is_no_placeholder(redactor: Redactor) -> None:
    line = "we mask it as <access-token-1>, or <secret-key-x"
    assert redactor.redact(line, foreign=True) == "we mask it as ‹access-token-1›, or ‹secret-key-x"
    assert redactor.redact(line) == line
    assert redactor.redact(f"token {TOKEN}", foreign=True) == "token <access-token-1>"


def test_a_web_token_shares_its_beginning_with_any_other() -> None:
    def part(data: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")

    head, mine, theirs = part({"alg": "HS256", "typ": "JWT"}), part({"iat": 1764300000}), part({"iat": 1764300001})
    token = f"{head}.{mine}.{SECRET[:43]}"
    redactor = Redactor()
    redactor.add("access-token", token)
    other = f"{head}.{theirs}.{mint(random.Random(9), 43)}"
    assert redactor.redact(f"session={other}") == f"session={other}"
    assert redactor.redact(f"token={token};") == "token=<access-token-1>;"
    assert redactor.redact(f"token={token[-20:]};") == "token=<access-token-1:part>;"
    assert redactor.redact(f"token={token[::-1]};") == "token=<access-token-1:reversed>;"


def test_a_word_that_somebody_sends_as_a_secret_is_not_hunted(redactor: Redactor) -> None:
    assert redactor.learn("credential", "invalid_credentials") == "<credential-1>"
    assert redactor.redact("the shop says invalid_credentials") == "the shop says invalid_credentials"
    assert redactor.learned == 0
    assert redactor.learn("access-token", "q8w7e6r5t4z3u2i1o0") == "<access-token-2>"
    assert redactor.learned == 1


def test_a_packed_run_is_one_text_of_bounded_length() -> None:
    packed = base64.b64encode(zlib.compress(b"some readable text " * 40_000)).decode()
    (unpacked,) = [each for each in encodings.decodings(packed) if each.encoding == "zlib"]
    assert len(unpacked.text) == 16_384
