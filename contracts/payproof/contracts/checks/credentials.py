"""Credentials stay on the server, come from the environment, can be replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from payproof.contracts.entries import Call, Entry, Page, SourceSeen
from payproof.contracts.events import ACCESS_TOKEN
from payproof.contracts.judging.requirements import Case, must, should
from payproof.contracts.model import Finding
from payproof.contracts.profile import Profile
from payproof.contracts.run import RecordedWorld


def _not_for_customers(profile: Profile) -> tuple[str, ...]:
    """What the placeholders of the credentials begin with that a customer must not get: all but publishable ones."""
    names = [each.name for each in profile.credentials if each.kind != "publishable"]
    return tuple(f"<{name}-" for name in (ACCESS_TOKEN, *names))


def _held(page: Page) -> str:
    """The answer's bytes as one text; what the customer sent themselves is not the shop's doing."""
    assert page.response
    return "\n".join((page.response.body, *(f"{name}: {value}" for name, value in page.response.headers)))


@must("credentials.not-served", before_control=True)
def not_served(case: Case) -> Iterator[Finding]:
    """Nothing that the customer receives holds a secret, an access token or the merchant's id.

    Why: whoever has them acts as the merchant.

    Judged: on every page, script, header, cookie and redirect of every probe, and on the addresses that create calls give the
    gateway to send the customer to; plain, URL-encoded, base64, hex, and any part of twelve characters or more. A masked id
    is fine, and so is a secret of the integration's own.

    Fix: keep credentials in server-side code; send the browser the payment address only.
    """
    looked = cut = 0
    marks = _not_for_customers(case.profile)
    for world in case.run.worlds:
        for entry, place, text in _given_away(world):
            looked += 1
            cut += isinstance(entry, Page) and entry.problem.startswith("cut after")
            found = [mark.strip("<-") for mark in marks if mark in text]
            if found:
                what = ", ".join(name.replace("-", " ") for name in found)
                yield case.failed(
                    f"the customer was sent the {what} ({place.partition(' ')[0]})",
                    expected={"credentials on the page": []},
                    actual={"credentials on the page": [*found], "where": place},
                    world=world,
                    seen=[entry],
                )
                return
    if looked:
        part = f"; {cut} of them were too long, and only their first part was read" if cut else ""
        yield case.passed(
            f"{looked} answers and addresses for the customer hold no credential{part}", actual={"looked at": looked}
        )


def _given_away(world: RecordedWorld) -> Iterator[tuple[Entry, str, str]]:
    """(entry, where it is, text) of all that the customer gets: what the shop answers, and the addresses that the gateway
    sends them to on its behalf."""
    for entry in world.entries:
        if isinstance(entry, Page) and entry.where == "integration" and entry.response is not None:
            yield entry, f"page {entry.request.url}", _held(entry)
        elif isinstance(entry, Call) and entry.role == "open":
            for name, address in (("return_url", entry.opened.return_url), ("cancel_url", entry.opened.cancel_url)):
                if address:
                    yield entry, f"{name} {address}", address


def _static(case: Case, area: Literal["source", "frontend"]) -> Iterator[Finding]:
    for world in case.run.worlds:
        seen = [entry for entry in world.of(SourceSeen) if entry.area == area]
        finds = [entry for entry in seen if entry.what]
        ends = [entry for entry in seen if not entry.what]
        if finds:
            yield case.failed(
                f"{len(finds)} literal credential(s) in the source",
                expected={"finds": 0},
                actual={"finds": [f"{entry.path}:{entry.line} {entry.what}" for entry in finds[:20]]},
                world=world,
                seen=finds[:20],
            )
        elif ends and ends[-1].files:
            yield case.passed(f"{ends[-1].files} files hold no literal credential", world=world, seen=ends)
        elif ends:
            yield case.not_exercised("the declared paths hold no source file")


@should("credentials.not-in-source", before_control=True)
def not_in_source(case: Case) -> Iterator[Finding]:
    """The source holds no literal credential, and no .env file is tracked by git.

    Why: source is copied, shared and published.

    Judged: on the paths that the configuration declares, with a secret scanner and the names of the settings; examples
    with placeholders and tests are left out.

    Fix: take credentials from the environment; replace those that were ever committed.
    """
    if not case.run.settings.scans_source:
        yield case.not_exercised("declare integration.source.paths to have the source scanned")
        return
    yield from _static(case, "source")


@should("credentials.not-in-frontend-source", before_control=True)
def not_in_frontend_source(case: Case) -> Iterator[Finding]:
    """Front-end source holds no credential.

    Why: front-end source is public by its nature.

    Judged: on the folders that the configuration declares as front end.

    Fix: move the call to the server.
    """
    if not case.run.settings.scans_frontend:
        yield case.not_exercised("declare integration.source.frontend to have front-end source scanned")
        return
    yield from _static(case, "frontend")


@must("credentials.from-environment", before_control=True)
def from_environment(case: Case) -> Iterator[Finding]:
    """The credentials that are sent are those of the environment.

    Why: credentials in code cannot be kept apart for sandbox and live, nor replaced.

    Judged: each world hands the integration credentials of its own; the calls that carry credentials carry exactly these.

    Fix: read the credentials from the environment at start.
    """
    if not case.run.settings.own_credentials:
        yield case.not_exercised(
            "the integration was started by somebody else; payproof did not give it its credentials"
        )
        return
    names = [each.name for each in case.profile.credentials if each.travels != "never"]
    sent = [
        (world, call, own)
        for world in case.run.worlds
        for call in world.of(Call)
        if (own := {name: call.event.sent[name] for name in names if name in call.event.sent})
    ]
    for world, call, own in sent:
        if any(not value.startswith(f"<{name}-") for name, value in own.items()):
            yield case.failed(
                "a call carries credentials that are not those of the environment",
                expected=dict.fromkeys(own, "this world's"),
                actual={name: _named(value) for name, value in own.items()},
                world=world,
                seen=[call],
            )
            return
    owners: dict[str, str] = {}
    for world, call, own in sent:
        name, value = next(iter(own.items()))
        if owners.setdefault(value, world.name) != world.name:
            yield case.failed(
                f"an instance uses the credentials of another one (world {owners[value]})",
                expected={name: "this world's"},
                actual={name: value},
                world=world,
                seen=[call],
            )
            return
    if sent:
        yield case.passed(
            f"{len(sent)} calls of {len(owners)} instances carry their own credentials",
            world=sent[0][0],
            seen=[sent[0][1]],
        )


def secret_of(call: Call) -> str:
    return call.event.sent.get("secret-key", "")


def _named(value: str) -> str:
    return value if value.startswith("<") else f"{value[:3]}… ({len(value)} characters)" if value else "nothing"
