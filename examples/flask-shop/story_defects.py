"""The same shop with a mistake that shows only in a longer story: SHOP_DEFECT=NAME python story_defects.py.

Each of them passes every probe of `payproof run`: it takes two payments, two orders, a restart or a second failure, in
the right order, before it does harm. `payproof explore` finds them. The names are in story-defects.toml, and what a
hurried programmer may have thought stands here. Do not copy from here.
"""

import os
import sys
from decimal import Decimal

import flask

import app
from gateway import Gateway, NewPayment
from orders import Orders, Payment
from shop import Shop


class SessionShop(Shop):
    """A shop that remembers something in the customer's cookie, as many do."""

    @property
    def memory(self):
        return flask.session


# Two payments of one order


class CancelledSiblingVoids(Shop):
    """The order has the state of the payment that was asked about last."""

    def verify(self, order):
        answers, verified = super().verify(order)
        if any(answer.status == "CANCELLED" for answer in answers.values()):
            with self.orders.transaction() as db:
                db.execute("UPDATE orders SET status = 'cancelled' WHERE id = ?", (order.id,))
        return answers, verified


class ReplacedPaymentDeleted(Orders):
    """One payment for each order is enough: a new one takes the place of the one before."""

    def add_payment(self, order_id, token, url):
        with self.transaction() as db:
            db.execute("DELETE FROM payments WHERE order_id = ?", (order_id,))
        super().add_payment(order_id, token, url)


class DoublePaymentUnseen(Orders):
    """Paid is paid: whoever pays a second time changes nothing."""

    def pay(self, order_id, payment_token):
        with self.transaction() as db:
            if self._settle(db, payment_token, "paid"):
                self.ship(db, order_id)
        return True


