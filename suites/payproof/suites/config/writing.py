"""A commented payproof.toml for a new user, from a few answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from payproof.contracts.profile import Profile
from payproof.simulator.books.records import CLIENT_ID, SECRET_KEY
from payproof.suites.config import placeholders

_CONTROLS = re.compile("[\x7f-\x9f]")
NAMED = (CLIENT_ID, SECRET_KEY)
"""Credentials that have keys of their own in [simulator]."""
ORDER_PAGE = "/orders/{order.id}"
"""Where most shops show an order."""
BASICS = {"PUBLIC_URL": "{public_url}", "PORT": "{port}"}


def usual_env(profile: Profile) -> dict[str, str]:
    """What an integration usually reads from its environment; the names are the user's to change."""
    names = [name for _, text in profile.settings for name in placeholders.names(text)]
    return {f"PAY_{name.removeprefix('gateway.').upper()}": f"{{{name}}}" for name in names} | BASICS


def beforehand(profile: Profile) -> dict[str, Any]:
    """What an integration that already runs must be told before the run: an address and credentials of its own."""
    from payproof.simulator import Simulator  # here, because only this needs a gateway

    found: dict[str, Any] = {"port": 8400, "https": False}
    minted = Simulator(profile).add_merchant().credentials
    own = {each.name.replace("-", "_"): minted[each.name] for each in profile.credentials if each.name in NAMED}
    others = {each.placeholder: minted[each.name] for each in profile.credentials if each.name not in NAMED}
    return found | own | ({"credentials": others} if others else {})


def compose(data: Mapping[str, Any], profile: Profile, unset: Sequence[str] = ()) -> str:
    """The file's text. ``data`` is nested like the file; what is not in it stands there as a comment. ``unset``: further variables
    that the code reads."""
    integration: Mapping[str, Any] = data["integration"]
    checkout, order = integration["checkout"], integration["order"]
    lines = [
        "# payproof.toml: how payproof starts this integration, pays as its customer, and reads what it believes.",
        "# Try it with `payproof run`; every key is in `payproof schema`.",
        "",
        f"gateway = {toml(profile.name)}",
        "",
        "[integration]",
        *_pairs({"name": integration["name"]}),
        *_command(integration),
        *_ready(integration),
        *(_WORKERS if profile.has("authenticate") else ()),
        "",
        *_settings(integration, data.get("simulator"), unset),
        "[integration.checkout]      # the customer starts to pay",
        *_pairs(
            {key: checkout[key] for key in ("method", "path", "json", "form", "amount", "currency") if key in checkout}
        ),
        f'redirect = {toml(checkout.get("redirect", "location"))}       # or "json:/payment_url", or "html:a#pay"',
        *_given(checkout, "order_id", '# order_id = "json:/id"     # when the integration makes its own order ids'),
        *_given(checkout, "before", '# before = ["GET /cart/add/1"]   # pages that the customer opens first'),
        "",
        "[integration.order]         # what the merchant believes",
        *_pairs({key: order[key] for key in ("method", "path", "json", "status", "paid", "within") if key in order}),
        *(
            []
            if "within" in order
            else ["# within = 10               # seconds that a background verification may take"]
        ),
        '# effects = "json:/shipments"                      # a counter of fulfilments',
        '# flagged = { "json:/note" = ["double payment"] }  # how it shows that an order needs a person; or "not zero", "not empty"',
        "",
        *(_notices(asked=profile.notices.required) if profile.notices is not None else ()),
        *(REFUNDS if profile.has("refund") else ()),
        *REST,
    ]
    return "\n".join(lines) + "\n"


_WORKERS = ("# workers = 1               # processes that each keep their own access token; left out: all of them may",)
REFUNDS = [
    "# [integration.refund]        # how the merchant gives money back",
    '# path = "/orders/{order.id}/refunds"',
    '# json = { amount = "{refund.amount}" }',
    "",
]
REST = """\
# [integration.logs]          # stdout and stderr are always read
# files = ["logs/*.log"]

# [integration.source]        # for what is read off the code
# paths    = ["."]
# frontend = ["static"]

# [integration.alerts]        # for the alert drill
# webhook_env = "ALERT_WEBHOOK_URL"   # or log_level = "ERROR"

# [[attest]]                  # what no machine can see
# item  = "monitoring"
# by    = "name of a person"
# on    = 2026-11-20
# until = 2027-02-20
# note  = "on-call alert, tried on the staging site"\
""".splitlines()


def _notices(*, asked: bool) -> Iterator[str]:
    why = "; the gateway's guidance asks for it" if asked else ""
    yield f"# [integration.webhook]       # where the gateway's notices arrive, below the public address{why}"
    yield '# path = "/webhooks"'
    yield ""


def _settings(
    integration: Mapping[str, Any], simulator: Mapping[str, Any] | None, unset: Sequence[str]
) -> Iterator[str]:
    """What the integration must be told: by its environment, or beforehand when it already runs."""
    if simulator:
        yield "[simulator]                 # it already runs: start it with this address and these credentials"
        yield from _pairs(simulator)
    else:
        yield "[integration.env]           # how this integration takes its settings"
        yield from _pairs(integration.get("env", {}))
        if unset:
            yield f"# The code also reads {', '.join(unset)}: add what it needs; {{instance.dir}} is a fresh folder."
    yield ""


def _command(integration: Mapping[str, Any]) -> Iterator[str]:
    command: Sequence[str] = integration.get("command", ())
    if command:
        yield f"command = {toml(list(command))}      # started in this file's folder"
        yield f"url = {toml(integration.get('url', 'http://127.0.0.1:{port}'))}   # {{port}}: a free port"
        if hosts := integration.get("gateway_hosts"):
            yield f"gateway_hosts = {toml(hosts)}   # they stand in its code, and are led to the run's gateway"
    else:
        yield '# command = ["python", "app.py"]   # left out: it already runs at url'
        yield f"url = {toml(integration['url'])}"


def _ready(integration: Mapping[str, Any]) -> Iterator[str]:
    yield f"ready = {toml(integration.get('ready', '/'))}                 # asked until it answers anything at all"


def _given(table: Mapping[str, Any], key: str, comment: str) -> Iterator[str]:
    """A key that is there, or a comment that tells of it."""
    yield f"{key} = {toml(table[key])}" if key in table else comment


def _pairs(table: Mapping[str, Any]) -> Iterator[str]:
    width = max((len(_key(key)) for key in table), default=0)
    return (f"{_key(key):<{width}} = {toml(value)}" for key, value in table.items())


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml(key)


def toml(value: Any) -> str:
    """A value as TOML writes it, on one line."""
    if isinstance(value, str):
        # JSON's escapes are TOML's too, but for what else steers a terminal: TOML wants DEL escaped, and who prints a file the rest.
        return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
    if isinstance(value, Mapping):
        table = cast(Mapping[str, Any], value)
        return (
            "{ " + ", ".join(f"{_key(key)} = {toml(inner)}" for key, inner in table.items()) + " }" if table else "{}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(inner) for inner in cast(Sequence[Any], value)) + "]"
    if value is None:
        raise ValueError("TOML has no null: leave the key out")
    return json.dumps(value)
