"""How a text may hold another one: escaped, in base64 (packed before, too), base32 or hex. Each decoder tells where its text stood.

They read any text and promise nothing about what they find: the redactor looks for secrets in it.
"""

from __future__ import annotations

import binascii
import html
import re
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

ENCODED_PART = 8
"""Characters of a secret that count when they stand in base64, base32 or hex."""

_ESCAPED = re.compile(
    r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,5}\}|\\x[0-9A-Fa-f]{2}|\\[01][0-7]{2}|&#\d{1,7};?|&#[xX][0-9A-Fa-f]{1,6};?|&[A-Za-z]{2,8};|\\[/\"'\\]|\x00"
)
_MARKS = (("%", "url"), ("&", "html"), ("\\", "json"), ("\0", "utf16"))
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-]{11,}")
_BASE32 = re.compile(r"[A-Z2-7]{13,}|[a-z2-7]{13,}")
_HEX = re.compile(r"[0-9A-Fa-f]{16,}")
_HEX_APART = re.compile(r"[0-9A-Fa-f]{2}([ :])(?:[0-9A-Fa-f]{2}\1){6,}[0-9A-Fa-f]{2}")
"""As dumps and debuggers write bytes: ``<Buffer 5a 6b 33 ...>``."""
_PACKED = ("eJ", "eN", "eA", "eF", "H4sI")
"""How base64 begins of what zlib or gzip packed: sessions that a framework keeps in a signed cookie."""
_MOST_UNPACKED = 16_384
"""Characters that are unpacked of one run, more than a cookie can hold: a short one may hold a thousand times its length."""
_READABLE = re.compile(rf"(?:[!-~]\x00?){{{ENCODED_PART},}}")
"""Bytes that can be a part of a secret, also in UTF-16."""
_REMEMBERED = 256
"""Characters up to which a text is decoded once: ids and addresses come again and again."""
_URLSAFE = str.maketrans("-_", "+/")
_DIGITS32 = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789abcdefghijklmnopqrstuv")


@dataclass(frozen=True, slots=True)
class Decoded:
    """``source(start, end)``: where the characters ``start`` to ``end`` of ``text`` stood, as (start, end)."""

    text: str
    encoding: str
    source: Callable[[int, int], tuple[int, int]]


def unescaped(text: str) -> Decoded | None:
    """``text`` without the escapes of addresses, HTML, JSON and UTF-16; None where it has none."""
    encoding = next((name for mark, name in _MARKS if mark in text), None)
    if encoding is None:
        return None
    parts: list[str] = []
    starts: list[
        tuple[int, int, int]
    ] = []  # where a part begins here, where in the source, its length there when escaped
    done = length = 0
    for match in _ESCAPED.finditer(text):
        begin, end = match.span()
        if begin > done:
            starts.append((length, done, 0))
            parts.append(text[done:begin])
            length += begin - done
        if (plain := _plain(match.group())) != "":
            starts.append((length, begin, end - begin))
            parts.append(plain)
            length += len(plain)
        done = end
    if done == 0:
        return None
    starts.append((length, done, 0))
    parts.append(text[done:])

    def source(start: int, end: int) -> tuple[int, int]:
        here, there, escaped = starts[bisect_right(starts, (start, len(text), 0)) - 1]
        begin = there if escaped else there + start - here
        here, there, escaped = starts[bisect_right(starts, (end - 1, len(text), 0)) - 1]
        return begin, there + (escaped or end - here)

    return Decoded("".join(parts), encoding, source)


def _plain(escape: str) -> str:
    if escape[0] == "%":
        return chr(int(escape[1:], 16))
    if escape[0] == "&":
        return html.unescape(escape)
    if escape == "\0":
        return ""
    if escape[1] in "01":
        return chr(int(escape[1:], 8))
    return chr(int(escape[2:].strip("{}"), 16)) if escape[1] in "ux" else escape[1]


def decodings(text: str) -> Iterable[Decoded]:
    """Readable texts that stand in base64, hex and base32 within ``text``, at any alignment."""
    return _remembered(text) if len(text) <= _REMEMBERED else _decodings(text)


@lru_cache(maxsize=4_096)
def _remembered(text: str) -> tuple[Decoded, ...]:
    return tuple(_decodings(text))


def _decodings(text: str) -> Iterator[Decoded]:
    for run in _BASE64.finditer(text):
        yield from _base64(run.group(), run.start())
    for run in _HEX.finditer(text):
        yield from _hex(run.group(), run.start())
    for run in _BASE32.finditer(text):
        yield from _base32(run.group(), run.start())


def dumped(text: str) -> Iterator[Decoded]:
    """Readable texts that stand in ``text`` as bytes in hex, one apart from the other."""
    if max(text.count(" "), text.count(":")) < ENCODED_PART - 1:
        return  # which most texts are, and costs a tenth of the search
    for run in _HEX_APART.finditer(text):
        data = bytes.fromhex(run.group().replace(run[1], ""))
        yield from _readable(data, "hex", run.start(), 24, 8, gap=1)


def _base64(run: str, base: int) -> Iterator[Decoded]:
    whole = run.translate(_URLSAFE)
    for lead in range(4):
        length = len(whole) - lead
        length -= length % 4 == 1
        data = binascii.a2b_base64(whole[lead : lead + length] + "=" * (-length % 4))
        yield from _readable(data, "base64", base + lead, 8, 6)
        if not lead and run.startswith(_PACKED):
            yield from _packed(data, base, base + len(run))


def _packed(data: bytes, begin: int, end: int) -> Iterator[Decoded]:
    """What was packed has no place of its own: it stands in all of the run."""
    try:
        text = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(data, _MOST_UNPACKED).decode("latin-1")
    except zlib.error:
        return

    def source(_start: int, _end: int) -> tuple[int, int]:
        return begin, end

    # As one text: word by word, a page of small packed runs would take seconds.
    yield Decoded(text, "zlib", source)


def _hex(run: str, base: int) -> Iterator[Decoded]:
    for lead in range(2):
        length = (len(run) - lead) // 2 * 2
        yield from _readable(bytes.fromhex(run[lead : lead + length]), "hex", base + lead, 8, 4)


def _base32(run: str, base: int) -> Iterator[Decoded]:
    value, bits = int(run.upper().translate(_DIGITS32), 32), 5 * len(run)
    for shift in range(8):
        size = (bits - shift) // 8
        data = (value >> (bits - shift - 8 * size)) & ((1 << 8 * size) - 1)
        yield from _readable(data.to_bytes(size, "big"), "base32", base, 8, 5, shift)


def _readable(
    data: bytes, encoding: str, base: int, whole: int, each: int, shift: int = 0, gap: int = 0
) -> Iterator[Decoded]:
    """``each``: bits that one character of the encoded text holds. ``shift``: bits before the first byte. ``gap``: characters at the end of
    each byte's that are none of its digits."""
    for match in _READABLE.finditer(data.decode("latin-1")):
        first = match.start()

        def source(start: int, end: int, first: int = first) -> tuple[int, int]:
            low, high = shift + whole * (first + start), shift + whole * (first + end)
            return base + low // each, base - (-high // each) - gap

        yield Decoded(match.group(), encoding, source)
