"""Answers with an end: what an integration, a hosted page or a sandbox sends is read up to a bound, whatever it sends."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx

READ_LIMIT = 1024 * 1024
"""Bytes of a body, unpacked, that are read; the connection is then closed."""
ACCEPTED = "gzip, deflate"
"""Codings that are unpacked piece by piece, so that a small answer cannot become a large one."""
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,100}charset=[\"']?([\w.:-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReadBody:
    """What was read of a body. ``size``: bytes of the whole, as far as known. ``problem``: why it is not the whole; empty when it is."""

    text: str
    size: int
    problem: str = ""


async def read(answer: httpx.Response, limit: int = READ_LIMIT) -> ReadBody:
    """Read a streamed answer, and close it.

    Raises:
        httpx.HTTPError: the connection broke, or the coding is not what it says.
    """
    out, cut = await content(answer, limit)
    kind = answer.headers.get("content-type", "")
    if not cut:
        return ReadBody(_text(out, kind), len(out))
    declared = answer.headers.get("content-length", "")
    plain = "content-encoding" not in answer.headers or answer.is_stream_consumed
    whole = int(declared) if declared.isdecimal() and len(declared) < 16 and plain else 0
    problem = f"cut after the first {limit:,} bytes" + (f" of {whole:,}" if whole > limit else "; there is more")
    return ReadBody(_text(out[:limit], kind), max(whole, len(out)), problem)


async def content(answer: httpx.Response, limit: int) -> tuple[bytes, bool]:
    """What a streamed answer holds, unpacked, and whether there is more than ``limit`` of it; closes the answer.

    Raises:
        httpx.HTTPError: as for ``read``.
    """
    out, travelled, cut = bytearray(), 0, False
    # One that is consumed was made in this process, and has been unpacked.
    coding = "" if answer.is_stream_consumed else answer.headers.get("content-encoding", "").strip().lower()
    unpack = _unpacker(coding, answer.request)
    try:
        async for chunk in _chunks(answer):
            travelled += len(chunk)
            out += unpack(chunk, limit + 1 - len(out))
            if len(out) > limit or travelled > limit:
                cut = True
                break
    finally:
        await answer.aclose()
    return bytes(out), cut


async def _chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    if answer.is_stream_consumed:
        yield answer.content
        return
    async for chunk in answer.aiter_raw():
        yield chunk


def _unpacker(coding: str, request: httpx.Request) -> Callable[[bytes, int], bytes]:
    """(chunk, bytes wanted at most) -> unpacked."""
    if coding not in ("gzip", "x-gzip", "deflate"):
        return lambda chunk, _room: chunk
    state = zlib.decompressobj(zlib.MAX_WBITS | 32 if coding != "deflate" else zlib.MAX_WBITS)
    fresh = True

    def unpack(chunk: bytes, room: int) -> bytes:
        nonlocal state, fresh
        try:
            return state.decompress(chunk, max(room, 1))
        except zlib.error as error:
            if not fresh or coding != "deflate":
                raise httpx.DecodingError(str(error), request=request) from None
            state = zlib.decompressobj(-zlib.MAX_WBITS)  # without its header, as some servers send it
            return state.decompress(chunk, max(room, 1))
        finally:
            fresh = False

    return unpack


def _text(content: bytes, kind: str) -> str:
    named = _CHARSET.search(kind)
    charset = named[1] if named else ""
    if not charset and (meta := _META.search(content[:2048])):
        charset = meta[1].decode("ascii", "replace")
    try:
        return content.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")
