import http from 'node:http';
import { readFileSync, writeFileSync, renameSync } from 'node:fs';
import { create, status, log, Unavailable } from './gateway.mjs';

const FILE = `${process.env.DATA}/orders.json`;
let orders = {};
try { orders = JSON.parse(readFileSync(FILE, 'utf8')); } catch { /* first start */ }
const save = () => { writeFileSync(FILE + '.new', JSON.stringify(orders)); renameSync(FILE + '.new', FILE); };
const PUBLIC = process.env.PUBLIC;
const opening = new Map(), checking = new Map();

const esc = (s) => String(s).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const page = (res, code, title, text, headers = {}) => {
  res.writeHead(code, { 'content-type': 'text/html; charset=utf-8', ...headers });
  res.end(`<!doctype html><title>${esc(title)}</title><main><h1>${esc(title)}</h1><p>${esc(text)}</p></main>`);
};
async function alertOps(event, facts) {
  log('error', event, facts);
  if (!process.env.ALERTS) return;
  try { await fetch(process.env.ALERTS, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ event, ...facts }), signal: AbortSignal.timeout(5000) }); } catch { log('warn', 'alert_lost'); }
}

const cents = (s) => { const m = /^(\d+)(?:\.(\d{1,2})0*)?$/.exec(String(s)); return m ? Number(m[1]) * 100 + Number((m[2] || '').padEnd(2, '0')) : NaN; };

// one check of an order at a time; everybody else waits for its result
function verify(o) {
  if (!checking.has(o.id)) checking.set(o.id, look(o).finally(() => checking.delete(o.id)));
  return checking.get(o.id);
}
async function look(o) {
  for (const p of o.payments) {
    if (p.state === 'paid') continue;
    const d = await status(p.token);
    if (d.paid === true) {
      p.state = 'paid';
      if (d.custom !== o.id || d.currency !== o.currency || !(cents(d.amount) >= cents(o.amount))) {
        if (o.status !== 'paid') o.status = 'review';
        o.memo = 'payment does not match';
        void alertOps('verification_mismatch', { order: o.id });
      } else if (o.status === 'paid') {
        o.memo = 'paid more than once';
        void alertOps('double_payment', { order: o.id });
      } else { o.status = 'paid'; o.fulfilled += 1; }
    } else if (['EXPIRED', 'CANCELLED', 'FAILED'].includes(d.status)) p.state = 'closed';
    else p.state = 'open';
    save();
  }
}

async function start(o) {
  if (o.payments.some((p) => p.state === 'open')) { try { await verify(o); } catch (e) { log('warn', 'look_before_pay', { order: o.id, why: e.message }); } }
  if (o.status !== 'pending') return { done: true };
  const open = o.payments.findLast((p) => p.state === 'open');
  if (open) return { url: open.url };
  const d = await create(o, { return_url: `${PUBLIC}/done?o=${o.id}`, cancel_url: `${PUBLIC}/stopped?o=${o.id}` });
  o.payments.push({ token: d.token, url: d.payment_url, state: 'open' });
  save();
  return { url: d.payment_url };
}

async function body(req) { let s = ''; for await (const c of req) { s += c; if (s.length > 1e4) throw new Error('big'); } return JSON.parse(s); }

async function checkout(req, res) {
  let b; try { b = await body(req); } catch { return page(res, 400, 'Sorry', 'We did not understand this order.'); }
  if (!/^[\w-]{1,50}$/.test(b.orderNumber ?? '') || !(cents(b.total) > 0) || !/^[A-Z]{3}$/.test(b.currency ?? '')) return page(res, 400, 'Sorry', 'We did not understand this order.');
  const o = (orders[b.orderNumber] ??= { id: b.orderNumber, amount: b.total, currency: b.currency, status: 'pending', memo: '', fulfilled: 0, payments: [] });
  if (!opening.has(o.id)) opening.set(o.id, start(o).finally(() => opening.delete(o.id)));
  try {
    const r = await opening.get(o.id);
    if (r.done) { res.writeHead(303, { location: `/orders/${o.id}` }); return res.end(); }
    res.writeHead(303, { location: r.url }); res.end();
  } catch (e) {
    void alertOps('payment_error', { order: o.id, kind: e.constructor.name, why: e.message });
    page(res, 503, 'Payment is resting', 'You were not charged. Please try again in a moment.', { 'retry-after': '2' });
  }
}

async function back(res, id) {
  const o = orders[id];
  if (!o) return page(res, 404, 'Unknown order', 'We do not know this order.');
  try { await verify(o); } catch (e) {
    void alertOps('verification_unreachable', { order: o.id, why: e.message });
    return page(res, 503, 'We are still checking', 'Your payment is being checked. Please reload in a minute; do not pay again.', { 'retry-after': '5' });
  }
  const say = { paid: 'Thank you, it is paid.', review: 'We look at your payment and write to you.', pending: 'You have not paid yet.' };
  page(res, 200, `Order ${o.id}`, say[o.status]);
}

http.createServer(async (req, res) => {
  const url = new URL(req.url, 'http://x');
  try {
    if (url.pathname === '/live') return page(res, 200, 'ok', '');
    if (req.method === 'POST' && url.pathname === '/checkout') return await checkout(req, res);
    if (url.pathname === '/done' || url.pathname === '/stopped') return await back(res, url.searchParams.get('o'));
    const m = /^\/orders\/([\w-]+)$/.exec(url.pathname);
    if (m) {
      const o = orders[m[1]];
      if (!o) return page(res, 404, 'Unknown order', '');
      if (!(req.headers.accept || '').includes('application/json')) return page(res, 406, 'Our app shows orders', 'Please use the app.');
      res.writeHead(200, { 'content-type': 'application/json' });
      return res.end(JSON.stringify({ order: { number: o.id, status: o.status, memo: o.memo, fulfilled: o.fulfilled } }));
    }
    page(res, 404, 'Not here', '');
  } catch (e) { log('error', 'bug', { why: e.stack }); if (!res.headersSent) page(res, 500, 'Sorry', 'Something went wrong, please try again.'); }
}).listen(Number(process.env.PORT), '127.0.0.1', () => log('info', 'listening'));

setInterval(() => { for (const o of Object.values(orders)) if (o.status === 'pending' && o.payments.length) verify(o).catch((e) => log('warn', 'background_check', { order: o.id, why: e.message })); }, 20_000);
