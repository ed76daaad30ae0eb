"""Why the control run did not end in a paid order, in plain words, from what the journal shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from payproof.contracts import levels, pages
from payproof.contracts.entries import (
    Call,
    Checkout,
    Connection,
    E,
    Log,
    OrderSeen,
    Page,
    Process,
    Response,
    Step,
    header,
)
from payproof.contracts.events import VERIFYING
from payproof.contracts.steps import StepName
from payproof.suites.driver import declared, standing
from payproof.suites.session.traces import last_trace
from payproof.suites.session.world import World

_URL = re.compile(r"https?://[\w.-]+(?::\d+)?")
_LINES, _LONGEST = 6, 300
_GRAVE = 50
"""Rank of a log line that says it is an error."""


def diagnose(world: World) -> tuple[str, ...]:
    """One sentence for each thing that stands in the way, the likeliest first; the integration's last words at the end."""
    return tuple(dict.fromkeys(_Reader(world).causes()))


class _Reader:
    """Reads the journal of a world whose control payment came to nothing."""

    def __init__(self, world: World) -> None:
        self.world, self.recipe = world, world.config.integration.checkout
        self.entries = world.journal.entries
        self.calls = self._of(Call)
        self.checkout = next(iter(self._of(Checkout)), None)

    def _of(self, kind: type[E]) -> list[E]:
        return [entry for entry in self.entries if isinstance(entry, kind)]

    def causes(self) -> Iterator[str]:
        exited = next((entry for entry in self._of(Process) if entry.event == "exited"), None)
        if exited is not None:
            yield f"The integration ended by itself with exit code {exited.code}."
        yield from self._about_before()
        if self.checkout is None or self.checkout.outcome == "redirected":
            yield from (*self._about_calls(), *self._about_order())
        elif self.calls or self._turned_away(self.checkout):
            yield from (*self._about_calls(), self._about_checkout(self.checkout))
        else:
            yield from (*self._about_elsewhere(), self._about_checkout(self.checkout), *self._about_silence())
        yield from self._last_words()

    # The gateway's side

    def _about_calls(self) -> Iterator[str]:
        refused = [call for call in self.calls if call.response and call.response.status in (401, 403)]
        asked = any(call.role == "authenticate" for call in self.calls)
        if refused and not asked:
            yield (
                "It sent an access token that it was given before this run, and asked for no new one when that was refused."
                f" {self._forgetting}"
            )
        for call in self.calls:
            if not call.event.operation:
                yield (
                    f"It asked {call.request.method} {call.request.url.split('?')[0]}, a path that the profile does not have"
                    f" (its API begins with {self.world.profile.base_path or '/'})."
                )
            elif call.response is None:
                yield f"Its {call.event.operation} call got no answer from the {self._gateway} ({call.ending})."
            elif call.response.status >= 400 or _unreadable(call):
                yield f"Its {call.event.operation} call was answered {call.response.status} by the {self._gateway}: {_said(call)}."

    @property
    def _forgetting(self) -> str:
        """How an integration starts without what it kept."""
        if not self.world.config.integration.command:
            return "Restart it, then run again."
        return (
            "It keeps it where each instance finds it: a file, a cache. Hand it a place of its own in [integration.env], below"
            " {instance.dir}."
        )

    @property
    def _gateway(self) -> str:
        return "gateway's sandbox" if self.world.target.kind == "sandbox" else "gateway"

    def _about_silence(self) -> Iterator[str]:
        """It never called the gateway: why, as far as that shows."""
        if failed := [entry for entry in self._of(Connection) if entry.distrusted]:
            why = failed[-1].alert or failed[-1].detail or "it hung up without a word"
            yield f"It does not trust the run's certificate authority ({why}); it ended {len(failed)} connections."
            return
        names = ", ".join(
            name
            for name, value in self.world.config.integration.env.items()
            if "{gateway." in value and "url}" in value
        )
        handed = f"it is in {names}" if names else "nothing in [integration.env] holds it"
        yield (
            "It never called the gateway. Check that [integration.env] hands it {gateway.base_url} under the name it reads"
            f" ({handed})."
        )

    def _about_elsewhere(self) -> Iterator[str]:
        """Which other hosts it speaks of, in its log and on its page: what it called cannot be seen."""
        answered = [page for page in self._of(Page) if page.purpose == "checkout" and page.response]
        told = {
            "log": [entry.text for entry in self._of(Log)],
            "answer to the checkout": [page.response.body[:20_000] for page in answered if page.response],
        }
        for where, texts in told.items():
            for url in _URL.findall("\n".join(texts)):
                if self._strange(url):
                    yield (
                        f"Its {where} names {url}, and it called no gateway of this run. Is that address fixed in its code,"
                        " or read under a name that [integration.env] does not set?"
                    )
                    return

    def _strange(self, url: str) -> bool:
        """An address that may be another gateway's."""
        elsewhere = self.world.place.where(url) == "elsewhere" and "." in url.split("/")[2]
        return elsewhere and re.search(r"pay|api|sandbox|gateway", url) is not None

    # The shop's side

    def _refused(self) -> list[Page]:
        """The pages that lead to the checkout and did not come."""
        before = [page for page in self._of(Page) if page.purpose == "before"]
        return [page for page in before if page.response is None or page.response.status >= 400]

    def _about_before(self) -> Iterator[str]:
        for page in self._refused():
            answered = f"answered {page.response.status}" if page.response else f"did not answer ({page.problem})"
            said = f" It said: {_text(page.response)}" if page.response else ""
            yield f"A page that leads to the checkout, {_asked(page)}, {answered}. Check integration.checkout.before.{said}"

    def _turned_away(self, checkout: Checkout) -> bool:
        """The shop refused the request itself, before it had a reason to call the gateway."""
        page = self._page(checkout)
        return bool(self._refused() or (page and page.response and 400 <= page.response.status < 500))

    def _page(self, checkout: Checkout) -> Page | None:
        return next((page for page in self._of(Page) if page.n == checkout.page), None)

    def _about_checkout(self, checkout: Checkout) -> str:
        page = self._page(checkout)
        if page is None or page.response is None:
            why = page.problem if page else "no page"
            sent = f" to {page.request.method} {page.request.url.split('?')[0]}" if page else ""
            return f"The checkout got no answer{sent} ({why}). Check integration.checkout.path and url."
        if checkout.payment_url:
            return (
                f"The checkout led to {checkout.payment_url.split('?')[0]}, which is not the gateway's hosted checkout."
                " Check integration.checkout.redirect, and that the integration uses {gateway.base_url}."
            )
        status = page.response.status
        if status >= 400:
            return f"The checkout answered {status} at {_asked(page)}{self._sent(page)}.{self._remedy(page)} It said: {_text(page.response)}"
        return f"The checkout answered {status} at {_asked(page)}, but {self._no_address(page)}"

    def _front_end(self, page: Page) -> str:
        """What to do about a return address on a host that this run does not start."""
        host = urlsplit(page.request.url).hostname
        if host == urlsplit(self.world.place.public_url).hostname:
            return ""
        return (
            f" It is at {host}, and not at the public address that the integration was told. If that is a front end of its own,"
            " name the address that its script calls after the return in integration.order.path."
        )

    def _sent(self, page: Page) -> str:
        body = " ".join(page.request.body.split())
        return f", to which {body[:200]} was sent" if body else ""

    def _remedy(self, page: Page) -> str:
        """What to change in the recipe, as far as an answer of 4xx tells."""
        assert page.response
        status, as_json = page.response.status, self.recipe.json_body is not None
        if status == 404:
            return " Check integration.checkout.path."
        if status == 405:
            return " Check integration.checkout.method."
        if status in (401, 403, 419):
            return (
                " Perhaps it wants a token of its form, or a session: see `before` and `csrf` in docs/configuration.md."
            )
        if status in (400, 422) and as_json and "json" in header(page.response.headers, "content-type").lower():
            return " Compare the keys of integration.checkout.json with what it says."
        if status in (400, 415, 422) and as_json:
            return " It was sent JSON: when the shop takes a form, write form = { … } instead of json."
        if status in (400, 415, 422):
            return " It was sent a form: when the shop takes JSON, write json = { … } instead of form; else compare the fields' names."
        return ""

    def _no_address(self, page: Page) -> str:
        """The pointer to the payment's address found nothing: where it does stand, or what stands there."""
        assert page.response
        pointer = self.recipe.redirect
        routing = self.world.place
        found = next(standing.pointers_to(page, lambda url: routing.where(url) == "checkout"), "")
        if found:
            return (
                f'integration.checkout.redirect = "{pointer}" found no address to pay at: it stands at "{found}".'
                f' Write redirect = "{found}".'
            )
        return (
            f'integration.checkout.redirect = "{pointer}" found no address to pay at on the page,'
            f" {declared.shown(page, pointer if pointer.startswith(('json:', 'header:')) else '')}"
        )

    # After the return

    def _about_order(self) -> Iterator[str]:
        returned = [page for page in self._of(Page) if page.purpose == "return"]
        if not returned:
            yield from self._about_hosted()
            return
        page = returned[-1]
        if page.response is None or page.response.status >= 400:
            yield f"The return page answered {page.response.status if page.response else page.problem}.{self._front_end(page)}"
        if not any(call.role in VERIFYING for call in self.world.calls()):
            yield "It made no status check after the customer's return."
        seen = next(reversed(self._of(OrderSeen)), None)
        if seen is None:
            yield "The order's page was never read."
        elif seen.paid is None:
            at = next((f" at {_asked(looked)}" for looked in self._of(Page) if looked.n == seen.page), "")
            yield f"The order's state could not be read{at}: {seen.problem}. Check integration.order.path and status."
        else:
            words = ", ".join(self.world.config.integration.order.paid)
            yield f'The order\'s state was "{seen.state}", and integration.order.paid names only: {words}.'

    def _about_hosted(self) -> Iterator[str]:
        """The customer never came back from the gateway."""
        if stuck := [step.text for step in self._of(Step) if step.name == StepName.STUCK]:
            yield f"{stuck[-1][0].upper()}{stuck[-1][1:]}."
            return
        hosted = [page for page in self._of(Page) if page.where == "checkout"]
        text = _text(hosted[-1].response) if hosted and hosted[-1].response else "nothing"
        yield f"The customer never got back to the shop from the hosted checkout, which showed: {text}"
        if self.world.target.kind == "sandbox":
            yield "Check the test payer's login and password in [sandbox.payers.paid]."

    # The log

    def _last_words(self) -> Iterator[str]:
        """A failure of its own, whole; else the last line that says it is an error, and below it what else it wrote last."""
        streams: dict[str, list[str]] = {}
        for entry in self._of(Log):
            if line := levels.plain(entry.text).rstrip():
                streams.setdefault(entry.stream, []).append(line)
        trace = next((found for lines in reversed(streams.values()) if (found := last_trace(lines))), None)
        if not streams:
            yield "It logged nothing."
        elif trace:
            yield _listed("It logged a failure of its own:", trace)
        else:
            grave = [line for lines in streams.values() for line in lines if (levels.rank(line) or 0) >= _GRAVE]
            if grave:
                yield f"It logged an error: {grave[-1].strip()[:_LONGEST]}"
            for stream, lines in streams.items():
                yield _listed(
                    f"The last lines of its {stream}:", [line for line in lines[-_LINES:] if line not in grave[-1:]]
                )


def _listed(head: str, lines: Iterable[str]) -> str:
    return "\n".join((head, *(line[:_LONGEST] for line in lines)))


def _asked(page: Page) -> str:
    return f"{page.request.method} {page.request.url.split('?')[0]}"


def _text(response: Response) -> str:
    return " ".join(pages.visible_text(response).split())[:200] or "an empty page"


def _unreadable(call: Call) -> bool:
    assert call.response
    return not call.event.ok and "json" not in header(call.response.headers, "content-type").lower()


def _said(call: Call) -> str:
    """What an answer of the gateway says: its own error texts, else its kind and first words."""
    assert call.response
    texts: Iterable[str] = call.event.texts
    if told := "; ".join(texts):
        return told
    kind = header(call.response.headers, "content-type") or "no content type"
    return f"{kind}, {_text(call.response)}"
