"""Why the control run did not end in a paid order, in plain words, from what the journal shows."""

from __future__ import annotations

from payproof.contracts import pages
from payproof.contracts.entries import Call, Checkout, Connection, Log, OrderSeen, Page, Process, Step
from payproof.contracts.events import VERIFYING
from payproof.contracts.steps import StepName
from payproof.suites.session.world import World


def diagnose(world: World) -> tuple[str, ...]:
    """One sentence for each thing that stands in the way, the likeliest first; the integration's last words at the end."""
    entries = world.journal.entries
    said: list[str] = []
    if (exit_ := next((e for e in entries if isinstance(e, Process) and e.event == "exited"), None)) is not None:
        said.append(f"The integration ended by itself with exit code {exit_.code}.")
    checkout = next((e for e in entries if isinstance(e, Checkout)), None)
    calls = [e for e in entries if isinstance(e, Call)]
    if checkout is not None and checkout.outcome != "redirected":
        said += (
            [*_about_calls(world, calls), _about_checkout(world, checkout)]
            if calls
            else [_about_checkout(world, checkout), *_about_calls(world, calls)]
        )
    else:
        said += [*_about_calls(world, calls), *_about_order(world)]
    words = [e.text for e in entries if isinstance(e, Log) and e.text.strip()][-6:]
    said.append("Its last log lines: " + " | ".join(word[:200] for word in words) if words else "It logged nothing.")
    return tuple(said)


def _about_calls(world: World, calls: list[Call]) -> list[str]:
    if not calls:
        failed = [e for e in world.journal.entries if isinstance(e, Connection) and e.event == "handshake_failed"]
        if failed:
            return [
                f"It does not trust the run's certificate authority ({failed[-1].detail}); the handshake failed {len(failed)} times."
            ]
        return [
            "It never called the gateway. Check that [integration.env] hands it {gateway.base_url} under the name it reads."
        ]
    said: list[str] = []
    for call in calls:
        if not call.event.operation:
            said.append(
                f"It asked {call.request.method} {call.request.url.split('?')[0]}, a path that the profile does not have"
                f" (its API begins with {world.profile.base_path or '/'})."
            )
        elif call.response is not None and call.response.status >= 400:
            texts = "; ".join(call.event.texts) or "no text"
            said.append(f"Its {call.event.operation} call was answered {call.response.status}: {texts}.")
    return list(dict.fromkeys(said))


def _about_checkout(world: World, checkout: Checkout) -> str:
    page = next((e for e in world.journal.entries if isinstance(e, Page) and e.n == checkout.page), None)
    where = "integration.checkout"
    if page is None or page.response is None:
        return f"The checkout got no answer ({page.problem if page else 'no page'}). Check {where}.path and url."
    asked = f"{page.request.method} {page.request.url.split('?')[0]}"
    if checkout.payment_url:
        return (
            f"The checkout led to {checkout.payment_url.split('?')[0]}, which is not the gateway's hosted checkout."
            f" Check {where}.redirect, and that the integration uses {{gateway.base_url}}."
        )
    status = page.response.status
    text = " ".join(pages.visible_text(page.response).split())[:200] or "an empty page"
    if status == 404:
        return f"The checkout answered 404 at {asked}. Check {where}.path. It said: {text}"
    if status >= 400:
        return f"The checkout answered {status} at {asked}. It said: {text}"
    return (
        f'The checkout answered {status} at {asked} but {where}.redirect = "{world.config.integration.checkout.redirect}"'
        f" found no address to pay at. It said: {text}"
    )


def _about_order(world: World) -> list[str]:
    seen = next((e for e in reversed(world.journal.entries) if isinstance(e, OrderSeen)), None)
    entries = world.journal.entries
    hosted = [e for e in entries if isinstance(e, Page) and e.where == "checkout"]
    returned = [e for e in world.journal.entries if isinstance(e, Page) and e.purpose == "return"]
    if not returned:
        stuck = [e.text for e in entries if isinstance(e, Step) and e.name == StepName.STUCK]
        if stuck:
            return [f"{stuck[-1][0].upper()}{stuck[-1][1:]}."]
        last = hosted[-1] if hosted else None
        text = " ".join(pages.visible_text(last.response).split())[:200] if last and last.response else "nothing"
        lost = [f"The customer never got back to the shop from the hosted checkout, which showed: {text}"]
        if world.target.kind == "sandbox":
            lost.append("Check the test payer's login and password in [sandbox.payers.paid].")
        return lost
    said: list[str] = []
    if (page := returned[-1]).response is None or page.response.status >= 400:
        said.append(f"The return page answered {page.response.status if page.response else page.problem}.")
    if not any(call.role in VERIFYING for call in world.calls()):
        said.append("It made no status check after the customer's return.")
    if seen is None:
        said.append("The order's page was never read.")
    elif seen.paid is None:
        said.append(f"The order's state could not be read: {seen.problem}. Check integration.order.path and status.")
    else:
        words = ", ".join(world.config.integration.order.paid)
        said.append(f'The order\'s state was "{seen.state}", and integration.order.paid names only: {words}.')
    return said
