"""What holds between keys, and between the file and the gateway's profile."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path, PurePath

from payproof.contracts.files import special
from payproof.contracts.former_ids import current
from payproof.contracts.model import Json, PayproofError
from payproof.contracts.profile import Profile
from payproof.simulator.books.records import CLIENT_ID
from payproof.suites.config import placeholders
from payproof.suites.config.models import Config, Integration
from payproof.suites.config.problems import ConfigProblem


def problems_of(config: Config) -> list[ConfigProblem]:
    """Everything that single keys cannot tell.

    Raises:
        PayproofError: a live gateway or a live key, alone: nothing else matters then.
    """
    try:
        gateway = config.profile
    except PayproofError as error:
        return [ConfigProblem(("gateway",), error.message, error.remedy), *_recipe(config.integration)]
    _refuse_live(config, gateway)
    return [
        *_recipe(config.integration),
        *_placeholders(config.integration, gateway),
        *_names(config, gateway),
        *_client_ids(config, gateway),
        *_files(config),
        *_hosts(config),
    ]


def _recipe(integration: Integration) -> Iterator[ConfigProblem]:
    """Without a driver, the recipe must say how to check out and how to read an order."""
    here = "integration"
    if not integration.command and "{port}" in integration.url:
        yield ConfigProblem(
            (here, "command"),
            "is missing, and without it the integration must already run at a fixed url",
            'write command = ["python", "app.py"], or url = "http://127.0.0.1:8000"',
        )
    if integration.driver:
        return
    if not integration.ready:
        yield ConfigProblem(
            (here, "ready"), "is empty, and an integration that listens on no port needs a driver", 'write ready = "/"'
        )
    example = "or bring a driver that does it"
    if not integration.checkout.path:
        yield ConfigProblem((here, "checkout", "path"), "is needed and missing", f'like "/checkout", {example}')
    if not integration.order.path:
        yield ConfigProblem((here, "order", "path"), "is needed and missing", f'like "/orders/{{order.id}}", {example}')
    if not integration.order.status:
        yield ConfigProblem((here, "order", "status"), "is needed and missing", f'like "json:/status", {example}')


def _hosts(config: Config) -> Iterator[ConfigProblem]:
    """Who is to be taken for the gateway's host needs a certificate of that name, and a client that was told to trust it."""
    if not config.integration.gateway_hosts:
        return
    place = ("integration", "gateway_hosts")
    if not config.integration.command:
        yield ConfigProblem(place, "works only for an integration that payproof starts", "write its command, too")
    elif not config.simulator.https:
        yield ConfigProblem(place, "needs the gateway over TLS", "leave https = false out")


def _files(config: Config) -> Iterator[ConfigProblem]:
    """What is read and shown lies below the file's own folder: a configuration may come with a stranger's change."""
    logs, source = config.integration.logs, config.integration.source
    for key, field, texts in (
        ("logs", "files", logs.files),
        ("source", "paths", source.paths),
        ("source", "frontend", source.frontend),
    ):
        for n, text in enumerate(texts):
            if _leads_out(text, config.folder):
                instance = " or below {instance.dir}" if key == "logs" else ""
                yield ConfigProblem(
                    ("integration", key, field, str(n)),
                    f'"{text}" leads out of the folder of this file',
                    f"write a path below that folder{instance}; links out of it are not followed",
                )
    if config.sandbox and config.sandbox.ca and special(config.folder / config.sandbox.ca):
        yield ConfigProblem(("sandbox", "ca"), "is not a regular file", "name a PEM file")
    if config.cassettes.path and special(config.folder / config.cassettes.path):
        yield ConfigProblem(
            ("cassettes", "path"), "is not a regular file", "name a recording, like cassettes/quatapay.yaml"
        )


def _leads_out(text: str, folder: Path) -> bool:
    below = text.removeprefix("{instance.dir}/")
    if "\0" in text or ".." in PurePath(below).parts or (below == text and text.startswith("{instance.dir}..")):
        return True
    if below != text:
        return PurePath(below).is_absolute()
    if PurePath(text).is_absolute() and not PurePath(os.path.normpath(text)).is_relative_to(folder):
        return True
    there = folder / text
    try:
        return there.exists() and not there.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        return True


def _names(config: Config, gateway: Profile) -> Iterator[ConfigProblem]:
    """Names that the profile must know."""
    requirements = gateway.checklist.all_requirements()
    items = [item.id for item in (*gateway.checklist.golive, *gateway.checklist.guidelines)]
    for name in config.simulator.knobs:
        yield from known_name(("simulator", "knobs", name), name, gateway.knobs, f"knob of {gateway.name}")
    for n, attest in enumerate(config.attest):
        yield from known_name(
            ("attest", str(n), "item"), attest.item, [*items, *requirements], "checklist item or requirement"
        )
    for n, entry in enumerate(config.baseline):
        yield from known_name(("baseline", str(n), "check"), entry.check, requirements, "requirement")
    if config.integration.webhook is not None and gateway.notices is None:
        yield ConfigProblem(
            ("integration", "webhook"),
            f"{gateway.name} sends no notices, so nothing would arrive there",
            "leave [integration.webhook] out, or choose the gateway that sends them",
        )
    if config.integration.refund is not None and not gateway.has("refund"):
        yield ConfigProblem(
            ("integration", "refund"),
            f"payproof knows no refunds of {gateway.name}, so nothing would be given back",
            "leave [integration.refund] out",
        )
    for currency in config.currencies:
        yield from known_name(
            ("integration", "checkout", "currencies"), currency, gateway.currencies, f"currency of {gateway.name}"
        )


