// The JSON routes: token, create, and the status check that siblings added (choices 4 to 7).
import { createErrors, decimal, isMissing } from './rules.mjs';
import { failure, framework, success } from './http.mjs';
import { TOKEN_LIFE } from './store.mjs';

const sameIgnoringCase = (a, b) => typeof a === 'string' && a.toLowerCase() === b.toLowerCase();

/** 3.3: the merchant, or the refusal. Existence ignores letter case, the pair does not. */
function checkCredentials({ store, env, request: { input } }) {
  const { merchants } = store;
  const errors = [];
  if (!merchants.some((m) => sameIgnoringCase(input.client_id, m.clientId))) errors.push('Invalid client ID');
  if (!merchants.some((m) => sameIgnoringCase(input.secret_id, m.secretId))) errors.push('Invalid secret ID');
  if (errors.length) return { refusal: failure(400, ...errors) };

  const merchant = merchants.find(
    (m) => m.clientId === input.client_id && m.secretId === input.secret_id && m.mode === env,
  );
  if (!merchant) return { refusal: failure(400, 'Requested credentials is invalid') };
  if (!merchant.rowExists) {
    return { refusal: failure(404, "Merchant doesn't exists or credentials is invalid") };
  }
  return { merchant };
}

function bearerOf({ headers: { authorization = '' } }) {
  const at = authorization.lastIndexOf('Bearer ');
  return at < 0 ? null : authorization.slice(at + 7).split(',')[0];
}

/** 3.5 lines 1 to 3. */
function checkBearer({ store, request }) {
  const bearer = bearerOf(request);
  if (!bearer) return { refusal: failure(403, 'Access denied! Token not found') };
  const row = store.rows.get(bearer);
  if (!row) return { refusal: failure(403, 'Requested with invalid token!') };
  if (store.tooOld(row)) return { row, refusal: failure(401, 'Request token is expired') };
  return { row };
}

export function issueToken(ctx) {
  const { store, plants } = ctx;
  const { merchant, refusal } = checkCredentials(ctx);
  if (refusal) return refusal;
  if (store.storageBroken) return failure(500, 'Failed to create access token. Please try again');

  store.purge();
  const data = { access_token: store.issue(merchant).accessToken };
  if (!plants.has('missing-field')) data.expire_time = plants.has('expire-time') ? 3600 : TOKEN_LIFE;
  return success('SUCCESS', data);
}

const BOOKING_FAILED = 'Failed to create payment! Please try again';

export function createPayment(ctx) {
  const { store, env, plants, options, request: { input, origin } } = ctx;
  const { row, refusal } = checkBearer(ctx);
  if (refusal) {
    if (row?.status === 'CREATED') row.status = 'EXPIRED'; // 3.6
    return refusal;
  }
  if (row.status === 'SUCCESS') return failure(400, 'Requested with invalid token!'); // line 4

  const loose = plants.has('negative-amount') && typeof input.amount === 'string' && /^-\d/.test(input.amount);
  const unsigned = loose ? input.amount.slice(1) : input.amount;
  const errors = createErrors({ ...input, amount: unsigned }, options.currencies); // line 5
  if (plants.has('phone-required') && isMissing(input.phone)) errors.push('The phone field is required.');
  if (errors.length) return failure(plants.has('status-422') ? 422 : 400, ...errors);

  if (!row.merchant.rowExists) return failure(400, "Merchant does't exists"); // line 6
  if (row.merchant.mode !== env) return failure(400, 'Requested with invalid credentials'); // line 7

  const amount = decimal(unsigned, 8);
  if (store.storageBroken || amount === null || !('custom' in input)) return failure(500, BOOKING_FAILED); // line 8

  const { currency, return_url, cancel_url, custom } = input;
  row.order = { amount, currency, return_url, cancel_url, custom };
  const site = plants.has('foreign-pages') ? 'https://checkout.elsewhere.test' : origin;
  const data = { token: row.token, payment_url: `${site}${ctx.base}/v1/user/authentication/form/${row.token}` };
  if (plants.has('extra-field')) {
    data.expires_at = new Date((row.createdAt + TOKEN_LIFE) * 1000).toISOString();
  }
  return success(plants.has('status-text') ? 'OK' : 'CREATED', data);
}

/** Choice 4: a bearer always; client_id and secret_id instead of it by POST only. */
function checkStatusCaller(ctx) {
  const { method, input } = ctx.request;
  const hasCredentials = !isMissing(input.client_id) || !isMissing(input.secret_id);
  if (method === 'POST' && hasCredentials && !bearerOf(ctx.request)) return checkCredentials(ctx);
  const { row, refusal } = checkBearer(ctx);
  return { merchant: row?.merchant, refusal };
}

function statusOf(row, plants) {
  const paid = row.status === 'SUCCESS';
  const { amount, currency, custom } = row.order;
  const shown = decimal(amount, 2);
  return {
    token: row.token,
    trx_id: paid ? row.bookedTrxId : null,
    payer: paid ? { username: row.payer.username, email: row.payer.email } : null,
    amount: plants.has('amount-number') ? Number(shown) : shown,
    currency,
    custom,
    status: row.status,
    paid,
  };
}

export function paymentStatus(ctx) {
  const { store, env, plants, request, params } = ctx;
  const { merchant, refusal } = checkStatusCaller(ctx);
  if (refusal) return refusal;

  const token = params[0] ?? request.input.token;
  if (isMissing(token)) return failure(400, 'The token field is required.');
  const row = store.payment(token);
  const foreign = row && row.merchant !== merchant && !plants.has('any-merchant');
  if (!row || foreign || merchant.mode !== env) {
    return plants.has('no-envelope-404')
      ? framework(request, 404, 'No query results for model [App\\Models\\PaymentRequest].')
      : failure(404, 'Payment not found');
  }
  return success('SUCCESS', statusOf(row, plants));
}
