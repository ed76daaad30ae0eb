"""The shop's orders and their payments, in SQLite. Every change of state is one conditional UPDATE in a transaction.

order:    new -> pending -> paid, held (a person has to look) or cancelled; everything but paid can still become paid
payment:  open -> paid or held; what the gateway calls expired or cancelled stays open, it may turn out to be paid
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY, amount TEXT NOT NULL, currency TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'new', shipments INTEGER NOT NULL DEFAULT 0, note TEXT);
CREATE TABLE IF NOT EXISTS payments (
    token TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders, url TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open', created REAL NOT NULL);
"""


@dataclass(frozen=True)
class Order:
    id: str
    amount: str
    currency: str
    status: str
    shipments: int
    note: str | None


@dataclass(frozen=True)
class Payment:
    token: str
    url: str
    state: str
    created: float

    @property
    def age(self) -> float:
        return time.time() - self.created


class Orders:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(folder / "shop.sqlite", timeout=10, check_same_thread=False)
        self._db.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._db:
            yield self._db

    def place(self, order_id: str, amount: str, currency: str) -> Order:
        """The order, made now if it is new. An existing one keeps its amount and currency."""
        with self.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO orders (id, amount, currency) VALUES (?, ?, ?)", (order_id, amount, currency)
            )
        order = self.find(order_id)
        assert order is not None
        return order

    def find(self, order_id: str) -> Order | None:
        with self.transaction() as db:
            row = db.execute(
                "SELECT id, amount, currency, status, shipments, note FROM orders WHERE id = ?", (order_id,)
            ).fetchone()
        return Order(*row) if row else None

    def payments(self, order_id: str) -> list[Payment]:
        """All payments of the order, newest first."""
        with self.transaction() as db:
            rows = db.execute(
                "SELECT token, url, state, created FROM payments WHERE order_id = ? ORDER BY created DESC", (order_id,)
            ).fetchall()
        return [Payment(*row) for row in rows]

    def add_payment(self, order_id: str, token: str, url: str) -> None:
        with self.transaction() as db:
            db.execute(
                "INSERT INTO payments (token, order_id, url, created) VALUES (?, ?, ?, ?)",
                (token, order_id, url, time.time()),
            )
            db.execute(
                "UPDATE orders SET status = 'pending' WHERE id = ? AND status IN ('new', 'cancelled')", (order_id,)
            )

    def cancel(self, order_id: str) -> None:
        with self.transaction() as db:
            db.execute("UPDATE orders SET status = 'cancelled' WHERE id = ? AND status = 'pending'", (order_id,))

    def pay(self, order_id: str, payment_token: str) -> bool:
        """Book a payment. False when the order was paid by another one before: somebody has to give money back."""
        with self.transaction() as db:
            if not self._settle(db, payment_token, "paid"):
                return True  # another request was quicker with this same payment
            if self.ship(db, order_id):
                return True
            db.execute("UPDATE orders SET note = 'double payment' WHERE id = ?", (order_id,))
            return False

    def hold(self, order_id: str, payment_token: str, note: str) -> None:
        """Money came, but not what was asked for: nothing is shipped until a person has looked."""
        with self.transaction() as db:
            if self._settle(db, payment_token, "held"):
                db.execute(
                    "UPDATE orders SET status = 'held', note = ? WHERE id = ? AND status <> 'paid'", (note, order_id)
                )

    @staticmethod
    def ship(db: sqlite3.Connection, order_id: str) -> bool:
        """Mark as paid and send the goods, once: of six customers' tabs that return together, one gets True."""
        done = db.execute(
            "UPDATE orders SET status = 'paid', shipments = shipments + 1 WHERE id = ? AND status <> 'paid'",
            (order_id,),
        )
        return done.rowcount == 1

    @staticmethod
    def _settle(db: sqlite3.Connection, payment_token: str, state: str) -> bool:
        done = db.execute("UPDATE payments SET state = ? WHERE token = ? AND state = 'open'", (state, payment_token))
        return done.rowcount == 1
