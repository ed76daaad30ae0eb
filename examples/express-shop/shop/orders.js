import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The orders, one JSON file each, all of them in memory too.
 *
 * order:   { id, amount, currency, status, shipments, note, payments }
 *          status: new | pending | paid | held | cancelled; only paid and held are decisions
 * payment: { token, url, custom, createdAt, state, trxId }
 *          state:  open | cancelled | expired | paid | mismatch
 *
 * Methods are synchronous on purpose. Node runs one piece of code at a time, so nothing can come between a question
 * ("is it paid already?") and its consequence ("then ship"), as long as no await stands between the two.
 */
export class OrderStore {
  constructor(folder) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
    this.orders = new Map(
      files.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8"))).map((order) => [order.id, order]),
    );
  }

  get(id) {
    return this.orders.get(id);
  }

  all() {
    return [...this.orders.values()];
  }

  add({ id, amount, currency }) {
    const order = { id, amount, currency, status: "new", shipments: 0, note: null, payments: [] };
    this.orders.set(id, order);
    this.save(order);
    return order;
  }

  addPayment(order, { token, url, custom }) {
    const payment = { token, url, custom, createdAt: Date.now(), state: "open", trxId: null };
    order.payments.push(payment); // the earlier ones stay: somebody may still pay them
    this.setStatus(order, "pending");
    this.save(order); // also where the status stays the same: a restart must not forget a payment
    return payment;
  }

  /** Where the customer stands, by his own account. It never changes what has been decided. */
  setStatus(order, status) {
    if (order.status === status || order.status === "paid" || order.status === "held") return;
    order.status = status;
    this.save(order);
  }

  /**
   * Books what the gateway answered about one payment. Returns what happened if money came, else null.
   * Whoever comes second finds the payment settled, so an order is shipped once however many ask at the same time.
   */
  settle(order, payment, answer) {
    if (!isUnsettled(payment) || payment.state === answer.state) return null;
    payment.state = answer.state;
    const event = answer.state === "paid" ? this.book(order, payment, answer) : null;
    this.save(order);
    return event;
  }

  book(order, payment, answer) {
    payment.trxId = answer.trxId;
    const problem = shortfall(order, answer);
    if (problem) {
      payment.state = "mismatch";
      if (order.status !== "paid") order.status = "held"; // a person decides
      order.note = problem;
      return problem;
    }
    if (order.status === "paid") return (order.note = "double payment");
    order.status = "paid";
    order.shipments += 1;
    return "paid";
  }

  /** Whole file or no file: a crash in the middle leaves the old one. Written before the customer gets an answer. */
  save(order) {
    const file = join(this.folder, `${order.id}.json`);
    writeFileSync(`${file}.tmp`, JSON.stringify(order, null, 2), { flush: true });
    renameSync(`${file}.tmp`, file);
  }
}

/** Can this payment still bring money? A cancelled one can: the customer may have the gateway's page open elsewhere. */
export const isUnsettled = (payment) => payment.state === "open" || payment.state === "cancelled";

/** What is wrong with the money that came, or null. More than asked is fine. */
export function shortfall(order, { amount, currency }) {
  if (currency !== order.currency) return "currency mismatch";
  if (hundredths(amount) < hundredths(order.amount)) return "amount mismatch";
  return null;
}

/** "1234.5" -> 123450n. Integers, because 0.1 + 0.2 is not 0.3 in floating point. */
function hundredths(amount) {
  const [whole, cents = ""] = amount.split(".");
  return BigInt(whole + cents.slice(0, 2).padEnd(2, "0"));
}

/** One at a time for each key: the next one starts when the one before has ended, well or badly. */
export class Locks {
  #tails = new Map();

  async run(key, work) {
    const turn = (this.#tails.get(key) ?? Promise.resolve()).then(work);
    const tail = turn.catch(() => {});
    this.#tails.set(key, tail);
    try {
      return await turn;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}
