"""A call as the bytes that passed, which becomes the journal's ``Call`` when somebody reads it."""

from __future__ import annotations

import marshal
from dataclasses import replace
from typing import Literal

from payproof.contracts.entries import BODY_LIMIT, Call, Request, Response
from payproof.contracts.events import AnyEvent, Unknown
from payproof.contracts.pending import Pending
from payproof.contracts.profile import Profile
from payproof.contracts.redaction import secret_fields
from payproof.contracts.redaction.secrets import Redactor
from payproof.simulator.exchange import Ending, Exchange, address_of, texts_of, url_of

_OF_AN_ENTRY, _OF_A_HEADER = 2_000, 170
"""Bytes that the objects of a written entry take besides its texts, about."""


class NotedCall(Pending):
    """``ended``: seconds since the run began."""

    __slots__ = ("_asked", "_bytes", "_profile", "_weight")

    def __init__(
        self, exchange: Exchange, profile: Profile, ended: float, ending: Ending | Literal["answered"]
    ) -> None:
        self._profile, self._asked = profile, exchange.asked
        scope = exchange.scope
        asked = scope["headers"]
        status, answered, content, size = _answer(exchange)
        # One object without references: compact, nothing for the collector to look through, and cheap to let go of.
        self._bytes = marshal.dumps(
            (
                exchange.began, ended, ending, exchange.nth, exchange.fault, scope["method"], address_of(exchange), asked, exchange.body,
                status, answered, content, size,
            )
        )  # fmt: skip
        self._weight = len(self._bytes) + _OF_AN_ENTRY + _OF_A_HEADER * (len(asked) + len(answered))

    def entry(self) -> Call:
        began, ended, ending, nth, fault, method, address, asked, body, status, answered, content, size = marshal.loads(
            self._bytes
        )
        request = Request(
            method=method, url=url_of(*address), headers=texts_of(asked), body=body.decode("utf-8", "replace")
        )
        response: Response | None = None
        if status is not None:
            text = content.decode("utf-8", "replace")
            response = Response(status=status, headers=texts_of(answered), body=text, size=size)
        return Call(
            began=began,
            ended=ended,
            ending=ending,
            secure=address[0] == "https",
            nth=nth,
            event=self._event(request, response),
            request=_cut_request(request),
            response=_cut_response(response),
            fault=fault,
        )

    def size(self) -> int:
        return self._weight

    def teach(self, redactor: Redactor) -> None:
        """What an answer holds that went well, the gateway minted itself, and the redactor was told."""
        fault, _, address, asked, body, status = marshal.loads(self._bytes)[4:10]
        well = status is not None and status < 400 and not fault
        if well and not secret_fields.has_news(redactor, asked, (address[3], body)):
            return
        if not redactor.empty:
            secret_fields.learn_call(redactor, self.entry())

    def _event(self, request: Request, response: Response | None) -> AnyEvent:
        """What was said; nothing where even the address cannot be read. The call itself is recorded in any case."""
        try:
            if self._asked is not None and self._profile.read_answer is not None:
                return self._profile.read_answer(self._asked, response)
            return self._profile.read(request, response)
        except (ValueError, RecursionError):
            return Unknown()


def _answer(exchange: Exchange) -> tuple[int | None, list[tuple[bytes, bytes]], bytes, int]:
    """(status, headers, body as far as it is kept, its size); without a status nothing was answered."""
    if exchange.start is not None:
        content = b"".join(exchange.chunks)
        return exchange.start["status"], list(exchange.start.get("headers", ())), content, exchange.size
    if (written := exchange.written) is not None:
        return written.answer.status_code, list(written.answer.raw_headers), bytes(written.body), written.size
    return None, [], b"", 0


def _cut_request(request: Request) -> Request:
    return request if len(request.body) <= BODY_LIMIT else replace(request, body=request.body[:BODY_LIMIT])


def _cut_response(response: Response | None) -> Response | None:
    if response is None or len(response.body) <= BODY_LIMIT:
        return response
    return replace(response, body=response.body[:BODY_LIMIT])
