"""A crash is judged as one in the probe runs that make the gateway fail."""

from __future__ import annotations

import pytest

from payproof.contracts.model import Verdict

from .written import Written


def _refused(page: str, *, status: int = 502, canary: str = "qzcanary") -> Written:
    """Create is answered with a server error, and the customer gets this page."""
    run = Written()
    with run.probe("error-answer", operation="create", fault="status", status=500):
        run.order()
        run.step("armed", canary=canary)
        run.create(None, status=500, fault="status")
        run.page("checkout", status=status, body=page)
        run.checkout(payment="")
        run.seen(paid=False)
        run.step("tried")
    return run


def test_a_page_with_the_gateways_own_words_is_a_crash() -> None:
    run = _refused("<h1>Sorry</h1><p>It said: qzcanary is out of order.</p>")
    assert "crash" in run.finding("errors.server-error", Verdict.FAIL).title


@pytest.mark.parametrize("page", ["<h1>Internal Server Error</h1>", "<p>Sorry. Errno::ECONNREFUSED</p>", ""])
def test_a_standard_page_a_library_text_and_an_empty_page_are_crashes(page: str) -> None:
    assert "crash" in _refused(page).finding("errors.server-error", Verdict.FAIL).title


@pytest.mark.parametrize("status", [500, 502])
def test_a_page_for_people_is_not_a_crash(status: int) -> None:
    run = _refused(
        "<p>Etwas ist schiefgelaufen. Bitte versuchen Sie es später noch einmal. Ref 8812</p>", status=status
    )
    assert run.finding("errors.server-error", Verdict.PASS)


def test_a_title_says_in_words_what_the_call_was_answered_with() -> None:
    run = Written()
    with run.probe("error-answer", operation="create", fault="not-json"):
        run.order()
        run.step("armed")
        run.create(None, status=200, fault="not-json")
        run.page("checkout", status=502, body="<p>Please try again later.</p>")
        run.checkout(payment="")
        run.seen(paid=False)
        run.step("tried")
    assert run.finding("errors.not-json", Verdict.PASS).title == "handled: create answered with prose instead of JSON"
