"""The contract's document made ready for one server: its credentials and currencies in place of hints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from payproof.contracts.contract import Contract, Node
from payproof.contracts.model import Json
from payproof.suites.conformance.contract.where import Where

_ADDRESS = r"^https://[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\.example(:[1-9][0-9]{1,3})?(/[a-zA-Z0-9._~/-]{0,40}(\?[a-z]{1,8}=[a-z0-9-]{0,8})?)?$"
"""Addresses that every server takes for one. What else is one, is not for this suite to say."""
_AMOUNT = "^[1-9][0-9]{0,5}$"
"""Amounts, as texts, that every server takes in each of its currencies: some have no decimals."""
_LEFT_OUT = ("multipart/form-data",)
"""Media types that generators write in ways of their own; JSON and forms hold the same fields."""


def prepared(where: Where) -> Contract:
    """The gateway's contract with this server's own values: what fits it, the server has to take."""
    whole = cast(Json, Contract(where.profile.name).document)
    hints: dict[str, Mapping[str, Json]] = {
        "client_id": {"enum": [where.client_id]},
        "secret_key": {"enum": [where.secret_key]},
        "currencies": {"enum": list(where.currencies)},
        "address": {"pattern": _ADDRESS, "format": None},
        "amount": {"pattern": _AMOUNT},
    }
    if where.rate == 0:
        hints["limit"] = {"const": None}  # a server of our own is asked more than its platform's limit allows
    words = {"<client-id>": where.client_id, "<secret-key>": where.secret_key}
    document = cast("dict[str, Any]", _filled(whole, hints, words))
    document["servers"] = [{"url": where.path}]
    return Contract(where.profile.name, base=where.path, document=document)


def _filled(node: Json, hints: Mapping[str, Mapping[str, Json]], words: Mapping[str, str]) -> Json:
    if isinstance(node, list):
        return [_filled(each, hints, words) for each in node]
    if not isinstance(node, dict):
        return words.get(node, node) if isinstance(node, str) else node
    kept = {key: value for key, value in node.items() if key not in _LEFT_OUT and not _is_open(value)}
    found = {key: _filled(value, hints, words) for key, value in kept.items()}
    found |= hints.get(str(node.get("x-suite", "")), {})
    return {key: value for key, value in found.items() if value is not None or key == "value" or _is_example(node)}


def _is_open(node: Json) -> bool:
    """Whether this is an example of which the contract does not say what answers it."""
    return isinstance(node, dict) and bool(node.get("x-open"))


def _is_example(table: Node) -> bool:
    """Examples and constants hold null as a value; schemas and operations never do."""
    return not any(key in table for key in ("type", "schema", "openapi", "responses"))
