"""The veil hides every spelling and every part of a secret, and nothing else."""

from __future__ import annotations

import base64
import random
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.contracts.secrets import ALPHABET, SHORTEST_PART, Veil, mint

SECRET = mint(random.Random(1), 100)
TOKEN = mint(random.Random(2), 350)


@pytest.fixture
def veil() -> Veil:
    veil = Veil()
    veil.add("secret-key", SECRET)
    veil.add("access-token", TOKEN)
    return veil


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        quote(SECRET, safe=""),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        base64.b64encode(b"user:" + SECRET.encode()).decode(),
        base64.b64encode(b"u:" + SECRET.encode() + b"!").decode(),
        base64.b64encode(b"12" + SECRET.encode()).decode(),
        SECRET[30 : 30 + SHORTEST_PART],
        SECRET[:40],
        SECRET[-12:],
    ],
)
def test_every_spelling_is_replaced(veil: Veil, spelled: str) -> None:
    covered = veil.cover(f"before {spelled} after")
    assert "<secret-key-1" in covered
    assert spelled not in covered
    assert covered.startswith("before ")
    assert covered.endswith(" after")


def test_the_same_secret_keeps_its_placeholder_and_another_gets_its_own(veil: Veil) -> None:
    assert veil.add("access-token", TOKEN) == "<access-token-1>"
    assert veil.add("access-token", mint(random.Random(3), 350)) == "<access-token-2>"
    assert veil.cover(f"Bearer {TOKEN}") == "Bearer <access-token-1>"


def test_a_mask_of_few_characters_is_left_alone(veil: Veil) -> None:
    mask = f"{SECRET[:4]}...{SECRET[-4:]}"
    assert veil.cover(f"key {mask}") == f"key {mask}"


@given(start=st.integers(0, 350 - SHORTEST_PART), length=st.integers(SHORTEST_PART, 60), around=st.text(max_size=30))
def test_any_part_of_twelve_characters_or_more_is_found(start: int, length: int, around: str) -> None:
    veil = Veil()
    veil.add("access-token", TOKEN)
    part = TOKEN[start : start + length]
    assert part not in veil.cover(f"{around} {part} {around}")


@given(st.text(alphabet=ALPHABET + " =&/", max_size=300))
def test_texts_without_a_secret_are_untouched(text: str) -> None:
    veil = Veil()
    veil.add("access-token", TOKEN)
    assert veil.cover(text) == text


def test_a_flood_of_tokens_does_not_uncover_the_secret_key() -> None:
    veil = Veil(limit=20)
    veil.add("secret-key", SECRET)
    for number in range(60):
        veil.add("access-token", mint(random.Random(number), 350))
    assert SECRET not in veil.cover(f"x {SECRET} y")
