"""Canaries and the redactor that keeps secrets out of everything payproof writes.

Every text passes the redactor on its way into a journal. A secret, in any of the spellings of docs/security.md, or any part of
it of twelve characters or more, becomes a stable placeholder (``<access-token-1>``). The same placeholder in a log line or
on a page is then the proof of a leak: searching and redacting are one act, so nothing found can be shown in clear.
"""

from __future__ import annotations

import base64
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from payproof.contracts.redaction.secret_search import MEMO_SIZE, SHORTEST_PART, SecretSearch, Span
from payproof.contracts.waiting import Waiting

_MEMO_TEXT = 512  # headers and addresses repeat: their covers are remembered
_KINDS = frozenset({"access-token", "client-id", "secret-key"})
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


class Redactor:
    """Replaces known secrets by placeholders. One for each run, shared by all that writes.

    ``limit`` bounds how many numbered secrets (access tokens) are remembered, for servers that run for days.
    ``learned`` counts the secrets that were first seen in what somebody sent: older texts may hold them.
    """

    def __init__(self, *, limit: int = 5_000) -> None:
        self._search = SecretSearch()
        self._names = self._search.names
        self._counts: dict[str, int] = {}
        self._short: dict[str, str] = {}
        self._limit = limit
        self._memo: dict[str, str] = {}
        """Text -> its cover, empty where nothing was hidden."""
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
            self._search.forget(self._oldest(kind))
        self._memo.clear()
        self._search.add(name, value)
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
        covered = _replaced(text, self._search.spans(text))
        if len(text) <= _MEMO_TEXT:
            if len(self._memo) >= MEMO_SIZE:
                self._memo.clear()
            self._memo[text] = "" if covered == text else covered
        return text if covered == text else covered

    def finds(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of what ``redact`` would replace, in the order of the text."""
        self._settle()
        return sorted({span[:2] for span in self._search.spans(text)}) if self._names else []

    def _oldest(self, kind: str) -> str:
        """The oldest secret of a kind, or of the most numerous one: neither a flood of access tokens nor what a stranger sends must
        uncover the keys."""
        own = next((value for value, name in self._names.items() if name.startswith(f"{kind}-")), None)
        if own is not None:
            return own
        kinds = {value: name.rpartition("-")[0] for value, name in self._names.items()}
        numerous = Counter(kinds.values()).most_common(1)[0][0]
        return next(value for value, each in kinds.items() if each == numerous)


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
