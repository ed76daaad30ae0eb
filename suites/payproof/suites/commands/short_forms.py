"""The short forms of the command line for what payproof.toml says at length: ``--checkout 'POST /checkout'``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from payproof.contracts.model import PayproofError
from payproof.suites.commands.options import pairs
from payproof.suites.config.fields import METHODS

BODY = {"order_id": "{order.id}", "amount": "{order.amount}", "currency": "{order.currency}"}
"""The checkout's body when nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What was given on the command line; empty where nothing was."""

    gateway: str = ""
    name: str = ""
    url: str = ""
    ready: str = ""
    env: Sequence[str] = ()
    checkout: str = ""
    form: Sequence[str] = ()
    json: str = ""
    redirect: str = ""
    order: str = ""
    within: float | None = None
    command: Sequence[str] = ()

    @property
    def whole(self) -> bool:
        """They describe an integration without a file."""
        return bool(self.command or self.checkout or self.order)


def fields_of(body: str) -> tuple[str, ...]:
    """The fields of a form, by the answer to how an order is sent: ``form`` for the usual ones, or ``id={order.id}&sum=...``; none
    where it is sent as JSON.

    Raises:
        PayproofError: it is none of these.
    """
    if body == "json" or body.startswith("{"):
        return ()
    if body == "form":
        return tuple(f"{name}={value}" for name, value in BODY.items())
    if "=" not in body:
        raise PayproofError(
            f'"{body}" is neither json nor form',
            remedy="answer json or form, or write the JSON object, or the form's fields: id={order.id}&sum={order.amount}",
        )
    return tuple(body.split("&"))


def tables(flags: Flags, *, defaults: bool) -> dict[str, Any]:
    """The flags as tables of payproof.toml. ``defaults``: fill in what a checkout without a file needs.

    Raises:
        PayproofError: a flag that is not written as it should be.
    """
    integration: dict[str, Any] = {"name": flags.name, "url": flags.url, "ready": flags.ready}
    integration["command"] = list(flags.command)
    integration["env"] = pairs(flags.env, "--env")
    integration["checkout"] = _checkout(flags, defaults=defaults)
    integration["order"] = {**(_order(flags.order) if flags.order else {})}
    if flags.within is not None:
        integration["order"]["within"] = flags.within
    given = {key: value for key, value in integration.items() if value}
    return ({"gateway": flags.gateway} if flags.gateway else {}) | ({"integration": given} if given else {})


def _checkout(flags: Flags, *, defaults: bool) -> dict[str, Any]:
    table: dict[str, Any] = {}
    if flags.checkout:
        table["method"], table["path"] = _visit(flags.checkout)
    if flags.form:
        table["form"] = pairs(flags.form, "--form")
    if flags.json:
        table["json"] = _json(flags.json)
    elif defaults and not flags.form and table.get("method") not in ("GET", "HEAD"):
        table["json"] = dict(BODY)
    if flags.redirect:
        table["redirect"] = flags.redirect
    return table


def _visit(text: str) -> tuple[str, str]:
    words = text.split(maxsplit=1)
    method, path = words if len(words) == 2 else ("POST", text)
    if method.upper() not in METHODS or not path.startswith("/"):
        raise PayproofError(
            f'"{text}" is not a method and a path', place="--checkout", remedy="write --checkout 'POST /checkout'"
        )
    return method.upper(), path


def _order(text: str) -> dict[str, Any]:
    """``/orders/{order.id} json:/status=paid``: path, pointer, the state (or states, by commas) that mean paid. Where the path is asked
    by a POST, its method and JSON stand before and behind it."""
    words = text.strip()
    method = words.partition(" ")[0].upper()
    words = words.partition(" ")[2].strip() if method in METHODS else words
    path, _, rest = words.partition(" ")
    body, rest = _body_and_rest(rest.strip())
    pointer, equals, states = rest.rpartition("=")
    if not equals or "]" in states:  # an equals sign within a CSS selector
        pointer, states = rest, ""
    if not path.startswith("/") or not pointer:
        raise PayproofError(
            f'"{text}" does not say where an order\'s state is found',
            place="--order",
            remedy="write --order '/orders/{order.id} json:/status=paid': a path, a pointer, the state that means paid; or "
            """'POST /api {"order": "{order.id}"} json:/state=paid'""",
        )
    paid = [state.strip() for state in states.split(",") if state.strip()]
    asked = ({"method": method} if method in METHODS else {}) | ({} if body is None else {"json": body})
    return {**asked, "path": path, "status": pointer, **({"paid": paid} if paid else {})}


def _body_and_rest(text: str) -> tuple[dict[str, Any] | None, str]:
    """The JSON object at the beginning, if there is one, and what stands behind it."""
    if not text.startswith("{"):
        return None, text
    try:
        body, end = json.JSONDecoder().raw_decode(text)
    except ValueError as error:
        raise PayproofError(f"not JSON: {error}", place="--order", remedy="close its braces and quotes") from None
    return body, text[end:].strip()


def _json(text: str) -> dict[str, Any]:
    problem = "not a JSON object"
    try:
        body = json.loads(text)
        if isinstance(body, dict):
            return cast(dict[str, Any], body)
    except ValueError as error:
        problem = f"not JSON: {error}"
    raise PayproofError(problem, place="--json", remedy="""write --json '{"order_id": "{order.id}"}'""")
