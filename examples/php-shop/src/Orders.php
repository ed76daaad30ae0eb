<?php

declare(strict_types=1);

/**
 * The order book. An order is new, pending, paid, held (a person must look) or cancelled (which is not final: the
 * payment may still be paid in another tab). Its payments are open, closed, paid or held.
 */
class Orders
{
    private readonly PDO $db;

    public function __construct(string $file)
    {
        $this->db = new PDO("sqlite:$file", options: [
            PDO::ATTR_TIMEOUT => 10, // seconds to wait for another process
            PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
        ]);
        $this->db->exec("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, amount TEXT, currency TEXT,
            status TEXT DEFAULT 'new', shipments INTEGER DEFAULT 0, note TEXT);
            CREATE TABLE IF NOT EXISTS payments (token TEXT PRIMARY KEY, order_id TEXT, url TEXT, opened INTEGER,
            state TEXT DEFAULT 'open', trx_id TEXT)");
    }

    public function find(string $id): ?array
    {
        return $this->run('SELECT * FROM orders WHERE id = ?', $id)->fetch() ?: null;
    }

    /** The order as it was booked first; the caller compares. */
    public function open(string $id, string $amount, string $currency): array
    {
        $this->run('INSERT OR IGNORE INTO orders (id, amount, currency) VALUES (?, ?, ?)', $id, $amount, $currency);
        return $this->find($id);
    }

    /** Payments that may yet turn out to be paid, newest first. Also closed ones: a second tab may have been open. */
    public function unsettled(string $id): array
    {
        return $this->run("SELECT * FROM payments WHERE order_id = ? AND state IN ('open', 'closed')
            ORDER BY opened DESC, rowid DESC", $id)->fetchAll();
    }

    /** The address of a hosted page on which the order can still be paid. */
    public function openPage(string $id, int $youngerThan): ?string
    {
        return $this->run("SELECT url FROM payments WHERE order_id = ? AND state = 'open' AND opened > ?
            ORDER BY opened DESC, rowid DESC", $id, time() - $youngerThan)->fetchColumn() ?: null;
    }

    /** False when the gateway gave us a payment that we already know: two orders must never share one. */
    public function addPayment(string $id, string $token, string $url): bool
    {
        return $this->run('INSERT OR IGNORE INTO payments (token, order_id, url, opened) VALUES (?, ?, ?, ?)',
            $token, $id, $url, time())->rowCount() === 1;
    }

    public function pending(string $id): void
    {
        $this->run("UPDATE orders SET status = 'pending' WHERE id = ? AND status IN ('new', 'cancelled')", $id);
    }

    public function cancel(string $id): void
    {
        $this->run("UPDATE orders SET status = 'cancelled' WHERE id = ? AND status IN ('new', 'pending')", $id);
    }

    public function close(string $token): void
    {
        $this->run("UPDATE payments SET state = 'closed' WHERE token = ? AND state = 'open'", $token);
    }

    /** Money came, but not what was asked for: nothing is shipped until a person has looked. */
    public function hold(string $id, string $token, string $note): void
    {
        $this->run("UPDATE payments SET state = 'held' WHERE token = ? AND state <> 'paid'", $token);
        $this->run("UPDATE orders SET status = 'held', note = ? WHERE id = ? AND status <> 'paid'", $note, $id);
    }

    /**
     * Books a payment that the gateway has confirmed. When six requests find out at once, one of them gets 'paid' and
     * ships, the others 'known'. Another payment of an order that is already paid is 'double payment'.
     */
    public function settle(string $id, string $token, ?string $transaction): string
    {
        $this->db->exec('BEGIN IMMEDIATE');
        $claimed = $this->run("UPDATE payments SET state = 'paid', trx_id = ? WHERE token = ? AND state <> 'paid'",
            $transaction, $token)->rowCount() === 1;
        $shipped = $claimed && $this->ship($id);
        if ($claimed && !$shipped) {
            $this->run("UPDATE orders SET note = 'double payment' WHERE id = ?", $id);
        }
        $this->db->exec('COMMIT');
        return $shipped ? 'paid' : ($claimed ? 'double payment' : 'known');
    }

    /** Marks an order paid and sends the goods, once. */
    public function ship(string $id): bool
    {
        return $this->run("UPDATE orders SET status = 'paid', shipments = shipments + 1
            WHERE id = ? AND status <> 'paid'", $id)->rowCount() === 1;
    }

    private function run(string $sql, string|int|null ...$values): PDOStatement
    {
        $statement = $this->db->prepare($sql);
        $statement->execute($values);
        return $statement;
    }
}
