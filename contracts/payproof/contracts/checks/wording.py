"""What a gateway wants said in each call, beside the payment itself: a template for the way back, the version of its API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from payproof.contracts.entries import Call, header
from payproof.contracts.events import Opened
from payproof.contracts.judging.requirements import Case, should
from payproof.contracts.model import Finding
from payproof.contracts.run import RecordedWorld


def _calls(case: Case) -> Iterator[tuple[RecordedWorld, Call]]:
    return ((world, call) for world in case.run.worlds for call in world.of(Call))


@should("return.template", needs="return_template", before_control=True)
def template(case: Case) -> Iterator[Finding]:
    """The template in a return address is written as the gateway knows it.

    Why: it is replaced to the letter. One that is encoded or misspelt comes back as it was sent, and the customer's return names no
    payment.

    Judged: every call that opens a payment. Its return address holds the template as it is, or none at all.

    Fix: put the template into the address after the address was encoded.
    """
    right, seen = case.profile.return_template, list[tuple[RecordedWorld, Call]]()
    for world, call in _calls(case):
        address = call.event.return_url if isinstance(call.event, Opened) else None
        if address is None:
            continue
        seen.append((world, call))
        if (wrong := _misspelt(address, right)) is not None:
            yield case.failed(
                f"the return address holds {wrong}, which the gateway does not know",
                expected={"template": right}, actual={"return address": address}, world=world, seen=[call],
            )  # fmt: skip
            return
    if seen:
        used = any(right in (call.opened.return_url or "") for _, call in seen)
        world, call = seen[0]
        yield case.passed(
            f"the template is as the gateway knows it in {len(seen)} calls" if used else "no return address holds a template",
            world=world, seen=[call],
        )  # fmt: skip


def _misspelt(address: str, right: str) -> str | None:
    """What stands in an address in the template's place; None where nothing does."""
    left, rest = right[0], address.replace(right, "")
    if left.isalnum() or right[-1].isalnum():
        return right if right in unquote(rest) else None
    within = rf"[^{re.escape(left + right[-1])}/?&=#]+"
    found = re.search(rf"{re.escape(left)}{within}{re.escape(right[-1])}", unquote(rest))
    doubled = f"{left}{right}" in address
    return found[0] if found else f"{left}{right}{right[-1]}" if doubled else None


@should("api.version-pinned", needs="version_header", before_control=True)
def version_pinned(case: Case) -> Iterator[Finding]:
    """Each call says for which version of the API it was written.

    Why: where no call does, the account's own version counts, which somebody changes in a dashboard one day.

    Judged: every call to the API carries the gateway's header for it.

    Fix: set the version in the client library, or send the header.
    """
    calls = [(world, call) for world, call in _calls(case) if call.event.operation]
    name = case.profile.version_header
    bare = [(world, call) for world, call in calls if not header(call.request.headers, name)]
    if bare:
        world, call = bare[0]
        yield case.failed(
            f"{len(bare)} of {len(calls)} calls say no version of the API",
            expected={"header": name}, actual={"header": None, "call": call.event.operation}, world=world, seen=[call],
        )  # fmt: skip
    elif calls:
        world, call = calls[0]
        version = header(call.request.headers, name)
        yield case.passed(
            f"{len(calls)} calls say version {version}", actual={"header": version}, world=world, seen=[call]
        )
