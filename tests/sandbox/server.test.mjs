import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Browser, ORDER, Sandbox, send } from './driver.mjs';

const failed = (answer, status, ...texts) => {
  assert.equal(answer.status, status);
  assert.deepEqual(answer.json, { message: { code: status, error: texts }, data: [], type: 'error' });
};

describe('the API', { timeout: 60_000 }, () => {
  let sandbox;
  before(async () => { sandbox = await Sandbox.start(); });
  after(() => sandbox.stop());
  beforeEach(() => sandbox.reset());

  test('the token answer has 350 characters of the alphabet and 600 seconds', async () => {
    const { json } = await sandbox.token();
    assert.match(json.data.access_token, /^[A-HJKM-Za-z1-9]{350}$/);
    assert.deepEqual(json.message, { code: 200, success: ['SUCCESS'] });
    assert.deepEqual({ ...json.data, access_token: '' }, { access_token: '', expire_time: 600 });
  });

  test('bad credentials: each text of 3.3', async () => {
    const { client_id, secret_id } = sandbox.keys;
    const other = await sandbox.control('POST', '/merchants', {});
    const unpaired = 'Requested credentials is invalid';
    failed(await sandbox.token({}), 400, 'Invalid client ID', 'Invalid secret ID');
    failed(await sandbox.token({ client_id, secret_id: 'x' }), 400, 'Invalid secret ID');
    failed(await sandbox.token({ client_id, secret_id: other.secret_id }), 400, unpaired);
    failed(await sandbox.token({ client_id, secret_id: secret_id.toLowerCase() }), 400, unpaired);
    const live = await sandbox.control('POST', '/merchants', { mode: 'PRODUCTION' });
    failed(await sandbox.token(live), 400, unpaired);
    await sandbox.control('POST', '/merchants/remove', { client_id: other.client_id });
    failed(await sandbox.token(other), 404, "Merchant doesn't exists or credentials is invalid");
  });

  test('create answers CREATED with a 60 character token and its page, slashes escaped', async () => {
    const answer = await sandbox.create(await sandbox.bearer());
    const { token, payment_url } = answer.json.data;
    assert.match(token, /^[A-HJKM-Za-z1-9]{60}$/);
    assert.equal(payment_url, `${sandbox.site}/pay/sandbox/v1/user/authentication/form/${token}`);
    assert.deepEqual(answer.json.message, { code: 200, success: ['CREATED'] });
    assert.ok(answer.text.includes('http:\\/\\/localhost'));
    assert.equal(answer.headers['content-type'], 'application/json');
  });

  test('a second create with the same token overwrites the first order', async () => {
    const first = await sandbox.payment();
    const second = (await sandbox.create(first.bearer, { amount: '7.5', custom: 'order-2' })).json.data;
    assert.equal(second.token, first.token);
    const { amount, custom } = await sandbox.status(first);
    assert.deepEqual({ amount, custom }, { amount: '7.50', custom: 'order-2' });
  });

  test('after payment the same token is refused with 400', async () => {
    const { bearer, page } = await sandbox.payment();
    await new Browser().pay(page);
    failed(await sandbox.create(bearer), 400, 'Requested with invalid token!');
  });

  test('a token is good at 600 s, 401 later, and 403 once another token call has purged it', async () => {
    const bearer = await sandbox.bearer();
    await sandbox.pass(600);
    assert.equal((await sandbox.create(bearer)).status, 200);
    await sandbox.pass(1);
    failed(await sandbox.create(bearer), 401, 'Request token is expired');
    assert.equal((await sandbox.control('GET', '/payments'))[0].status, 'EXPIRED');
    failed(await sandbox.token({}), 400, 'Invalid client ID', 'Invalid secret ID');
    failed(await sandbox.create(bearer), 401, 'Request token is expired');
    await sandbox.bearer();
    failed(await sandbox.create(bearer), 403, 'Requested with invalid token!');
  });

  test('the purge takes rows of exactly 600 s, paid ones included', async () => {
    const { token, page } = await sandbox.payment();
    await new Browser().pay(page);
    await sandbox.pass(600);
    failed(await sandbox.get(`/payment/status/${token}`, await sandbox.bearer()), 404, 'Payment not found');
    assert.equal((await sandbox.control('GET', '/payments')).length, 1);
  });

  test('no bearer and an unknown bearer are 403, before any validation', async () => {
    failed(await sandbox.post('/payment/create', {}), 403, 'Access denied! Token not found');
    failed(await sandbox.create('nobody'), 403, 'Requested with invalid token!');
  });

  test('validation lists every failure at once', async () => {
    const bearer = { Authorization: `Bearer ${await sandbox.bearer()}` };
    failed(await sandbox.post('/payment/create', {}, bearer), 400,
      'The amount field is required.', 'The currency field is required.',
      'The return url field is required.', 'The cancel url field is required.');
    const bad = { amount: 'ten', currency: 'ZZZ', return_url: 'shop', cancel_url: 'a b', custom: 'é'.repeat(256) };
    failed(await sandbox.post('/payment/create', bad, bearer), 400,
      'The amount must be a number.', 'The amount must be greater than 0.',
      'The selected currency is invalid.', 'The return url must be a valid URL.',
      'The cancel url must be a valid URL.', 'The custom must not be greater than 255 characters.');
  });

  test('a JSON number is no amount, a form field is one', async () => {
    const bearer = await sandbox.bearer();
    failed(await sandbox.create(bearer, { amount: 100 }), 400, 'The amount must be a string.');
    const headers = { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams({ ...ORDER, amount: ' 100 ' }).toString();
    assert.equal((await send(`${sandbox.url}/payment/create/`, { method: 'POST', headers, body })).status, 200);
  });

  test('custom may be empty or null but its key must be there', async () => {
    const bearer = await sandbox.bearer();
    assert.equal((await sandbox.create(bearer, { custom: '' })).status, 200);
    assert.equal((await sandbox.create(bearer, { custom: null })).status, 200);
    failed(await sandbox.create(bearer, { custom: undefined }), 500, 'Failed to create payment! Please try again');
  });

  test('lines 6 to 8 of 3.5: other environment, storage error, merchant gone', async () => {
    const bearer = await sandbox.bearer();
    const headers = { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' };
    const live = sandbox.url.replace('/sandbox', '');
    const answer = await send(`${live}/payment/create`, { method: 'POST', headers, body: JSON.stringify(ORDER) });
    failed({ ...answer, json: JSON.parse(answer.text) }, 400, 'Requested with invalid credentials');
    await sandbox.control('POST', '/storage', { broken: true });
    failed(await sandbox.create(bearer), 500, 'Failed to create payment! Please try again');
    failed(await sandbox.token(), 500, 'Failed to create access token. Please try again');
    await sandbox.control('POST', '/merchants/remove', { client_id: sandbox.keys.client_id });
    failed(await sandbox.create(bearer), 400, "Merchant does't exists");
  });

  test('status answers the same by its three ways, and only to the owner', async () => {
    const { bearer, token } = await sandbox.payment();
    const byPath = await sandbox.get(`/payment/status/${token}`, bearer);
    assert.deepEqual(byPath.json.data, {
      token, trx_id: null, payer: null, amount: '100.00', currency: 'XAF', custom: 'order-1', status: 'CREATED', paid: false,
    });
    assert.deepEqual((await sandbox.get(`/payment/status?token=${token}`, bearer)).json, byPath.json);
    assert.deepEqual((await sandbox.post('/payment/status', { ...sandbox.keys, token })).json, byPath.json);
    const other = await sandbox.control('POST', '/merchants', {});
    failed(await sandbox.post('/payment/status', { ...other, token }), 404, 'Payment not found');
    failed(await sandbox.post('/payment/status', { token }), 403, 'Access denied! Token not found');
    await sandbox.pass(601);
    failed(await sandbox.get(`/payment/status/${token}`, bearer), 401, 'Request token is expired');
  });

  test('the 61st API request in a minute is 429 in the shape of the framework', async () => {
    let answer;
    for (let i = 0; i < 60; i += 1) answer = await sandbox.token({});
    assert.equal(answer.headers['x-ratelimit-limit'], '60');
    assert.equal(answer.headers['x-ratelimit-remaining'], '0');
    answer = await sandbox.token();
    assert.equal(answer.status, 429);
    assert.deepEqual(answer.json, { message: 'Too Many Attempts.' });
    assert.equal(answer.headers['retry-after'], '60');
    assert.match(answer.headers['x-ratelimit-reset'], /^\d{10}$/);
    await sandbox.pass(60);
    assert.equal((await sandbox.token()).status, 200);
  });

  test('404 and 405 are JSON only when asked for', async () => {
    const ask = (path, accept) => send(sandbox.url + path, { headers: { Accept: accept } });
    const missing = await ask('/nowhere', 'application/json');
    assert.equal(missing.status, 404);
    assert.deepEqual(Object.keys(JSON.parse(missing.text)), ['message']);
    assert.match((await ask('/nowhere', '*/*')).text, /^<!DOCTYPE html>/);
    const wrong = await ask('/payment/create', 'text/html');
    assert.equal(wrong.status, 405);
    assert.equal(wrong.headers.allow, 'POST');
    assert.match(wrong.text, /Method Not Allowed/);
  });

  test('the control port lists every request', async () => {
    await sandbox.get('/payment/status?token=x', 'nobody');
    assert.deepEqual(await sandbox.control('GET', '/requests'), [
      { method: 'GET', path: '/pay/sandbox/api/v1/payment/status', query: 'token=x', status: 403 },
    ]);
  });
});
