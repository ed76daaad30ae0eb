"""Tell a person: a log line at ERROR level and, where one is configured, a webhook. Never at a customer's expense."""

import logging
import queue
import threading
from collections import Counter

import requests

log = logging.getLogger("shop.alerts")


class Alerts:
    errors_in_a_row = 3

    def __init__(self, webhook_url: str) -> None:
        self._errors: Counter[str] = Counter()  # operation -> errors since it last worked
        self._lock = threading.Lock()
        self._outbox: queue.Queue[str] = queue.Queue(maxsize=100)
        self._webhook_url = webhook_url
        threading.Thread(target=self._deliver, daemon=True).start()

    def payment_call(self, operation: str, *, worked: bool, reason: str = "") -> None:
        with self._lock:
            self._errors[operation] = 0 if worked else self._errors[operation] + 1
            alarm = self._errors[operation] == self.errors_in_a_row
            if alarm:
                self._errors[operation] = 0
        if alarm:
            self.send(f"{self.errors_in_a_row} payment errors in a row ({operation}); the last one: {reason}")

    def send(self, text: str) -> None:
        log.error("ALERT %s", text)
        try:
            self._outbox.put_nowait(text)
        except queue.Full:
            log.error("the alert webhook is behind, this alert is in the log only")

    def _deliver(self) -> None:
        while True:
            text = self._outbox.get()
            if not self._webhook_url:
                continue
            try:
                requests.post(self._webhook_url, json={"text": text}, timeout=10).raise_for_status()
            except requests.RequestException as error:
                log.error("the alert webhook does not work: %s", type(error).__name__)
