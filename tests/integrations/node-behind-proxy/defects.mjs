// The same shop with one mistake: SHOP_DEFECT=NAME node defects.mjs. defects.toml tells what each one breaks.
import { Shop } from './app.mjs';
import { Gateway, Trouble } from './gateway.mjs';
import { Proxy } from './proxy.mjs';
import { start } from './start.mjs';

const shops = {
  'scheme-of-the-socket': class extends Shop {
    origin(req) { return super.origin(req).replace(/^https/, req.socket.encrypted ? 'https' : 'http'); }
  },

  'symbols-for-currencies': class extends Shop {
    sameCurrency(one, other) {
      const symbols = { EUR: '€', USD: '$', GBP: '£' };
      return symbols[one] === symbols[other];
    }
  },

  'token-for-the-proxy': class extends Shop {
    page(res, status, title, content, headers = {}) {
      return super.page(res, status, title, content, { ...headers, 'x-debug-bearer': this.gateway.shown ?? '' });
    }
  },

  'once-for-each-request': class extends Shop {
    guarded(req, _order, work) { return this.inTurn(req.headers['x-request-id'], work); }

    async address(req, order) {
      const kept = order.payments;
      order.payments = []; // the request is a new one
      try {
        return await super.address(req, order);
      } finally {
        order.payments = [...kept, ...order.payments];
        this.save();
      }
    }
  },

  'problem-for-the-proxy': class extends Shop {
    sorry(res, error) {
      res.writeHead(424, { 'content-type': 'application/problem+json' });
      res.end(JSON.stringify({ title: 'payment failed', detail: error.answer ?? error.message }));
    }
  },

  'empty-answer': class extends Shop {
    sorry(res) { res.writeHead(502).end(); }
  },
};

const gateways = {
  'token-for-the-proxy': class extends Gateway {
    async authenticate() { return (this.shown = await super.authenticate()); }
  },

  'problem-for-the-proxy': class extends Gateway {
    believe(answer) {
      try {
        return super.believe(answer);
      } catch (error) {
        throw Object.assign(error, { answer: answer.text });
      }
    }
  },

  'status-from-a-cache': class extends Gateway {
    answers = new Map();

    async status(token) {
      const kept = this.answers.get(token);
      if (kept && Date.now() - kept.at < 60_000) return kept.answer;
      const answer = await super.status(token);
      this.answers.set(token, { at: Date.now(), answer });
      return answer;
    }
  },

  'cents-by-multiplying': class extends Gateway {
    async create(order, urls, custom) {
      const cents = Math.trunc(Number(order.total) * 100); // 256.15 * 100 is 25614.999999999996
      return super.create({ ...order, total: (cents / 100).toFixed(2) }, urls, custom);
    }
  },

  'renews-by-the-clock': class extends Gateway {
    async afterRefusal(_method, _path, _body, _stale, answer) {
      if (answer.status === 401) throw new Trouble('the timer renews the token every nine minutes');
      return answer;
    }
  },
};

const proxies = {
  'asks-the-app-again': class extends Proxy {
    async forward(req, res, body) {
      for (let attempt = 1; attempt <= 6; attempt += 1) {
        const answer = await this.ask(req, body);
        if (answer.statusCode < 500 || attempt === 6) return this.pass(req, res, answer);
        answer.resume();
      }
    }
  },

  'token-for-the-proxy': class extends Proxy {
    pass(req, res, answer) {
      this.log.info({ headers: answer.headers }, 'the app answered');
      super.pass(req, res, answer);
    }
  },

  'keeps-pages': class extends Proxy {
    kept = new Map();

    async forward(req, res, body) {
      const page = this.kept.get(req.url);
      if (req.method === 'GET' && page && Date.now() - page.at < 60_000) return res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page.text);
      const answer = await this.ask(req, body);
      const parts = [];
      for await (const part of answer) parts.push(part);
      const text = Buffer.concat(parts);
      if (req.method === 'GET' && req.url.startsWith('/back/') && answer.statusCode < 300) this.kept.set(req.url, { at: Date.now(), text });
      const { 'transfer-encoding': _, ...headers } = answer.headers;
      res.writeHead(answer.statusCode, headers).end(text);
    }
  },

  'once-for-each-request': class extends Proxy {
    headers(req) { return { ...super.headers(req), 'x-request-id': `${process.pid}-${Math.random()}` }; }
  },

  'empty-answer': class extends Proxy {
    hides() { return false; }
  },

  'firewall-rule': class extends Proxy {
    async forward(req, res, body) {
      if (/[?&](type=error|message=)/.test(req.url)) return res.writeHead(403).end(); // looks like an attack
      return super.forward(req, res, body);
    }
  },
};

const name = process.env.SHOP_DEFECT;
if (!(name in shops || name in gateways || name in proxies)) {
  console.error(`${name} is no mistake of defects.mjs`);
  process.exit(2);
}
if (process.argv[2] === 'app') new (shops[name] ?? Shop)(process.env, gateways[name]).serve();
else if (process.argv[2] === 'proxy') new (proxies[name] ?? Proxy)().serve();
else start({ app: ['defects.mjs', 'app'], proxy: ['defects.mjs', 'proxy'] });
