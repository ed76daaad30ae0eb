// The shop's own reverse proxy: says who asked and how, packs what it passes on, and has a page of its own for bad days.
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { pipeline } from 'node:stream';
import zlib from 'node:zlib';
import { logger } from './log.mjs';

const HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'proxy-authorization', 'proxy-connection']);
const SORRY = `<!doctype html><html lang="en"><title>One moment</title><h1>One moment</h1>
<p>Our shop is taking a short break. Nothing was charged. Please reload this page in a minute.</p></html>`;

export class Proxy {
  log = logger('proxy');
  patience = 120_000; // longer than anything that the app does
  agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  upstream = 0;

  headers(req) {
    const headers = Object.fromEntries(Object.entries(req.headers).filter(([name]) => !HOP.has(name) && !name.startsWith('x-forwarded-')));
    return {
      ...headers,
      'x-forwarded-proto': req.headers['x-forwarded-proto'] === 'https' || req.socket.encrypted ? 'https' : 'http', // TLS ends before us
      'x-forwarded-host': req.headers.host ?? '',
      'x-forwarded-for': req.socket.remoteAddress,
    };
  }

  async handle(req, res) {
    const began = Date.now();
    res.on('close', () => this.log.info({ req: { method: req.method, url: req.url }, res: { statusCode: res.statusCode }, responseTime: Date.now() - began }, 'request'));
    let body = Buffer.alloc(0);
    try {
      for await (const part of req) {
        body = Buffer.concat([body, part]);
        if (body.length > 64 * 1024) return this.sorry(res, 413);
      }
      await this.forward(req, res, body);
    } catch (error) {
      this.log.error({ err: error.code ?? error.message, req: { method: req.method, url: req.url } }, 'the app did not answer');
      this.sorry(res, 503);
    }
  }

  async forward(req, res, body) {
    const answer = await this.ask(req, body);
    if (this.hides(answer)) {
      answer.resume();
      this.log.error({ statusCode: answer.statusCode, req: { method: req.method, url: req.url } }, 'the app failed');
      return this.sorry(res, 503);
    }
    this.pass(req, res, answer);
  }

  /** One request to the app; never a second one, which could do twice what must be done once. */
  ask(req, body) {
    return new Promise((resolve, reject) => {
      const headers = { ...this.headers(req), ...(body.length && { 'content-length': body.length }) };
      const out = http.request({ host: '127.0.0.1', port: this.upstream, method: req.method, path: req.url, headers, agent: req.method === 'GET' && this.agent }, resolve);
      out.setTimeout(this.patience, () => out.destroy(new Error('no answer in time')));
      out.on('error', reject);
      out.end(body);
    });
  }

  hides(answer) {
    return answer.statusCode >= 500 && answer.headers['x-for-people'] !== 'yes';
  }

  pass(req, res, answer) {
    const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !HOP.has(name) && !name.startsWith('x-')));
    const packs = /\bgzip\b/.test(req.headers['accept-encoding'] ?? '') && /^text\//.test(headers['content-type'] ?? '');
    if (packs) {
      delete headers['content-length'];
      Object.assign(headers, { 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    }
    res.writeHead(answer.statusCode, headers);
    pipeline(answer, ...(packs ? [zlib.createGzip()] : []), res, (error) => { if (error) res.destroy(); });
  }

  sorry(res, status) {
    if (res.headersSent) return res.destroy();
    res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'retry-after': '30', 'cache-control': 'no-store' });
    res.end(SORRY);
  }

  serve() {
    process.on('disconnect', () => process.exit(0));
    process.on('message', ({ upstream }) => {
      const first = !this.upstream;
      this.upstream = upstream;
      if (first) http.createServer((req, res) => this.handle(req, res)).listen(Number(process.env.PORT), '127.0.0.1');
    });
    process.send('ready');
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) new Proxy().serve();
