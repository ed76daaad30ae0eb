// The shop itself. It listens on loopback, where only its own proxy reaches it.
import http from 'node:http';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Gateway, Trouble } from './gateway.mjs';
import { logger } from './log.mjs';

const CURRENCIES = { XAF: 'FCFA', EUR: '€' };
const OPEN_FOR = 8 * 60_000; // a payment page lives ten minutes, and a customer needs some of them

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const cents = (text) => {
  const found = /^(\d{1,12})(?:\.(\d{1,2}))?$/.exec(String(text));
  return found ? BigInt(found[1]) * 100n + BigInt((found[2] ?? '').padEnd(2, '0')) : null;
};

export class Shop {
  log = logger('app');
  locks = new Map();
  orders = {};

  constructor(env, GatewayClass = Gateway) {
    this.env = env;
    this.gateway = new GatewayClass(env, this.log);
    this.file = `${env.DATA_DIR}/orders.json`;
    mkdirSync(env.DATA_DIR, { recursive: true });
    try { this.orders = JSON.parse(readFileSync(this.file, 'utf8')); } catch { this.log.info({}, 'no orders yet'); }
  }

  save() {
    writeFileSync(`${this.file}.new`, JSON.stringify(this.orders));
    renameSync(`${this.file}.new`, this.file);
  }

  /** One after the other for each key. */
  inTurn(key, work) {
    const turn = (this.locks.get(key) ?? Promise.resolve()).then(work, work);
    this.locks.set(key, turn);
    return turn.finally(() => { if (this.locks.get(key) === turn) this.locks.delete(key); });
  }

  /** Where customers come back to; configured, because headers are what somebody sent. */
  origin(_req) { return this.env.PUBLIC_URL.replace(/\/+$/, ''); }

  custom(order) { return `order-${order.id}`; }

  // Pages.

