"""credentials.*: they stay on the server, come from the environment, and can be replaced."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from payproof.contracts import entries as e
from payproof.contracts.model import Verdict

from .written import Written

SERVED, ENVIRONMENT, ROTATION, REVOKED = (
    f"credentials.{name}" for name in ("not-served", "from-environment", "rotation", "revoked")
)
KNOWN = {"client_id": "<client-id-1>", "secret": "<secret-key-1>"}
SECRETS = pytest.mark.parametrize("secret", ["<secret-key-1>", "<access-token-1>", "<client-id-1>"])


# not-served


@SECRETS
def test_a_page_that_holds_a_credential_fails(secret: str) -> None:
    run = Written()
    run.page(body=f"<script>var config = '{secret}'</script>")
    assert run.finding(SERVED, Verdict.FAIL).evidence


def test_what_notices_are_signed_with_is_served_to_nobody_and_a_publishable_key_is() -> None:
    for secret, verdict in (("<notice-secret-1>", Verdict.FAIL), ("<page-key-1>", Verdict.PASS)):
        run = Written("quay")
        run.page(body=f"<script>var config = '{secret}'</script>")
        assert run.finding(SERVED, verdict)


@pytest.mark.parametrize("name", ["location", "set-cookie", "x-debug"])
def test_a_header_that_holds_a_credential_fails(name: str) -> None:
    run = Written()
    run.page(status=302, body="", headers=((name, "https://pay.test/?key=<secret-key-1>"),))
    assert run.finding(SERVED, Verdict.FAIL)


@SECRETS
@pytest.mark.parametrize("name", ["return_url", "cancel_url"])
def test_an_address_that_the_gateway_sends_the_customer_to_is_given_away(name: str, secret: str) -> None:
    run = Written()
    run.page()
    call = run.create(**{name: f"https://shop.test/back?sig={secret}"})
    found = run.finding(SERVED, Verdict.FAIL)
    assert name in found.title
    assert found.evidence == (run.run().worlds[0].point(call))


def test_a_secret_of_the_shops_own_in_the_return_url_is_fine() -> None:
    run = Written()
    run.create(return_url="https://shop.test/return/1001?key=wc_order_9fK2mQ7xT4bVn8sL")
    run.page()
    assert run.finding(SERVED, Verdict.PASS).actual == {"looked at": 3}


def test_a_masked_id_is_fine() -> None:
    run = Written()
    run.page(body="<p>Account ****4567</p>")
    assert run.finding(SERVED, Verdict.PASS)


def test_what_the_gateways_own_page_shows_is_not_the_shops_doing() -> None:
    run = Written()
    run.page(where="checkout", body="<secret-key-1>")
    assert run.finding(SERVED, Verdict.NOT_EXERCISED)


# the source


@pytest.mark.parametrize(
    ("requirement", "area", "setting"),
    [
        ("credentials.not-in-source", "source", "scans_source"),
        ("credentials.not-in-frontend-source", "frontend", "scans_frontend"),
    ],
)
def test_the_source_is_judged_where_it_is_declared(requirement: str, area: Any, setting: str) -> None:
    assert "declare" in Written().finding(requirement, Verdict.NOT_EXERCISED).title
    settings: dict[str, Any] = {setting: True}
    run = Written(**settings)
    assert run.finding(requirement, Verdict.NOT_EXERCISED)
    run.add(e.SourceSeen(area=area, files=0))
    assert "no source file" in run.finding(requirement, Verdict.NOT_EXERCISED).title
    run.add(e.SourceSeen(area=area, files=12))
    assert run.finding(requirement, Verdict.PASS).evidence
    run.add(e.SourceSeen(area=area, path="pay.py", line=3, what="a literal secret"))
    assert run.finding(requirement, Verdict.WARN).actual == {"finds": ["pay.py:3 a literal secret"]}


def test_a_find_in_the_front_end_is_not_one_of_the_server() -> None:
    run = Written(scans_source=True, scans_frontend=True)
    run.add(e.SourceSeen(area="frontend", path="app.js", line=1, what="a literal secret"))
    run.add(e.SourceSeen(area="source", files=3))
    assert run.finding("credentials.not-in-source", Verdict.PASS)


# from-environment


def test_each_worlds_own_credentials_pass() -> None:
    run = Written()
    run.token(**KNOWN)
    run.world("other")
    run.token(client_id="<client-id-2>", secret="<secret-key-2>")
    assert run.finding(ENVIRONMENT, Verdict.PASS).evidence


def test_credentials_that_nobody_gave_it_fail_and_are_not_shown() -> None:
    run = Written()
    run.token(client_id="shop-test-account", secret="replace-me")
    found = run.finding(ENVIRONMENT, Verdict.FAIL)
    assert "replace-me" not in str(found.actual)


def test_credentials_of_another_instance_fail() -> None:
    run = Written()
    run.token(**KNOWN)
    run.world("other")
    run.token(**KNOWN)
    assert run.finding(ENVIRONMENT, Verdict.FAIL)


def test_an_integration_that_was_started_by_somebody_else_has_its_credentials_from_them() -> None:
    run = Written(own_credentials=False)
    run.token(client_id="x", secret="y")
    assert run.finding(ENVIRONMENT, Verdict.NOT_EXERCISED)


def test_without_a_token_call_no_credentials_are_judged() -> None:
    assert Written().finding(ENVIRONMENT, Verdict.NOT_EXERCISED)


# rotation


def _rotated(
    *,
    secret: str = "<secret-key-2>",
    paid: bool | None = True,
    first: bool = True,
    before: str = "<secret-key-1>",
    last_moments: bool = False,
    came_up: Literal["", "ready", "exited"] = "ready",
    **settings: Any,
) -> Written:
    run = Written(**settings)
    with run.probe("rotation"):
        run.order("1", role="first")
        run.token(client_id="<client-id-1>", secret=before)
        run.seen("1", paid=first)
        run.step("rotated", secret="<secret-key-2>")
        if last_moments:
            run.token(client_id="<client-id-1>", secret=before)
            run.passes(0.5)
        run.add(e.Process(event="stopped"))
        run.add(e.Process(event="started"))
        if came_up:
            run.add(e.Process(event=came_up))
        run.order("2")
        if came_up == "ready":
            run.token(client_id="<client-id-1>", secret=secret)
        run.seen("2", paid=paid)
    return run


def test_a_payment_with_the_new_secret_passes() -> None:
    assert _rotated().finding(ROTATION, Verdict.PASS).evidence


def test_the_old_secret_after_the_restart_fails() -> None:
    found = _rotated(secret="<secret-key-1>", paid=False).finding(ROTATION, Verdict.FAIL)
    assert found.actual == {"secret": "<secret-key-1>"}


def test_what_the_old_process_sends_before_it_is_stopped_is_not_judged() -> None:
    """A notice or a background job that comes between the replacement and the restart uses the only secret that there is."""
    assert _rotated(last_moments=True).finding(ROTATION, Verdict.PASS)


def test_a_start_that_nobody_saw_the_end_of_tells_nothing_of_the_rotation() -> None:
    found = _rotated(came_up="", paid=None).finding(ROTATION, Verdict.NOT_EXERCISED)
    assert "did not answer" in found.title
    assert _rotated(came_up="exited", paid=None).finding(ROTATION, Verdict.FAIL)


def test_no_payment_after_the_rotation_fails() -> None:
    assert "no payment goes through" in _rotated(paid=False).finding(ROTATION, Verdict.FAIL).title


@pytest.mark.parametrize("renews", [False, True])
def test_who_kept_its_token_and_never_renews_it_fails_for_that(renews: bool) -> None:
    run = Written()
    with run.probe("rotation"):
        run.order("1", role="first")
        run.token(client_id="<client-id-1>", secret="<secret-key-1>")
        run.seen("1", paid=True)
        run.step("rotated", secret="<secret-key-2>")
        run.add(e.Process(event="started"))
        run.add(e.Process(event="ready"))
        run.order("2")
        run.create(None, "2", status=401)
        if renews:
            run.token(None, client_id="<client-id-1>", secret="<secret-key-2>", status=400)
        run.checkout("2", "")
        run.seen("2", paid=False)
    assert run.causes(ROTATION) == (set() if renews else {"token.renewed"})


def test_a_shop_that_could_not_be_paid_before_is_not_judged() -> None:
    assert _rotated(first=False).finding(ROTATION, Verdict.NOT_EXERCISED)
    assert "flow.success" in _rotated(first=False).causes(ROTATION)


def test_credentials_in_the_code_are_another_requirements_failure() -> None:
    found = _rotated(before="replace-me").finding(ROTATION, Verdict.NOT_EXERCISED)
    assert found.because == "credentials.from-environment"


def test_an_integration_that_cannot_be_restarted_is_not_rotated() -> None:
    assert "attest" in _rotated(restarts=False).finding(ROTATION, Verdict.NOT_EXERCISED).title


# revoked


def _revoked(
    calls: int,
    *,
    status: int | None = 502,
    body: str = "<p>Paying does not work just now, please try later.</p>",
    dies: bool = False,
) -> Written:
    run = Written()
    with run.probe("revoked"):
        run.step("revoked")
        run.order()
        began = run.now
        for _ in range(calls):
            run.token(None, status=401, ok=False)
        page = run.page("checkout", status=status, body=body, began=began)
        run.checkout(payment="", page=page.n)
        if dies:
            run.exited()
    return run


@pytest.mark.parametrize("calls", [1, 3])
def test_up_to_three_token_calls_and_a_page_for_people_pass(calls: int) -> None:
    assert _revoked(calls).finding(REVOKED, Verdict.PASS)


def test_a_storm_of_token_calls_fails() -> None:
    assert _revoked(4).finding(REVOKED, Verdict.FAIL).actual == {"token calls": 4}


@pytest.mark.parametrize(
    "how", [{"status": 500, "body": "<h1>Internal Server Error</h1>"}, {"status": None}, {"dies": True}]
)
def test_a_crash_fails(how: dict[str, Any]) -> None:
    assert "crashed" in _revoked(1, **how).finding(REVOKED, Verdict.FAIL).title


def test_an_integration_that_does_not_ask_is_not_judged() -> None:
    assert "did not call" in _revoked(0).finding(REVOKED, Verdict.NOT_EXERCISED).title


def test_a_token_that_is_not_renewed_is_another_requirements_failure() -> None:
    run = Written()
    with run.probe("revoked"):
        run.step("revoked")
        run.create(None, status=401, ok=False)
        page = run.page("checkout", status=502)
        run.checkout(payment="", page=page.n)
    assert run.finding(REVOKED, Verdict.NOT_EXERCISED)
    assert "token.renewed" in run.causes(REVOKED)


def revoked_key(calls: int) -> Written:
    """A shop whose one key is refused: no call issues access tokens, so every call that carries the key counts."""
    run = Written("quay")
    with run.probe("revoked"):
        run.order("1")
        run.step("revoked")
        began = run.now
        for _ in range(calls):
            run.create(None, "1", status=401)
        page = run.page("checkout", "1", status=502, began=began)
        run.checkout("1", "", page=page.n)
    return run


def test_a_revoked_key_is_judged_without_token_calls() -> None:
    assert revoked_key(1).finding(REVOKED, Verdict.PASS).title == "1 call(s), and a page for people"
    assert revoked_key(4).finding(REVOKED, Verdict.FAIL).actual == {"calls": 4}
