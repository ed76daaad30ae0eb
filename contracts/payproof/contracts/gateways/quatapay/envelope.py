"""The family's envelope as rules of its own, beside the schemas of openapi.yaml (gateway-facts 3.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from payproof.contracts.entries import Response
from payproof.contracts.model import Json


def broken(response: Response) -> Iterator[str]:
    """In what an answer of the API breaks the envelope's rules, in words; nothing for one that keeps them."""
    try:
        found: Any = json.loads(response.body)
    except (ValueError, RecursionError):
        yield "the body is not JSON"
        return
    if not isinstance(found, dict):
        yield "the body is not an object"
        return
    body = cast("dict[str, Any]", found)
    failed = response.status >= 400
    message: Any = body.get("message")
    if not isinstance(message, dict):
        yield "message is not an object"
    else:
        texts_of_message = cast("dict[str, Any]", message)
        if texts_of_message.get("code") != response.status:
            yield f"message.code is {texts_of_message.get('code')!r}, the HTTP status is {response.status}"
        texts: Any = texts_of_message.get("error" if failed else "success")
        if not _is_texts(texts):
            yield f"message.{'error' if failed else 'success'} is not a list of texts"
    if failed and body.get("data") != []:
        yield "data is not an empty list, although it failed"
    if not failed and not isinstance(body.get("data"), dict):
        yield "data is not an object, although it went well"
    if body.get("type") != ("error" if failed else "success"):
        yield f"type is {body.get('type')!r}"


def _is_texts(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, str) for entry in value)
