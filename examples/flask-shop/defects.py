"""The same shop with one mistake in it: SHOP_DEFECT=NAME python defects.py. The names are in defects.toml.

Each class here replaces one piece of the careful shop by what a hurried programmer might have written, and leaves
the rest alone. They show that payproof finds each mistake, and what finding it looks like. Do not copy from here.
"""

import json
import logging
import os
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import date
from decimal import Decimal
from urllib.parse import urlsplit

import requests
from itsdangerous import URLSafeTimedSerializer

import app
import deadline
from deadline import Answer, CallFailed
from gateway import AccessToken, Gateway, GatewayError
from orders import Order
from settings import Settings
from shop import Shop

log = logging.getLogger("shop")


def book_unseen(shop: Shop, order: Order) -> None:
    """Mark the order as paid whatever its payments are."""
    with shop.orders.transaction() as db:
        db.execute("UPDATE payments SET state = 'paid' WHERE order_id = ?", (order.id,))
        shop.orders.ship(db, order.id)


# Verification


class TrustsRedirect(Shop):
    def confirm(self, order, query):
        if query.get("type") == "success":
            book_unseen(self, order)
        return True


SYMBOLS = {"XAF": "FCFA", "EUR": "€"}


class ForgotCurrency(Shop):
    def returned(self, order, query):
        page = super().returned(order, query)
        log.info("thanked for %s %s", order.amount, SYMBOLS[order.currency])  # fails for any other currency
        return page


class NeverAsks(Shop):
    def confirm(self, order, query):
        same_order = query.get("data[custom]") == self.custom(order.id)
        enough = Decimal(query.get("data[amount]", 0)) >= Decimal(order.amount)
        if query.get("type") == "success" and same_order and enough:
            book_unseen(self, order)
        return True


class TrustsAnyReturn(Shop):
    def confirm(self, order, query):
        for payment in self.orders.payments(order.id):
            try:
                answer = self.gateway.status(payment.token, order.id)
            except GatewayError as error:
                self.alerts.send(f"order {order.id}: a payment could not be verified ({error.reason})")
                return False
            if answer.paid:
                self.settle(order, answer)
            elif answer.status != "UNKNOWN":
                self.orders.pay(order.id, payment.token)  # HTTP 200, so it went well
        return True


class BelievesRedirectToken(Shop):
    def confirm(self, order, query):
        token = query.get("data[token]")
        if token is None:
            return super().confirm(order, query)
        try:
            answer = self.gateway.status(token, order.id)
        except GatewayError as error:
            self.alerts.send(f"order {order.id}: a payment could not be verified ({error.reason})")
            return False
        if not answer.paid:
            self.alerts.send(f"order {order.id}: the return URL claims a payment that the gateway does not confirm")
        elif problem := self.mismatch(order, answer):
            self.orders.hold(order.id, token, problem)
            self.alerts.send(f"order {order.id} is held: {problem}")
        else:
            book_unseen(self, order)
        return True


class IgnoresAmount(Shop):
    def mismatch(self, order, answer):
        return super().mismatch(order, replace(answer, amount=Decimal(order.amount)))


class IgnoresCurrency(Shop):
    def mismatch(self, order, answer):
        return super().mismatch(order, replace(answer, currency=order.currency))


class PaidWhenUnreachable(Shop):
    def confirm(self, order, query):
        verified = super().confirm(order, query)
        if not verified and query.get("type") == "success":
            # The gateway is down. Let us not lose the sale.
            book_unseen(self, order)
        return verified


class FailedForGood(Shop):
    def verify(self, order):
        if self.reload(order).status == "failed":
            return {}, True
        answers, verified = super().verify(order)
        if not verified:
            with self.orders.transaction() as db:
                db.execute("UPDATE orders SET status = 'failed' WHERE id = ?", (order.id,))
        return answers, verified