class RenewalLosesSecondPayment(Gateway):
    """A create after a renewal is the repetition of the one before it: the order's payment is the one noted then."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.noted = {}

    def create(self, order_id, *args, **kwargs):
        new = super().create(order_id, *args, **kwargs)
        token, renewals = self.noted.setdefault(order_id, (new.token, self._renewals))
        return NewPayment(token if self._renewals > renewals else new.token, new.url)


class KeepsKnownToken(Orders):
    """Goes with it: a token that is there already is not inserted again."""

    def add_payment(self, order_id, token, url):
        if all(payment.token != token for payment in self.payments(order_id)):
            super().add_payment(order_id, token, url)


class CartMergedAfterCancel(Shop):
    """After a cancel the cart is put back; the checkout then adds it to what the order holds already."""

    def send_to_payment(self, order):
        answers, _ = self.verify(order)
        if any(answer.status == "CANCELLED" for answer in answers.values()):
            double = f"{Decimal(order.amount) * 2:.2f}"
            with self.orders.transaction() as db:
                db.execute("UPDATE orders SET amount = ? WHERE id = ?", (double, order.id))
            order = self.reload(order)
        return super().send_to_payment(order)


# Coming back twice


class LateCancelWins(Shop):
    """Whoever opens the cancel page wants to cancel."""

    def cancelled(self, order):
        page = super().cancelled(order)
        with self.orders.transaction() as db:
            db.execute("UPDATE orders SET status = 'cancelled' WHERE id = ?", (order.id,))
        return page


class CancelShipsAgain(Shop):
    """Paid in another tab, says the gateway: then the goods go out at last."""

    def cancelled(self, order):
        for payment in self.orders.payments(order.id):
            if self.gateway.status(payment.token, order.id).paid:
                with self.orders.transaction() as db:
                    db.execute("UPDATE orders SET status = 'paid', shipments = shipments + 1 WHERE id = ?", (order.id,))
        return super().cancelled(order)


class RefusedIsFinal(Shop):
    """The gateway has refused this order, so there is nothing left to ask."""

    def returned(self, order, query):
        if query.get("type") == "error":
            with self.orders.transaction() as db:
                db.execute("UPDATE orders SET status = 'failed' WHERE id = ? AND status = 'pending'", (order.id,))
        return super().returned(order, query)

    def verify(self, order):
        return ({}, True) if self.reload(order).status == "failed" else super().verify(order)


class LateSuccessBelieved(Shop):
    """A cancelled payment that is paid after all: the gateway still says cancelled for a while, so believe the customer."""

    def confirm(self, order, query):
        verified = super().confirm(order, query)
        if self.reload(order).status == "cancelled" and query.get("type") == "success":
            with self.orders.transaction() as db:
                self.orders.ship(db, order.id)
        return verified


# A gateway that fails, a process that ends


class FailedAfterSecondCheck(Shop):
    """Two checks that fail are a failed payment."""

    def __init__(self, *args):
        super().__init__(*args)
        self.failures = {}

    def verify(self, order):
        if self.failures.get(order.id, 0) > 1:
            return {}, True
        answers, verified = super().verify(order)
        if not verified:
            self.failures[order.id] = self.failures.get(order.id, 0) + 1
        if self.failures.get(order.id, 0) > 1:
            with self.orders.transaction() as db:
                db.execute("UPDATE orders SET status = 'failed' WHERE id = ? AND status <> 'paid'", (order.id,))
        return answers, verified


class RestartForgetsPending(Orders):
    """What is not paid yet is not worth a row in the database."""

    def __init__(self, folder):
        super().__init__(folder)
        with self.transaction() as db:
            db.execute("DELETE FROM payments WHERE state = 'open'")


# Two orders of one customer


class SessionRemembersOrder(SessionShop):
    """The cookie says which order this is about: no need to trust the number in the address."""

    def checkout(self, form):
        self.memory["order"] = form.get("order_id")
        return super().checkout(form)

    def returned(self, order, query):
        return super().returned(self.orders.find(self.memory.get("order", "")) or order, query)


class SessionRemembersPayment(SessionShop):
    """Back and Pay again must not open a second payment: the cookie knows the one that is open."""

    def reusable(self, order, answers):
        found = super().reusable(order, answers)
        if found is None and (kept := self.memory.get("payment")) and not self.gateway.status(kept[0], order.id).paid:
            found = Payment(kept[0], kept[1], "open", 0.0)
        return found

    def send_to_payment(self, order):
        answer = super().send_to_payment(order)
        if payments := self.orders.payments(order.id):
            self.memory["payment"] = (payments[0].token, payments[0].url)
        return answer


def with_cookies(made):
    made.secret_key = os.urandom(16)
    return made


DEFECTS: dict[str, dict[str, object]] = {
    "cancelled-sibling-voids": {"shop_class": CancelledSiblingVoids},
    "replaced-payment-deleted": {"orders_class": ReplacedPaymentDeleted},
    "double-payment-unseen": {"orders_class": DoublePaymentUnseen},
    "renewal-loses-second-payment": {"gateway_class": RenewalLosesSecondPayment, "orders_class": KeepsKnownToken},
    "cart-merged-after-cancel": {"shop_class": CartMergedAfterCancel},
    "late-cancel-wins": {"shop_class": LateCancelWins},
    "cancel-ships-again": {"shop_class": CancelShipsAgain},
    "refused-is-final": {"shop_class": RefusedIsFinal},
    "late-success-believed": {"shop_class": LateSuccessBelieved},
    "failed-after-second-check": {"shop_class": FailedAfterSecondCheck},
    "restart-forgets-pending": {"orders_class": RestartForgetsPending},
    "session-remembers-order": {"shop_class": SessionRemembersOrder},
    "session-remembers-payment": {"shop_class": SessionRemembersPayment},
}


if __name__ == "__main__":
    name = os.environ.get("SHOP_DEFECT", "")
    if name not in DEFECTS:
        sys.exit(f"SHOP_DEFECT={name!r} is none of: {', '.join(DEFECTS)}")
    chosen = dict(DEFECTS[name])
    app.Orders = chosen.pop("orders_class", Orders)
    make = app.make_app
    app.make_app = lambda shop: with_cookies(make(shop))
    app.main(**chosen)
