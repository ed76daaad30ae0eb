"""What Quay's wire says otherwise than Harbor's, and what Quay declares."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Literal

from harbor import profile as harbor

from payproof.contracts.checklist import Checklist, Item
from payproof.contracts.entries import Request, Response
from payproof.contracts.events import AnyEvent, Confirmed, Notified, Opened
from payproof.contracts.judging.requirements import requirements
from payproof.contracts.model import Level
from payproof.contracts.profile import Credential, Fact, Fields, HostedRecipe, Origin, Payer, Traits, WireError

TEMPLATE, LATER = "{NR}", 300


def read(request: Request, response: Response | None) -> AnyEvent:
    event = harbor.read(request, response)
    key = event.bearer or event.sent.get("client-id", "")  # as a bearer, or as the name of Basic
    event = replace(event, sent={"secret-key": key} if key else {})
    if isinstance(event, Opened | Confirmed):
        return replace(event, currency=event.currency.upper() if event.currency else None)
    return event


def sign(secrets: tuple[str, ...], body: bytes, at: int) -> Fields:
    (kind, right) = harbor.sign(secrets, body, at)
    second = hmac.new(secrets[0].encode(), body + str(at).encode(), hashlib.sha512).hexdigest()
    return (kind, (right[0], f"{right[1]};g={second}"))


def read_notice(headers: Fields, body: bytes) -> Notified:
    event = harbor.read_notice(headers, body)
    if event.event == "money.arrived":
        event = replace(event, payment="", paid=True)
    return replace(event, currency=(event.currency or "").upper() or None)


def forged_return(*, return_url: str, payment: str, **_: object) -> str:
    return return_url.replace(TEMPLATE, payment)


def read_return(url: str) -> tuple[Literal["paid", "refused", ""], str, str]:
    """A return tells nothing."""
    return "", "", ""


def returned_query(url: str) -> str:
    """And nothing is added to it."""
    return ""


assert harbor.PROFILE.notices is not None
PROFILE = replace(
    harbor.PROFILE,
    name="quay",
    title="Quay, an invented gateway",
    dialect="quay.dialect",
    checklist=Checklist(
        source="invented",
        golive=(Item("A", "all", "All of it", "Everything that holds on every gateway.", items=("1",)),),
        guidelines=(
            Item(
                "1", "everything", "Everything", "Everything.", tuple(sorted(requirements().keys() - harbor.NOT_HERE))
            ),
            Item("2", "own", "Its own", "What no other gateway asks for.", ("quay.small-orders",)),
        ),
        levels={"https.cancel-url": Level.SHOULD, "webhook.stale": Level.MUST},
    ),
    origins=(Origin(name="api"), Origin(name="checkout", host="till")),
    operations=tuple(each for each in harbor.OPERATIONS if each.role in ("open", "confirm")),
    credentials=(
        Credential(name="secret-key", kind="secret", placeholder="api_key", travels="bearer", begins=("quay_test_",)),
        Credential(name="page-key", kind="publishable", placeholder="page_key", travels="never"),
        Credential(name="notice-secret", kind="webhook-secret", placeholder="notice_secret", travels="never"),
    ),
    notices=replace(harbor.PROFILE.notices, sign=sign, read=read_notice),
    knobs={"later": Fact(LATER, "assumed", "invented", "seconds until a payment that was pending is decided")},
    errors={
        **harbor.PROFILE.errors,
        "other-order": WireError(409, ("The key of {order}",), "assumed", "invented", ("order",)),
    },
    currencies=("EUR",),
    payers={
        **harbor.PROFILE.payers,
        "pending": Payer("pia@harbor.test", "1234", "pending"),
        "unsettled": Payer("uwe@harbor.test", "1234", "unsettled"),
    },
    traits=Traits(returns_after_failure=False, decides_later=LATER),
    hosted=HostedRecipe(fill=harbor.PROFILE.hosted.fill, cancel="a.abort", problem=".ended", paying="form.pay"),
    read=read,
    forged_return=forged_return,
    read_return=read_return,
    returned_query=returned_query,
    version_header="Quay-Version",
    return_template=TEMPLATE,
    faults={
        "errors.invalid-token": ("no-token",),
        "errors.currency": ("currency",),
        "errors.missing-parameter": ("missing",),
        "errors.conflict": ("other-order",),
        "errors.server-error": ("broken",),
    },
    settings=(("base URL", "{gateway.base_url}"), ("key", "{gateway.api_key}")),
)