class LimitedForGood(Shop):
    def verify(self, order):
        answers = {}
        if self.reload(order).status == "failed":
            return answers, True
        for payment in self.orders.payments(order.id):
            if payment.state != "open":
                continue
            try:
                answer = self.gateway.status(payment.token, order.id)
                self.settle(order, answer)
            except GatewayError as error:
                if error.status == 429:  # a 4xx: the gateway says no
                    with self.orders.transaction() as db:
                        db.execute("UPDATE orders SET status = 'failed' WHERE id = ?", (order.id,))
                return answers, False
            answers[payment.token] = answer
        return answers, True


class MisspellsCancelUrl(Shop):
    def cancel_url(self, order_id):
        return f"{self.settings.public_url}/canceled/{order_id}"


# HTTPS


class HttpReturnUrl(Shop):
    def return_url(self, order_id):
        host = urlsplit(self.settings.public_url).netloc
        return f"http://{host}/return/{order_id}"


# What is sent


class ScientificAmount(Gateway):
    def _send(self, method, url, headers, body):
        if body and "amount" in body:
            body = {**body, "amount": str(Decimal(body["amount"]).normalize())}  # drops the zeros: 5000.00 becomes 5E+3
        return super()._send(method, url, headers, body)


class PingsWithStatusCheck(Gateway):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        try:
            self._send("GET", f"{self.base_url}/payment/status", {}, None)  # any answer will do: it is there
        except CallFailed as failure:
            log.warning("the gateway is not there: %s", failure)


class AsksForBalance(Gateway):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        try:
            self._send("GET", f"{self.base_url}/merchant/balance", {}, None)  # read of it in some forum
        except CallFailed as failure:
            log.warning("the gateway is not there: %s", failure)


# Access token


class TokenPerCall(Gateway):
    def access_token(self):
        return self.authenticate().value


class NeverRenews(Gateway):
    def access_token(self):
        with self._renewing:
            if not self._token:
                self._token = self.authenticate().value
            return self._token

    def _authorized(self, operation, about, method, path, body, read):
        return self._call(operation, about, method, path, body, read, self.access_token())


class RenewsWithoutRetry(Gateway):
    def _authorized(self, operation, about, method, path, body, read):
        token = self.access_token()
        try:
            return self._call(operation, about, method, path, body, read, token)
        except GatewayError as error:
            if error.status == 401:
                self.forget(token)  # the next customer gets a new one
            raise


class RetriesForever(Gateway):
    def _authorized(self, operation, about, method, path, body, read):
        for _ in range(30):  # "for ever" has an end here, so that a trial has one too
            token = self.access_token()
            try:
                return self._call(operation, about, method, path, body, read, token)
            except GatewayError as error:
                if error.status != 401:
                    raise
                self.forget(token)
        raise GatewayError(operation, "HTTP 401", 401)


class Stampedes(Gateway):
    """No lock, and a 401 throws away whatever token is there, also one that another thread has just brought."""

    def access_token(self):
        cached = self._token
        if cached and time.monotonic() < self._renew_at:
            return cached
        new = self.authenticate()
        self._token, self._renew_at = new.value, time.monotonic() + new.seconds - self.renew_early
        return new.value

    def forget(self, refused):
        self._token = ""


class PoisonedTokenCache(Gateway):
    def authenticate(self):
        def read(raw):
            try:
                return AccessToken(json.loads(raw)["data"]["access_token"], 600)
            except (ValueError, KeyError, TypeError):
                return AccessToken(None, 600)

        body = {"client_id": self.client_id, "secret_id": self.secret_key}
        return self._call("token", "", "POST", "/authentication/token", body, read)

    def access_token(self):
        with self._renewing:
            if time.monotonic() >= self._renew_at:
                self._token, self._renew_at = self.authenticate().value, time.monotonic() + 600 - self.renew_early
            return self._token

    def forget(self, refused):
        if isinstance(refused, str) and refused == self._token:
            self._renew_at = 0.0


# Logs, credentials, time limit


class LogsBearer(Gateway):
    def _send(self, method, url, headers, body):
        log.info("sending %s %s %s", method, url, headers)
        return super()._send(method, url, headers, body)


