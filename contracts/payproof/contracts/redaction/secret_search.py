"""Finding known secrets in a text, in any letter case, forwards and backwards, and in the usual encodings of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from payproof.contracts.redaction.encodings import ENCODED_PART, decodings, dumped, unescaped

SHORTEST_PART = 12
"""A part this long or longer counts as the secret; a mask of a few characters does not."""
_GRAM, _EVERY, _PROBE = 6, 2, 3
"""Pieces of six characters are known from every second place of a secret and looked up at every third of a text: any twelve
characters hold a pair that meets."""
_DEPTH = 3
"""Encodings within encodings that are read."""
MEMO_SIZE = 2_000
"""Texts whose findings are remembered."""
_LETTERS = r"A-Za-z0-9+/=_\-%.~"
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


@dataclass(frozen=True, slots=True)
class _Spelling:
    """``low``: in lower case, for the search. ``first``, ``last``: where pieces of it may begin."""

    name: str
    encoding: str
    text: str
    low: str
    first: int
    last: int


Span: TypeAlias = tuple[int, int, str, tuple[str, ...]]
"""(start, end, name, marks) of what is to be hidden."""


class SecretSearch:
    """``names``: secret -> its placeholder's name."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._grams: dict[str, list[tuple[_Spelling, int]]] = {}
        self._runs: dict[str, tuple[Span, ...]] = {}
        self._unusual = ""
        self._run = re.compile(rf"[{_LETTERS}]{{{SHORTEST_PART},}}")
        self._part = re.compile(rf"[{_LETTERS}]{{{ENCODED_PART},}}")

    def add(self, name: str, value: str) -> None:
        self.names[value] = name
        self._runs.clear()
        self._widen(value)
        for spelling in _spelled(name, value):
            for start, gram in _pieces(spelling):
                self._grams.setdefault(gram, []).append((spelling, start))

    def forget(self, value: str) -> None:
        name = self.names.pop(value)
        self._runs.clear()
        for spelling in _spelled(name, value):
            for _, gram in _pieces(spelling):
                kept = [pair for pair in self._grams.get(gram, ()) if pair[0].name != name]
                if kept:
                    self._grams[gram] = kept
                else:
                    self._grams.pop(gram, None)

    def _widen(self, value: str) -> None:
        """Let the search go on over characters that only this secret has."""
        new = {letter for letter in value if not (letter.isascii() and (letter.isalnum() or letter in "+/=_-%.~"))}
        if new := new - set(self._unusual) - set("\\"):
            self._unusual += "".join(sorted(new))
            letters = _LETTERS + re.escape(self._unusual)
            self._run = re.compile(rf"[{letters}]{{{SHORTEST_PART},}}")
            self._part = re.compile(rf"[{letters}]{{{ENCODED_PART},}}")

    def spans(self, text: str) -> list[Span]:
        """What of ``text`` is to be hidden."""
        return self._found(text, _DEPTH, SHORTEST_PART)

    def _found(self, text: str, depth: int, shortest: int) -> list[Span]:
        """What is to be hidden in ``text``. ``depth``: encodings that are still read."""
        spans: list[Span] = []
        for match in (self._run if shortest == SHORTEST_PART else self._part).finditer(text):
            base = match.start()
            found = self._in_run(match.group(), depth, shortest)
            spans += [(base + start, base + end, name, marks) for start, end, name, marks in found] if found else ()
        if depth and (plain := unescaped(text)) is not None:
            for start, end, name, marks in self._found(plain.text, depth - 1, shortest):
                begin, finish = plain.source(start, end)
                if finish - begin > end - start:  # else it stands there unescaped, and is found without
                    spans.append((begin, finish, name, (plain.encoding, *marks)))
        if depth:
            for dump in dumped(text):
                for start, end, name, marks in self._found(dump.text, depth - 1, ENCODED_PART):
                    spans.append((*dump.source(start, end), name, (dump.encoding, *marks)))
        return spans

    def _in_run(self, run: str, depth: int, shortest: int) -> tuple[Span, ...]:
        """Runs are remembered like texts: one id stands in a ledger, an address and a body."""
        outermost = depth == _DEPTH
        if shortest == SHORTEST_PART and (known := self._runs.get(run)) is not None:
            return known
        if outermost and (whole := self.names.get(run)):
            return ((0, len(run), whole, ()),)
        spans = list(self._search(run, shortest))
        if depth and not (spans and spans[0][:2] == (0, len(run))):
            for inner in decodings(run):
                for start, end, name, marks in self._found(inner.text, depth - 1, ENCODED_PART):
                    begin, finish = inner.source(start, end)
                    spans.append((begin, min(finish, len(run)), name, (inner.encoding, *marks)))
        found = tuple(spans)
        if outermost:
            if len(self._runs) >= MEMO_SIZE:
                self._runs.clear()
            self._runs[run] = found
        return found

    def _search(self, run: str, shortest: int) -> Iterator[Span]:
        """Secrets, and parts of them, that stand in ``run`` in any letter case, forwards or backwards."""
        low = _lower(run)
        grams, last = self._grams, len(run) - _GRAM
        step = _PROBE if shortest == SHORTEST_PART else 1
        done = position = 0
        while position <= last:
            # Nearly every position ends here, so the look-up stands in the loop itself.
            if (
                low[position : position + _GRAM] not in grams
                or (found := self._longest(run, low, position, done, shortest)) is None
            ):
                position += step
                continue
            yield found
            done = position = found[1]

    def _longest(self, run: str, low: str, position: int, floor: int, shortest: int) -> Span | None:
        best: Span | None = None
        for spelling, offset in self._grams.get(low[position : position + _GRAM], ()):
            text = spelling.low
            left = 0
            while position - left > floor and offset - left > 0 and low[position - left - 1] == text[offset - left - 1]:
                left += 1
            right = _GRAM
            while (
                position + right < len(low)
                and offset + right < len(text)
                and low[position + right] == text[offset + right]
            ):
                right += 1
            if left + right >= shortest and (best is None or left + right > best[1] - best[0]):
                start, end = position - left, position + right
                same = run[start:end] == spelling.text[offset - left : offset + right]
                whole = left + right == len(text)
                marks = (spelling.encoding, "" if same else "case", "" if whole else "part")
                best = (start, end, spelling.name, tuple(mark for mark in marks if mark))
        return best


def _spelled(name: str, value: str) -> Iterator[_Spelling]:
    """The value as it stands and backwards. All JSON web tokens begin alike: of one, the signature is the secret."""
    begin = value.rfind(".") + 1 if _JWT.fullmatch(value) else 0
    size = len(value)
    yield _Spelling(name, "", value, _lower(value), begin, size - _GRAM)
    yield _Spelling(name, "reversed", value[::-1], _lower(value[::-1]), 0, size - _GRAM - begin)


def _pieces(spelling: _Spelling) -> Iterator[tuple[int, str]]:
    """(place, piece), each piece once."""
    found: dict[str, int] = {}
    for start in range(spelling.first, spelling.last + 1, _EVERY):
        found.setdefault(spelling.low[start : start + _GRAM], start)
    return ((start, gram) for gram, start in found.items())


def _lower(text: str) -> str:
    """In lower case, unless that has another length."""
    low = text.lower()
    return low if len(low) == len(text) else text
