"""The payment gateway, over http.client: one call with one limit for the whole of it, and a token for this process."""

import contextlib
import http.client
import json
import logging
import socket
import ssl
import threading
import time
from urllib.parse import quote, urlsplit

log = logging.getLogger("gateway")
LIMIT, LONGEST = 25.0, 64 * 1024


class Trouble(Exception):
    """No answer that can be used. ``wait``: seconds that the gateway asked us to wait. The text is for our log."""

    def __init__(self, text, wait=0.0):
        super().__init__(text)
        self.wait = wait


class Gateway:
    def __init__(self, base, client_id, secret_key):
        self.address = urlsplit(base.rstrip("/"))
        self._credentials = {"client_id": client_id, "secret_id": secret_key}
        self._context = ssl.create_default_context()
        self._renewal, self._token, self._until = threading.Lock(), None, 0.0
        self._quiet_until = 0.0

    # One call.

    def send(self, method, path, token=None, body=None):
        if (wait := self._quiet_until - time.monotonic()) > 0:
            raise Trouble("the gateway asked us to wait", wait)
        headers = {"Accept": "application/json", "Connection": "close"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        content = None
        if body is not None:
            headers["Content-Type"], content = "application/json", json.dumps(body)
        secure = self.address.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        more = {"context": self._context} if secure else {}
        connection = kind(self.address.hostname, self.address.port, timeout=LIMIT, **more)
        late, sockets = threading.Event(), []
        timer = threading.Timer(LIMIT, self._cut, (sockets, late))
        timer.daemon = True
        timer.start()
        try:
            connection.connect()
            sockets.append(connection.sock)  # the connection forgets it as soon as the head of an answer is there
            connection.request(method, self.address.path + path, content, headers)
            answer = connection.getresponse()
            raw = answer.read(LONGEST + 1)
        except (OSError, http.client.HTTPException) as error:
            raise Trouble(f"{method} {path}: {type(error).__name__}") from error
        finally:
            timer.cancel()
            connection.close()
        if late.is_set() or len(raw) > LONGEST:
            raise Trouble(f"{method} {path}: {'time limit' if late.is_set() else 'too long'}")
        if answer.status == 429:
            self.rest(answer.headers.get("Retry-After", ""))
        return answer.status, raw

    @staticmethod
    def _cut(sockets, late):
        late.set()
        for each in sockets:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)

    def rest(self, retry_after):
        seconds = min(int(retry_after), 600) if retry_after.isdecimal() else 5
        self._quiet_until = time.monotonic() + seconds + 0.1

    # Tokens.

    def token(self, stale=None):
        with self._renewal:
            if self._token and self._token != stale and time.monotonic() < self._until:
                return self._token
            self._token = None
            data = self.believe(*self.send("POST", "/authentication/token", body=self._credentials))
            value, life = data.get("access_token"), data.get("expire_time")
            if not isinstance(value, str) or not value:
                raise Trouble("the token answer has no token")
            self._token = value
            self._until = time.monotonic() + (life if isinstance(life, int) and life > 60 else 60) - 30
            log.info("a new access token, good for %s s", life)
            return value

    def renew(self, stale):
        """After a 401."""
        return self.token(stale)

    def call(self, method, path, body=None):
        """Authenticate and send; after a 401 renew the token and send once more."""
        token = self.token()
        status, raw = self.send(method, path, token, body)
        if status == 401:
            status, raw = self.send(method, path, self.renew(token), body)
        log.info("%s %s answered %s: %s", method, path, status, raw[:3000].decode("utf-8", "replace"))
        return self.believe(status, raw)

    @staticmethod
    def believe(status, raw):
        """The data of an answer of HTTP 200 in the gateway's envelope."""
        if status != 200:
            raise Trouble(f"answered {status}")
        try:
            answer = json.loads(raw)
        except ValueError:
            raise Trouble("not JSON") from None
        if not isinstance(answer, dict) or answer.get("type") != "success" or not isinstance(answer.get("data"), dict):
            raise Trouble("not a success envelope")
        return answer["data"]

    # What the shop asks.

    def create(self, number, price, currency, back, cancel, custom):
        log.info("opening a payment: order %s, %s %s", number, price, currency)
        data = self.call("POST", "/payment/create", {
            "amount": price, "currency": currency, "return_url": back, "cancel_url": cancel, "custom": custom})
        token, url = data.get("token"), data.get("payment_url")
        if not (isinstance(token, str) and token and isinstance(url, str) and url.startswith(("https://", "http://"))):
            raise Trouble("the answer names no payment")
        return token, url

    def status(self, token):
        data = self.call("GET", f"/payment/status/{quote(token, safe='')}")
        if data.get("token") != token:
            raise Trouble("the answer is about another payment")
        return data
