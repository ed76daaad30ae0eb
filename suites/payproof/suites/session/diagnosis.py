"""Why the control run did not end in a paid order, in plain words, from what the journal shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from payproof.contracts.entries import (
    Call,
    Checkout,
    Connection,
    Delivery,
    E,
    Ledger,
    Log,
    OrderSeen,
    Page,
    Process,
    Step,
    header,
)
from payproof.contracts.events import VERIFYING, Problem
from payproof.contracts.judging.steps import StepName
from payproof.contracts.reading import levels, pages
from payproof.suites.session.checkout_diagnosis import CheckoutDiagnosis, asked
from payproof.suites.session.traces import last_trace
from payproof.suites.session.world import World

_URL = re.compile(r"https?://[\w.-]+(?::\d+)?")
_LINES, _LONGEST = 6, 300
_GRAVE = 50
"""Rank of a log line that says it is an error."""


def diagnose(world: World) -> tuple[str, ...]:
    """One sentence for each thing that stands in the way, the likeliest first; the integration's last words at the end."""
    return tuple(dict.fromkeys(_Diagnosis(world).causes()))


class _Diagnosis:
    """Reads the journal of a world whose control payment came to nothing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.entries = world.journal.entries
        self.calls = self._of(Call)
        self.checkout = next(iter(self._of(Checkout)), None)
        self.shop = CheckoutDiagnosis(world, self._of(Page))

    def _of(self, kind: type[E]) -> list[E]:
        return [entry for entry in self.entries if isinstance(entry, kind)]

    def causes(self) -> Iterator[str]:
        exited = next((entry for entry in self._of(Process) if entry.event == "exited"), None)
        if exited is not None:
            yield f"The integration ended by itself with exit code {exited.code}."
        yield from self.shop.before()
        if self.checkout is None or self.checkout.outcome == "redirected":
            yield from (*self._about_calls(), *self._about_order())
        elif self.calls or self.shop.turned_away(self.checkout):
            yield from (*self._about_calls(), self.shop.of(self.checkout))
        elif self._distrusted:
            yield from (*self._about_silence(), self.shop.of(self.checkout))
        else:
            yield from (*self._about_elsewhere(), self.shop.of(self.checkout), *self._about_silence())
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
                yield f"Its {call.event.operation} call was answered {call.response.status} by the {self._gateway}: {_answer_text(call)}."

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

    @property
    def _distrusted(self) -> list[Connection]:
        return [entry for entry in self._of(Connection) if entry.distrusted]

    def _about_silence(self) -> Iterator[str]:
        """It never called the gateway: why, as far as that shows."""
        if failed := self._distrusted:
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
        if barred := [step.text for step in self._of(Step) if step.name == StepName.ELSEWHERE]:
            yield f"{barred[0][:1].upper()}{barred[0][1:]}."
            return
        answered = [page for page in self._of(Page) if page.purpose == "checkout" and page.response]
        seen = {
            "log": [entry.text for entry in self._of(Log)],
            "answer to the checkout": [page.response.body[:20_000] for page in answered if page.response],
        }
        for where, texts in seen.items():
            for url in _URL.findall("\n".join(texts)):
                if self._strange(url):
                    yield (
                        f"Its {where} names {url}, and it called no gateway of this run. Is that address fixed in its code"
                        " (then integration.gateway_hosts leads it here), or read under a name that [integration.env] does not set?"
                    )
                    return

    def _strange(self, url: str) -> bool:
        """An address that may be another gateway's."""
        elsewhere = self.world.place.where(url) == "elsewhere" and "." in url.split("/")[2]
        return elsewhere and re.search(r"pay|api|sandbox|gateway", url) is not None

    # After the return

    def _about_order(self) -> Iterator[str]:
        returned = [page for page in self._of(Page) if page.purpose == "return"]
        if not returned:
            yield from self._about_hosted()
            return
        page = returned[-1]
        if page.response is None or page.response.status >= 400:
            yield f"The return page answered {page.response.status if page.response else page.problem}.{self._front_end(page)}"
        yield from self._about_notices()
        if not any(call.role in VERIFYING for call in self.world.calls()):
            yield "It made no status check after the customer's return."
        happened = {entry.event for entry in self._of(Ledger)}
        if "approved" in happened and "charged" not in happened:
            yield self._about_capture()
            return
        seen = next(reversed(self._of(OrderSeen)), None)
        if seen is None:
            yield "The order's page was never read."
        elif self.world.config.integration.driver:
            told = f'its state is "{seen.state}"' if seen.problem == "" else seen.problem
            yield f"The driver does not say that the order is paid: {told}."
        elif seen.paid is None:
            at = next((f" at {asked(looked)}" for looked in self._of(Page) if looked.n == seen.page), "")
            yield f"The order's state could not be read{at}: {seen.problem}. Check integration.order.path and status."
            pointer = self.world.config.integration.checkout.order_id
            if pointer and not any(step.name == StepName.RENAMED for step in self._of(Step)):
                yield (
                    f'"{pointer}" (integration.checkout.order_id) found no id in the checkout\'s answer, on the pages before it or after'
                    " the return; so payproof's own number was asked for."
                )
        else:
            words = ", ".join(self.world.config.integration.order.paid)
            yield f'The order\'s state was "{seen.state}", and integration.order.paid names only: {words}.'

    def _about_notices(self) -> Iterator[str]:
        """It refused every notice that the gateway sent."""
        sent = self._of(Delivery)
        if not sent or any(each.accepted for each in sent):
            return
        last = sent[-1]
        how = last.response.status if last.response else last.problem
        yield (
            f"It took none of the gateway's {len(sent)} notices: {last.event} was answered {how}. Check that it knows this run's"
            " secret, and checks the signature over the bytes as they came."
        )

    def _about_capture(self) -> str:
        name = self.world.profile.named("settle")
        tried = [call for call in self.world.calls() if call.role == "settle" and call.response]
        said = f"its {name} call was answered: {_answer_text(tried[-1])}" if tried else f"it made no {name} call"
        return f"The customer agreed to pay, and nobody took the money: {said}."

    def _front_end(self, page: Page) -> str:
        """What to do about a return address on a host that this run does not start."""
        host = urlsplit(page.request.url).hostname
        if host == urlsplit(self.world.place.public_url).hostname:
            return ""
        return (
            f" It is at {host}, and not at the public address that the integration was told. If that is a front end of its own,"
            " name the address that its script calls after the return in integration.order.path."
        )

    def _about_hosted(self) -> Iterator[str]:
        """The customer never came back from the gateway."""
        if stuck := [step.text for step in self._of(Step) if step.name == StepName.STUCK]:
            yield f"{stuck[-1][0].upper()}{stuck[-1][1:]}."
            return
        hosted = [page for page in self._of(Page) if page.where == "checkout"]
        text = pages.quoted(hosted[-1].response) if hosted and hosted[-1].response else ""
        yield f"The customer never got back to the shop from the hosted checkout, which showed: {text or 'nothing'}"
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


def _unreadable(call: Call) -> bool:
    assert call.response
    return not call.event.ok and "json" not in header(call.response.headers, "content-type").lower()


def _said_of(problem: Problem) -> str:
    """A problem in the gateway's own words, with its word for programs and the field where it has them."""
    text = problem.text or problem.issue or problem.name
    about = [word for word in (problem.issue, problem.field) if word and word not in text]
    return f"{text.rstrip('.')} ({', '.join(about)})" if about else text


def _answer_text(call: Call) -> str:
    """What an answer of the gateway says: its own error texts, else its kind and first words."""
    assert call.response
    if text := "; ".join(map(_said_of, call.event.problems)):
        return text.rstrip(".")
    kind = header(call.response.headers, "content-type") or "no content type"
    return f"{kind}, {pages.quoted(call.response) or 'an empty page'}"
