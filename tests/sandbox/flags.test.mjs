import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Browser, Sandbox } from './driver.mjs';

describe('flags', { timeout: 60_000 }, () => {
  const verify = async (browser, code) => browser.submit([...code].map((digit) => ['code[]', digit]));

  test('--otp asks for 123456 between the confirm page and the return', () => Sandbox.with(['--otp'], async (own) => {
    const { page } = await own.payment();
    const browser = new Browser();
    const asked = await browser.pay(page);
    assert.equal(asked.headers.location, page.replace('form', 'mail/verify'));
    await browser.follow();
    await verify(browser, '000000');
    assert.match((await browser.follow()).text, /The verification code does not match/);
    assert.match((await verify(browser, '123456')).headers.location, /type=success$/);
  }));

  test('--otp-loses-type ends in the error redirect', () => Sandbox.with(['--otp-loses-type'], async (own) => {
    const browser = new Browser();
    await browser.pay((await own.payment()).page);
    await browser.follow();
    assert.match((await verify(browser, '123456')).headers.location, /type=error$/);
  }));

  const ALL_PLANTS = [
    'status-text', 'extra-field', 'missing-field', 'amount-number', 'no-envelope-404',
    'status-422', 'content-type', 'token-length', 'expire-time', 'cancel-state',
  ];

  test('every --plant shows', () => Sandbox.with(ALL_PLANTS.flatMap((name) => ['--plant', name]), async (own) => {
    const { headers, json: { data } } = await own.token();
    assert.match(headers['content-type'], /^text\/html/);
    assert.deepEqual([data.access_token.length, 'expire_time' in data], [64, false]);
    assert.equal((await own.create(data.access_token, { currency: 'ZZZ' })).json.message.code, 422);
    const { json: created } = await own.create(data.access_token);
    assert.deepEqual(created.message.success, ['OK']);
    assert.ok(Date.parse(created.data.expires_at) > Date.now());
    const browser = new Browser();
    await browser.logIn(created.data.payment_url);
    await browser.follow();
    await browser.open(browser.links()[0]);
    assert.equal(browser.page.headers.location, `https://shop.test/cancel?token=${created.data.token}`);
    const { json: after } = await own.get(`/payment/status/${created.data.token}`, data.access_token);
    assert.deepEqual([after.data.status, after.data.amount], ['CANCELLED', 100]);
    const unknown = await own.get('/payment/status/x', data.access_token);
    assert.deepEqual([unknown.status, Object.keys(unknown.json)], [404, ['message']]);
  }));

  test('--plant expire-time advertises 3600', () => Sandbox.with(['--plant', 'expire-time'], async (own) => {
    assert.equal((await own.token()).json.data.expire_time, 3600);
  }));

  test('with a certificate everything is https and the cookie Secure', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    try {
      execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
        '-days', '1', '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' });
      await Sandbox.with(['--cert', cert, '--key', key], async (own) => {
        assert.match(own.url, /^https:\/\/localhost:\d+\/pay\/sandbox\/api\/v1$/);
        const browser = new Browser();
        await browser.open((await own.payment()).page);
        assert.ok(browser.action().startsWith(`${own.site}/pay/sandbox/v1/user/`));
        assert.match(browser.setCookie, /; Secure; HttpOnly; SameSite=Lax$/);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('it ends with 0 on SIGTERM, on SIGINT and when stdin closes', async () => {
    for (const signal of ['SIGTERM', 'SIGINT']) {
      assert.equal(await (await Sandbox.start()).stop(signal), 0);
    }
    const own = await Sandbox.start();
    own.child.stdin.end();
    assert.deepEqual(await own.ended, [0, null]);
  });
});
