from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from bs4 import BeautifulSoup

from payproof.contracts.entries import Ledger
from payproof.contracts.model import PayproofError
from payproof.simulator.testing import GatewayThread

Answer = Callable[..., httpx.Response]
Start = Callable[..., GatewayThread]
Opened = Callable[..., tuple[str, str]]
Issue = Callable[[GatewayThread], str]
PAYER = {"email": "sandbox@appdevs.net", "password": "appdevs"}


def submit(http: httpx.Client, page_url: str, where: str, **fields: str) -> httpx.Response:
    payment = page_url.rsplit("/", 1)[1]
    site = page_url.split("/user/", 1)[0]
    return http.post(f"{site}/user/{where}/submit/{payment}", data=fields)


def page_of(page_url: str, where: str) -> str:
    return f"{page_url.split('/user/', 1)[0]}/user/{where}/{page_url.rsplit('/', 1)[1]}"


def problem(response: httpx.Response) -> tuple[str, str]:
    """(title, address of its link) of a process-error page."""
    page = BeautifulSoup(response.text, "html.parser")
    found = page.select_one("[data-problem]")
    assert (response.status_code, bool(found)) == (200, True)
    assert page.title
    assert page.title.get_text() == "Process Error"
    assert found
    heading, link = found.find("h1"), found.find("a")
    return heading.get_text() if heading else "", str(link["href"]) if link else ""


def events(gateway: GatewayThread) -> list[str]:
    return [entry.event for entry in gateway.journal() if isinstance(entry, Ledger)]


def test_the_success_redirect_is_to_the_letter(gateway: GatewayThread, opened: Opened) -> None:
    payment, url = opened(gateway, return_url="https://shop.example/return?order=1")
    back = gateway.pay(url)
    view = gateway.payment(payment)
    assert view
    assert len(view.transaction) == 16
    assert back == (
        "https://shop.example/return?order=1&message%5Bcode%5D=200&message%5Bsuccess%5D%5B0%5D=SUCCESS"
        f"&data%5Btoken%5D={payment}&data%5Btrx_id%5D={view.transaction}"
        "&data%5Bpayer%5D%5Busername%5D=appdevs&data%5Bpayer%5D%5Bemail%5D=sandbox%40appdevs.net"
        "&data%5Bamount%5D=5000.00000000&data%5Bcustom%5D=order-1&type=success"
    )
    assert (view.status, view.paid, view.charged) == ("SUCCESS", True, 1)


def test_a_return_url_without_a_query_is_joined_with_a_question_mark(gateway: GatewayThread, opened: Opened) -> None:
    _, url = opened(gateway, custom=...)
    back = gateway.pay(url)
    assert back.startswith("https://shop.example/return?message%5Bcode%5D=200")
    assert "custom" not in back


def test_older_servers_leave_fields_out(start: Start, opened: Opened) -> None:
    gateway = start(knobs={"return_fields": []})
    back = dict(parse_qsl(urlsplit(gateway.pay(opened(gateway)[1])).query))
    assert {"data[token]", "data[trx_id]", "type"} <= back.keys()
    assert not {"data[amount]", "data[custom]"} & back.keys()


@pytest.mark.parametrize(("name", "joint"), [("quatapay", "&"), ("qrpay", "?")])
def test_a_refused_payment_goes_to_return_url_with_an_error(
    start: Start, opened: Opened, name: str, joint: str
) -> None:
    gateway = start(name)
    payment, url = opened(gateway, return_url="https://shop.example/return?order=1")
    failure = "message%5Bcode%5D=500&message%5Berror%5D%5B0%5D=Failed+to+create+payment%21+Please+try+again&type=error"
    assert gateway.pay(url, "refused") == f"https://shop.example/return?order=1{joint}{failure}"
    view = gateway.payment(payment)
    assert view
    assert (view.paid, view.charged, events(gateway)[-1]) == (False, 0, "refused")


def test_a_refused_payment_can_still_be_paid(gateway: GatewayThread, opened: Opened) -> None:
    _, url = opened(gateway)
    gateway.pay(url, "refused")
    assert "type=success" in gateway.pay(url)


def test_a_poor_payer_sees_a_process_error(gateway: GatewayThread, opened: Opened, http: httpx.Client) -> None:
    _, url = opened(gateway)
    submit(http, url, "authentication/form", email="insufficient@payproof.test", password="appdevs")
    response = submit(http, url, "payment/preview", trx_type="WALLET")
    assert problem(response) == ("Insufficient balance!", "https://shop.example/cancel")
    assert gateway.payments()[0].charged == 0


