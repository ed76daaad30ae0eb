"""The worker beside the web process: it alone asks the gateway what became of payments, and books what it hears."""

import logging
import os
import sys
import threading
import time
from decimal import Decimal, InvalidOperation

from books import Books
from gateway import Gateway, Trouble

log = logging.getLogger("worker")
HANDS = 6  # one slow answer must not keep the others waiting
PAUSES = (1, 2, 4, 8, 15, 30, 60)
GIVE_UP = 45 * 60


class Worker:
    def __init__(self, books, gateway):
        self.books, self.gateway = books, gateway

    def run(self):
        for _ in range(HANDS):
            threading.Thread(target=self.hand, daemon=True).start()
        sys.stdin.read()  # ends when the web process does
        os._exit(0)

    def hand(self):
        while True:
            try:
                if job := self.books.claim():
                    self.work(job)
                else:
                    time.sleep(0.1)
            except Exception:
                log.exception("the worker stumbled")
                time.sleep(1)

    def work(self, job):
        token, number = job["token"], job["number"]
        try:
            answer = self.gateway.status(token)
        except Trouble as trouble:
            self.failed(job, trouble)
            return
        log.info("payment %s of order %s: %s, transaction %s", token, number, answer.get("status"), answer.get("trx_id"))
        if self.is_paid(answer):
            self.book(job, answer)
        elif answer.get("status") in ("EXPIRED", "FAILED") or self.old(token):
            self.books.done(token, "closed")
        else:
            self.books.later(token, 5)

    def failed(self, job, trouble):
        log.error("order %s could not be verified: %s", job["number"], trouble)
        self.books.later(job["token"], trouble.wait or PAUSES[min(job["tries"], len(PAUSES) - 1)])

    def old(self, token):
        payment = self.books.one("SELECT opened FROM payments WHERE token = ?", token)
        return payment is None or payment["opened"] < time.time() - GIVE_UP

    @staticmethod
    def is_paid(answer):
        return answer.get("paid") is True

    def book(self, job, answer):
        number = job["number"]
        with self.books.open() as db:
            first = db.execute("UPDATE payments SET state = 'paid' WHERE token = ? AND state <> 'paid'", (job["token"],)).rowcount
            order = db.execute("SELECT * FROM orders WHERE number = ?", (number,)).fetchone()
            db.execute("DELETE FROM jobs WHERE token = ?", (job["token"],))
            if not first:
                return
            if self.mismatch(order, answer):
                note = "the payment does not match the order"
                db.execute("UPDATE orders SET note = ?, state = CASE state WHEN 'paid' THEN 'paid' ELSE 'held' END WHERE number = ?", (note, number))
            elif order["state"] == "waiting":
                note = ""
                db.execute("UPDATE orders SET state = 'paid', parcels = parcels + 1 WHERE number = ?", (number,))
            else:
                note = "paid twice"
                db.execute("UPDATE orders SET note = ? WHERE number = ?", (note, number))
        if note:
            log.error("order %s needs a person: %s", number, note)

    def custom(self, order):
        return order["number"]

    def mismatch(self, order, answer):
        return answer.get("custom") != self.custom(order) or answer.get("currency") != order["currency"] or not self.enough(order, answer)

    def enough(self, order, answer):
        try:
            return Decimal(str(answer.get("amount"))) >= Decimal(order["price"])
        except InvalidOperation:
            return False


def start(make=Worker, speak=Gateway):
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s worker[%(process)d] %(levelname)s %(message)s")
    env = os.environ
    make(Books(env["DATA_DIR"]), speak(env["PAY_BASE_URL"], env["PAY_CLIENT_ID"], env["PAY_SECRET_KEY"])).run()


if __name__ == "__main__":
    start()
