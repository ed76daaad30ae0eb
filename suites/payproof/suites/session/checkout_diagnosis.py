"""Why a checkout did not lead to the gateway, from the pages that the shop showed on the way to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from payproof.contracts.entries import Checkout, Page, Response, header
from payproof.contracts.reading import pages
from payproof.suites.driver import declared, standing
from payproof.suites.session.world import World


class CheckoutDiagnosis:
    """``shown``: every page that the customer saw in this world."""

    def __init__(self, world: World, shown: Sequence[Page]) -> None:
        self.world, self.shown = world, shown
        self.recipe = world.config.integration.checkout
        self.driven = world.config.integration.driver is not None

    def _refused(self) -> list[Page]:
        """The pages that lead to the checkout and did not come."""
        before = [page for page in self.shown if page.purpose == "before"]
        return [page for page in before if page.response is None or page.response.status >= 400]

    def before(self) -> Iterator[str]:
        for page in self._refused():
            answered = f"answered {page.response.status}" if page.response else f"did not answer ({page.problem})"
            said = _said(page.response) if page.response else ""
            yield f"A page that leads to the checkout, {asked(page)}, {answered}. Check integration.checkout.before.{said}"

    def turned_away(self, checkout: Checkout) -> bool:
        """The shop refused the request itself, before it had a reason to call the gateway."""
        page = self._page(checkout)
        return bool(self._refused() or (page and page.response and 400 <= page.response.status < 500))

    def _page(self, checkout: Checkout) -> Page | None:
        return next((page for page in self.shown if page.n == checkout.page), None)

    def of(self, checkout: Checkout) -> str:
        page = self._page(checkout)
        if page is None or page.response is None:
            why = page.problem if page else "no page"
            sent = f" to {page.request.method} {page.request.url.split('?')[0]}" if page else ""
            return f"The checkout got no answer{sent} ({why}). Check integration.checkout.path and url."
        if checkout.payment_url:
            return (
                f"The checkout led to {checkout.payment_url.split('?')[0]}, which is not the gateway's hosted checkout."
                f" Check {'the driver' if self.driven else 'integration.checkout.redirect'}, and that the integration uses {{gateway.base_url}}."
            )
        status = page.response.status
        if status >= 400:
            return f"The checkout answered {status} at {asked(page)}{self._sent(page)}.{self._remedy(page)}{_said(page.response)}"
        return f"The checkout answered {status} at {asked(page)}, but {self._no_address(page)}"

    def _sent(self, page: Page) -> str:
        body = " ".join(page.request.body.split())
        return f", to which {body[:200]} was sent" if body else ""

    def _remedy(self, page: Page) -> str:
        """What to change in the recipe, as far as an answer of 4xx tells."""
        assert page.response
        status, as_json = page.response.status, self.recipe.json_body is not None
        if self.driven:
            forms = " Perhaps it wants the hidden fields of its form: see with_hidden in docs/driver.md."
            return forms if status in (401, 403, 419) else ""
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
        if self.driven:
            return f"the driver returned no payment_url.{_said(page.response)}"
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


def asked(page: Page) -> str:
    return f"{page.request.method} {page.request.url.split('?')[0]}"


def _said(response: Response) -> str:
    text = pages.quoted(response)
    return f" It said: {text}" if text else " Its page was empty."
