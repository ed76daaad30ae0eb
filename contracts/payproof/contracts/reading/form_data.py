"""The fields of a form that somebody sent, in a body or in a query: read within bounds, whatever it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from email.message import Message

MOST_FIELDS = 1_000
"""Fields of a form that are read: PHP's own limit (max_input_vars)."""
LONGEST_HEAD = 8 * 1024
"""Bytes of a part's headers that are read."""


def pairs(text: str) -> list[tuple[str, str]]:
    """(name, value) of a URL-encoded form or query, in their order, repeated names kept."""
    return parse_qsl("&".join(text.split("&", MOST_FIELDS)[:MOST_FIELDS]), keep_blank_values=True)


def multipart(content_type: str, raw: bytes) -> dict[str, str] | None:
    """The fields of a multipart form, files left out; None where it is none. A part is a field whatever it says it holds:
    forms are flat. ``content_type``: the whole header, with the boundary."""
    boundary = _headers(f"Content-Type: {content_type}".encode("latin-1", "replace")).get_boundary()
    mark = f"\r\n--{boundary}".encode("latin-1", "replace")
    parts = (b"\r\n" + raw).split(mark, MOST_FIELDS + 1)[1 : MOST_FIELDS + 1]
    if not boundary or not parts:
        return None
    found: dict[str, str] = {}
    for part in parts:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = _headers(head)
        name = headers.get_param("name", header="content-disposition")
        if isinstance(name, str) and headers.get_filename() is None:
            found[name] = content.decode("utf-8", "replace")
    return found


def _headers(raw: bytes) -> Message:
    from email.parser import BytesParser  # here, because few ever send such a form
    from email.policy import compat32

    return BytesParser(policy=compat32).parsebytes(raw[:LONGEST_HEAD], headersonly=True)
