"""Canaries and the veil that keeps secrets out of everything payproof writes.

Every text passes the veil on its way into a journal. A secret, in any of the spellings below, or any part of it of
twelve characters or more, becomes a stable placeholder (``<access-token-1>``). The same placeholder in a log line or
on a page is then the proof of a leak: searching and redacting are one act, so nothing found can be shown in clear.
"""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

SHORTEST_PART = 12
"""A part this long or longer counts as the secret; a mask of a few characters does not."""
_GRAM, _STRIDE = 6, 7  # any 12 characters hold a 6-gram that starts at a multiple of 7
_MEMO_TEXT, _MEMO_SIZE = 512, 2_000  # headers and addresses repeat: their covers are remembered
_RUN = re.compile(r"[A-Za-z0-9+/=_\-%.~]{12,}")

ALPHABET = "ABCDEFGHJKMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz123456789"


def mint(rng: random.Random, length: int) -> str:
    """A random word in the family's alphabet: no I, L or zero (gateway-facts 3.3, observed)."""
    return "".join(rng.choices(ALPHABET, k=length))


def spellings(value: str) -> Iterator[tuple[str, str]]:
    """(encoding, text) for each way a value may be written: plain, url, base64, base64url (all alignments), hex."""
    yield "", value
    if (quoted := quote(value, safe="")) != value:
        yield "url", quoted
    raw = value.encode()
    yield "hex", raw.hex()
    yield "hex", raw.hex().upper()
    for lead in range(3):
        padded = base64.b64encode(b"\0" * lead + raw).decode()
        # The first and last characters depend on the neighbours of the value: leave them out.
        core = padded[(0, 2, 3)[lead] :].rstrip("=")
        whole = (len(raw) + lead) // 3 * 4 - (0, 2, 3)[lead]
        yield "base64", core[:whole]
        if (urlsafe := core[:whole].replace("+", "-").replace("/", "_")) != core[:whole]:
            yield "base64", urlsafe


@dataclass(frozen=True, slots=True)
class _Spelling:
    name: str
    encoding: str
    text: str


class Veil:
    """Replaces known secrets by placeholders. One for each run, shared by all that writes.

    ``limit`` bounds how many numbered secrets (access tokens) are remembered, for servers that run for days.
    """

    def __init__(self, *, limit: int = 5_000) -> None:
        self._grams: dict[str, list[tuple[_Spelling, int]]] = {}
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._limit = limit
        self._memo: dict[str, str] = {}
        """Text -> its cover, empty where nothing was hidden."""

    def add(self, kind: str, value: str, *, numbered: bool = True) -> str:
        """Hide ``value`` from now on; returns its placeholder. Values shorter than twelve characters are not secrets."""
        if value in self._names:
            return f"<{self._names[value]}>"
        if len(value) < SHORTEST_PART:
            return value
        self._counts[kind] = self._counts.get(kind, 0) + 1
        name = f"{kind}-{self._counts[kind]}" if numbered else kind
        if len(self._names) >= self._limit:
            # The oldest of its own kind: a flood of access tokens must not uncover the secret keys.
            self._forget(next((v for v, n in self._names.items() if n.startswith(f"{kind}-")), next(iter(self._names))))
        self._names[value] = name
        self._memo.clear()
        for encoding, text in spellings(value):
            spelling = _Spelling(name, encoding, text)
            for start in range(0, max(len(text) - _GRAM + 1, 0), _STRIDE):
                self._grams.setdefault(text[start : start + _GRAM], []).append((spelling, start))
        return f"<{name}>"

    def placeholder(self, value: str) -> str:
        """The placeholder of a whole known value, or the value itself."""
        return f"<{name}>" if (name := self._names.get(value)) else value

    def cover(self, text: str) -> str:
        """``text`` with every known secret, in every spelling, replaced; the same object where there was none."""
        if not self._names or len(text) < SHORTEST_PART:
            return text
        if (known := self._memo.get(text)) is not None:
            return known or text
        return self._remember(text, _RUN.sub(self._known_run, text))

    def _remember(self, text: str, covered: str) -> str:
        if len(text) <= _MEMO_TEXT:
            if len(self._memo) >= _MEMO_SIZE:
                self._memo.clear()
            self._memo[text] = "" if covered == text else covered
        return text if covered == text else covered

    def _known_run(self, match: re.Match[str]) -> str:
        """A run's cover. Runs are remembered like texts: one id stands in a ledger, an address and a body."""
        run = match.group()
        if (known := self._memo.get(run)) is not None:
            return known or run
        return self._remember(run, self._cover_run(run))

    def _cover_run(self, run: str) -> str:
        if whole := self._names.get(run):
            return f"<{whole}>"
        out: list[str] = []
        done = position = 0
        grams, last = self._grams, len(run) - _GRAM
        while position <= last:
            # Nearly every position ends here, so the look-up stands in the loop itself.
            if run[position : position + _GRAM] not in grams or (found := self._longest(run, position, done)) is None:
                position += 1
                continue
            start, end, placeholder = found
            out += [run[done:start], placeholder]
            done = position = end
        return run if not out else "".join(out) + run[done:]

    def _longest(self, run: str, position: int, floor: int) -> tuple[int, int, str] | None:
        best: tuple[int, int, str] | None = None
        for spelling, offset in self._grams.get(run[position : position + _GRAM], ()):
            text = spelling.text
            left = 0
            while position - left > floor and offset - left > 0 and run[position - left - 1] == text[offset - left - 1]:
                left += 1
            right = _GRAM
            while (
                position + right < len(run)
                and offset + right < len(text)
                and run[position + right] == text[offset + right]
            ):
                right += 1
            if left + right >= SHORTEST_PART and (best is None or left + right > best[1] - best[0]):
                whole = left + right == len(text)
                marks = [mark for mark in (spelling.encoding, "" if whole else "part") if mark]
                best = (position - left, position + right, f"<{':'.join([spelling.name, *marks])}>")
        return best

    def _forget(self, value: str) -> None:
        name = self._names.pop(value)
        self._memo.clear()
        for _, text in spellings(value):
            for start in range(0, max(len(text) - _GRAM + 1, 0), _STRIDE):
                gram = text[start : start + _GRAM]
                kept = [pair for pair in self._grams.get(gram, ()) if pair[0].name != name]
                if kept:
                    self._grams[gram] = kept
                else:
                    self._grams.pop(gram, None)
