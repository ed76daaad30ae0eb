import { fileURLToPath } from "node:url";

import express from "express";

import { GatewayError } from "./gateway.js";
import { Locks } from "./orders.js";
import { cancelPage, frontPage, notFoundPage, returnPage } from "./pages.js";

const CURRENCIES = ["XAF", "USD", "EUR"];
const REUSE_MS = 500_000; // the gateway's page closes after 600 s: the customer needs some of them to pay

/** A "no" that the customer is told as it is. */
export class Refusal extends Error {
  constructor(status, message, reference = null) {
    super(message);
    Object.assign(this, { status, reference });
  }
}

/** The shop's routes. JSON for checkout and orders, pages for people who come back from the gateway. */
export class Shop {
  constructor({ settings, orders, gateway, verifier, monitor }) {
    Object.assign(this, { settings, orders, gateway, verifier, monitor });
    this.locks = new Locks();
  }

  app() {
    const app = express();
    app.set("env", "production"); // even Express's own error page shows no stack trace
    app.disable("x-powered-by");
    app.use((req, res, next) => {
      res.set({ "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff" });
      next();
    });
    this.routes(app);
    app.use((req, res) => res.status(404).send(notFoundPage()));
    app.use((error, req, res, next) => this.failed(error, req, res, next));
    return app;
  }

  routes(app) {
    app.use("/static", express.static(fileURLToPath(new URL("../static", import.meta.url))));
    app.get("/health", (req, res) => res.json({ ok: true }));
    app.get("/", (req, res) => res.send(frontPage()));
    app.post("/checkout", express.json({ limit: "10kb" }), (req, res) => this.checkout(req, res));
    app.get("/return/:id", this.withOrder((order, req, res) => this.returned(order, req, res)));
    app.get("/cancel/:id", this.withOrder((order, req, res) => this.cancelled(order, req, res)));
    app.get("/orders/:id", (req, res) => this.showOrder(req, res));
  }

  withOrder(handle) {
    return (req, res, next) => {
      const order = this.orders.get(req.params.id);
      if (!order) return next();
      res.set("Cache-Control", "no-store");
      return handle(order, req, res);
    };
  }

  // ---- checkout ----

  async checkout(req, res) {
    const wanted = this.parseOrder(req.body);
    // One at a time for each order: of two clicks the second finds the payment that the first has opened.
    const payment = await this.locks.run(wanted.id, () => this.paymentFor(wanted));
    res.status(201).json({ order: wanted.id, payment_url: payment.url });
  }

  parseOrder(body) {
    const { order_id: id, amount, currency } = body ?? {};
    if (typeof id !== "string" || !/^\d{1,32}$/.test(id)) throw new Refusal(400, "The order number must be digits.");
    if (typeof amount !== "string" || !/^\d{1,9}(\.\d{1,2})?$/.test(amount) || Number(amount) === 0) {
      throw new Refusal(400, "The amount must be a positive number like 5000.00.", id);
    }
    if (!CURRENCIES.includes(currency)) throw new Refusal(400, `We accept ${CURRENCIES.join(", ")} only.`, id);
    const [whole, cents = ""] = amount.split(".");
    return { id, amount: `${BigInt(whole)}.${cents.padEnd(2, "0")}`, currency };
  }

  async paymentFor(wanted) {
    const order = this.orders.get(wanted.id) ?? this.orders.add(wanted);
    if (order.amount !== wanted.amount || order.currency !== wanted.currency) {
      throw new Refusal(409, "This order has another amount. Please start a new one.", order.id);
    }
    this.refuseDecided(order);
    await this.verifier.check(order); // he may have paid without coming back
    this.refuseDecided(order);
    const open = this.reusablePayment(order);
    if (open) return open;
    return this.orders.addPayment(order, await this.gateway.createPayment(order, this.urls(order)));
  }

  /** Sending the customer to the same payment again cannot charge him twice; so also when the check has failed. */
  reusablePayment(order) {
    const last = order.payments.at(-1);
    return last?.state === "open" && Date.now() - last.createdAt < REUSE_MS ? last : null;
  }

  refuseDecided(order) {
    if (order.status === "paid") throw new Refusal(409, "This order is already paid.", order.id);
    if (order.status === "held") throw new Refusal(409, "Our staff is looking at a payment of this order.", order.id);
  }

  /** The order is named in the path: the gateway appends its own query, and nothing in that is proof of anything. */
  urls(order) {
    const { publicUrl } = this.settings;
    return { returnUrl: `${publicUrl}/return/${order.id}`, cancelUrl: `${publicUrl}/cancel/${order.id}` };
  }

  // ---- the customer comes back ----

  returned(order, req, res) {
    if (order.payments.length > 0) this.orders.setStatus(order, "pending");
    this.verifier.visit(order, { claimed: req.query.type === "success" });
    res.send(returnPage(order));
  }

  cancelled(order, req, res) {
    this.orders.setStatus(order, "cancelled");
    this.verifier.visit(order); // paid in another tab, perhaps
    res.send(cancelPage(order));
  }

  showOrder(req, res) {
    const order = this.orders.get(req.params.id);
    if (!order) throw new Refusal(404, "We do not know this order.");
    const { id, status, amount, currency, shipments, note } = order;
    res.set("Cache-Control", "no-store").json({ id, status, amount, currency, shipments, note });
  }

  // ---- errors ----

  /** The last stop of every error. What the gateway or a library said goes to the log, never to the customer. */
  failed(error, req, res, next) {
    if (res.headersSent) return next(error);
    const id = req.body?.order_id;
    const reference = error.reference ?? (typeof id === "string" ? id.slice(0, 32) : null);
    if (error instanceof Refusal) return res.status(error.status).json({ error: error.message, reference });
    if (error instanceof GatewayError) {
      const sentence = "The payment service cannot be reached at the moment. Your order is kept: please try again.";
      return res.status(503).json({ error: sentence, reference });
    }
    if (error.status >= 400 && error.status < 500) {
      return res.status(error.status).json({ error: "We could not read this request.", reference });
    }
    this.monitor.log("ERROR", "bug", { path: req.path, stack: error.stack });
    return res.status(500).json({ error: "Something went wrong on our side. Please try again.", reference });
  }
}
