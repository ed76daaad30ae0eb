// The payment gateway by fetch: one limit for a call and its whole answer, one token for all, one repetition after a 401.
const LIMIT = 25_000, LONGEST = 64 * 1024;

/** No usable answer. The message is for the log. */
export class Trouble extends Error {}

export class Gateway {
  #token = null; #until = 0; #renewal = null; #quietUntil = 0;

  constructor(env, log) {
    this.base = env.PAY_BASE_URL.replace(/\/+$/, '');
    this.credentials = { client_id: env.PAY_CLIENT_ID, secret_id: env.PAY_SECRET_KEY };
    this.log = log;
  }

  async send(method, path, token, body) {
    if (Date.now() < this.#quietUntil) throw new Trouble('the gateway asked us to wait');
    const headers = { accept: 'application/json', ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }) };
    try {
      const answer = await fetch(this.base + path, {
        method, headers, body: body && JSON.stringify(body), redirect: 'manual', signal: AbortSignal.timeout(LIMIT),
      });
      const parts = [];
      let size = 0;
      for await (const part of answer.body ?? []) {
        size += part.length;
        if (size > LONGEST) throw new Trouble('the answer is too long');
        parts.push(part);
      }
      if (answer.status === 429) this.rest(answer.headers.get('retry-after'));
      return { status: answer.status, text: Buffer.concat(parts).toString('utf8') };
    } catch (error) {
      throw error instanceof Trouble ? error : new Trouble(`${method} ${path}: ${error.cause?.code ?? error.name}`);
    }
  }

  rest(retryAfter) {
    const seconds = /^\d{1,3}$/.test(retryAfter ?? '') ? Number(retryAfter) : 5;
    this.#quietUntil = Date.now() + seconds * 1000 + 100;
  }

  /** A token that is not the stale one. Whoever comes while one is being fetched gets the same. */
  token(stale) {
    if (this.#token && this.#token !== stale && Date.now() < this.#until) return Promise.resolve(this.#token);
    this.#renewal ??= this.authenticate().finally(() => { this.#renewal = null; });
    return this.#renewal;
  }

  async authenticate() {
    this.#token = null;
    const data = this.believe(await this.send('POST', '/authentication/token', null, this.credentials));
    if (typeof data.access_token !== 'string' || !data.access_token) throw new Trouble('no token in the answer');
    this.#until = Date.now() + (Math.max(60, Number(data.expire_time) || 0) - 30) * 1000;
    this.log.info({ seconds: data.expire_time }, 'new access token');
    this.#token = data.access_token;
    return this.#token;
  }

  async call(method, path, body) {
    const token = await this.token();
    let answer = await this.send(method, path, token, body);
    if (answer.status === 401) answer = await this.afterRefusal(method, path, body, token, answer);
    this.log.info({ call: `${method} ${path}`, statusCode: answer.status, body: answer.text.slice(0, 3000) }, 'gateway answered');
    return this.believe(answer);
  }

  async afterRefusal(method, path, body, stale, _answer) {
    return this.send(method, path, await this.token(stale), body);
  }

  believe({ status, text }) {
    if (status !== 200) throw new Trouble(`status ${status}`);
    let document;
    try { document = JSON.parse(text); } catch { throw new Trouble('not JSON'); }
    const data = document?.type === 'success' ? document.data : null;
    if (data === null || typeof data !== 'object' || Array.isArray(data)) throw new Trouble('not a success envelope');
    return data;
  }

  async create(order, urls, custom) {
    this.log.info({ order: order.id, amount: order.total, currency: order.currency }, 'opening a payment');
    const data = await this.call('POST', '/payment/create', { amount: order.total, currency: order.currency, ...urls, custom });
    if (typeof data.token !== 'string' || !data.token || !/^https?:\/\//.test(data.payment_url)) throw new Trouble('the answer names no payment');
    return { token: data.token, url: data.payment_url };
  }

  async status(token) {
    const data = await this.call('GET', `/payment/status/${encodeURIComponent(token)}`);
    if (data.token !== token) throw new Trouble('the answer is about another payment');
    this.log.info({ payment: token, trx_id: data.trx_id, status: data.status, paid: data.paid }, 'payment status');
    return data;
  }
}
