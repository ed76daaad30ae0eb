"""The shop: what happens when a customer wants to pay, comes back, or gives up.

The rule behind everything here: the customer's way back proves nothing. An order is paid when the gateway says so,
to this server, about a payment that this shop opened for this order, with the right amount and currency.
"""

import re
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from secrets import randbelow
from weakref import WeakValueDictionary

from flask import Response, redirect, render_template

from alerts import Alerts
from gateway import Gateway, GatewayError, PaymentStatus
from orders import Order, Orders, Payment
from settings import Settings

CURRENCIES = ("XAF", "USD", "EUR")


class Shop:
    reuse_seconds = 500  # a hosted page lives 600 s; a customer needs some of it to pay

    def __init__(self, settings: Settings, gateway: Gateway, orders: Orders, alerts: Alerts) -> None:
        self.settings, self.gateway, self.orders, self.alerts = settings, gateway, orders, alerts
        self._locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._locks_guard = threading.Lock()

    # What we tell the gateway about an order.

    def custom(self, order_id: str) -> str:
        return order_id

    def return_url(self, order_id: str) -> str:
        return f"{self.settings.public_url}/return/{order_id}"

    def cancel_url(self, order_id: str) -> str:
        return f"{self.settings.public_url}/cancel/{order_id}"

    # The customer wants to pay.

    def checkout(self, form: Mapping[str, object]) -> Response:
        # In a real shop the amount comes from the shop's own basket, never from the browser.
        order_id, amount, currency = (form.get(name) for name in ("order_id", "amount", "currency"))
        if not (
            isinstance(order_id, str)
            and re.fullmatch(r"[0-9]{1,32}", order_id)
            and isinstance(amount, str)
            and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", amount)
            and Decimal(amount) > 0
            and currency in CURRENCIES
        ):
            return self.page(400, "That did not work", "We cannot take this order number, amount or currency.")
        amount = f"{Decimal(amount):.2f}"
        with self.order_lock(order_id):  # a double click is two requests at once
            order = self.orders.place(order_id, amount, currency)
            if (order.amount, order.currency) != (amount, currency):
                return self.page(409, "Please check your order", f"Order {order_id} has another amount or currency.")
            return self.refusal(order) or self.send_to_payment(order)

    def order_lock(self, order_id: str) -> AbstractContextManager[object]:
        with self._locks_guard:
            return self._locks.setdefault(order_id, threading.Lock())

    def refusal(self, order: Order) -> Response | None:
        """The page for an order that takes no (more) money."""
        if order.status == "paid":
            return self.page(409, "Already paid", f"Order {order.id} is paid. You do not need to pay again.")
        if order.status == "held":
            return self.held_page(order, 409)
        return None

    def send_to_payment(self, order: Order) -> Response:
        answers, _ = self.verify(order)  # an earlier payment may be paid although the customer never came back
        if refusal := self.refusal(self.reload(order)):
            return refusal
        if payment := self.reusable(order, answers):
            return redirect(payment.url, 303)
        try:
            new = self.gateway.create(
                order.id,
                order.amount,
                order.currency,
                return_url=self.return_url(order.id),
                cancel_url=self.cancel_url(order.id),
                custom=self.custom(order.id),
            )
        except GatewayError as error:
            self.alerts.payment_call("create", worked=False, reason=error.reason)
            return self.sorry(order, error)
        self.alerts.payment_call("create", worked=True)
        self.orders.add_payment(order.id, new.token, new.url)
        return redirect(new.url, 303)

    def reusable(self, order: Order, answers: Mapping[str, PaymentStatus]) -> Payment | None:
        """The newest payment, if the customer can still pay with it. One that cannot be asked about counts as open:
        a second one beside it could charge the customer twice."""
        payment = next(iter(self.orders.payments(order.id)), None)
        if payment is None or payment.state != "open" or payment.age > self.reuse_seconds:
            return None
        answer = answers.get(payment.token)
        return payment if answer is None or answer.open else None

    # What the gateway says about an order.

    def verify(self, order: Order) -> tuple[dict[str, PaymentStatus], bool]:
        """Ask about every payment of this order that is not settled, and book what is paid.

        Returns the answers by payment token, and whether all of them could be had.
        """
        answers: dict[str, PaymentStatus] = {}
        for payment in self.orders.payments(order.id):
            if payment.state != "open":
                continue
            try:
                answer = self.gateway.status(payment.token, order.id)
                self.settle(order, answer)
            except GatewayError as error:
                self.alerts.payment_call("status", worked=False, reason=error.reason)
                self.alerts.send(f"order {order.id}: a payment could not be verified ({error.reason})")
                return answers, False  # the next question would keep the customer waiting just as long
            self.alerts.payment_call("status", worked=True)
            answers[payment.token] = answer
        return answers, True

    def settle(self, order: Order, answer: PaymentStatus) -> None:
        if not answer.paid:
            return
        if answer.custom != self.custom(order.id):
            raise GatewayError("status", "the answer is about another order")
        if problem := self.mismatch(order, answer):
            self.orders.hold(order.id, answer.token, problem)
            self.alerts.send(f"order {order.id} is held: {problem}")
        elif not self.orders.pay(order.id, answer.token):
            self.alerts.send(f"order {order.id}: double payment, the second one is {answer.trx_id}")

    def mismatch(self, order: Order, answer: PaymentStatus) -> str | None:
        if answer.currency != order.currency:
            return "paid in another currency"
        if answer.amount < Decimal(order.amount):
            return "paid less than the order's amount"
        return None

    # The customer comes back.

    def returned(self, order: Order, query: Mapping[str, str]) -> Response:
        verified = self.confirm(order, query)
        return self.settled_page(self.reload(order)) or (
            self.page(
                200,
                "Not paid yet",
                f"We have no confirmation of a payment for order {order.id}.",
                "If you have just paid, please reload this page. Otherwise you can try again.",
                retry=order,
            )
            if verified
            else self.page(
                202,
                "We are checking your payment",
                f"We could not verify the payment of order {order.id} yet.",
                "If you have paid, you do not need to pay again: please reload this page in a minute.",
            )
        )

    def confirm(self, order: Order, query: Mapping[str, str]) -> bool:
        """Find out whether the order is paid; False when that could not be done.

        Anybody can write the query of the return URL. It is looked at for one thing only: to raise the alarm when
        it claims what the gateway does not confirm.
        """
        _, verified = self.verify(order)
        if verified and query.get("type") == "success" and self.reload(order).status in ("new", "pending", "cancelled"):
            self.alerts.send(f"order {order.id}: the return URL claims a payment that the gateway does not confirm")
        return verified

    def cancelled(self, order: Order) -> Response:
        _, verified = self.verify(order)  # it may be paid in another tab
        if verified:
            self.orders.cancel(order.id)  # no change if it is paid or held
        return self.settled_page(self.reload(order)) or self.page(
            200,
            "Payment cancelled",
            f"You left the payment of order {order.id}.",
            "If you have not paid, you can try again.",
            retry=order,
        )

    def reload(self, order: Order) -> Order:
        return self.orders.find(order.id) or order

    # Pages for people.

    def sorry(self, order: Order, error: GatewayError) -> Response:
        return self.page(
            503 if error.status == 429 else 502,
            "Payment is not possible right now",
            f"The payment service did not answer as it should. Your order {order.id} is kept.",
            "Please try again in a moment.",
            retry=order,
        )

    def settled_page(self, order: Order) -> Response | None:
        if order.status == "paid":
            return self.page(200, "Thank you!", f"Order {order.id} is paid and on its way to you.")
        return self.held_page(order, 200) if order.status == "held" else None

    def held_page(self, order: Order, status: int) -> Response:
        return self.page(
            status,
            "We are looking into your payment",
            f"Please contact us about order {order.id} before you pay again.",
        )

    def page(self, status: int, title: str, *lines: str, retry: Order | None = None) -> Response:
        return Response(render_template("page.html", title=title, lines=lines, retry=retry), status)

    def front_page(self) -> Response:
        return Response(render_template("front.html", order_id=10**9 + randbelow(9 * 10**9)))
