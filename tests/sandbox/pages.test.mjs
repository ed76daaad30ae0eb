import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Browser, Sandbox } from './driver.mjs';

describe('the hosted pages', { timeout: 60_000 }, () => {
  let sandbox;
  before(async () => { sandbox = await Sandbox.start(); });
  after(() => sandbox.stop());
  beforeEach(() => sandbox.reset());

  test('a payment that succeeds comes back to return_url with the query of 3.8', async () => {
    const payment = await sandbox.payment({ custom: "a b/~'1" });
    const { status: code, headers } = await new Browser().pay(payment.page);
    assert.equal(code, 302);
    const { trx_id, paid, payer } = await sandbox.status(payment);
    assert.match(trx_id, /^[A-HJKM-Za-z1-9]{16}$/);
    assert.deepEqual({ paid, payer }, { paid: true, payer: { username: 'appdevs', email: 'sandbox@appdevs.net' } });
    assert.equal(headers.location, 'https://shop.test/return?message%5Bcode%5D=200'
      + `&message%5Bsuccess%5D%5B0%5D=SUCCESS&data%5Btoken%5D=${payment.token}&data%5Btrx_id%5D=${trx_id}`
      + '&data%5Bpayer%5D%5Busername%5D=appdevs&data%5Bpayer%5D%5Bemail%5D=sandbox%40appdevs.net'
      + '&data%5Bamount%5D=100.00000000&data%5Bcustom%5D=a+b%2F%7E%271&type=success');
    assert.equal((await sandbox.control('GET', '/payments'))[0].charged, 1);
  });

  test('success joins with & where a query is, failure always with ?', async () => {
    const withQuery = { return_url: 'https://shop.test/return?order=1' };
    const good = await new Browser().pay((await sandbox.payment(withQuery)).page);
    assert.ok(good.headers.location.startsWith('https://shop.test/return?order=1&message%5Bcode%5D=200'));
    const refused = await sandbox.payment(withQuery);
    const { headers } = await new Browser().pay(refused.page, 'refused@sandbox.test');
    assert.equal(headers.location, 'https://shop.test/return?order=1?message%5Bcode%5D=500'
      + '&message%5Berror%5D%5B0%5D=Failed+to+create+payment%21+Please+try+again&type=error');
    assert.equal((await sandbox.status(refused)).paid, false);
  });

  test('the cancel link adds ?token= and the payment can still be paid', async () => {
    const payment = await sandbox.payment({ cancel_url: 'https://shop.test/cancel?order=1' });
    const browser = new Browser();
    await browser.logIn(payment.page);
    await browser.follow();
    assert.deepEqual(browser.links(), [`https://shop.test/cancel?order=1?token=${payment.token}`]);
    const { status: state, paid, trx_id, payer } = await sandbox.status(payment);
    assert.deepEqual({ state, paid, trx_id, payer }, { state: 'CREATED', paid: false, trx_id: null, payer: null });
    assert.equal((await browser.submit([['trx_type', 'MASTER-CARD']])).status, 302);
    assert.equal((await sandbox.status(payment)).status, 'SUCCESS');
  });

  test('a wrong password shows the form again', async () => {
    const { page } = await sandbox.payment();
    const browser = new Browser();
    assert.equal((await browser.logIn(page, 'sandbox@appdevs.net', 'wrong')).headers.location, page);
    assert.match((await browser.follow()).text, /Credentials didn&#039;t match\./);
    assert.doesNotMatch((await browser.open(page)).text, /Credentials/);
  });

  test('a bad _token is a 419 page', async () => {
    const { page } = await sandbox.payment();
    const browser = new Browser();
    await browser.open(page);
    browser.cookie = '';
    const answer = await browser.submit([['email', 'sandbox@appdevs.net'], ['password', 'appdevs']]);
    assert.equal(answer.status, 419);
    assert.match(answer.text, /Page Expired/);
  });

  test('a logged-in payer goes straight to the preview of the next payment', async () => {
    const browser = new Browser();
    await browser.pay((await sandbox.payment()).page);
    const { page } = await sandbox.payment();
    assert.equal((await browser.open(page)).headers.location, page.replace('authentication/form', 'payment/preview'));
    assert.equal((await browser.follow()).status, 200);
  });

  test('error pages are HTTP 200 with one link to the bare cancel_url', async () => {
    const payment = await sandbox.payment();
    const browser = new Browser();
    const shows = async (url, title) => {
      const { status: code, text } = await browser.open(url);
      assert.equal(code, 200);
      assert.ok(text.includes('<title>Process Error</title>') && text.includes(title), title);
    };
    await shows(payment.page.replace('authentication/form', 'payment/preview'), 'Authentication Failed!');
    assert.deepEqual(browser.links(), ['https://shop.test/cancel']);
    await sandbox.pass(601);
    await shows(payment.page, 'Session Expired!');
    const paid = await sandbox.payment();
    await browser.pay(paid.page);
    await shows(paid.page, 'Payment request is invalid!');
    assert.deepEqual(browser.links(), ['https://shop.test/cancel']);
    await shows(payment.page, 'Payment request is invalid!');
  });
});
