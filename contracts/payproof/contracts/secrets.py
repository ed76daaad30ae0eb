"""Canaries and the veil that keeps secrets out of everything payproof writes.

Every text passes the veil on its way into a journal. A secret, in any of the spellings of docs/security.md, or any part of
it of twelve characters or more, becomes a stable placeholder (``<access-token-1>``). The same placeholder in a log line or
on a page is then the proof of a leak: searching and redacting are one act, so nothing found can be shown in clear.
"""

from __future__ import annotations

import base64
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from payproof.contracts.encodings import ENCODED_PART, decodings, unescaped
from payproof.contracts.waiting import Waiting

SHORTEST_PART = 12
"""A part this long or longer counts as the secret; a mask of a few characters does not."""
_GRAM, _EVERY, _PROBE = 6, 2, 3
"""Pieces of six characters are known from every second place of a secret and looked up at every third of a text: any twelve
characters hold a pair that meets."""
_DEPTH = 3
"""Encodings within encodings that are read."""
_MEMO_TEXT, _MEMO_SIZE = 512, 2_000  # headers and addresses repeat: their covers are remembered
_LETTERS = r"A-Za-z0-9+/=_\-%.~"
_KINDS = frozenset({"access-token", "client-id", "secret-key"})
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")

ALPHABET = "ABCDEFGHJKMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz123456789"


_EVEN = 256 - 256 % len(ALPHABET)
_LETTER = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_UNEVEN = bytes(range(_EVEN, 256))
"""Bytes that would make some letters likelier than others."""


