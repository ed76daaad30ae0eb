"""A client of QuataPay's token API (v1): authenticate, create a payment, ask for its status.

An answer is believed when it is HTTP 200 and a JSON object in the gateway's envelope with the expected types.
Everything else, from a refused connection to half a JSON document, becomes one GatewayError, so that the shop has
one case to handle and cannot forget any.
"""

import json
import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from deadline import Answer, CallFailed, call

log = logging.getLogger("shop.gateway")
Result = TypeVar("Result")


class GatewayError(Exception):
    """A call that brought no usable answer. `detail` is what the other side said: for our log, never for a customer."""

    def __init__(self, operation: str, reason: str, status: int | None = None, detail: str = "") -> None:
        super().__init__(operation, reason, status, detail)
        self.operation, self.reason, self.status, self.detail = operation, reason, status, detail


@dataclass(frozen=True)
class AccessToken:
    value: str = field(repr=False)
    seconds: float


@dataclass(frozen=True)
class NewPayment:
    token: str
    url: str


@dataclass(frozen=True)
class PaymentStatus:
    token: str
    status: str  # CREATED, SUCCESS, EXPIRED, CANCELLED ..., or UNKNOWN: the gateway says that it has no such payment
    paid: bool
    custom: str = ""
    amount: Decimal = Decimal(0)
    currency: str = ""
    trx_id: str | None = None

    @property
    def open(self) -> bool:
        return not self.paid and self.status in ("CREATED", "PENDING")


class Gateway:
    time_limit = 27.0  # seconds for a whole call; the gateway's guidance is 30
    max_bytes = 64 * 1024
    renew_early = 30.0  # a token that is about to expire would do so on its way

    def __init__(self, base_url: str, client_id: str, secret_key: str, *, token_per_payment: bool = False) -> None:
        self.base_url = base_url.rstrip("/")
        self.client_id = client_id
        self.secret_key = secret_key
        self.token_per_payment = token_per_payment
        self._not_before: dict[str, float] = {}  # operation -> when the gateway will listen to it again
        self._renewing = threading.Lock()
        self._renewals = 0
        self._renewal_error: GatewayError | None = None
        self._token = ""
        self._renew_at = 0.0

    # The two questions that the shop asks.

    def create(
        self, order_id: str, amount: str, currency: str, *, return_url: str, cancel_url: str, custom: str
    ) -> NewPayment:
        body = {
            "amount": amount,  # a string: some servers of this family refuse a JSON number
            "currency": currency,
            "return_url": return_url,
            "cancel_url": cancel_url,
            "custom": custom,
        }
        about = f"order={order_id} amount={amount} currency={currency}"
        return self._authorized("create", about, "POST", "/payment/create", body, self._read_payment)

    def status(self, payment_token: str, order_id: str) -> PaymentStatus:
        about = f"order={order_id} payment={payment_token}"
        path = f"/payment/status/{payment_token}"
        try:
            return self._authorized("status", about, "GET", path, None, lambda raw: _read_status(payment_token, raw))
        except GatewayError as error:
            # The gateway itself, not some proxy on the way, says that it does not know this payment (any more).
            if error.status == 404 and _envelope(error.detail.encode()).get("type") == "error":
                return PaymentStatus(payment_token, "UNKNOWN", paid=False)
            raise

    # The access token.

    def access_token(self) -> str:
        """The shared token, renewed by one thread while the others wait for its result."""
        renewals = self._renewals
        with self._renewing:
            if self._token and time.monotonic() < self._renew_at:
                return self._token
            if self._renewals != renewals and self._renewal_error:
                # The renewal that we waited for failed. Trying again one after the other would keep a queue of
                # customers waiting for a gateway that is down.
                raise GatewayError(*self._renewal_error.args)
            asked = time.monotonic()
            try:
                token = self.authenticate()
                self._renewal_error = None
            except GatewayError as error:
                self._renewal_error = error
                raise
            finally:
                self._renewals += 1
            self._token, self._renew_at = token.value, asked + token.seconds - self.renew_early
            return self._token

    def forget(self, refused: str) -> None:
        """Throw away exactly the token that was refused: another thread may have brought a new one already."""
        with self._renewing:
            if self._token == refused:
                self._token = ""

    def authenticate(self) -> AccessToken:
        body = {"client_id": self.client_id, "secret_id": self.secret_key}
        return self._call("token", "", "POST", "/authentication/token", body, _read_token)

    def _authorized(
        self, operation: str, about: str, method: str, path: str, body: object, read: Callable[[bytes], Result]
    ) -> Result:
        # Where the access token is the payment, a shared one would mix up two customers: each call gets its own.
        get_token = (lambda: self.authenticate().value) if self.token_per_payment else self.access_token
        token = get_token()
        try:
            return self._call(operation, about, method, path, body, read, token)
        except GatewayError as error:
            if error.status in (401, 403):
                self.forget(token)
            if error.status != 401:
                raise
        # 401 means that the request was not looked at, so this is the one repetition that cannot pay twice.
        return self._call(operation, about, method, path, body, read, get_token())

    # One call.

    def _call(
        self,
        operation: str,
        about: str,
        method: str,
        path: str,
        body: object,
        read: Callable[[bytes], Result],
        token: str | None = None,
    ) -> Result:
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        status = None
        try:
            if time.monotonic() < self._not_before.get(operation, 0.0):
                raise GatewayError(operation, "the gateway asked us to wait", 429)
            answer = self._send(method, self.base_url + path, headers, body)
            status = answer.status
            if status == 429:
                self._not_before[operation] = time.monotonic() + _retry_after(answer)
            if status != 200:
                raise GatewayError(operation, f"HTTP {status}", status, answer.body.decode(errors="replace"))
            try:
                result = read(answer.body)
            except (ValueError, RecursionError) as error:
                # A token answer may hold a token that we could not read: its body stays out of the error and the log.
                text = "" if operation == "token" else answer.body.decode(errors="replace")
                raise GatewayError(operation, f"not the answer we expect: {error}", status, text) from error
        except CallFailed as failure:
            silence = GatewayError(operation, "no answer", None, str(failure))
            self._log_failure(about, silence, token)
            raise silence from failure
        except GatewayError as error:
            self._log_failure(about, error, token)
            raise
        log.info("gateway %s %s -> HTTP %s %r", operation, about, status, result)
        return result

    def _send(self, method: str, url: str, headers: dict[str, str], body: object) -> Answer:
        return call(method, url, headers, body, seconds=self.time_limit, max_bytes=self.max_bytes)

    def _log_failure(self, about: str, error: GatewayError, token: str | None) -> None:
        detail = error.detail
        for secret in (self.client_id, self.secret_key, token):
            if secret:
                detail = detail.replace(secret, "***")  # an error text may quote what it was sent
        log.warning("gateway %s %s -> failed: %s, %s", error.operation, about, error.reason, json.dumps(detail[:300]))

    def _read_payment(self, body: bytes) -> NewPayment:
        data = _data(body)
        token, url = _text(data, "token", r"[\w.-]{1,255}"), _text(data, "payment_url", r"[!-~]{1,2000}")
        if urlsplit(url).scheme != urlsplit(self.base_url).scheme or not urlsplit(url).netloc:
            raise ValueError("payment_url is no address to send a customer to")
        return NewPayment(token, url)


