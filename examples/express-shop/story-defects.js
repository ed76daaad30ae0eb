// The same shop with a mistake that shows only in a longer story: SHOP_DEFECT=name node story-defects.js. No probe of
// `payproof run` finds any of them, `payproof explore` does. story-defects.toml tells what each one breaks.
import { isUnsettled, OrderStore } from "./shop/orders.js";
import { Shop, Verifier } from "./shop/parts.js";
import { cancelPage, returnPage } from "./shop/pages.js";
import { start } from "./shop/start.js";

const defects = {
  // "Only the last payment is open": an earlier one can still be paid in its old tab.
  "asks-for-last-payment-only": () => ({
    Verifier: class extends Verifier {
      async check(order) {
        const last = order.payments.at(-1);
        if (!last || !isUnsettled(last)) return null;
        try {
          await this.checkPayment(order, last);
          return null;
        } catch (error) {
          return error;
        }
      }
    },
  }),

  // "Saved when it is paid": what was opened before a restart is not known after it.
  "open-payments-in-memory": () => ({
    OrderStore: class extends OrderStore {
      save(order) {
        super.save({ ...order, payments: order.payments.filter((payment) => !isUnsettled(payment)) });
      }
    },
  }),

  // "Paid is paid": the second payment of a paid order is booked, and nobody is told.
  "second-payment-is-quiet": () => ({
    OrderStore: class extends OrderStore {
      book(order, payment, answer) {
        const note = order.note;
        const event = super.book(order, payment, answer);
        if (event === "double payment") order.note = note;
        return event === "double payment" ? null : event;
      }
    },
  }),

  // "Whoever cancels, cancels": also an order that is paid.
  "late-cancel-wins": () => ({
    Shop: class extends Shop {
      cancelled(order, req, res) {
        order.status = "cancelled";
        this.orders.save(order);
        res.send(cancelPage(order));
      }
    },
  }),

  // "Cancelled and yet paid": the gateway seems to be late, so the customer's word is taken.
  "believes-return-after-cancel": () => ({
    Shop: class extends Shop {
      returned(order, req, res) {
        if (order.status !== "cancelled" || req.query.type !== "success") return super.returned(order, req, res);
        order.status = "paid";
        order.shipments += 1;
        this.orders.save(order);
        return res.send(returnPage(order));
      }
    },
  }),

  // "Two errors are an answer": the order fails for good, and nobody asks about it any more.
  "gives-up-after-errors": () => ({
    Verifier: class extends Verifier {
      errors = new Map();
      givenUp = new Set();

      async check(order) {
        if (this.givenUp.has(order.id)) return null;
        const error = await super.check(order);
        const count = error ? (this.errors.get(order.id) ?? 0) + 1 : 0;
        this.errors.set(order.id, count);
        if (count < 2) return error;
        this.givenUp.add(order.id);
        this.orders.setStatus(order, "failed");
        return null;
      }
    },
  }),
};

const name = process.env.SHOP_DEFECT ?? "";
if (!Object.hasOwn(defects, name)) {
  console.error(`SHOP_DEFECT is "${name}"; it must be one of: ${Object.keys(defects).join(", ")}`);
  process.exit(2);
}
start(defects[name]());
