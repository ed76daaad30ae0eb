const TIME_LIMIT_MS = 25_000; // for one whole call: connecting, waiting, and reading an answer that drips
const BODY_LIMIT = 64 * 1024; // bytes; the largest honest answer has about one thousand
const RENEW_EARLY_S = 30; // so that a token does not expire on its way to the gateway
const DEFAULT_WAIT_S = 5; // after a 429 that names no time
const LONGEST_WAIT_S = 600; // a nonsensical Retry-After must not close the shop for a year
const REFUSED_CREDENTIALS_WAIT_S = 30; // only an operator can mend them, so the background has no reason to hurry

const STATES = { CREATED: "open", PENDING: "open", CANCELLED: "cancelled", EXPIRED: "expired" };

/** The one error that leaves this file. Its text is for the log: no credential is in it, and no customer sees it. */
export class GatewayError extends Error {
  constructor(reason, { status = null, retryAfter = 0, detail } = {}) {
    super(reason);
    this.name = "GatewayError";
    this.status = status; // the HTTP status, when there was an answer
    this.retryAfter = retryAfter; // seconds before the same question makes sense again
    this.detail = detail; // the gateway's own words, masked
  }
}

/** Client of the gateway's v1 token API: `createPayment` and `status`, both believed only when every type is right. */
export class Gateway {
  constructor({ baseUrl, clientId, secretKey, tokenPerPayment = false }, monitor) {
    Object.assign(this, { baseUrl, clientId, secretKey, tokenPerPayment, monitor });
    this.cached = null; // { value, goodUntil }
    this.renewal = null; // the promise that everybody who needs a new token waits for
    this.pausedUntil = new Map(); // by operation, after a 429
  }

  // ---- operations ----

  /** Opens a payment. Returns { token, url, custom }. Never repeated by itself: that could open a second payment. */
  createPayment(order, { returnUrl, cancelUrl }) {
    const custom = this.customFor(order);
    return this.authorized("create", {
      method: "POST",
      path: "/payment/create",
      // The amount goes out as the text it is: a JSON number could lose or invent cents.
      body: { amount: order.amount, currency: order.currency, return_url: returnUrl, cancel_url: cancelUrl, custom },
      about: { order: order.id, amount: order.amount, currency: order.currency },
      read: (data) => {
        if (!isIdentifier(data.token) || !isWebAddress(data.payment_url)) throw new GatewayError("unusable payment");
        return { token: data.token, url: data.payment_url, custom };
      },
      note: (payment) => ({ payment: payment.token, outcome: "created" }),
    });
  }

  /** What the gateway knows of one payment: { state, amount, currency, trxId }. */
  status(payment, orderId) {
    return this.authorized("status", {
      method: "GET",
      path: `/payment/status/${encodeURIComponent(payment.token)}`,
      about: { order: orderId, payment: payment.token },
      read: (data) => {
        // An answer about another payment, or for another order, says nothing about this one.
        if (data.token !== payment.token) throw new GatewayError("answer about another payment");
        if (typeof data.paid !== "boolean") throw new GatewayError("unusable status");
        const { amount, currency } = data;
        if (!data.paid) return { state: STATES[data.status] ?? "open", amount, currency, trxId: null };
        if (data.custom !== payment.custom) throw new GatewayError("answer for another order");
        if (!isAmount(amount) || typeof currency !== "string") throw new GatewayError("unusable status");
        return { state: "paid", amount: String(amount), currency, trxId: data.trx_id ?? null };
      },
      note: ({ state, amount, currency, trxId }) => ({ trx_id: trxId, amount, currency, outcome: state }),
    });
  }

  /** The order's id as the gateway keeps it, so that a payment can be traced back to its order on both sides. */
  customFor(order) {
    return `order-${order.id}`;
  }

  // ---- access tokens ----

  /** The cached token, or the one renewal that is under way: ten customers on an expired token cause one token call. */
  async token() {
    if (this.cached && performance.now() < this.cached.goodUntil) return this.cached.value;
    this.renewal ??= this.authenticate()
      .then(({ value, seconds }) => {
        this.cached = { value, goodUntil: performance.now() + (seconds - RENEW_EARLY_S) * 1000 };
        return value;
      })
      .finally(() => (this.renewal = null));
    return this.renewal;
  }

  /** Throws away exactly the token that was refused; if somebody has renewed it meanwhile, the new one stays. */
  forget(token) {
    if (this.cached?.value === token) this.cached = null;
  }

