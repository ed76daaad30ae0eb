"""Orders and their payments, kept in one JSON file that is written whole or not at all."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Payment:
    token: str
    url: str
    made: float = field(default_factory=time.time)
    settled: bool = False


@dataclass
class Order:
    id: str
    amount: str
    currency: str
    status: str = "new"
    shipments: int = 0
    note: str | None = None
    payments: list[Payment] = field(default_factory=list[Payment])


class Orders:
    """One thread uses it, and nothing here awaits: what a method does, it does at once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "orders.json"
        self.known: dict[str, Order] = {}
        if self.file.exists():
            for raw in json.loads(self.file.read_text()):
                payments = [Payment(**payment) for payment in raw.pop("payments")]
                self.known[raw["id"]] = Order(**raw, payments=payments)

    def get(self, order: str) -> Order | None:
        return self.known.get(order)

    def place(self, order: str, amount: str, currency: str) -> Order:
        return self.known.setdefault(order, Order(order, amount, currency))

    def opened(self, order: Order, payment: Payment) -> None:
        order.payments.append(payment)
        if order.status != "paid":
            order.status = "pending"
        self.save()

    def pay(self, order: Order, payment: Payment | None) -> bool:
        """Book a payment; False if the order was paid by another one before."""
        if payment is not None:
            if payment.settled:
                return True
            payment.settled = True
        first = order.status != "paid"
        if first:
            order.status, order.shipments = "paid", order.shipments + 1
        else:
            order.note = "double payment"
        self.save()
        return first

    def hold(self, order: Order, payment: Payment, note: str) -> None:
        payment.settled = True
        if order.status != "paid":
            order.status, order.note = "held", note
        self.save()

    def cancel(self, order: Order) -> None:
        if order.status == "pending":
            order.status = "cancelled"
            self.save()

    def save(self) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps([asdict(order) for order in self.known.values()]))
        os.replace(fresh, self.file)
