"""The letters that ids are made of, and whether two sides' differ: by chance alone is no difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_SURE = 1e-6
"""Chance that a sort of letters is missing though it belongs to the alphabet, below which it is taken not to."""
_SORTS: Mapping[str, frozenset[str]] = {
    "capitals": frozenset("ABCDEFGHJKMNOPQRSTUVWXYZ"),
    "small letters": frozenset("abcdefghijklmnopqrstuvwxyz"),
    "digits": frozenset("123456789"),
    "I or L": frozenset("IL"),
    "zero": frozenset("0"),
    "other signs": frozenset("-_.~+/="),
}


def alphabet(values: Iterable[str]) -> dict[str, bool | None]:
    """Sort of letters -> used (True), not used (False), or not enough seen to tell (None)."""
    text = "".join(values)
    used = set(text)
    size = max(len(used), 1)
    found: dict[str, bool | None] = {}
    for name, letters in _SORTS.items():
        if used & letters:
            found[name] = True
        else:
            chance = (size / (size + len(letters))) ** len(text)
            found[name] = False if chance < _SURE else None
    return found


def compared(simulator: Iterable[str], gateway: Iterable[str]) -> tuple[list[str], str, str] | None:
    """(sorts of letters that both tell, the simulator's in words, the gateway's in words); None when there is too little."""
    one, other = alphabet(simulator), alphabet(gateway)
    decided = [name for name in _SORTS if one[name] is not None and other[name] is not None]
    if not decided:
        return None
    return decided, _words(one, decided), _words(other, decided)


def _words(found: Mapping[str, bool | None], decided: list[str]) -> str:
    there = [name for name in decided if found[name]]
    return ", ".join(there) or "none of them"
