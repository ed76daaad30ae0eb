// The wallet gateway: token cache, one retry after 401, a circuit breaker.
import https from 'node:https';

const BASE = new URL(process.env.GW_BASE.replace(/\/?$/, '/'));
const log = (level, event, facts = {}) => process.stdout.write(JSON.stringify({ t: new Date().toISOString(), level, event, ...facts }) + '\n');
export { log };

export class Unavailable extends Error {}
export class Refused extends Error {}
export class TooMany extends Unavailable { constructor(s) { super('rate limited'); this.seconds = s; } }

const breaker = { failures: 0, openUntil: 0 };
let quietUntil = 0;
const agent = new https.Agent({ keepAlive: false });

function raw(method, path, { bearer, body } = {}) {
  return new Promise((resolve, reject) => {
    const now = Date.now();
    if (now < breaker.openUntil) return reject(new Unavailable('circuit open'));
    if (now < quietUntil) return reject(new Unavailable('waiting as asked'));
    const fail = (why) => { if (++breaker.failures >= 3) { breaker.openUntil = Date.now() + 1000; breaker.failures = 0; } clearTimeout(timer); reject(new Unavailable(why)); };
    const text = body && JSON.stringify(body);
    const req = https.request(new URL(path, BASE), {
      method, agent,
      headers: { accept: 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }), ...(text && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }) },
    }, (res) => {
      const parts = []; let size = 0;
      res.on('data', (c) => { size += c.length; if (size > 1 << 20) { req.destroy(); fail('answer too large'); } else parts.push(c); });
      res.on('error', (e) => fail(e.code || 'broken answer'));
      res.on('aborted', () => fail('cut answer'));
      res.on('end', () => {
        clearTimeout(timer);
        if (res.statusCode === 429) { const s = Number(res.headers['retry-after']) || 3; quietUntil = Date.now() + s * 1000 + 100; return reject(new TooMany(s)); }
        if (res.statusCode >= 500) return fail(`HTTP ${res.statusCode}`);
        breaker.failures = 0;
        resolve({ code: res.statusCode, text: Buffer.concat(parts).toString('utf8') });
      });
    });
    const timer = setTimeout(() => { req.destroy(); fail('timeout'); }, 10_000); // the whole exchange, not only idle time
    req.on('error', (e) => fail(e.code || 'error'));
    req.end(text);
  });
}

function data({ code, text }) {
  let doc;
  try { doc = JSON.parse(text); } catch { throw new Unavailable(`HTTP ${code}, not JSON`); }
  if (code === 200 && doc && doc.type === 'success' && doc.data && !Array.isArray(doc.data)) return doc.data;
  throw new Refused(`HTTP ${code} ${text.slice(0, 200)}`);
}

let token = null, until = 0, pending = null;
function bearer(rejected) {
  if (token && token !== rejected && Date.now() < until) return Promise.resolve(token);
  pending ??= (async () => {
    try {
      token = null;
      const d = data(await raw('POST', 'authentication/token', { body: { client_id: process.env.GW_CLIENT, secret_id: process.env.GW_SECRET } }));
      if (typeof d.access_token !== 'string' || !d.access_token) throw new Unavailable('no token');
      until = Date.now() + Math.max(30, (Number(d.expire_time) || 600) - 30) * 1000;
      log('info', 'token_renewed', { tail: '…' + d.access_token.slice(-4) });
      return (token = d.access_token);
    } finally { pending = null; }
  })();
  return pending;
}

async function call(method, path, body) {
  let t = await bearer();
  let res = await raw(method, path, { bearer: t, body });
  if (res.code === 401) { t = await bearer(t); res = await raw(method, path, { bearer: t, body }); }
  log('info', 'gateway_answer', { method, path, code: res.code, body: res.text.slice(0, 2000) });
  return data(res);
}

export async function create(order, urls) {
  log('info', 'gateway_create', { order: order.id, amount: order.amount, currency: order.currency });
  const d = await call('POST', 'payment/create', { amount: order.amount, currency: order.currency, ...urls, custom: order.id });
  if (typeof d.token !== 'string' || !/^https:/.test(d.payment_url)) throw new Unavailable('incomplete create answer');
  return d;
}

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
export async function status(payment) {
  for (let attempt = 0; ; attempt++) {
    try {
      const d = await call('GET', `payment/status/${encodeURIComponent(payment)}`);
      if (d.token !== payment) throw new Unavailable('another payment');
      log('info', 'payment_status', { payment, trx: d.trx_id, status: d.status, paid: d.paid });
      return d;
    } catch (e) {
      if (!(e instanceof Unavailable) || attempt >= 3) throw e;
      await sleep(e instanceof TooMany ? e.seconds * 1000 + 150 : 250 * 2 ** attempt);
    }
  }
}