class SecretInPage(Shop):
    def page(self, status, title, *lines, retry=None):
        response = super().page(status, title, *lines, retry=retry)
        config = json.dumps({"client": self.settings.client_id, "secret": self.settings.secret_key})
        script = f"<script>window.paymentConfig = {config};</script></body>"
        response.set_data(response.get_data(as_text=True).replace("</body>", script))
        return response


def hard_coded_credentials() -> Settings:
    settings = Settings.from_environment()
    return replace(settings, client_id="shop-test-account", secret_key="replace-me-before-launch")


def keeps_old_secret() -> Settings:
    """Settings are written to a file at the first start, and from then on the file is right."""
    settings = Settings.from_environment()
    file = settings.data_dir / "settings.json"
    if file.exists():
        saved = json.loads(file.read_text())
        return replace(settings, client_id=saved["client_id"], secret_key=saved["secret_key"])
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"client_id": settings.client_id, "secret_key": settings.secret_key}))
    return settings


class NoTimeout(Gateway):
    time_limit = 24 * 3600.0


class NoConnectLimit(Gateway):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        deadline.CONNECT_SECONDS = None  # "the limit of the call will do", but its timer can cut only what is connected


class LimitForEachRead(Gateway):
    def _send(self, method, url, headers, body):
        return plainly(requests.Session(), method, url, headers, body)


class UnverifiedCertificate(Gateway):
    def _send(self, method, url, headers, body):
        session = requests.Session()
        session.verify = False  # "works on my machine"; a variable REQUESTS_CA_BUNDLE would switch it on again
        return plainly(session, method, url, headers, body)


def plainly(session: requests.Session, method: str, url: str, headers: dict[str, str], body: object) -> Answer:
    """A call as the first page of any tutorial makes it."""
    try:
        response = session.request(method, url, headers=headers, json=body, timeout=(8, 27), allow_redirects=False)
    except requests.RequestException as error:
        raise CallFailed(type(error).__name__) from error
    return Answer(response.status_code, response.headers, response.content)


class SendsAgainAndAgain(Gateway):
    def create(self, *args, **kwargs):
        for _ in range(9):
            try:
                return super().create(*args, **kwargs)
            except GatewayError as error:
                if error.status is not None or error.detail == "time limit":
                    raise
        return super().create(*args, **kwargs)


# One order, one payment


class NoDoubleSubmitGuard(Shop):
    def order_lock(self, order_id) -> AbstractContextManager[object]:
        return nullcontext()

    def reusable(self, order, answers):
        return None


class ChargesPaidOrder(Shop):
    def refusal(self, order):
        return None if order.status == "paid" else super().refusal(order)


class ShipsOnEveryReturn(Shop):
    def confirm(self, order, query):
        for payment in self.orders.payments(order.id):
            try:
                answer = self.gateway.status(payment.token, order.id)
            except GatewayError as error:
                self.alerts.send(f"order {order.id}: a payment could not be verified ({error.reason})")
                return False
            if answer.paid and answer.custom == self.custom(order.id) and not self.mismatch(order, answer):
                with self.orders.transaction() as db:
                    db.execute("UPDATE payments SET state = 'paid' WHERE token = ?", (payment.token,))
                    db.execute("UPDATE orders SET status = 'paid', shipments = shipments + 1 WHERE id = ?", (order.id,))
                return True
        return super().confirm(order, query)


class CancelsPaidOrder(Shop):
    def cancelled(self, order):
        page = super().cancelled(order)
        with self.orders.transaction() as db:
            db.execute("UPDATE orders SET status = 'cancelled' WHERE id = ?", (order.id,))
        return page


class ErrorLocksOrder(Shop):
    def __init__(self, *parts):
        super().__init__(*parts)
        self.opening: set[str] = set()

    def send_to_payment(self, order):
        if order.id in self.opening:
            return self.page(409, "One click is enough", f"The payment of order {order.id} is being prepared.")
        self.opening.add(order.id)
        answer = super().send_to_payment(order)
        if answer.status_code < 400:
            self.opening.discard(order.id)
        return answer