def _envelope(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, empty if it is none. Numbers keep their digits: money is no float."""
    try:
        answer = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _data(body: bytes) -> dict[str, Any]:
    """{"message": {"code": 200, "success": [...]}, "data": {...}, "type": "success"} -> its data."""
    envelope = _envelope(body)
    message, data = envelope.get("message"), envelope.get("data")
    if envelope.get("type") != "success" or not isinstance(message, dict) or message.get("code") != 200:
        raise ValueError("no success envelope")
    if not isinstance(data, dict):
        raise ValueError("no data")
    return data


def _text(data: dict[str, Any], name: str, pattern: str = r".{1,2000}") -> str:
    value = data.get(name)
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        raise ValueError(f"{name} is missing or of the wrong type")
    return value


def _read_token(body: bytes) -> AccessToken:
    data = _data(body)
    seconds = data.get("expire_time")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, Decimal)) or not 0 < seconds < 10**9:
        raise ValueError("expire_time is missing or of the wrong type")
    return AccessToken(_text(data, "access_token", r"[!-~]{1,4096}"), float(seconds))


def _read_status(payment_token: str, body: bytes) -> PaymentStatus:
    data = _data(body)
    if data.get("token") != payment_token:
        raise ValueError("about another payment")
    paid, status, trx_id = data.get("paid"), _text(data, "status"), data.get("trx_id")
    if not isinstance(paid, bool) or not isinstance(trx_id, (str, type(None))):
        raise ValueError("paid or trx_id is of the wrong type")
    if not paid:
        return PaymentStatus(payment_token, status, paid)
    custom, currency = _text(data, "custom"), _text(data, "currency")
    return PaymentStatus(payment_token, status, paid, custom, _money(data.get("amount")), currency, trx_id)


def _money(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError("amount is missing or of the wrong type")
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise ValueError("amount is no number") from None
    if not amount.is_finite():
        raise ValueError("amount is no number")
    return amount


def _retry_after(answer: Answer) -> float:
    """Seconds to wait: the header holds a number or a date. At least one, at most an hour."""
    value = answer.headers.get("Retry-After", "").strip()
    try:
        seconds = float(value) if value.isdigit() else parsedate_to_datetime(value).timestamp() - time.time()
    except ValueError:
        seconds = 1.0
    return min(max(seconds, 1.0), 3600.0)
