// Routes, throttle, sessions: what stands between a request and its handler.
import { appendFileSync } from 'node:fs';
import * as api from './api.mjs';
import * as hosted from './hosted.mjs';
import { BodyTooLarge, framework, readRequest } from './http.mjs';
import { Illness } from './illness.mjs';
import { Store } from './store.mjs';

export const PLANTS = [
  'status-text', 'extra-field', 'missing-field', 'amount-number', 'no-envelope-404',
  'status-422', 'content-type', 'token-length', 'expire-time', 'cancel-state',
  'no-status-path', 'no-status-query', 'no-status-post', 'phone-required', 'moved', 'moved-create', 'foreign-pages', 'any-merchant',
  'negative-amount', 'limited',
];

const COOKIE = 'sandbox_pay_session';

// 3.1, then choice 4. `*` stands for the payment token.
const API_ROUTES = [
  ['POST', 'authentication/token', api.issueToken],
  ['POST', 'payment/create', api.createPayment],
  ['GET', 'payment/status/*', api.paymentStatus],
  ['GET', 'payment/status', api.paymentStatus],
  ['POST', 'payment/status', api.paymentStatus],
];
const WEB_ROUTES = [
  ['GET', 'authentication/form/*', hosted.loginForm],
  ['POST', 'authentication/form/submit/*', hosted.loginSubmit],
  ['GET', 'payment/preview/*', hosted.preview],
  ['POST', 'payment/preview/submit/*', hosted.previewSubmit],
  ['GET', 'authentication/mail/verify/*', hosted.otpForm],
  ['POST', 'authentication/mail/verify/submit/*', hosted.otpSubmit],
];

const compile = (folder, group) => ([method, path, handler]) => ({
  method,
  handler,
  group,
  pattern: new RegExp(`^/pay(/sandbox)?/${folder}/${path.replace('*', '([^/]+)')}$`),
});

export class App {
  constructor(options) {
    this.options = options;
    this.plants = new Set(options.plants);
    this.illness = new Illness(options.illness ?? {});
    this.store = new Store({
      clientId: options.clientId,
      secretId: options.secretId,
      tokenLength: this.plants.has('token-length') ? 64 : 350,
    });
    const web = this.plants.has('cancel-state')
      ? [...WEB_ROUTES, ['GET', 'payment/cancel/*', hosted.plantedCancel]]
      : WEB_ROUTES;
    const plantedAway = {
      'GET payment/status/*': 'no-status-path',
      'GET payment/status': 'no-status-query',
      'POST payment/status': 'no-status-post',
    };
    this.routes = [
      ...API_ROUTES.filter(([method, path]) => !this.plants.has(plantedAway[`${method} ${path}`])).map(compile('api/v1', this.viaApi)),
      ...web.map(compile('v1/user', this.viaWeb)),
    ];
  }

  async handle(incoming, outgoing) {
    let reply;
    const isPage = !/^\/pay(\/sandbox)?\/api\//.test(incoming.url);
    try {
      const request = await readRequest(incoming);
      reply = this.illness.instead(isPage) ?? this.dispatch(request);
    } catch (error) {
      if (incoming.destroyed && !incoming.complete) return; // the caller went away
      const tooLarge = error instanceof BodyTooLarge;
      if (!tooLarge) console.error(error);
      reply = framework(incoming, ...(tooLarge ? [413, ''] : [500, 'Server Error']));
    }
    this.record(incoming, reply.status);
    const headers = { 'Cache-Control': 'no-cache, private', ...reply.headers };
    if (this.plants.has('content-type') && headers['Content-Type'] === 'application/json') {
      headers['Content-Type'] = 'text/html; charset=UTF-8';
    }
    if (this.illness.isShapeless(isPage)) {
      reply.body = JSON.stringify({ ...JSON.parse(reply.body), data: { result: 'ok' } });
    }
    const send = () => {
      if (!this.illness.isCut(isPage)) {
        outgoing.writeHead(reply.status, headers).end(reply.body);
        return;
      }
      const body = Buffer.from(reply.body);
      outgoing.writeHead(reply.status, { ...headers, 'Content-Length': body.length });
      outgoing.write(body.subarray(0, Math.ceil(body.length / 2)), () => outgoing.destroy());
    };
    const seconds = this.illness.delay(isPage);
    if (seconds) setTimeout(send, 1000 * seconds).unref();
    else send();
  }