class SharedCustom(Shop):
    def custom(self, order_id):
        return f"flask-shop {date.today()}"


# Messages


class AlarmsOfAnswersOnly(Shop):
    def __init__(self, settings, gateway, orders, alerts):
        super().__init__(settings, gateway, orders, alerts)
        tell = alerts.payment_call

        def payment_call(operation, *, worked, reason=""):
            if worked or reason.startswith("HTTP"):
                tell(operation, worked=worked, reason=reason)

        alerts.payment_call = payment_call


class TokenInCookie(Shop):
    def send_to_payment(self, order):
        answer = super().send_to_payment(order)
        kept = {"order": order.id, "bearer": self.gateway._token}
        answer.set_cookie("basket", URLSafeTimedSerializer(self.settings.secret_key).dumps(kept))  # signed, and packed
        return answer


class RawErrorPage(Shop):
    def sorry(self, order, error):
        return self.page(502, "Payment failed", f"{error.reason}: {error.detail}", retry=order)


DEFECTS: dict[str, dict[str, object]] = {
    "trusts-redirect": {"shop_class": TrustsRedirect},
    "never-asks": {"shop_class": NeverAsks},
    "trusts-any-return": {"shop_class": TrustsAnyReturn},
    "believes-redirect-token": {"shop_class": BelievesRedirectToken},
    "ignores-amount": {"shop_class": IgnoresAmount},
    "ignores-currency": {"shop_class": IgnoresCurrency},
    "paid-when-unreachable": {"shop_class": PaidWhenUnreachable},
    "failed-for-good": {"shop_class": FailedForGood},
    "limited-for-good": {"shop_class": LimitedForGood},
    "misspells-cancel-url": {"shop_class": MisspellsCancelUrl},
    "http-return-url": {"shop_class": HttpReturnUrl},
    "scientific-amount": {"gateway_class": ScientificAmount},
    "pings-with-status-check": {"gateway_class": PingsWithStatusCheck},
    "asks-for-balance": {"gateway_class": AsksForBalance},
    "token-per-call": {"gateway_class": TokenPerCall},
    "never-renews": {"gateway_class": NeverRenews},
    "renews-without-retry": {"gateway_class": RenewsWithoutRetry},
    "retries-forever": {"gateway_class": RetriesForever},
    "stampedes": {"gateway_class": Stampedes},
    "logs-bearer": {"gateway_class": LogsBearer},
    "secret-in-page": {"shop_class": SecretInPage},
    "hard-coded-credentials": {"read_settings": hard_coded_credentials},
    "keeps-old-secret": {"read_settings": keeps_old_secret},
    "no-timeout": {"gateway_class": NoTimeout},
    "no-connect-limit": {"gateway_class": NoConnectLimit},
    "limit-for-each-read": {"gateway_class": LimitForEachRead},
    "unverified-certificate": {"gateway_class": UnverifiedCertificate},
    "sends-again-and-again": {"gateway_class": SendsAgainAndAgain},
    "no-double-submit-guard": {"shop_class": NoDoubleSubmitGuard},
    "charges-paid-order": {"shop_class": ChargesPaidOrder},
    "ships-on-every-return": {"shop_class": ShipsOnEveryReturn},
    "shared-custom": {"shop_class": SharedCustom},
    "raw-error-page": {"shop_class": RawErrorPage},
    "cancels-paid-order": {"shop_class": CancelsPaidOrder},
    "error-locks-order": {"shop_class": ErrorLocksOrder},
    "alarms-of-answers-only": {"shop_class": AlarmsOfAnswersOnly},
    "token-in-cookie": {"shop_class": TokenInCookie},
    "forgot-currency": {"shop_class": ForgotCurrency},
    "poisoned-token-cache": {"gateway_class": PoisonedTokenCache},
}


if __name__ == "__main__":
    name = os.environ.get("SHOP_DEFECT", "")
    if name not in DEFECTS:
        sys.exit(f"SHOP_DEFECT={name!r} is none of: {', '.join(DEFECTS)}")
    app.main(**DEFECTS[name])