def test_wrong_credentials_show_the_form_again(gateway: GatewayThread, opened: Opened, http: httpx.Client) -> None:
    _, url = opened(gateway)
    response = submit(http, url, "authentication/form", email="sandbox@appdevs.net", password="wrong")
    assert "Credentials didn&#39;t match." in response.text
    assert 'name="password"' in response.text


def test_who_is_logged_in_goes_straight_to_the_preview(
    gateway: GatewayThread, opened: Opened, http: httpx.Client
) -> None:
    _, url = opened(gateway)
    preview = page_of(url, "payment/preview")
    assert http.get(preview).headers["location"] == urlsplit(url).path
    assert submit(http, url, "authentication/form", **PAYER).headers["location"] == urlsplit(preview).path
    assert http.get(url).headers["location"] == urlsplit(preview).path
    assert "1,000.00 XAF" in http.get(preview).text


def test_confirming_without_login_fails(gateway: GatewayThread, opened: Opened, http: httpx.Client) -> None:
    response = submit(http, opened(gateway)[1], "payment/preview", trx_type="WALLET")
    assert problem(response)[0] == "Authentication Failed!"


def test_an_unknown_way_to_pay_shows_the_preview_again(
    gateway: GatewayThread, opened: Opened, http: httpx.Client
) -> None:
    _, url = opened(gateway)
    submit(http, url, "authentication/form", **PAYER)
    assert "The selected trx type is invalid." in submit(http, url, "payment/preview", trx_type="CASH").text


@pytest.mark.parametrize("kind", ["WALLET", "VIRTUAL-CARD", "MASTER-CARD"])
def test_every_way_to_pay_pays(gateway: GatewayThread, opened: Opened, http: httpx.Client, kind: str) -> None:
    _, url = opened(gateway)
    submit(http, url, "authentication/form", **PAYER)
    assert "type=success" in submit(http, url, "payment/preview", trx_type=kind).headers["location"]


def test_an_unknown_payment_is_a_process_error_without_a_link(gateway: GatewayThread, http: httpx.Client) -> None:
    url = f"{gateway.url}/pay/sandbox/v1/user/authentication/form/{'x' * 60}"
    assert problem(http.get(url)) == ("Payment request is invalid!", "")


def test_a_paid_payment_cannot_be_paid_again(gateway: GatewayThread, opened: Opened, http: httpx.Client) -> None:
    payment, url = opened(gateway)
    submit(http, url, "authentication/form", **PAYER)
    assert submit(http, url, "payment/preview", trx_type="WALLET").status_code == 302
    again = submit(http, url, "payment/preview", trx_type="WALLET")
    assert problem(again) == ("Payment request is invalid!", "https://shop.example/cancel")
    assert problem(http.get(url))[0] == "Payment request is invalid!"
    view = gateway.payment(payment)
    assert view
    assert view.charged == 1


def test_an_old_payment_is_expired(gateway: GatewayThread, opened: Opened, check: Answer, http: httpx.Client) -> None:
    payment, url = opened(gateway)
    gateway.advance(600)
    assert "Log in to pay" in http.get(url).text
    gateway.advance(1)
    assert problem(http.get(url)) == ("Session Expired!", "https://shop.example/cancel")
    data = check(gateway, payment).json()["data"]
    assert (data["status"], data["paid"]) == ("EXPIRED", False)
    assert events(gateway).count("expired") == 1


def test_the_observed_page_lives_for_the_rest_of_the_token(qrpay: GatewayThread, create: Answer, issue: Issue) -> None:
    token = issue(qrpay)
    qrpay.advance(540)
    url = create(qrpay, token=token).json()["data"]["payment_url"]
    qrpay.advance(61)
    with pytest.raises(PayproofError, match="Session Expired!"):
        qrpay.pay(url)


def test_a_cancel_goes_to_cancel_url_with_the_payment(
    gateway: GatewayThread, opened: Opened, check: Answer, http: httpx.Client
) -> None:
    payment, url = opened(gateway, cancel_url="https://shop.example/cancel?o=1")
    link = BeautifulSoup(http.get(url).text, "html.parser").select_one("[data-cancel]")
    assert link
    response = http.get(gateway.url + str(link["href"]))
    assert response.headers["location"] == f"https://shop.example/cancel?o=1&token={payment}"
    assert check(gateway, payment).json()["data"]["status"] == "CANCELLED"
    assert events(gateway)[-2:] == ["cancelled", "token_issued"]


