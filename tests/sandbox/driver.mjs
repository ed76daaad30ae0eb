// For server.test.mjs: starts the server as a child process, calls its API, walks its pages.
import { spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('./server.mjs', import.meta.url));

export function send(url, { method = 'GET', headers = {}, body } = {}) {
  const { request } = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers, agent: false, rejectUnauthorized: false }, async (answer) => {
      let text = '';
      for await (const chunk of answer.setEncoding('utf8')) text += chunk;
      resolve({ status: answer.statusCode, headers: answer.headers, text });
    });
    call.on('error', reject).end(body);
  });
}

const withJson = (answer) => ({ ...answer, json: JSON.parse(answer.text) });

export class Sandbox {
  static async start(...flags) {
    const child = spawn(process.execPath, [SERVER, '--until-stdin-closes', ...flags], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(child.stdout), 'line');
    return new Sandbox(child, JSON.parse(line));
  }

  constructor(child, ready) {
    Object.assign(this, { child, ready, url: ready.url, site: new URL(ready.url).origin });
    this.ended = once(child, 'exit');
  }

  static async with(flags, work) {
    const sandbox = await Sandbox.start(...flags);
    try {
      await work(sandbox);
    } finally {
      await sandbox.stop();
    }
  }

  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null) this.child.kill(signal);
    const [code] = await this.ended;
    return code;
  }

  async control(method, path, body) {
    const answer = await send(this.ready.control + path, { method, body: body && JSON.stringify(body) });
    return JSON.parse(answer.text);
  }

  async post(path, fields, headers = {}) {
    const all = { 'Content-Type': 'application/json', Accept: 'application/json', ...headers };
    return withJson(await send(this.url + path, { method: 'POST', headers: all, body: JSON.stringify(fields) }));
  }

  async get(path, bearer) {
    const headers = { Accept: 'application/json', Authorization: `Bearer ${bearer}` };
    return withJson(await send(this.url + path, { headers }));
  }

  get keys() {
    return { client_id: this.ready.client_id, secret_id: this.ready.secret_id };
  }

  token(keys = this.keys) {
    return this.post('/authentication/token', keys);
  }

  async bearer() {
    return (await this.token()).json.data.access_token;
  }

  create(bearer, fields = {}) {
    return this.post('/payment/create', { ...ORDER, ...fields }, { Authorization: `Bearer ${bearer}` });
  }

  async status({ bearer, token }) {
    return (await this.get(`/payment/status/${token}`, bearer)).json.data;
  }

  async pass(seconds) {
    await this.control('POST', '/clock', { seconds });
  }

  /** A fresh start with a clock that stands still. */
  async reset() {
    await this.control('POST', '/reset');
    await this.control('POST', '/clock', { frozen: true });
  }

  /** A created payment: its bearer, token and payment_url. */
  async payment(fields) {
    const bearer = await this.bearer();
    const { data } = (await this.create(bearer, fields)).json;
    return { bearer, token: data.token, page: data.payment_url };
  }
}

export const ORDER = {
  amount: '100.00',
  currency: 'XAF',
  return_url: 'https://shop.test/return',
  cancel_url: 'https://shop.test/cancel',
  custom: 'order-1',
};

const unescape = (text) => text.replace(/&#039;/g, "'").replace(/&quot;/g, '"').replace(/&amp;/g, '&');

/** One payer's browser: keeps the cookie, submits forms, does not follow redirects. */
export class Browser {
  cookie = '';

  async #visit(url, options = {}) {
    const headers = { ...options.headers, Cookie: this.cookie };
    const page = await send(url, { ...options, headers });
    this.setCookie = page.headers['set-cookie']?.[0] ?? '';
    if (this.setCookie) this.cookie = this.setCookie.split(';')[0];
    this.page = page;
    return page;
  }

  open(url) {
    return this.#visit(url);
  }

  follow() {
    return this.#visit(this.page.headers.location);
  }

  links() {
    return [...this.page.text.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, link]) => unescape(link));
  }

  action() {
    return unescape(/<form[^>]* action="([^"]*)"/.exec(this.page.text)[1]);
  }

  submit(fields) {
    const [, csrf] = /name="_token" value="([^"]*)"/.exec(this.page.text);
    const body = new URLSearchParams([['_token', csrf], ...fields]).toString();
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return this.#visit(this.action(), { method: 'POST', headers, body });
  }

  async logIn(page, email = 'sandbox@appdevs.net', password = 'appdevs') {
    await this.open(page);
    return this.submit([['email', email], ['password', password]]);
  }

  /** From payment_url to the answer of the confirm page. */
  async pay(page, email) {
    await this.logIn(page, email);
    await this.follow();
    return this.submit([['trx_type', 'WALLET']]);
  }
}