  page(res, status, title, content, headers = {}) {
    res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'x-for-people': 'yes', ...headers });
    res.end(`<!doctype html><html lang="en"><title>${escape(title)}</title><main><h1>${escape(title)}</h1>${content}</main></html>`);
  }

  say(res, status, title, text, headers) { this.page(res, status, title, `<p>${escape(text)}</p>`, headers); }

  unknown(res) { this.say(res, 404, 'Not found', 'We have no such page or order.'); }

  sorry(res, _error) {
    this.say(res, 503, 'Paying is not possible now', 'You were not charged. Please try again in a moment.', { 'retry-after': '5' });
  }

  settled(res, order) {
    const text = order.state === 'paid' ? 'Thank you, your order is paid.' : 'We are looking into your payment. Please do not pay again.';
    this.say(res, 200, `Order ${order.id}`, text);
  }

  show(res, order) {
    const facts = `<p><data id="state" value="${order.state}">${order.state === 'paid' ? 'Paid' : 'Not paid'}</data>,
      parcels sent: <data id="sent" value="${order.sent}">${order.sent}</data></p><p id="note">${escape(order.note)}</p>`;
    this.page(res, 200, `Order ${order.id}`, facts);
  }

  // Paying.

  async pay(req, res, id, form) {
    const total = form.get('total') ?? '', currency = form.get('currency') ?? '', worth = cents(total);
    if (worth === null || worth === 0n || !Object.hasOwn(CURRENCIES, currency)) return this.say(res, 422, 'Please check', 'We cannot sell this order as it is.');
    const order = (this.orders[id] ??= { id, total, currency, state: 'new', sent: 0, note: '', payments: [] });
    if (cents(order.total) !== worth || order.currency !== currency) return this.say(res, 409, 'Please check', 'This order has another price.');
    try {
      const url = await this.guarded(req, order, () => this.address(req, order));
      if (!url) return this.settled(res, order);
      this.page(res, 200, 'Almost there', `<p>${escape(`${total} ${CURRENCIES[currency]}`)}</p><a id="pay" href="${escape(url)}">Pay now</a>`);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.log.error({ order: id, err: error.message }, 'payment could not be opened');
      this.sorry(res, error);
    }
  }

  guarded(_req, order, work) { return this.inTurn(`pay ${order.id}`, work); }

  /** Where to pay; nothing when no more money is wanted. */
  async address(req, order) {
    await this.verify(order);
    if (order.state !== 'new') return '';
    const open = order.payments.find((payment) => payment.state === 'open' && Date.now() - payment.opened < OPEN_FOR);
    if (open) return open.url;
    const origin = this.origin(req);
    const payment = await this.gateway.create(order, { return_url: `${origin}/back/${order.id}`, cancel_url: `${origin}/left/${order.id}` }, this.custom(order));
    order.payments.push({ ...payment, state: 'open', opened: Date.now() });
    this.save();
    return payment.url;
  }

  /** Ask about every payment that may bring money; false when the gateway could not be asked. */
  async verify(order) {
    for (const payment of order.payments.filter((each) => each.state !== 'paid')) {
      try {
        this.book(order, payment, await this.gateway.status(payment.token));
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        this.log.error({ order: order.id, err: error.message }, 'payment could not be verified');
        return false;
      }
    }
    return true;
  }

  book(order, payment, answer) {
    if (payment.state === 'paid') return; // somebody else heard it while we waited
    if (answer.paid !== true) {
      if (['EXPIRED', 'FAILED'].includes(answer.status)) payment.state = 'closed';
      return this.save();
    }
    payment.state = 'paid';
    if (answer.custom !== this.custom(order) || !this.sameCurrency(answer.currency, order.currency) || !this.enough(answer.amount, order.total)) {
      if (order.state !== 'paid') order.state = 'held';
      order.note = 'The payment does not match, perhaps a refund is due.';
      this.log.error({ order: order.id, payment: payment.token }, 'verification failed: mismatch');
    } else if (order.state === 'paid') {
      order.note = 'Paid twice, a refund is due.';
      this.log.error({ order: order.id, payment: payment.token }, 'order was paid twice');
    } else {
      Object.assign(order, { state: 'paid', sent: order.sent + 1 });
    }
    this.save();
  }

  sameCurrency(one, other) { return one === other; }

  enough(got, wanted) { return cents(got) !== null && cents(got) >= cents(wanted); }

  // Coming back. Whatever the address says is what anybody may have written there.

  async back(req, res, order, query) {
    const asked = await this.verify(order);
    if (['paid', 'held'].includes(order.state)) return this.settled(res, order);
    if (!asked) return this.say(res, 202, 'We are checking', 'Your payment is being checked. Please reload this page in a minute, and do not pay again.');
    if (query.get('type') === 'success') this.log.error({ order: order.id }, 'verification failed: the return claims what the gateway does not know');
    return this.say(res, 200, 'Not paid', 'We have not received a payment. You can start again.');
  }

  async handle(req, res) {
    const url = new URL(req.url, 'http://app');
    const [, place, id, what] = url.pathname.split('/');
    if (req.method === 'GET' && place === 'about') return this.say(res, 200, 'About us', 'We sell nice things.');
    if (!/^[0-9A-Za-z]{1,32}$/.test(id ?? '')) return this.unknown(res);
    if (req.method === 'POST' && place === 'orders' && what === 'pay') {
      let body = '';
      for await (const part of req) body += part;
      return this.pay(req, res, id, new URLSearchParams(body));
    }
    const order = Object.hasOwn(this.orders, id) ? this.orders[id] : null;
    if (!order || req.method !== 'GET') return this.unknown(res);
    if (place === 'back' || place === 'left') return this.back(req, res, order, url.searchParams);
    return place === 'orders' && !what ? this.show(res, order) : this.unknown(res);
  }

  serve() {
    process.on('disconnect', () => process.exit(0));
    const server = http.createServer((req, res) => this.handle(req, res).catch((error) => {
      this.log.error({ err: error.stack }, 'an error of ours');
      if (!res.headersSent) res.writeHead(500).end();
    }));
    server.keepAliveTimeout = 65_000;
    server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) new Shop(process.env).serve();
