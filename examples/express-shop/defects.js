// The same shop with one mistake planted: SHOP_DEFECT=name node defects.js. defects.toml tells what each one breaks.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { GatewayError } from "./shop/gateway.js";
import { isUnsettled, shortfall } from "./shop/orders.js";
import { cancelPage, returnPage } from "./shop/pages.js";
import { Gateway, Monitor, OrderStore, Shop } from "./shop/parts.js";
import { Refusal } from "./shop/shop.js";
import { start } from "./shop/start.js";

/** A shop that knows gateway errors and refusals only; anything else ends on the framework's own error page. */
class ShopWithoutLastStop extends Shop {
  failed(error, req, res, next) {
    if (error instanceof GatewayError || error instanceof Refusal) return super.failed(error, req, res, next);
    return next(error);
  }
}

/** Whoever comes while the work for a key is running gets the same result. */
class SharedWork {
  running = new Map();

  run(key, work) {
    if (!this.running.has(key)) this.running.set(key, work().finally(() => this.running.delete(key)));
    return this.running.get(key);
  }
}

const defects = {
  "http-cancel-url": () => ({
    Shop: class extends Shop {
      urls(order) {
        const urls = super.urls(order);
        return { ...urls, cancelUrl: urls.cancelUrl.replace("https://", "http://") };
      }
    },
  }),

  "plain-http-api": () => ({
    Gateway: class extends Gateway {
      constructor(settings, monitor) {
        super({ ...settings, baseUrl: settings.baseUrl.replace("https://", "http://") }, monitor);
      }
    },
  }),

  "unverified-certificate": () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // "works on my machine"
    return {};
  },

  "limit-ends-with-headers": () => ({
    Gateway: class extends Gateway {
      async send(operation, url, init) {
        const stop = new AbortController();
        const timer = setTimeout(() => stop.abort(new DOMException("too late", "TimeoutError")), 25_000);
        try {
          return await fetch(url, { ...init, signal: stop.signal }); // fetch is done when the headers are there
        } finally {
          clearTimeout(timer);
        }
      }
    },
  }),

  "hot-retries": () => ({
    Gateway: class extends Gateway {
      async exchange(operation, call) {
        for (let attempt = 1; ; attempt += 1) {
          try {
            return await super.exchange(operation, call);
          } catch (error) {
            if (operation !== "create" || !error.message.startsWith("network") || attempt === 8) throw error;
            await sleep(100 * attempt);
          }
        }
      }
    },
  }),

  "revoked-secret-loop": () => ({
    Gateway: class extends Gateway {
      async authenticate() {
        for (let attempt = 1; ; attempt += 1) {
          try {
            return await super.authenticate();
          } catch (error) {
            if (error.status !== 400 || attempt === 20) throw error;
            await sleep(50);
          }
        }
      }
    },
  }),

  "logs-secret": () => ({
    Gateway: class extends Gateway {
      send(operation, url, init) {
        if (operation === "token") this.monitor.log("info", "asking for a token", { body: init.body });
        return super.send(operation, url, init);
      }
    },
  }),

  "custom-missing": () => ({
    Gateway: class extends Gateway {
      customFor() {
        return randomUUID();
      }
    },
  }),

  "cents-lost": () => ({
    Shop: class extends Shop {
      parseOrder(body) {
        const order = super.parseOrder(body);
        return { ...order, amount: parseInt(order.amount, 10).toFixed(2) };
      }
    },
  }),

  "three-decimals": () => ({
    Gateway: class extends Gateway {
      exchange(operation, call) {
        if (operation !== "create") return super.exchange(operation, call);
        return super.exchange(operation, { ...call, body: { ...call.body, amount: Number(call.body.amount).toFixed(3) } });
      }
    },
  }),

  "health-check-by-get": () => ({
    Gateway: class extends Gateway {
      constructor(settings, monitor) {
        super(settings, monitor);
        // any answer will do: it is there
        this.send("health", `${settings.baseUrl}/payment/create`, { method: "GET" }).catch(() => {});
      }
    },
  }),

  "fixed-currency": () => ({
    Shop: class extends Shop {
      parseOrder(body) {
        return { ...super.parseOrder(body), currency: "XAF" };
      }
    },
  }),

  "new-payment-on-retry": () => ({
    Shop: class extends Shop {
      locks = new SharedWork(); // a double click is caught, a later one is not

      reusablePayment() {
        return null;
      }
    },
    OrderStore: class extends OrderStore {
      book(order, payment, answer) {
        if (order.status === "paid") return "paid"; // nothing left to do
        return super.book(order, payment, answer);
      }
    },
  }),

  "race-on-return": () => ({
    Shop: class extends Shop {
      async returned(order, req, res) {
        try {
          for (const payment of order.payments.filter(isUnsettled)) await this.verify(order, payment);
        } catch {
          // the background goes on
        }
        super.returned(order, req, res);
      }

      async verify(order, payment) {
        if (order.status === "paid") return;
        const answer = await this.gateway.status(payment, order.id);
        if (answer.state !== "paid" || shortfall(order, answer)) return this.verifier.book(order, payment, answer);
        Object.assign(payment, { state: "paid", trxId: answer.trxId });
        Object.assign(order, { status: "paid", shipments: order.shipments + 1 });
        this.orders.save(order);
      }
    },
  }),

  "cancel-marks-paid": () => ({
    Shop: class extends Shop {
      cancelled(order, req, res) {
        // copied from the return page: the customer is back, so the order is done
        if (order.status !== "paid") {
          Object.assign(order, { status: "paid", shipments: order.shipments + 1 });
          this.orders.save(order);
        }
        this.verifier.visit(order);
        res.send(returnPage(order));
      }
    },
  }),

  "cancel-closes-order": () => ({
    Shop: class extends Shop {
      cancelled(order, req, res) {
        for (const payment of order.payments.filter(isUnsettled)) payment.state = "expired";
        super.cancelled(order, req, res);
      }

      returned(order, req, res) {
        if (order.status === "cancelled") return res.send(cancelPage(order)); // cancelled is cancelled
        super.returned(order, req, res);
      }
    },
  }),

  "crash-on-failed-return": () => ({
    Shop: class extends ShopWithoutLastStop {
      app() {
        return super.app().set("query parser", "extended");
      }

      returned(order, req, res) {
        if (req.query.type === "error") {
          this.monitor.log("warn", "payment failed", { order: order.id, payment: req.query.data.token });
        }
        super.returned(order, req, res);
      }
    },
  }),

  "crash-on-network-error": () => ({
    Gateway: class extends Gateway {
      send(operation, url, init) {
        if (operation !== "create") return super.send(operation, url, init);
        return new Promise((resolve, reject) => {
          super.send(operation, url, init).then(resolve, (error) => {
            if (error.name === "TimeoutError") reject(error);
            else throw error; // inside a callback: nobody can catch it
          });
        });
      }
    },
  }),

  "crash-on-403": () => ({
    Gateway: class extends Gateway {
      judge(answer) {
        if (answer.status === 403) throw new Error("the gateway said 403, which its documentation does not have");
        return super.judge(answer);
      }
    },
    Shop: ShopWithoutLastStop,
  }),

  "endless-server-error-retries": () => ({
    Gateway: class extends Gateway {
      async request(operation, call) {
        for (let attempt = 1; ; attempt += 1) {
          try {
            return await super.request(operation, call);
          } catch (error) {
            if (![500, 503].includes(error.status) || attempt === 12) throw error;
          }
        }
      }
    },
  }),

  "crash-on-not-json": () => ({
    Gateway: class extends Gateway {
      judge(answer) {
        if (answer.status !== 200) return super.judge(answer);
        return JSON.parse(answer.text).data;
      }
    },
    Shop: ShopWithoutLastStop,
  }),

  "ignores-retry-after": () => ({
    Gateway: class extends Gateway {
      pause() {}

      async request(operation, call) {
        for (let attempt = 1; ; attempt += 1) {
          try {
            return await super.request(operation, call);
          } catch (error) {
            if (error.status !== 429 || attempt === 4) throw error;
            await sleep(100);
          }
        }
      }
    },
  }),

  "no-logging": () => ({
    Monitor: class extends Monitor {
      log(level, event, fields) {
        if (level === "ERROR") super.log(level, event, fields); // "the rest is noise"
      }
    },
  }),

  "requests-not-logged": () => ({
    Monitor: class extends Monitor {
      log(level, event, { order, amount, currency, ...fields } = {}) {
        super.log(level, event, fields); // "the payment's token says it all"
      }
    },
  }),

  "answers-not-logged": () => ({
    Monitor: class extends Monitor {
      log(level, event, fields = {}) {
        if (event === "settled") return;
        const { operation, order, amount, currency } = fields;
        super.log(level, event, event === "gateway" ? { operation, order, amount, currency } : fields);
      }
    },
  }),

  "no-alert-of-errors": () => ({
    Monitor: class extends Monitor {
      failed() {}
    },
  }),

  "no-alert-of-verification": () => ({
    Monitor: class extends Monitor {
      alert(text) {
        if (text.includes("payment errors in a row (create)")) super.alert(text);
      }
    },
  }),

  "signs-return-url": () => ({
    Shop: class extends Shop {
      urls(order) {
        const urls = super.urls(order);
        return { ...urls, returnUrl: `${urls.returnUrl}?check=${encodeURIComponent(this.settings.secretKey)}` };
      }
    },
  }),

  "silent-alerts": () => ({
    Monitor: class extends Monitor {
      alert() {}
    },
  }),

  "client-id-in-script": () => ({
    Shop: class extends Shop {
      routes(app) {
        const script = readFileSync(new URL("static/shop.js", import.meta.url), "utf8");
        const settings = `const PAYMENTS = { clientId: ${JSON.stringify(this.settings.clientId)} };\n`;
        app.get("/static/shop.js", (req, res) => res.type("text/javascript").send(settings + script));
        super.routes(app);
      }
    },
  }),

  "abandoned-blocks-order": () => ({
    Shop: class extends Shop {
      reusablePayment(order) {
        if (order.payments.length === 0) return null;
        throw new Refusal(410, "The payment of this order has been started already.", order.id);
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