  record({ method, url }, status) {
    const [path, query = ''] = url.split(/\?(.*)/s);
    const entry = { method, path, query, status };
    this.store.requests.push(entry);
    if (this.options.log) {
      const at = new Date(this.store.clock.now() * 1000).toISOString();
      appendFileSync(this.options.log, `${JSON.stringify({ at, ...entry })}\n`);
    }
  }

  dispatch(request) {
    const { method, path } = request;
    const api = path.includes('/api/v1/');
    if (api && (this.plants.has('moved') || (this.plants.has('moved-create') && path.endsWith('/payment/create')))) {
      return { status: 301, headers: { Location: `https://moved.sandbox.test${path}`, 'Content-Type': 'text/html' }, body: '' };
    }
    if (api && this.plants.has('limited')) {
      return framework(request, 429, 'Too Many Attempts.', { 'Retry-After': 1 });
    }
    const matches = this.routes.filter((route) => route.pattern.test(path));
    const shown = path.slice(1) || '/';
    if (!matches.length) return framework(request, 404, `The route ${shown} could not be found.`);

    const wanted = method === 'HEAD' ? 'GET' : method;
    const route = matches.find((candidate) => candidate.method === wanted);
    if (!route) {
      const Allow = matches.map((m) => (m.method === 'GET' ? 'GET, HEAD' : m.method)).join(', ');
      if (method === 'OPTIONS') return { status: 200, headers: { Allow }, body: '' };
      const message = `The ${method} method is not supported for route ${shown}. Supported methods: ${Allow}.`;
      return framework(request, 405, message, { Allow });
    }

    const [, sandbox, ...params] = route.pattern.exec(path);
    return route.group.call(this, route.handler, {
      request,
      params,
      env: sandbox ? 'SANDBOX' : 'PRODUCTION',
      base: sandbox ? '/pay/sandbox' : '/pay',
      store: this.store,
      plants: this.plants,
      options: this.options,
    });
  }

  /** 60 requests a minute for each caller IP, in fixed windows; a refused request does not count. */
  viaApi(handler, ctx) {
    const { request, store } = ctx;
    const limit = this.options.rateLimit;
    const now = store.clock.now();
    let window = store.windows.get(request.ip);
    if (!window || now >= window.resetAt) {
      window = { count: 0, resetAt: now + 60 };
      store.windows.set(request.ip, window);
    }
    if (window.count >= limit) {
      return framework(request, 429, 'Too Many Attempts.', {
        'Retry-After': window.resetAt - now,
        'X-RateLimit-Limit': limit,
        'X-RateLimit-Remaining': 0,
        'X-RateLimit-Reset': window.resetAt,
      });
    }
    window.count += 1;
    const reply = handler(ctx);
    reply.headers['X-RateLimit-Limit'] = limit;
    reply.headers['X-RateLimit-Remaining'] = limit - window.count;
    return reply;
  }

  viaWeb(handler, ctx) {
    const { request, store } = ctx;
    const cookie = new RegExp(`(?:^|;\\s*)${COOKIE}=([^;]*)`).exec(request.headers.cookie ?? '');
    const session = store.openSession(cookie?.[1]);
    const safe = request.method === 'GET' || request.method === 'HEAD';
    const reply = safe || request.input._token === session.csrf
      ? handler({ ...ctx, session })
      : framework(request, 419, 'CSRF token mismatch.');
    const secure = request.secure ? '; Secure' : '';
    reply.headers['Set-Cookie'] = `${COOKIE}=${session.id}; Max-Age=7200; Path=/${secure}; HttpOnly; SameSite=Lax`;
    return reply;
  }
}