def test_a_cancelled_payment_can_still_be_paid(gateway: GatewayThread, opened: Opened, http: httpx.Client) -> None:
    payment, url = opened(gateway)
    http.get(page_of(url, "payment/cancel"))
    assert "type=success" in gateway.pay(url)
    view = gateway.payment(payment)
    assert view
    assert (view.status, view.charged) == ("SUCCESS", 1)


def test_the_observed_servers_forget_a_cancel(
    qrpay: GatewayThread, opened: Opened, check: Answer, http: httpx.Client
) -> None:
    payment, url = opened(qrpay, cancel_url="https://shop.example/cancel?o=1")
    response = http.get(page_of(url, "payment/cancel"))
    assert response.headers["location"] == f"https://shop.example/cancel?o=1?token={payment}"
    assert check(qrpay, payment).json()["data"]["status"] == "CREATED"


def test_cancelling_a_paid_payment_changes_nothing(gateway: GatewayThread, opened: Opened, http: httpx.Client) -> None:
    _, url = opened(gateway)
    gateway.pay(url)
    http.get(page_of(url, "payment/cancel"))
    assert (gateway.payments()[0].status, "cancelled" in events(gateway)) == ("SUCCESS", False)


def test_without_a_cancel_url_the_page_says_so(gateway: GatewayThread, opened: Opened, http: httpx.Client) -> None:
    _, url = opened(gateway, cancel_url=...)
    assert "Payment cancelled" in http.get(page_of(url, "payment/cancel")).text


def test_the_one_time_code_is_asked_for_when_it_is_on(start: Start, opened: Opened, http: httpx.Client) -> None:
    gateway = start(knobs={"otp": True})
    _, url = opened(gateway)
    assert "type=success" in gateway.pay(url)
    _, url = opened(gateway)
    submit(http, url, "authentication/form", **PAYER)
    asked = submit(http, url, "payment/preview", trx_type="WALLET").headers["location"]
    assert "/user/authentication/mail/verify/" in asked
    wrong = submit(http, url, "authentication/mail/verify", **{"code[]": "1"})
    assert "The verification code does not match" in wrong.text


def test_the_observed_forms_need_their_csrf_word(qrpay: GatewayThread, opened: Opened, http: httpx.Client) -> None:
    _, url = opened(qrpay)
    assert submit(http, url, "authentication/form", **PAYER).status_code == 419
    assert "type=success" in qrpay.pay(url)


def test_two_tabs_of_one_browser_can_have_two_payers(
    gateway: GatewayThread, opened: Opened, http: httpx.Client
) -> None:
    (_, first), (_, second) = opened(gateway), opened(gateway)
    submit(http, first, "authentication/form", **PAYER)
    submit(http, second, "authentication/form", email="refused@payproof.test", password="appdevs")
    assert "type=success" in submit(http, first, "payment/preview", trx_type="WALLET").headers["location"]
    assert "type=error" in submit(http, second, "payment/preview", trx_type="WALLET").headers["location"]


@pytest.mark.parametrize("wish", [{"amount": "4.02"}, {"custom": "o payproof:pay=refused"}])
def test_magic_values_refuse_whoever_pays(gateway: GatewayThread, opened: Opened, wish: dict[str, str]) -> None:
    assert "type=error" in gateway.pay(opened(gateway, **wish)[1])


def test_a_slow_payer_takes_two_real_seconds(gateway: GatewayThread, opened: Opened) -> None:
    _, url = opened(gateway)
    began = gateway.simulator.journal.now()
    assert "type=success" in gateway.pay(url, "slow")
    assert gateway.simulator.journal.now() - began >= 2


def test_what_shops_write_is_escaped(gateway: GatewayThread, opened: Opened, http: httpx.Client) -> None:
    _, url = opened(gateway, custom="<script>alert(1)</script>")
    assert "<script>alert" not in http.get(url).text


def test_an_unknown_page_is_html(gateway: GatewayThread, http: httpx.Client) -> None:
    response = http.get(f"{gateway.url}/pay/sandbox/v1/user/nowhere")
    assert (response.status_code, response.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_hosted_pages_are_no_calls(gateway: GatewayThread, opened: Opened) -> None:
    _, url = opened(gateway)
    gateway.pay(url)
    assert sum(entry.kind == "call" for entry in gateway.journal()) == 2
