"""The books that web process and worker share: baskets, orders, payments, and the queue of jobs, in one SQLite file."""

import secrets
import sqlite3
import time
from contextlib import closing, contextmanager
from pathlib import Path

SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS baskets (session TEXT PRIMARY KEY, guard TEXT, price TEXT, currency TEXT, number TEXT);
CREATE TABLE IF NOT EXISTS orders (number TEXT PRIMARY KEY, price TEXT, currency TEXT, state TEXT DEFAULT 'waiting',
    note TEXT DEFAULT '', parcels INTEGER DEFAULT 0, opening REAL DEFAULT 0);
CREATE TABLE IF NOT EXISTS payments (token TEXT PRIMARY KEY, number TEXT, url TEXT, state TEXT DEFAULT 'open', opened REAL);
CREATE TABLE IF NOT EXISTS jobs (token TEXT PRIMARY KEY, due REAL, tries INTEGER DEFAULT 0, taken REAL DEFAULT 0,
    claimed REAL DEFAULT 0, asked INTEGER DEFAULT 0);
"""


class Books:
    def __init__(self, folder):
        self.file = str(Path(folder, "shop.db"))
        with closing(sqlite3.connect(self.file, timeout=20)) as db:
            db.executescript(SCHEMA)

    @contextmanager
    def open(self):
        """A transaction that no other one runs beside."""
        with closing(sqlite3.connect(self.file, timeout=20, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise

    def one(self, sql, *values):
        with closing(sqlite3.connect(self.file, timeout=20)) as db:
            db.row_factory = sqlite3.Row
            return db.execute(sql, values).fetchone()

    # Baskets.

    def fill(self, session, price, currency):
        with self.open() as db:
            db.execute("INSERT OR REPLACE INTO baskets VALUES (?, ?, ?, ?, NULL)", (session, secrets.token_urlsafe(16), price, currency))

    def basket(self, session):
        return self.one("SELECT * FROM baskets WHERE session = ?", session)

    def order_of(self, session):
        """The order that a basket became: a second click finds the one of the first."""
        with self.open() as db:
            basket = db.execute("SELECT * FROM baskets WHERE session = ?", (session,)).fetchone()
            number = basket["number"]
            if not number:
                number = f"Q{secrets.randbelow(10**9):09d}"
                db.execute("INSERT INTO orders (number, price, currency) VALUES (?, ?, ?)", (number, basket["price"], basket["currency"]))
                db.execute("UPDATE baskets SET number = ? WHERE session = ?", (number, session))
            return number

    # Orders and payments.

    def order(self, number):
        return self.one("SELECT * FROM orders WHERE number = ?", number)

    def begin_opening(self, number):
        """True for the one that may open a payment now; it has a minute for it."""
        with self.open() as db:
            done = db.execute("UPDATE orders SET opening = ? WHERE number = ? AND state = 'waiting' AND opening < ?",
                              (time.time(), number, time.time() - 60))
            return done.rowcount == 1

    def end_opening(self, number):
        with self.open() as db:
            db.execute("UPDATE orders SET opening = 0 WHERE number = ?", (number,))

    def open_payment(self, number):
        return self.one("SELECT * FROM payments WHERE number = ? AND state = 'open' AND opened > ? ORDER BY opened DESC",
                        number, time.time() - 480)

    def add_payment(self, number, token, url):
        with self.open() as db:
            db.execute("INSERT INTO payments (token, number, url, opened) VALUES (?, ?, ?, ?)", (token, number, url, time.time()))
            db.execute("INSERT INTO jobs (token, due) VALUES (?, ?)", (token, time.time() + 5))

    # The queue: a job for each payment that may still bring money.

    def hurry(self, number):
        """The customer is back: the worker looks at once. Tells how often it had asked before."""
        with self.open() as db:
            mine = "token IN (SELECT token FROM payments WHERE number = ?)"
            db.execute(f"UPDATE jobs SET due = ?, tries = 0 WHERE {mine}", (time.time(), number))
            return db.execute(f"SELECT COALESCE(SUM(asked), 0) FROM jobs WHERE {mine}", (number,)).fetchone()[0]

    def asked(self, number):
        return self.one("SELECT COALESCE(SUM(asked), 0) FROM jobs WHERE token IN (SELECT token FROM payments WHERE number = ?)", number)[0]

    def claim(self):
        """The next job that is due; nobody else gets it while its worker lives (a minute and a half at most)."""
        with self.open() as db:
            now = time.time()
            job = db.execute("SELECT jobs.*, payments.number FROM jobs JOIN payments USING (token) WHERE due <= ? AND taken < ? "
                             "ORDER BY due", (now, now - 90)).fetchone()
            if job:
                db.execute("UPDATE jobs SET taken = ?, claimed = ? WHERE token = ?", (now, now, job["token"]))
            return job

    def later(self, token, seconds):
        """Put the job back: next look in so many seconds, or at once when somebody asked for it meanwhile."""
        with self.open() as db:
            db.execute("UPDATE jobs SET taken = 0, tries = tries + 1, asked = asked + 1, "
                       "due = CASE WHEN due > claimed THEN due ELSE ? END WHERE token = ?", (time.time() + seconds, token))

    def done(self, token, state):
        """No more money will come from this payment."""
        with self.open() as db:
            db.execute("UPDATE payments SET state = ? WHERE token = ?", (state, token))
            db.execute("DELETE FROM jobs WHERE token = ?", (token,))

    def free_all(self):
        with self.open() as db:
            db.execute("UPDATE jobs SET taken = 0")
            db.execute("UPDATE orders SET opening = 0")
