"""After a trial that did not end in a paid order: one answer of ``payproof init`` is given anew."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from payproof.contracts.model import PayproofError
from payproof.suites.commands.options import pairs
from payproof.suites.commands.prompting import prompt, split
from payproof.suites.commands.short_forms import BODY, Flags, fields_of, tables
from payproof.suites.config import make_config

Tables = dict[str, Any]


def corrected(data: Tables) -> Tables | None:
    """The draft with one answer changed; None when it stays as it is."""
    what = prompt(
        "correct", f"Correct one of {', '.join(_CHANGES)}, and try again? Enter: no", "", _is_known, needed=False
    )
    if not what:
        return None
    changed: list[Tables] = []

    def take(text: str) -> None:
        changed[:] = [_merged(data, _CHANGES[what](text))]
        make_config(changed[0], folder=Path.cwd(), place="your answer", environ={})

    prompt("variable" if what == "env" else what, f"  {what}", _now(data["integration"], what), take)
    return changed[0]


def _is_known(text: str) -> None:
    if text and text not in _CHANGES:
        raise PayproofError(f'"{text}" is none of them', remedy=f"answer {', '.join(_CHANGES)}, or nothing")


def _recipe(**given: Any) -> Tables:
    return dict(tables(Flags(**given), defaults=False)["integration"])


def _body(text: str) -> Tables:
    """``json`` and ``form`` stand for the usual fields. The kind that it was before goes."""
    if form := fields_of(text):
        return {"checkout": {"form": pairs(form, "form"), "json": None}}
    sent = dict(BODY) if text == "json" else _recipe(json=text)["checkout"]["json"]
    return {"checkout": {"json": sent, "form": None}}


_CHANGES: dict[str, Callable[[str], Tables]] = {
    "command": lambda text: {"command": split(text)},
    "ready": lambda text: {"ready": text},
    "checkout": lambda text: _recipe(checkout=text),
    "body": _body,
    "redirect": lambda text: _recipe(redirect=text),
    "order": lambda text: _recipe(order=text),
    "env": lambda text: {"env": pairs(split(text), "env")},
}
"""What can be answered anew -> what the answer changes within ``[integration]``."""


def _merged(data: Tables, change: Tables) -> Tables:
    integration: Tables = dict(data["integration"])
    for key, value in change.items():
        integration[key] = {**integration.get(key, {}), **value} if isinstance(value, dict) else value
    integration["checkout"] = {key: value for key, value in integration["checkout"].items() if value is not None}
    return {**data, "integration": integration}


def _asked(order: Tables) -> str:
    body = f" {json.dumps(order['json'])}" if "json" in order else ""
    return f"{order['method']} {order['path']}{body}" if "method" in order else order["path"]


def _fields(form: Tables) -> str:
    return "&".join(f"{name}={value}" for name, value in form.items()) or "form"


def _now(integration: Tables, what: str) -> str:
    """The answer as the draft has it."""
    checkout, order = integration["checkout"], integration["order"]
    answers: dict[str, str] = {
        "command": shlex.join(integration["command"]),
        "ready": integration.get("ready", "/"),
        "checkout": f"{checkout['method']} {checkout['path']}",
        "body": json.dumps(checkout["json"]) if "json" in checkout else _fields(checkout.get("form") or {}),
        "redirect": checkout.get("redirect", "location"),
        "order": f"{_asked(order)} {order['status']}={','.join(order.get('paid', ['paid']))}",
        "env": "",
    }
    return answers[what]
