// The pages that the payer sees (3.7) and the ways back to the shop (3.8).
import { confirmPage, errorPage, loginPage, otpPage, TRX_TYPES } from './pages.mjs';
import { html, redirect } from './http.mjs';
import { randomId } from './store.mjs';

const REFUSED_PAYER = { username: 'refused', email: 'refused@sandbox.test' };

function findPayer({ email, password }, good) {
  if (email === good.email && password === good.password) return { username: 'appdevs', email };
  if (email === REFUSED_PAYER.email && password) return REFUSED_PAYER;
  return null;
}

const processError = ({ request }, row, title) =>
  html(200, errorPage({ title, link: row?.order.cancel_url ?? `${request.origin}/` }));

/** Runs a page only for a payment that can still be paid. */
const forOpenPayment = (page) => (ctx) => {
  const row = ctx.store.payment(ctx.params[0]);
  if (!row || row.status === 'SUCCESS') return processError(ctx, row, 'Payment request is invalid!');
  if (ctx.store.tooOld(row)) return processError(ctx, row, 'Session Expired!');
  if (row.merchant.mode !== ctx.env) return processError(ctx, row, 'Requested with invalid credentials!');
  return page(ctx, row);
};

const forPayer = (page) => forOpenPayment((ctx, row) => {
  if (!ctx.session.payer || !row.authentication) return processError(ctx, row, 'Authentication Failed!');
  return page(ctx, row);
});

const address = ({ request, base }, path, row) => `${request.origin}${base}/v1/user/${path}/${row.token}`;

/** Shows the page before once more, with a complaint. */
function back(ctx, row, path, error, email = null) {
  ctx.session.flash = { error, email };
  return redirect(address(ctx, path, row));
}

function takeFlash({ session }) {
  const { flash } = session;
  session.flash = null;
  return flash ?? {};
}

const FORM = 'authentication/form';
const PREVIEW = 'payment/preview';
const VERIFY = 'authentication/mail/verify';

export const loginForm = forOpenPayment((ctx, row) => {
  const { session } = ctx;
  if (session.payer) {
    row.authentication = true;
    return redirect(address(ctx, PREVIEW, row));
  }
  const action = address(ctx, `${FORM}/submit`, row);
  return html(200, loginPage({ action, csrf: session.csrf, order: row.order, ...takeFlash(ctx) }));
});

export const loginSubmit = forOpenPayment((ctx, row) => {
  const { store, session, env, options, request: { input } } = ctx;
  const payer = env === 'SANDBOX' ? findPayer(input, options.payer) : null;
  if (!payer) return back(ctx, row, FORM, "Credentials didn't match.", input.email);
  store.renewSession(session);
  session.payer = payer;
  row.authentication = true;
  return redirect(address(ctx, PREVIEW, row));
});

export const preview = forPayer((ctx, row) => {
  const { session, plants } = ctx;
  // The link leaves the site at once, so a cancel changes nothing here.
  const cancelLink = plants.has('cancel-state')
    ? address(ctx, 'payment/cancel', row)
    : cancelTarget(row);
  const action = address(ctx, `${PREVIEW}/submit`, row);
  return html(200, confirmPage({ action, csrf: session.csrf, order: row.order, cancelLink, ...takeFlash(ctx) }));
});

export const previewSubmit = forPayer((ctx, row) => {
  const { session, options, request: { input } } = ctx;
  const type = input.trx_type;
  if (!type) return back(ctx, row, PREVIEW, 'The trx type field is required.');
  if (!TRX_TYPES.includes(type)) return back(ctx, row, PREVIEW, 'The selected trx type is invalid.');
  if (options.otp && !row.emailVerify) {
    if (!options.otpLosesType) session.chosen.set(row.token, type);
    return redirect(address(ctx, VERIFY, row));
  }
  return book(row, session.payer, type);
});

export const otpForm = forPayer((ctx, row) => {
  const action = address(ctx, `${VERIFY}/submit`, row);
  return html(200, otpPage({ action, csrf: ctx.session.csrf, ...takeFlash(ctx) }));
});

export const otpSubmit = forPayer((ctx, row) => {
  const { session, options, request: { input } } = ctx;
  const code = Array.isArray(input.code) ? input.code.join('') : '';
  if (code !== options.payer.code) return back(ctx, row, VERIFY, 'The verification code does not match');
  row.emailVerify = true;
  return book(row, session.payer, session.chosen.get(row.token));
});

/** Only routed with the plant cancel-state. */
export const plantedCancel = forPayer((ctx, row) => {
  row.status = 'CANCELLED';
  return redirect(cancelTarget(row));
});

/** Without a type (the OTP path of 3.7 point 3) or with a refused payer the booking fails. */
function book(row, payer, type) {
  if (!type || payer === REFUSED_PAYER) return redirect(failureTarget(row));
  Object.assign(row, { status: 'SUCCESS', payer, bookedTrxId: randomId(16), charged: row.charged + 1 });
  return redirect(successTarget(row));
}

const phpEncode = (text) =>
  encodeURIComponent(text)
    .replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%20/g, '+');

/** http_build_query: brackets encoded, null values left out. */
const phpQuery = (pairs) =>
  pairs
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${phpEncode(name)}=${phpEncode(value)}`)
    .join('&');

function successTarget({ token, bookedTrxId, payer, order }) {
  const joint = order.return_url.includes('?') ? '&' : '?';
  return order.return_url + joint + phpQuery([
    ['message[code]', '200'],
    ['message[success][0]', 'SUCCESS'],
    ['data[token]', token],
    ['data[trx_id]', bookedTrxId],
    ['data[payer][username]', payer.username],
    ['data[payer][email]', payer.email],
    ['data[amount]', order.amount],
    ['data[custom]', order.custom],
    ['type', 'success'],
  ]);
}

const failureTarget = ({ order }) => `${order.return_url}?${phpQuery([
  ['message[code]', '500'],
  ['message[error][0]', 'Failed to create payment! Please try again'],
  ['type', 'error'],
])}`;

const cancelTarget = ({ token, order }) => `${order.cancel_url}?token=${token}`;