  async authenticate() {
    try {
      return await this.request("token", {
        method: "POST",
        path: "/authentication/token",
        body: { client_id: this.clientId, secret_id: this.secretKey },
        about: {},
        read: ({ access_token: value, expire_time: seconds }) => {
          // A broken token in the cache would break every payment until it expires, so it is looked at closely.
          const usable = typeof value === "string" && /^[\x21-\x7e]{1,4096}$/.test(value);
          if (!usable || typeof seconds !== "number" || !(seconds > 0)) throw new GatewayError("unusable token");
          return { value, seconds };
        },
        note: ({ seconds }) => ({ expire_time: seconds, outcome: "authenticated" }),
      });
    } catch (error) {
      if ([400, 401, 403, 404].includes(error.status)) error.retryAfter = REFUSED_CREDENTIALS_WAIT_S;
      throw error;
    }
  }

  // ---- one call ----

  /** A call with an access token. A 401 means that the token's time is over: authenticate again and repeat once. */
  async authorized(operation, call) {
    try {
      const result = await this.withToken(operation, call);
      this.monitor.succeeded(operation);
      return result;
    } catch (error) {
      this.monitor.failed(operation, call.about.order, error.message);
      throw error;
    }
  }

  async withToken(operation, call) {
    for (let attempt = 1; ; attempt += 1) {
      // Where the access token IS the payment, two orders must never share one: each create brings its own.
      const own = this.tokenPerPayment && operation === "create";
      const token = own ? (await this.authenticate()).value : await this.token();
      try {
        return await this.request(operation, { ...call, token });
      } catch (error) {
        // A 403 refuses the token too, but only a 401 is documented as "the same request again": the next call renews.
        if (error.status === 401 || error.status === 403) this.forget(token);
        if (error.status !== 401 || attempt === 2) throw error;
      }
    }
  }

  /** One exchange with the gateway, and its one line in the log. */
  async request(operation, { method, path, body, token, about, read, note }) {
    const line = { operation, ...about };
    try {
      this.refuseWhilePaused(operation);
      const answer = await this.exchange(operation, { method, path, body, token });
      line.http = answer.status;
      const result = read(this.judge(answer));
      this.record("info", { ...line, ...note(result) });
      return result;
    } catch (error) {
      if (error.status === 429) this.pause(operation, error.retryAfter);
      this.record("warn", { ...line, outcome: `failed: ${error.message}`, detail: error.detail });
      throw error;
    }
  }

  async exchange(operation, { method, path, body, token }) {
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    try {
      const response = await this.send(operation, this.baseUrl + path, {
        method,
        headers,
        body: body && JSON.stringify(body),
        redirect: "manual", // credentials go where the configuration says, not where an answer says
        signal: AbortSignal.timeout(TIME_LIMIT_MS),
      });
      return { status: response.status, headers: response.headers, text: await readText(response) };
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      // Codes only: the text of a fetch error can quote the Authorization header.
      const code = error.cause?.code ?? error.name;
      throw new GatewayError(error.name === "TimeoutError" ? "time limit" : `network: ${code}`);
    }
  }

  send(operation, url, init) {
    return fetch(url, init);
  }

  /** The answer's data, if it can be believed. */
  judge({ status, headers, text }) {
    if (status !== 200) {
      const retryAfter = status === 429 ? secondsOf(headers.get("retry-after")) : 0;
      throw new GatewayError(`http ${status}`, { status, retryAfter, detail: errorWords(text) });
    }
    const body = headers.get("content-type")?.includes("json") ? parse(text) : null;
    if (!isObject(body)) throw new GatewayError("not a JSON object", { status });
    const { type, data } = body;
    if (type !== "success" || !isObject(data)) throw new GatewayError("not the expected envelope", { status });
    return data;
  }

  pause(operation, seconds) {
    this.pausedUntil.set(operation, performance.now() + seconds * 1000);
  }

  refuseWhilePaused(operation) {
    const left = (this.pausedUntil.get(operation) ?? 0) - performance.now();
    if (left > 0) throw new GatewayError("paused by Retry-After", { retryAfter: left / 1000 });
  }

  record(level, line) {
    this.monitor.log(level, "gateway", line);
  }
}

async function readText(response) {
  const chunks = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new GatewayError("answer too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The gateway's reasons, for the log. Long words are masked: an error text may quote a credential back. */
function errorWords(text) {
  const words = parse(text)?.message?.error;
  if (!Array.isArray(words)) return undefined;
  return words.join("; ").replace(/\S{12,}/g, "***").slice(0, 200);
}

/** Retry-After is a number of seconds or a date. */
function secondsOf(header) {
  const seconds = /^\d+$/.test(header ?? "") ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Math.min(LONGEST_WAIT_S, Number.isNaN(seconds) ? DEFAULT_WAIT_S : Math.max(0, seconds));
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isIdentifier = (value) => typeof value === "string" && /^[\w-]{1,200}$/.test(value);
const isAmount = (value) => ["string", "number"].includes(typeof value) && /^\d+(\.\d+)?$/.test(String(value));
const isWebAddress = (value) => typeof value === "string" && URL.canParse(value) && /^https?:/.test(value);
