import { GatewayError } from "./gateway.js";
import { isUnsettled } from "./orders.js";

const VISIT_MS = 2 * 60_000; // how long after the customer's last visit we keep asking
const YOUNG_MS = 15 * 60_000; // payments live ten minutes at the gateway; after this nobody asks by himself
const SWEEP_MS = 5 * 60_000; // and how often we look for customers who paid and closed the window
const SLOWEST_S = 30; // between two checks, in good and in bad times
const CHECKS_BEFORE_DOUBT = 3; // a gateway may need a moment to know what its own page just told the customer

/**
 * Verifies payments in the background, so that no customer looks at an empty window while the gateway is slow.
 * One loop for each order: a visit starts it or wakes it up, and then it asks again until the outcome is known.
 */
export class Verifier {
  constructor({ orders, gateway, monitor }) {
    Object.assign(this, { orders, gateway, monitor });
    this.watches = new Map(); // by order id
  }

  start() {
    this.sweep(); // a restart has lost the loops
    setInterval(() => this.sweep(), SWEEP_MS);
  }

  sweep() {
    for (const order of this.orders.all()) if (hasYoung(order)) this.watch(order);
  }

  /** The customer came back. `claimed`: with the word "success", which decides nothing but is followed up if untrue. */
  visit(order, { claimed = false } = {}) {
    this.watch(order, { visitedAt: Date.now(), claimed, alerted: false, checks: 0 });
  }

  watch(order, visit = {}) {
    const known = this.watches.get(order.id);
    if (known) {
      Object.assign(known, visit, { claimed: known.claimed || visit.claimed, woken: true });
      known.wake();
    } else {
      const watch = { visitedAt: 0, claimed: false, alerted: false, checks: 0, failures: 0, wake() {}, ...visit };
      this.watches.set(order.id, watch);
      this.#run(order, watch);
    }
  }

  async #run(order, watch) {
    for (;;) {
      watch.woken = false;
      const error = await this.check(order);
      watch.failures = error ? watch.failures + 1 : 0;
      watch.checks += 1;
      const recent = Date.now() - watch.visitedAt < VISIT_MS;
      const goOn = hasYoung(order) && (watch.woken || recent || error !== null);
      this.#doubt(order, watch, error, goOn);
      if (!goOn) break;
      await pause(watch, error);
    }
    this.watches.delete(order.id);
  }

  /** Asks for every payment of the order that can still bring money. Returns the first error, or null; never throws. */
  async check(order) {
    const asked = order.payments.filter(isUnsettled).map((payment) => this.checkPayment(order, payment));
    const errors = (await Promise.allSettled(asked)).map((outcome) => outcome.reason).filter(Boolean);
    for (const error of errors) {
      if (!(error instanceof GatewayError)) this.monitor.log("ERROR", "bug in verification", { stack: error.stack });
    }
    return errors[0] ?? null;
  }

  async checkPayment(order, payment) {
    const answer = await this.gateway.status(payment, order.id);
    this.book(order, payment, answer);
  }

  book(order, payment, answer) {
    const event = this.orders.settle(order, payment, answer);
    if (!event) return;
    this.monitor.log("info", "settled", { order: order.id, status: order.status, payment: payment.token, what: event });
    if (event !== "paid") this.monitor.alert(`order ${order.id}: ${event}`);
  }

  /** One alert for each visit that could not be verified, not one for each try. */
  #doubt(order, watch, error, goOn) {
    if (watch.alerted || order.status === "paid" || order.status === "held") return;
    if (error) {
      watch.alerted = true;
      this.monitor.alert(`order ${order.id}: payment could not be verified (${error.message}); asking again`);
    } else if (watch.claimed && (watch.checks >= CHECKS_BEFORE_DOUBT || !goOn)) {
      watch.alerted = true;
      this.monitor.alert(`order ${order.id}: a return claimed success, but the gateway knows of no payment`);
    }
  }
}

const hasYoung = (order) =>
  order.payments.some((payment) => isUnsettled(payment) && Date.now() - payment.createdAt < YOUNG_MS);

/** Every second at first, rarer as the visit lies back; doubling after errors. A visit ends the pause. */
async function pause(watch, error) {
  if (watch.woken) return;
  const calm = Math.max(1, (Date.now() - watch.visitedAt) / 5000);
  const seconds = Math.min(SLOWEST_S, error ? 2 ** watch.failures : calm);
  let timer;
  await new Promise((resolve) => {
    watch.wake = resolve;
    timer = setTimeout(resolve, 1000 * Math.max(seconds, (error?.retryAfter ?? 0) + 0.05));
  });
  clearTimeout(timer);
  watch.wake = () => {};
}
