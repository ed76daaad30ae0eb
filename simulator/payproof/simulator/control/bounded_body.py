"""The body of a request to the control port, read whole and never longer than it may be."""

from __future__ import annotations

from starlette.types import Message, Receive

LARGEST_BODY = 1024 * 1024
"""Bytes of a request body; nothing that the control application takes is longer."""


async def bounded(receive: Receive) -> bytes | None:
    """The request's body; None as soon as it is too long. What a client that left had sent is what it sent."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def replayed(body: bytes, receive: Receive) -> Receive:
    """``receive`` once more from the body on."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
