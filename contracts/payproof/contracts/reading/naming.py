"""Whether a text names something by its id."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_SHOWN = 12
"""Characters of a long token that are enough to know it by."""
_SHORT, _LONG = 5, 8
"""Characters up to which an id is short, and letters and digits from which it is known in another spelling, too."""


def names(text: str, known: Iterable[str]) -> bool:
    """Whether a text holds one of these ids, and not only as a part of a longer number or word: 1001 is in ``ORDER-1001``
    and not in ``21001``. Of a long token its beginning is enough."""
    return any(_pattern(name).search(text) for name in known if name)


@lru_cache(maxsize=4096)
def _pattern(name: str) -> re.Pattern[str]:
    if name.isdecimal():
        return re.compile(rf"(?<!\d){name}(?!\d)")
    if len(name) > _SHOWN and not name.startswith("<"):
        return re.compile(rf"(?<![A-Za-z0-9]){re.escape(name[:_SHOWN])}")
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])")


def refers(reference: str, name: str) -> bool:
    """Whether a payment's reference holds an order's id; what stands around it is the shop's own business, but a short id
    within a longer number or word is none. A long one may be there without the signs that part it, as a UUID without its dashes."""
    if not name or len(name) <= _SHORT:
        return bool(name) and names(reference, (name,))
    return name in reference or (len(_plain(name)) >= _LONG and _plain(name) in _plain(reference))


@lru_cache(maxsize=512)
def _plain(text: str) -> str:
    """Its letters and digits."""
    return re.sub(r"[\W_]+", "", text).casefold()
