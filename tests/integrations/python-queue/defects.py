"""The same shop with one mistake: SHOP_DEFECT=NAME python defects.py. defects.toml tells what each one breaks."""

import copy
import json
import logging
import os
import secrets
import ssl
import sys
import time

import shop
import worker
from gateway import Gateway

log = logging.getLogger("mistake")
SHOPS, WORKERS, GATEWAYS = {}, {}, {}


def mistake(name, table):
    def keep(cls):
        table[name] = cls
        return cls
    return keep


@mistake("paid-in-the-text", WORKERS)
class PaidInTheText(worker.Worker):
    @staticmethod
    def is_paid(answer):
        return "paid" in json.dumps(answer)


@mistake("tight-loop", WORKERS)
class TightLoop(worker.Worker):
    def work(self, job):
        while True:
            try:
                self.gateway.status(job["token"])
                break
            except worker.Trouble as trouble:
                log.error("order %s could not be verified: %s", job["number"], trouble)
        super().work(job)


@mistake("drops-the-job", WORKERS)
class DropsTheJob(worker.Worker):
    def failed(self, job, trouble):
        log.error("order %s could not be verified, giving it up: %s", job["number"], trouble)
        self.books.done(job["token"], "lost")


@mistake("any-certificate-for-a-look", WORKERS)
class AnyCertificateForALook(worker.Worker):
    def __init__(self, books, gateway):
        super().__init__(books, gateway)
        looking = copy.copy(gateway)
        looking._context = ssl._create_unverified_context()

        def send(method, path, *more, **named):
            return Gateway.send(looking if path.startswith("/payment/status") else gateway, method, path, *more, **named)

        gateway.send = send


@mistake("both-ship", SHOPS)
class BothShip(shop.Shop):
    def back(self, web, number):
        super().back(web, number)
        with self.books.open() as db:
            db.execute("UPDATE orders SET parcels = parcels + 1 WHERE number = ? AND state = 'paid'", (number,))


@mistake("job-from-the-address", SHOPS)
class JobFromTheAddress(shop.Shop):
    def back(self, web, number):
        for token in web.query.get("data[token]", []):
            with self.books.open() as db:
                db.execute("INSERT OR REPLACE INTO payments VALUES (?, ?, '', 'open', ?)", (token, number, time.time()))
                db.execute("INSERT OR REPLACE INTO jobs (token, due) VALUES (?, ?)", (token, time.time()))
        super().back(web, number)


@mistake("job-from-the-address", WORKERS)
class NobodysPayment(worker.Worker):
    def mismatch(self, order, answer):
        return super().mismatch(order, {**answer, "custom": order["number"]})


@mistake("whole-units", WORKERS)
class WholeUnits(worker.Worker):
    def enough(self, order, answer):
        return int(float(answer["amount"])) >= int(float(order["price"]))


@mistake("names-the-basket", SHOPS)
class NamesTheBasket(shop.Shop):
    def custom(self, order, session):
        return f"basket-{session[:10]}"


@mistake("names-the-basket", WORKERS)
class KnowsTheBasket(worker.Worker):
    def custom(self, order):
        basket = self.books.one("SELECT session FROM baskets WHERE number = ?", order["number"])
        return f"basket-{basket['session'][:10]}"


@mistake("guard-only", SHOPS)
class GuardOnly(shop.Shop):
    def __init__(self, books, gateway, public):
        super().__init__(books, gateway, public)
        books.begin_opening = lambda number: True

    def open_payments(self, number):
        return None

    def pay(self, web):
        super().pay(web)
        with self.books.open() as db:  # the form is used up
            db.execute("UPDATE baskets SET guard = ? WHERE session = ?", (secrets.token_urlsafe(16), web.session))


@mistake("leaves-renewal-to-the-worker", GATEWAYS)
class LeavesRenewal(Gateway):
    def renew(self, stale):
        time.sleep(0.3)  # the worker is certainly doing it
        return self.token()


@mistake("cancelled-is-the-end", SHOPS)
class SaysGoodbye(shop.Shop):
    def back(self, web, number):
        if "type" in web.query:
            super().back(web, number)
        else:
            with self.books.open() as db:  # the worker looks a second later
                mine = "token IN (SELECT token FROM payments WHERE number = ?)"
                db.execute(f"UPDATE jobs SET due = ? WHERE {mine}", (time.time() + 1, number))
            web.show(200, "You left", "Nothing was taken. You may start again.")


@mistake("cancelled-is-the-end", WORKERS)
class EndsWithCancelled(worker.Worker):
    """Finds out at its next look, a second after the customer left."""

    def is_paid(self, answer):
        if answer.get("status") == "CANCELLED":
            answer["status"] = "FAILED"
        return super().is_paid(answer)


if __name__ == "__main__":
    name = os.environ["SHOP_DEFECT"]
    if sys.argv[1:2] == ["worker"]:
        worker.start(WORKERS.get(name, worker.Worker))
    else:
        arguments = ["worker"]
        if name == "settings-on-the-command-line":
            arguments += ["--id", os.environ["PAY_CLIENT_ID"], "--key", os.environ["PAY_SECRET_KEY"]]
            print("starting", sys.executable, *arguments, flush=True)
        elif name not in {**SHOPS, **WORKERS, **GATEWAYS}:
            sys.exit(f"{name} is no mistake of defects.py")
        shop.start(SHOPS.get(name, shop.Shop), GATEWAYS.get(name, Gateway), "defects.py", arguments)