def _client_ids(config: Config, gateway: Profile) -> Iterator[ConfigProblem]:
    """A client id stands where the gateway has one, and nowhere else."""
    has, sandbox = any(each.name == CLIENT_ID for each in gateway.credentials), config.sandbox
    needed: dict[tuple[str, ...], str] = {}
    if sandbox is not None:
        needed[("sandbox", "client_id")] = sandbox.client_id
    if sandbox is not None and sandbox.other is not None:
        needed[("sandbox", "other", "client_id")] = sandbox.other.client_id
    for path, value in needed.items():
        if has and not value:
            yield ConfigProblem(path, "is needed and missing", "give that of your account at the gateway's sandbox")
    for path, value in {**needed, ("simulator", "client_id"): config.simulator.client_id or ""}.items():
        if value and not has:
            yield ConfigProblem(path, f"{gateway.name} has no client id", "leave it out")
    for name in config.simulator.credentials:
        known = [each.placeholder for each in gateway.credentials]
        yield from known_name(("simulator", "credentials", name), name, known, f"credential of {gateway.name}")


def known_name(path: tuple[str, ...], name: str, known: Iterable[str], what: str) -> Iterator[ConfigProblem]:
    """A problem where a name is not known, with the nearest that is."""
    names = sorted(known)
    if name in names or current(name) in names:
        return
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    some = ", ".join(names) if len(names) < 30 else "see `payproof list checks`"
    yield ConfigProblem(path, f'"{name}" is no {what}', f'did you mean "{near[0]}"?' if near else f"known: {some}")


def _refuse_live(config: Config, gateway: Profile) -> None:
    """No override: payproof makes things go wrong on purpose, and must never do so with real money."""
    texts: dict[str, str] = {}
    if config.sandbox:
        # ``pages`` are hosts: which of their pages are live is judged when one is opened.
        dumped = _texts(("sandbox",), config.sandbox.model_dump(mode="json", exclude={"pages"}))
        texts |= {".".join(path): text for path, text in dumped}
    texts |= {f"integration.env.{key}": value for key, value in config.integration.env.items()}
    texts |= {f"integration.command.{n}": value for n, value in enumerate(config.integration.command)}
    texts |= {"integration.url": config.integration.url}
    texts |= {
        f"integration.gateway_hosts.{n}": f"https://{name}" for n, name in enumerate(config.integration.gateway_hosts)
    }
    texts |= {
        "simulator.client_id": config.simulator.client_id or "",
        "simulator.secret_key": config.simulator.secret_key or "",
    } | {f"simulator.credentials.{name}": value for name, value in config.simulator.credentials.items()}
    for place, text in texts.items():
        if text and (gateway.is_live(text, "") or gateway.is_live("", text)):
            raise PayproofError(
                "this is a live gateway or a live key; payproof refuses it, there is no override",
                place=place,
                remedy="use the sandbox, or {gateway.base_url} and its companions for the simulator",
            )


def _placeholders(integration: Integration, gateway: Profile) -> Iterator[ConfigProblem]:
    extra = [f"gateway.{each.placeholder}" for each in gateway.credentials]
    instance = {*placeholders.INSTANCE, *placeholders.GATEWAY, *extra}
    order = instance | set(placeholders.ORDER)
    checkout = order | {"csrf"} if integration.checkout.csrf else order
    known = {"checkout": checkout, "refund": instance | set(placeholders.REFUND)}
    for path, text in _texts(("integration",), _launched(integration)):
        yield from _placed(path, text, instance)
    for path, text in _texts(("integration",), _visited(integration)):
        yield from _placed(path, text, known.get(path[1], order))


def _launched(integration: Integration) -> Mapping[str, Json]:
    everything: Mapping[str, Json] = integration.model_dump(mode="json", by_alias=True)
    return {key: everything[key] for key in ("command", "env", "url", "logs", "source", "webhook")}


def _visited(integration: Integration) -> Mapping[str, Json]:
    everything = integration.model_dump(mode="json", by_alias=True)
    checkout = {key: everything["checkout"][key] for key in ("path", "json", "form", "headers", "before")}
    order = {key: everything["order"][key] for key in ("path", "json", "headers")}
    return {"checkout": checkout, "order": order, "refund": everything["refund"]}


def _placed(path: tuple[str, ...], text: str, known: Collection[str]) -> Iterator[ConfigProblem]:
    for name in placeholders.names(text):
        if name in known:
            continue
        if name in placeholders.ORDER:
            yield ConfigProblem(
                path, f"{{{name}}} is not known here", "the integration starts before there is an order"
            )
        else:
            yield ConfigProblem(path, *placeholders.unknown(name, known))


def _texts(path: tuple[str, ...], data: Json | Mapping[str, Json]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from _texts((*path, key), value)
    elif isinstance(data, list):
        for n, value in enumerate(data):
            yield from _texts((*path, str(n)), value)