def mint(rng: random.Random, length: int) -> str:
    """A random word without letters and digits that are mistaken for each other: no I, L or zero."""
    word = b""
    while len(word) < length:
        word += rng.randbytes(length + length // 6 + 8).translate(_LETTER, _UNEVEN)
    return word[:length].decode()


def spellings(value: str) -> Iterator[tuple[str, str]]:
    """(encoding, text) for the usual ways to write a value: plain, url, base64, base64url (all alignments), hex."""
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
    """``low``: in lower case, for the search. ``first``, ``last``: where pieces of it may begin."""

    name: str
    encoding: str
    text: str
    low: str
    first: int
    last: int


Span: TypeAlias = tuple[int, int, str, tuple[str, ...]]
"""(start, end, name, marks) of what is to be hidden."""


class Redactor:
    """Replaces known secrets by placeholders. One for each run, shared by all that writes.

    ``limit`` bounds how many numbered secrets (access tokens) are remembered, for servers that run for days.
    ``learned`` counts the secrets that were first seen in what somebody sent: older texts may hold them.
    """

    def __init__(self, *, limit: int = 5_000) -> None:
        self._grams: dict[str, list[tuple[_Spelling, int]]] = {}
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._short: dict[str, str] = {}
        self._limit = limit
        self._memo: dict[str, str] = {}
        """Text -> its cover, empty where nothing was hidden."""
        self._runs: dict[str, tuple[Span, ...]] = {}
        self._unusual = ""
        self._run = re.compile(rf"[{_LETTERS}]{{{SHORTEST_PART},}}")
        self._part = re.compile(rf"[{_LETTERS}]{{{ENCODED_PART},}}")
        self._looks_ours = _like_placeholders(_KINDS)
        self._learned = 0
        self.waiting = Waiting()
        """What was put off: it is settled before anything else is asked for here."""
        self._queue = self.waiting.queue
        self._minted: dict[str, str] = {}
        """Value -> kind of secrets that were put off, and nothing that came before them is left."""

    @property
    def empty(self) -> bool:
        """There is nothing to hide."""
        self._settle()
        return not self._names

    @property
    def learned(self) -> int:
        self._settle()
        return self._learned

    def minted(self, kind: str, value: str) -> None:
        """``add`` a fresh secret, when somebody first asks for anything: it is cheap until then."""
        if len(value) >= SHORTEST_PART:
            self.waiting.put(_Minted(self, kind, value))

    def knows(self, value: str) -> bool:
        """Whether this value is hidden, or will be once what was put off is settled as far as it has been passed over."""
        return value in self._names or value in self._minted

    def _settle(self) -> None:
        if self._queue:
            self.waiting.settle()
        while self._minted:
            value = next(iter(self._minted))
            self._add(self._minted.pop(value), value, numbered=True)

    def put_aside(self, kind: str, value: str) -> None:
        """``add`` a secret before the next that is asked for. Only as many need to be known as would be remembered: of the others
        the numbers are gone."""
        if self.knows(value):
            return
        self._minted[value] = kind
        if len(self._minted) > self._limit:
            self._named(self._minted.pop(next(iter(self._minted))), numbered=True)

    def add(self, kind: str, value: str, *, numbered: bool = True) -> str:
        """Hide ``value`` from now on; returns its placeholder. Values shorter than twelve characters are not secrets."""
        self._settle()
        return self._add(kind, value, numbered=numbered)

    def _add(self, kind: str, value: str, *, numbered: bool) -> str:
        if value in self._names:
            return f"<{self._names[value]}>"
        if len(value) < SHORTEST_PART:
            return value
        name = self._named(kind, numbered=numbered)
        if len(self._names) >= self._limit:
            self._forget(self._oldest(kind))
        self._names[value] = name
        self._memo.clear()
        self._runs.clear()
        self._widen(value)
        for spelling in _spelled(name, value):
            for start, gram in _pieces(spelling):
                self._grams.setdefault(gram, []).append((spelling, start))
        return f"<{name}>"

    def learn(self, kind: str, value: str, *, numbered: bool = True) -> str:
        """Hide a value that was first seen in what somebody sent. One that is too short to be searched for, or that could be
        a word, only gets a placeholder, for the place where it stood."""
        self._settle()
        if known := self._names.get(value) or self._short.get(value):
            return f"<{known}>"
        if len(value) >= SHORTEST_PART and _random(value):
            self._learned += 1
            return self._add(kind, value, numbered=numbered)
        name = self._named(kind, numbered=numbered)
        if len(self._short) < self._limit:
            self._short[value] = name
        return f"<{name}>"

    def _named(self, kind: str, *, numbered: bool) -> str:
        if kind not in self._counts:
            self._counts[kind] = 0
            self._looks_ours = _like_placeholders({*self._counts, *_KINDS})
        self._counts[kind] += 1
        return f"{kind}-{self._counts[kind]}" if numbered else kind

    def _widen(self, value: str) -> None:
        """Let the search go on over characters that only this secret has."""
        new = {letter for letter in value if not (letter.isascii() and (letter.isalnum() or letter in "+/=_-%.~"))}
        if new := new - set(self._unusual) - set("\\"):
            self._unusual += "".join(sorted(new))
            letters = _LETTERS + re.escape(self._unusual)
            self._run = re.compile(rf"[{letters}]{{{SHORTEST_PART},}}")
            self._part = re.compile(rf"[{letters}]{{{ENCODED_PART},}}")

    def placeholder(self, value: str) -> str:
        """The placeholder of a whole known value, or the value itself."""
        self._settle()
        return f"<{name}>" if (name := self._names.get(value)) else value

    def redact(self, text: str, *, foreign: bool = False) -> str:
        """``text`` with every known secret, in every spelling, replaced; the same object where there was none.

        ``foreign``: somebody else wrote it, so what looks like a placeholder in it is none, and is written ``‹access-token-1›``.
        """
        if self._queue or self._minted:
            self._settle()
        if not self._names:
            return text
        if foreign and "<" in text:
            text = self._looks_ours.sub(lambda match: f"‹{match[1]}{'›' if match[2] else ''}", text)
        if len(text) < SHORTEST_PART:
            return text
        if (known := self._memo.get(text)) is not None:
            return known or text
        covered = _replaced(text, self._found(text, _DEPTH, SHORTEST_PART))
        if len(text) <= _MEMO_TEXT:
            if len(self._memo) >= _MEMO_SIZE:
                self._memo.clear()
            self._memo[text] = "" if covered == text else covered
        return text if covered == text else covered

    def finds(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of what ``cover`` would replace, in the order of the text."""
        self._settle()
        return sorted({span[:2] for span in self._found(text, _DEPTH, SHORTEST_PART)}) if self._names else []

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
        return spans

    def _in_run(self, run: str, depth: int, shortest: int) -> tuple[Span, ...]:
        """Runs are remembered like texts: one id stands in a ledger, an address and a body."""
        outermost = depth == _DEPTH
        if shortest == SHORTEST_PART and (known := self._runs.get(run)) is not None:
            return known
        if outermost and (whole := self._names.get(run)):
            return ((0, len(run), whole, ()),)
        spans = list(self._search(run, shortest))
        if depth and not (spans and spans[0][:2] == (0, len(run))):
            for inner in decodings(run):
                for start, end, name, marks in self._found(inner.text, depth - 1, ENCODED_PART):
                    begin, finish = inner.source(start, end)
                    spans.append((begin, min(finish, len(run)), name, (inner.encoding, *marks)))
        found = tuple(spans)
        if outermost:
            if len(self._runs) >= _MEMO_SIZE:
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

    def _oldest(self, kind: str) -> str:
        """The oldest secret of a kind, or of the most numerous one: neither a flood of access tokens nor what a stranger sends must
        uncover the keys."""
        own = next((value for value, name in self._names.items() if name.startswith(f"{kind}-")), None)
        if own is not None:
            return own
        kinds = {value: name.rpartition("-")[0] for value, name in self._names.items()}
        numerous = Counter(kinds.values()).most_common(1)[0][0]
        return next(value for value, each in kinds.items() if each == numerous)

    def _forget(self, value: str) -> None:
        name = self._names.pop(value)
        self._memo.clear()
        self._runs.clear()
        for spelling in _spelled(name, value):
            for _, gram in _pieces(spelling):
                kept = [pair for pair in self._grams.get(gram, ()) if pair[0].name != name]
                if kept:
                    self._grams[gram] = kept
                else:
                    self._grams.pop(gram, None)


class _Minted:
    """A secret whose search was put off."""

    __slots__ = ("_kind", "_redactor", "_value")

    def __init__(self, redactor: Redactor, kind: str, value: str) -> None:
        self._redactor, self._kind, self._value = redactor, kind, value

    def settle(self) -> None:
        self._redactor.add(self._kind, self._value)

    def pass_over(self, owner: object) -> None:
        self._redactor.put_aside(self._kind, self._value)


def _like_placeholders(kinds: Iterable[str]) -> re.Pattern[str]:
    return re.compile(
        rf"<((?:{'|'.join(map(re.escape, sorted(kinds, key=len, reverse=True)))})(?![A-Za-z])[\w.:-]*)(>?)"
    )


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


def _random(value: str) -> bool:
    """Letters and digits, and no space: nobody's word."""
    return (
        any(letter.isdigit() for letter in value)
        and any(letter.isalpha() for letter in value)
        and not any(letter.isspace() for letter in value)
    )


def _replaced(text: str, spans: Iterable[Span]) -> str:
    """``text`` with placeholders in place of the spans; where two overlap, the first and longest names it."""
    out: list[str] = []
    done = 0
    last_end = 0
    for start, end, name, marks in sorted(spans, key=lambda span: (span[0], -span[1], len(span[3]))):
        if start < last_end:
            last_end = done = max(last_end, end)
            continue
        out += [text[done:start], f"<{':'.join((name, *dict.fromkeys(marks)))}>"]
        last_end = done = end
    return text if not out else "".join(out) + text[done:]
